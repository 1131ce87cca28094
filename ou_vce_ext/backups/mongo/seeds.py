"""What a fresh MongoDB holds: ``seed = { dump = …, collections = … }`` of its declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

from ...errors import UnsuitableError, VceError
from ...models import ServiceSpec
from ...oserrors import why
from ...sentences import say
from ..watch import Watch
from .dump import Dump
from .files_dump import FilesDump
from .names import Namespace
from .opening import open_dump
from .window import Window

_NAMED: Final = 6


def in_words(spec: ServiceSpec) -> str:
    """What is there after a reset, in a sentence for a student."""
    names = sorted(path.name for path in (*_dumps(spec), *_files(spec).values()))
    if not names:
        return say("No databases, as on the first day.")
    told = ", ".join(names[:_NAMED])
    if len(names) > _NAMED:
        return say(
            "What your module begins with ({names} and more), as on the first day.", names=told
        )
    return say("What your module begins with ({names}), as on the first day.", names=told)


def open_seeds(spec: ServiceSpec, database: str, watch: Watch) -> Iterator[Dump]:
    """Each part of the seed, the later to be laid over the earlier. Blocks; raises VceError."""
    for path in _dumps(spec):
        with _blamed(path):
            yield open_dump(path, path.name, 0, None, database, watch)
    files = _files(spec)
    if files:
        first = next(iter(files.values()))
        with _blamed(first):
            places = {at: (path.name, Window.of(path, 0, None)) for at, path in files.items()}
            yield FilesDump(first, places, watch)


def _dumps(spec: ServiceSpec) -> tuple[Path, ...]:
    return tuple(Path(str(name)) for name in cast("tuple[str, ...]", spec.seed.get("dump", ())))


def _files(spec: ServiceSpec) -> Mapping[Namespace, Path]:
    told = cast("Mapping[str, Mapping[str, str]]", spec.seed.get("collections", {}))
    return {
        Namespace(db, name): Path(file)
        for db, inner in told.items()
        for name, file in inner.items()
    }


class _blamed:
    """Says of a seed that cannot be used that it is the seed, and whose it is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UnsuitableError):
            reason = error.message
        elif isinstance(error, OSError):
            place = str(error.filename or self._path)
            reason = say("{place}: {why}.", place=place, why=why(error))
        else:
            return
        raise VceError(
            "config-invalid",
            say(
                "What a fresh MongoDB begins with cannot be used: {reason} Your databases are "
                "as they were.",
                reason=reason,
            ),
            say("Show this to your tutor: `seed` in this service's declaration names that file."),
        ) from error
