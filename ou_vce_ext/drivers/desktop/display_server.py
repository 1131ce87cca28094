"""What a display server must be able to do, whichever it is. Each has a file of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...models import ServiceError


@dataclass(frozen=True, slots=True)
class Screen:
    """What a display is to be like. ``width`` and ``height`` are in pixels, to begin with.

    With ``fits`` viewers may change its size; ``scale`` is how many pixels make one of a usual
    screen in each direction.
    """

    title: str
    width: int
    height: int
    fits: bool = True
    scale: int = 1


class DisplayServer(Protocol):
    """An X server that shows its screen over a unix socket, and listens nowhere else."""

    def missing(self) -> ServiceError | None:
        """What is not installed, with the cure, or None. Starts nothing."""

    def command(self, screen: Screen, socket: Path, authority: Path) -> tuple[str, ...]:
        """The words it is started with; ``{display}`` stands for its number.

        It shows the screen on ``socket`` (0600), and lets in programs that have the cookie of
        ``authority``. Told SIGTERM, it takes its own files away and ends.
        """

    def preparation(self) -> tuple[str, ...]:
        """The words of what is run once when the display answers, as above; empty for nothing."""

    async def answers(self, socket: Path) -> bool:
        """Whether it speaks its protocol there, now. Raises OSError while nobody listens."""
