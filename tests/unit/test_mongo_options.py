"""A MongoDB declaration: what it comes to, and what is told of a mistake in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.drivers.mongo.options import OPTIONS, STUDENT_ROLES, Declared, read_options
from ou_vce_ext.models import ServiceSpec, Site


def declared(options: dict[str, Any] | None = None, **more: Any) -> Declared:
    folder = Path("/nowhere")
    site = Site(
        "mongo", folder, folder, folder, folder, folder, "/", port=31000, secret="generated"
    )
    return read_options(
        ServiceSpec("mongo", "mongo", "MongoDB", options=options or {}, **more), site
    )


def test_nothing_need_be_declared() -> None:
    found = declared()
    assert (found.user, found.password, found.port) == ("student", "generated", 31000)
    assert found.databases == ("student",)
    assert found.roles == STUDENT_ROLES
    assert found.cache_mb == 256
    assert found.uri == (
        "mongodb://student:generated@127.0.0.1:31000/student?authSource=admin&directConnection=true"
    )
    assert "generated" not in repr(found)
    assert "generated" not in repr(found.account)


def test_a_module_declares_its_own() -> None:
    found = declared(
        {
            "port": 27017,
            "user": "tm351",
            "password": "tm351",
            "databases": ["accidents", "other"],
            "roles": ["readWrite@accidents", "readAnyDatabase"],
            "cache_mb": 1024,
        }
    )
    assert found.roles == (("readWrite", "accidents"), ("readAnyDatabase", "admin"))
    assert (found.port, found.cache_mb) == (27017, 1024)
    assert found.uri.startswith("mongodb://tm351:tm351@127.0.0.1:27017/accidents?")


def test_the_database_is_called_as_the_user_unless_declared() -> None:
    assert declared({"user": "tm351"}).databases == ("tm351",)


def test_without_authentication_there_is_no_account() -> None:
    found = declared({"auth": False, "user": "tm351", "password": "x"})
    assert found.account is None
    assert found.uri == "mongodb://127.0.0.1:31000/tm351?directConnection=true"


@pytest.mark.parametrize(
    ("memory", "cache"), [(None, 256), (100_000_000, 256), (2_000_000_000, 1000)]
)
def test_the_cache_is_half_the_memory_and_never_too_small(memory: int | None, cache: int) -> None:
    assert declared(memory_bytes=memory).cache_mb == cache


def test_an_external_server_is_where_its_address_says() -> None:
    uri = "mongodb://me:secret@db.example:27018/shared"
    found = declared({"uri": uri}, external=True)
    assert found.uri == uri
    assert (found.host, found.port, found.user) == ("db.example", 27018, "me")
    assert found.databases == ("shared",)
    assert declared({"host": "db.example", "port": 1}, external=True).uri == (
        "mongodb://db.example:1/student?directConnection=true"
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", 0),
        ("port", 65536),
        ("port", True),
        ("user", ""),
        ("user", "__system"),
        ("password", ""),
        ("databases", []),
        ("databases", ["a.b"]),
        ("databases", ["a", "a"]),
        ("databases", ["x" * 64]),
        ("databases", "accidents"),
        ("roles", "root"),
        ("roles", ["a b"]),
        ("roles", ["a@"]),
        ("roles", [1]),
        ("cache_mb", 100),
        ("uri", "localhost"),
    ],
)
def test_mistakes_are_told(key: str, value: object) -> None:
    check = OPTIONS[key].check
    assert check is not None
    assert check(value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("port", 27017),
        ("user", "tm351"),
        ("databases", ["accidents", "größe"]),
        ("roles", []),
        ("roles", ["root", "readWrite@accidents"]),
        ("cache_mb", 256),
        ("uri", "mongodb://localhost:27017/x"),
    ],
)
def test_what_is_right_is_taken(key: str, value: object) -> None:
    check = OPTIONS[key].check
    assert check is not None
    assert check(value) is None
