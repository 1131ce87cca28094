"""What can go wrong, in words a student can act on. No HTTP here: routes map these in one place."""

from __future__ import annotations

from collections.abc import Mapping


class VceError(Exception):
    """A foreseeable failure with a slug, a sentence that says what happened, and a way forward.

    ``code`` is one of the slugs listed in ``rest-api.yml``; ``message`` says what happened and what
    is safe; ``hint`` says what to do next.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class BadRequestError(VceError):
    """The request cannot be understood: nothing was done."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__("bad-request", message, hint)


class UnknownError(VceError):
    """There is no such service, operation or backup."""


class ConflictError(VceError):
    """Another operation is in the way; the message names it."""

    def __init__(self, message: str, hint: str = "", code: str = "conflict") -> None:
        super().__init__(code, message, hint)


class UnsuitableError(VceError):
    """A file is no backup of this service, or is broken: it was refused before anything else."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__("backup-unsuitable", message, hint)


class DefiniteError(VceError):
    """A start failed for a reason that trying again will not change."""


class DataInUseError(VceError):
    """A data folder is held by another process; ``holder`` is what its lock file says of it."""

    def __init__(self, message: str, hint: str, holder: Mapping[str, object]) -> None:
        super().__init__("data-in-use", message, hint)
        self.holder = holder
