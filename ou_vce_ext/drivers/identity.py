"""Deciding as whom a program runs that refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import NamedTuple

from ..launch import Identity, Launcher
from ..services.identity import NAMESPACE_UID
from ..services.ports import user_name

_ACCOUNTS = ("postgres", "nobody")


class Account(NamedTuple):
    """Whose rights a program has: a uid and a gid, without the powers of root."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        """The account's name, or its number where it has none."""
        return user_name(self.uid)

    def identity(self) -> Identity:
        """How a keeper becomes this account."""
        return Identity("user", self.uid, self.gid)


def is_root() -> bool:
    """Whether this process has root's uid, whatever powers that still means."""
    return os.geteuid() == 0


def may(account: Account, path: Path, wanted: int) -> bool:
    """Whether ``account`` has ``wanted`` (os.R_OK | os.W_OK | os.X_OK) on ``path`` itself.

    Judged by owner, group and mode: what os.access would say if asked by that user.
    """
    try:
        status = path.stat()
    except OSError:
        return False
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == account.uid:
        mode >>= 6
    elif status.st_gid == account.gid:
        mode >>= 3
    return mode & wanted == wanted


def barrier(account: Account, path: Path) -> Path | None:
    """The first folder above ``path`` that ``account`` cannot pass, or None."""
    for folder in reversed(path.resolve().parents):
        if folder.exists() and not may(account, folder, os.X_OK):
            return folder
    return None


def owner_of(folder: Path) -> Account | None:
    """Who owns ``folder``, or None where there is no such folder."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return Account(status.st_uid, status.st_gid)


def service_account(folder: Path) -> Account:
    """Whom root lets run a program on ``folder``: its owner, else an account without rights."""
    owner = owner_of(folder)
    if owner and owner.uid != 0:
        return owner
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    return Account(65534, 65534)


def named_uid() -> int | None:
    """A uid other than root's that has a name on this machine: 1000 where that has one."""
    try:
        return pwd.getpwuid(NAMESPACE_UID).pw_uid
    except KeyError:
        # 65534 also stands for every owner a namespace cannot show: too easily confused.
        uids = [entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid not in (0, 65534)]
        return min(uids, default=None)


def has_name(uid: int) -> bool:
    """Whether the machine's list of users knows ``uid``."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


async def decide_identity(launcher: Launcher, folder: Path) -> Identity:
    """As whom to run a program that refuses root, and users without a name, on ``folder``.

    An ordinary user runs it as themselves. For root, a folder that belongs to somebody else says
    who; otherwise it runs in a user namespace, where its files stay root's, if the system allows
    one, else as an account without rights. A uid that the machine has no name for (hosted
    containers) takes a namespace too.
    """
    if not is_root() and has_name(os.geteuid()):
        return Identity("same")
    owner = owner_of(folder)
    ours = owner is None or owner.uid == os.geteuid()
    seen = named_uid()
    if ours and seen is not None and await launcher.can_use_namespace():
        return Identity("namespace", seen)
    return service_account(folder).identity() if is_root() else Identity("same")
