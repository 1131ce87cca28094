"""A desktop program with unsaved work: ``python -m tests.integration.asking_program``.

Asked to close it opens a question, as editors do. SIGUSR2, or a click on the left half of the
question, saves (a file ``saved`` where it was started) and ends with 3; SIGUSR1, a click on its
right half, or closing the question means Cancel.
"""

from __future__ import annotations

import signal
import struct
from pathlib import Path

from benchmarks.desktop_program import Window

DESTROY, INTERN, CHANGE = 4, 16, 18
BUTTON_PRESS, EXPOSE, CLIENT_MESSAGE = 4, 12, 33
ATOM = 4
GREEN, RED = 0x208040, 0xC03030
WIDTH, HEIGHT = 320, 120


class Editor(Window):
    """A window that does not close before its question is answered."""

    def __init__(self) -> None:
        super().__init__(shown=False)
        self.question = self.window + 2
        self.asks = False
        self.delete = self._atom("WM_DELETE_WINDOW")
        self.protocols = self._atom("WM_PROTOCOLS")
        self.kind = self._atom("_NET_WM_WINDOW_TYPE")
        self.dialog = self._atom("_NET_WM_WINDOW_TYPE_DIALOG")
        self._say(self.window, self.protocols, self.delete)
        signal.signal(signal.SIGUSR1, lambda *_: self.cancel())
        signal.signal(signal.SIGUSR2, lambda *_: self.save())
        # Last: who sees it may ask it to close.
        self.show(self.window)

    def _atom(self, name: str) -> int:
        text = name.encode()
        self._send(INTERN, 0, struct.pack("<HH", len(text), 0) + text + b"\0" * (-len(text) % 4))
        while (packet := self._read(32))[0] != 1:
            pass
        return int.from_bytes(packet[8:12], "little")

    def _say(self, window: int, name: int, value: int) -> None:
        self._send(CHANGE, 0, struct.pack("<IIIBxxxII", window, name, ATOM, 32, 1, value))

    def ask(self) -> None:
        """Open the question, unless it is open."""
        if self.asks:
            return
        self.asks = True
        shape = struct.pack(
            "<IIhhHHHHII", self.question, self.root, 0, 0, WIDTH, HEIGHT, 0, 1, 0, 0
        )
        self._send(1, 0, shape)
        events = struct.pack("<II", 0x802, RED) + struct.pack("<I", (1 << 2) | (1 << 15))
        self._send(2, 0, struct.pack("<I", self.question) + events)
        self._say(self.question, self.protocols, self.delete)
        self._say(self.question, self.kind, self.dialog)
        self.show(self.question)

    def cancel(self) -> None:
        """Stay as it is."""
        if self.asks:
            self.asks = False
            self._send(DESTROY, 0, struct.pack("<I", self.question))

    def save(self) -> None:
        """Save, and close."""
        Path("saved").touch()
        raise SystemExit(3)

    def run(self) -> None:
        """Take what happens, until it is closed."""
        while True:
            event = self._read(32)
            kind = event[0] & 0x7F
            if kind == EXPOSE:
                self.paint()
            elif kind == CLIENT_MESSAGE:
                asked = int.from_bytes(event[4:8], "little")
                self.cancel() if asked == self.question else self.ask()
            elif kind == BUTTON_PRESS and self.asks:
                left = struct.unpack_from("<h", event, 24)[0] < WIDTH // 2
                self.save() if left else self.cancel()

    def paint(self) -> None:
        """Green for saving, red for Cancel."""
        if self.asks:
            own, self.window = self.window, self.question
            self.fill([(GREEN, 0, 0, WIDTH // 2, HEIGHT), (RED, WIDTH // 2, 0, WIDTH, HEIGHT)])
            self.window = own


if __name__ == "__main__":
    Editor().run()
