"""What a declaration of PostgreSQL may say, and what it comes to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.drivers.postgres.options import OPTIONS, OWN_SETTINGS, Role, read_options
from ou_vce_ext.drivers.postgres.settings import server_settings
from ou_vce_ext.models import ServiceSpec, Site


def site(port: int | None = 6543) -> Site:
    here = Path("/nowhere")
    return Site("postgres", here, here, here, here, here, "/", port, "generated")


def spec(**options: object) -> ServiceSpec:
    return ServiceSpec("postgres", "postgres", "PostgreSQL", options=options)


def arguments(declared: ServiceSpec) -> dict[str, str]:
    """The settings the server is started with."""
    options = read_options(declared, site())
    given = server_settings(declared, options, Path('/run/a "folder", odd'), None, 15)
    assert given[0::2] == ["-c"] * (len(given) // 2)
    return dict(item.split("=", 1) for item in given[1::2])


def test_a_release_that_can_is_told_to_make_whole_file_systems_safe_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def method(release: str, major: int) -> bool:
        seen = os.uname()
        monkeypatch.setattr(os, "uname", lambda: os.uname_result((*seen[:2], release, *seen[3:])))
        given = server_settings(spec(), read_options(spec(), site()), Path("/run"), None, major)
        monkeypatch.setattr(os, "uname", lambda: seen)
        return "recovery_init_sync_method=syncfs" in given

    assert method("6.1.0-49-amd64", 15)
    assert method("5.8.0", 14)
    assert not method("5.4.0-200-generic", 15), "its syncfs() tells of no errors"
    assert not method("6.1.0", 13)


def test_nothing_declared() -> None:
    declared = read_options(spec(), site())
    assert (declared.user, declared.password, declared.databases, declared.port) == (
        "student",
        "generated",
        ("student",),
        6543,
    )
    assert declared.roles == (Role("student", "generated", createdb=True, createrole=True),)


def test_the_first_database_of_a_declared_user_has_their_name() -> None:
    assert read_options(spec(user="tm351"), site()).databases == ("tm351",)


def test_logins_name_the_student_first_and_once() -> None:
    declared = read_options(
        spec(
            user="ann",
            password="a",
            roles=[
                {"name": "ann", "password": "b"},
                {"name": "bob", "password": "c"},
                {"name": "x"},
            ],
        ),
        site(),
    )
    assert declared.logins == [("ann", "b"), ("bob", "c")]


def test_no_secret_is_shown_with_the_rest() -> None:
    declared = read_options(
        spec(password="hidden", roles=[{"name": "bob", "password": "hidden"}]), site()
    )
    assert "hidden" not in repr(declared)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("port", 0, "1 to 65535"),
        ("port", True, "1 to 65535"),
        ("user", "", "a text"),
        ("user", "pg_monitor", "pg_"),
        ("user", "é" * 40, "63 bytes"),
        ("databases", [], "at least one"),
        ("databases", "tm351", "list"),
        ("databases", ["a", "a"], "twice"),
        ("databases", ["template0"], "template0"),
        ("databases", ["x" * 64], "63 bytes"),
        ("databases", ["a\nb"], "one line"),
        ("roles", {"name": "a"}, "list"),
        ("roles", ["a"], "name"),
        ("roles", [{"password": "a"}], "name"),
        ("roles", [{"name": "a", "passwort": "b"}], "passwort"),
        ("roles", [{"name": "a", "superuser": "yes"}], "superuser"),
        ("roles", [{"name": "a"}, {"name": "a"}], "twice"),
        ("roles", [{"name": "pg_a"}], "pg_"),
        ("roles", [{"name": "a", "member_of": [1]}], "a text"),
        ("settings", {"work_mem": [1]}, "work_mem"),
        ("settings", {"no such": 1}, "no such"),
        ("settings", {"port": 1}, "port"),
    ],
)
def test_mistakes_are_told(key: str, value: Any, words: str) -> None:
    check = OPTIONS[key].check
    assert check is not None
    trouble = check(value)
    assert trouble is not None
    assert words in trouble


@pytest.mark.parametrize("name", sorted(OWN_SETTINGS))
def test_what_keeps_it_private_cannot_be_declared(name: str) -> None:
    check = OPTIONS["settings"].check
    assert check is not None
    assert name in (check({name: "x"}) or "")


def test_every_setting_of_ours_is_kept_from_declarations() -> None:
    ours = set(arguments(spec())) - {
        "shared_buffers",
        "max_wal_size",
        "huge_pages",
        "dynamic_shared_memory_type",
        "recovery_init_sync_method",
    }
    assert ours <= OWN_SETTINGS


def test_declared_settings_win_over_our_defaults() -> None:
    given = arguments(spec(settings={"shared_buffers": "1GB", "jit": False, "work_mem": 4096}))
    assert (given["shared_buffers"], given["jit"], given["work_mem"]) == ("1GB", "off", "4096")
    assert given["unix_socket_directories"] == '"/run/a ""folder"", odd"'


@pytest.mark.parametrize(
    ("memory", "buffers"), [(None, "64MB"), (100_000_000, "25MB"), (10**10, "64MB"), (1, "16MB")]
)
def test_a_limit_on_memory_bounds_the_buffers(memory: int | None, buffers: str) -> None:
    limited = ServiceSpec("postgres", "postgres", "PostgreSQL", memory_bytes=memory)
    assert arguments(limited)["shared_buffers"] == buffers
