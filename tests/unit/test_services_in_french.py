"""What services and their declarations tell is told in French to its last part."""

from __future__ import annotations

from pathlib import Path

import pytest

from ou_vce_ext.config.declarations import load_specs
from ou_vce_ext.drivers.mongo.options import OPTIONS as MONGO
from ou_vce_ext.drivers.web.options import OPTIONS as WEB
from ou_vce_ext.drivers.web.options import check_declaration
from ou_vce_ext.launch import Ending
from ou_vce_ext.models import ServiceError
from ou_vce_ext.sentences import say
from ou_vce_ext.services import other_people
from ou_vce_ext.services.diagnosis import gave_up, of_death, starting_again
from ou_vce_ext.translation import language

FRENCH = language("fr")


def told(words: str) -> str:
    return FRENCH.text(words).replace("\u00a0", " ").replace("\u202f", " ")


def test_a_death_again_and_again() -> None:
    error = gave_up(of_death("Genie", Ending(signal="SIGSEGV"), ()))

    assert told(error.message) == (
        "Le service Genie a pris fin de façon inattendue : un plantage (erreur d’accès à la "
        "mémoire). Cela est arrivé 5 fois en 60 secondes : le service reste donc arrêté jusqu’à "
        "ce que vous le démarriez."
    )
    again = starting_again(ServiceError("died", "", say("Start it again.")))
    assert told(again.hint) == "Il redémarre de lui-même. Redémarrez-le."


def test_every_mistake_in_a_declaration(tmp_path: Path) -> None:
    folder = tmp_path / "vce.d"
    folder.mkdir()
    (folder / "a.toml").write_text(
        """
        [services.genie]
        kind = "web"
        command = ["genie", "{prot}"]
        [services.mongo]
        opne = "tab"
        port = "27017"
        """
    )
    kinds = {"openrefine": {}, "postgres": {}, "mongo": MONGO, "web": WEB}
    specs, _ = load_specs([tmp_path], None, {}, kinds, {"web": check_declaration})
    problems = {spec.name: spec.problem for spec in specs if spec.problem}

    assert told(problems["genie"].message).endswith(
        ": Le mot entre accolades {prot} n’existe pas. Vouliez-vous dire {port} ? Il y a : "
        "{port}, {socket}, {data_dir}, {base_url}, {root_dir}, {name} ; pour de vraies "
        "accolades, écrivez {{prot}}."
    )
    assert told(problems["mongo"].message).startswith(
        "La déclaration de ce service contient 2 erreurs : il n’est donc pas démarré. "
    )
    assert "Vouliez-vous dire `open` ?" in told(problems["mongo"].hint)
    assert "Doit être un nombre entier ; or c’est" in told(problems["mongo"].message)


@pytest.mark.parametrize(
    ("others", "french"),
    [
        ({1000}, "quelqu’un d’autre l’utilise en ce moment"),
        ({1000, 1001, 1002}, "3 autres personnes l’utilisent en ce moment"),
    ],
)
def test_other_people_are_counted(
    monkeypatch: pytest.MonkeyPatch, others: set[int], french: str
) -> None:
    monkeypatch.setattr(other_people, "_running", lambda mine: others)

    assert told(other_people.other_people() or "") == french
