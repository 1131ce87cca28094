"""Databases with everything MongoDB can hold, and a full description of what a server holds."""

from __future__ import annotations

import datetime
import hashlib
import os
import uuid
from typing import Any, cast

from bson import (
    SON,
    Binary,
    Code,
    DBRef,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)
from bson.raw_bson import RawBSONDocument
from gridfs import GridFS
from pymongo import MongoClient

Client = MongoClient[dict[str, Any]]

EVERY_TYPE: dict[str, Any] = {
    "double": 1.5,
    "not a number": float("nan"),
    "minus nothing": -0.0,
    "endless": float("-inf"),
    "text": "Grüße, 世界 \U0001f600 \0 inside",
    "empty text": "",
    "document": SON([("b", 1), ("a", {"deep": {"deeper": [1, [2, [3, []]], {}]}})]),
    "array": [1, "two", None, [True, [False]], {"x": []}],
    "binary": Binary(b"\0\1\2" * 10, 0),
    "function": Binary(b"f", 1),
    "old binary": Binary(b"old", 2),
    "old uuid": Binary(bytes(range(16)), 3),
    "uuid": Binary.from_uuid(uuid.UUID(int=2**127 + 5)),
    "md5": Binary(hashlib.md5(b"x").digest(), 5),
    "own binary": Binary(b"user", 128),
    "id": ObjectId("65a1b2c3d4e5f60718293a4b"),
    "true": True,
    "false": False,
    "date": datetime.datetime(2026, 2, 28, 23, 59, 59, 999000),
    "old date": datetime.datetime(1066, 10, 14),
    "null": None,
    "regex": Regex("^a.*\\d$", "imsx"),
    "reference": DBRef("orders", ObjectId("65a1b2c3d4e5f60718293a4b"), "shop"),
    "code": Code("function () { return 1; }"),
    "code with scope": Code("function () { return x; }", {"x": 1}),
    "int": 2**31 - 1,
    "small long": Int64(1),
    "long": Int64(-(2**63)),
    "timestamp": Timestamp(4_000_000_000, 7),
    "empty timestamp": Timestamp(0, 0),
    "empty timestamp within": {"t": Timestamp(0, 0)},
    "decimal": Decimal128("1234567890.12345678901234567890123"),
    "no decimal": Decimal128("NaN"),
    "least": MinKey(),
    "most": MaxKey(),
    "": "a field without a name",
    "with.dot": 1,
    "$dollar": {"$in": 1},
    "ünïcode": 1,
    "x" * 500: 1,
}


def make_rich(client: Client, *, documents: int = 400) -> None:
    """Fill several databases. ``documents`` is how many there are in the larger collections."""
    shop = client["shop"]
    _insert_every_type(shop["every_type"])
    shop["empty"].create_index("x", name="in an empty one")
    for name in (
        "with space",
        "dots.and-dash_~",
        "Ünïcode 世界",
        "a/b%c+d&e",
        "n" * 240,
        "naïve" * 40,
    ):
        shop[name].insert_many([{"n": n} for n in range(3)])
    _indexes(client, documents)
    _special(client, documents)
    files = GridFS(client["media"])
    for size in (0, 10, 700_000):
        files.put(os.urandom(size), filename=f"file of {size}", owner="ä")
    GridFS(client["media"], "other").put(b"a chunk", filename="in another bucket")
    client["admin"]["mine"].insert_one({"kept": "in admin"})
    client["admin"].command("createUser", "ann", pwd="secret", roles=["readAnyDatabase"])
    client["shop"].command("createUser", "bob", pwd="secret", roles=["read"])
    client["shop"].command(
        "createRole",
        "clerk",
        privileges=[{"resource": {"db": "shop", "collection": ""}, "actions": ["find"]}],
        roles=["read"],
    )


def _insert_every_type(collection: Any) -> None:
    """An empty timestamp would be filled in on its way; one that is stored stays."""
    collection.insert_one({"_id": "all", **EVERY_TYPE, "empty timestamp": Timestamp(1, 1)})
    collection.update_one({"_id": "all"}, {"$set": {"empty timestamp": Timestamp(0, 0)}})
    collection.insert_one({"_id": {"a": 1, "b": [2]}})
    collection.insert_one({"_id": MinKey(), "large": "x" * 15_000_000})
    collection.insert_one({"_id": Decimal128("2.50")})


def _indexes(client: Client, documents: int) -> None:
    shop = client["shop"]
    indexed = shop["indexed"]
    indexed.insert_many(
        [
            {
                "a": n % 7,
                "b": -n,
                "unique": n,
                "words": f"word{n % 13} another",
                "at": {"type": "Point", "coordinates": [n % 180, n % 90]},
                "flat": [n % 100, n % 90],
                "tags": [n % 3, n % 5],
                "when": datetime.datetime(2100, 1, 1),
                "any": {"f": n},
            }
            for n in range(documents)
        ]
    )
    indexed.create_index([("a", 1), ("b", -1), ("tags", 1)], name="compound, multikey")
    indexed.create_index([("unique", 1)], unique=True)
    indexed.create_index(
        [("words", "text")], weights={"words": 3}, default_language="german", name="text"
    )
    indexed.create_index([("at", "2dsphere"), ("a", 1)])
    indexed.create_index([("flat", "2d")], bits=20, min=-200, max=200)
    indexed.create_index([("a", "hashed")])
    indexed.create_index([("when", 1)], expireAfterSeconds=60)
    indexed.create_index([("b", 1)], name="partial", partialFilterExpression={"a": {"$gt": 3}})
    indexed.create_index([("missing", 1)], sparse=True, hidden=True)
    indexed.create_index([("any.$**", 1)], name="wild")
    indexed.create_index([("words", 1)], name="collated", collation={"locale": "de", "strength": 2})


def _special(client: Client, documents: int) -> None:
    shop = client["shop"]
    shop.create_collection(
        "checked",
        validator={"$jsonSchema": {"required": ["price"], "properties": {"price": {"minimum": 0}}}},
        validationLevel="moderate",
        validationAction="error",
    )
    shop["checked"].insert_one({"price": 3})
    shop["checked"].with_options().insert_one(
        {"breaks": "the rule"}, bypass_document_validation=True
    )
    shop.create_collection("swedish", collation={"locale": "sv", "strength": 1})
    shop["swedish"].insert_many([{"_id": word} for word in ("å", "Z", "öl", "apa")])
    shop.create_collection("capped", capped=True, size=65_536, max=100)
    shop["capped"].insert_many([{"n": n} for n in range(250)])
    shop.create_collection(
        "measured",
        timeseries={"timeField": "t", "metaField": "sensor", "granularity": "minutes"},
        expireAfterSeconds=10**9,
    )
    start = datetime.datetime(2026, 1, 1)
    shop["measured"].insert_many(
        [
            {"t": start + datetime.timedelta(minutes=n), "sensor": {"id": n % 4}, "v": n / 7}
            for n in range(documents)
        ]
    )
    shop["measured"].create_index([("sensor.id", 1), ("t", -1)])
    shop.create_collection(
        "clustered", clusteredIndex={"key": {"_id": 1}, "unique": True, "name": "by key"}
    )
    shop["clustered"].insert_many([{"_id": n * 7919 % 1009} for n in range(100)])
    shop.create_collection("watched", changeStreamPreAndPostImages={"enabled": True})
    shop.create_collection("view", viewOn="indexed", pipeline=[{"$match": {"a": 1}}])
    shop.create_collection(
        "view of a view",
        viewOn="view",
        pipeline=[{"$project": {"b": 1, "t": {"$add": [1, Int64(2)]}}}],
    )
    shop["system.js"].insert_one({"_id": "twice", "value": Code("function (x) { return 2 * x; }")})


def describe_server(client: Client, *, people: bool = True) -> dict[str, Any]:
    """All that a server holds that is anybody's, in a form to compare: nothing may differ.

    Written apart from the program's own comparing, so that the two cannot share a mistake.
    """
    told: dict[str, Any] = {}
    raw = client.codec_options.with_options(document_class=RawBSONDocument)
    for db in sorted(client.list_database_names()):
        if db in ("local", "config"):
            continue
        for found in client[db].list_collections():
            name = found["name"]
            if name == "system.views" or (db == "admin" and name.startswith("system.")):
                continue
            entry = {"type": found["type"], "options": found["options"]}
            if found["type"] != "view":
                entry["indexes"] = (
                    {
                        index["name"]: (list(index["key"].items()), dict(index))
                        for index in client[db][name].list_indexes()
                    }
                    if not name.startswith("system.buckets.")
                    else None
                )
                documents = [
                    hashlib.sha256(cast("RawBSONDocument", document).raw).hexdigest()
                    for document in client[db].get_collection(name, codec_options=raw).find()
                ]
                entry["count"] = len(documents)
                entry["documents"] = documents
            told[f"{db}.{name}"] = entry
    if people:
        told["users"] = {user["_id"]: user for user in client["admin"]["system.users"].find()}
        told["roles"] = {role["_id"]: role for role in client["admin"]["system.roles"].find()}
        told["users"].pop("admin.student", None)
    return told
