"""The REST description and the event schemas: valid, complete, and of one mind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError
from jupyter_events import EventLogger
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ou_vce_ext.models import Capability, OperationState
from ou_vce_ext.states import ServiceState

PACKAGE = Path(__file__).parents[2] / "ou_vce_ext"
SPEC: dict[str, Any] = yaml.safe_load((PACKAGE / "rest-api.yml").read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = SPEC["components"]["schemas"]
EVENTS: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((PACKAGE / "event_schemas").glob("*.yaml"))
}
METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")

# Method, path, action asked of the authorizer, status of success, since.
CONTRACT = [
    ("get", "/status", "read", "200", "0.1"),
    ("get", "/api/services", "read", "200", "0.1"),
    ("get", "/api/services/{name}", "read", "200", "0.1"),
    ("post", "/api/services/{name}/start", "execute", "202", "0.1"),
    ("post", "/api/services/{name}/stop", "execute", "202", "0.1"),
    ("post", "/api/services/{name}/restart", "execute", "202", "0.1"),
    ("post", "/api/services/{name}/reset", "write", "202", "0.1"),
    ("get", "/api/services/{name}/reset", "read", "200", "0.1"),
    ("get", "/api/services/{name}/logs", "read", "200", "0.1"),
    ("get", "/api/services/{name}/icon", "read", "200", "0.1"),
    ("post", "/api/services/{name}/backups", "write", "202", "0.1"),
    ("post", "/api/backups/all", "write", "202", "0.1"),
    ("get", "/api/backups", "read", "200", "0.1"),
    ("post", "/api/backups", "write", "201", "0.1"),
    ("get", "/api/backups/{id}", "read", "200", "0.1"),
    ("patch", "/api/backups/{id}", "write", "200", "0.1"),
    ("delete", "/api/backups/{id}", "write", "204", "0.1"),
    ("get", "/api/backups/{id}/download", "write", "200", "0.1"),
    ("post", "/api/backups/{id}/verify", "write", "202", "0.1"),
    ("post", "/api/backups/{id}/restore", "write", "202", "0.1"),
    ("get", "/api/operations", "read", "200", "0.1"),
    ("get", "/api/operations/{id}", "read", "200", "0.1"),
    ("delete", "/api/operations/{id}", "execute", "202", "0.1"),
    ("get", "/api/report", "read", "200", "0.1"),
    ("get", "/api/report/bundle", "read", "200", "0.1"),
    ("get", "/api/branding", "read", "200", "0.1"),
    ("get", "/api/branding/logo", "read", "200", "0.1"),
    ("get", "/api/openapi.yaml", "read", "200", "0.1"),
    ("get", "/app/{name}", "execute", "302", "0.1"),
    ("get", "/app/{name}/{path}", "execute", "default", "0.1"),
    ("head", "/app/{name}/{path}", "execute", "default", "0.1"),
    ("post", "/app/{name}/{path}", "execute", "default", "0.1"),
    ("put", "/app/{name}/{path}", "execute", "default", "0.1"),
    ("patch", "/app/{name}/{path}", "execute", "default", "0.1"),
    ("delete", "/app/{name}/{path}", "execute", "default", "0.1"),
    ("options", "/app/{name}/{path}", "execute", "default", "0.1"),
]

FIELDS = {
    "Service": "name title kind icon state since ready_seconds pid url open connection "
    "memory_bytes memory_measure cpu_percent open_files restarts retry_at autostart "
    "requires operation error capabilities data_dir last_backup recovered_from",
    "ServiceError": "code message hint exit_code signal log_tail",
    "Connection": "host port socket user database password_file env",
    "Operation": "id kind service state progress message started finished error result waiting_for",
    "Backup": "id service created bytes sha256 verified consistency reason pinned path versions "
    "contents",
    "Status": "state services operations disk memory versions problems",
    "Branding": "title logo colour colour_dark help_url help_text",
    "Problem": "service code message hint since",
    "DiskUsage": "label total_bytes free_bytes",
    "MemoryUsage": "total_bytes free_bytes",
    "Error": "code message hint",
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation in the file: method, path, operation."""
    for path, item in SPEC["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def references(node: Any) -> Iterator[str]:
    """Every ``$ref`` below a node."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(reference: str) -> Any:
    """What a reference within the file points to; KeyError where it points nowhere."""
    start, *steps = reference.split("/")
    assert start == "#", f"{reference} leaves the file"
    node: Any = SPEC
    for step in steps:
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def responses(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """An operation's responses by status, references followed."""
    for status, response in operation["responses"].items():
        yield status, resolve(response["$ref"]) if "$ref" in response else response


def validator(name: str) -> Draft202012Validator:
    """A validator for one named schema that checks formats too."""
    resource = DRAFT202012.create_resource(SPEC)
    return Draft202012Validator(
        {"$ref": f"urn:vce#/components/schemas/{name}"},
        registry=Registry().with_resource("urn:vce", resource),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def test_it_is_valid_openapi_3_1() -> None:
    assert SPEC["openapi"].startswith("3.1.")
    validate(SPEC, cls=OpenAPIV31SpecValidator)


def test_it_describes_the_contract_and_nothing_else() -> None:
    described = {(method, path) for method, path, _ in operations()}
    assert described == {(method, path) for method, path, *_ in CONTRACT}


@pytest.mark.parametrize(("method", "path", "action", "success", "since"), CONTRACT)
def test_each_operation_says_what_it_needs(
    method: str, path: str, action: str, success: str, since: str
) -> None:
    operation = SPEC["paths"][path][method]
    assert operation["operationId"].isidentifier()
    assert operation["summary"]
    assert operation["x-vce-action"] == action
    assert operation["x-vce-since"] == since
    assert success in operation["responses"]
    assert "403" in operation["responses"]


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)


def test_every_reference_resolves_and_every_component_is_used() -> None:
    used = set(references(SPEC))
    for reference in used:
        resolve(reference)
    for section in ("schemas", "responses", "parameters", "headers", "requestBodies"):
        for name in SPEC["components"][section]:
            if name != "Status" or section != "schemas":
                assert f"#/components/{section}/{name}" in used


def test_every_error_is_the_one_error() -> None:
    seen = set()
    for method, path, operation in operations():
        for status, response in responses(operation):
            if status[0] in "45":
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}, (method, path, status)
                seen.add(status)
    assert {"400", "403", "404", "409", "503", "507"} <= seen


def test_what_changes_something_by_cookie_needs_the_xsrf_token() -> None:
    for method, path, operation in operations():
        if path.startswith("/app/") or method == "get":
            assert "security" not in operation, (method, path)
        else:
            by_cookie = [one for one in operation["security"] if "cookie" in one]
            assert by_cookie == [{"cookie": [], "xsrf": []}], (method, path)


@pytest.mark.parametrize(("name", "fields"), FIELDS.items())
def test_objects_have_exactly_the_agreed_fields(name: str, fields: str) -> None:
    assert list(SCHEMAS[name]["properties"]) == fields.split()


def test_answers_are_closed_and_complete() -> None:
    questions = {
        "StopRequest",
        "RestartRequest",
        "ResetRequest",
        "RestoreRequest",
        "BackUpEverythingRequest",
    }
    for name, schema in SCHEMAS.items():
        if "properties" in schema:
            assert schema["additionalProperties"] is False, name
            if name not in questions:
                assert schema["required"] == list(schema["properties"]), name


@pytest.mark.parametrize("name", [*FIELDS, "ResetPreview", "Versions"])
def test_examples_are_true(name: str) -> None:
    checker = validator(name)
    for example in SCHEMAS[name]["examples"]:
        checker.validate(example)
        if SCHEMAS[name]["additionalProperties"] is False:
            assert not checker.is_valid(example | {"undeclared": 1})


@pytest.mark.parametrize("name", ["ErrorCode", "ServiceErrorCode", "ServiceState"])
def test_every_code_is_explained(name: str) -> None:
    lines = SCHEMAS[name]["description"].splitlines()
    assert [line.split("`")[1] for line in lines] == SCHEMAS[name]["enum"]


def test_words_are_those_of_the_code() -> None:
    assert SCHEMAS["ServiceState"]["enum"] == [state.value for state in ServiceState]
    assert SCHEMAS["OperationState"]["enum"] == [state.value for state in OperationState]
    assert SCHEMAS["Capability"]["enum"] == [capability.value for capability in Capability]


@pytest.mark.parametrize(
    ("name", "event"),
    [
        (
            "service-state",
            {"service": "mongo", "old": "starting", "new": "failed", "code": "disk-full"},
        ),
        (
            "operation",
            {"id": "7f3a", "kind": "backup", "service": None, "state": "running", "progress": 0.5},
        ),
    ],
)
def test_event_schemas_register_and_carry_an_event(name: str, event: dict[str, Any]) -> None:
    schema = EVENTS[f"{name}-v1"]
    assert schema["$id"] == f"https://schema.ou-vce-ext.org/events/{name}/v1"
    logger = EventLogger()
    logger.register_event_schema(PACKAGE / "event_schemas" / f"{name}-v1.yaml")
    logger.schemas.validate_event(schema["$id"], event)
    lacking = [{k: event[k] for k in event if k != key} for key in event]
    for wrong in [*lacking, event | {"undeclared": 1}]:
        with pytest.raises(ValidationError):
            logger.schemas.validate_event(schema["$id"], wrong)


def test_events_and_rest_use_the_same_words() -> None:
    moves = EVENTS["service-state-v1"]["properties"]
    work = EVENTS["operation-v1"]["properties"]
    assert moves["old"]["enum"] == moves["new"]["enum"] == SCHEMAS["ServiceState"]["enum"]
    assert moves["service"]["pattern"] == SCHEMAS["Name"]["pattern"]
    assert work["kind"]["enum"] == SCHEMAS["OperationKind"]["enum"]
    assert work["state"]["enum"] == SCHEMAS["OperationState"]["enum"]


def test_every_reason_is_caused_for_real_by_some_test() -> None:
    tests = Path(__file__).parents[1]
    real = "".join(
        path.read_text("utf-8")
        for folder in ("api", "integration", "faults")
        for path in (tests / folder).rglob("*.py")
    )
    codes = SCHEMAS["ServiceErrorCode"]["enum"]
    assert [code for code in codes if f'"{code}"' not in real] == []
