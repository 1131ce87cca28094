"""The keys that every service's declaration may have: their types, meaning and limits."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final

from ..drivers.base import Option
from ..sentences import say
from .values import SMALLEST_MEMORY, may_be_secret, parse_memory

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
NAME_RULE: Final = say("A small letter first, then small letters, digits and hyphens, 31 at most.")
EXTERNAL_KINDS: Final = ("postgres", "mongo")
"""Kinds that may be adopted where they already run."""
LONGEST_TIMEOUT: Final = 86_400.0
ICON_SUFFIXES: Final = (".svg", ".png")
_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _check_title(value: object) -> str | None:
    text = str(value)
    if not text.strip() or not text.isprintable() or len(text) > 80:
        return say("must be one line of 1 to {longest} characters", longest=80)
    return None


def _check_icon(value: object) -> str | None:
    if not str(value).lower().endswith(ICON_SUFFIXES):
        return say("must be the name of a .svg or .png file")
    return None


def _check_command(value: object) -> str | None:
    if not isinstance(value, list | tuple) or not value:
        return say("must hold at least the name of a program")
    for item in value:
        if not isinstance(item, str):
            return (
                say("must hold texts only: write {value} in quotes", value=item)
                if is_plain(item)
                else say("must hold texts only")
            )
    return None if value[0].strip() else say("must begin with the name of a program")


def is_plain(value: object) -> bool:
    """Whether a value may be quoted in a sentence as it is: a number, true or false."""
    return isinstance(value, bool | int | float)


def _check_path(value: object) -> str | None:
    return None if str(value).strip() else say("must not be empty")


def _check_requires(value: object) -> str | None:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        return say('must hold names of services, such as ["postgres"]')
    return say("names a service twice") if len(set(value)) < len(value) else None


def _check_memory(value: object) -> str | None:
    found = parse_memory(value)
    if found is None:
        return say('must be like "1500M", "1.5G" or a whole number of bytes')
    if found < SMALLEST_MEMORY:
        return say(
            'comes to {bytes} bytes, which is too little: write "512M" for 512 megabytes',
            bytes=found,
        )
    return None


def check_timeout(value: object) -> str | None:
    """Seconds: more than none, at most a day."""
    if not isinstance(value, int | float) or not 0 < value <= LONGEST_TIMEOUT:
        return say("must be a number of seconds from 0 to 86400, without 0 itself")
    return None


def _check_ready_path(value: object) -> str | None:
    text = str(value)
    if not text.startswith("/") or not text.isprintable() or " " in text:
        return say('must be a path such as "/" or "/health"')
    return None


def check_env_name(name: str) -> str | None:
    """What is wrong with a variable's name, or None."""
    if not _ENV_NAME.fullmatch(name):
        return say("is no name of a variable: letters, digits and _, no digit first")
    return None


ENV_VALUE: Final = Option((str,), "a variable's value")

READY_KEYS: Final[Mapping[str, Option]] = {
    "path": Option((str,), "answers when the app is ready", check=_check_ready_path),
    "timeout": Option((int, float), "seconds a start may take", check=check_timeout),
}

COMMON_KEYS: Final[Mapping[str, Option]] = {
    "kind": Option((str,), "what kind of service it is"),
    "title": Option((str,), "its name on tile and panel", check=_check_title),
    "icon": Option((str,), "a .svg or .png file", check=_check_icon),
    "command": Option((list, tuple), "program and arguments", check=_check_command),
    "cwd": Option((str,), "the folder it is started in", check=_check_path),
    "env": Option((dict,), "variables it is given"),
    "autostart": Option((bool,), "whether it starts with the server"),
    "requires": Option((list, tuple), "services to start first", check=_check_requires),
    "open": Option((str,), "where its tile opens it", choices=("tab", "browser")),
    "memory": Option((str, int), "what it may use", check=_check_memory),
    "stop_timeout": Option((int, float), "seconds it may take to stop", check=check_timeout),
    "data_dir": Option((str,), "the folder of its data", check=_check_path),
    "ready": Option((dict,), "how to see that it is ready"),
    "backup": Option((dict,), "how it is backed up"),
    "seed": Option((dict,), "what a fresh one holds"),
    "enabled": Option((bool,), "false hides it"),
    "external": Option((bool,), "it already runs: adopt it, never start or stop it"),
}

ELSEWHERE: Final[Mapping[str, str]] = {
    "timeout": "ready = { timeout = 120 }",
    "ready_timeout": "ready = { timeout = 120 }",
    "ready_path": 'ready = { path = "/" }',
    "path": 'ready = { path = "/" }',
    "args": 'command = ["program", "argument"]',
    "argv": 'command = ["program", "argument"]',
    "cmd": 'command = ["program", "argument"]',
    "environment": 'env = { NAME = "value" }',
    "depends_on": 'requires = ["postgres"]',
    "new_browser_tab": 'open = "browser"',
    "unix_socket": say('{socket} in `command`, or socket = "/a/path"'),
    "request_headers_override": 'request_headers = { "X-Name" = "value" }',
    "raw_socket_proxy": "raw_socket = true",
    "update_last_activity": "activity = false",
    "exclude_last_activity_patterns": 'activity_ignores = ["/poll"]',
    "launcher_entry": say('`title` and `icon`; path_info as start_page = "page.html"'),
    "path_info": 'start_page = "page.html"',
    "disabled": "enabled = false",
}
"""Words that other programs use for what has another name here, and how it is written."""


def hint_for(key: str, value: object) -> str:
    """What else helps a person who wrote a wrong value, or nothing."""
    if key == "command" and isinstance(value, str):
        if may_be_secret(value):
            return say('Write it as a list: command = ["program", "argument"].')
        try:
            words = shlex.split(value)
        except ValueError:
            words = value.split()
        quoted = ", ".join(f'"{word}"' for word in words[:12])
        return say("Write it as a list: command = [{words}].", words=quoted)
    if key == "requires" and isinstance(value, str):
        return say('Write it as a list: requires = ["{name}"].', name=value)
    if key in ("autostart", "enabled", "external") and isinstance(value, str):
        return say("Write it without quotes.")
    if key.startswith("env."):
        return say('Write it in quotes, such as "8080".')
    return ""
