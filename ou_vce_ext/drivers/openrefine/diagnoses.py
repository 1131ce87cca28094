"""What OpenRefine's ends and last words mean, in words a student can act on."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Final

from ...launch import Ending
from ...models import ServiceError
from ...sentences import say
from ...services.diagnosis import killed
from ...services.ports import port_in_use_error

_SIGNALLED: Final = {129: "SIGHUP", 130: "SIGINT", 143: "SIGTERM"}
"""Exit codes of a JVM that a signal told to end: it has saved before it did."""
_LAST_SAVE: Final = say("What was done in the last half minute or so may be missing.")
_SAVED: Final = say("Your saved projects are safe.")


def _out_of_memory(line: str) -> ServiceError:
    return ServiceError(
        "out-of-memory",
        say("OpenRefine ran out of the memory it may use. {last_save}", last_save=_LAST_SAVE),
        say(
            "Split the data into smaller projects, close projects you do not need, or have "
            "`memory` raised in this service's declaration."
        ),
    )


def _machine_out_of_memory(line: str) -> ServiceError:
    return ServiceError(
        "out-of-memory",
        say("The machine had no memory left for OpenRefine. {saved}", saved=_SAVED),
        say("Stop what you do not use (other services, notebooks' kernels), then start it again."),
    )


def _no_room(line: str) -> ServiceError:
    return ServiceError(
        "disk-full",
        say("The disk is full, so OpenRefine could not save. {last_save}", last_save=_LAST_SAVE),
        say("Delete large files you do not need, empty the bin, then start OpenRefine again."),
    )


def _closed(line: str) -> ServiceError:
    return ServiceError(
        "data-unwritable",
        say(
            "OpenRefine may not use one of its files: {line}. {saved}",
            line=line.strip()[:200],
            saved=_SAVED,
        ),
        say("Make the projects folder and all in it writable for the user Jupyter runs as."),
    )


def _java_too_old(line: str) -> ServiceError:
    return ServiceError(
        "program-unsuitable",
        say("This Java is too old for OpenRefine. {saved}", saved=_SAVED),
        say(
            "Install a newer one (`apt-get install default-jre-headless`), or declare "
            "`java` for this service."
        ),
    )


def _incomplete(line: str) -> ServiceError:
    return ServiceError(
        "program-unsuitable",
        say(
            "This OpenRefine is not complete: {line}. {saved}",
            line=line.strip()[:200],
            saved=_SAVED,
        ),
        say(
            "Install it again (`apt-get install --reinstall openrefine`), or correct "
            "`program` in this service's declaration."
        ),
    )


def _bad_option(line: str) -> ServiceError:
    return ServiceError(
        "config-invalid",
        say(
            "Java does not accept its settings: {line}. {saved}",
            line=line.strip()[:200],
            saved=_SAVED,
        ),
        say(
            "Correct `java_options` or `memory` in this service's declaration (or "
            "JAVA_TOOL_OPTIONS in the environment)."
        ),
    )


Explanation = Callable[[str], ServiceError]

# Compiled when one is first looked for: most servers never need to know.
_EXPLANATIONS: Final[Sequence[tuple[str, Explanation]]] = (
    ("insufficient memory for the Java Runtime", _machine_out_of_memory),
    ("Could not reserve enough space", _machine_out_of_memory),
    ("unable to create native thread|Cannot allocate memory", _machine_out_of_memory),
    (r"java\.lang\.OutOfMemoryError", _out_of_memory),
    ("No space left on device|Disk quota exceeded", _no_room),
    ("UnsupportedClassVersionError", _java_too_old),
    ("Could not find or load main class|NoClassDefFoundError", _incomplete),
    ("Failed to find web application", _incomplete),
    ("Unrecognized (?:VM )?option|Improperly specified VM option", _bad_option),
    ("Invalid (?:maximum|initial) heap size|Too small maximum heap", _bad_option),
    ("Initial heap size set to a larger", _bad_option),
    ("Multiple garbage collectors selected|Conflicting collector", _bad_option),
    ("AccessDeniedException|Permission denied", _closed),
)
_PORT: Final = re.compile(r"Failed to bind to|BindException|Address already in use")


_TOLD_LINES: Final = 20


def explain_lines(lines: Sequence[str], port: int, declared: bool) -> ServiceError | None:
    """What the last telling line means, or None where none tells."""
    for line in reversed(lines):
        if _PORT.search(line):
            error = port_in_use_error(port, declared)
            return ServiceError(error.code, error.message, error.hint)
        for pattern, explanation in _EXPLANATIONS:
            if re.search(pattern, line):
                return explanation(line)
    return None


def explain_ending(
    ending: Ending, lines: Sequence[str], port: int, declared: bool
) -> ServiceError | None:
    """Why OpenRefine ended, from how it did and what this run wrote; None where we cannot tell."""
    error = None if ending.keeper_lost else _explain(ending, lines, port, declared)
    if error is None:
        return None
    told = tuple(lines[-_TOLD_LINES:])
    return dataclasses.replace(
        error, exit_code=ending.exit_code, signal=ending.signal, log_tail=told
    )


def _explain(
    ending: Ending, lines: Sequence[str], port: int, declared: bool
) -> ServiceError | None:
    if ending.starved or ending.signal == "SIGKILL":
        return killed(
            "OpenRefine", ending, say("{last_save} All else is safe.", last_save=_LAST_SAVE)
        )
    signal = _SIGNALLED.get(ending.exit_code or 0)
    if signal:
        return ServiceError(
            "killed",
            say(
                "OpenRefine was told to end by something outside JupyterLab ({signal}). It "
                "saved before it did.",
                signal=signal,
            ),
            say("There is nothing to do."),
        )
    return explain_lines(lines, port, declared)
