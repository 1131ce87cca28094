"""A desktop program made for measuring: ``python -m benchmarks.desktop_program keys|video``.

``keys`` fills its window with another colour at each key; ``video`` fills it with new squares sixty
times a second. It speaks X11 itself, so that nothing else is measured with it.
"""

from __future__ import annotations

import os
import random
import select
import socket
import struct
import sys
import time

from ou_vce_ext.drivers.desktop.x11 import SOCKETS

KEY_PRESS, KEY_RELEASE, EXPOSE, CONFIGURE = 2, 3, 12, 22
FRAMES = 60
SQUARE = 40
COLOURS = (0x2060A0, 0xE0A030)
"""Of which the first is there to begin with."""


class Window:
    """One window over one connection to the display of the environment."""

    def __init__(self, *, shown: bool = True) -> None:
        display = os.environ["DISPLAY"].rpartition(":")[2].partition(".")[0]
        with open(os.environ["XAUTHORITY"], "rb") as file:
            cookie = file.read()[-16:]
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{SOCKETS}/X{display}")
        self.socket.sendall(
            struct.pack("<BxHHHHxx", ord("l"), 11, 0, 18, 16) + b"MIT-MAGIC-COOKIE-1\0\0" + cookie
        )
        head = self._read(8)
        told = self._read(4 * int.from_bytes(head[6:8], "little"))
        base = int.from_bytes(told[4:8], "little")
        vendor = int.from_bytes(told[16:18], "little")
        screen = 32 + vendor + (-vendor % 4) + 8 * told[21]
        self.root = root = int.from_bytes(told[screen : screen + 4], "little")
        self.window, self.context = base + 1, base + 2
        self.size = (640, 480)
        masks = (1 << 0) | (1 << 1) | (1 << 15) | (1 << 17)
        values = struct.pack("<II", COLOURS[0], masks)
        shape = struct.pack("<IIhhHHHHII", self.window, root, 0, 0, *self.size, 0, 1, 0, 0x802)
        self._send(1, 0, shape + values)
        self._send(55, 0, struct.pack("<IIII", self.context, self.window, 0x4, COLOURS[0]))
        if shown:
            self.show(self.window)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                sys.exit(0)
            data += piece
        return data

    def _send(self, opcode: int, detail: int, body: bytes) -> None:
        self.socket.sendall(struct.pack("<BBH", opcode, detail, 1 + len(body) // 4) + body)

    def show(self, window: int) -> None:
        """Have a window seen."""
        self._send(8, 0, struct.pack("<I", window))

    def fill(self, squares: list[tuple[int, int, int, int, int]]) -> None:
        """Fill rectangles: colour, left, top, width, height."""
        data = b""
        for colour, *place in squares:
            data += struct.pack("<BBHIII", 56, 0, 4, self.context, 0x4, colour)
            data += struct.pack("<BBHIIhhHH", 70, 0, 5, self.window, self.context, *place)
        self.socket.sendall(data)

    def events(self, seconds: float | None) -> list[int]:
        """The kinds of events that come within a time."""
        found: list[int] = []
        while select.select([self.socket], [], [], 0 if found else seconds)[0]:
            event = self._read(32)
            if event[0] & 0x7F == CONFIGURE:
                width, height = struct.unpack_from("<HH", event, 20)
                self.size = (width, height)
            found.append(event[0] & 0x7F)
        return found


def keys(window: Window) -> None:
    """Another colour at each key."""
    turn = 0
    while True:
        found = window.events(None)
        turn += found.count(KEY_PRESS)
        if found:
            window.fill([(COLOURS[turn % 2], 0, 0, *window.size)])


def video(window: Window) -> None:
    """New squares all over, the first of which counts the frames."""
    frame = 0
    due = time.monotonic()
    while True:
        window.events(max(0.0, due - time.monotonic()))
        due = max(due + 1 / FRAMES, time.monotonic())
        frame += 1
        width, height = window.size
        squares = [
            (random.getrandbits(24), x, y, SQUARE, SQUARE)
            for x in range(0, width, SQUARE)
            for y in range(0, height, SQUARE)
        ]
        squares[0] = ((frame % 200) * 0x010000 + 0x0000FF, 0, 0, SQUARE, SQUARE)
        window.fill(squares)


if __name__ == "__main__":
    {"keys": keys, "video": video}[sys.argv[1]](Window())
