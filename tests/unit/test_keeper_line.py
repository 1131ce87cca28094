"""The line between a keeper and Jupyter: whole lines, and nobody who holds the other up."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator

import pytest

from ou_vce_ext.services.keeper_line import Line


class Ends:
    """A line, and the other end of it."""

    def __init__(self) -> None:
        mine, self.other = socket.socketpair()
        self.poll = select.poll()
        self.lost = 0
        self.line = Line(mine, self.poll, self._lose)
        self.mine = mine

    def _lose(self) -> None:
        self.lost += 1
        self.line.cut_off()

    def read(self) -> bytes:
        """What there is to read at the other end."""
        found = b""
        while select.select([self.other], [], [], 0)[0] and (data := self.other.recv(1 << 20)):
            found += data
        return found


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.mine.close()
    made.other.close()


def test_what_comes_in_pieces_is_heard_in_whole_lines(ends: Ends) -> None:
    ends.other.send(b'{"plan": 1}\n{"op": "a"}\n{"op"')
    assert ends.line.first() == {"plan": 1}
    ends.line.open()
    assert ends.line.heard() == []
    ends.other.send(b': "b"}\n{"op": "c"}\n')
    assert ends.line.heard() == [{"op": "a"}, {"op": "b"}, {"op": "c"}]
    assert ends.line.heard() == []


def test_nobody_said_anything(ends: Ends) -> None:
    ends.other.close()
    assert ends.line.first() is None


def test_one_that_does_not_read_is_not_waited_for_and_misses_nothing(ends: Ends) -> None:
    ends.line.open()
    for number in range(200):
        ends.line.say(number=number, words="x" * 10_000)
    heard = b""
    while heard.count(b"\n") < 200:
        heard += ends.read()
        ends.line.flush()
    assert [json.loads(line)["number"] for line in heard.splitlines()] == list(range(200))
    assert not ends.lost


def test_a_line_whose_other_end_has_gone_is_lost_once(ends: Ends) -> None:
    ends.line.open()
    ends.other.close()
    assert ends.line.heard() == []
    assert ends.lost == 1
    ends.line.say(nobody="hears this")
    ends.line.close()
    assert ends.poll.poll(0) == []
    assert ends.lost == 1
