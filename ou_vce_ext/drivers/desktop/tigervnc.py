"""TigerVNC's Xvnc: an X server that shows its screen in RFB, the protocol of VNC."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Final

from ...models import ServiceError
from ...sentences import say
from .display_server import Screen

_NAMES: Final = ("Xtigervnc", "Xvnc")
"""Other packages have an Xvnc too; Debian names TigerVNC's own besides."""
_GREETING: Final = b"RFB "
_DOTS_PER_INCH: Final = 96
_MOST_CLIPBOARD: Final = 4 * 1024 * 1024
_LETTERS: Final = Path(__file__).with_name("letters.xkb")


class TigerVNC:
    """Debian's ``tigervnc-standalone-server``."""

    def missing(self) -> ServiceError | None:
        """Whether it is installed."""
        if _program():
            return None
        return ServiceError(
            "program-missing",
            say(
                "Desktop programs need the display server Xvnc of TigerVNC, which is not installed."
            ),
            say(
                "Install it with `apt-get install tigervnc-standalone-server` as the machine's "
                "administrator."
            ),
        )

    def command(self, screen: Screen, socket: Path, authority: Path) -> tuple[str, ...]:
        """On ``socket`` alone: no TCP port, no abstract socket, no password beside the folder's."""
        return (
            _program() or _NAMES[0],
            ":{display}",
            *("-geometry", f"{screen.width}x{screen.height}"),
            *("-depth", "24", "-dpi", str(_DOTS_PER_INCH * screen.scale)),
            *("-auth", str(authority)),
            *("-nolisten", "tcp", "-nolisten", "local"),
            # Without the second, a TCP port is open as well.
            *("-rfbunixpath", str(socket), "-rfbport", "-1"),
            *("-rfbunixmode", "0600", "-SecurityTypes", "None"),
            *("-desktop", screen.title),
            "-AlwaysShared",
            # Every connection comes from one address: ours.
            "-UseBlacklist=0",
            f"-AcceptSetDesktopSize={int(screen.fits)}",
            f"-MaxCutText={_MOST_CLIPBOARD}",
            # What is merely selected is not copied: only some programs of old think so.
            "-SendPrimary=0",
            *("-Log", "*:stderr:0"),
        )

    def preparation(self) -> tuple[str, ...]:
        """Give the letters of Western Europe keys of their own, and free those that nobody has.

        Xvnc gives a letter that has no key a free one while it is typed, and that goes wrong: the
        first such letter is lost, and with its own keys so are all after the seventeenth. It needs
        ``xkbcomp`` itself.
        """
        return ("xkbcomp", "-w", "0", str(_LETTERS), ":{display}")

    async def answers(self, socket: Path) -> bool:
        """Whether it greets whoever connects."""
        reader, writer = await asyncio.open_unix_connection(str(socket))
        try:
            return (await reader.read(12)).startswith(_GREETING)
        finally:
            writer.close()


def _program() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)
