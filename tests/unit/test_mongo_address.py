"""Addresses of MongoDB servers, built and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.uri_parser import parse_uri

from ou_vce_ext.drivers.mongo.address import Address, build_uri, read_uri


@given(user=st.text(min_size=1), password=st.text(min_size=1))
def test_what_is_built_means_the_same_to_the_client(user: str, password: str) -> None:
    uri = build_uri("127.0.0.1", 27018, database="tm351", user=user, password=password)
    read = parse_uri(uri)
    assert (read["username"], read["password"]) == (user, password)
    assert read["nodelist"] == [("127.0.0.1", 27018)]
    assert read["database"] == "tm351"
    assert read["options"]["authSource"] == "admin"
    assert read["options"]["directConnection"] is True
    assert read_uri(uri) == Address("127.0.0.1", 27018, user, password, "tm351")


def test_without_a_user_there_are_no_credentials() -> None:
    uri = build_uri("localhost", 27017, database="accidents")
    assert uri == "mongodb://localhost:27017/accidents?directConnection=true"


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("mongodb://localhost", Address("localhost", 27017)),
        ("mongodb://localhost/", Address("localhost", 27017)),
        ("mongodb://localhost?directConnection=true", Address("localhost", 27017)),
        ("mongodb://[::1]:27018/db", Address("::1", 27018, database="db")),
        ("mongodb://a:1,b:2/db?replicaSet=x", Address("a", 1, database="db")),
        ("mongodb://me:p%40ss@h/db", Address("h", 27017, "me", "p@ss", "db")),
        ("mongodb://me@h", Address("h", 27017, "me")),
        ("mongodb+srv://me:x@db.example/a", Address("db.example", None, "me", "x", "a")),
        ("mongodb://%2Frun%2Fa.sock/db", Address("/run/a.sock", None, database="db")),
    ],
)
def test_declared_addresses_are_read(uri: str, address: Address) -> None:
    assert read_uri(uri) == address


@pytest.mark.parametrize(
    "uri", ["localhost:27017", "http://localhost", "mongodb://", "mongodb://h:x"]
)
def test_what_is_no_address_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_uri(uri)
