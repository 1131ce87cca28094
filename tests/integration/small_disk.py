"""A file system of a test's own: small, so that it can be full, and gone afterwards."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(at: Path, kind: str, options: str) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """Mount a file system at ``at``; gives where it is seen, and a way to change its options.

    An ordinary user mounts it in a namespace of their own and looks in through /proc.
    """
    at.mkdir()
    command = ["mount", "-t", kind, "-o", options, kind, str(at)]
    if os.geteuid() == 0:
        if subprocess.run(command, check=False).returncode:
            pytest.skip("this root may not mount anything")

        def remount(changed: str) -> None:
            subprocess.run(["mount", "-o", f"remount,{changed}", str(at)], check=True)

        try:
            yield at, remount
        finally:
            subprocess.run(["umount", "--lazy", str(at)], check=True)
        return
    with subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--mount", "sh"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdin
        assert shell.stdout
        told = shell.stdout

        def run(line: str) -> None:
            assert shell.stdin
            shell.stdin.write(f"{line} && echo done || echo refused\n")
            shell.stdin.flush()
            if told.readline() != "done\n":
                pytest.skip(f"this user may not do so here: {line}")

        try:
            run(" ".join(command))
            seen = Path(f"/proc/{shell.pid}/root{at}")
            yield seen, lambda changed: run(f"mount -o remount,{changed} {at}")
        finally:
            shell.stdin.close()
