"""Faults 9 and 10: lock files that lie, and data folders that are not as they should be."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ou_vce_ext.drivers.base import no_progress
from ou_vce_ext.services import proc
from ou_vce_ext.states import ServiceState
from tests.free_ports import free_port
from tests.integration.watching import until

from .bench import Bench
from .databases import ask
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect


class _KeptPostgres(Fault):
    """Tries that share a stopped server's folder, in which an answer is kept."""

    async def set_up(self, bench: Bench) -> None:
        self.service = self.share(bench, "postgres")
        await self.service.start()
        await ask(self.service.driver, "create table kept as select 42 as answer")
        self.written = (self.folder / "postmaster.pid").read_text()
        await self.service.stop()

    @property
    def folder(self) -> Path:
        """Where the databases are."""
        return self.service.driver.data_dir

    async def starts(self) -> float:
        """It starts and has what was kept in it; seconds until it was ready."""
        began = time.monotonic()
        await self.service.start()
        took = time.monotonic() - began
        expect(
            await ask(self.service.driver, "select answer from kept") == [(42,)],
            "it runs, and what was kept in it is not there",
        )
        await self.service.stop()
        return took


class StaleLockFile(_KeptPostgres):
    """What a crash leaves is in nobody's way; a server that really runs there is left alone."""

    number = 9
    title = "stale postmaster.pid (dead, a stranger's pid, empty); a real live postmaster"
    measures = (Measure("starts in"), Measure("a live one is named after", 1.0))

    async def try_once(self, attempt: Attempt) -> Figures:
        match attempt.number % 4:
            case 0:
                with subprocess.Popen(["true"]) as gone:
                    pass
                self._leave(gone.pid)
            case 1:
                with subprocess.Popen(["sleep", "600"]) as stranger:
                    try:
                        self._leave(stranger.pid)
                        took = await self.starts()
                        expect(stranger.poll() is None, "the stranger whose pid it was is gone")
                    finally:
                        stranger.kill()
                return {"starts in": took}
            case 2:
                content = attempt.rng.choice(("", "\n", "soup\n", self.written[:3], "999999999\n"))
                self._write(content)
            case _:
                return await self._live(attempt)
        return {"starts in": await self.starts()}

    def _leave(self, pid: int) -> None:
        lines = self.written.splitlines()
        lines[0] = str(pid)
        self._write("\n".join(lines) + "\n")

    def _write(self, content: str) -> None:
        file = self.folder / "postmaster.pid"
        file.write_text(content)
        file.chmod(0o600)
        owner = self.folder.stat()
        os.chown(file, owner.st_uid, owner.st_gid)

    async def _live(self, attempt: Attempt) -> Figures:
        """Somebody else's server: not started by us, and without our lock."""
        driver = self.service.driver
        await driver.prepare(no_progress)
        plan = await driver.plan()
        sockets = attempt.folder / "sockets"
        sockets.mkdir(mode=0o777)
        sockets.chmod(0o777)
        others = (f"port={free_port()}", f"unix_socket_directories={sockets}")
        argv = (*plan.argv, "-c", others[0], "-c", others[1])
        theirs = await attempt.bench.launcher.launch(replace(plan, argv=argv, lock_file=None))
        lock = self.folder / "postmaster.pid"
        try:
            await until(lambda: lock.exists() and "ready" in lock.read_text())
            if attempt.rng.random() < 0.3:
                lock.write_text("")
            began = time.monotonic()
            error = await self.service.refused()
            took = time.monotonic() - began
            expect(error.code == "data-in-use", f"the reason told is {error.code}")
            expect(str(theirs.pid) in error.message, f"it is not named: {error.message}")
            expect(proc.is_alive(theirs.pid, None), "it is gone")
        finally:
            await theirs.stop()
        return {"a live one is named after": took}


class DamagedFolder(_KeptPostgres):
    """Refused with reason and cure, and not touched; put right, it serves what it held."""

    number = 10
    title = "corrupt pg_control, wrong PG_VERSION, missing folder, mode 0755, another's folder"
    measures = (Measure("told after", 1.0),)

    async def try_once(self, attempt: Attempt) -> Figures:
        match attempt.number % 5:
            case 0:
                damage, code = self._control(attempt), "data-corrupt"
            case 1:
                content = attempt.rng.choice(("11\n", "9.6\n", "99\n"))
                damage, code = self._replaced("PG_VERSION", content.encode()), "data-wrong-version"
            case 2:
                damage, code = self._missing(), "data-missing"
            case 3:
                # This one we put right ourselves: it is the owner's own folder, and only too open.
                self.folder.chmod(attempt.rng.choice((0o755, 0o777, 0o750, 0o500)))
                await self.starts()
                mode = self.folder.stat().st_mode & 0o777
                expect(mode == 0o700, f"it serves from a folder of mode {mode:o}")
                return {}
            case _:
                damage, code = self._somebody_elses(attempt), "data-wrong-owner"
        with damage:
            before = fingerprint(self.folder)
            began = time.monotonic()
            try:
                error = await self.service.refused()
            finally:
                if self.service.state is not ServiceState.FAILED:
                    await self.service.stop()
            took = time.monotonic() - began
            expect(error.code == code, f"the reason told is {error.code}, not {code}: {error}")
            expect(str(self.folder) in error.message + error.hint, f"no folder is named: {error}")
            expect(fingerprint(self.folder) == before, "the folder was touched")
        if attempt.number % 10 < 5:
            await self.starts()
        return {"told after": took}

    @contextmanager
    def _replaced(self, name: str, content: bytes) -> Iterator[None]:
        file = self.folder / name
        whole = file.read_bytes()
        file.write_bytes(content)
        try:
            yield
        finally:
            file.write_bytes(whole)

    @contextmanager
    def _control(self, attempt: Attempt) -> Iterator[None]:
        whole = (self.folder / "global" / "pg_control").read_bytes()
        used = len(whole.rstrip(b"\0"))
        damaged = bytearray(whole)
        kind = attempt.rng.choice(("flipped", "cut", "zeros"))
        if kind == "flipped":
            damaged[attempt.rng.randrange(used)] ^= 1 << attempt.rng.randrange(8)
        elif kind == "cut":
            del damaged[attempt.rng.randrange(used) :]
        else:
            damaged = bytearray(len(whole))
        with self._replaced("global/pg_control", bytes(damaged)):
            yield

    @contextmanager
    def _missing(self) -> Iterator[None]:
        elsewhere = self.folder.with_name("elsewhere")
        folder = self.folder
        folder.rename(elsewhere)
        try:
            yield
        finally:
            made_anew = folder.exists()
            if made_anew:
                shutil.rmtree(folder)
            elsewhere.rename(folder)
        expect(not made_anew, "new databases were made in the place of those missing")

    @contextmanager
    def _somebody_elses(self, attempt: Attempt) -> Iterator[None]:
        """As root, a part that was given to another user; as a user, a folder of root's."""
        if attempt.bench.is_root:
            part = self.folder / attempt.rng.choice(("base", "global", "PG_VERSION", "pg_wal"))
            owner = part.stat()
            os.chown(part, 23456, 23456)
            try:
                yield
            finally:
                os.chown(part, owner.st_uid, owner.st_gid)
            return
        elsewhere, folder = self.folder.with_name("elsewhere"), self.folder
        folder.rename(elsewhere)
        folder.symlink_to(attempt.rng.choice(("/usr/share", "/usr/lib", "/etc")))
        try:
            yield
        finally:
            folder.unlink()
            elsewhere.rename(folder)


def fingerprint(folder: Path) -> list[tuple[str, int, int, int, int]]:
    """Changes with any name, size, mode, owner or change in ``folder``."""
    look: Callable[[Path], os.stat_result] = os.lstat
    found = []
    for parent, _, names in os.walk(folder):
        for name in (*names, "."):
            path = Path(parent, name)
            seen = look(path)
            found.append((str(path), seen.st_mode, seen.st_uid, seen.st_size, seen.st_mtime_ns))
    return sorted(found)
