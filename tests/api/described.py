"""Holds a live response against ``rest-api.yml``."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from tornado.httpclient import HTTPResponse

EVERYWHERE = {404, 405, 413, 500}
"""Errors any route may answer with, said once at the top of the file."""


@cache
def description() -> dict[str, Any]:
    """The whole file."""
    text = files("ou_vce_ext").joinpath("rest-api.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def served() -> set[tuple[str, str]]:
    """(METHOD, path) of everything the file says this release serves."""
    return {
        (method.upper(), path)
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and operation.get("x-vce-since") == "0.1"
    }


def assert_matches(response: HTTPResponse, path: str, method: str = "GET") -> Any:
    """Fail unless the file describes this answer of ``method path``; return its body.

    ``path`` is as in the file, such as ``/api/services/{name}``. JSON comes back decoded.
    """
    operation = description()["paths"][path][method.lower()]
    described = operation["responses"].get(str(response.code))
    if described is None:
        assert response.code in EVERYWHERE, f"{response.code} is not described for {method} {path}"
        described = {"$ref": "#/components/responses/NotFound"}
    described = _follow(described)
    for header, rule in described.get("headers", {}).items():
        value = response.headers.get(header)
        assert value is not None, f"{header} is missing"
        _validator(_follow(rule)["schema"]).validate(value)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    media = response.headers.get("Content-Type", "").partition(";")[0]
    content = described.get("content", {})
    if not content:
        return None
    assert media in content, f"{media} is not described for {response.code} {method} {path}"
    if method == "HEAD":
        return None
    if media in ("application/zip", "application/octet-stream"):
        return response.body
    body = response.body.decode("utf-8")
    if media != "application/json":
        return body
    decoded = json.loads(body)
    _validator(content[media]["schema"]).validate(decoded)
    return decoded


def _follow(node: dict[str, Any]) -> dict[str, Any]:
    found: Any = node
    while "$ref" in found:
        reference = found["$ref"]
        found = description()
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    return dict(found)


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    resource = DRAFT202012.create_resource(description())
    absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:vce#/'))
    return Draft202012Validator(
        absolute,
        registry=Registry().with_resource("urn:vce", resource),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
