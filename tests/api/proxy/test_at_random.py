"""Whatever is sent: an answer that is no 500, or the connection's end, and nothing left over."""

from __future__ import annotations

import asyncio
import logging
from random import Random

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jupyter_server.serverapp import ServerApp

from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.proxy import close_clients
from ou_vce_ext.states import ServiceState
from tests.api.proxy.apps import echo_app, serving
from tests.api.proxy.at_random import a_request, send
from tests.api.proxy.conftest import Apps, Browser


@pytest.mark.parametrize("part", range(2))
def test_nothing_is_ever_our_fault(
    apps: Apps,
    browser: Browser,
    jp_serverapp: ServerApp,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
    caplog: pytest.LogCaptureFixture,
    part: int,
) -> None:
    caplog.set_level(logging.ERROR)
    statuses: set[int] = set()

    async def ask(random: Random) -> None:
        host = f"127.0.0.1:{browser.port}"
        request = a_request(random, browser.base, host, browser.token, apps_only=True)
        try:
            status = await send(browser.port, request)
        except TimeoutError:
            raise AssertionError(f"no answer and no end: {request.raw!r}") from None
        assert status != 500, request.raw
        assert not caplog.records, request.raw
        statuses.add(status)

    @settings(
        max_examples=250,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(random=st.randoms(use_true_random=part == 0))
    def every(random: Random) -> None:
        jp_asyncio_loop.run_until_complete(ask(random))

    async def begin() -> int:
        port = await stack.__aenter__()
        apps.add(Upstream(port=port), name="echo")
        apps.add(Upstream(port=1), name="stopped", state=ServiceState.STOPPED)
        return port

    stack = serving(echo_app())
    port = jp_asyncio_loop.run_until_complete(begin())
    every()
    caplog.clear()
    assert {200, 503} <= statuses
    jp_asyncio_loop.run_until_complete(close_clients(jp_serverapp.web_app.settings))
    jp_asyncio_loop.run_until_complete(all_gone(port))
    jp_asyncio_loop.run_until_complete(stack.__aexit__(None, None, None))


async def all_gone(port: int) -> None:
    """Return once no connection to the app is left, which must be soon."""
    async with asyncio.timeout(120):
        while any(
            getattr(each.raddr, "port", 0) == port and each.status == psutil.CONN_ESTABLISHED
            for each in psutil.Process().net_connections("tcp")
        ):
            await asyncio.sleep(0.05)
