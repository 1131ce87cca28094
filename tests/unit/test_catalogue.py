"""Every sentence is one that can be translated, and the French catalogue has them all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .said import PACKAGE, Said, calls, catalogue, lacking, name_of, names, said

FRENCH = "fr_FR"
TOLD = (
    "VceError",
    "BadRequestError",
    "UnknownError",
    "ConflictError",
    "UnsuitableError",
    "DefiniteError",
    "DataInUseError",
    "RefusedError",
    "ServiceError",
    "Problem",
    "ConfigProblem",
    "progress",
    "removesuffix",
    "step",
    "guarded",
    "explained",
    "damaged",
    "_damaged",
    "no_dump",
    "_differs",
    "_refused",
    "BrokenTarError",
    "BrokenZipError",
    "BrokenProjectError",
)
"""What is given words that a person reads. (``removesuffix`` and its like forget the pattern.)"""
WORDS = re.compile(r"[A-Za-z]{2,}[,;:]? [A-Za-z{(`]")


def test_french_has_every_sentence() -> None:
    assert lacking(FRENCH) == []


def test_french_has_no_sentence_that_is_not_said() -> None:
    assert set(catalogue(FRENCH)) - {one.patterns[0] for one in said()} == set()


@pytest.mark.parametrize("one", said(), ids=lambda one: one.where)
def test_a_translation_names_what_its_sentence_names(one: Said) -> None:
    translation = catalogue(FRENCH)[one.patterns[0]]
    forms = [translation] if isinstance(translation, str) else translation

    assert len(forms) == (1 if len(one.patterns) == 1 else 2)
    known = {name for pattern in one.patterns for name in names(pattern)}
    # Without values a sentence is taken as it stands, braces and all.
    assert all(names(form) == known for form in forms[-1:])
    assert all(names(form) <= known for form in forms)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_what_people_are_told_can_be_translated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    bare = [
        f"{path.name}:{node.lineno}"
        for call in calls(tree, *TOLD)
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        for node in _words(argument)
    ]

    assert bare == []


def _words(node: ast.expr) -> Iterator[ast.expr]:
    """English in an argument that no ``say`` stands around."""
    match node:
        case ast.Constant(value=str(words)) if WORDS.search(words):
            yield node
        case ast.JoinedStr():
            yield node
        case ast.IfExp(body=body, orelse=other):
            yield from (*_words(body), *_words(other))
        case ast.BoolOp(values=values):
            for value in values:
                yield from _words(value)
        case ast.BinOp(left=left, right=right):
            yield from (*_words(left), *_words(right))
        case ast.Call(func=ast.Attribute(value=value)) if name_of(node.func) != "format":
            yield from _words(value)
        case _:
            return
