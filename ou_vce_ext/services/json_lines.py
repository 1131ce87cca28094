"""Lines of JSON over a socket, as Jupyter and its keepers speak to each other."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from typing import Any


class JsonLines:
    """Lines of JSON over a socket, both ways, in the event loop; readable after the loop's end."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._incoming = b""
        self._outgoing = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._readable)
        self.closed = False

    def _readable(self) -> bool:
        """Take in what has come; whether there may be more."""
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            self.on_end()
            return False
        self._incoming += data
        while b"\n" in self._incoming:
            line, _, self._incoming = self._incoming.partition(b"\n")
            self.on_message(json.loads(line))
        return True

    def drain(self) -> None:
        """Take in the last words of a peer that is gone, before anybody acts upon its end."""
        while not self.closed and self._readable():
            pass

    def send(self, message: Mapping[str, object]) -> None:
        """Send one line; a peer that is gone is noticed by the reading side."""
        self._outgoing += json.dumps(message).encode() + b"\n"
        self._writable()

    def _writable(self) -> None:
        if self.closed:
            return
        try:
            sent = self.sock.send(self._outgoing)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._outgoing = b""
            return
        self._outgoing = self._outgoing[sent:]
        if self._outgoing:
            self._loop.add_writer(self.sock, self._writable)
        else:
            self._loop.remove_writer(self.sock)

    def close(self) -> None:
        """Let go of the socket."""
        if not self.closed:
            self.closed = True
            if not self._loop.is_closed():
                self._loop.remove_reader(self.sock)
                self._loop.remove_writer(self.sock)
            self.sock.close()

    def on_message(self, message: dict[str, Any]) -> None:
        """One message has come."""

    def on_end(self) -> None:
        """The peer is gone."""
