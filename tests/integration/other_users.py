"""Running tests as somebody else, from a root whose folders are closed to them."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a container engine leaves to the root of a container, unless told otherwise.
CONTAINER_CAPABILITIES = (
    "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,"
    "sys_chroot,mknod,audit_write,setfcap"
)


def ordinary_user() -> pwd.struct_passwd:
    """A user with a name and no rights."""
    entries = sorted(pwd.getpwall(), key=lambda entry: entry.pw_uid)
    return next((e for e in entries if 1000 <= e.pw_uid < 60000), None) or pwd.getpwnam("nobody")


def as_user(uid: int, gid: int) -> list[str]:
    """The command that becomes a user, with nothing of root's left."""
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]


def as_container_root() -> list[str]:
    """The command that keeps root's name, and of its powers what a container has."""
    kept = f"-all,{CONTAINER_CAPABILITIES}".replace(",", ",+")
    return ["setpriv", f"--bounding-set={kept}"]


def run_tests(become: Sequence[str], tests: Sequence[str], owner: tuple[int, int]) -> None:
    """Run ``tests`` (arguments of pytest) behind the command ``become``; they must all pass."""
    run_python(become, ["-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], owner)


def run_python(become: Sequence[str], arguments: Sequence[str], owner: tuple[int, int]) -> str:
    """What Python prints behind the command ``become``; it must succeed."""
    with staged(become, owner) as stage:
        done = subprocess.run(
            stage.command(arguments),
            env=stage.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if "unshare failed" in done.stderr:
        pytest.skip(f"this root may not mount: {done.stderr.strip()}")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def staged(become: Sequence[str], owner: tuple[int, int]) -> Iterator[Stage]:
    """A place that everybody may pass, for whoever ``become`` makes of us, with a home for them."""
    folder = Path(tempfile.mkdtemp(prefix="vce-"))
    folder.chmod(0o711)
    try:
        (folder / "home").mkdir()
        os.chown(folder / "home", *owner)
        yield Stage(folder, become)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Stage:
    """Python, its packages and this checkout, shown at a place that everybody may pass."""

    def __init__(self, folder: Path, become: Sequence[str]) -> None:
        self._folder = folder
        self._become = become
        self.home = folder / "home"
        self._shown = {str(ROOT): folder / "checkout", sys.base_prefix: folder / "python"}
        packages = [path for path in sys.path if path.endswith("-packages")]
        self._shown |= {path: folder / f"packages{number}" for number, path in enumerate(packages)}
        # See jupyter_rig.
        self._lighter = self._shown[str(ROOT)] / "tests" / "lighter"
        for place in self._shown.values():
            place.mkdir()

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command that runs Python there, as whoever it is to be."""
        mounts = [f"mount --bind {shlex.quote(a)} {b}" for a, b in self._shown.items()]
        if os.path.exists("/dev/net/tun"):
            # As udev makes it, and some machines are without: open to every user.
            tun = self._folder / "tun"
            mounts.append(f"mknod -m 666 {tun} c 10 200 && mount --bind {tun} /dev/net/tun")
        program = Path(sys.executable).resolve().relative_to(sys.base_prefix)
        python = self._folder / "python" / program
        command = shlex.join([*self._become, str(python), *arguments])
        script = " && ".join([*mounts, f"cd {self._folder / 'checkout'}", f"exec {command}"])
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]

    @property
    def environment(self) -> dict[str, str]:
        """All that it is to have in its environment."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": ":".join(map(str, [self._lighter, *self._shown.values()])),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
            # Where Python itself is a shared library, its own and not one of the system.
            "LD_LIBRARY_PATH": str(self._folder / "python" / "lib"),
        }
