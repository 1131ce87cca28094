"""What every test of the server side stands on."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import warnings
from collections.abc import Generator, Iterator
from typing import Any

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

FAILED = pytest.StashKey[bool]()


@pytest.fixture(autouse=True)
def jp_asyncio_loop(
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop of one test, which ends with all that was begun in it, as a program's does.

    What is left when a loop is closed is found by the garbage collector in the middle of some other
    test, which would fail for it; a thread that is still at work would find no loop to answer to.
    """
    yield jp_asyncio_loop
    jp_asyncio_loop.run_until_complete(_end_of(jp_asyncio_loop))


async def _end_of(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()


@pytest.fixture
def jp_server_config() -> Config:
    """A Jupyter server with the extension on."""
    return Config({"ServerApp": {"jpserver_extensions": {"ou_vce_ext": True}}})


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Spread the tests our way, where they are run by several processes."""
    from tests.spread import Spread

    return Spread(config, log)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a file's content by its argument: made anew by each process, it may differ by the time.

    Processes that share the tests must all know them by the same names.
    """
    return argname if isinstance(val, bytes | str) and len(val) > 60 else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to ordinary users what only they can be refused; a test of root's runs it as one."""
    if os.geteuid() != 0:
        return
    theirs = [item for item in items if item.get_closest_marker("ordinary_user")]
    config.hook.pytest_deselected(items=theirs)
    items[:] = [item for item in items if item not in theirs]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every real part must be there, a test that finds one missing has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.getenv("VCE_REQUIRE_REAL"):
        report.outcome = "failed"
        report.longrepr = f"VCE_REQUIRE_REAL is set: {report.longreprtext or report.longrepr}"
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Take away what a failed test has left open: the next one would fail for it, too."""
    done = yield
    if item.stash.get(FAILED, False):
        # Kept for debuggers, and with it all that its functions knew.
        for name in ("last_exc", "last_type", "last_value", "last_traceback"):
            vars(sys).pop(name, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
    return done
