"""What is put together from parts is told in French to its last part."""

from __future__ import annotations

import errno
import os

import pytest

from ou_vce_ext import oserrors
from ou_vce_ext.backups.everything import all_there
from ou_vce_ext.backups.openrefine.facts import BrokenProjectError
from ou_vce_ext.backups.openrefine.unpacking import damaged
from ou_vce_ext.backups.postgres.facts import in_a_sentence
from ou_vce_ext.backups.room import explained
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.listing import listed
from ou_vce_ext.sentences import say
from ou_vce_ext.translation import language

FRENCH = language("fr")


class _Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_progress_with_its_sizes_and_the_time_left() -> None:
    told: list[str] = []
    clock = _Clock()
    watch = Watch(lambda message, _: told.append(message), clock)  # type: ignore[arg-type]

    watch.step(say("Building the database {name}", name="tm351"), 5_000_000_000)
    clock.now = 30.0
    watch.did(1_230_000_000)

    assert told[-1] == "Building the database tm351: 1.2 GB of about 5.0 GB, about 2 min left"
    french = FRENCH.text(told[-1]).replace("\u00a0", " ")
    assert (
        french == "Construction de la base tm351 : 1,2 Go sur environ 5,0 Go, encore environ 2 min"
    )


def test_an_error_of_the_disk_with_what_it_was_about() -> None:
    failure = explained(PermissionError(errno.EACCES, "Permission denied", "/x"), say("the file"))

    assert failure.message.startswith("The file could not be written: Permission denied (/x). ")
    french = FRENCH.text(failure.message).replace("\u00a0", " ")
    assert french.startswith("Impossible d’écrire le fichier : accès refusé (/x). ")


def test_what_a_backup_of_everything_came_to() -> None:
    told = all_there("all.tar", ["Jupyter", "OpenRefine"], 2)

    assert told.startswith("Everything is backed up, but Jupyter and OpenRefine, which do not run")
    assert FRENCH.text(told).endswith("2 fichiers n’ont pas pu être lus et n’y sont pas")


def test_a_reason_that_an_exception_carried() -> None:
    reason = BrokenProjectError(say("it has no data")).reason

    assert "il n’a pas de données." in FRENCH.text(damaged(reason).message)


def test_some_of_many_differences() -> None:
    many: list[str] = [say("the table {name} is missing", name=name) for name in "abcdef"]

    assert in_a_sentence(many).endswith("the table d is missing; and 2 more")
    assert FRENCH.text(in_a_sentence(many)).endswith("et 2 autres")
    assert in_a_sentence(many[:1]) == "the table a is missing"


@pytest.mark.parametrize(
    ("names", "told"), [([], ""), (["a"], "a"), (["a", "b"], "a et b"), ("abc", "a, b et c")]
)
def test_lists(names: list[str], told: str) -> None:
    assert FRENCH.text(listed(names)) == told


def test_the_systems_reasons_are_its_own_words_in_english() -> None:
    for number, words in oserrors._KNOWN.items():
        assert words == os.strerror(number) == oserrors.why(OSError(number, os.strerror(number)))
    assert oserrors.why(OSError(errno.EIO, "the tape is torn")) == "the tape is torn"
    assert oserrors.why(ValueError("odd")) == "odd"
