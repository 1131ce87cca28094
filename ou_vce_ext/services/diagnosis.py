"""Deaths and failures in words, where no driver knows better."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import VceError
from ..launch import Ending
from ..models import ServiceError
from .operations import OperationFailedError

_SIGNALS = {
    "SIGKILL": "it was killed from outside, as happens when the machine runs out of memory",
    "SIGSEGV": "it crashed (memory access error)",
    "SIGABRT": "it gave up because of an internal error",
    "SIGILL": "this computer's processor lacks an instruction that it needs",
    "SIGBUS": "it crashed (bus error), as happens when a disk is full or broken",
    "SIGTERM": "it was told to end by something outside JupyterLab",
    "SIGINT": "it was interrupted by something outside JupyterLab",
    "SIGHUP": "its session was closed by something outside JupyterLab",
}


def from_exception(failure: VceError, lines: Sequence[str]) -> ServiceError:
    """The service's error for a failure we foresaw."""
    if isinstance(failure, OperationFailedError):
        return failure.error
    return ServiceError(failure.code, failure.message, failure.hint, log_tail=tuple(lines))


def of_death(title: str, ending: Ending, lines: Sequence[str]) -> ServiceError:
    """What is to be said of a main process that ended without being asked."""
    hint = "The last lines of its log may say why. Your saved data is safe."
    if ending.keeper_lost:
        return ServiceError(
            "keeper-lost",
            f"{title} was ended because the small process that looks after it was killed.",
            "It is started again by itself. If this keeps happening, the machine may be out of "
            "memory.",
            log_tail=tuple(lines),
        )
    if ending.signal:
        words = _SIGNALS.get(ending.signal, f"it was ended by the signal {ending.signal}")
        code = "cpu-unsupported" if ending.signal == "SIGILL" else "killed"
        return ServiceError(
            code,
            f"{title} ended unexpectedly: {words}.",
            hint,
            signal=ending.signal,
            log_tail=tuple(lines),
        )
    if ending.exit_code in (126, 127):
        return ServiceError(
            "command-failed",
            f"{title} could not run its program (exit code {ending.exit_code}).",
            "Check the command in its declaration, and the last lines of its log.",
            exit_code=ending.exit_code,
            log_tail=tuple(lines),
        )
    code = "command-failed" if ending.exit_code else "died"
    return ServiceError(
        code,
        f"{title} ended by itself with exit code {ending.exit_code}.",
        hint,
        exit_code=ending.exit_code,
        log_tail=tuple(lines),
    )


def start_timeout(title: str, seconds: float, lines: Sequence[str]) -> ServiceError:
    """A start that took too long and was stopped."""
    return ServiceError(
        "start-timeout",
        f"{title} did not become ready within {seconds:.0f} seconds, so it was stopped again.",
        "Try again: a busy or slow computer may need longer. The last lines of its log may say "
        "more. Your saved data is safe.",
        log_tail=tuple(lines),
    )


def not_answering(title: str) -> ServiceError:
    """Alive, and not answering."""
    return ServiceError(
        "not-answering",
        f"{title} is running but does not answer.",
        "It may be busy: wait a moment. If it stays like this, stop and start it; it will be "
        "given time to save.",
    )
