"""The diagnostic bundle: the report and what it is drawn from, in one zip, made as it is sent."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Final, cast

from ..models import Json, ServiceSpec
from ..services.redaction import SECRET, Redactor
from .report_text import Facts, report

if TYPE_CHECKING:
    from collections.abc import Sequence

_CUT_OFF: Final = 2_000
"""Characters after which a line of a log has been cut off."""
_LAST_WORD: Final = re.compile(r"[^\s\"',;&]*\Z")


def members(
    facts: Facts, specs: Sequence[ServiceSpec], redactor: Redactor
) -> Iterator[tuple[str, str]]:
    """Name and redacted text of each file in the bundle, made one after the other."""
    yield "report.txt", redactor.text(report(facts))
    yield "status.json", _json(redactor.json(facts.language.body(facts.status.to_json())))
    yield "declarations.json", _json(redactor.json([declaration(spec) for spec in specs]))
    for name, lines in facts.logs.items():
        yield f"logs/{name}.log", redactor.text("".join(f"{line}\n" for line in lines))


def declaration(spec: ServiceSpec) -> Json:
    """A service as declared: variables by name only, secrets as such, defaults left out."""
    told: dict[str, object] = {
        "name": spec.name,
        "kind": spec.kind,
        "title": spec.title,
        "source": spec.source,
        "declared": sorted(spec.declared),
        "command": list(spec.command),
        "cwd": spec.cwd,
        "env": dict.fromkeys(spec.env, SECRET),
        "autostart": spec.autostart,
        "requires": list(spec.requires),
        "open": spec.open,
        "memory_bytes": spec.memory_bytes,
        "stop_timeout": spec.stop_timeout,
        "data_dir": spec.data_dir,
        "ready": {"path": spec.ready_path, "timeout": spec.ready_timeout},
        "backup": spec.backup,
        "seed": spec.seed,
        "external": spec.external,
        "options": spec.options,
        "problem": spec.problem.to_json() if spec.problem else None,
    }
    kept = {key: value for key, value in told.items() if value not in (None, {}, [], False)}
    # Whatever a declaration may hold is JSON afterwards.
    plain: Json = json.loads(json.dumps(kept, default=str))
    return plain


def whole(line: str) -> str:
    """``line`` without its last word where it was cut off: half a secret is not known for one."""
    return _LAST_WORD.sub("…", line, count=1) if len(line) >= _CUT_OFF else line


class ZipStream:
    """A zip that is written to nowhere in particular: what is ready is taken and sent on."""

    def __init__(self) -> None:
        self._outbox = _Outbox()
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._outbox), "w", zipfile.ZIP_DEFLATED)

    def add(self, name: str, text: str) -> bytes:
        """Add a file; give the bytes that are ready to be sent."""
        self._zip.writestr(name, text.encode("utf-8", "replace"))
        return self._outbox.take()

    def end(self) -> bytes:
        """Give the last bytes: the table of contents."""
        self._zip.close()
        return self._outbox.take()


class _Outbox:
    """Takes what is written; it cannot be gone back in, which zipfile minds.

    It is no file that could be closed before the zip of a client who has gone is.
    """

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def _json(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
