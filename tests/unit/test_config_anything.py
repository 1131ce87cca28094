"""Whatever is written, nothing raises, and the built-in services are as well as they can be."""

import datetime
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ou_vce_ext.config.declarations import load_specs
from ou_vce_ext.config.keys import COMMON_KEYS, NAME, READY_KEYS

from .config_kinds import KINDS

KEYS = sorted({*COMMON_KEYS, *READY_KEYS, *(key for kind in KINDS.values() for key in kind)})
words = st.one_of(
    st.text(max_size=20),
    st.sampled_from([*KINDS, "tab", "/", "1G", "genie", "postgres", "yes", "\0", "PATH"]),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    words,
    st.binary(max_size=4),
    st.just(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.dictionaries(st.one_of(words, st.integers()), inner, max_size=3),
    ),
    max_leaves=8,
)
services = st.dictionaries(
    st.one_of(st.sampled_from([*KINDS, "genie", "a-b"]), words, st.integers()),
    st.one_of(st.dictionaries(st.one_of(st.sampled_from(KEYS), words), values, max_size=8), values),
    max_size=5,
)


@given(services)
def test_any_overrides(overrides: Any) -> None:
    specs, problems = load_specs([], None, overrides, KINDS)
    names = [spec.name for spec in specs]
    assert len(set(names)) == len(names)
    assert all(NAME.fullmatch(name) for name in names)
    told = {problem.service for problem in problems if problem.service}
    assert told == {spec.name for spec in specs if spec.problem}
    for problem in problems:
        assert problem.source
        assert problem.key.startswith("services.")
        assert problem.message
    for spec in specs:
        if not spec.problem:
            assert spec.kind in KINDS
            assert all(isinstance(item, str) for item in (*spec.command, *spec.env.values()))
            assert all(isinstance(item, str) for item in (*spec.requires, *spec.env))


@given(services, services)
def test_a_service_stands_or_falls_by_itself(first: Any, second: Any) -> None:
    """What is written of one service never changes what becomes of those it has no ties with."""
    alone = {spec.name: spec for spec in load_specs([], None, second, KINDS)[0]}
    lonely = {
        name: spec
        for name, spec in alone.items()
        if not spec.requires and "port" not in spec.options and name not in map(str, first)
    }
    both = {**first, **second}
    together = {spec.name: spec for spec in load_specs([], None, both, KINDS)[0]}
    for name, spec in lonely.items():
        assert repr(together[name]) == repr(spec)


@given(st.one_of(st.text(), st.binary()))
def test_any_file(content: str | bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.toml"
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8", errors="replace")
        else:
            path.write_bytes(content)
        specs, _ = load_specs([], path, {}, KINDS)
    assert [spec.name for spec in specs][:3] == ["openrefine", "postgres", "mongo"]
