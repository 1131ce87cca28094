"""Words in braces that stand in a web app's command for what is only known when it starts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from ...sentences import in_a_row, say

PLACEHOLDERS: Final[Mapping[str, str]] = {
    "port": "the TCP port to listen on",
    "socket": "the path of the unix socket to listen on, instead of a port",
    "data_dir": "the folder of its data",
    "base_url": "the path it is reached under, such as /vce/app/genie/",
    "root_dir": "Jupyter's root folder",
    "name": "the service's name",
}
"""Each placeholder, and what it is filled in with."""

# A shell's ${port} is the shell's; doubled braces are plain ones.
_PATTERN: Final = re.compile(r"\{\{|\}\}|(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}")


def used(texts: Iterable[str]) -> set[str]:
    """The words in braces that stand in ``texts``, known or not."""
    return {found[1] for text in texts for found in _PATTERN.finditer(text) if found[1]}


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each placeholder replaced; a word not in ``values`` stays as it is."""

    def replace(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return values.get(found[1], found[0])

    return _PATTERN.sub(replace, text)


def check_placeholders(command: Iterable[str]) -> str | None:
    """What is wrong with the placeholders in ``command``, as a sentence, or None."""
    for word in sorted(used(command)):
        if word not in PLACEHOLDERS:
            close = difflib.get_close_matches(word.lower(), PLACEHOLDERS, n=1)
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            return in_a_row(
                (
                    say("There is no placeholder {{{word}}}.", word=word),
                    say("Did you mean {{{word}}}?", word=close[0]) if close else "",
                    say(
                        "There are: {names}; for braces as such, write {{{{{word}}}}}.",
                        names=known,
                        word=word,
                    ),
                )
            )
    return None
