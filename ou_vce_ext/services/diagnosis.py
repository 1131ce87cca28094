"""Deaths and failures in words, where no driver knows better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import VceError
from ..launch import Ending
from ..models import ServiceError
from .backoff import DEATHS_TO_FAIL, WINDOW
from .operations import OperationFailedError

_SIGNALS = {
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


def killed(title: str, ending: Ending, safe: str) -> ServiceError:
    """A main process that was killed, or lost what it needs, from outside; ``safe`` tells of data.

    For an ``ending`` by SIGKILL, or one that was ``starved``.
    """
    if ending.starved == "limit":
        code, words = "out-of-memory", "killed for using more memory than it may"
        hint = "Work on less data at a time, or have `memory` raised in this service's declaration."
    elif ending.starved == "machine":
        code, words = "out-of-memory", "killed because this computer ran out of memory"
        hint = "Stop services and close notebooks you do not use, then go on."
    else:
        code, words = "killed", "killed from outside JupyterLab (SIGKILL)"
        hint = (
            "If it happens again, the computer may be short of memory: stop what you do not use, "
            "or ask for more."
        )
    return ServiceError(
        code,
        f"{title} was {words}. {safe}",
        hint,
        exit_code=ending.exit_code,
        signal=ending.signal,
    )


def of_death(title: str, ending: Ending, lines: Sequence[str]) -> ServiceError:
    """What is to be said of a main process that ended without being asked."""
    hint = "The last lines of its log may say why. Your saved data is safe."
    if ending.keeper_lost:
        return ServiceError(
            "keeper-lost",
            f"{title} was ended because the small process that looks after it was killed.",
            "If this keeps happening, the computer may be out of memory.",
            log_tail=tuple(lines),
        )
    if ending.starved or ending.signal == "SIGKILL":
        told = killed(title, ending, "Your saved data is safe.")
        return replace(told, log_tail=tuple(lines))
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


def starting_again(error: ServiceError) -> ServiceError:
    """The same, where it is about to be started again."""
    return replace(error, hint=f"It is started again by itself. {error.hint}".rstrip())


def gave_up(error: ServiceError) -> ServiceError:
    """The same, where it has ended too often to be started again."""
    return replace(
        error,
        message=f"{error.message} It ended {DEATHS_TO_FAIL} times within {WINDOW:.0f} seconds, so "
        "it is left stopped until you start it.",
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
