"""Whether what a desktop program is started with is there, and can open a window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ...models import ServiceError
from ...sentences import say
from ..web.programs import missing_program

_INSTALL_JAVA: Final = say(
    "Install it with `apt-get install default-jre` as the machine's administrator."
)
_WINDOWS_OF_JAVA: Final = ("lib/libawt_xawt.so", "jre/lib/amd64/libawt_xawt.so")


def missing_for(
    title: str, program: str, cwd: Path, environment: Mapping[str, str]
) -> ServiceError | None:
    """What is wrong with ``program`` as the first word of a command, or None."""
    lacking = missing_program(title, program, cwd, environment)
    if Path(program).name != "java":
        return lacking
    if lacking:
        if program != "java":
            return lacking
        return ServiceError(
            "program-missing",
            say("{title} needs Java, which is not installed.", title=title),
            _INSTALL_JAVA,
        )
    found = shutil.which(program, path=environment.get("PATH", os.defpath)) or str(cwd / program)
    home = Path(found).resolve().parent.parent
    # Where we do not know its layout, it is believed.
    if not (home / "lib" / "libawt.so").is_file():
        return None
    if any((home / library).exists() for library in _WINDOWS_OF_JAVA):
        return None
    return ServiceError(
        "program-unsuitable",
        say(
            "{title} needs a Java that can open windows, and this one ({home}) cannot: it "
            "is made for servers.",
            title=title,
            home=home,
        ),
        _INSTALL_JAVA,
    )
