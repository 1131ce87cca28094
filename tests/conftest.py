"""What every test of the server side stands on."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings
from traitlets.config import Config

from tests.signals import mind_signals

# A busy machine is no defect. On a build server the examples are the same ones each time.
settings.register_profile(
    "vce",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.getenv("CI")),
    database=None,
)
settings.load_profile("vce")

mind_signals()


@pytest.fixture
def jp_server_config() -> Config:
    """A Jupyter server with the extension on."""
    return Config({"ServerApp": {"jpserver_extensions": {"ou_vce_ext": True}}})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep together what shares a server, and leave to ordinary users what is theirs.

    Only they can be refused some things; a test of root's runs those as one.
    """
    for item in items:
        if isinstance(item, pytest.Function) and _shares_with_its_file(item):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    if os.geteuid() != 0:
        return
    theirs = [item for item in items if item.get_closest_marker("ordinary_user")]
    config.hook.pytest_deselected(items=theirs)
    items[:] = [item for item in items if item not in theirs]


def _shares_with_its_file(item: pytest.Function) -> bool:
    """Whether a test stands on something that is made once for its file, a server mostly."""
    made = item._fixtureinfo.name2fixturedefs.values()
    return any(fixture.scope == "module" for fixtures in made for fixture in fixtures)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every real part must be there, a test that finds one missing has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.getenv("VCE_REQUIRE_REAL"):
        report.outcome = "failed"
        report.longrepr = f"VCE_REQUIRE_REAL is set: {report.longreprtext or report.longrepr}"
    return report
