"""A module's own look: what is declared counts, and what is wrong with it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ou_vce_ext.config.branding import BRANDING_KEYS, OVERRIDES, Branding, load_branding
from ou_vce_ext.config.branding_colour import (
    DARK_PAGE,
    ENOUGH,
    LIGHT_PAGE,
    contrast,
    nearest,
    text_on,
)
from ou_vce_ext.config.declarations import load_specs

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def declare(folder: Path, text: str, name: str = "module.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_later_files_win_key_by_key_and_the_traitlet_over_all(tmp_path: Path) -> None:
    (tmp_path / "vce.d").mkdir()
    (tmp_path / "vce.d" / "logo.svg").write_text("<svg/>")
    first = '[branding]\ntitle = "TM351"\nlogo = "logo.svg"\nhelp_url = "https://a.example/"\n'
    declare(tmp_path / "vce.d", first, "a.toml")
    file = declare(tmp_path, '[branding]\ntitle = "TM351 VCE"\ncolour = "#0b6e99"\n')
    branding, problems = load_branding([tmp_path], file, {"help_text": "Ask the forum"})
    assert [str(problem) for problem in problems] == []
    assert branding == Branding(
        title="TM351 VCE",
        logo=str(tmp_path / "vce.d" / "logo.svg"),
        colour="#0b6e99",
        colour_dark="#12729c",
        help_url="https://a.example/",
        help_text="Ask the forum",
    )
    specs, problems = load_specs([tmp_path], file, {}, {"web": {}})
    assert not [problem for problem in problems if "branding" in str(problem)]
    assert "branding" not in [spec.name for spec in specs]


MISTAKES = [
    ("branding = 3", "branding", "Must be a table."),
    ('[branding]\ntitel = "x"', "branding.titel", "Did you mean `title`?"),
    ("[branding]\ntitle = 7", "branding.title", "Must be a text in quotes, and is 7."),
    ('[branding]\ntitle = "a\\nb"', "branding.title", "one line of 1 to 60 characters"),
    ('[branding]\nlogo = "none.png"', "branding.logo", "There is no file"),
    ('[branding]\nlogo = "big.svg"', "branding.logo", "at most 200000 are allowed"),
    ('[branding]\nlogo = "logo.exe"', "branding.logo", ".svg or .png"),
    ('[branding]\ncolour = "red"', "branding.colour", "six hexadecimal digits"),
    ('[branding]\ncolour = "#ffee00"', "branding.colour", "on a light page: its contrast is 1.2"),
    ('[branding]\ncolour_dark = "#222222"', "branding.colour_dark", "on a dark page"),
    ('[branding]\nhelp_url = "javascript:alert(1)"', "branding.help_url", '"https://"'),
    ('[branding]\nhelp_url = "https://a:b@c.example/"', "branding.help_url", "must begin with"),
]


@pytest.mark.parametrize(("text", "key", "told"), MISTAKES)
def test_a_mistake_names_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, key: str, told: str
) -> None:
    (tmp_path / "big.svg").write_bytes(bytes(200_001))
    file = declare(tmp_path, text)
    branding, problems = load_branding([], file, {})
    assert [(problem.source, problem.key) for problem in problems] == [(str(file), key)]
    assert told.lower() in str(problems[0]).lower()
    assert problems[0].hint
    assert branding.title == "Virtual computing environment"


def test_one_mistake_takes_no_other_key_with_it(tmp_path: Path) -> None:
    branding, problems = load_branding([], None, {"title": "TM351", "colour": "#ffee00", "x": 1})
    assert branding == Branding(title="TM351")
    assert [problem.source for problem in problems] == [OVERRIDES] * 2


@given(COLOURS, st.sampled_from([LIGHT_PAGE, DARK_PAGE]))
def test_the_colour_that_is_proposed_would_be_taken(colour: str, page: str) -> None:
    assert contrast(nearest(colour, page), page) >= ENOUGH
    if contrast(colour, page) >= ENOUGH:
        assert nearest(colour, page) == colour
    branding, _ = load_branding([], None, {"colour": colour})
    assert (branding.colour is None) == (contrast(colour, LIGHT_PAGE) < ENOUGH)
    assert branding.colour_dark is None or contrast(branding.colour_dark, DARK_PAGE) >= ENOUGH
    assert contrast(text_on(colour), colour) >= 4.5


@given(
    st.dictionaries(
        st.one_of(st.sampled_from(sorted(BRANDING_KEYS)), st.text()),
        st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text()), COLOURS),
    )
)
def test_nothing_declared_raises(declared: dict[str, object]) -> None:
    load_branding([], None, declared)
