"""Whose cookie is whose."""

from __future__ import annotations

import pytest

from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.proxy import cookies
from ou_vce_ext.proxy.addresses import Addresses

NAMES = frozenset({"our-login", "_xsrf"})
PLACE = Addresses("/vce/app/genie", "vce.example", Upstream(port=3000))


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("a=1; b=2", "a=1; b=2"),
        ("our-login=s; a=1", "a=1"),
        ("a=1; vce-lang=fr-FR", "a=1"),
        ("a=1;_xsrf=s;b", "a=1;b"),
        ("a=1; username-localhost-8889=s", "a=1"),
        ("__Host-jupyterhub-user-x=s; __Host-own=1", "__Host-own=1"),
        ("jupyterhub-session-id=s; jupyterhub-user-x=s; jupyterhub-hub-login=s", ""),
        (" our-login = s ; a=1", "a=1"),
        ("\tour-login=s", ""),
        ("=our-login=s; a=1", "a=1"),
        ("our-login", ""),
        ("x=our-login=s", "x=our-login=s"),
        ('q="a; our-login=s"; b=1', 'q="a; b=1'),
    ],
)
def test_an_app_sees_its_own_cookies_only(sent: str, told: str) -> None:
    assert cookies.for_app(sent, NAMES) == told


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("a=1", "a=1"),
        ("a=1; Path=/", "a=1; Path=/vce/app/genie/"),
        (
            "a=1; path=/x; HttpOnly; SameSite=Lax",
            "a=1; Path=/vce/app/genie/x; HttpOnly; SameSite=Lax",
        ),
        ("a=1; Path=/vce/app/genie/x", "a=1; Path=/vce/app/genie/x"),
        ("a=1; Path=x", "a=1; Path=x"),
        ("a=1; Path=/; Path=/y", "a=1; Path=/vce/app/genie/; Path=/vce/app/genie/y"),
        ("a=1; Domain=vce.example; Secure", "a=1; Secure"),
        (
            "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
            "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
        ),
        ("__Host-a=1; Secure; Path=/", "__Host-a=1; Secure; Path=/"),
        ("=bare", "=bare"),
    ],
)
def test_an_apps_cookie_stays_within_the_app(sent: str, seen: str) -> None:
    assert cookies.for_browser(sent, NAMES, PLACE) == seen


@pytest.mark.parametrize(
    "sent",
    [
        "our-login=evil",
        "_xsrf=evil; Path=/",
        "username-localhost-8888=evil",
        "jupyterhub-user-x=evil",
        " our-login =evil",
        "=our-login=evil",
        "==our-login=evil",
        "our-login",
    ],
)
def test_an_app_cannot_set_jupyters_cookies(sent: str) -> None:
    assert cookies.for_browser(sent, NAMES, PLACE) is None
