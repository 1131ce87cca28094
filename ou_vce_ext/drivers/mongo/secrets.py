"""The private files of a MongoDB service: the key of its replica set, the student's password."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Final

from ...services.private_files import explain, make_private_folder, read_private, write_private
from ..identity import Account

_KEY: Final = re.compile(rb"[A-Za-z0-9+/=]{32,1000}")
_KEY_BYTES: Final = 48


def keep_key(path: Path, account: Account) -> str:
    """The key of the replica set, made where there is none yet, in a file for ``account`` only.

    It is bound to no data: a folder of databases that is carried elsewhere is served with the key
    of its new home. Raises VceError.
    """
    try:
        key = (read_private(path) or b"").strip()
    except OSError as error:
        raise explain(error, path) from error
    if not _KEY.fullmatch(key):
        key = base64.b64encode(os.urandom(_KEY_BYTES))
        keep_private(path, key)
    try:
        if path.stat().st_uid != account.uid:
            os.chown(path, account.uid, account.gid)
    except OSError as error:
        raise explain(error, path) from error
    return key.decode("ascii")


def keep_private(path: Path, content: bytes) -> None:
    """Have the first line of ``path`` be ``content``; its owner alone can read it.

    Raises VceError.
    """
    make_private_folder(path.parent, passable=True)
    try:
        if read_private(path) != content + b"\n":
            write_private(path, content + b"\n")
    except OSError as error:
        raise explain(error, path) from error
