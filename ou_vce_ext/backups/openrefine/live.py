"""What is asked of an OpenRefine that runs, as its own pages would ask."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ...drivers.openrefine.driver import OpenRefineDriver
from ...errors import VceError
from ...sentences import say
from .facts import Facts
from .metadata import Metadata

_MOST_BYTES: Final = 64_000_000
_COMMAND: Final = "/command/core/"
_PLACE: Final = re.compile(r"[?&]project=(\d+)")
_HINT: Final = say(
    "Wait a moment and try again. If it stays so, stop OpenRefine, start it, try again."
)

Steps = tuple[tuple[int, ...], tuple[int, ...]]
"""The ids of the steps that are done, and of those that were undone."""


class CannotOpenError(Exception):
    """OpenRefine cannot open a project."""


class Live:
    """One OpenRefine that answers. All of it raises VceError (``not-answering``) where it fails."""

    def __init__(self, driver: OpenRefineDriver) -> None:
        self._driver = driver

    async def projects(self) -> dict[str, Metadata]:
        """What it says of each project, by id."""
        told = (await self._json("get-all-project-metadata")).get("projects")
        if not isinstance(told, dict):
            raise _strange()
        return {
            str(project): Metadata.of(each)
            for project, each in told.items()
            if isinstance(each, dict)
        }

    async def save(self, project: str) -> bool:
        """Have it save a project now, if it thinks that there is anything to save.

        An export saves before its first byte, and goes on where that fails: what came of it is to
        be seen from the files alone. False where it cannot open the project.
        """
        answer = await self._ask(f"export-project?project={project}", method="POST")
        return answer[0] == 200

    async def steps(self, project: str) -> Steps:
        """A project's history as it is in memory. Raises CannotOpenError as well."""
        told = await self._json(f"get-history?project={project}", project)
        try:
            past, future = (
                tuple(int(step["id"]) for step in told[part]) for part in ("past", "future")
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _strange() from error
        return past, future

    async def rows(self, project: str) -> int:
        """How many rows it has loaded. Raises CannotOpenError as well."""
        told = await self._json(f"get-rows?project={project}&start=0&limit=0", project)
        total = told.get("total", told.get("filtered"))
        return total if isinstance(total, int) else -1

    async def columns(self, project: str) -> tuple[str, ...]:
        """The names of its columns. Raises CannotOpenError as well."""
        told = await self._json(f"get-models?project={project}", project)
        try:
            return tuple(str(each["name"]) for each in told["columnModel"]["columns"])
        except (KeyError, TypeError) as error:
            raise _strange() from error

    async def compare(self, project: str, facts: Facts) -> list[str]:
        """Have it open a project; what it sees other than ``facts`` say."""
        differing = []
        if await self.columns(project) != facts.columns:
            differing.append("columns")
        if await self.rows(project) != facts.rows:
            differing.append("rows")
        if await self.steps(project) != (facts.past, facts.future):
            differing.append("history")
        return differing

    async def rename(self, project: str, name: str) -> None:
        """Give a project a name, by which it counts as changed."""
        await self._change("rename-project", {"project": project, "name": name})

    async def touch(self, project: str, told: Metadata) -> None:
        """Have a project count as changed, by the name it has already."""
        if told.name:
            await self.rename(project, told.name)

    async def delete(self, project: str) -> None:
        """Delete a project for good."""
        await self._change("delete-project", {"project": project})

    async def import_archive(self, archive: Path) -> str:
        """Have it import a project archive (``.tar.gz``); the new project's id."""
        import aiohttp

        upstream = self._driver.upstream()
        connector: aiohttp.BaseConnector
        if upstream.socket:
            connector, origin = aiohttp.UnixConnector(path=upstream.socket), "http://localhost"
        else:
            connector, origin = aiohttp.TCPConnector(), f"http://127.0.0.1:{upstream.port}"
        token = urllib.parse.quote(await self._token())
        try:
            async with aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            ) as session:
                with archive.open("rb") as file:
                    form = aiohttp.FormData()
                    form.add_field("project-file", file, filename="project.tar.gz")
                    async with session.post(
                        f"{origin}{_COMMAND}import-project?csrf_token={token}",
                        data=form,
                        headers={"Host": upstream.host_header},
                        allow_redirects=False,
                    ) as answer:
                        found = _PLACE.search(answer.headers.get("Location", ""))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _silent() from error
        if found is None:
            raise CannotOpenError
        return found[1]

    async def _change(self, command: str, form: Mapping[str, str]) -> None:
        query = urllib.parse.urlencode({**form, "csrf_token": await self._token()})
        status, body = await self._ask(f"{command}?{query}", method="POST", most=65_536)
        try:
            done = status == 200 and json.loads(body).get("code") == "ok"
        except (ValueError, AttributeError):
            done = False
        if not done:
            raise _strange()

    async def _token(self) -> str:
        return str((await self._json("get-csrf-token")).get("token", ""))

    async def _json(self, path: str, project: str | None = None) -> Mapping[str, Any]:
        status, body = await self._ask(path, most=_MOST_BYTES)
        try:
            told = json.loads(body) if status == 200 else None
        except ValueError:
            told = None
        if isinstance(told, dict) and told.get("code") != "error":
            return told
        if project is not None:
            raise CannotOpenError
        raise _strange()

    async def _ask(self, path: str, *, method: str = "GET", most: int = 0) -> tuple[int, bytes]:
        try:
            answer = await self._driver.ask(_COMMAND + path, method=method, most=most)
        except (OSError, TimeoutError) as error:
            raise _silent() from error
        return answer.status, answer.body


def _silent() -> VceError:
    return VceError(
        "not-answering",
        say("OpenRefine does not answer just now. Your projects are as they were."),
        _HINT,
    )


def _strange() -> VceError:
    return VceError(
        "not-answering",
        say("OpenRefine gave an answer that makes no sense. Your projects are as they were."),
        _HINT,
    )
