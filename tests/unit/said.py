"""Finds every sentence in the package's source, so that tests can hold the catalogues to it.

``python -m tests.unit.said`` prints what the catalogues lack, ready to be translated.
"""

from __future__ import annotations

import ast
import json
import string
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import Environment, nodes

PACKAGE: Final = Path(__file__).parents[2] / "ou_vce_ext"
LOCALE: Final = PACKAGE / "locale"
Catalogue = Mapping[str, str | list[str]]


class Said(NamedTuple):
    """One call of ``say`` or ``say_many``: where, and its patterns (two where a number decides)."""

    where: str
    patterns: tuple[str, ...]


@cache
def said() -> tuple[Said, ...]:
    """Every sentence in the source and the pages."""
    return (
        *(one for path in sorted(PACKAGE.rglob("*.py")) for one in _in_python(path)),
        *(one for path in sorted(PACKAGE.rglob("templates/*.html")) for one in _in_page(path)),
    )


def catalogue(language: str) -> Catalogue:
    """All of a language's translations, by pattern. A pattern stands in one file only."""
    words: dict[str, str | list[str]] = {}
    for path in sorted((LOCALE / language / "server").glob("[!_]*.json")):
        part = json.loads(path.read_bytes())
        twice = words.keys() & part.keys()
        assert not twice, f"{path.name} repeats {twice}"
        words.update(part)
    return words


def lacking(language: str) -> list[Said]:
    """What has no translation in ``language`` yet."""
    known = catalogue(language)
    return [one for one in said() if one.patterns[0] not in known]


def names(pattern: str) -> set[str]:
    """The ``{names}`` in a pattern."""
    return {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}


def calls(tree: ast.AST, *functions: str) -> Iterator[ast.Call]:
    """Each call of one of ``functions``, by its bare name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) in functions:
            yield node


def name_of(function: ast.expr) -> str:
    """The bare name of what is called, or nothing."""
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def _in_python(path: Path) -> Iterator[Said]:
    relative = path.relative_to(PACKAGE).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for call in calls(tree, "say", "say_many"):
        if not isinstance(call.func, ast.Name):
            continue  # a keeper says things too, to its parent
        literals = call.args[: 1 if name_of(call.func) == "say" else 2]
        patterns = [ast.literal_eval(one) for one in literals]
        yield Said(f"{relative}:{call.lineno}", tuple(patterns))


def _in_page(path: Path) -> Iterator[Said]:
    relative = path.relative_to(PACKAGE).as_posix()
    tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ("say", "say_many"):
            literals = call.args[: 1 if call.node.name == "say" else 2]
            yield Said(f"{relative}:{call.lineno}", tuple(one.as_const() for one in literals))


if __name__ == "__main__":
    for missing in lacking("fr_FR"):
        sys.stdout.write(f"{missing.where} {json.dumps(missing.patterns, ensure_ascii=False)}\n")
    known = {one.patterns[0] for one in said()}
    sys.stdout.write(f"{len(lacking('fr_FR'))} are not translated; not in the source any more: ")
    sys.stdout.write(f"{sorted(catalogue('fr_FR').keys() - known)}\n")
