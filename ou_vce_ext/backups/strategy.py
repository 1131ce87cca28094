"""How one kind of service is backed up, proven, restored and made fresh.

Everything that replaces data is one thing: *build* a whole new data folder beside the live one, in
a scratch instance, compare it with what it was built from, and have the two change places while the
service is stopped. To verify a backup is to build from it and throw the result away; to restore is
to build from it and swap; to reset is to build from the seed and swap. So the live data are the old
or the new, never a mix, and what was proven is what is used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from ..drivers.base import Driver
from ..models import Json
from ..models_backup import Consistency, DataItem
from ..sentences import say
from .watch import Watch
from .writer import ArchiveWriter


class Source(Protocol):
    """A file that data can be taken from: a backup of ours, or one made by a service's own tools.

    Each strategy has classes of its own for what it recognises.
    """

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def contents(self) -> tuple[DataItem, ...]:
        """What is in it. The keys of these are the ``items`` of a restore."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Which programs made it, where it says so."""

    @property
    def consistency(self) -> Consistency:
        """What in it is of one moment."""

    @property
    def whole(self) -> bool:
        """Whether it holds all that a service had (a backup of ours), not some of it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a backup turned out to hold; goes into its manifest."""

    contents: tuple[DataItem, ...]
    consistency: Consistency
    versions: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of a build, and which of its items are wanted (keys; None: all of them).

    Where two layers hold the same item, the later one's is taken.
    """

    source: Source
    items: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A whole new data folder, with nothing running on it and all of it on disk.

    ``folder`` can change places with ``live``. ``discard`` what is left with ``scratch.discard``.
    """

    folder: Path
    live: Path


class Strategy(ABC):
    """One service's backups. Called from the event loop; one call at a time for each service.

    Every method may be cancelled at any moment and then leaves nothing behind that matters; what is
    left of a call that was cut off is recognised by ``scratch.MARK`` in its name and removed by
    :meth:`clean`. Nothing but :meth:`load_beside` ever writes to the live service, and nothing at
    all reaches it by accident: tools run in a scrubbed environment.
    """

    kind: ClassVar[str]
    needs_running: ClassVar[bool] = True
    """Whether the live service must answer for :meth:`take`; else its files will do."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.moment: object = None
        """What :meth:`moved_on` compares the data with: how they were when :meth:`take` began."""

    # -- looking ---------------------------------------------------------------------------------

    @abstractmethod
    async def look(self) -> tuple[DataItem, ...]:
        """What the live service holds now, in parts a person knows, with counts and sizes.

        The service runs if :attr:`needs_running`. Raises VceError. Quick: for a preview.
        """

    @abstractmethod
    async def estimate(self) -> int | None:
        """About how many bytes a backup would take; None where nobody can say. Never raises."""

    async def data_bytes(self) -> int | None:
        """Bytes of the live data on disk, so the room a build may need. Never raises."""
        return await self.estimate()

    def stays(self) -> tuple[str, ...]:
        """What a reset leaves as it is, in sentences for a student."""
        return (say("Your backups"),)

    def becomes(self) -> str:
        """What is there after a reset, in a sentence for a student."""
        return say("Empty, as on the first day.")

    # -- backing up ------------------------------------------------------------------------------

    @abstractmethod
    async def take(self, archive: ArchiveWriter, watch: Watch) -> Taken:
        """Write the live service's data as members of ``archive`` (in threads; it blocks).

        At constant memory. Raises VceError with the reason; the caller abandons the archive.
        """

    async def hold(self) -> None:
        """Just before the service is stopped for a swap: have it acknowledge no change any more.

        Only where its data cannot be asked about at rest. Never raises.
        """

    async def moved_on(self, moment: object) -> bool:
        """Whether anything may have changed since ``moment``, running or at rest. Never raises.

        True where nobody can say: then old data are kept that need not be, and none are lost.
        """
        return True

    # -- reading ---------------------------------------------------------------------------------

    @abstractmethod
    async def open(
        self, path: Path, filename: str, *, offset: int = 0, length: int | None = None
    ) -> Source:
        """Recognise a file, ours or one made by a service's own tools; see that it is whole.

        ``filename`` is what its owner called it; ``offset`` and ``length`` (bytes) name a part of
        it. Checksums of ours are compared. Raises UnsuitableError before anything else is touched,
        quickly for hostile files; versions that cannot work are refused by :meth:`build`.
        """

    # -- building --------------------------------------------------------------------------------

    @abstractmethod
    async def build(self, layers: Sequence[Layer], watch: Watch, *, keep: bool) -> Built | None:
        """Build new data from ``layers``, compare them with what the layers say, and tell.

        No layers: the declared fresh state (``spec.seed``, else empty). With ``keep`` the result is
        kept for a swap; without it (verifying) it is removed again and None is given. Raises
        UnsuitableError where the data are not what they should be (broken, of a newer server), any
        other VceError where it could not be tried (no room, a program missing).
        """

    async def load_beside(
        self, source: Source, items: frozenset[str] | None, name: str, watch: Watch
    ) -> None:
        """Put ``source`` beside what is in the live service, under ``name``.

        What is there is never changed: a name that is taken is a ConflictError. Cut short, it takes
        back what it had put there. Raises BadRequestError where ``name`` cannot be a name, or the
        source holds more than can go under one.
        """
        raise NotImplementedError

    async def check_live(self) -> None:
        """After a swap, running: see that it serves what was built. Raises VceError."""

    async def clean(self) -> None:
        """Remove what calls that were cut off have left, in the house and in the live service."""

    async def changed(self) -> bool | None:
        """Whether the data have changed since this was asked before; None where nobody can say.

        For the warning that the newest backup is old. Cheap, and never raises.
        """
        return None
