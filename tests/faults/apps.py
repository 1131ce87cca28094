"""Small web apps that misbehave, run as ``python apps.py NAME PORT …``. Quick to start.

Each listens on 127.0.0.1 and ``PORT`` and answers HTTP, unless its name says otherwise.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes"


def listen(port: str) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(port)))
    server.listen(64)
    return server


def answer(server: socket.socket) -> None:
    reply(server.accept()[0])


def reply(connection: socket.socket) -> None:
    try:
        connection.recv(1 << 16)
        connection.sendall(ANSWER)
    except OSError:
        pass
    connection.close()


def forever() -> None:
    while True:
        time.sleep(3600)


def serves(port: str) -> None:
    """Does as it should."""
    server = listen(port)
    while True:
        answer(server)


def _end_after(seconds: str) -> None:
    """Told to end, take so many seconds."""

    def end(number: int, frame: object) -> None:
        time.sleep(float(seconds))
        os._exit(0)

    signal.signal(signal.SIGTERM, end)


def slow_both_ways(port: str, start: str, end: str) -> None:
    """Listens only after ``start`` seconds, and takes ``end`` seconds to end."""
    _end_after(end)
    time.sleep(float(start))
    serves(port)


def hangs(port: str, file: str) -> None:
    """Answers nobody for as long as there is ``file``."""
    server = listen(port)
    while True:
        connection, _ = server.accept()
        while os.path.exists(file):
            time.sleep(0.05)
        reply(connection)


def exits(port: str, code: str) -> None:
    """Ends at once."""
    sys.exit(int(code))


def flaps(port: str, seconds: str) -> None:
    """Answers once, and exits with 1 so many seconds later."""
    answer(listen(port))
    time.sleep(float(seconds))
    sys.exit(1)


def waits_for_port(port: str) -> None:
    """Tries again for as long as somebody else has its port."""
    while True:
        try:
            server = listen(port)
        except OSError:
            time.sleep(0.05)
        else:
            while True:
                answer(server)


def _take(file: str) -> None:
    """Have ``file`` to ourselves; leaves ``file``.twice where somebody else has it already."""
    import fcntl

    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        open(f"{file}.twice", "w").close()
        sys.exit(1)


def exclusive(port: str, file: str, end: str) -> None:
    """Has ``file`` to itself, and takes ``end`` seconds to end."""
    _take(file)
    _end_after(end)
    serves(port)


def saves(port: str, file: str, seconds: str) -> None:
    """Told to end, it takes ``seconds`` and adds a line to ``file``, which it has to itself."""

    def end(number: int, frame: object) -> None:
        time.sleep(float(seconds))
        with open(file, "a") as opened:
            opened.write("saved\n")
        os._exit(0)

    _take(file)
    signal.signal(signal.SIGTERM, end)
    serves(port)


def floods(port: str, file: str) -> None:
    """Prints without end and without a newline; told to end, it writes into ``file`` how much."""
    from threading import Thread

    written = 0

    def end(number: int, frame: object) -> None:
        with open(file, "w") as opened:
            opened.write(str(written))
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    Thread(target=serves, args=(port,), daemon=True).start()
    block = b"x" * (1 << 16)
    while True:
        written += os.write(1, block)


def ignores_term(port: str) -> None:
    """Does not end when it is told to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serves(port)


def double_forks(port: str) -> None:
    """Leaves a grandchild in a session of its own, which ignores TERM, and serves itself."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            forever()
        os._exit(0)
    os.wait()
    serves(port)


def own_session(port: str) -> None:
    """Serves from a child in a session of its own, and waits for it."""
    child = os.fork()
    if child == 0:
        os.setsid()
        serves(port)
    os.waitpid(child, 0)


def wraps(port: str) -> None:
    """A wrapper that does not exec: its child serves."""
    child = os.fork()
    if child == 0:
        serves(port)
    os.waitpid(child, 0)


def daemonises(port: str) -> None:
    """Serves from a grandchild in a session of its own; the one in between ends."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            serves(port)
        os._exit(0)
    os.wait()
    forever()


def leaves_orphan(port: str) -> None:
    """Ends when told to, and leaves a child that holds the output pipe and ignores TERM."""
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        forever()
    serves(port)


def many(port: str) -> None:
    """Has three generations of three children each, half of which ignore TERM."""
    for generation in range(3):
        for number in range(3):
            if os.fork() == 0:
                if (generation + number) % 2:
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                if generation == 2 or number:
                    forever()
                break
        else:
            break
    if os.getpid() == os.getsid(0):
        serves(port)
    forever()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
