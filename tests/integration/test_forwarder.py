"""What the forwarder carries arrives whole, at the slower side's pace, and ends as it should."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ou_vce_ext.services.keeper_forwarder import BLOCK, Forwarder
from ou_vce_ext.services.proc import PAGE, stat

pytestmark = pytest.mark.integration

LARGE = 64 * 1024**2


def collect(connection: socket.socket) -> int:
    """How many bytes come until the end."""
    total = 0
    while block := connection.recv(1 << 20):
        total += len(block)
    return total


class Program:
    """Listens on a TCP port, with a forwarder before it; each connection is given to ``serve``."""

    def __init__(self, folder: Path, family: socket.AddressFamily = socket.AF_INET) -> None:
        self.serve: Callable[[socket.socket], None] = lambda connection: None
        address = ("::1" if family == socket.AF_INET6 else "127.0.0.1", 0)
        self._server = socket.create_server(address, family=family, backlog=1024)
        self._path = str(folder / "f.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self._path)
        listener.listen(1024)
        self.forwarder = os.fork()
        if self.forwarder == 0:
            try:
                Forwarder(listener, self._server.getsockname()[1]).serve()
            finally:
                os._exit(1)
        listener.close()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._give, args=(connection,), daemon=True).start()

    def _give(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.serve(connection)

    def client(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(120)
        client.connect(self._path)
        return client

    @property
    def memory(self) -> int:
        found = stat(self.forwarder)
        assert found
        return found.rss * PAGE

    def stop_listening(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def close(self) -> None:
        with suppress(OSError):
            self.stop_listening()
        os.kill(self.forwarder, signal.SIGKILL)
        os.waitpid(self.forwarder, 0)


@pytest.fixture
def program(short_dir: Path) -> Iterator[Program]:
    made = Program(short_dir)
    yield made
    made.close()


def test_both_ways_and_a_half_close(program: Program) -> None:
    def count_and_send(connection: socket.socket) -> None:
        connection.sendall(collect(connection).to_bytes(8) + bytes(LARGE))

    program.serve = count_and_send
    with program.client() as client:
        client.sendall(bytes(LARGE))
        client.shutdown(socket.SHUT_WR)
        assert int.from_bytes(client.recv(8)) == LARGE
        assert collect(client) == LARGE


def test_who_reads_slowly_costs_no_memory(program: Program) -> None:
    sent = threading.Event()
    stuck = threading.Event()

    def send_until_stuck(connection: socket.socket) -> None:
        connection.recv(1)
        connection.setblocking(False)
        total = 0
        while total < LARGE:
            try:
                total += connection.send(bytes(1 << 20))
            except BlockingIOError:
                stuck.set()
                connection.setblocking(True)
        sent.set()

    program.serve = send_until_stuck
    with program.client() as client:
        client.sendall(b"x")
        assert stuck.wait(120)
        before = program.memory
        assert collect(client) >= LARGE
        assert sent.wait(120)
    assert program.memory - before < 8 * BLOCK


@pytest.mark.parametrize("sends", [False, True])
def test_a_client_that_goes_is_felt_at_once(program: Program, sends: bool) -> None:
    arrived, ended = threading.Event(), threading.Event()

    def wait_for_the_end(connection: socket.socket) -> None:
        arrived.set()
        with suppress(OSError):
            while sends or connection.recv(1 << 16):
                if sends:
                    connection.sendall(bytes(1 << 16))
        ended.set()

    program.serve = wait_for_the_end
    with program.client() as client:
        client.sendall(b"x")
        assert arrived.wait(120)
    assert ended.wait(120)


def test_an_answer_to_what_is_not_wanted_is_delivered(program: Program) -> None:
    refusal = b"413 too large"

    def refuse(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(refusal)

    program.serve = refuse
    with program.client() as client:
        with suppress(OSError):
            client.sendall(bytes(LARGE))
        assert client.recv(100) == refusal


def test_where_nobody_listens_the_connection_ends(program: Program) -> None:
    program.stop_listening()
    with program.client() as client:
        assert client.recv(1) == b""


def test_a_program_on_ipv6(short_dir: Path) -> None:
    made = Program(short_dir, socket.AF_INET6)
    made.serve = lambda connection: connection.sendall(b"six")
    with made.client() as client:
        assert client.recv(10) == b"six"
    made.close()


def test_many_connections_leave_nothing_behind(program: Program) -> None:
    def echo(connection: socket.socket) -> None:
        while block := connection.recv(100):
            connection.sendall(block)

    program.serve = echo
    files = f"/proc/{program.forwarder}/fd"
    with program.client() as first:
        first.sendall(b"x")
        assert first.recv(1) == b"x"
        before = len(os.listdir(files))
        for _ in range(20):
            clients = [program.client() for _ in range(50)]
            for number, client in enumerate(clients):
                client.sendall(b"%d" % number)
            for number, client in enumerate(clients):
                assert client.recv(10) == b"%d" % number
                client.close()
        # One more round trip comes after all that was closed before it.
        first.sendall(b"y")
        assert first.recv(1) == b"y"
        while len(os.listdir(files)) > before:
            first.sendall(b"z")
            assert first.recv(1) == b"z"


def test_large_transfers_that_are_cut_leave_nothing_behind(program: Program) -> None:
    def send(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(bytes(LARGE))

    program.serve = send
    files = f"/proc/{program.forwarder}/fd"

    def cut() -> None:
        with program.client() as client:
            client.sendall(b"x")
            taken = 0
            while taken < LARGE // 4:
                taken += len(client.recv(1 << 20))

    cut()
    # The next one is let in after all there is to be done about the one before.
    with program.client() as client:
        client.sendall(b"x")
        assert collect(client) == LARGE
        before = len(os.listdir(files))
    for _ in range(10):
        cut()
    while len(os.listdir(files)) > before:
        cut()
