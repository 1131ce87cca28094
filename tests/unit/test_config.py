"""What a right declaration comes to: defaults, layers, merging."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ou_vce_ext.config.declarations import ConfigProblem, load_specs
from ou_vce_ext.models import ServiceError, ServiceSpec

from .config_kinds import KINDS

GENIE = """
[services.genie]
kind = "web"
title = "Genie"
command = ["node", "genie_app.js"]
port = 3000
ready = { path = "/health", timeout = 120 }
open = "browser"
"""


def drop_in(folder: Path, name: str, text: str) -> Path:
    path = folder / "vce.d" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(
    *folders: Path,
    config_file: Path | None = None,
    overrides: Mapping[str, Mapping[str, object]] | None = None,
) -> tuple[dict[str, ServiceSpec], list[ConfigProblem]]:
    specs, problems = load_specs(folders, config_file, overrides or {}, KINDS)
    return {spec.name: spec for spec in specs}, problems


def test_with_no_file_there_are_the_three_built_in_services() -> None:
    specs, problems = load()
    assert problems == []
    assert [(s.name, s.kind, s.title, s.autostart) for s in specs.values()] == [
        ("openrefine", "openrefine", "OpenRefine", False),
        ("postgres", "postgres", "PostgreSQL", True),
        ("mongo", "mongo", "MongoDB", True),
    ]
    assert all(spec.source == "built in" and spec.problem is None for spec in specs.values())


def test_a_web_service_is_five_lines(tmp_path: Path) -> None:
    path = drop_in(tmp_path, "genie.toml", GENIE)
    specs, problems = load(tmp_path)
    assert problems == []
    assert list(specs) == ["openrefine", "postgres", "mongo", "genie"]
    assert specs["genie"] == ServiceSpec(
        name="genie",
        kind="web",
        title="Genie",
        command=("node", "genie_app.js"),
        open="browser",
        ready_path="/health",
        ready_timeout=120.0,
        options={"port": 3000},
        source=str(path),
    )


def test_every_common_key_arrives(tmp_path: Path) -> None:
    drop_in(
        tmp_path,
        "all.toml",
        """
        [services.my-app]
        kind = "web"
        command = ["./app", "{port}"]
        cwd = "notebooks"
        env = { LEVEL = "3" }
        autostart = true
        requires = ["postgres", "mongo"]
        memory = "1.5G"
        stop_timeout = 20
        data_dir = "app-data"
        backup = { keep = 3 }
        seed = { folder = "." }
        enabled = true
        external = false
        """,
    )
    specs, problems = load(tmp_path)
    assert problems == []
    spec = specs["my-app"]
    assert spec.title == "My app"
    assert spec.cwd == "notebooks"
    assert spec.env == {"LEVEL": "3"}
    assert spec.autostart is True
    assert spec.requires == ("postgres", "mongo")
    assert spec.memory_bytes == 3 * 1024**3 // 2
    assert spec.stop_timeout == 20.0
    assert spec.data_dir == "app-data"
    assert spec.backup == {"keep": 3}
    assert spec.seed == {"folder": (str(tmp_path / "vce.d"),)}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"1500M"', 1500 * 1024**2),
        ('"1500 MiB"', 1500 * 1024**2),
        ('"2gb"', 2 * 1024**3),
        ('"0.5G"', 512 * 1024**2),
        ("1073741824", 1024**3),
    ],
)
def test_memory_is_read_as_people_write_it(tmp_path: Path, written: str, expected: int) -> None:
    drop_in(tmp_path, "m.toml", f"[services.mongo]\nmemory = {written}\n")
    specs, problems = load(tmp_path)
    assert problems == []
    assert specs["mongo"].memory_bytes == expected


def test_later_sources_win_key_by_key(tmp_path: Path) -> None:
    weak, strong = tmp_path / "weak", tmp_path / "strong"
    drop_in(
        weak,
        "a.toml",
        '[services.postgres]\ntitle = "A"\nport = 1\n'
        'settings = { one = "a", two = "a" }\nenv = { X = "a" }\n',
    )
    drop_in(weak, "b.toml", "[services.postgres]\nport = 2\n")
    drop_in(strong, "a.toml", '[services.postgres]\nport = 3\nsettings = { two = "c" }\n')
    named = tmp_path / "named.toml"
    named.write_text('[services.postgres]\nport = 4\nuser = "ann"\nenv = { Y = "d" }\n')
    overrides = {"postgres": {"user": "bob", "settings": {"three": "e"}}}
    specs, problems = load(weak, strong, config_file=named, overrides=overrides)
    assert problems == []
    spec = specs["postgres"]
    assert spec.title == "A"
    assert spec.env == {"X": "a", "Y": "d"}
    assert spec.options == {
        "port": 4,
        "user": "bob",
        "settings": {"one": "a", "two": "c", "three": "e"},
    }


def test_a_folder_named_twice_is_read_once_in_its_first_place(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    drop_in(first, "a.toml", '[services.mongo]\ntitle = "first"\n')
    drop_in(second, "a.toml", '[services.mongo]\ntitle = "second"\n')
    specs, _ = load(first, second, first)
    assert specs["mongo"].title == "second"


def test_enabled_false_hides_a_built_in_service(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", "[services.mongo]\nenabled = false\nnonsense = 1\n")
    specs, problems = load(tmp_path)
    assert list(specs) == ["openrefine", "postgres"]
    assert problems == []


def test_a_later_source_can_bring_a_hidden_one_back(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", "[services.mongo]\nenabled = false\n")
    specs, _ = load(tmp_path, overrides={"mongo": {"enabled": True}})
    assert "mongo" in specs


def test_order_of_keys_changes_nothing(tmp_path: Path) -> None:
    lines = GENIE.strip().splitlines()
    drop_in(tmp_path, "a.toml", "\n".join(lines))
    forwards, _ = load(tmp_path)
    drop_in(tmp_path, "a.toml", "\n".join([lines[0], *reversed(lines[1:])]))
    backwards, _ = load(tmp_path)
    assert forwards == backwards


def test_a_byte_order_mark_and_editors_own_files_do_no_harm(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", "\ufeff" + GENIE)
    drop_in(tmp_path, ".a.toml.swp.toml", "no toml at all")
    drop_in(tmp_path, "a.toml~", "no toml at all")
    specs, problems = load(tmp_path)
    assert problems == []
    assert "genie" in specs


def test_an_icon_is_found_beside_the_file_that_declares_it(tmp_path: Path) -> None:
    path = drop_in(tmp_path, "a.toml", GENIE + 'icon = "genie.svg"\n')
    icon = path.with_name("genie.svg")
    icon.write_text("<svg/>")
    specs, problems = load(tmp_path)
    assert problems == []
    assert specs["genie"].icon == str(icon)


def test_seed_files_are_found_beside_the_declaration_and_a_missing_one_stops_nothing(
    tmp_path: Path,
) -> None:
    declared = '[services.openrefine]\nseed = { projects = ["a.tar.gz", "b.tar.gz"] }\n'
    path = drop_in(tmp_path, "a.toml", declared)
    there, missing = path.with_name("a.tar.gz"), path.with_name("b.tar.gz")
    there.touch()
    specs, [problem] = load(tmp_path)
    assert specs["openrefine"].seed == {"projects": (str(there), str(missing))}
    assert specs["openrefine"].problem is None
    assert problem.key == "services.openrefine.seed.projects"
    assert str(missing) in problem.message


def test_seeds_of_collections_are_found_and_judged_one_by_one(tmp_path: Path) -> None:
    declared = (
        '[services.mongo.seed]\ndump = "a.archive"\ncollections = { d = { c = "c.csv.gz" } }\n'
    )
    path = drop_in(tmp_path, "a.toml", declared)
    for name in ("a.archive", "c.csv.gz"):
        path.with_name(name).touch()
    specs, problems = load(tmp_path)
    assert problems == []
    assert specs["mongo"].seed == {
        "dump": (str(path.with_name("a.archive")),),
        "collections": {"d": {"c": str(path.with_name("c.csv.gz"))}},
    }
    for wrong, words in (
        ('collections = { d = "c.csv" }', 'd = { people = "seed/people.csv" }'),
        ('collections = { d = { c = "c.xls" } }', ".ndjson"),
        ("collections = { d = { c = 3 } }", "d.c"),
    ):
        drop_in(tmp_path, "a.toml", f"[services.mongo.seed]\n{wrong}\n")
        specs, [problem] = load(tmp_path)
        assert problem.key == "services.mongo.seed.collections"
        assert words in problem.message
        assert specs["mongo"].problem is not None


def test_a_missing_icon_is_told_and_stops_nothing(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", GENIE + 'icon = "genie.svg"\n')
    specs, [problem] = load(tmp_path)
    assert "genie.svg" in problem.message
    assert problem.key == "services.genie.icon"
    assert problem.service is None
    assert specs["genie"].icon is None
    assert specs["genie"].problem is None


def test_a_driver_can_judge_the_whole_declaration(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", GENIE)

    def refuse(spec: ServiceSpec) -> ServiceError | None:
        return ServiceError("config-invalid", f"no {spec.options['port']} here", "Try 3001.")

    specs, [problem] = load_specs([tmp_path], None, {}, KINDS, {"web": refuse})
    genie = next(spec for spec in specs if spec.name == "genie")
    assert genie.problem is not None
    assert "no 3000 here" in genie.problem.message
    assert "Try 3001." in genie.problem.hint
    assert (problem.key, problem.service) == ("services.genie", "genie")


def test_a_driver_that_trips_takes_nothing_down(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", GENIE)

    def trip(spec: ServiceSpec) -> ServiceError | None:
        raise RuntimeError("never thought of that")

    specs, problems = load_specs([tmp_path], None, {}, KINDS, {"web": trip})
    assert [spec.name for spec in specs if spec.problem] == ["genie"]
    assert len(problems) == 1
