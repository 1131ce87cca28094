"""The house: the folders, ports and secrets that services live with, and who holds its key.

Everything here is quick and synchronous, since it happens while the server starts. Only
:meth:`House.open` raises; nothing is ever written by a Jupyter that does not hold the lock.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from ..errors import VceError
from ..models import ServiceError, ServiceSpec, Site
from ..oserrors import why
from ..sentences import say
from .house_lock import HouseLock
from .kept_ports import KeptPorts
from .private_files import (
    SAFE,
    explain,
    hand_over,
    make_folder,
    make_private_folder,
    read_private,
    write_private,
)
from .runtime_folder import candidates, claim_runtime_folder

OPENREFINE_FOLDER: Final = "openrefine_projects"
_SECRET: Final = re.compile(rb"[A-Za-z0-9_-]{20,200}")


class House:
    """One student's data folder on this machine.

    ``data_dir`` is private (0700; 0711 for root) and holds for each service NAME a folder
    ``NAME/``, for all of them ``logs/``, ``ports.json`` and ``house.lock``. ``runtime_dir`` is as
    private, short, and holds a folder for each service's sockets (80 bytes at most).

    Use: :meth:`open`, :meth:`acquire`, :meth:`reserve`, then :meth:`site` for each service;
    :meth:`touch` every 30 s or less; :meth:`release` at the end.
    """

    def __init__(
        self, *, root_dir: Path, data_dir: Path, base_url: str, log: logging.Logger
    ) -> None:
        self.root_dir = Path(os.path.abspath(root_dir))
        # One folder has one lock and one name, by whichever links it was reached.
        self.data_dir = Path(os.path.realpath(os.path.expanduser(data_dir)))
        self.runtime_dir = next(candidates(self.data_dir, os.environ), self.data_dir / "run")
        self.base_url = base_url
        self._log = log
        self._opened = False
        self._lock = HouseLock(self.data_dir / "house.lock", self.root_dir)
        self._ports = KeptPorts(self.data_dir / "ports.json", log)
        self._declared: dict[str, int] = {}
        self._secrets: dict[Path, str] = {}
        self._unkept: set[Path] = set()

    @property
    def logs_dir(self) -> Path:
        """Where services' logs are."""
        return self.data_dir / "logs"

    @property
    def keeper_log(self) -> Path:
        """Where the keepers' parent writes what should never happen."""
        return self.logs_dir / "keepers.log"

    # -- the door --------------------------------------------------------------------------------

    def open(self) -> None:
        """Make the folders, and see that their file systems can hold databases.

        Raises VceError (``folder-unsuitable``, ``data-unwritable``, ``data-wrong-owner``,
        ``disk-full``) with the cause and the cure; it may be called again once that is done.
        """
        make_private_folder(self.data_dir, passable=True)
        self._try_writing()
        make_private_folder(self.logs_dir)
        self.runtime_dir = claim_runtime_folder(self.data_dir, os.environ, self._log)
        self._opened = True

    def acquire(self) -> ServiceError | None:
        """Become the owner of this house, at once; or say who is. May be called again."""
        error = self._lock.acquire()
        if error is None and self._opened:
            # What was chosen while another Jupyter held the house has been told to kernels.
            self._ports.save()
            for path in list(self._unkept):
                self._keep_secret(path)
        return error

    def gate(self) -> ServiceError | None:
        """Why no service may start now, or None; tries again what has failed before."""
        try:
            if not self._opened:
                self.open()
        except VceError as failure:
            return ServiceError(failure.code, failure.message, failure.hint)
        return self.acquire()

    def touch(self) -> ServiceError | None:
        """Tell other machines that we are alive; say so where the house has been lost to one."""
        if self._opened and not os.path.isdir(self.runtime_dir):
            self._log.warning("%s has been deleted, and is made again", self.runtime_dir)
            try:
                self.runtime_dir = claim_runtime_folder(self.data_dir, os.environ, self._log)
            except VceError as failure:
                self._log.error("%s %s", failure.message, failure.hint)
        return self._lock.touch()

    def release(self) -> None:
        """Give the house up."""
        self._lock.release()

    def _try_writing(self) -> None:
        """Raise VceError unless a private file can be written here and made to last."""
        # Another Jupyter may be trying at this very moment.
        probe = self.data_dir / f".try-{secrets.token_hex(4)}"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(probe, flags, 0o600)
            try:
                hand_over(descriptor, self.data_dir)
                os.write(descriptor, bytes(4096))
                status = os.fstat(descriptor)
            finally:
                os.close(descriptor)
                probe.unlink()
            if status.st_mode & 0o077 or status.st_uid != self.data_dir.stat().st_uid:
                raise VceError(
                    "folder-unsuitable",
                    say(
                        "The file system of {folder} does not keep a file's owner and "
                        "permissions, "
                        "as databases need. {safe}",
                        folder=self.data_dir,
                        safe=SAFE,
                    ),
                    say("Set VCE_DATA_DIR to a folder on a Linux file system and restart Jupyter."),
                )
            self._try_fsync()
        except OSError as error:
            raise explain(error, self.data_dir) from error

    def _try_fsync(self) -> None:
        # Asked of a file with nothing to write, it costs nothing where it works.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.data_dir / "house.lock", flags, 0o600)
        try:
            hand_over(descriptor, self.data_dir)
            os.fsync(descriptor)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise VceError(
                "folder-unsuitable",
                say(
                    "The file system of {folder} cannot make sure that data is written "
                    "({reason}), as databases need. {safe}",
                    folder=self.data_dir,
                    reason=why(error),
                    safe=SAFE,
                ),
                say("Set VCE_DATA_DIR to a folder on a Linux file system and restart Jupyter."),
            ) from error
        finally:
            os.close(descriptor)

    # -- the rooms -------------------------------------------------------------------------------

    def reserve(self, specs: Iterable[ServiceSpec]) -> None:
        """Learn which ports are declared, so that none of them is chosen for another service."""
        for spec in specs:
            port = _declared_port(spec)
            if port is not None and not spec.problem:
                self._declared[spec.name] = port

    def site(self, spec: ServiceSpec, *, wants_port: bool) -> Site:
        """Where ``spec`` lives. Never raises, and answers the same for as long as we live.

        A service that ``wants_port`` is given a port that is kept for good and a generated secret,
        unless its declaration has its own; one that others run (``external``) is given neither.
        Without the lock, what has been kept is read and nothing is written.
        """
        self.reserve([spec])
        private_dir = self.data_dir / spec.name
        if self._may_write and (error := self.trouble(spec.name)):
            self._log.error("%s: %s %s", spec.name, error.message, error.hint)
        wants_port = wants_port and not spec.external
        declared = spec.options.get("password")
        secret = declared if isinstance(declared, str) else ""
        if wants_port and not secret:
            secret = self._secret(private_dir / "secret")
        return Site(
            name=spec.name,
            root_dir=self.root_dir,
            data_dir=self._data_dir(spec, private_dir),
            private_dir=private_dir,
            runtime_dir=self.runtime_dir / spec.name,
            log_file=self.logs_dir / f"{spec.name}.log",
            base_url=self.base_url,
            port=_declared_port(spec) or (self._port(spec.name) if wants_port else None),
            secret=secret,
        )

    def trouble(self, name: str) -> ServiceError | None:
        """Make the folders of service ``name``; why they cannot be used, or None."""
        try:
            make_private_folder(self.data_dir / name, passable=True)
            try:
                make_folder(self.runtime_dir / name, 0o700)
            except OSError as error:
                raise explain(error, self.runtime_dir / name) from error
        except VceError as failure:
            return ServiceError(failure.code, failure.message, failure.hint)
        return None

    @property
    def _may_write(self) -> bool:
        return self._opened and self._lock.held

    def _data_dir(self, spec: ServiceSpec, private_dir: Path) -> Path:
        if spec.data_dir:
            return Path(os.path.abspath(self.root_dir / os.path.expanduser(spec.data_dir)))
        if spec.kind == "openrefine":
            return self.root_dir / OPENREFINE_FOLDER
        return private_dir / "data"

    def _port(self, name: str) -> int | None:
        others = {port for service, port in self._declared.items() if service != name}
        return self._ports.port_for(name, others, keep=self._may_write)

    def _secret(self, path: Path) -> str:
        """The secret kept in ``path``, or a new one, kept there as soon as we may."""
        if path in self._secrets:
            return self._secrets[path]
        secret = self._read_secret(path)
        if secret is None:
            # Programs that are given it as an argument would take a leading hyphen for an option.
            secret = secrets.token_urlsafe(24)
            while secret.startswith("-"):
                secret = secrets.token_urlsafe(24)
            self._unkept.add(path)
        self._secrets[path] = secret
        if self._may_write and path in self._unkept:
            self._keep_secret(path)
        return secret

    def _read_secret(self, path: Path) -> str | None:
        try:
            content = read_private(path)
        except OSError as error:
            self._log.warning("%s cannot be read (%s): a new secret is made", path, error)
            return None
        if content is None:
            return None
        if not _SECRET.fullmatch(content.strip()):
            self._log.warning("%s holds no secret of ours: a new one is made", path)
            return None
        return content.strip().decode("ascii")

    def _keep_secret(self, path: Path) -> None:
        try:
            make_private_folder(path.parent, passable=True)
            write_private(path, self._secrets[path].encode() + b"\n")
        except (OSError, VceError) as error:
            self._log.warning("The secret cannot be kept in %s: %s", path, error)
        else:
            self._unkept.discard(path)

    # -- the students' folders -------------------------------------------------------------------

    def make_layout(self, folders: Sequence[str]) -> list[str]:
        """Make ``folders``, relative to root_dir, where they are missing; tell what could not be.

        What is there is never touched.
        """
        problems: list[str] = []
        for folder in folders:
            relative = PurePosixPath(folder)
            if relative.is_absolute() or ".." in relative.parts or not relative.parts:
                problems.append(
                    say(
                        "The folder '{folder}' is not made: it must be below the root.",
                        folder=folder,
                    )
                )
                continue
            path = self.root_dir / relative
            try:
                make_folder(path)
            except (OSError, ValueError) as error:
                problems.append(
                    say(
                        "The folder {path} cannot be made: {reason}. {safe}",
                        path=path,
                        reason=why(error),
                        safe=SAFE,
                    )
                )
        return problems


def _declared_port(spec: ServiceSpec) -> int | None:
    port = spec.options.get("port")
    return port if isinstance(port, int) and not isinstance(port, bool) else None
