"""Runs a command as a container would: ``python container.py COMMAND …``, as root.

A PID namespace of its own in which the command is the first process, the capabilities that
container engines give by default, no way to gain others, and no new user namespaces. Needs
``unshare`` and ``setpriv`` (util-linux), and no container engine.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

DEFAULT_CAPABILITIES = (
    "chown",
    "dac_override",
    "fsetid",
    "fowner",
    "mknod",
    "net_raw",
    "setgid",
    "setuid",
    "setfcap",
    "setpcap",
    "net_bind_service",
    "sys_chroot",
    "kill",
    "audit_write",
)
UNSHARE = {"x86_64": 272, "aarch64": 97}
CLONE_NEWUSER = 0x10000000
PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | 1  # EPERM


def forbid_user_namespaces() -> None:
    """Have unshare(CLONE_NEWUSER) refused from here on, as an engine's seccomp profile does."""
    load, equal, has_bits, give_back = 0x20, 0x15, 0x45, 0x06
    program = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in (
            (load, 0, 0, 0),  # the number of the system call
            (equal, 0, 3, UNSHARE[platform.machine()]),
            (load, 0, 0, 16),  # its first argument
            (has_bits, 0, 1, CLONE_NEWUSER),
            (give_back, 0, 0, REFUSE),
            (give_back, 0, 0, ALLOW),
        )
    )
    code = ctypes.create_string_buffer(program)

    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    rules = Filter(len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    mode = ctypes.c_ulong(SECCOMP_MODE_FILTER)
    if libc.prctl(PR_SET_SECCOMP, mode, ctypes.byref(rules), zero, zero):
        raise OSError(ctypes.get_errno(), "seccomp")


def main(command: list[str]) -> None:
    """Become the command, inside."""
    if command[0] == "--inside":
        forbid_user_namespaces()
        os.execvp(command[1], command[1:])
    bounds = ",".join(["-all", *(f"+{name}" for name in DEFAULT_CAPABILITIES)])
    inside = [sys.executable, os.path.abspath(__file__), "--inside", *command]
    confined = ["setpriv", "--bounding-set", bounds, "--inh-caps", "-all", *inside]
    # setpriv alone leaves root's permitted set; an exec under the smaller bound cuts it down.
    os.execvp("unshare", ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *confined])


if __name__ == "__main__":
    main(sys.argv[1:])
