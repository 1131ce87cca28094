"""One Jupyter's dealings with a house, in a process of its own, as whichever user.

Reads requests from standard input and answers each with one line, both JSON. Everything is imported
before the user is changed: another user may not be able to read where Python lies.
"""

import codecs
import json
import logging
import os
import pwd
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ou_vce_ext.config.declarations import load_specs
from ou_vce_ext.errors import VceError
from ou_vce_ext.models import ServiceError, ServiceSpec
from ou_vce_ext.services import house, house_lock, kept_ports, ports, private_files, proc
from ou_vce_ext.services.house import House

USED = (pwd, socket, house, house_lock, kept_ports, ports, private_files, proc)
CODECS = [codecs.lookup(name) for name in ("ascii", "utf-8-sig")]


def told(error: VceError | ServiceError | None) -> Any:
    return error and {"code": error.code, "message": error.message, "hint": error.hint}


class Home:
    """The requests that can be made."""

    def __init__(self, data: str, root: str) -> None:
        self.house = House(
            root_dir=Path(root),
            data_dir=Path(data),
            base_url="/",
            log=logging.getLogger(),
        )

    def open(self) -> Any:
        try:
            self.house.open()
        except VceError as failure:
            return told(failure)
        return None

    def acquire(self) -> Any:
        return told(self.house.acquire())

    def gate(self) -> Any:
        return told(self.house.gate())

    def trouble(self) -> Any:
        return told(self.house.trouble("postgres"))

    def site(self) -> Any:
        spec = ServiceSpec("postgres", "postgres", "PostgreSQL")
        site = self.house.site(spec, wants_port=True)
        return {
            "port": site.port,
            "secret": site.secret,
            "runtime_dir": str(site.runtime_dir),
            "private_dir": str(site.private_dir),
        }

    def layout(self) -> Any:
        return self.house.make_layout(["notebooks", "backups/postgres-backup"])

    def config(self) -> Any:
        specs, problems = load_specs([self.house.root_dir], None, {}, {"web": {}})
        return {"specs": len(specs), "problems": [str(problem) for problem in problems]}

    def release(self) -> Any:
        self.house.release()

    def fork(self) -> Any:
        """Leave a forked child behind, and one that was exec'ed, that both outlive us."""
        child = os.fork()
        if child == 0:
            os.close(0)
            os.close(1)
            time.sleep(600)
            os._exit(0)
        with subprocess.Popen(
            ["/bin/sleep", "600"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as other:
            other.returncode = 0  # not to be waited for
            return [child, other.pid]


def main() -> None:
    uid = int(sys.argv[1])
    home = Home(sys.argv[2], sys.argv[3])
    if uid != os.geteuid():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    for line in sys.stdin:
        answer: Callable[[], Any] = getattr(home, line.strip())
        sys.stdout.write(json.dumps(answer()) + "\n")
        sys.stdout.flush()


main()
