"""Imports run one way, only the application names concrete drivers, and clients wait for need."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ou_vce_ext"
FILES = sorted(PACKAGE.rglob("*.py"))

# A file's layer is its folder's, or its own name's below. It may import its own layer and below.
LAYERS = (
    {"_version", "states", "sentences", "sizes", "listing", "oserrors"},
    {"models", "models_status", "errors", "launch", "translation"},
    {"config", "disk", "drivers", "services", "exit_hooks"},
    {"backups"},
    {"proxy", "routes", "events", "metrics"},
    {"app"},
    {"__init__"},
)
WITHOUT_JUPYTER = {"states", "sentences", "models", "models_status", "errors", "launch"} | {
    "sizes",
    "listing",
    "oserrors",
    "translation",
    "config",
    "disk",
    "drivers",
    "services",
    "backups",
}
CLIENTS = {"aiohttp", "psycopg", "psycopg_pool", "pymongo", "bson", "psutil"}
SHARED_DRIVER_MODULES = {"base", "lock_file", "made_before"}


def part(path: Path) -> str:
    """The part of the package a file belongs to: its folder, or its name up to ``_``."""
    relative = path.relative_to(PACKAGE)
    if len(relative.parts) > 1:
        return relative.parts[0]
    stem = relative.stem
    known = [name for layer in LAYERS for name in layer]
    return stem if stem in known else stem.partition("_")[0]


def layer(name: str) -> int:
    for level, names in enumerate(LAYERS):
        if name in names:
            return level
    raise AssertionError(f"{name} has no layer: name it in LAYERS")


def module_of(path: Path) -> list[str]:
    """The package path a file's relative imports start from."""
    return [*path.relative_to(PACKAGE.parent).parent.parts]


def imports(path: Path, *, at_module_level: bool = False) -> set[str]:
    """Each module a file imports, by its absolute name; those for types alone are not counted."""
    source = path.read_text(encoding="utf-8")
    return set(_imports(source, module_of(path), at_module_level))


def _imports(source: str, package: list[str], at_module_level: bool) -> Iterator[str]:
    for node in _walk(ast.parse(source), deep=not at_module_level):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if _is_module(base, alias.name) else base


def _is_module(base: str, name: str) -> bool:
    place = PACKAGE.parent.joinpath(*base.split("."), name)
    return place.is_dir() or place.with_suffix(".py").is_file()


def _walk(node: ast.AST, *, deep: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if not deep and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield child
        yield from _walk(child, deep=deep)


def ours(path: Path) -> Iterator[list[str]]:
    """The path below the package of each of our own modules a file imports."""
    for name in imports(path):
        root, *below = name.split(".")
        if root == PACKAGE.name and below:
            yield below


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    own = layer(part(path))
    for below in ours(path):
        target = PACKAGE / below[0]
        other = part(target / "x" if target.is_dir() else target.with_suffix(".py"))
        assert layer(other) <= own, f"{path.name} must not import {'.'.join(below)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_domain_knows_no_web_server(path: Path) -> None:
    if part(path) in WITHOUT_JUPYTER:
        found = {name.partition(".")[0] for name in imports(path)}
        assert not found & {"tornado", "jupyter_server"}, path.name


def test_only_the_application_names_concrete_drivers() -> None:
    """And how a kind is backed up, in ``backups/KIND/``, which knows that one kind."""
    for path in FILES:
        if part(path) in {"app", "drivers"}:
            continue
        for below in ours(path):
            if below[0] == "drivers" and len(below) > 1:
                own = path.parent.name if part(path) == "backups" else ""
                assert below[1] in SHARED_DRIVER_MODULES | {own}, f"{path.name} names {below[1]}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_clients_are_imported_when_first_needed(path: Path) -> None:
    if part(path) != "proxy":
        found = {name.partition(".")[0] for name in imports(path, at_module_level=True)}
        assert not found & CLIENTS, path.name


def test_the_keeper_stands_alone() -> None:
    for path in (PACKAGE / "services").glob("keeper*.py"):
        if path.stem == "keepers":
            continue
        found = {name.partition(".")[0] for name in imports(path)}
        assert found <= sys.stdlib_module_names | {PACKAGE.name, "proc"}, path.name


def test_the_reader_sees_every_way_to_import() -> None:
    source = """
from typing import TYPE_CHECKING
from ..routes import base
from . import postgres
import psycopg as p
try:
    import aiohttp
except ImportError:
    pass
if TYPE_CHECKING:
    import pymongo
class C:
    def f(self):
        from tornado.web import Application
"""
    package = ["ou_vce_ext", "drivers"]
    early = {
        "typing",
        "ou_vce_ext.routes.base",
        "ou_vce_ext.drivers.postgres",
        "psycopg",
        "aiohttp",
    }
    assert set(_imports(source, package, True)) == early
    assert set(_imports(source, package, False)) == early | {"tornado.web"}


def test_a_keeper_loads_little() -> None:
    """What it never needs would be counted in every keeper's memory."""
    boot = (
        f"import sys; sys.path.append({str(PACKAGE.parent)!r}); "
        "import ou_vce_ext.services.keeper_parent; print(*sorted(sys.modules))"
    )
    command = [sys.executable, "-I", "-S", "-c", boot]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert "ou_vce_ext.services.keeper" in loaded
    assert not loaded & {"typing", "dataclasses", "asyncio", "logging", "subprocess", "pathlib"}
    assert len(loaded) < 100


LATER = (
    "ou_vce_ext.backups.",
    "ou_vce_ext.models_backup",
    "ou_vce_ext.drivers.desktop.",
    "ou_vce_ext.drivers.web.",
    "ou_vce_ext.drivers.undeclared",
    "ou_vce_ext.routes.pages",
    "ou_vce_ext.routes.report_",
    "ou_vce_ext.routes.status_page",
    "ou_vce_ext.routes.status_words",
    "ou_vce_ext.services.redaction",
)
"""How the names begin of what no start of a server waits for, with the built-in services."""
AT_ONCE = {
    "ou_vce_ext.backups.recovery",
    "ou_vce_ext.backups.untouched",
    "ou_vce_ext.backups.when_needed",
}


def test_a_start_of_a_server_loads_little() -> None:
    """With the services there are where nobody has declared any."""
    code = (
        "import sys; from ou_vce_ext import app; "
        "app.declared([], None, {}, {}); print(*sorted(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"ou_vce_ext.drivers.postgres.driver", *AT_ONCE} <= loaded
    assert not {name for name in loaded if name.startswith(LATER)} - AT_ONCE
    assert not {name.partition(".")[0] for name in loaded} & CLIENTS
