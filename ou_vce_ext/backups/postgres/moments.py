"""When a server's data are sure to be what they were: by the transactions it has numbered.

Whatever changes anything gets the next number, and gets it before it is acknowledged. So data are
the same where no number was given since, and none that was given is still at work. The server
itself takes one now and then, to note statistics of tables: then data may be taken for changed that
are not, never the other way round. The counters of rows do not serve for this: a session tells of
what it has committed up to ten seconds later.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...drivers.postgres.session import Connection

_QUESTION: Final = (
    b"SELECT system_identifier, txid_current_snapshot()::text FROM pg_control_system()"
)
_SNAPSHOT: Final = re.compile(r"(\d+):(\d+):")
# The server's `ControlFileData` as it has been since release 12: its identity, two versions of
# formats, its state; and, after the time and the place of the last checkpoint, that checkpoint.
_CONTROL: Final = struct.Struct("=Q4x4xI")
_NEXT: Final = struct.Struct("=Q")
_NEXT_AT: Final = 64
_SHUT_DOWN: Final = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """``server`` had given all numbers below ``following``, and all of those were over."""

    server: int
    following: int

    def but_for(self, ours: int, later: Moment | None) -> Moment:
        """``later``, where nothing lies between but ``ours`` transactions that changed no data."""
        if later == Moment(self.server, self.following + ours):
            return later
        return self


async def now(connection: Connection) -> Moment | None:
    """This moment of a server that runs; None while anything is being changed.

    Raises as psycopg does.
    """
    [(server, snapshot)] = await (await connection.execute(_QUESTION)).fetchall()
    found = _SNAPSHOT.match(str(snapshot))
    if found is None or found[1] != found[2]:
        return None
    return Moment(int(str(server)) % 2**64, int(found[2]))


def at_rest(folder: Path) -> Moment | None:
    """The last moment of a server that was shut down, from its folder; None where it was not.

    Raises OSError.
    """
    with (folder / "global" / "pg_control").open("rb") as file:
        content = file.read(512)
    if len(content) < 512:
        return None
    server, state = _CONTROL.unpack_from(content)
    (following,) = _NEXT.unpack_from(content, _NEXT_AT)
    return Moment(server, following) if state == _SHUT_DOWN else None
