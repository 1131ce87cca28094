"""Sentences remember how they were made, and are said again in the reader's language."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from ou_vce_ext.models import Json
from ou_vce_ext.sentences import Figure, Sentence, in_turn, say, say_many
from ou_vce_ext.translation import ENGLISH, Language, language

FRENCH = Language(
    tag="fr-FR",
    words={
        "Port {port} is used by {owner}.": "Le port {port} est utilisé par {owner}.",
        "another program": "un autre programme",
        "{count} table": ["{count} table", "{count} tables"],
        "It is safe. Nothing was done.": "Rien n’est perdu. Rien n’a été fait.",
        "{number} MB": "{number} Mo",
    },
    plural="n > 1",
    decimal=",",
)


def test_a_sentence_is_its_english_words() -> None:
    told = say("Port {port} is used by {owner}.", port=80, owner=say("another program"))

    assert told == "Port 80 is used by another program."
    assert json.loads(json.dumps({"message": told})) == {"message": str(told)}


def test_a_sentence_is_translated_with_the_sentences_in_it() -> None:
    told = say("Port {port} is used by {owner}.", port=80, owner=say("another program"))

    assert FRENCH.text(told) == "Le port 80 est utilisé par un autre programme."
    assert ENGLISH.text(told) == told


def test_words_that_are_no_sentence_stay_as_they_are() -> None:
    assert FRENCH.text("another program") == "another program"


def test_what_a_catalogue_lacks_stays_english() -> None:
    assert FRENCH.text(say("{title} is ready", title="Genie")) == "Genie is ready"
    assert FRENCH.text(say_many("{count} row", "{count} rows", 2)) == "2 rows"


def test_braces_in_values_and_in_words_without_values_are_left_alone() -> None:
    owner = "a {strange} name"

    assert owner in FRENCH.text(say("Port {port} is used by {owner}.", port=1, owner=owner))
    assert say("It may hold {socket}.") == "It may hold {socket}."


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [(0, "0 tables", "0 table"), (1, "1 table", "1 table"), (2, "2 tables", "2 tables")],
)
def test_each_language_has_its_own_plural(count: int, english: str, french: str) -> None:
    told = say_many("{count} table", "{count} tables", count)

    assert (told, FRENCH.text(told)) == (english, french)


def test_a_figure_takes_the_decimal_sign_of_the_language() -> None:
    assert FRENCH.text(say("{number} MB", number=Figure("4.2"))) == "4,2 Mo"


def test_what_is_done_to_the_words_is_done_to_the_translation() -> None:
    def first(words: str) -> str:
        return words.partition(". ")[0]

    told = in_turn(str.upper, in_turn(first, say("It is safe. Nothing was done.")))

    assert (told, FRENCH.text(told)) == ("IT IS SAFE", "RIEN N’EST PERDU")
    assert in_turn(first, "No. Sentence") == "No"


def test_a_whole_document_is_translated() -> None:
    body: Json = {
        "error": {"hint": say("another program"), "exit_code": 1},
        "list": [say("{x}", x=1)],
    }

    assert FRENCH.body(body) == {
        "error": {"hint": "un autre programme", "exit_code": 1},
        "list": ["1"],
    }


@pytest.mark.parametrize("again", [copy.deepcopy, lambda told: pickle.loads(pickle.dumps(told))])
def test_a_copy_is_as_good(again: object) -> None:
    told = say_many("{count} table", "{count} tables", 2)
    copied = again(told)  # type: ignore[operator]

    assert isinstance(copied, Sentence)
    assert (copied, FRENCH.text(copied)) == ("2 tables", "2 tables")


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en-GB"),
        ("fr", "fr-FR"),
        ("fr-CA, en;q=0.5", "fr-FR"),
        ("en-US,en;q=0.9,fr;q=0.8", "en-GB"),
        ("cy, fr;q=0.3", "fr-FR"),
        ("fr;q=0", "en-GB"),
        ("fr;q=much, *", "en-GB"),
        ("../../etc, \x00;q=1", "en-GB"),
    ],
)
def test_a_request_gets_the_best_language_there_is(accepted: str, tag: str) -> None:
    assert language(accepted).tag == tag


@pytest.mark.parametrize("told", ["it failed", "it failed.", say("{what} failed.", what="it")])
def test_a_sentence_within_one_ends_with_one_full_stop(told: str) -> None:
    whole = say("It was not copied: {reason}. Nothing was done.", reason=told)

    assert whole == "It was not copied: it failed. Nothing was done."
    assert FRENCH.text(whole) == whole


def test_what_is_no_end_of_a_sentence_keeps_its_points() -> None:
    assert say("{reason}.", reason="and so on ...") == "and so on ...."
    assert say("{stem}.toml", stem="a.") == "a..toml"
