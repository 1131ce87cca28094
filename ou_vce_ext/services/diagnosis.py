"""Deaths and failures in words, where no driver knows better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import VceError
from ..launch import Ending
from ..models import ServiceError
from ..sentences import in_a_row, say
from .backoff import DEATHS_TO_FAIL, WINDOW
from .operations import OperationFailedError

_SIGNALS = {
    "SIGSEGV": say("it crashed (memory access error)"),
    "SIGABRT": say("it gave up because of an internal error"),
    "SIGILL": say("this computer's processor lacks an instruction that it needs"),
    "SIGBUS": say("it crashed (bus error), as happens when a disk is full or broken"),
    "SIGTERM": say("it was told to end by something outside JupyterLab"),
    "SIGINT": say("it was interrupted by something outside JupyterLab"),
    "SIGHUP": say("its session was closed by something outside JupyterLab"),
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
        code = "out-of-memory"
        message = say(
            "{title} was killed for using more memory than it may. {safe}", title=title, safe=safe
        )
        hint = say(
            "Work on less data at a time, or have `memory` raised in this service's declaration."
        )
    elif ending.starved == "machine":
        code = "out-of-memory"
        message = say(
            "{title} was killed because this computer ran out of memory. {safe}",
            title=title,
            safe=safe,
        )
        hint = say("Stop services and close notebooks you do not use, then go on.")
    else:
        code = "killed"
        message = say(
            "{title} was killed from outside JupyterLab (SIGKILL). {safe}", title=title, safe=safe
        )
        hint = say(
            "If it happens again, the computer may be short of memory: stop what you do "
            "not use, or ask for more."
        )
    return ServiceError(code, message, hint, exit_code=ending.exit_code, signal=ending.signal)


def of_death(title: str, ending: Ending, lines: Sequence[str]) -> ServiceError:
    """What is to be said of a main process that ended without being asked."""
    hint = say("The last lines of its log may say why. Your saved data is safe.")
    if ending.keeper_lost:
        return ServiceError(
            "keeper-lost",
            say(
                "{title} was ended because the small process that looks after it was killed.",
                title=title,
            ),
            say("If this keeps happening, the computer may be out of memory."),
            log_tail=tuple(lines),
        )
    if ending.starved or ending.signal == "SIGKILL":
        told = killed(title, ending, say("Your saved data is safe."))
        return replace(told, log_tail=tuple(lines))
    if ending.signal:
        why = _SIGNALS.get(ending.signal) or say(
            "it was ended by the signal {signal}", signal=ending.signal
        )
        code = "cpu-unsupported" if ending.signal == "SIGILL" else "killed"
        return ServiceError(
            code,
            say("{title} ended unexpectedly: {why}.", title=title, why=why),
            hint,
            signal=ending.signal,
            log_tail=tuple(lines),
        )
    if ending.exit_code in (126, 127):
        return ServiceError(
            "command-failed",
            say(
                "{title} could not run its program (exit code {code}).",
                title=title,
                code=ending.exit_code,
            ),
            say("Check the command in its declaration, and the last lines of its log."),
            exit_code=ending.exit_code,
            log_tail=tuple(lines),
        )
    code = "command-failed" if ending.exit_code else "died"
    return ServiceError(
        code,
        say(
            "{title} ended by itself with exit code {code}.",
            title=title,
            code=ending.exit_code,
        ),
        hint,
        exit_code=ending.exit_code,
        log_tail=tuple(lines),
    )


def starting_again(error: ServiceError) -> ServiceError:
    """The same, where it is about to be started again."""
    return replace(error, hint=in_a_row((say("It is started again by itself."), error.hint)))


def gave_up(error: ServiceError) -> ServiceError:
    """The same, where it has ended too often to be started again."""
    return replace(
        error,
        message=say(
            "{message} It ended {times} times within {seconds:.0f} seconds, so it is left "
            "stopped until you start it.",
            message=error.message,
            times=DEATHS_TO_FAIL,
            seconds=WINDOW,
        ),
    )


def start_timeout(title: str, seconds: float, lines: Sequence[str]) -> ServiceError:
    """A start that took too long and was stopped."""
    return ServiceError(
        "start-timeout",
        say(
            "{title} did not become ready within {seconds:.0f} seconds, so it was stopped again.",
            title=title,
            seconds=seconds,
        ),
        say(
            "Try again: a busy or slow computer may need longer. The last lines of its log "
            "may say more. Your saved data is safe."
        ),
        log_tail=tuple(lines),
    )


def not_answering(title: str) -> ServiceError:
    """Alive, and not answering."""
    return ServiceError(
        "not-answering",
        say("{title} is running but does not answer.", title=title),
        say(
            "It may be busy: wait a moment. If it stays like this, stop and start it; it "
            "will be given time to save."
        ),
    )
