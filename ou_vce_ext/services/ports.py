"""Who has a TCP port, in words for a person."""

from __future__ import annotations

import errno
import os
import pwd
import socket
import sys

from ..errors import DefiniteError
from ..sentences import say
from . import proc


def user_name(uid: int) -> str:
    """The name of a uid, or ``uid 1234`` where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def port_is_taken(port: int) -> bool:
    """Whether somebody listens on ``port`` of 127.0.0.1, so that a service of ours could not."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that are still closing do not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def describe_port_owner(port: int) -> str | None:
    """Who listens on ``port``: program, process and user as far as we may know, else None.

    For example ``postgres (process 812), which another user (root) started``.
    """
    if not sys.platform.startswith("linux"):
        return _ask_psutil(port)
    sockets = proc.tcp_listeners(port)
    if not sockets:
        return None
    # A forked server holds one socket in many processes: the oldest of them is the one to name.
    pids = sorted((int(name) for name in os.listdir("/proc") if name.isdigit()), key=_age)
    found = proc.holder(sockets, pids)
    uid = found[1].uid if found else sockets[0].uid
    program = _named(_program(found[0]), found[0]) if found else say("a program")
    if uid is None or uid == os.geteuid():
        return program
    return say(
        "{program}, which another user ({user}) started", program=program, user=user_name(uid)
    )


def port_in_use_error(port: int, declared: bool) -> DefiniteError:
    """What to tell when a port that a service needs belongs to somebody else.

    ``declared``: a person chose that port in the service's declaration.
    """
    owner = describe_port_owner(port) or say("another program")
    hint = (
        say(
            "Stop that program, or change `port` in this service's declaration and restart Jupyter."
        )
        if declared
        else say(
            "Stop that program, or declare another `port` in this service's declaration and "
            "restart Jupyter."
        )
    )
    return DefiniteError(
        "port-in-use",
        say("Port {port} is used by {owner}. Nothing has been started.", port=port, owner=owner),
        hint,
    )


def _age(pid: int) -> int:
    return proc.start_time(pid) or sys.maxsize


def _program(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip() or say("a program")
    except OSError:
        return say("a program")


def _named(program: str, pid: int) -> str:
    return say("{program} (process {pid})", program=program, pid=pid)


def _ask_psutil(port: int) -> str | None:
    import psutil

    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    for connection in connections:
        here = connection.laddr
        if connection.status == psutil.CONN_LISTEN and here and here.port == port:
            if connection.pid is None:
                return say("a program")
            return _named(psutil.Process(connection.pid).name(), connection.pid)
    return None
