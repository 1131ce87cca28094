"""The process that owns one desktop: display server, window manager and program, in that order.

Told to end (SIGTERM) it asks the program's windows to close, then signals the program, and ends
the server last. When the program ends, so does the session, the same way. A window manager that
dies is replaced: the program does not notice. Standard library only; it sleeps until something
happens.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from ...services import identity, proc
from .child import SIGNALS, TO_END, send, spawn, told
from .display_number import candidates, clear
from .note import Note
from .x11 import Windows, write_authority

DISPLAY_LOST = 75
"""The exit code of a session whose display server ended."""
_SERVER_SECONDS = 20.0
_SERVER_END_SECONDS = 3.0
_LOOK_INTERVAL = 0.005
_MANAGER_SECONDS = 5.0
_MANAGER_DEATHS = 5
_LINGER_SECONDS = 0.5
"""After the program's first process has ended well: until its windows are gone from the list."""
_TRIES = 5
"""Numbers, where another server was quicker to have one; a server that cannot run fails each."""


class Session:
    """One desktop, from its server's start to the last process of its own."""

    def __init__(self, plan: dict) -> None:  # type: ignore[type-arg]
        self.plan = plan
        self.note = Note(plan["note"])
        self.cookie = write_authority(plan["authority"])
        self.environment = {**plan["env"], "XAUTHORITY": plan["authority"]}
        self.display = self.server = self.manager = self.program = 0
        self.windows: Windows | None = None
        self.ended: int | None = None
        """The program's wait status."""
        self._manager_deaths = 0
        self._steps = 0
        self._deadline: float | None = None
        self._told_to_end = self._closing = self._managed = False
        self._wake, self._wake_end = os.pipe()
        for end in (self._wake, self._wake_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake_end, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)

    # -- beginning -------------------------------------------------------------------------------

    def run(self) -> int:
        """Run it all; returns the exit code, or less the number of the signal to die of."""
        if not self._open_display():
            return self._close(0 if self._told_to_end else DISPLAY_LOST)
        self._start_manager()
        self._wait_for_manager()
        self.program = self._spawn(self.plan["program"], cwd=self.plan["cwd"], leads=True)
        self.note.tell(program=self.program)
        if self._told_to_end:
            self._next_step()
        while self.program and self.server:
            self._wait(None if self._deadline is None else self._deadline - time.monotonic())
        return self._close(self._outcome())

    def _open_display(self) -> bool:
        for _, number in zip(range(_TRIES), candidates(), strict=False):
            words = [word.replace("{display}", str(number)) for word in self.plan["server"]]
            self.display, self.server = number, self._spawn(words)
            self.note.tell(
                display=number, server=self.server, server_start=proc.start_time(self.server)
            )
            if self._connect():
                self.environment["DISPLAY"] = f":{number}"
                return True
            if self.server or self._told_to_end:
                break
        if not self._told_to_end:
            self.note.tell(end={"what": "display", "code": 1, "signal": None})
        return False

    def _connect(self) -> bool:
        end = time.monotonic() + _SERVER_SECONDS
        while self.server and not self._told_to_end and time.monotonic() < end:
            try:
                self.windows = Windows(self.display, self.cookie, self.server)
                return True
            except OSError:
                self._wait(_LOOK_INTERVAL)
        return False

    def _start_manager(self) -> None:
        own = str(os.getpid())
        self.manager = self._spawn([w.replace("{session}", own) for w in self.plan["manager"]])

    def _wait_for_manager(self) -> None:
        """Until windows will be given their place: it tells us so."""
        end = time.monotonic() + _MANAGER_SECONDS
        while self.manager and not self._managed and not self._told_to_end:
            left = end - time.monotonic()
            if left <= 0:
                return
            self._wait(left)

    def _spawn(self, argv: list[str], *, cwd: str = "/", leads: bool = False) -> int:
        return spawn(argv, self.environment, cwd=cwd, leads=leads)

    # -- watching --------------------------------------------------------------------------------

    def _wait(self, seconds: float | None) -> None:
        """Sleep until something happens, and see to it."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if self.windows:
            poll.register(self.windows.socket, select.POLLIN)
        for descriptor, _ in poll.poll(None if seconds is None else max(0.0, seconds) * 1000):
            if descriptor == self._wake:
                self._on_signal(os.read(self._wake, 512))
            else:
                self._listen()
        if self.windows and self.windows.news:
            self._on_news()
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._next_step()

    def _on_signal(self, numbers: bytes) -> None:
        self._managed |= signal.SIGUSR1 in numbers
        if TO_END & set(numbers) and not self._told_to_end:
            self._told_to_end = True
            if self.program:
                self._next_step()
        dead = {}
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                dead[found[0]] = found[1]
        if self.program in dead and self.server not in dead and self._has_lost_server():
            dead.update(self._await_server())
        # A server takes its programs with it: whose end came first is told by who died of it.
        for pid in sorted(dead, key=lambda each: each != self.server):
            self._on_death(pid, dead[pid])

    def _has_lost_server(self) -> bool:
        """Whether the server, which still seems to live, has hung up already."""
        if self.windows:
            self._shown()
        return self.windows is None and bool(self.server)

    def _await_server(self) -> dict[int, int]:
        """What ends of itself is not seen at once: its connections are closed before."""
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            pid, status = os.waitpid(self.server, os.WNOHANG)
            if pid:
                return {pid: status}
            time.sleep(_LOOK_INTERVAL)
        return {}

    def _on_death(self, pid: int, status: int) -> None:
        if pid == self.server:
            clear(self.display, pid)
            self.server = 0
            self._forget_windows()
            if self.program and self.ended is None and not self._told_to_end:
                self.note.tell(end={"what": "display", **told(status)})
        elif pid == self.program:
            self.ended = status
            if status or self._told_to_end or not self._shown():
                self._program_has_ended()
            else:
                # A launcher that leaves its work to others: the session is theirs.
                self._deadline = time.monotonic() + _LINGER_SECONDS
        elif pid == self.manager:
            self.manager = 0
            self._manager_deaths += 1
            if self.server and not self._closing and self._manager_deaths <= _MANAGER_DEATHS:
                self._start_manager()

    def _program_has_ended(self) -> None:
        if "end" not in self.note.facts:
            self.note.tell(end={"what": "program", **told(self.ended or 0)})
        self.program = 0

    def _listen(self) -> None:
        try:
            if self.windows:
                self.windows.listen()
        except OSError:
            self._forget_windows()

    def _on_news(self) -> None:
        if not self.program:
            return
        shown = self._shown()
        if shown and not self.note.facts.get("window"):
            self.note.tell(window=True)
        waits = self._deadline is not None and not self._told_to_end
        if self.ended is not None and not shown and not waits:
            self._program_has_ended()

    def _shown(self) -> bool:
        try:
            return bool(self.windows and self.windows.shown())
        except OSError:
            self._forget_windows()
            return False

    def _forget_windows(self) -> None:
        if self.windows:
            self.windows.close()
            self.windows = None

    # -- ending ----------------------------------------------------------------------------------

    def _next_step(self) -> None:
        """Ask the windows, then the program, then the kernel; each is given its time."""
        if self.ended is not None and not self._told_to_end:
            # It is known by now whether a window was left by the program that has ended.
            self._deadline = None
            if not self._shown():
                self._program_has_ended()
            return
        self._steps += 1
        if self._steps == 1 and self._ask_windows():
            self._deadline = time.monotonic() + self.plan["close_seconds"]
        elif self._steps <= 2:
            self._steps = 2
            self._signal_program(signal.SIGTERM)
            self._deadline = time.monotonic() + self.plan["term_seconds"]
        else:
            self._signal_program(signal.SIGKILL)
            self._deadline = time.monotonic() + 1.0
            if self.ended is not None or self._steps > 4:
                self._program_has_ended()

    def _ask_windows(self) -> bool:
        try:
            return bool(self.windows and self.windows.ask_to_close())
        except OSError:
            self._forget_windows()
            return False

    def _signal_program(self, number: int) -> None:
        if self.program:
            with suppress(OSError):
                os.killpg(self.program, number)

    def _outcome(self) -> int:
        if self._told_to_end:
            return 0
        if self.note.facts.get("end", {}).get("what") == "display":
            return DISPLAY_LOST
        return os.waitstatus_to_exitcode(self.ended or 0)

    def _close(self, outcome: int) -> int:
        """End what is left: a program that lost its display, the window manager, the server."""
        self._closing = self._told_to_end = True
        self._deadline = None
        if self.program:
            self._signal_program(signal.SIGTERM)
            self._until(lambda: not self.program, self.plan["term_seconds"])
            self._signal_program(signal.SIGKILL)
        for pid in (self.manager, self.server):
            if pid:
                send(pid, signal.SIGTERM)
        self._until(lambda: not self.server and not self.manager, _SERVER_END_SECONDS)
        for pid in (self.manager, self.server):
            if pid:
                send(pid, signal.SIGKILL)
        self._until(lambda: not self.server, 1.0)
        return outcome

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self._wait(end - time.monotonic())


def main(argv: list[str]) -> None:
    """Run the session that the file named by ``argv`` describes. Never returns."""
    identity.name_process(argv[0])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Whoever started Jupyter may have held back some of those that we wait for.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    with open(argv[1], "rb") as file:
        plan = json.loads(file.read())
    outcome = Session(plan).run()
    if outcome < 0:
        # The program's own end is ours, for whoever looks at it.
        with suppress(OSError):
            signal.signal(-outcome, signal.SIG_DFL)
        os.kill(os.getpid(), -outcome)
    os._exit(outcome if outcome >= 0 else 128 - outcome)
