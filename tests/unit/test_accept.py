"""Which form of an answer is wanted."""

from __future__ import annotations

import pytest

from ou_vce_ext.routes.accept import prefers_json

YES = [
    "application/json",
    "APPLICATION/JSON",
    "application/*",
    "application/json, text/html;q=0.9",
    "text/html;q=0.5,application/json;q=0.6",
    "text/*;q=0.1, application/json;q=0.2",
    "*/*;q=0.1, application/json",
    "text/html;q=0, */*",
    "application/json;charset=utf-8; q=0.7, text/html; Q=0.6",
    "application/json, text/html;q=0.",
]
NO = [
    "",
    "*/*",
    "text/html",
    "text/plain",
    "application/json;q=0",
    "application/json;q=0.8, text/html;q=0.8",
    "application/json;q=0.8, */*",
    "application/json;q=0.8, text/*;q=0.9",
    "text/html, application/json",
    "application/json;q=0.1, text/html;q=nonsense",
    ",;,;q=1",
    "application/json;q=0.999, text/html;q=1.000",
]


@pytest.mark.parametrize("accept", YES)
def test_json_is_strictly_preferred(accept: str) -> None:
    assert prefers_json(accept)


@pytest.mark.parametrize("accept", NO)
def test_json_is_not_strictly_preferred(accept: str) -> None:
    assert not prefers_json(accept)
