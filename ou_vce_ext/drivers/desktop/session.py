"""The process that owns one desktop: display server, window manager and program, in that order.

Told to end (SIGTERM) it asks the program's windows to close, then signals the program, and ends
the server last; told so at once (SIGQUIT) it asks nobody. Asked to close (SIGUSR2) it only asks the
windows, and tells what comes of it. When the program ends, so does the session, the same way. A
window manager that dies is replaced: the program does not notice. Standard library only; it sleeps
until something happens.
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
from .child import SIGNALS, TO_CLOSE, TO_END, TO_END_UNASKED, send, spawn, told
from .closing import QUESTION, Closing
from .display import Display
from .display_number import candidates
from .note import Note
from .program import Program
from .x11 import write_authority

DISPLAY_LOST = 75
"""The exit code of a session whose display server ended."""
_SERVER_SECONDS = 20.0
_SERVER_END_SECONDS = 3.0
_LOOK_INTERVAL = 0.005
_MANAGER_SECONDS = 5.0
_MANAGER_DEATHS = 5
_TRIES = 5
"""Numbers, where another server was quicker to have one; a server that cannot run fails each."""


class Session:
    """One desktop, from its server's start to the last process of its own."""

    def __init__(self, plan: dict) -> None:  # type: ignore[type-arg]
        self.plan = plan
        self.note = Note(plan["note"])
        self.environment = {**plan["env"], "XAUTHORITY": plan["authority"]}
        self.display = Display(write_authority(plan["authority"]))
        self.manager = 0
        self.program = Program(
            self.display,
            self._program_is_over,
            close_seconds=plan["close_seconds"],
            term_seconds=plan["term_seconds"],
        )
        self.closing = Closing(
            self.display,
            lambda number, stands: self.note.tell(closing={"ask": number, "stands": stands}),
            close_seconds=plan["close_seconds"],
        )
        self._manager_deaths = 0
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
        # Beside the window manager, which takes longer.
        self._prepare_display()
        self._wait_for_manager()
        if not self._told_to_end:
            words, cwd = self.plan["program"], self.plan["cwd"]
            self.program.pid = self._spawn(words, cwd=cwd, leads=True)
            self.note.tell(program=self.program.pid)
        while self.program.pid and self.display.server:
            due = min(self._deadlines(), default=None)
            self._wait(None if due is None else due - time.monotonic())
        return self._close(self._outcome())

    def _open_display(self) -> bool:
        for _, number in zip(range(_TRIES), candidates(), strict=False):
            self.environment["DISPLAY"] = f":{number}"
            words = [word.replace("{display}", str(number)) for word in self.plan["server"]]
            server = self._spawn(words)
            self.display.begin(number, server)
            self.note.tell(
                session_start=proc.start_time(os.getpid()),
                display=number,
                server=server,
                server_start=proc.start_time(server),
            )
            if self._connect():
                return True
            if self.display.server or self._told_to_end:
                break
            self._until(lambda: not self.manager, 1.0)
        if not self._told_to_end:
            self.note.tell(end={"what": "display", "code": 1, "signal": None})
        return False

    def _connect(self) -> bool:
        end = time.monotonic() + _SERVER_SECONDS
        while self.display.server and not self._told_to_end and time.monotonic() < end:
            if self.display.connect(self._start_manager):
                return True
            self._wait(_LOOK_INTERVAL)
        return False

    def _start_manager(self) -> None:
        """Start it, unless there is one. It can do much before its display answers."""
        if not self.manager:
            own = str(os.getpid())
            self.manager = self._spawn([w.replace("{session}", own) for w in self.plan["manager"]])

    def _prepare_display(self) -> None:
        number = str(self.display.number)
        if words := [w.replace("{display}", number) for w in self.plan["preparation"]]:
            self._spawn(words)

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
        if self.display.windows:
            poll.register(self.display.windows.socket, select.POLLIN)
        for descriptor, _ in poll.poll(None if seconds is None else max(0.0, seconds) * 1000):
            if descriptor == self._wake:
                self._on_signal(os.read(self._wake, 512))
            else:
                self.display.listen()
        if self.display.news:
            self._on_news()
        for each in (self.program, self.closing):
            if each.deadline is not None and time.monotonic() >= each.deadline:
                each.go_on()

    def _deadlines(self) -> list[float]:
        planned = (self.program.deadline, self.closing.deadline)
        return [deadline for deadline in planned if deadline is not None]

    def _on_signal(self, numbers: bytes) -> None:
        self._managed |= signal.SIGUSR1 in numbers
        unasked = TO_END_UNASKED in numbers and not self._closing
        if unasked or (TO_END & set(numbers) and not self._told_to_end):
            self._begin_to_end(unasked=unasked)
        elif TO_CLOSE in numbers and self.program.pid and not self._told_to_end:
            self.closing.ask()
        dead = {}
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                dead[found[0]] = found[1]
        if self.program.pid in dead and self.display.server not in dead and self.display.is_dying():
            dead.update(self.display.await_end())
        # A server takes its programs with it: whose end came first is told by who died of it.
        for pid in sorted(dead, key=lambda each: each != self.display.server):
            self._on_death(pid, dead[pid])

    def _begin_to_end(self, *, unasked: bool) -> None:
        self._told_to_end = True
        answering = self.closing.stands == QUESTION
        self.closing.call_off()
        if not self.program.pid:
            return
        if unasked:
            self.program.end_unasked()
        elif answering:
            self.program.end_when_answered()
        else:
            self.program.end()

    def _on_death(self, pid: int, status: int) -> None:
        if pid == self.display.server:
            self.display.ended()
            if self.program.pid and self.program.status is None and not self._told_to_end:
                self.note.tell(end={"what": "display", **told(status)})
        elif pid == self.program.pid:
            self.program.first_ended(status, asked=self._told_to_end)
        elif pid == self.manager:
            self.manager = 0
            self._manager_deaths += 1
            if (
                self.display.server
                and not self._closing
                and self._manager_deaths <= _MANAGER_DEATHS
                and not self.display.is_dying()
            ):
                self._start_manager()

    def _program_is_over(self) -> None:
        if "end" not in self.note.facts:
            self.note.tell(end={"what": "program", **told(self.program.status or 0)})
        self.program.pid = 0
        self.program.deadline = self.closing.deadline = None

    def _on_news(self) -> None:
        if not self.program.pid:
            return
        self.program.windows_changed()
        self.closing.windows_changed()
        if not self.display.shown():
            self.program.no_window_left()
        elif not self.note.facts.get("window"):
            self.note.tell(window=True)

    # -- ending ----------------------------------------------------------------------------------

    def _outcome(self) -> int:
        if self._told_to_end:
            return 0
        if self.note.facts.get("end", {}).get("what") == "display":
            return DISPLAY_LOST
        code = os.waitstatus_to_exitcode(self.program.status or 0)
        # One that was asked to close and does so has ended well, whatever its code says.
        return 0 if code > 0 and self.closing.is_open else code

    def _close(self, outcome: int) -> int:
        """End what is left: a program that lost its display, the window manager, the server."""
        self._closing = self._told_to_end = True
        self.closing.call_off()
        self.program.deadline = None
        if self.program.pid:
            self.program.signal(signal.SIGTERM)
            self._until(lambda: not self.program.pid, self.plan["term_seconds"])
            self.program.signal(signal.SIGKILL)
        for pid in (self.manager, self.display.server):
            if pid:
                send(pid, signal.SIGTERM)
        self._until(lambda: not self.display.server and not self.manager, _SERVER_END_SECONDS)
        for pid in (self.manager, self.display.server):
            if pid:
                send(pid, signal.SIGKILL)
        self._until(lambda: not self.display.server, 1.0)
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
