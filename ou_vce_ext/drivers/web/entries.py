"""Entries for jupyter-server-proxy: finding one, and seeing that it is what it should be.

That package itself need not be installed. An entry is a dictionary, or an object with such traits,
in ``ServerProxy.servers`` of Jupyter's configuration, or what a package's entry point in the group
``jupyter_serverproxy_servers`` gives when it is called.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Final

from ...errors import DefiniteError
from ...sentences import say

GROUP: Final = "jupyter_serverproxy_servers"
_OPTIONS: Final[Mapping[str, tuple[str, tuple[type, ...]]]] = {
    # theirs: (ours, what it may be; a callable may stand for any but the first three)
    "port": ("port", (int,)),
    "absolute_url": ("absolute_url", (bool,)),
    "raw_socket_proxy": ("raw_socket", (bool,)),
    "mappath": ("mappath", (Mapping,)),
    "request_headers_override": ("request_headers", (Mapping,)),
    "rewrite_response": ("rewrite_response", (list, tuple)),
    "update_last_activity": ("activity", (bool,)),
}
_NEVER_CALLED: Final = frozenset({"port", "absolute_url", "raw_socket_proxy"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as far as it can be judged before it is started.

    ``command`` is a list or a callable that gives one, ``environment`` likewise a mapping;
    ``timeout`` is in seconds, None where it says nothing; ``options`` are keys of a web service.
    """

    name: str
    source: str
    command: Any
    environment: Any = field(default_factory=dict)
    timeout: float | None = None
    listens_on_socket: bool = False
    title: str = ""
    icon: str = ""
    new_browser_tab: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    def wrong(self, what: str) -> DefiniteError:
        """Say what is wrong with it."""
        return _wrong(self.name, self.source, what)

    def failed(self, what: str, error: Exception) -> DefiniteError:
        """Say what its own code did."""
        return _failed(self.name, self.source, what, error)


def find_entry(name: str, servers: Mapping[str, object]) -> Entry:
    """Look up ``name``: first in the configuration, then among installed packages.

    Imports the package's code. Raises DefiniteError (``config-invalid``) with the reason.
    """
    if name in servers:
        return _judge(name, say("ServerProxy.servers in Jupyter's configuration"), servers[name])
    known = entry_points(group=GROUP)
    point = next((each for each in known if each.name == name), None)
    if point is None:
        there = ", ".join(sorted({*known.names, *map(str, servers)})) or say("none at all")
        raise DefiniteError(
            "config-invalid",
            say(
                "There is no entry `{name}` for jupyter-server-proxy to adopt. There are: {names}.",
                name=name,
                names=there,
            ),
            say(
                "Install the package that brings it beside Jupyter, or correct `adopt` in this "
                "service's declaration."
            ),
        )
    source = point.dist.name if point.dist else point.value
    try:
        gives: Callable[[], object] = point.load()
        found = gives()
    except Exception as error:  # whatever somebody else's code does
        raise _failed(name, source, say("its entry point cannot be loaded"), error) from error
    return _judge(name, source, found)


def as_mapping(told: object, entry: Entry, key: str) -> Mapping[Any, Any]:
    """Give ``told`` as a mapping. Raises DefiniteError where it is none."""
    if isinstance(told, Mapping):
        return told
    raise entry.wrong(
        say("`{key}` is {type}, and should be a dictionary", key=key, type=type(told).__name__)
    )


def _judge(name: str, source: str, found: object) -> Entry:
    told = _fields(found)
    if told is None:
        kind = type(found).__name__
        raise _wrong(name, source, say("it is {type}, and should be a dictionary", type=kind))
    command = told.get("command")
    if not command:
        raise _wrong(
            name, source, say("it has no `command`: it is for a program that others have started")
        )
    if isinstance(command, str) or not (callable(command) or isinstance(command, list | tuple)):
        raise _wrong(name, source, say("its `command` is neither a list of texts nor a function"))
    timeout = told.get("timeout")
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float)):
        raise _wrong(name, source, say("its `timeout` is no number of seconds"))
    launcher = _fields(told.get("launcher_entry") or {}) or {}
    options = _options(name, source, told)
    place = told.get("unix_socket")
    if isinstance(place, str | os.PathLike):
        options["socket"] = os.fspath(place)
    if place:
        options.pop("port", None)
    # Theirs starts from Jupyter's address; what is not below the app is not ours to lead to.
    start = str(launcher.get("path_info") or "").lstrip("/").partition(f"{name}/")
    if not start[0] and start[2]:
        options["start_page"] = start[2]
    return Entry(
        name=name,
        source=source,
        command=command,
        environment=told.get("environment") or {},
        timeout=timeout or None,
        listens_on_socket=bool(place),
        title=str(launcher.get("title") or ""),
        icon=str(launcher.get("icon_path") or ""),
        new_browser_tab=bool(told.get("new_browser_tab", True)),
        options=options,
    )


def _fields(found: object) -> dict[str, Any] | None:
    """What an entry says, or None where it is nothing of the kind."""
    if isinstance(found, Mapping):
        return {str(key): value for key, value in found.items()}
    if callable(values := getattr(found, "trait_values", None)):
        return dict(values())
    return None


def _options(name: str, source: str, told: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for theirs, (ours, types) in _OPTIONS.items():
        value = told.get(theirs)
        if value is None or value in (0, (), [], {}):
            if value is False:
                options[ours] = False
            continue
        if isinstance(value, types) or (callable(value) and theirs not in _NEVER_CALLED):
            options[ours] = value
        else:
            kind = type(value).__name__
            what = say("its `{key}` is {type}, which it cannot be", key=theirs, type=kind)
            raise _wrong(name, source, what)
    patterns = told.get("exclude_last_activity_patterns")
    if patterns and options.get("activity", True) is True:
        try:
            options["activity"] = _unless(patterns)
        except (TypeError, re.error):
            what = say("its `exclude_last_activity_patterns` hold no regular expressions")
            raise _wrong(name, source, what) from None
    return options


def _unless(patterns: Iterable[Any]) -> Callable[[Any], bool]:
    """As such patterns are meant: for the whole path, from Jupyter's address on."""
    compiled = [re.compile(each) for each in patterns]
    return lambda handler: not any(each.match(handler.request.path) for each in compiled)


def _wrong(name: str, source: str, what: str) -> DefiniteError:
    return DefiniteError(
        "config-invalid",
        say(
            "The entry `{name}` of {source} cannot be adopted: {what}. Nothing has been started.",
            name=name,
            source=source,
            what=what,
        ),
        say("Look for a newer version of that package, or declare the service with a `command`."),
    )


def _failed(name: str, source: str, what: str, error: Exception) -> DefiniteError:
    reason, kind = " ".join(str(error).split())[:300], type(error).__name__
    return DefiniteError(
        "config-invalid",
        say(
            "The entry `{name}` of {source} cannot be adopted: {what} ({reason}). Nothing has been "
            "started.",
            name=name,
            source=source,
            what=what,
            reason=f"{kind}: {reason}" if reason else kind,
        ),
        say("Install what that package needs, or look for a newer version of it."),
    )
