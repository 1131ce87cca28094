"""Somebody outside: who listens on the machine's own loopback address, and says one thing."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from threading import Thread


@contextlib.contextmanager
def greeter(says: bytes = b"hello") -> Iterator[int]:
    """Tell every caller ``says``, whatever they say themselves; the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(says)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(1 << 16):
                            pass

        Thread(target=greet, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
