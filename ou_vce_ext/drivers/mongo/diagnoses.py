"""What a mongod's end and last words mean, in words a student can act on."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ...errors import VceError
from ...launch import Ending
from ...models import ServiceError
from ...sentences import say
from ...services.diagnosis import killed, of_death
from ...services.ports import port_in_use_error
from ...services.private_files import explain as explain_os_error
from .log import complaints, last_run, readable
from .programs import cpu_unsupported, library_missing

_TOLD_LINES: Final = 20


class Place(NamedTuple):
    """Where the mongod that ended was to run."""

    title: str
    folder: Path
    sockets: Path
    port: int
    port_declared: bool


Explanation = Callable[[str, Place], ServiceError]


def _from(error: VceError) -> ServiceError:
    return ServiceError(error.code, error.message, error.hint)


def _because(number: int) -> Explanation:
    """What a failed system call on the data folder means."""
    error = OSError(number, os.strerror(number))
    return lambda _, place: _from(explain_os_error(error, place.folder))


def _socket(text: str, place: Place) -> ServiceError:
    return ServiceError(
        "folder-unsuitable",
        say(
            "MongoDB could not make its socket in {folder}: {reason}. Your databases are safe.",
            folder=place.sockets,
            reason=text,
        ),
        say(
            "Set VCE_RUNTIME_DIR to a folder of your own with a short name, on a Linux "
            "file system, and restart Jupyter."
        ),
    )


def _library(text: str, place: Place) -> ServiceError:
    found = re.search(r"shared libraries: ([^:]+)", text)
    return library_missing(found[1] if found else say("a library"))


def _version(text: str, place: Place) -> ServiceError:
    found = re.search(r'version: "([0-9.]+)"', text)
    message = (
        say(
            "The databases in {folder} were made by MongoDB {version}, which this release cannot "
            "open. They have not been changed.",
            folder=place.folder,
            version=found[1],
        )
        if found
        else say(
            "The databases in {folder} were made by another release of MongoDB, which this release "
            "cannot open. They have not been changed.",
            folder=place.folder,
        )
    )
    return ServiceError(
        "data-wrong-version",
        message,
        say(
            "Have that release installed and name its `mongod` as `program` in the "
            "service's declaration, or restore a backup made with it."
        ),
    )


def _corrupt(text: str, place: Place) -> ServiceError:
    return ServiceError(
        "data-corrupt",
        say(
            "The databases in {folder} are damaged, and MongoDB cannot read them.",
            folder=place.folder,
        ),
        say(
            "Keep a copy of that folder, then restore your newest backup. If you have "
            "none, ask for help before anything else: much can often be saved."
        ),
    )


def _owner(text: str, place: Place) -> ServiceError:
    return ServiceError(
        "data-wrong-owner",
        say(
            "MongoDB may not use some of the files in {folder}: they belong to another "
            "user, or have lost their permissions. They are safe.",
            folder=place.folder,
        ),
        say("An administrator of this machine can give them back with chown -R."),
    )


def _in_use(text: str, place: Place) -> ServiceError:
    return ServiceError(
        "data-in-use",
        say(
            "Another MongoDB server still has the databases in {folder} open. They are safe.",
            folder=place.folder,
        ),
        say("Stop the other one first. One that is just ending needs a moment: start again then."),
    )


def _gone(text: str, place: Place) -> ServiceError:
    return ServiceError(
        "data-missing",
        say("The folder {folder} is gone.", folder=place.folder),
        say("Bring it back, or restore a backup."),
    )


def _memory(text: str, place: Place) -> ServiceError:
    return ServiceError(
        "out-of-memory",
        say(
            "{title} could not get the memory it asked for. Your databases are safe.",
            title=place.title,
        ),
        say("Stop what you do not use and start again, or declare a smaller `cache_mb`."),
    )


def _option(text: str, place: Place) -> ServiceError:
    return ServiceError(
        "program-unsuitable",
        say(
            "This MongoDB does not know what it was told to do ({reason}).",
            reason=text.removeprefix("Fatal: "),
        ),
        say(
            "Have MongoDB 4.4 or newer installed, or name another `mongod` as `program` in "
            "the service's declaration."
        ),
    )


# Compiled when one is first looked for: most servers never need to know.
_EXPLANATIONS: Final[Sequence[tuple[str, Explanation]]] = (
    (r"error while loading shared libraries", _library),
    (
        r"address already in use",
        lambda _, place: _from(port_in_use_error(place.port, place.port_declared)),
    ),
    (r"no space left|quota exceeded", _because(errno.ENOSPC)),
    (r"DBPathInUse|unable to lock the lock file", _in_use),
    (r"read-only file system", _because(errno.EROFS)),
    (r"wrong mongod version|featureCompatibilityVersion document", _version),
    (r"only supports major/minor versions|incompatible with current binary", _version),
    (r"permission denied|operation not permitted", _owner),
    (r"data directory .* not found|NonExistentPath", _gone),
    (r"must be a directory|socket path|failed to (set up|bind).*sock", _socket),
    (r"out of memory|cannot allocate memory|bad_alloc", _memory),
    (r"WT_PANIC|WT_TRY_SALVAGE|corruption|checksum error|--repair", _corrupt),
    (r"not appear to be a WiredTiger file|cursor not found|input/output error", _corrupt),
    (r"parsing command line|unrecognised option|unknown --setParameter", _option),
)
"""Causes before their consequences: a full disk also ends in a panic of WiredTiger."""


def explain(lines: Sequence[str], place: Place) -> ServiceError | None:
    """What the complaints in a run's lines mean, or None where none tells."""
    told = complaints(lines)
    for pattern, explanation in _EXPLANATIONS:
        for text in told:
            if re.search(pattern, text, re.IGNORECASE):
                return explanation(text, place)
    return None


def explain_ending(ending: Ending, lines: Sequence[str], place: Place) -> ServiceError:
    """Why a mongod ended, from how it did and what it wrote, with its last lines made readable."""
    run = last_run(lines)
    error = None
    if ending.signal == "SIGILL":
        error = cpu_unsupported()
    elif ending.starved or (ending.signal == "SIGKILL" and not ending.keeper_lost):
        safe = say("What was written is safe, and is recovered at the next start.")
        error = killed(place.title, ending, safe)
    elif not ending.keeper_lost:
        error = explain(run, place)
    return dataclasses.replace(
        error or of_death(place.title, ending, ()),
        exit_code=ending.exit_code,
        signal=ending.signal,
        log_tail=tuple(readable(run)[-_TOLD_LINES:]),
    )
