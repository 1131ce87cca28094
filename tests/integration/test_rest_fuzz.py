"""Whatever the REST description allows, and what it does not, asked of a real server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.api.described import served

from .jupyter_rig import REPOSITORY, TOKEN, Jupyter, jupyter

pytestmark = pytest.mark.integration

OPERATIONS = sorted(each for each in served() if not each[1].startswith("/app/"))
EXAMPLES = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """One quick service, so that most of what is asked is about nothing there is."""
    toml = f"""
        services.openrefine.enabled = false
        services.postgres.enabled = false
        services.mongo.enabled = false
        [services.echo]
        command = ["{sys.executable}", "-m", "tests.integration.echo_program", "{{port}}"]
        cwd = "{REPOSITORY}"
    """
    with jupyter(tmp_path_factory.mktemp("fuzz"), toml=toml) as found:
        yield found


@pytest.fixture(scope="module")
def described() -> Any:
    schemathesis = pytest.importorskip("schemathesis")
    file: Path = REPOSITORY / "ou_vce_ext" / "rest-api.yml"
    return schemathesis.openapi.from_path(str(file))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_one_that_is_described(
    server: Jupyter, described: Any, method: str, path: str
) -> None:
    from schemathesis.checks import not_a_server_error
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
    ]
    if path.endswith(".yaml"):
        # A text, says the description; as YAML it would be taken for what is written in it.
        checks.remove(response_schema_conformance)
    headers = {"Authorization": f"token {TOKEN}"}
    operation = described[path][method]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            response = case.call(base_url=f"{server.url}vce", headers=headers, timeout=120)
            case.validate_response(response, checks=checks)

        ask()
    assert "Traceback" not in server.log.read_text()
