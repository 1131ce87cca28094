"""A keeper's line to Jupyter: one JSON object each, both ways. Standard library only."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable


class Line:
    """A Jupyter that does not read cannot hold us up: what it has not taken yet is kept.

    ``poll`` is told what is waited for. ``lost`` is called when nobody is at the other end.
    """

    def __init__(self, control: socket.socket, poll: select.poll, lost: Callable[[], None]) -> None:
        self.cut = False
        self._control = control
        self._poll = poll
        self._lost = lost
        self._incoming = b""
        self._outgoing = b""

    def first(self) -> dict | None:  # type: ignore[type-arg]
        """The first thing that is said, waited for; None where nobody says any."""
        while b"\n" not in self._incoming:
            data = self._control.recv(1 << 16)
            if not data:
                return None
            self._incoming += data
        line, _, self._incoming = self._incoming.partition(b"\n")
        told: dict = json.loads(line)  # type: ignore[type-arg]
        return told

    def open(self) -> None:
        """From here on wait for it together with all else."""
        self._control.setblocking(False)
        self._poll.register(self._control, select.POLLIN)

    def say(self, **message: object) -> None:
        """Queue one line."""
        if not self.cut:
            self._outgoing += json.dumps(message).encode() + b"\n"
            self.flush()

    def flush(self) -> None:
        """Send what is queued, as far as it is taken."""
        while self._outgoing and not self.cut:
            try:
                sent = self._control.send(self._outgoing)
            except BlockingIOError:
                break
            except OSError:
                self._lost()
                return
            self._outgoing = self._outgoing[sent:]
        if not self.cut:
            mask = select.POLLIN | (select.POLLOUT if self._outgoing else 0)
            self._poll.register(self._control, mask)

    def heard(self) -> list[dict]:  # type: ignore[type-arg]
        """What was said since the last time; to be asked when there is something to read."""
        try:
            data = self._control.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self._lost()
            return []
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def cut_off(self) -> None:
        """Neither say nor hear anything any more."""
        self.cut = True
        try:
            self._poll.unregister(self._control)
        except (KeyError, ValueError):
            pass

    def close(self) -> None:
        """Have all of it taken that was said."""
        if not self.cut:
            self._control.setblocking(True)
            self.flush()
