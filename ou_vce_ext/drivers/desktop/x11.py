"""As much of the X11 protocol as it takes to see windows and to ask them to close.

Standard library only: it runs in the small process that owns a session.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Collection

from .note import write_whole

SOCKETS = "/tmp/.X11-unix"  # noqa: S108 (where X servers put them)
_PROTOCOL = b"MIT-MAGIC-COOKIE-1"
_ATOM_TYPE = 4
_WINDOW_TYPE = 33
_TRANSIENT_FOR = 68
_PROPERTY_NOTIFY = 28
_PROPERTY_CHANGE = 1 << 22
_TO_WINDOW_MANAGER = (1 << 20) | (1 << 19)
_CLIENT_MESSAGE = 33
_TIMEOUT = 2.0
_MOST_WINDOWS = 1024
_FROM_A_PAGER = 2


def write_authority(path: str) -> bytes:
    """Write a fresh cookie into an Xauthority file (0600) that holds for any display; return it."""
    cookie = os.urandom(16)
    entry = struct.pack(">HHH", 0xFFFF, 0, 0)
    for text in (_PROTOCOL, cookie):
        entry += struct.pack(">H", len(text)) + text
    write_whole(path, entry)
    return cookie


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


class Windows:
    """A connection to one display, which follows the windows its window manager knows of.

    Raises OSError whenever the server is gone, refuses us, or does not answer in time.
    """

    def __init__(
        self,
        display: int,
        cookie: bytes,
        server: int,
        reached: Callable[[], None] = lambda: None,
    ) -> None:
        """Connect to the display that process ``server`` serves, and to nobody else's.

        ``reached`` is called when that server has been found listening, which may be long before it
        is able to answer.
        """
        self.socket = socket.socket(socket.AF_UNIX)
        self.news = True
        """Whether windows may have come or gone since they were last asked for."""
        self._list = -1
        try:
            self.socket.settimeout(_TIMEOUT)
            self.socket.connect(f"{SOCKETS}/X{display}")
            self._refuse_stranger(server)
            reached()
            self._sequence = 0
            self._root = self._introduce(cookie)
            self._list = self._atom("_NET_CLIENT_LIST")
            self._close = self._atom("_NET_CLOSE_WINDOW")
            self._kind = self._atom("_NET_WM_WINDOW_TYPE")
            self._dialog = self._atom("_NET_WM_WINDOW_TYPE_DIALOG")
            body = struct.pack("<III", self._root, 1 << 11, _PROPERTY_CHANGE)
            self._send(2, 0, body)
        except BaseException:
            self.socket.close()
            raise

    def _refuse_stranger(self, server: int) -> None:
        told = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("iII", told)[0] != server:
            raise ConnectionRefusedError("another X server has this display")

    def _introduce(self, cookie: bytes) -> int:
        lengths = struct.pack("<HHHHH", 11, 0, len(_PROTOCOL), len(cookie), 0)
        self.socket.sendall(b"l\0" + lengths + _padded(_PROTOCOL) + _padded(cookie))
        head = self._read(8)
        told = self._read(4 * int.from_bytes(head[6:8], "little"))
        if head[0] != 1:
            raise ConnectionRefusedError(told.decode("latin-1"))
        vendor = int.from_bytes(told[16:18], "little")
        formats = told[21]
        screen = 32 + vendor + (-vendor % 4) + 8 * formats
        return int.from_bytes(told[screen : screen + 4], "little")

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionResetError("the X server has gone")
            data += piece
        return data

    def _send(self, opcode: int, detail: int, body: bytes) -> None:
        length = 1 + len(body) // 4
        self.socket.sendall(struct.pack("<BBH", opcode, detail, length) + body)
        self._sequence = (self._sequence + 1) & 0xFFFF

    def _packet(self) -> bytes:
        head = self._read(32)
        if head[0] == 1:
            head += self._read(4 * int.from_bytes(head[4:8], "little"))
        return head

    def _ask(self, opcode: int, detail: int, body: bytes) -> bytes:
        self._send(opcode, detail, body)
        while True:
            packet = self._packet()
            if packet[0] in (0, 1) and int.from_bytes(packet[2:4], "little") == self._sequence:
                return packet
            self._hear(packet)

    def _hear(self, event: bytes) -> None:
        name = int.from_bytes(event[8:12], "little")
        if event[0] & 0x7F == _PROPERTY_NOTIFY and name == self._list:
            self.news = True

    def _atom(self, name: str) -> int:
        body = struct.pack("<HH", len(name), 0) + _padded(name.encode())
        return int.from_bytes(self._ask(16, 0, body)[8:12], "little")

    def _property(self, window: int, name: int, kind: int) -> tuple[int, ...]:
        body = struct.pack("<IIIII", window, name, kind, 0, _MOST_WINDOWS)
        told = self._ask(20, 0, body)
        if told[0] != 1 or told[1] != 32:
            return ()
        count = int.from_bytes(told[16:20], "little")
        return struct.unpack(f"<{count}I", told[32 : 32 + 4 * count])

    # -- what is asked of it ---------------------------------------------------------------------

    def listen(self) -> None:
        """Take in what the server told. To be called when ``socket`` is readable."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(1, socket.MSG_PEEK):
                self.socket.settimeout(_TIMEOUT)
                self._hear(self._packet())
                self.socket.setblocking(False)
            raise ConnectionResetError("the X server has gone")
        except BlockingIOError:
            pass
        finally:
            self.socket.settimeout(_TIMEOUT)

    def shown(self) -> tuple[int, ...]:
        """The windows that programs have opened."""
        self.news = False
        return self._property(self._root, self._list, _WINDOW_TYPE)

    def dialogs(self) -> tuple[int, ...]:
        """Those of them that are dialogs, as their programs say."""
        return tuple(window for window in self.shown() if self._is_dialog(window))

    def _is_dialog(self, window: int) -> bool:
        kinds = self._property(window, self._kind, _ATOM_TYPE)
        if kinds:
            return self._dialog in kinds
        # One that does not say what it is, and belongs to another, is taken for a dialog.
        return any(self._property(window, _TRANSIENT_FOR, _WINDOW_TYPE))

    def ask_to_close(self, spared: Collection[int] = ()) -> int:
        """Ask each window to close, as its close button does; returns how many were asked."""
        windows = [window for window in self.shown() if window not in spared]
        for window in windows:
            event = struct.pack("<BBHII", _CLIENT_MESSAGE, 32, 0, window, self._close)
            event += struct.pack("<IIIII", 0, _FROM_A_PAGER, 0, 0, 0)
            self._send(25, 0, struct.pack("<II", self._root, _TO_WINDOW_MANAGER) + event)
        return len(windows)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
