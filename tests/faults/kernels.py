"""Fault 17: kernels, and other children of Jupyter's, beside services that die and are started."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import zmq
from jupyter_client.blocking.client import BlockingKernelClient

from tests.integration.jupyter_rig import Jupyter

from .app_commands import app
from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure
from .homes import Home, only, started, wait_ended, wait_gone
from .leftovers import marked
from .promises import expect

RESTARTED = "a killed kernel answers again after"


class KernelsBeside(Fault):
    """A kernel is told how its programs ended, is restarted when it dies, ends when asked to."""

    number = 17
    title = "kernels beside it: their exit codes, deaths and restarts"
    short_tries = 1
    at_once = 4
    limit = 120.0
    measures = (Measure(RESTARTED),)

    async def set_up(self, bench: Bench) -> None:
        await asyncio.to_thread(self._open, bench)

    def _open(self, bench: Bench) -> None:
        flapping = list(app("flaps", 0.2))
        busy = list(app("serves"))
        toml = only() + (
            f"[services.flapping]\ncommand = {flapping!r}\n[services.busy]\ncommand = {busy!r}\n"
        )
        self._home = Home(bench, self.number, "home", toml)
        config = self._home.path / ".jupyter"
        config.mkdir()
        (config / "jupyter_server_config.json").write_text(
            '{"ServerApp": {"jpserver_extensions": {"tests.faults.watches_exit_codes": true}}}'
        )
        self._codes = self._home.path / "codes"
        self._stack = ExitStack()
        self._server = self._stack.enter_context(
            self._home.jupyter(bench.mark(self.number, "shared"), EXIT_CODES=str(self._codes))
        )

    async def try_once(self, attempt: Attempt) -> Figures:
        return await asyncio.to_thread(self._try, attempt, self._server)

    def _try(self, attempt: Attempt, server: Jupyter) -> Figures:
        status, text = server.request("POST", "api/kernels")
        expect(status == 201, f"no kernel was started: {text}")
        kernel = json.loads(text)["id"]
        client = self._client(kernel)
        try:
            self._stir(attempt, server)
            code = attempt.rng.randrange(256)
            told = run(client, f"import subprocess; subprocess.call(['sh', '-c', 'exit {code}'])")
            expect(told == str(code), f"a kernel's program exited with {code}, and it got {told}")
            pid = int(run(client, "import os; os.getpid()"))
            self._stir(attempt, server)
            killed = time.monotonic()
            self._end(attempt, client, pid)
            took = self._restarted(client, pid, killed, attempt.bench.patience)
        finally:
            client.stop_channels()
            client.context.destroy(linger=0)
            status, text = server.request("DELETE", f"api/kernels/{kernel}")
        expect(status == 204, f"the kernel was not ended: {status} {text}")
        return {RESTARTED: took}

    def _client(self, kernel: str) -> BlockingKernelClient:
        runtime = self._home.path / ".local" / "share" / "jupyter" / "runtime"
        client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{kernel}.json"))
        client.context = zmq.Context()
        client.load_connection_file()
        # Without a heart to listen for: it says "died" of one that is not there yet.
        client.start_channels(hb=False)
        client.wait_for_ready(timeout=150)
        return client

    def _stir(self, attempt: Attempt, server: Jupyter) -> None:
        """Have services started, stopped, or dying, while kernels are at work."""
        server.api("POST", f"services/busy/{attempt.rng.choice(('start', 'stop', 'restart'))}")
        server.api("POST", "services/flapping/start")

    def _end(self, attempt: Attempt, client: BlockingKernelClient, pid: int) -> None:
        if attempt.rng.random() < 0.5:
            # Where Jupyter runs as in a container, the kernel's number is one of in there.
            client.execute("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        else:
            client.execute(f"import os; os._exit({attempt.rng.randrange(256)})")

    def _restarted(
        self, client: BlockingKernelClient, pid: int, killed: float, patience: float
    ) -> float:
        """It is another process, and computes."""
        while True:
            expect(
                time.monotonic() - killed < 40 * patience, "a kernel that died was not restarted"
            )
            try:
                client.wait_for_ready(timeout=2)
                now = int(run(client, "import os; os.getpid()", 2))
            except (RuntimeError, TimeoutError):
                continue
            if now != pid:
                return time.monotonic() - killed

    async def tear_down(self, bench: Bench) -> None:
        """Every exit code was right, and nothing is left."""
        await super().tear_down(bench)
        await asyncio.to_thread(self._close, bench)

    def _close(self, bench: Bench) -> None:
        with self._stack:
            tree = started(self._server)
            os.kill(self._home.main(self._server), signal.SIGTERM)
            wait_ended(self._server, 60 * bench.patience)
        wait_gone(tree, 5 * bench.patience)
        checked, wrong = map(int, self._codes.read_text().split())
        expect(checked, "no exit code was looked at")
        expect(not wrong, f"of {checked} children of Jupyter's, {wrong} had a wrong exit code")
        left = list(marked(bench.mark(self.number, "shared"), Path("/nonexistent")))
        expect(not left, f"left behind: {left}")


def run(client: BlockingKernelClient, code: str, seconds: float = 120) -> str:
    """The value of the last expression of ``code``, as text. Raises TimeoutError."""
    found: list[str] = []

    def heard(message: dict[str, object]) -> None:
        content = message["content"]
        assert isinstance(content, dict)
        if message["msg_type"] == "execute_result":
            found.append(content["data"]["text/plain"])

    client.execute_interactive(code, timeout=seconds, output_hook=heard)
    expect(found, "a kernel has run something and told no result")
    return found[0]
