"""A web app that a package declares for jupyter-server-proxy, run under our supervision."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ...errors import DefiniteError, VceError
from ...launch import Launcher
from ...models import ServiceError, ServiceSpec, Site
from ...sentences import say
from ..base import Progress
from .driver import WebDriver
from .entries import Entry, as_mapping, find_entry
from .manners import call_by_name
from .options import uses_socket

_LONGEST_TITLE: Final = 80
_ICONS: Final = (".svg", ".png")


class AdoptedDriver(WebDriver):
    """Looks the entry up when it is first needed; what our own declaration says goes before it.

    ``servers`` is ``ServerProxy.servers`` of Jupyter's configuration, by name.
    """

    def __init__(
        self, spec: ServiceSpec, site: Site, launcher: Launcher, servers: Mapping[str, object]
    ) -> None:
        super().__init__(spec, site, launcher)
        self._servers = servers
        self._entry: Entry | None = None

    @property
    def ready_timeout(self) -> float:
        """As we declare it, else as the entry does."""
        told = self._entry.timeout if self._entry else None
        return self.spec.ready_timeout or told or self.default_ready_timeout

    @property
    def _is_told_how(self) -> bool:
        return self._entry is not None

    async def missing(self) -> ServiceError | None:
        """Why it cannot be adopted, or what its program lacks; None where it may be started."""
        try:
            await self._adopt()
            if self._entry is None or callable(self._entry.command):
                return None  # which port it will have is not known yet: its start will tell
            return await self._missing_program(self._command()[0])
        except VceError as error:
            return ServiceError(error.code, error.message, error.hint)

    async def prepare(self, progress: Progress) -> None:
        """As every web app, once it has been adopted."""
        await self._adopt()
        await super().prepare(progress)

    async def _adopt(self) -> None:
        """Look the entry up and take it over. A failure is not kept: it is tried again."""
        if self._entry is not None:
            return
        name = str(self.spec.options["adopt"])
        # Somebody else's code, which may take its time to be imported.
        entry = await asyncio.to_thread(find_entry, name, self._servers)
        options = {**entry.options, **self.spec.options}
        self._settle(options, socket=uses_socket(self.spec) or entry.listens_on_socket)
        self.spec = self._as_the_entry_looks(entry)
        self._entry = entry

    def _as_the_entry_looks(self, entry: Entry) -> ServiceSpec:
        """Its own title, picture and place to open, unless we have declared others."""
        shown: dict[str, Any] = {}
        declared = self.spec.declared
        title = entry.title.strip()
        if "title" not in declared and title.isprintable() and 0 < len(title) <= _LONGEST_TITLE:
            shown["title"] = title
        icon = Path(entry.icon)
        if "icon" not in declared and icon.suffix.lower() in _ICONS and icon.is_file():
            shown["icon"] = str(icon)
        if "open" not in declared:
            shown["open"] = "browser" if entry.new_browser_tab else "tab"
        return dataclasses.replace(self.spec, **shown)

    # -- what the entry says of its start ---------------------------------------------------------

    def _command(self) -> tuple[str, ...]:
        entry = self._known
        words = self._realised("command", entry.command)
        if not isinstance(words, list | tuple) or not words:
            raise entry.wrong(say("`command` gives no list of texts"))
        return tuple(self._rendered("command", word) for word in words)

    def _own_environment(self) -> dict[str, str]:
        theirs = self._table("environment", self._known.environment)
        return {**theirs, **super()._own_environment()}

    def _own_headers(self) -> dict[str, str]:
        theirs = self._known.options.get("request_headers", {})
        return {**self._table("request_headers_override", theirs), **super()._own_headers()}

    def _table(self, key: str, told: object) -> dict[str, str]:
        found = as_mapping(self._realised(key, told), self._known, key)
        return {
            self._rendered(key, name): self._rendered(key, value) for name, value in found.items()
        }

    @property
    def _known(self) -> Entry:
        if self._entry is None:
            raise DefiniteError(
                "config-invalid", say("{title} has not been looked up yet.", title=self.spec.title)
            )
        return self._entry

    @property
    def _arguments(self) -> dict[str, object]:
        """What jupyter-server-proxy tells such a command, as it is here.

        The app is then at ``base_url`` and its entry's name, where the service has that name too.
        """
        return {
            "port": self._port or 0,
            "unix_socket": str(self.socket) if self.socket else "",
            "base_url": f"{self.site.base_url}vce/app/",
        }

    def _realised(self, key: str, told: object) -> object:
        if not callable(told):
            return told
        asked: Callable[..., object] = told
        try:
            return call_by_name(asked, self._arguments)
        except Exception as error:  # whatever somebody else's code does
            raise self._known.failed(say("its `{key}` cannot be had", key=key), error) from error

    def _rendered(self, key: str, text: object) -> str:
        if not isinstance(text, str):
            raise self._known.wrong(
                say("`{key}` holds '{value}', which is no text", key=key, value=str(text)[:40])
            )
        try:
            return text.format(**self._arguments)
        except (LookupError, ValueError, AttributeError) as error:
            what = say(
                "its `{key}` holds '{value}', in which the braces cannot be filled in",
                key=key,
                value=text[:80],
            )
            raise self._known.failed(what, error) from error
