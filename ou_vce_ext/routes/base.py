"""What every route under ``vce/`` does alike: who may, what is said when not, and what is kept."""

from __future__ import annotations

import json
import re
import secrets
from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias, cast

from jupyter_core.utils import ensure_async
from jupyter_server._tz import utcnow
from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.iostream import StreamClosedError

from ..errors import UnknownError
from ..models import Json
from ..sentences import say
from ..translation import LANGUAGE_COOKIE, Language, language
from . import errors

if TYPE_CHECKING:
    from ..backups.manager import Backups
    from ..services.registry import Registry

Action: TypeAlias = Literal["read", "write", "execute"]
RESOURCE: Final = "vce"
READ: Final[Mapping[str, Action]] = {"GET": "read"}
EXECUTE: Final[Mapping[str, Action]] = {"POST": "execute"}
_WHETHER_READ: Final = "_read_finished"
"""Where tornado's connection keeps whether it has read the request to its end."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class VCEHandler(JupyterHandler):
    """A Jupyter handler that lets nobody in unasked and answers every failure as JSON.

    Before a method runs, :meth:`prepare` has seen to: the Host header, the user (Jupyter's identity
    provider), the XSRF token where something changes, the origin, the method, and the authorizer.
    """

    actions: ClassVar[Mapping[str, Action]] = {}
    """The methods this address takes, and the action each needs. HEAD is as GET."""
    is_page: ClassVar[bool] = False
    """Whether an anonymous browser is sent to log in, instead of being refused."""

    _host_refused = False
    _xsrf_refused = False
    _reference = ""

    @property
    def registry(self) -> Registry:
        """The services of this house."""
        return cast("Registry", self.settings["vce_registry"])

    async def backups(self) -> Backups:
        """The backups of this house; the first who asks may wait for them to be loaded."""
        loaded = cast("Callable[[], Awaitable[Backups]]", self.settings["vce_backups"])
        return await loaded()

    def set_default_headers(self) -> None:
        """Nothing here is kept by anyone, and nothing is guessed from its content."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Raise the refusal, or return with the request allowed (or already answered)."""
        await self.admit()
        if self._finished:
            return
        method = self.request.method or ""
        action = self.action_for("GET" if method == "HEAD" else method)
        if action is None:
            allowed = set(self.actions) | ({"HEAD"} if "GET" in self.actions else set())
            raise errors.NotAllowedError(method, allowed)
        await self.authorize(action)

    async def admit(self) -> None:
        """Raise unless somebody is logged in and asks from here; send a browser to log in."""
        try:
            await super().prepare(_redirect_to_login=False)
        except web.HTTPError as refusal:
            if self._host_refused:
                raise errors.foreign_host() from refusal
            if refusal.status_code != 403 or getattr(self, "_jupyter_current_user", None):
                raise
        if self._finished:
            return
        if not self.current_user:
            if self.is_page and self._wants_page():
                web.authenticated(lambda _: None)(self)
                return
            raise errors.xsrf() if self._xsrf_refused else errors.not_authenticated()
        self.check_cross_site()

    def action_for(self, method: str) -> Action | None:
        """Say what ``method`` (GET for HEAD) needs here, or None where it is not taken."""
        return self.actions.get(method)

    async def authorize(self, action: Action) -> None:
        """Raise unless Jupyter's authorizer allows ``action`` on the resource ``vce``."""
        user = self.current_user
        if not user or not await ensure_async(
            self.authorizer.is_authorized(self, user, action, RESOURCE)
        ):
            raise errors.forbidden(action)

    def check_cross_site(self) -> None:
        """Refuse what another website's script sends, whatever the method. Header tokens may."""
        if not self.check_origin():
            raise errors.xsrf()

    def check_xsrf_cookie(self) -> None:
        """As Jupyter does it (which calls this for methods that change something), said our way."""
        if getattr(self, "_jupyter_current_user", None):
            try:
                super().check_xsrf_cookie()
            except web.HTTPError as refusal:
                raise errors.xsrf() from refusal
        elif not self.settings.get("xsrf_cookies"):
            # A JupyterHub asks while it finds out who it is: a cookie without the token is nobody.
            self._xsrf_refused = True
            super().check_xsrf_cookie()
            self._xsrf_refused = False
        # Else tornado asks before anybody is known: prepare has it asked again.

    def check_host(self) -> bool:
        """As Jupyter does it, remembering the outcome for the message."""
        allowed = super().check_host()
        self._host_refused = not allowed
        return allowed

    def _wants_page(self) -> bool:
        accept = self.request.headers.get("Accept", "").lower()
        return self.request.method == "GET" and "text/html" in accept

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Let an address that is no UTF-8 through, to be unknown like any other stranger."""
        return value.decode("utf-8", "replace") if name is None else super().decode_argument(value)

    def service_name(self, name: str) -> str:
        """``name`` as given in an address, or UnknownError where it cannot be a service's."""
        if not _NAME.fullmatch(name):
            raise UnknownError(
                "unknown-service",
                say("There is no service of that name. Nothing was done."),
                say("vce/status lists the services there are."),
            )
        return name

    def record_activity(self) -> None:
        """Tell Jupyter that somebody is at work (kept from being culled). Never for polling."""
        self.settings["api_last_activity"] = utcnow()

    def compute_etag(self) -> str | None:
        """None: nothing is kept, so nothing needs a tag."""
        return None

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """As tornado does, and say so where the connection ends with this answer.

        tornado hangs up after an answer that is given before the request has been read, which is
        where refusals are given; a client must know, or its next request is lost.
        """
        if not self._headers_written and not getattr(self.request.connection, _WHETHER_READ, True):
            self.set_header("Connection", "close")
        return super().finish(chunk)

    @cached_property
    def language(self) -> Language:
        """What the person who asks reads: by ``?lang=``, else as the Lab or the browser says."""
        asked = b",".join(self.request.query_arguments.get("lang", ())).decode("latin-1")
        header = self.request.headers.get("Accept-Language", "")
        return language(asked or self.get_cookie(LANGUAGE_COOKIE, "") or header)

    def answer(self, body: Mapping[str, Json], status: int = 200) -> None:
        """Finish with ``body`` as JSON, its sentences in the language of the person who asks."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.tell_language()
        self.finish(json.dumps(self.language.body(dict(body)), separators=(",", ":")))

    def tell_language(self) -> None:
        """Say which language the answer is in, and that another may be had."""
        self.set_header("Content-Language", self.language.tag)
        vary = self._headers.get_list("Vary")
        self.set_header("Vary", ", ".join([*vary, "Accept-Language"]))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Keep the traceback of a defect in the log, under a reference the answer names."""
        self._reference = secrets.token_hex(4)
        status, words = errors.told(value, self._reference)
        summary = f"{self.request.method} {self.request.path}"
        if status < 500 or words is value or isinstance(value, StreamClosedError):
            self.log.debug("%s: %s %s", summary, words.code, words.message)
        else:
            cause = (typ, value, tb) if typ and value else None
            self.log.error("Reference %s: %s failed", self._reference, summary, exc_info=cause)

    def _log(self) -> None:
        """As Jupyter does it, which trips over a ``Referer`` that is no address."""
        try:
            super()._log()
        except ValueError:
            self.log.warning("%d %s %s", self.get_status(), self.request.method, self.request.path)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """``{code, message, hint}``, whatever happened; never a traceback."""
        exception: BaseException | None = (kwargs.get("exc_info") or (None, None))[1]
        if exception is None:
            exception = web.HTTPError(status_code)
        status, words = errors.told(exception, self._reference)
        if isinstance(exception, errors.NotAllowedError):
            self.set_header("Allow", exception.allowed)
        self.answer(
            {"code": words.code, "message": words.message, "hint": words.hint}, status=status
        )
