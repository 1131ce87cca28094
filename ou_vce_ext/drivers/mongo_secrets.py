"""The private files of a MongoDB service: the key of its replica set, the student's password."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Final

from .postgres_diagnoses import explain_os_error
from .postgres_files import unsuitable
from .postgres_passfile import write_private_text

_KEY: Final = re.compile(r"[A-Za-z0-9+/=]{32,1000}")
_KEY_BYTES: Final = 48


def keep_key(path: Path) -> str:
    """The key of the replica set, made where there is none yet, in a file for its owner only.

    It is bound to no data: a folder of databases that is carried elsewhere is served with the key
    of its new home. Raises DefiniteError.
    """
    try:
        key = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if not _KEY.fullmatch(key):
        key = base64.b64encode(os.urandom(_KEY_BYTES)).decode("ascii")
    keep_private(path, key + "\n")
    return key


def keep_private(path: Path, text: str) -> None:
    """Have ``path`` hold ``text``, readable for its owner only. Raises DefiniteError."""
    try:
        write_private_text(path, text)
        mode = path.stat().st_mode
    except OSError as error:
        raise explain_os_error(error, path.parent) from error
    if mode & 0o077:
        # mongod refuses such a key, and a password would be everybody's.
        raise unsuitable(path.parent, "it does not keep file permissions")
