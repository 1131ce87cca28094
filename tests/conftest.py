"""What every test of the server side stands on."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from traitlets.config import Config


@pytest.fixture
def jp_server_config() -> Config:
    """A Jupyter server with the extension on."""
    return Config({"ServerApp": {"jpserver_extensions": {"ou_vce_ext": True}}})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every real part must be there, a test that finds one missing has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.getenv("VCE_REQUIRE_REAL"):
        report.outcome = "failed"
        report.longrepr = f"VCE_REQUIRE_REAL is set: {report.longreprtext or report.longrepr}"
    return report
