"""Finding and reading the files in which services are declared. A file never raises."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ..oserrors import why
from ..sentences import in_a_row, say

DROP_IN_FOLDER = "vce.d"
LARGEST_FILE = 1_000_000


class ConfigProblem(NamedTuple):
    """One mistake in a declaration, for the log and the status page.

    ``source`` is the file (or the setting) it stands in, ``key`` such as ``services.genie.open``,
    ``message`` what is wrong, ``hint`` what is allowed. ``service`` names the service that shows
    the same mistake itself; None where no service can show it.
    """

    source: str
    key: str
    message: str
    hint: str
    service: str | None = None

    @property
    def place(self) -> str:
        """Where it stands: the file, and the key where it is one's."""
        if not self.key:
            return self.source
        return say("{source}: {key}", source=self.source, key=self.key)

    def __str__(self) -> str:
        """One line for the log."""
        return f"{self.place}: {self.message} {self.hint}".rstrip()


class Layer(NamedTuple):
    """What one source declares: service name -> whatever was written there.

    ``folder`` is where its relative file names start from; None for what stands in no file.
    ``branding`` is whatever was written under that name, a table where it is right.
    """

    source: str
    services: Mapping[str, object]
    folder: Path | None = None
    branding: object = MappingProxyType({})


def read_files(
    folders: Sequence[Path], config_file: Path | None
) -> tuple[list[Layer], list[ConfigProblem]]:
    """Read ``vce.d/*.toml`` of each folder (lowest priority first), then ``config_file``.

    Names that begin with a dot are left out: editors keep their own files under such names. A
    folder that is not there is no mistake; a ``config_file`` that is not there is one.
    """
    layers: list[Layer] = []
    problems: list[ConfigProblem] = []
    seen: set[Path] = set()
    for folder in folders:
        drop_in = folder / DROP_IN_FOLDER
        try:
            names = sorted(path for path in drop_in.iterdir() if _counts(path.name))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            problems.append(_unreadable(drop_in, error))
            continue
        for path in names:
            # Jupyter's path may name one folder twice: read again, it would win by accident.
            if path not in seen:
                seen.add(path)
                _read(path, layers, problems)
    if config_file is not None:
        _read(config_file, layers, problems)
    return layers, problems


def _counts(name: str) -> bool:
    return name.endswith(".toml") and not name.startswith(".")


def _read(path: Path, layers: list[Layer], problems: list[ConfigProblem]) -> None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            # A named pipe would keep the server from starting.
            problems.append(_not_read(path, say("This is not a file.")))
            return
        if status.st_size > LARGEST_FILE:
            problems.append(_not_read(path, say("The file is larger than 1 MB.")))
            return
        # Some Windows editors put a byte order mark in front.
        text = path.read_bytes().decode("utf-8-sig")
        declared = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problems.append(
            _not_read(
                path, say("Line {line} is not UTF-8 text.", line=line), say("Save it as UTF-8.")
            )
        )
        return
    except OSError as error:
        problems.append(_unreadable(path, error))
        return
    except RecursionError:
        problems.append(_not_read(path, say("Its lists or tables are nested too deeply.")))
        return
    except ValueError as error:
        problems.append(_no_toml(path, text, error))
        return
    for key in declared:
        if key not in ("services", "branding"):
            problems.append(
                ConfigProblem(
                    str(path),
                    key,
                    say("There is no such key."),
                    say(
                        "At the top of the file only `services` and `branding` are allowed: a "
                        "service "
                        "is declared under [services.NAME], for instance [services.{key}].",
                        key=key,
                    ),
                )
            )
    services = declared.get("services", {})
    tables = services if isinstance(services, dict) else {}
    layers.append(Layer(str(path), tables, path.parent, declared.get("branding", {})))
    if not isinstance(services, dict):
        problems.append(
            ConfigProblem(
                str(path),
                "services",
                say("Must hold tables."),
                say("A service is declared under [services.NAME]."),
            )
        )


def _no_toml(path: Path, text: str, error: ValueError) -> ConfigProblem:
    reason = str(error)
    if "at end of document" in reason:
        lines = text.splitlines() or [""]
        place = f"at line {len(lines)}, column {len(lines[-1]) + 1}, the end of the file"
        reason = reason.replace("at end of document", place)
    return _not_read(
        path,
        say("This is not valid TOML: {reason}.", reason=reason),
        say("Correct that line. In TOML texts stand in quotes and tables under [services.NAME]."),
    )


def _not_read(path: Path, message: str, hint: str = "") -> ConfigProblem:
    return ConfigProblem(
        str(path),
        "",
        message,
        in_a_row((hint, say("Nothing in this file has been used."))),
    )


def _unreadable(path: Path, error: OSError | ValueError) -> ConfigProblem:
    return _not_read(
        path,
        say("The file cannot be read: {reason}.", reason=why(error)),
        say("Make sure that it exists and that Jupyter's user may read it."),
    )
