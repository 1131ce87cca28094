"""Kinds as drivers declare them, small enough to reason about."""

from collections.abc import Mapping

from ou_vce_ext.drivers.base import Option


def check_port(value: object) -> str | None:
    if not isinstance(value, int) or not 1 <= value <= 65535:
        return "expected a number from 1 to 65535"
    return None


def trips(value: object) -> str | None:
    raise KeyError("a check that was never meant for this")


PORT = Option((int,), "its TCP port; left out: a free one", check=check_port)
DATABASE: Mapping[str, Option] = {
    "port": PORT,
    "user": Option((str,), "the student's role"),
    "password": Option((str,), "the student's password"),
    "databases": Option((list, tuple), "databases the student owns"),
    "settings": Option((dict,), "the server's own settings"),
}
KINDS: Mapping[str, Mapping[str, Option]] = {
    "openrefine": {"profile": Option((str,), "how it trades", choices=("usual", "light"))},
    "postgres": DATABASE,
    "mongo": DATABASE,
    "web": {
        "port": PORT,
        "adopt": Option((str,), "an entry of jupyter-server-proxy"),
        "ratio": Option((float,), "a number"),
        "odd": Option((str, list), "anything", check=trips),
    },
}
