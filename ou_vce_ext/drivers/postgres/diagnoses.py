"""What PostgreSQL's ends and last words mean, in words a student can act on."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ...errors import DefiniteError
from ...launch import Ending
from ...models import ServiceError
from ...oserrors import why
from ...sentences import say
from ...services.diagnosis import killed
from ...services.ports import describe_port_owner
from .files import disk_full, unsuitable, unwritable


def explain_os_error(error: OSError, folder: Path) -> DefiniteError:
    """What a failed system call on ``folder`` means for a person."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(folder)
    reason = why(error)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
        return unwritable(folder, reason)
    return unsuitable(folder, reason)


def _told(code: str, message: str, hint: str) -> ServiceError:
    return ServiceError(code, message, hint)


def _from(error: DefiniteError) -> ServiceError:
    return ServiceError(error.code, error.message, error.hint)


_BACKUP = say(
    "Keep a copy of the folder, then restore your newest backup. If you have none, "
    "ask for help before anything else: much can often be saved."
)

Explanation = Callable[[re.Match[str], Path, int], ServiceError]


def _port_in_use(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    owner = describe_port_owner(port) or say("another program")
    return _told(
        "port-in-use",
        say("Port {port} is used by {owner}. Your databases are safe.", port=port, owner=owner),
        say(
            "Stop that program, or change `port` in this service's declaration and restart Jupyter."
        ),
    )


def _data_in_use(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _told(
        "data-in-use",
        say(
            "Another PostgreSQL server still has the databases in {folder} open. They are safe.",
            folder=folder,
        ),
        say("Stop the other one first. One that is just ending needs a moment: start again then."),
    )


def _disk_full(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _from(disk_full(folder))


def _shared_memory(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _told(
        "out-of-memory",
        say("PostgreSQL could not get the memory it asked for. Your databases are safe."),
        say(
            "Stop what you do not use and start again, or declare a smaller "
            "`shared_buffers` in this service's `settings`."
        ),
    )


def _corrupt(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _told(
        "data-corrupt",
        say("The databases in {folder} are damaged: {what}.", folder=folder, what=found[0]),
        _BACKUP,
    )


def _wrong_version(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _told(
        "data-wrong-version",
        say(
            "The databases in {folder} were made by another release of PostgreSQL. They "
            "have not been touched.",
            folder=folder,
        ),
        say("Install that release beside this one, or restore a backup made with it."),
    )


def _wrong_owner(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _told(
        "data-wrong-owner",
        say(
            "PostgreSQL may not use the databases in {folder}: {reason}. They are safe.",
            folder=folder,
            reason=found[0],
        ),
        say(
            "Files in it belong to another user, or have lost their permissions. An "
            "administrator can give them back with chown -R."
        ),
    )


def _read_only(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _from(unwritable(folder, say("the file system is read-only")))


def _unsuitable(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _from(unsuitable(folder, found[0].strip()))


def _root(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _told(
        "not-permitted",
        say("PostgreSQL refuses to run as root, and no other user could be taken for it."),
        say(
            "Run Jupyter as an ordinary user, or let root make user namespaces or change its user."
        ),
    )


def _nameless(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _told(
        "not-permitted",
        say(
            "The user that Jupyter runs as has no name on this machine, and PostgreSQL "
            "needs one to make its databases."
        ),
        say("Whoever runs this machine can add a line for that user to /etc/passwd."),
    )


def _setting(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _told(
        "config-invalid",
        say(
            "PostgreSQL does not accept a setting: {reason}. Your databases are safe.",
            reason=found[0],
        ),
        say(
            "Correct `settings` in this service's declaration, or postgresql.conf in the "
            "data folder."
        ),
    )


def _library(found: re.Match[str], folder: Path, port: int) -> ServiceError:
    return _told(
        "program-unsuitable",
        say("This PostgreSQL cannot run on this machine: {reason}.", reason=found[0]),
        say(
            "Install another one: `apt-get install postgresql`, or `pip install "
            '"ou-vce-ext[embedded]"`.'
        ),
    )


# Compiled when one is first looked for: most servers never need to know.
_EXPLANATIONS: Final[Sequence[tuple[str, Explanation]]] = (
    (r"could not (?:bind|listen on) IPv[46].*Address already in use", _port_in_use),
    (r"could not create any TCP/IP sockets", _port_in_use),
    (r'lock file "[^"]*\.s\.PGSQL\.\d+\.lock" already exists', _port_in_use),
    (r'lock file "[^"]*postmaster\.pid" already exists', _data_in_use),
    (r"pre-existing shared memory block .* still in use", _data_in_use),
    (r"could not resize shared memory segment", _shared_memory),
    (r"No space left on device|Disk quota exceeded|Check free disk space", _disk_full),
    (r"could not (?:create|map) (?:anonymous )?shared memory", _shared_memory),
    (r"database files are incompatible with server", _wrong_version),
    (r"incorrect checksum in control file", _corrupt),
    (r"control file contains invalid .*", _corrupt),
    (r"could not locate (?:a valid|required) checkpoint record.*", _corrupt),
    (r"invalid (?:primary|secondary|checkpoint) .*record.*", _corrupt),
    (r"could not (?:open|read|access) file \"global/[^\"]*\": No such file.*", _corrupt),
    (r"could not (?:load|open configuration file) \"?[^\"]*pg_hba\.conf.*", _corrupt),
    (r"data directory \"[^\"]*\" has wrong ownership", _wrong_owner),
    (r"data directory \"[^\"]*\" has invalid permissions", _wrong_owner),
    (r"Read-only file system", _read_only),
    (r"could not (?:open|access|create|read|write|stat) .*: Permission denied", _wrong_owner),
    (r'"root" execution of the PostgreSQL server is not permitted', _root),
    (r"cannot be run as root", _root),
    (r"could not look up effective user ID", _nameless),
    (r"Unix-domain socket path .* is too long", _unsuitable),
    (r"could not fsync .*: (?!No space).*", _unsuitable),
    (r"unrecognized configuration parameter .*", _setting),
    (r"invalid value for parameter .*", _setting),
    (r"error while loading shared libraries: .*", _library),
)


def explain_lines(lines: Sequence[str], folder: Path, port: int) -> ServiceError | None:
    """What the newest telling line means, or None where none tells."""
    for line in reversed(lines):
        for pattern, explanation in _EXPLANATIONS:
            if found := re.search(pattern, line):
                return explanation(found, folder, port)
    return None


def explain_ending(
    ending: Ending, lines: Sequence[str], folder: Path, port: int
) -> ServiceError | None:
    """Why a server ended, from how it did and what it wrote last; None where we cannot tell."""
    if ending.keeper_lost or ending.asked:
        return None
    if ending.starved or ending.signal == "SIGKILL":
        safe = say("What was committed is safe, and is recovered at the next start.")
        return killed("PostgreSQL", ending, safe)
    return explain_lines(lines, folder, port)
