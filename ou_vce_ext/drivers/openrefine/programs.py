"""Finding OpenRefine and a Java for it on this machine, without starting either."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from ...models import ServiceError
from ...sentences import say

DEBIAN: Final = Path("/usr/share/openrefine")
OLDEST_JAVA: Final = 11
"""What OpenRefine's own launcher insists on, whatever its classes would run on."""

_MAIN_CLASS: Final = "com/google/refine/Refine.class"
_LIBRARIES: Final = ("server/target/lib", "server")
_WEBAPPS: Final = ("webapp", "main/webapp")
_JAVA_PLACES: Final = ("usr/lib/jvm/*", "Library/Java/JavaVirtualMachines/*/Contents/Home")
_VERSION: Final = re.compile(r'^JAVA_VERSION="?(?:1\.)?(\d+)', re.MULTILINE)
_POM: Final = re.compile(r"META-INF/maven/org\.openrefine/[^/]+/pom\.properties")
_RELEASE: Final = re.compile(r"^version=(\S+)", re.MULTILINE)
_JAVA_RELEASE: Final = re.compile(r'^JAVA_VERSION="?([^"\s]+)', re.MULTILINE)
_CLASS_VERSION_OF_JAVA_0: Final = 44
_INSTALL: Final = say(
    "Install it with `apt-get install openrefine` as the machine's administrator, "
    'or unpack it anywhere and declare `program = "/path/to/openrefine"` for this '
    "service."
)
_INSTALL_JAVA: Final = say(
    "Install it with `apt-get install default-jre-headless` as the machine's "
    'administrator, or declare `java = "/path/to/java"` for this service.'
)


class Distribution(NamedTuple):
    """An unpacked OpenRefine: its folder, the jar with its main class, and its web pages."""

    folder: Path
    jar: Path
    webapp: Path

    @property
    def classpath(self) -> str:
        """What java is to be told. The first part only exists in a developer's checkout."""
        return os.pathsep.join((str(self.folder / "server/classes"), str(self.jar.parent / "*")))

    @property
    def oldest_java(self) -> int:
        """The oldest major version of Java that can run it."""
        status = self.jar.stat()
        return max(OLDEST_JAVA, _class_version(str(self.jar), status.st_mtime_ns) or 0)

    @property
    def release(self) -> str | None:
        """Its release, such as ``3.6.2``, or None where it does not tell."""
        return _release(str(self.jar), self.jar.stat().st_mtime_ns)


class Java(NamedTuple):
    """A Java runtime. ``major`` is 17 for 17.0.15, 8 for 1.8.0, None where nobody can know."""

    program: Path
    major: int | None
    release: str = ""
    """The text of its ``release`` file, by which two builds can be told apart."""

    @property
    def version(self) -> str | None:
        """Its version in full, or None where nobody can know."""
        found = _JAVA_RELEASE.search(self.release)
        return found[1] if found else str(self.major) if self.major else None


def distribution_in(place: Path) -> Distribution | None:
    """The OpenRefine in a folder, or beside or behind the launcher ``place``; else None."""
    real = place.expanduser().resolve()
    if real.is_file():
        return distribution_in(real.parent) or distribution_in(
            real.parent.parent / "share" / "openrefine"
        )
    for webapp in (real / name for name in _WEBAPPS):
        if (webapp / "WEB-INF" / "web.xml").is_file():
            for library in _LIBRARIES:
                # Its name has changed from release to release; what does not is what is in it.
                for jar in sorted((real / library).glob("openrefine*.jar")):
                    if _class_version(str(jar), jar.stat().st_mtime_ns):
                        return Distribution(real, jar, webapp)
    return None


def find_distribution(configured: str | None = None) -> Distribution | None:
    """The declared OpenRefine and no other; else Debian's, else the PATH's. Or None."""
    if configured:
        return distribution_in(Path(configured))
    on_path = [Path(found) for name in ("openrefine", "refine") if (found := shutil.which(name))]
    return next(filter(None, map(distribution_in, (DEBIAN, *on_path))), None)


@lru_cache(maxsize=16)
def _class_version(jar: str, changed: int) -> int | None:
    """The Java version OpenRefine's main class is compiled for; None where ``jar`` has none."""
    try:
        with zipfile.ZipFile(jar) as archive, archive.open(_MAIN_CLASS) as file:
            head = file.read(8)
    except (OSError, KeyError, zipfile.BadZipFile):
        return None
    if not head.startswith(b"\xca\xfe\xba\xbe"):
        return None
    return int.from_bytes(head[6:8], "big") - _CLASS_VERSION_OF_JAVA_0


@lru_cache(maxsize=16)
def _release(jar: str, changed: int) -> str | None:
    """What whoever packed ``jar`` says its release is."""
    try:
        with zipfile.ZipFile(jar) as archive:
            for name in filter(_POM.fullmatch, archive.namelist()):
                if found := _RELEASE.search(archive.read(name).decode("utf-8", "replace")):
                    return found[1]
    except (OSError, zipfile.BadZipFile):
        pass
    return None


def java_at(place: Path) -> Java | None:
    """The Java that ``place`` names: its program, or the folder it is installed in. Or None."""
    place = place.expanduser()
    for program in (place, place / "bin" / "java"):
        if program.is_file() and os.access(program, os.X_OK):
            break
    else:
        return None
    real = program.resolve()
    for home in (real.parent.parent, real.parent.parent.parent):
        try:
            release = (home / "release").read_text("utf-8", "replace")
        except OSError:
            continue
        if found := _VERSION.search(release):
            return Java(real, int(found[1]), release)
    return Java(program, None)


def find_javas(configured: str | None, distribution: Distribution | None) -> list[Java]:
    """Every Java found, best first. A declared one is the only one."""
    places = [Path(configured)] if configured else _java_places(distribution)
    return list(dict.fromkeys(filter(None, map(java_at, places))))


def _java_places(distribution: Distribution | None) -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if distribution:
        yield distribution.folder / "server/target/jre"
    if program := shutil.which("java"):
        yield Path(program)
    for pattern in _JAVA_PLACES:
        yield from sorted(Path("/").glob(pattern), reverse=True)


def suits(java: Java, distribution: Distribution) -> bool:
    """Whether ``java`` can run it, as far as can be known without trying."""
    return java.major is None or java.major >= distribution.oldest_java


def choose_java(configured: str | None, distribution: Distribution) -> Java | None:
    """The first Java that can run it, or None."""
    javas = find_javas(configured, distribution)
    return next((java for java in javas if suits(java, distribution)), None)


def missing_program(program: str | None, java: str | None) -> ServiceError | None:
    """What is not installed, or is not good enough, and how to get it; else None."""
    distribution = find_distribution(program)
    if distribution is None and program:
        return ServiceError(
            "program-missing",
            say("{program}, declared as `program`, holds no OpenRefine.", program=program),
            say(
                "Correct `program` in the service's declaration: it names the folder that "
                "OpenRefine was unpacked in, with `server` and `webapp` in it."
            ),
        )
    if distribution is None:
        return ServiceError(
            "program-missing", say("OpenRefine is not installed on this machine."), _INSTALL
        )
    javas = find_javas(java, distribution)
    if not javas and java:
        return ServiceError(
            "program-missing",
            say("{java}, declared as `java`, is no Java that can be run.", java=java),
            say(
                "Correct `java` in the service's declaration: it names the program `java`, or "
                "the folder that Java is installed in."
            ),
        )
    if not javas:
        return ServiceError(
            "program-missing", say("OpenRefine needs Java, which is not installed."), _INSTALL_JAVA
        )
    if any(suits(found, distribution) for found in javas):
        return None
    best = max(javas, key=lambda found: found.major or 0)
    return ServiceError(
        "program-unsuitable",
        say(
            "OpenRefine needs Java {oldest} or newer; this machine has Java {found} ({program}).",
            oldest=distribution.oldest_java,
            found=best.major,
            program=best.program,
        ),
        _INSTALL_JAVA,
    )
