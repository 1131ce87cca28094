"""Any desktop program: alone on a display of its own, which is seen in the browser."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from ...errors import DefiniteError
from ...launch import Ending, Launcher, LaunchPlan, Process, StopStep
from ...models import Capability, ServiceError, ServiceSpec, Site
from ...models_upstream import Manners, Upstream, Viewer
from ...sentences import say
from ...services import proc
from ...services.private_files import explain, make_folder, make_private_folder
from ..base import Asking, Driver, Option, Progress, scrubbed_environment
from ..listening import who_listens
from ..lock_file import lock_is_free
from ..log_mark import LogMark
from ..web.placeholders import fill
from . import window_manager
from .asking import ask_to_close
from .child import TO_CLOSE, TO_END_UNASKED, send
from .diagnoses import explain_ending, farewell
from .display_number import clear, sockets_can_be_made
from .display_server import DisplayServer, Screen
from .note import read_note, write_whole
from .options import FIT, OPTIONS, check_declaration, parse_size
from .program import ANSWER_SECONDS
from .programs import missing_for
from .tigervnc import TigerVNC
from .x11 import SOCKETS

STOP_SECONDS: Final = 10.0
ASKED_SHARE: Final = 0.65
"""Of the time it has to stop, how much is given to the windows that were asked to close."""
LAST_SECONDS: Final = 4.0
"""For window manager and display server, once the program has ended."""
NO_WINDOW_SECONDS: Final = 30.0
"""After which a program that has shown no window is taken for one that shows none."""
WINDOW_LOOK_SECONDS: Final = 1.0
FIRST_LOOK_SECONDS: Final = 0.01
LATER_LOOK_SHARE: Final = 0.02
"""Between two looks for the window of a program that takes long: of the time it has taken."""
USUAL_SIZE: Final = (1280, 800)
_SESSION: Final = "ou_vce_ext.drivers.desktop.session"
_NOT_ITS_OWN: Final = ("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "SESSION_MANAGER", "DESKTOP_")
_INPUT_MESSAGES: Final = frozenset({b"\x04", b"\x05", b"\x06", b"\xff"})
"""First bytes of what a viewer sends when a person types, points or copies."""


class DesktopDriver(Driver):
    """One program on one display. It is ready when its first window is there to be seen."""

    kind: ClassVar[str] = "desktop"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    data_where_declared: ClassVar[bool] = True
    options: ClassVar[Mapping[str, Option]] = OPTIONS
    default_ready_timeout: ClassVar[float] = 120.0
    start_seconds: ClassVar[float | None] = 2.0
    display_server: ClassVar[DisplayServer] = TigerVNC()
    when_cut_off: ClassVar[str] = say("What had not been saved in it by then is lost.")

    def __init__(self, spec: ServiceSpec, site: Site, launcher: Launcher) -> None:
        super().__init__(spec, site, launcher)
        declared: Mapping[str, Any] = spec.options
        size = declared.get("size", FIT)
        width, height = parse_size(size) or USUAL_SIZE
        scale = declared.get("scale", 1)
        self.screen = Screen(spec.title, width, height, fits=size == FIT, scale=scale)
        self.style: window_manager.WindowStyle = declared.get("window", "full")
        self.lock_file = site.private_dir / "run.lock"
        self.socket = site.runtime_dir / "rfb.sock"
        self._note = site.runtime_dir / "session.json"
        self._mark = LogMark(site.log_file)
        self._manager: tuple[str, ...] = ()
        self._launched = 0.0
        self._seen = self._unasked = False

    @property
    def data_dir(self) -> Path:
        """The folder shared with the file browser: ``data_dir`` as declared, else the root."""
        return self.site.data_dir if self.spec.data_dir else self.site.root_dir

    @property
    def has_own_folder(self) -> bool:
        """Whether ``data_dir`` is this program's alone, so that it may be backed up and reset."""
        return bool(self.spec.data_dir)

    @property
    def cwd(self) -> Path:
        """Where it is started: as declared, from the root folder on, else in its folder."""
        if not self.spec.cwd:
            return self.data_dir
        return self.site.root_dir / os.path.expanduser(fill(self.spec.cwd, self._values))

    @property
    def _values(self) -> dict[str, str]:
        return {
            "data_dir": str(self.data_dir),
            "root_dir": str(self.site.root_dir),
            "name": self.site.name,
        }

    def _command(self) -> tuple[str, ...]:
        # A program beside the declaration's other files is meant from the root folder on, as in a
        # terminal that is opened there, whatever folder it is started in.
        return tuple(fill(word, self._values) for word in self.spec.command)

    @property
    def _environment(self) -> dict[str, str]:
        own = {name: fill(text, self._values) for name, text in self.spec.env.items()}
        if self.screen.scale > 1:
            # Java and GTK know the first, Qt the second.
            scale = str(self.screen.scale)
            own = {"GDK_SCALE": scale, "QT_SCALE_FACTOR": scale, **own}
        kept = scrubbed_environment()
        return {n: v for n, v in kept.items() if not n.startswith(_NOT_ITS_OWN)} | own

    async def missing(self) -> ServiceError | None:
        """What is not installed, or None."""
        return await asyncio.to_thread(self._missing)

    def _missing(self) -> ServiceError | None:
        lacking = self.display_server.missing() or window_manager.missing()
        if lacking or not self.spec.command:
            return lacking
        return missing_for(self.spec.title, self._command()[0], self.cwd, self._environment)

    async def prepare(self, progress: Progress) -> None:
        """Check the declaration, make the folders, and clear away what a killed run has left."""
        trouble = check_declaration(self.spec)
        if trouble:
            raise DefiniteError(trouble.code, trouble.message, trouble.hint)
        await asyncio.to_thread(self._prepare)

    def _prepare(self) -> None:
        if not sockets_can_be_made():
            raise DefiniteError(
                "display-failed",
                say(
                    "No display can be opened for {title}: nothing can be made in {folder}, where "
                    "displays have their sockets. Nothing has been started.",
                    title=self.spec.title,
                    folder=SOCKETS,
                ),
                say(
                    "Let the machine's administrator run `mkdir -p {folder}` and "
                    "`chmod 1777 {folder}`.",
                    folder=SOCKETS,
                ),
            )
        make_private_folder(self.site.private_dir)
        make_private_folder(self.site.runtime_dir)
        try:
            make_folder(self.data_dir)
        except OSError as error:
            raise explain(error, self.data_dir) from error
        if not os.path.isdir(self.cwd):
            raise DefiniteError(
                "data-missing",
                say(
                    "The folder {folder}, in which {title} is to be started, is not there. Nothing "
                    "has been started.",
                    folder=self.cwd,
                    title=self.spec.title,
                ),
                say("Make the folder, or correct `cwd` in this service's declaration."),
            )
        # A run before this one that is still ending keeps its files: the launch waits for it.
        if lock_is_free(self.lock_file):
            self._clear()
        try:
            self._manager = window_manager.write_settings(self.site.runtime_dir, self.style)
        except OSError as error:
            raise explain(error, self.site.runtime_dir) from error

    def _clear(self) -> None:
        """Take away what only a killed session leaves: its number, its sockets, its note."""
        told = read_note(str(self._note))
        display, server = told.get("display"), told.get("server")
        if isinstance(display, int) and isinstance(server, int):
            if proc.is_alive(server, told.get("server_start")):
                return
            clear(display, server)
        for path in (self.socket, self._note):
            path.unlink(missing_ok=True)

    async def plan(self) -> LaunchPlan:
        """Run a session, which runs the rest; told to end, it asks the program first."""
        self._mark = LogMark.at_end(self.site.log_file)
        self._seen = self._unasked = False
        self._launched = asyncio.get_running_loop().time()
        authority = self.site.runtime_dir / "xauthority"
        seconds = self.spec.stop_timeout or STOP_SECONDS
        session = {
            "server": self.display_server.command(self.screen, self.socket, authority),
            "preparation": self.display_server.preparation(),
            "manager": self._manager,
            "program": self._command(),
            "cwd": str(self.cwd),
            "env": self._environment,
            "authority": str(authority),
            "note": str(self._note),
            "close_seconds": ASKED_SHARE * seconds,
            "term_seconds": (1 - ASKED_SHARE) * seconds,
        }
        told = self.site.runtime_dir / "plan.json"
        try:
            write_whole(str(told), json.dumps(session).encode())
        except OSError as error:
            raise explain(error, told) from error
        return LaunchPlan(
            argv=("vce-session", str(told)),
            module=_SESSION,
            env=self._environment,
            cwd="/",
            output=self.site.log_file,
            stop=(StopStep("SIGTERM", seconds + ANSWER_SECONDS + LAST_SECONDS),),
            lock_file=self.lock_file,
            memory_limit=self.spec.memory_bytes,
        )

    async def probe(self, process: Process | None) -> bool:
        """Whether its display answers on a socket of its own tree, and its window is there."""
        if process is None:
            return False
        if not self._seen and not await self._window_shown():
            return False
        if (await who_listens(process, socket=str(self.socket))).who != "ours":
            return False
        self._seen = await self.display_server.answers(self.socket)
        return self._seen

    async def _window_shown(self) -> bool:
        """Look until it is there, for a second at most: at a small file, asking nobody."""
        now = asyncio.get_running_loop().time
        end = now() + WINDOW_LOOK_SECONDS
        while not read_note(str(self._note)).get("window"):
            waited = now() - self._launched
            if waited >= NO_WINDOW_SECONDS:
                break
            if now() >= end:
                return False
            await asyncio.sleep(max(FIRST_LOOK_SECONDS, LATER_LOOK_SHARE * waited))
        return True

    async def ask_to_close(self, process: Process, tell: Asking) -> None:
        """Ask its windows to close; while it asks whether to save, wait for who works in it."""

        def ask() -> None:
            self._signal(process, TO_CLOSE)

        await ask_to_close(self.spec.title, process, self._note, ask, tell)

    def end_unasked(self, process: Process) -> None:
        """Have its session end it by signals, its windows unasked."""
        self._unasked = True
        self._signal(process, TO_END_UNASKED)

    def _signal(self, process: Process, number: signal.Signals) -> None:
        """Signal its session, once that listens, and nobody who has its number after it."""
        started = read_note(str(self._note)).get("session_start")
        if started is not None and proc.is_alive(process.pid, started):
            send(process.pid, number)

    def stopping(self) -> str:
        """That it may have a question, which nobody but a person can answer."""
        if self._unasked:
            return say("Stopping {title}", title=self.spec.title)
        return say(
            "Stopping {title}: if it asks whether to save, answer in its tab within half a minute",
            title=self.spec.title,
        )

    async def close(self) -> None:
        """Clear away what is left of a session that was killed."""
        if lock_is_free(self.lock_file):
            await asyncio.to_thread(self._clear)

    def main_pid(self, process: Process) -> int:
        """The program's own process, once it has been started."""
        return read_note(str(self._note)).get("program") or process.pid

    def upstream(self) -> Upstream:
        """Its socket, which speaks to a viewer of ours."""
        viewer = Viewer(
            title=self.spec.title,
            fits=self.screen.fits,
            scale=self.screen.scale,
            inputs=_INPUT_MESSAGES,
        )
        return Upstream(
            socket=str(self.socket),
            host_header="localhost",
            manners=Manners(raw_socket=True, viewer=viewer),
        )

    def farewell(self, ending: Ending) -> ServiceError | None:
        """What is said when the program was closed by whoever worked in it."""
        return farewell(self.spec.title, ending, read_note(str(self._note)))

    def diagnose(self, ending: Ending, log_tail: Sequence[str]) -> ServiceError | None:
        """What ended, where it was not the program by itself."""
        lines = tuple(self._mark.lines()[-20:])
        told = explain_ending(self.spec.title, ending, read_note(str(self._note)))
        return told and dataclasses.replace(told, log_tail=lines)
