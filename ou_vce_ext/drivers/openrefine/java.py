"""The command line that runs OpenRefine: what its own launcher would say, without its shell."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ..base import scrubbed_environment
from .programs import Distribution, Java

MAIN_CLASS: Final = "com.google.refine.Refine"
LIGHT: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""The quick compiler alone, and the collector that keeps least for itself."""

_MEGABYTE: Final = 1024**2
# To begin with more is no gain: what is not touched costs nothing, what is touched stays.
_FIRST_HEAP: Final = {"standard": 128 * _MEGABYTE, "light": 64 * _MEGABYTE}
_FORM_BYTES: Final = 64 * _MEGABYTE
_AUTOSAVE_MINUTES: Final = 1
_LOG_SETTINGS: Final = """\
# Written anew at each start. Debian's OpenRefine comes without any, and would say nothing at all.
log4j.rootLogger=INFO, out
log4j.logger.refine=WARN
log4j.logger.butterfly=WARN
log4j.logger.org.eclipse.jetty=WARN
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{HH:mm:ss} %-5p [%c{1}] %m%n
"""


class Run(NamedTuple):
    """One run of OpenRefine: with what, on which projects, and how large it may grow (bytes).

    ``private`` is a folder for what is nobody's work: temporary files, caches, crash reports.
    """

    java: Java
    distribution: Distribution
    projects: Path
    private: Path
    port: int
    heap: int
    profile: str = "standard"
    more: Sequence[str] = ()

    @property
    def temporary(self) -> Path:
        """Where uploads are unpacked; nothing in it outlives a run."""
        return self.private / "tmp"

    @property
    def log_settings(self) -> Path | None:
        """The file of settings for its log, or None where it brings its own."""
        own = _brings_log_settings(self.distribution)
        return None if own else self.private / "log4j.properties"

    def write_files(self) -> None:
        """Make the folders and files the command speaks of. Raises OSError."""
        self.temporary.mkdir(mode=0o700, exist_ok=True)
        if self.log_settings:
            self.log_settings.write_text(_LOG_SETTINGS, "utf-8")

    def command(self) -> tuple[str, ...]:
        """What to run. The address is loopback only, and strangers' Host headers are refused."""
        webapp = self.distribution.webapp
        heap = max(1, self.heap // _MEGABYTE)
        first = max(1, min(self.heap, _FIRST_HEAP[self.profile]) // _MEGABYTE)
        settings = {
            "refine.data_dir": self.projects,
            "refine.webapp": webapp,
            "refine.port": self.port,
            "refine.interface": "127.0.0.1",
            "refine.host": "127.0.0.1",
            "refine.headless": "true",
            "refine.autosave": _AUTOSAVE_MINUTES,
            "refine.display.new.version.notice": "false",
            "refine.verbosity": "info",
            "refine.memory": f"{heap}M",
            "refine.max_form_content_size": _FORM_BYTES,
            "python.path": webapp / "WEB-INF/lib/jython",
            "python.cachedir": self.private / "jython",
            "java.io.tmpdir": self.temporary,
            "file.encoding": "UTF-8",
        }
        if self.log_settings:
            settings["log4j.configuration"] = self.log_settings.as_uri()
        return (
            str(self.java.program),
            # An option that another make of Java does not know is no reason not to start.
            "-XX:+IgnoreUnrecognizedVMOptions",
            f"-Xms{first}M",
            f"-Xmx{heap}M",
            *(LIGHT if self.profile == "light" else ()),
            "-XX:-UsePerfData",
            "-XX:-CreateCoredumpOnCrash",
            f"-XX:ErrorFile={self.private / 'crash.log'}",
            *(f"-D{name}={value}" for name, value in settings.items()),
            *self.more,
            "-cp",
            self.distribution.classpath,
            MAIN_CLASS,
        )


def environment(extra: dict[str, str]) -> dict[str, str]:
    """What the program finds in its environment: nothing of Jupyter's, and names in UTF-8.

    Without a locale Java can open no file with an accent in its name.
    """
    env = scrubbed_environment(extra)
    chosen = next((env[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if env.get(name)), "C")
    if chosen in ("C", "POSIX"):
        env["LC_ALL"] = "C.UTF-8"
    return env


def _brings_log_settings(distribution: Distribution) -> bool:
    library = distribution.jar.parent
    if not any(library.glob("log4j-1.2*.jar")):
        return True
    if any(distribution.folder.glob("server/classes/log4j*")):
        return True
    try:
        with zipfile.ZipFile(distribution.jar) as jar:
            return any(name.startswith("log4j") for name in jar.namelist())
    except (OSError, zipfile.BadZipFile):
        return True
