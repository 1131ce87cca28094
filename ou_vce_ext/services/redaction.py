"""Taking out of a text what is nobody else's business, before a person shows it to others.

Two ways at once: what is known to be private here (:class:`Private`) goes wherever it stands, and
what looks private goes as well, known or not. Where the two are in doubt, it goes. Nothing is read
or asked here, and a text that has been through once comes out the same the second time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from ..models import Json
from .redaction_addresses import HOST, or_placeholder, without_addresses, without_uris

SECRET: Final = "<secret>"  # noqa: S105
USER: Final = "<user>"
GENERIC_USERS: Final = frozenset(
    {"root", "nobody", "postgres", "mongodb", "mongod", "student", "admin"}
)
"""Names that are nobody's in particular, and that a helper wants to see."""

_WORDS: Final = (
    "token|passw(?:or)?d|passphrase|passwort|kennwort|pwd|secret|credential|api[_-]?key"
    "|access[_-]?key|private[_-]?key|key[_-]?file|xsrf|csrf|session[_-]?id"
)
_WORD: Final = re.compile(_WORDS, re.IGNORECASE)
_UNSEEN: Final = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2060]"
)
_PEM: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{3,40}-----.*?(?:-----END [A-Z0-9 ]{3,40}-----|\Z)", re.S
)
_HEADER: Final = re.compile(
    r"(?i)\b((?:set-)?cookies?2?\\?[\"']?\s*[:=]|(?:proxy-)?authorization\\?[\"']?\s*[:=])[^\n]+"
)
_VALUE: Final = r"(\\?\"(?:[^\"\\\n]|\\[^\"\n])*\\?\"|'[^'\n]*'|\S+)"
_NAMED: Final = re.compile(
    rf"(?i)((?:{_WORDS})[\w.\-]{{0,40}}\\?[\"']?\s{{0,4}}(?:=>|:=|=|:)\s{{0,4}}){_VALUE}"
)
_OPTION: Final = re.compile(rf"(?i)(-[\w-]{{0,40}}(?:{_WORDS})[\w-]{{0,40}}\s{{1,4}}){_VALUE}")
_SAID: Final = re.compile(
    rf"(?i)\b((?:{_WORDS})(?:\s+\w{{1,20}}){{0,4}}\s+)([\"'`])[^\"'`\n]{{1,300}}\2"
)
_IS: Final = re.compile(rf"(?i)\b((?:{_WORDS})\s+(?:is|was)\s+)(?=\S*[\d!-/:-@])\S+")
_BEARER: Final = re.compile(
    r"(?i:\b(bearer|basic|negotiate|digest|token)\s+)(?=\S*(?:[\d=]|[a-z][A-Z]))[\w.~+/=\-]{6,}"
)
_HEX: Final = re.compile(r"(?<![\w-])(?=[0-9a-f]{0,99}\d)[0-9a-f]{32,}(?![\w-])")
_RANDOM: Final = re.compile(r"(?<![\w-])[\w-]{20,}(?![\w-])", re.ASCII)
_CLASSES: Final = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile(r"\d"))
_USER_OF: Final = re.compile(
    r"(?i)\b((?:user(?:[_-]?name)?|login|logname|owner|principal)\\?[\"']?\s{0,4}[=:]\s{0,4})"
    r"(\\?[\"']?)([^\s,;&\"'()\\]+)"
)
_USER_SAID: Final = re.compile(
    r"(?i)\b((?:user|role|owner|login|account)\s+)([\"'`])([^\"'`\n]{1,100})\2"
)
_HOMES: Final = (
    r"(?:(?:\\?/|%2F)(?:home|Users|media|export|nethome)(?:\\?/|%2F)[^\s/\\\"'`:;,%<>|]+"
    r"|(?:\\?/|%2F)root(?![\w.-])"
    r"|[A-Za-z]:\\{1,2}(?:Users|Documents and Settings)\\{1,2}[^\s\\\"'`:;,<>|]+"
    r"|~[\w.-]*(?=[/\\]))"
)
_ELSEWHERE: Final = r"(?:\\?/|%2F)(?:tmp|var/tmp|run/user|mnt|scratch|srv|Volumes|nfs)(?=/|%2F|\\/)"
_REST: Final = r"(?:(?:[/\\]|%2F)[^\s\"'`:;,)\]}>|]*)?"
_QUOTED_REST: Final = r"(?:(?:[/\\]|%2F)[^\"'`\n]*(?=[\"'`]))"
_HOME_PATH: Final = re.compile(f"(?:(?<=[\"'`]){_HOMES}{_QUOTED_REST}|{_HOMES}{_REST})")
_OTHER_PATH: Final = re.compile(f"(?<![\\w.~])({_ELSEWHERE}){_REST}")


@dataclass(frozen=True, slots=True)
class Private:
    """What is known to be private: each goes wherever it stands.

    ``folders`` gives for a path what it is called instead, such as ``<data of postgres>``; what
    lies below is kept, except below ``~`` and ``<files>``, which hold a person's own names.
    """

    secrets: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    folders: Mapping[str, str] = field(default_factory=dict)


class Redactor:
    """Redacts texts and JSON by one set of private facts. Stateless once made."""

    def __init__(self, private: Private) -> None:
        self._secrets = _rule(private.secrets, SECRET, _secret_pattern)
        self._folders = _folder_rules(private.folders)
        self._names = [
            *_rule(private.hosts - {"localhost"}, HOST, _name_pattern),
            *_rule(private.people - GENERIC_USERS, USER, _name_pattern),
        ]

    def text(self, text: str) -> str:
        """``text`` without anything private. Its lines stay lines."""
        # Line by line: one expression over all of a log would hold everybody else up meanwhile.
        return "\n".join(map(self._line, _PEM.sub(SECRET, _UNSEEN.sub("", text)).split("\n")))

    def _line(self, text: str) -> str:
        # An address first, while nothing has changed it yet and its credentials can be seen.
        text = without_uris(_applied(self._secrets, text))
        text = _without_secrets(text)
        text = _applied(self._folders, text)
        text = _HOME_PATH.sub(_home, text)
        text = _OTHER_PATH.sub(lambda found: f"{found[1]}/…", text)
        text = _applied(self._names, without_addresses(text))
        return _USER_SAID.sub(_user_said, _USER_OF.sub(_user_of, text))

    def json(self, value: Json, key: str = "") -> Json:
        """``value`` without anything private in its texts, its keys or under telling keys."""
        if isinstance(value, dict):
            return {self.text(name): self.json(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self.json(item, key) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if _WORD.search(key):
            return SECRET
        if not isinstance(value, str):
            return value
        # A key says of its value what no value says of itself.
        if key in ("user", "username"):
            return value if _is_nobody(value) else USER
        return self.text(or_placeholder(value) if key in ("host", "hostname") else value)


Rule = tuple[re.Pattern[str], str]


def _rule(values: Iterable[str], instead: str, pattern: Callable[[str], str]) -> list[Rule]:
    """One expression for all ``values``, the longest first, in every way they are written."""
    written = {form for value in values if value.strip() for form in _forms(value)}
    if not written:
        return []
    longest = sorted(written, key=lambda form: (-len(form), form))
    return [(re.compile("|".join(map(pattern, longest))), instead)]


def _forms(value: str) -> set[str]:
    """``value`` as it stands in texts, in addresses and in JSON."""
    return {
        value,
        quote(value),
        quote(value, safe=""),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
    }


def _secret_pattern(form: str) -> str:
    # A short one may be part of an ordinary word.
    pattern = re.escape(form)
    return pattern if len(form) >= 8 else rf"(?<![^\W_]){pattern}(?![^\W_])"


def _name_pattern(form: str) -> str:
    pattern = re.escape(form)
    if len(form) <= 3:
        return rf"(?<![\w<]){pattern}(?![\w>])"
    return rf"(?i:(?:(?<=%2F)|(?<![^\W_])(?<!<)){pattern}(?![^\W_]|>))"


def _applied(rules: Iterable[Rule], text: str) -> str:
    for rule, instead in rules:
        text = rule.sub(instead, text)
    return text


def _folder_rules(folders: Mapping[str, str]) -> list[Rule]:
    """The deepest folder first, so that each path is called by what is nearest to it."""
    rules = []
    for path in sorted(folders, key=lambda path: (-len(path), path)):
        if len(path.rstrip("/")) < 2:
            continue
        instead = folders[path]
        forms = "|".join(re.escape(form) for form in sorted(_forms(path.rstrip("/")), reverse=True))
        pattern = f"(?:{forms})(?![\\w.-])"
        if instead in ("~", "<files>"):
            pattern = f"(?:(?<=[\"'`])(?:{forms}){_QUOTED_REST}|{pattern}{_REST})"
            rules.append((re.compile(pattern), f"{instead}/…"))
        else:
            rules.append((re.compile(pattern), instead))
    return rules


def _without_secrets(text: str) -> str:
    text = _HEADER.sub(rf"\1 {SECRET}", text)
    if _WORD.search(text):
        text = _NAMED.sub(_value, text)
        text = _OPTION.sub(_value, text)
        text = _SAID.sub(rf"\1\2{SECRET}\2", text)
        text = _IS.sub(rf"\1{SECRET}", text)
    text = _BEARER.sub(rf"\1 {SECRET}", text)
    text = _HEX.sub(SECRET, text)
    return _RANDOM.sub(_random, text)


def _value(found: re.Match[str]) -> str:
    start = re.match(r"\\?[\"']", found[2])
    mark = start[0] if start and len(found[2]) > len(start[0]) else ""
    end = mark if mark and found[2].endswith(mark[-1]) else ""
    return f"{found[1]}{mark}{SECRET}{end}"


def _random(found: re.Match[str]) -> str:
    return SECRET if all(each.search(found[0]) for each in _CLASSES) else found[0]


def _home(found: re.Match[str]) -> str:
    return "~" if re.fullmatch(_HOMES, found[0]) else "~/…"


def _user_of(found: re.Match[str]) -> str:
    return found[0] if _is_nobody(found[3]) else f"{found[1]}{found[2]}{USER}"


def _user_said(found: re.Match[str]) -> str:
    return found[0] if _is_nobody(found[3]) else f"{found[1]}{found[2]}{USER}{found[2]}"


def _is_nobody(name: str) -> bool:
    return name in GENERIC_USERS or name.isdecimal() or name.startswith("<")
