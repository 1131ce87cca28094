"""Jupyter's credentials never reach an app: an app that echoes all it is told proves it."""

from __future__ import annotations

import base64
from typing import Any

from ou_vce_ext.models_upstream import Upstream
from tests.api.proxy.apps import echo_app, scripted, serving
from tests.api.proxy.conftest import Apps, Browser, echoed


async def test_no_credential_of_jupyter_reaches_an_app(apps: Apps, browser: Browser) -> None:
    cookie = await browser.cookie()
    token, ours = browser.token, browser.origin
    login = cookie.split("=", 1)[1].strip('"')
    by_cookie: dict[str, str] = {"Cookie": f"{cookie}; _xsrf=2|abc; mine=1", "Origin": ours}
    told: list[dict[str, Any]] = []
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for path, headers in (
            ("/x", {"Authorization": f"token {token}"}),
            ("/x", {"Authorization": f"Bearer {token}"}),
            ("/x", {"Authorization": f"bearer   {token}", "Cookie": by_cookie["Cookie"]}),
            (f"/x?token={token}", {}),
            (f"/x?a=1&token={token}&b=2", by_cookie),
            (f"/x?%74oken={token}", {}),
            ("/x?_xsrf=2|abc", by_cookie),
            ("/x", {**by_cookie, "X-XSRFToken": "2|abc", "X-CSRFToken": "2|abc"}),
            ("/x", {**by_cookie, "Authorization": "token stale-2|abc"}),
            ("/x", {**by_cookie, "Referer": f"{ours}{browser.prefix}/?token={token}"}),
            ("/x", {**by_cookie, "Referer": f"{ours}{browser.base}lab?token={token}"}),
            ("/x", {**by_cookie, "Cookie": f"username-localhost-9999={login}; {cookie}"}),
            ("/x", {**by_cookie, "Cookie": f"{cookie};jupyterhub-session-id={token}"}),
        ):
            for method in ("GET", "POST"):
                asking = browser.ask(path, method, anonymous=True, headers=headers)
                told.append(await echoed(asking))
    for each in told:
        for secret in (token, login, "2|abc", "username-", "jupyterhub-", "_xsrf", "XSRF"):
            assert secret not in str(each), secret
    assert sum(["Cookie", "mine=1"] in each["headers"] for each in told) == 14


async def test_what_is_the_apps_own_reaches_it(apps: Apps, browser: Browser) -> None:
    basic = "Basic " + base64.b64encode(b"user:password").decode()
    cookie = await browser.cookie()
    sent = {
        "Cookie": f"theirs=1; {cookie}; session=2",
        "Authorization": basic,
        "X-CSRFToken": "djangos",
        "Origin": browser.origin,
    }
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        told = (await echoed(browser.ask("/x", "POST", anonymous=True, headers=sent)))["headers"]
    assert ["Cookie", "theirs=1; session=2"] in told
    assert ["Authorization", basic] in told
    assert ["X-Csrftoken", "djangos"] in told
    assert ["Origin", f"http://127.0.0.1:{port}"] in told


async def test_an_app_is_told_where_it_is_seen(apps: Apps, browser: Browser) -> None:
    spoofed = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Port": "1",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
    }
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port, host_header="app.internal"))
        told = await echoed(browser.ask("/x", headers=spoofed))
    found = dict(told["headers"])
    assert len(found) == len(told["headers"])
    assert found["Host"] == "app.internal"
    assert found["X-Forwarded-For"] == "127.0.0.1"
    assert found["X-Forwarded-Host"] == f"127.0.0.1:{browser.port}"
    assert found["X-Forwarded-Proto"] == "http"
    for name in ("X-Forwarded-Prefix", "X-Forwarded-Context", "X-Proxycontextpath"):
        assert {key.lower(): value for key, value in found.items()}[name.lower()] == browser.prefix
    assert "6.6.6.6" not in str(told)


async def test_nothing_is_added_to_what_the_browser_says(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        writer.write(browser.head("/x", "POST", "Content-Length: 1", "Connection: close") + b"x")
        answer = (await reader.read()).decode()
        writer.close()
    for name in ("Accept", "User-Agent", "Content-Type", "Cookie"):
        assert f'["{name}' not in answer


async def test_an_app_cannot_take_over_jupyters_login(apps: Apps, browser: Browser) -> None:
    login = (await browser.cookie()).split("=")[0]
    lines = [
        f"Set-Cookie: {login}=evil; Path=/",
        "Set-Cookie: _xsrf=evil; Path=/",
        "Set-Cookie: username-localhost-8888=evil",
        "Set-Cookie: jupyterhub-session-id=evil",
        f"Set-Cookie: ={login}=evil",
        'Clear-Site-Data: "cookies"',
        "Set-Cookie: own=1; Domain=127.0.0.1; Path=/",
        "Content-Length: 0",
    ]

    async def script(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(("HTTP/1.1 200 OK\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode())

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        cookie = await browser.cookie()
        async with browser.ask("/x", anonymous=True, headers={"Cookie": cookie}) as answer:
            found = answer.headers.getall("Set-Cookie")
            assert "Clear-Site-Data" not in answer.headers
    assert found == [f"own=1; Path={browser.prefix}/"]


async def test_the_first_visit_with_a_token_logs_the_browser_in(
    apps: Apps, browser: Browser
) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with browser.ask(f"/x?token={browser.token}", anonymous=True) as answer:
            cookie = answer.headers["Set-Cookie"].split(";")[0]
        assert cookie.startswith("username-")
        async with browser.ask("/x", anonymous=True, headers={"Cookie": cookie}) as answer:
            assert answer.status == 200


async def test_redirects_lead_through_us(apps: Apps, browser: Browser) -> None:
    async def script(reader: Any, writer: Any) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        where = head.split(" ")[1].removeprefix("/to?")
        writer.write(f"HTTP/1.1 307 Go\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        for where, seen in (
            ("/a?b", f"{browser.prefix}/a?b"),
            (f"http://127.0.0.1:{port}/a", f"{browser.prefix}/a"),
            (f"http://localhost:{port}", f"{browser.prefix}/"),
            ("a/b", "a/b"),
            ("https://example.org/a", "https://example.org/a"),
        ):
            async with browser.ask(f"/to?{where}", "POST", data=b"x") as answer:
                assert (answer.status, answer.headers["Location"]) == (307, seen)


async def test_the_log_holds_no_secret(apps: Apps, browser: Browser, caplog: Any) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with browser.ask(f"/x?token={browser.token}"):
            pass
        async with browser.ask("/x?token=wr0ng", anonymous=True):
            pass
    apps.add(Upstream(port=port))
    async with browser.ask(f"/x?token={browser.token}"):
        pass
    lines = [record.getMessage() for record in caplog.records if "Config" not in record.msg]
    said = [line for line in lines if "vce/app" in line or "app did" in line]
    assert said
    assert not [line for line in said if browser.token in line or "wr0ng" in line]
