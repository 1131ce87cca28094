"""Processes of a session: started, signalled, and how they ended. Standard library only."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

TO_END = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
TO_CLOSE = signal.SIGUSR2
"""Ask the program to close, and leave it open if its person wants that."""
TO_END_UNASKED = signal.SIGQUIT
"""End it, and ask nobody whether to save."""
SIGNALS = (*TO_END, TO_CLOSE, TO_END_UNASKED, signal.SIGCHLD, signal.SIGUSR1)
"""What a session listens to, and its children are given back as it usually is."""


def spawn(argv: list[str], env: dict[str, str], *, cwd: str = "/", leads: bool = False) -> int:
    """Start ``argv``; with ``leads`` as the leader of a session. A failure is its exit 127."""
    pid = os.fork()
    if pid:
        return pid
    try:
        if leads:
            os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (*SIGNALS, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(cwd)
        os.execvpe(argv[0], argv, env)  # noqa: S606
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def send(pid: int, number: int) -> None:
    """Signal a process that may have gone."""
    with suppress(OSError):
        os.kill(pid, number)


def told(status: int) -> dict[str, object]:
    """A wait status as ``code`` and ``signal``, one of which is None."""
    code = os.waitstatus_to_exitcode(status)
    name = signal.Signals(-code).name if code < 0 else None
    return {"code": code if code >= 0 else None, "signal": name}
