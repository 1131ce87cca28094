"""What the documentation says of declarations is true."""

import re
from pathlib import Path

import pytest

from ou_vce_ext.config.backup_keys import BACKUP_KEYS
from ou_vce_ext.config.branding import BRANDING_KEYS, load_branding
from ou_vce_ext.config.declarations import load_specs
from ou_vce_ext.config.judge import Kinds
from ou_vce_ext.config.keys import COMMON_KEYS, READY_KEYS
from ou_vce_ext.config.seeds import SEED_KEYS

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    from ou_vce_ext.app_drivers import DRIVERS

    return {kind: driver.options for kind, driver in DRIVERS.items()}


def _says_more(example: str) -> bool:
    """Whether it is about something else than a service that is there."""
    return "enabled = false" in example or "[branding]" in example


def documented(heading: str) -> set[str]:
    """The keys in the table of one chapter."""
    [chapter] = re.findall(rf"^## {heading}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^\| `([a-z_.]+)` \|", chapter, re.MULTILINE))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_right(tmp_path: Path, kinds: Kinds, example: str) -> None:
    path = tmp_path / "example.toml"
    path.write_text(example)
    (tmp_path / "seed").mkdir()
    for file in re.findall(r'"(seed/[^"]+)"', example):
        (tmp_path / file).touch()
    specs, problems = load_specs([], path, {}, kinds)
    problems += load_branding([], path, {})[1]
    assert [str(problem) for problem in problems] == []
    assert any(spec.source == str(path) for spec in specs) or _says_more(example)


def test_every_common_key_is_documented() -> None:
    keys = {key for key in COMMON_KEYS if key not in ("ready", "backup")}
    keys |= {f"ready.{key}" for key in READY_KEYS} | {f"backup.{key}" for key in BACKUP_KEYS}
    assert documented("Keys of every service") == keys


def test_every_key_of_the_branding_is_documented() -> None:
    assert documented("Branding") == set(BRANDING_KEYS)


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        ("web", 'Web apps: `kind = "web"`'),
        ("desktop", 'Desktop programs: `kind = "desktop"`'),
        ("postgres", 'PostgreSQL: `kind = "postgres"`'),
        ("mongo", 'MongoDB: `kind = "mongo"`'),
        ("openrefine", 'OpenRefine: `kind = "openrefine"`'),
    ],
)
def test_every_key_of_a_kind_is_documented(kinds: Kinds, kind: str, heading: str) -> None:
    seeds = {f"seed.{key}" for key in SEED_KEYS.get(kind, ())}
    assert documented(heading) - set(COMMON_KEYS) == set(kinds[kind]) | seeds
