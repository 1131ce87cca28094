"""Small hostile programs, run as ``python hostile.py NAME …``: what keepers have to live with.

Each prints ``ready`` once it has become what its name says.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time


def ready() -> None:
    os.write(1, b"ready\n")


def forever() -> None:
    while True:
        time.sleep(3600)


def ignores_term() -> None:
    """Does not end when told to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready()
    forever()


def double_forks() -> None:
    """Leaves a grandchild in a session of its own, which ignores TERM, and goes on itself."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ignores_term()
        os._exit(0)
    os.wait()
    forever()


def leaves_orphan() -> None:
    """Ends at once, and leaves a child behind that holds the output pipe and ignores TERM."""
    if os.fork() == 0:
        os.setsid()
        ignores_term()
    time.sleep(0.1)


def wraps() -> None:
    """A wrapper that does not exec: its child is the service, and listens on the port given."""
    child = os.fork()
    if child == 0:
        listens()
    os.waitpid(child, 0)


def listens() -> None:
    """Listens on 127.0.0.1 and the port given."""
    server = socket.create_server(("127.0.0.1", int(sys.argv[2])))
    ready()
    while True:
        connection, _ = server.accept()
        connection.close()


def floods() -> None:
    """Prints without end and without a newline, as fast as it can."""
    ready()
    block = b"x" * (1 << 16)
    while True:
        os.write(1, block)


def odd_bytes() -> None:
    """Prints what is no UTF-8, and a line of a megabyte."""
    os.write(1, b"caf\xe9 \xff\xfe\n" + b"y" * 1_000_000 + b"\nlast\n")
    ready()


def saves() -> None:
    """Told to end, it works (uses CPU) for two seconds, then writes a file and ends."""
    path = sys.argv[2]

    def save(number: int, frame: object) -> None:
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            pass
        with open(path, "w", encoding="ascii") as file:
            file.write("saved")
        sys.exit(143)

    signal.signal(signal.SIGTERM, save)
    ready()
    forever()


def saves_and_listens() -> None:
    """As ``saves``, and answers HTTP on the port given."""
    from http.server import HTTPServer, SimpleHTTPRequestHandler
    from threading import Thread

    server = HTTPServer(("127.0.0.1", int(sys.argv[3])), SimpleHTTPRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    saves()


def stays() -> None:
    """Waits to be told to end."""
    ready()
    forever()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
