"""Folders and files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..errors import VceError
from ..oserrors import why
from ..sentences import say
from .ports import user_name

LARGEST: Final = 65_536
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
_NO_FOLDER: Final = (errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR)
SAFE: Final = say("Nothing has been changed, and notebooks work as usual.")


def explain(error: OSError, path: Path) -> VceError:
    """Why ``path``, or something to be made there, cannot be used, and the cure."""
    nearest = _nearest(path)
    if error.errno in _NO_ROOM:
        return VceError(
            "disk-full",
            say(
                "There is no room left on the disk (or in your quota) for {path}. {safe}",
                path=path,
                safe=SAFE,
            ),
            say("Delete what is not needed, empty the bin, then start the service again."),
        )
    if error.errno == errno.EROFS:
        return VceError(
            "data-unwritable",
            say(
                "The folder {folder} is on a file system that is read-only. {safe}",
                folder=nearest,
                safe=SAFE,
            ),
            say(
                "Make it writable, or set VCE_DATA_DIR to a folder that can be written to, and "
                "restart Jupyter."
            ),
        )
    if error.errno in _NO_FOLDER:
        return VceError(
            "folder-unsuitable",
            say(
                "{path} cannot be used as a folder: {reason}. {safe}",
                path=path,
                reason=why(error),
                safe=SAFE,
            ),
            say("Move what is in its place, then start the service again."),
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        owner = _owner(nearest)
        if owner is not None and owner != os.geteuid():
            return wrong_owner(nearest, owner)
        return VceError(
            "data-unwritable",
            say("The folder {folder} may not be written to. {safe}", folder=nearest, safe=SAFE),
            say("In a terminal: chmod -R u+rwX {folder}", folder=shlex.quote(str(nearest))),
        )
    return VceError(
        "data-unwritable",
        say(
            "{path} cannot be written: {reason}. {safe}",
            path=path,
            reason=why(error),
            safe=SAFE,
        ),
        say(
            "Check the disk, or set VCE_DATA_DIR to a folder that can be written to, and restart "
            "Jupyter."
        ),
    )


def wrong_owner(folder: Path, owner: int) -> VceError:
    """What to tell when ``folder`` belongs to another user."""
    me = user_name(os.geteuid()).removeprefix("uid ")
    return VceError(
        "data-wrong-owner",
        say(
            "The folder {folder} belongs to another user ({owner}), and Jupyter runs as {user}. "
            "{safe}",
            folder=folder,
            owner=user_name(owner),
            user=user_name(os.geteuid()),
            safe=SAFE,
        ),
        say(
            "An administrator can give it back: chown -R {user} {folder}. Or set VCE_DATA_DIR "
            "to a folder of your own and restart Jupyter.",
            user=me,
            folder=shlex.quote(str(folder)),
        ),
    )


def _nearest(path: Path) -> Path:
    """The first of ``path`` and the folders above it that exists."""
    for candidate in (path, *path.parents):
        with suppress(OSError):
            candidate.lstat()
            return candidate
    return path


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:
        return None


def hand_over(descriptor: int | Path, folder: Path) -> None:
    """Give what root makes in another user's folder to that user, who else could not use it."""
    if os.geteuid() != 0:
        return
    # Without the power to do so it stays root's, which is no worse than before.
    with suppress(OSError):
        status = folder.stat()
        if status.st_uid != 0:
            os.chown(descriptor, status.st_uid, status.st_gid)


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Make ``path`` and what is missing above it; what is there stays as it is. Raises OSError."""
    try:
        os.mkdir(path, mode)
    except FileNotFoundError:
        make_folder(path.parent)
        os.mkdir(path, mode)
    except OSError:
        if path.is_dir():
            return
        raise
    hand_over(path, path.parent)


def make_private_folder(path: Path, *, passable: bool = False) -> None:
    """Make ``path``, mode 0700, or close it to others where it is there and ours.

    With ``passable`` a folder of root's is made 0711: the accounts without rights that root's
    services run as may pass through to what is theirs, and still list nothing.

    Raises VceError: ``data-unwritable``, ``data-wrong-owner``, ``folder-unsuitable``,
    ``disk-full``.
    """
    try:
        make_folder(path, 0o700)
        status = path.stat()
        if os.geteuid() not in (0, status.st_uid):
            raise wrong_owner(path, status.st_uid)
        wanted = 0o711 if passable and status.st_uid == 0 else 0o700
        if stat.S_IMODE(status.st_mode) == wanted:
            return
        os.chmod(path, wanted)
        if stat.S_IMODE(path.stat().st_mode) & ~wanted & 0o777:
            raise VceError(
                "folder-unsuitable",
                say(
                    "The file system of {folder} cannot keep a folder closed to other users, as "
                    "databases need. {safe}",
                    folder=path,
                    safe=SAFE,
                ),
                say("Set VCE_DATA_DIR to a folder on a Linux file system and restart Jupyter."),
            )
    except OSError as error:
        raise explain(error, path) from error


def write_private(path: Path, content: bytes) -> None:
    """Write ``path``, mode 0600: after any crash it holds the old content or all of the new.

    Raises OSError. Only one process may write ``path`` at a time.
    """
    partial = path.with_name(f".{path.name}.partial")
    with suppress(FileNotFoundError):
        partial.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with open(os.open(partial, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            hand_over(file.fileno(), path.parent)
        os.rename(partial, path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` last, where its file system can. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems (as PostgreSQL found too) cannot, and lose nothing by it.
        if error.errno not in (errno.EINVAL, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def read_private(path: Path) -> bytes | None:
    """The content of a small file of ours, closed to others; None where there is none.

    Raises OSError where it is there and cannot be read, or is no file.
    """
    try:
        # Not to wait for the other end of a pipe, should it be one.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, say("it is not a file"))
        if status.st_mode & 0o077:
            with suppress(OSError):
                os.fchmod(descriptor, 0o600)
        return file.read(LARGEST)
