"""Run commands at the same time: `side_by_side.py COMMAND…`, each a line for the shell.

What the first one prints is seen as it comes; what the others print, once they have ended, each as
a whole. Exits 1 where one of them failed.
"""

import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import IO


def main(first: str, *others: str) -> int:
    """Run all of them to their ends and return the exit code."""
    with ExitStack() as stack:
        kept: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
        for command in others:
            output: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
            kept.append((start(command, output), output))
        failed = start(first, None).wait() != 0
        for process, output in kept:
            failed |= process.wait() != 0
            output.seek(0)
            shutil.copyfileobj(output, sys.stdout.buffer)
            sys.stdout.flush()
    return int(failed)


def start(command: str, output: IO[bytes] | None) -> "subprocess.Popen[bytes]":
    """Start a command that can ask nobody anything; `output` is ours where none is given."""
    return subprocess.Popen(
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
