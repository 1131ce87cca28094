"""The other two: jupyter-server-proxy, with simpervisor, and supervisord."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from html import unescape
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

from tests.faults.leftovers import MARK
from tests.free_ports import free_port
from tests.integration.jupyter_rig import Jupyter, jupyter, wait

from .managers import LOADING, STOP_SECONDS, Manager, Ours, Program, Shown, without


class ServerProxied(Manager):
    """jupyter-server-proxy: a program is started by asking for its page, and has no other sign."""

    title = "jupyter-server-proxy"
    can_stop = False

    def __init__(self, server: Jupyter) -> None:
        super().__init__(server.process)
        self.server = server
        self._visits = ThreadPoolExecutor(32)
        self._pages: dict[str, Future[Shown]] = {}

    @classmethod
    def version(cls) -> str:
        return version("jupyter-server-proxy")

    @classmethod
    @contextmanager
    def opened(cls, home: Path, programs: Mapping[str, Program]) -> Iterator[Manager]:
        entries = {
            name: {
                "command": list(program.command),
                "port": program.port,
                "environment": {MARK: program.mark},
            }
            for name, program in programs.items()
        }
        arguments = (f"--ServerProxy.servers={entries!r}",)
        own = "jupyter_server_proxy"
        with jupyter(home, arguments=arguments, extension=own, without=without(own)) as server:
            yield cls(server)

    def begin(self, name: str) -> None:
        self._pages[name] = self._visits.submit(self._page, name)

    def _page(self, name: str) -> Shown:
        try:
            status, text = self.server.request("GET", f"{name}/")
        except OSError as error:
            return Shown(f"nothing: {error}", False, False)
        if status < 400:
            return Shown("the page", ready=True)
        plain = re.sub(r"<(style|script|title).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
        words = " ".join(unescape(plain).split())
        found = re.search(rf"{status} : .*", words)
        return Shown(f"an error page: {found.group() if found else words}", reason=True)

    def look(self, name: str) -> Shown:
        page = self._pages.get(name)
        if page is None:
            return Shown("nothing")
        return page.result() if page.done() else Shown(LOADING)

    def ask_again(self, *names: str) -> None:
        for name in names:
            self.begin(name)
        end = time.monotonic() + 10
        while time.monotonic() < end and not all(self._pages[name].done() for name in names):
            time.sleep(0.05)


class Supervisord(Manager):
    """supervisord, which knows neither pages nor ports."""

    title = "supervisord"

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        super().__init__(process)
        self.port = port
        self.rpc: Any = ServerProxy(f"http://127.0.0.1:{port}/RPC2").supervisor

    @classmethod
    def version(cls) -> str:
        return version("supervisor")

    @classmethod
    @contextmanager
    def opened(cls, home: Path, programs: Mapping[str, Program]) -> Iterator[Manager]:
        home.mkdir(parents=True)
        port = free_port()
        file = home / "supervisord.conf"
        file.write_text(cls._configuration(home, port, programs))
        command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(file)]
        with (home / "output").open("wb") as output:
            process = subprocess.Popen(
                command, cwd=home, stdout=output, stderr=output, start_new_session=True
            )
        manager = cls(process, port)
        try:
            wait(manager._answers, 30, (home / "output").read_text)
            yield manager
        finally:
            manager.terminate()

    @classmethod
    def _configuration(cls, home: Path, port: int, programs: Mapping[str, Program]) -> str:
        # stopasgroup and killasgroup: as its documentation advises for programs with children.
        user = "user=root" if os.geteuid() == 0 else ""
        parts = [
            f"[supervisord]\nlogfile={home}/log\npidfile={home}/pid\nchildlogdir={home}\n{user}",
            f"[inet_http_server]\nport=127.0.0.1:{port}",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        ]
        for name, program in programs.items():
            command = shlex.join(program.command).replace("%", "%%")
            parts.append(
                f"[program:{name}]\ncommand={command}\nautostart=false\n"
                f"stopwaitsecs={STOP_SECONDS}\nstopasgroup=true\nkillasgroup=true\n"
                f'environment={MARK}="{program.mark}"'
            )
        return "\n".join(parts) + "\n"

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(self.rpc.getState())
        return False

    def begin(self, name: str) -> None:
        self.rpc.startProcess(name, False)

    def look(self, name: str) -> Shown:
        told = self.rpc.getProcessInfo(name)
        state = told["statename"]
        bad = state in ("BACKOFF", "FATAL", "EXITED")
        return Shown(f"{state}: {told['description']}" if bad else state, state == "RUNNING", bad)

    def stop(self, name: str) -> None:
        self.rpc.stopProcess(name)


MANAGERS: tuple[type[Manager], ...] = (Ours, ServerProxied, Supervisord)
