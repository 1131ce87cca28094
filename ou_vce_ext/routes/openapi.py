"""The description of this API, and the answer to whatever is not in it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from tornado import web

from . import errors
from .api import ApiHandler
from .base import READ


class OpenApiHandler(ApiHandler):
    """``api/openapi.yaml``."""

    actions = READ

    @web.authenticated
    def get(self) -> None:
        """Show ``rest-api.yml``."""
        self.set_header("Content-Type", "application/yaml")
        self.finish(_description())

    head = get


class UnknownHandler(ApiHandler):
    """Whatever else is asked of ``vce/``."""

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Tell strangers that they are strangers, and everybody else that there is nothing."""
        await self.admit()
        raise errors.unknown_route()


@cache
def _description() -> bytes:
    return files("ou_vce_ext").joinpath("rest-api.yml").read_bytes()
