"""Judging one service's declaration, with all that is wrong with it told at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ..drivers.base import Option
from ..models import ServiceError, ServiceSpec
from ..sentences import in_a_row, say
from .backup_keys import BACKUP_KEYS
from .files import ConfigProblem
from .keys import (
    COMMON_KEYS,
    ELSEWHERE,
    ENV_VALUE,
    EXTERNAL_KINDS,
    NAME,
    NAME_RULE,
    READY_KEYS,
    check_env_name,
    hint_for,
)
from .merge import Declaration
from .seeds import (
    LISTS_FILES,
    NAMES_FILES,
    SEED_KEYS,
    located,
    located_lists,
    located_tables,
)
from .values import did_you_mean, judge, parse_memory, sentence

Kinds = Mapping[str, Mapping[str, Option]]
DEFAULT_KIND: Final = "web"
"""What a service is that says how it is started, and not its kind."""
_SAYS_HOW: Final = frozenset({"command", "adopt"})
Check = Callable[[ServiceSpec], ServiceError | None]


class Judge:
    """Turns one declaration into a spec, collecting what is wrong with it.

    ``familiar`` are the names of the built-in services, for somebody who has mistyped one.
    """

    def __init__(
        self,
        declaration: Declaration,
        kinds: Kinds,
        checks: Mapping[str, Check],
        familiar: Iterable[str],
    ) -> None:
        self.declared = declaration
        self.familiar = list(familiar)
        self.kinds = kinds
        self.checks = checks
        self.problems: list[ConfigProblem] = []
        self.name = declaration.name
        self.good: dict[str, Any] = {}

    def mistake(self, key: str, message: str, hint: str = "", *, fatal: bool = True) -> None:
        """Note one. A mistake that is not fatal is told, and the service starts all the same."""
        name = self.declared.name
        shown = name if NAME.fullmatch(name) else repr(name[:80])
        place = f"services.{shown}" + (f".{key}" if key else "")
        self.problems.append(
            ConfigProblem(
                self.declared.source(key), place, message, hint, self.name if fatal else None
            )
        )

    def spec(self) -> ServiceSpec | None:
        """Give the spec, or None where it has no name to list it under."""
        if not NAME.fullmatch(self.name):
            self.name = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:31].rstrip("-")
            usable = bool(NAME.fullmatch(self.name))
            if not usable:
                self.name = ""
            instance = say("For instance `{name}`.", name=self.name) if usable else ""
            hint = in_a_row((NAME_RULE, instance))
            self.mistake("", say("This cannot be the name of a service."), hint, fatal=False)
            return None
        if self.declared.no_table is not None:
            self.mistake(
                "",
                say("Must be a table."),
                say("Declare it under [services.{name}].", name=self.name),
            )
        kind = self._kind()
        options = self.kinds.get(kind)
        self._common(kind)
        chosen = self._options(kind, options) if options is not None else {}
        if options is not None:
            self._whole(kind)
        self.problems.sort(key=lambda item: (item.key, item.message))
        spec = self._build(kind, chosen)
        check = self.checks.get(kind)
        if check is not None and not any(item.service for item in self.problems):
            try:
                found = check(spec)
            except Exception:  # a driver's mistake must not stop the server
                found = ServiceError(
                    "config-invalid", say("This declaration cannot be understood.")
                )
            if found:
                self.mistake("", found.message, found.hint)
        return spec

    def _kind(self) -> str:
        """Its kind, which may be unknown; a mistake then."""
        names = ", ".join(self.kinds)
        kind = self.declared.values.get("kind")
        if kind is None and _SAYS_HOW & self.declared.values.keys() and DEFAULT_KIND in self.kinds:
            return DEFAULT_KIND
        if kind is None:
            close = did_you_mean(self.name, self.familiar)
            hint = in_a_row((close, say("A new service needs one of: {names}.", names=names)))
            self.mistake("kind", say("The kind of this service is not declared."), hint)
            return "unknown"
        if not isinstance(kind, str):
            trouble = judge("kind", kind, COMMON_KEYS["kind"])
            self.mistake("kind", trouble or "", say("One of: {names}.", names=names))
            return "unknown"
        if kind not in self.kinds:
            there = say("There are: {names}.", names=names)
            self.mistake(
                "kind",
                say("There is no kind of service called '{kind}'.", kind=kind[:40]),
                in_a_row((did_you_mean(kind, self.kinds), there)),
            )
        return kind

    def _common(self, kind: str) -> None:
        """Judge the keys that every service may have."""
        for key, option in COMMON_KEYS.items():
            if key == "kind" or key not in self.declared.values:
                continue
            value = self.declared.values[key]
            if key == "ready" and isinstance(value, dict):
                self._table(key, value, READY_KEYS)
            elif key == "env" and isinstance(value, dict):
                self._env(value)
            elif key == "backup" and isinstance(value, dict):
                self._table(key, value, BACKUP_KEYS)
            elif key == "seed" and isinstance(value, dict):
                self._seed(value, kind)
            elif trouble := judge(key, value, option):
                self.mistake(key, trouble, hint_for(key, value))
            else:
                self.good[key] = value

    def _table(self, key: str, table: Mapping[str, object], known: Mapping[str, Option]) -> None:
        for name, value in table.items():
            place = f"{key}.{name}"
            if name not in known:
                may = say("`{key}` may have: {names}.", key=key, names=", ".join(known))
                hint = in_a_row((did_you_mean(name, known), may))
                self.mistake(place, say("There is no such key."), hint)
            elif trouble := judge(place, value, known[name]):
                self.mistake(place, trouble, hint_for(place, value))
            else:
                self.good[place] = value

    def _env(self, table: Mapping[str, object]) -> None:
        for name, value in table.items():
            place = f"env.{name}"
            if trouble := check_env_name(name) or judge(place, value, ENV_VALUE):
                self.mistake(place, sentence(trouble), hint_for(place, value))
            else:
                self.good.setdefault("env", {})[name] = value

    def _seed(self, table: Mapping[str, object], kind: str) -> None:
        """Judge what a fresh one is to hold; a missing file is no reason not to start."""
        known = SEED_KEYS.get(kind)
        if known is None:
            self.good["seed"] = table
            return
        self._table("seed", table, known)
        seed = self.good.setdefault("seed", {})
        for name in known:
            if (value := self.good.pop(f"seed.{name}", None)) is None:
                continue
            files: Iterable[Path]
            if name in LISTS_FILES:
                lists = located_lists(value, self.declared.folder("seed"))
                seed[name] = {key: tuple(map(str, some)) for key, some in lists.items()}
                files = [file for some in lists.values() for file in some]
            elif isinstance(value, dict):
                tables = located_tables(value, self.declared.folder("seed"))
                seed[name] = {
                    key: {one: str(file) for one, file in inner.items()}
                    for key, inner in tables.items()
                }
                files = [file for inner in tables.values() for file in inner.values()]
            elif name in NAMES_FILES:
                files = located(value, self.declared.folder("seed"))
                seed[name] = tuple(map(str, files))
            else:
                seed[name] = value
                continue
            for path in files:
                if not path.is_absolute() or not path.exists():
                    self.mistake(
                        f"seed.{name}",
                        say("There is no '{path}'.", path=path),
                        say(
                            "A relative name starts from the folder of the file it is declared in."
                        ),
                        fatal=False,
                    )

    def _options(self, kind: str, options: Mapping[str, Option]) -> dict[str, object]:
        """Judge the keys of its kind, and those that nobody knows."""
        chosen = {}
        for key, value in self.declared.values.items():
            if key in COMMON_KEYS:
                continue
            if key not in options:
                self.mistake(key, say("There is no such key."), self._known(key, kind, options))
            elif trouble := judge(key, value, options[key]):
                self.mistake(key, trouble, sentence(options[key].doc))
            else:
                chosen[key] = value
        return chosen

    def _known(self, key: str, kind: str, options: Mapping[str, Option]) -> str:
        known = sorted([*COMMON_KEYS, *options])
        instead = ELSEWHERE.get(key)
        hints = [
            say("Write it as: {instead}.", instead=instead) if instead else did_you_mean(key, known)
        ]
        others = [name for name, keys in self.kinds.items() if key in keys]
        if others:
            hints.append(say("It is a key of the kind {names}.", names=", ".join(others)))
        hints.append(
            say(
                "A service of the kind {kind} may have: {names}.",
                kind=kind,
                names=", ".join(known),
            )
        )
        return in_a_row(hints)

    def _whole(self, kind: str) -> None:
        """Judge what only several keys together can get wrong."""
        values = self.declared.values
        if kind == "web" and not _SAYS_HOW & values.keys():
            self.mistake(
                "command",
                say("A web service needs a command."),
                say('For instance command = ["node", "app.js", "--port", "{port}"].'),
            )
        if self.good.get("external") is True and kind not in EXTERNAL_KINDS:
            self.mistake(
                "external",
                say("A service of the kind {kind} cannot be adopted.", kind=kind),
                say("Only these can: {names}.", names=", ".join(EXTERNAL_KINDS)),
            )

    def _icon(self) -> str | None:
        """The file of its picture; a missing one is told, and is no reason not to start."""
        icon = self.good.get("icon")
        if icon is None:
            return None
        path = Path(os.path.expanduser(icon))
        folder = self.declared.folder("icon")
        if folder is not None:
            path = folder / path
        if path.is_absolute() and path.is_file():
            return str(path)
        self.mistake(
            "icon",
            say("There is no file '{path}'.", path=path),
            say("A relative name starts from the folder of the file it is declared in."),
            fatal=False,
        )
        return None

    def _build(self, kind: str, options: Mapping[str, object]) -> ServiceSpec:
        good = self.good
        usual = self.name.replace("-", " ").capitalize()
        return ServiceSpec(
            name=self.name,
            kind=kind,
            title=good.get("title", usual),
            icon=self._icon(),
            command=tuple(good.get("command", ())),
            cwd=good.get("cwd"),
            env=dict(good.get("env", {})),
            autostart=good.get("autostart", False),
            requires=tuple(good.get("requires", ())),
            open=good.get("open", "tab"),
            memory_bytes=parse_memory(good["memory"]) if "memory" in good else None,
            stop_timeout=float(good["stop_timeout"]) if "stop_timeout" in good else None,
            data_dir=good.get("data_dir"),
            ready_path=good.get("ready.path", "/"),
            ready_timeout=float(good["ready.timeout"]) if "ready.timeout" in good else None,
            backup={key: good[f"backup.{key}"] for key in BACKUP_KEYS if f"backup.{key}" in good},
            seed=good.get("seed", {}),
            external=good.get("external", False),
            options=dict(options),
            declared=frozenset(good),
            source=self.declared.source(),
        )
