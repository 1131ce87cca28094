"""Whether other people use this machine, who could reach what listens on its loopback address."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ..sentences import say, say_many
from . import proc

FIRST_ORDINARY: Final = 1000
_NOBODY: Final = 65534
_FOR_SERVICES: Final = range(61184, 65536)
"""Uids that systemd gives to services, and the one that stands for nobody."""
_NO_SHELLS: Final = ("nologin", "false", "sync")
_CONTAINER_MARKS: Final = ("/.dockerenv", "/run/.containerenv")


class Account(NamedTuple):
    """A line of /etc/passwd, as far as it matters here."""

    name: str
    uid: int
    home: str
    shell: str


def is_ordinary(uid: int) -> bool:
    """Whether a uid is a person's, and not the system's or a service's."""
    return uid >= FIRST_ORDINARY and uid not in _FOR_SERVICES


def accounts(passwd: Path = Path("/etc/passwd")) -> Iterator[Account]:
    """The accounts this machine itself knows; a directory service's are not asked for."""
    # Python's pwd would ask a directory service for all of a university's.
    try:
        lines = passwd.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split(":")
        if len(fields) == 7 and fields[2].isdigit():
            yield Account(fields[0], int(fields[2]), fields[5], fields[6])


def people(passwd: Path = Path("/etc/passwd")) -> set[int]:
    """The uids of accounts somebody can log in with: ordinary, with a shell and a home."""
    return {
        account.uid
        for account in accounts(passwd)
        if is_ordinary(account.uid)
        and os.path.basename(account.shell) not in _NO_SHELLS
        and os.path.isdir(account.home)
    }


def in_container(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a container made for one program, not a machine people log in to."""
    return "KUBERNETES_SERVICE_HOST" in environ or any(map(os.path.exists, _CONTAINER_MARKS))


def _running(mine: int) -> set[int]:
    """The ordinary uids, other than ``mine``, that processes run under which are none of ours."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                uid = os.stat(f"/proc/{name}").st_uid
            except OSError:
                continue
            if uid != mine and is_ordinary(uid):
                found.setdefault(uid, []).append(int(name))
    if found:
        # Services that root runs as somebody else are no other people.
        ours = set(proc.descendants(os.getpid()))
        found = {uid: pids for uid, pids in found.items() if not ours.issuperset(pids)}
    return set(found)


def _others_are_hidden() -> bool:
    """Whether /proc hides others' processes: a machine is set up so because people share it."""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
            rows = [row.split() for row in file]
    except OSError:
        return False
    options = {each for row in rows if row[1] == "/proc" for each in row[3].split(",")}
    return any(each.startswith("hidepid=") for each in options - {"hidepid=0", "hidepid=off"})


def other_people() -> str | None:
    """Who else uses this machine, in words, or None where nobody is known to.

    They are: whoever has processes here; outside a container also whoever has an account to log in
    with. Blocks for some milliseconds.
    """
    mine = os.geteuid()
    try:
        if running := _running(mine):
            return say_many(
                "somebody else uses it now", "{count} other people use it now", len(running)
            )
        if _others_are_hidden():
            return say("it hides people's processes from one another")
    except OSError:
        return None
    if in_container():
        return None
    # Root's Jupyter on a machine with one account is that person's own.
    others = people() - {mine} if is_ordinary(mine) else people()
    if len(others) > (0 if is_ordinary(mine) else 1):
        return say_many(
            "somebody else has an account on it",
            "{count} other people have accounts on it",
            len(others),
        )
    return None
