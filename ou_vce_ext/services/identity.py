"""Becoming the user a service runs as, and tying processes together. Standard library only."""

from __future__ import annotations

import ctypes
import os

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWUSER = 0x10000000

NAMESPACE_UID = 1000
"""The uid a program sees for itself in a user namespace of its own, unless told another."""

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int | bytes) -> None:
    # There is no prctl outside Linux: there, trees are found by process group as far as it goes.
    prctl = getattr(_libc, "prctl", None)
    if prctl is not None:
        argument = ctypes.c_char_p(value) if isinstance(value, bytes) else ctypes.c_ulong(value)
        prctl(option, argument, 0, 0, 0)


def adopt_orphans() -> None:
    """Make this process the one that inherits orphaned descendants (prctl(2), subreaper)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send us that signal when the thread that made us ends."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def name_process(name: str) -> None:
    """The name that ps and top show, at most 15 bytes."""
    _prctl(_PR_SET_NAME, name.encode()[:15])


def enter_user_namespace(seen: int = NAMESPACE_UID) -> None:
    """See uid ``seen`` for ourselves while the files we make keep our real owner. Raises OSError.

    The process must be single-threaded. Only one's own uid is mapped, which needs no privilege.
    """
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    map_ids((seen, uid), (seen, gid))


def map_ids(uid: tuple[int, int], gid: tuple[int, int]) -> None:
    """In a new user namespace, say what our uid and gid are called inside: (there, here)."""
    for name, text in (
        ("setgroups", "deny"),
        ("gid_map", f"{gid[0]} {gid[1]} 1"),
        ("uid_map", f"{uid[0]} {uid[1]} 1"),
    ):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def become(mode: str, uid: int | None, gid: int | None) -> None:
    """Take on an :class:`~ou_vce_ext.launch.Identity`. Raises OSError where it is not allowed."""
    if mode == "namespace":
        enter_user_namespace(uid or NAMESPACE_UID)
    elif mode == "user" and uid is not None and gid is not None:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
