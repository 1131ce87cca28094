"""Sends whoever connects more than they may want: ``python flood_program.py PORT MEGABYTES``.

Says ``held at N`` when nobody has taken a byte for half a second, N bytes having been taken
altogether, and ``all taken`` at the end.
"""

from __future__ import annotations

import select
import socket
import sys
import threading

PIECE = 65_536


def piece(number: int) -> bytes:
    """What is sent as the ``number``-th."""
    return number.to_bytes(8, "big") * (PIECE // 8)


def say(words: str) -> None:
    """Into the log, now."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def flood(connection: socket.socket, total: int) -> None:
    """Send it all to one of them."""
    connection.setblocking(False)
    sent, told = 0, -1
    try:
        while sent < total:
            if select.select([], [connection], [], 0.5)[1]:
                sent += connection.send(piece(sent // PIECE)[sent % PIECE :])
            elif told != sent:
                told = sent
                say(f"held at {sent}")
        say("all taken")
    except ConnectionError:
        pass
    finally:
        connection.close()


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        accepted = listener.accept()[0]
        megabytes = int(sys.argv[2])
        threading.Thread(target=flood, args=(accepted, megabytes << 20), daemon=True).start()
