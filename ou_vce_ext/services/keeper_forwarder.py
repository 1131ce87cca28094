"""Carries connections from a unix socket to a TCP port of this process's network namespace.

Standard library only. One process, one loop, no timers: at most ``BLOCK`` bytes wait for each
direction of a connection, and while they do nothing more is read for it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import select
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

BLOCK: Final = 1 << 18
"""Bytes read at once, and the most that wait in memory for a receiver that is slow."""
_LOOPBACKS: Final = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_FULL: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_AT_ONCE: Final = os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE
_GONE: Final = select.EPOLLHUP | select.EPOLLERR


class _End:
    """One end of a connection. ``waiting`` and ``piped`` are what it has not taken yet.

    Once a whole block has come for it at a time, what follows goes through a pipe, in which the
    kernel moves pages instead of copying them for us.
    """

    def __init__(self, sock: socket.socket, *, inner: bool) -> None:
        self.sock = sock
        self.number = sock.fileno()
        self.inner = inner
        self.other: _End | None = None
        self.waiting = b""
        self.piped = 0
        self.pipe: tuple[int, int] | None = None
        self.reads = True
        self.connecting = False
        self.mask = 0

    @property
    def waits(self) -> bool:
        """Whether something that came for it has not gone yet."""
        return bool(self.waiting or self.piped)

    def make_pipe(self) -> None:
        """Have what follows for it go through a pipe; where none is to be had, it is copied."""
        with suppress(OSError):
            self.pipe = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.fcntl(self.pipe[1], fcntl.F_SETPIPE_SZ, BLOCK)

    def close(self) -> None:
        """Let go of its socket and pipe."""
        self.sock.close()
        for descriptor in self.pipe or ():
            os.close(descriptor)


class Forwarder:
    """Serves ``listener`` until it is killed; each connection becomes one to ``port``."""

    def __init__(self, listener: socket.socket, port: int) -> None:
        self._listener = listener
        self._port = port
        self._epoll = select.epoll()
        self._ends: dict[int, _End] = {}
        self._block = memoryview(bytearray(BLOCK))
        self._accepting = False
        listener.setblocking(False)

    def serve(self) -> None:
        """Forward for ever."""
        _allow_many_files()
        self._accept_more()
        while True:
            ready = self._epoll.poll()
            for number, events in ready:
                if number in self._ends:
                    self._handle(self._ends[number], events)
            # Last, or a new connection could get the number, and the news, of one just closed.
            if any(number == self._listener.fileno() for number, _ in ready):
                self._accept()

    # -- connections -----------------------------------------------------------------------------

    def _accept_more(self) -> None:
        if not self._accepting:
            self._accepting = True
            self._epoll.register(self._listener, select.EPOLLIN)

    def _accept(self) -> None:
        try:
            outer = _End(self._listener.accept()[0], inner=False)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in _FULL and self._ends:
                # Whoever waits is let in as soon as another has gone.
                self._epoll.unregister(self._listener)
                self._accepting = False
            return
        outer.sock.setblocking(False)
        if not self._connect(outer, _connections(self._port)):
            outer.sock.close()

    def _connect(self, outer: _End, tries: Iterator[tuple[socket.socket, bool]]) -> bool:
        for sock, done in tries:
            inner = _End(sock, inner=True)
            inner.connecting = not done
            inner.other, outer.other = outer, inner
            self._ends[inner.number], self._ends[outer.number] = inner, outer
            self._watch(outer)
            self._watch(inner)
            return True
        return False

    def _drop(self, end: _End) -> None:
        """Close both ends. They name each other: let go, or they would never be freed."""
        for each in (end, end.other):
            if each is None:
                continue
            each.other = None
            self._ends.pop(each.number, None)
            if each.mask:
                self._epoll.unregister(each.number)
            each.close()
        self._accept_more()

    def _watch(self, end: _End) -> None:
        """Ask for what can be gone on with, and for nothing else: all else would wake us in vain.

        An outer end with nothing to do is watched all the same, so that its client's end is seen.
        """
        other = end.other
        if other is None:
            return
        mask = 0
        if end.waits or end.connecting:
            mask |= select.EPOLLOUT
        if end.reads and not other.waits and not other.connecting and not end.connecting:
            mask |= select.EPOLLIN
        if not end.inner:
            mask |= select.EPOLLPRI
        if mask == end.mask:
            return
        if not end.mask:
            self._epoll.register(end.number, mask)
        elif mask:
            self._epoll.modify(end.number, mask)
        else:
            self._epoll.unregister(end.number)
        end.mask = mask

    # -- what happens ----------------------------------------------------------------------------

    def _handle(self, end: _End, events: int) -> None:
        other = end.other
        if other is None:
            return
        if end.connecting:
            self._connected(end)
            return
        gone = bool(events & _GONE)
        try:
            if end.waits and events & (select.EPOLLOUT | _GONE):
                self._send(end)
            if end.reads and not other.waits and not other.connecting:
                if events & (select.EPOLLIN | _GONE):
                    self._receive(end, other)
            elif gone and not end.inner:
                # The client has gone, and what it sent is not being taken: nobody waits for it.
                self._drop(end)
                return
        except OSError:
            self._drop(end)
            return
        if end.other is None:
            return
        nothing_left = not end.waits and not other.waits
        if nothing_left and not end.reads and (gone or not other.reads):
            self._drop(end)
            return
        self._watch(end)
        self._watch(other)

    def _connected(self, inner: _End) -> None:
        outer = inner.other
        if outer is None:
            return
        if inner.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._drop(inner)
            return
        inner.connecting = False
        self._watch(inner)
        self._watch(outer)

    def _send(self, end: _End) -> None:
        if end.waiting:
            end.waiting = end.waiting[self._put(end, end.waiting) :]
        else:
            self._pour(end)
        if not end.waits and end.other and not end.other.reads:
            end.sock.shutdown(socket.SHUT_WR)

    def _receive(self, end: _End, other: _End) -> None:
        try:
            if other.pipe:
                count = os.splice(end.number, other.pipe[1], BLOCK, flags=os.SPLICE_F_NONBLOCK)
            else:
                count = end.sock.recv_into(self._block)
        except BlockingIOError:
            return
        if count == 0:
            end.reads = False
            other.sock.shutdown(socket.SHUT_WR)
        elif other.pipe:
            other.piped = count
            self._pour(other)
        else:
            sent = self._put(other, self._block[:count])
            if sent < count and end.reads:
                other.waiting = bytes(self._block[sent:count])
            if count == BLOCK:
                other.make_pipe()

    def _pour(self, end: _End) -> None:
        """Send what goes of its pipe's content. Raises OSError where the client has gone."""
        while end.piped and end.pipe:
            try:
                end.piped -= os.splice(end.pipe[0], end.number, end.piped, flags=_AT_ONCE)
            except BlockingIOError:
                return
            except OSError as error:
                self._give_up(end, error)
                end.piped = 0

    def _put(self, end: _End, data: bytes | memoryview) -> int:
        """Send what goes; how much that was. Raises OSError where the client has gone."""
        try:
            return end.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._give_up(end, error)
            return len(data)

    def _give_up(self, end: _End, error: OSError) -> None:
        """After an ``error`` in sending: read no more for ``end``; raise where it is a client."""
        if not end.inner or end.other is None:
            raise error
        # A program that takes no more may have answered all the same: that is still delivered.
        end.other.reads = False


def _connections(port: int) -> Iterator[tuple[socket.socket, bool]]:
    """Connections to ``port`` that were not refused at once, and whether they stand already."""
    for family, address in _LOOPBACKS:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        told = sock.connect_ex((address, port))
        if told in (0, errno.EINPROGRESS):
            # Here a refusal comes before connect returns: who would be refused need not be asked.
            refused = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not refused:
                yield sock, told == 0
                return
        sock.close()


def _allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
