"""Who looks after programs in the comparison, each behind the same few questions.

Each is set up as its own documentation recommends. What one has no notion of is said where it is
asked for, never made up.
"""

from __future__ import annotations

import json
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from ou_vce_ext import __version__
from ou_vce_ext.services import proc
from tests.faults.leftovers import MARK, has_mark
from tests.integration.jupyter_rig import Jupyter, jupyter, wait

STOP_SECONDS = 2
BUILT_IN = ("postgres", "mongo", "openrefine")
OTHER_EXTENSIONS = (
    "ou_vce_ext",
    "jupyter_server_proxy",
    "jupyterlab",
    "jupyter_lsp",
    "notebook",
    "notebook_shim",
)
LOADING = "a blank page that goes on loading"


@dataclass(frozen=True, slots=True)
class Program:
    """What is looked after. Everything it starts has ``mark`` in its environment."""

    command: tuple[str, ...]
    port: int
    mark: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person is shown: in ``words``; as ready or running; with a reason why it is not."""

    words: str
    ready: bool = False
    reason: bool = False


class Manager(ABC):
    """One that starts programs and looks after them."""

    title: ClassVar[str]
    can_stop: ClassVar[bool] = True

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Its release."""

    @classmethod
    @abstractmethod
    @contextmanager
    def opened(cls, home: Path, programs: Mapping[str, Program]) -> Iterator[Manager]:
        """Run one that knows ``programs``, none of which it starts by itself."""

    @abstractmethod
    def begin(self, name: str) -> None:
        """Ask it to start a program, and do not wait."""

    @abstractmethod
    def look(self, name: str) -> Shown:
        """What it shows of a program."""

    def stop(self, name: str) -> None:
        """Stop a program, and wait until it says that it is stopped."""
        raise NotImplementedError

    def ask_again(self, *names: str) -> None:
        """Where something is only shown to who asks for a page, ask for it anew."""

    def wait_ready(self, *names: str) -> None:
        """Wait until it shows them as ready or running."""
        for name in names:
            wait(
                partial(self._is_ready, name), 60, lambda: str([self.look(each) for each in names])
            )

    def _is_ready(self, name: str) -> bool:
        return self.look(name).ready

    def beside(self, programs: Mapping[str, Program]) -> list[int]:
        """The processes below it that are no part of a program."""
        marks = [program.mark for program in programs.values()]
        return [
            pid
            for pid in proc.descendants(self.process.pid)
            if not any(has_mark(pid, mark) for mark in marks)
        ]

    def kill(self) -> None:
        """End it as nothing can be prepared for."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        """Ask it to end, and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()


class Ours(Manager):
    """This project."""

    title = "ou_vce_ext"

    def __init__(self, server: Jupyter) -> None:
        super().__init__(server.process)
        self.server = server

    @classmethod
    def version(cls) -> str:
        return __version__

    @classmethod
    @contextmanager
    def opened(cls, home: Path, programs: Mapping[str, Program]) -> Iterator[Manager]:
        parts = [f"[services.{name}]\nenabled = false" for name in BUILT_IN]
        for name, program in programs.items():
            parts.append(
                f'[services.{name}]\nkind = "web"\ncommand = {json.dumps(program.command)}\n'
                f"port = {program.port}\nautostart = false\nstop_timeout = {STOP_SECONDS}\n"
                f"env = {{ {MARK} = {json.dumps(program.mark)} }}"
            )
        others = without("ou_vce_ext")
        with jupyter(home, toml="\n".join(parts), without=others) as server:
            yield cls(server)

    def begin(self, name: str) -> None:
        self.server.api("POST", f"services/{name}/start")

    def look(self, name: str) -> Shown:
        service = self.server.service(name)
        error = service["error"]
        words = f"{service['state']}: {error['message']}" if error else str(service["state"])
        return Shown(words, service["state"] == "ready", error is not None)

    def stop(self, name: str) -> None:
        self.server.finish(self.server.api("POST", f"services/{name}/stop"))


def without(own: str) -> list[str]:
    """The extensions that are off where only ``own`` is to be measured."""
    return [name for name in OTHER_EXTENSIONS if name != own]
