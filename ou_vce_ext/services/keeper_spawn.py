"""Turning a fork of a keeper into the service. Standard library only."""

from __future__ import annotations

import json
import os
import signal
import sys

# Used by os.execvpe. Who has become another user may be unable to load it then.
import warnings  # noqa: F401
from collections.abc import Callable

from . import identity

_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)


def spawn(
    plan: dict,  # type: ignore[type-arg]
    lock: int,
    enter: Callable[[], None],
) -> tuple[int, int, dict | None]:  # type: ignore[type-arg]
    """Start the program of ``plan``; its pid, the end of its output, and why it could not be.

    ``lock`` is a descriptor it is to hold for as long as any process of it lives, or -1; ``enter``
    is called in it just before it becomes the program.
    """
    report, report_end = os.pipe()
    output, output_end = os.pipe()
    os.set_blocking(output, False)
    keeper = os.getpid()
    main = os.fork()
    if main == 0:
        _become(plan, keeper, output_end, report_end, lock, enter)
    os.close(report_end)
    os.close(output_end)
    trouble = b""
    while block := os.read(report, 4096):
        trouble += block
    os.close(report)
    if trouble:
        os.waitpid(main, 0)
        return main, output, json.loads(trouble)
    return main, output, None


def _become(
    plan: dict,  # type: ignore[type-arg]
    keeper: int,
    output: int,
    report: int,
    lock: int,
    enter: Callable[[], None],
) -> None:
    """In the forked child: turn into the service, or tell why not. Never returns."""
    try:
        os.setsid()
        steps = plan["stop"]
        first = getattr(signal, steps[0]["signal"]) if steps else signal.SIGTERM
        identity.die_with_parent(first)
        if os.getppid() != keeper:
            os._exit(1)
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.umask(plan["umask"])
        if plan["nice"]:
            os.nice(plan["nice"])
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if lock >= 0:
            os.set_inheritable(lock, True)
        enter()
        os.chdir(plan["cwd"])
        if plan.get("module"):
            _run(plan["module"], plan["argv"], report, {0, 1, 2, lock})
        os.execvpe(plan["argv"][0], plan["argv"], plan["env"])
    except Exception as error:
        told = {"errno": getattr(error, "errno", None), "path": getattr(error, "filename", None)}
        os.write(report, json.dumps(told, default=str).encode())
    finally:
        os._exit(127)


def _run(module: str, argv: list[str], report: int, kept: set[int]) -> None:
    """Be a module of ours in place of a program, with nothing of the keeper's at hand."""
    main = __import__(module, fromlist=["main"]).main
    # What exec would have closed. Its objects stay where they are: nobody returns to them.
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept | {report}:
            try:
                os.close(int(name))
            except OSError:
                pass
    os.close(report)
    try:
        main(argv)
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)
