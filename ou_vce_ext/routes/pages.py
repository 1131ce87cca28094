"""The HTML pages of ours: where their templates are, and how they come to speak a language."""

from __future__ import annotations

from datetime import UTC
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, pass_context
from jinja2.runtime import Context

from ..sentences import Figure, Sentence, say, say_many
from ..sizes import in_words
from ..translation import Language
from . import status_words, words


def template(name: str) -> Template:
    """A page of ours. What it says is said in the ``language`` it is rendered with."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ou_vce_ext", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_in_language,
    )
    environment.filters.update(
        size=in_words,
        ago=words.ago,
        absolute=words.absolute,
        iso=lambda moment: moment.astimezone(UTC).isoformat(timespec="seconds"),
    )
    environment.globals.update(
        say=say,
        say_many=say_many,
        figure=Figure,
        state_words=status_words.STATE_WORDS,
        operation_words=status_words.OPERATION_WORDS,
        proof_words=status_words.PROOF_WORDS,
    )
    return environment


@pass_context
def _in_language(context: Context, value: object) -> object:
    language: Language = context["language"]
    return language.text(value) if isinstance(value, Sentence | Figure) else value
