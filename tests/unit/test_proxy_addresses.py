"""One app, two addresses."""

from __future__ import annotations

import pytest

from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.proxy.addresses import Addresses, without_credentials

OUTSIDE = Addresses("/hub/a%40b/vce/app/genie", "vce.example:8888", Upstream(port=3000))
KEEPING = Addresses("/vce/app/genie", "vce.example:8888", Upstream(port=3000, absolute_url=True))
NAMED = Addresses(
    "/vce/app/genie", "vce.example:8888", Upstream(port=3000, host_header="Genie.Local")
)
SOCKET = Addresses("/vce/app/genie", "vce.example:8888", Upstream(socket="/run/x"))


@pytest.mark.parametrize(
    "rest",
    [
        "/",
        "/a/b",
        "//double//slashes",
        "/../up/./here",
        "/a%2Fb%2fc",
        "/%2e%2e/x",
        "/%zz%",
        "/a;b=c",
        "/a?",
        "/a?b",
        "/a?b=&c==&&d",
        "/a??x?y",
        "/a?q=%20+%2B",
        "/a?q=1#not-a-fragment",
        "/a?tok=1&mytoken=2&tokens=3&xtoken",
        "/[x]|{y}^`\\",
    ],
)
def test_the_app_is_asked_letter_by_letter(rest: str) -> None:
    assert OUTSIDE.target(OUTSIDE.prefix + rest) == rest


def test_bytes_beyond_ascii_are_escaped_one_by_one() -> None:
    raw = "/é".encode().decode("latin-1")
    assert OUTSIDE.target(f"{OUTSIDE.prefix}{raw}?\xff=%41") == "/%C3%A9?%FF=%41"


def test_an_app_that_wants_the_whole_path_gets_it() -> None:
    assert KEEPING.target("/vce/app/genie/x?y") == "/vce/app/genie/x?y"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("token=secret", ""),
        ("a=1&token=secret&b=2", "a=1&b=2"),
        ("token", ""),
        ("_xsrf=2|x&a", "a"),
        ("%74oken=secret&a=%74oken", "a=%74oken"),
        ("t%6Fken=x&%5fxsrf=y", ""),
        ("a=token=1", "a=token=1"),
        ("&&token=1&&", "&&&"),
    ],
)
def test_jupyters_parameters_are_left_out_however_they_are_spelt(query: str, kept: str) -> None:
    assert without_credentials(query) == kept


def test_a_query_of_nothing_but_a_token_leaves_no_question_mark() -> None:
    assert OUTSIDE.target(f"{OUTSIDE.prefix}/x?token=secret") == "/x"


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        ("/login?next=/x", "/hub/a%40b/vce/app/genie/login?next=/x"),
        ("/", "/hub/a%40b/vce/app/genie/"),
        ("http://127.0.0.1:3000/x", "/hub/a%40b/vce/app/genie/x"),
        ("http://LOCALHOST:3000", "/hub/a%40b/vce/app/genie/"),
        ("https://localhost:3000?q", "/hub/a%40b/vce/app/genie/?q"),
        ("//127.0.0.1:3000/x", "/hub/a%40b/vce/app/genie/x"),
        ("http://vce.example:8888/x", "/hub/a%40b/vce/app/genie/x"),
        (
            "http://vce.example:8888/hub/a%40b/vce/app/genie/x",
            "/hub/a%40b/vce/app/genie/x",
        ),
        ("/hub/a%40b/vce/app/genie/x", "/hub/a%40b/vce/app/genie/x"),
        ("/hub/a%40b/vce/app/genie", "/hub/a%40b/vce/app/genie"),
        (
            "/hub/a%40b/vce/app/genies",
            "/hub/a%40b/vce/app/genie/hub/a%40b/vce/app/genies",
        ),
        ("relative/x", "relative/x"),
        ("../x", "../x"),
        ("?q", "?q"),
        ("#f", "#f"),
        ("", ""),
        ("http://127.0.0.1:3001/x", "http://127.0.0.1:3001/x"),
        ("https://example.org/x", "https://example.org/x"),
        ("//example.org/x", "//example.org/x"),
        ("http://127.0.0.1:3000.example.org/", "http://127.0.0.1:3000.example.org/"),
        ("mailto:a@b", "mailto:a@b"),
    ],
)
def test_a_redirect_leads_through_us_or_away(location: str, seen: str) -> None:
    assert OUTSIDE.url_for_browser(location) == seen


def test_a_redirect_to_the_name_an_app_goes_by() -> None:
    assert NAMED.url_for_browser("http://genie.local/x") == "/vce/app/genie/x"
    assert NAMED.url_for_browser("http://127.0.0.1:3000/x") == "/vce/app/genie/x"
    assert SOCKET.url_for_browser("http://localhost/x") == "/vce/app/genie/x"


def test_an_app_that_wants_the_whole_path_redirects_with_it() -> None:
    assert KEEPING.url_for_browser("http://127.0.0.1:3000/vce/app/genie/x") == "/vce/app/genie/x"
    assert KEEPING.url_for_browser("/elsewhere") == "/elsewhere"


@pytest.mark.parametrize(
    ("refresh", "seen"),
    [
        ("5", "5"),
        ("0; url=/x", "0; url=/vce/app/genie/x"),
        ("0;URL='/x'", "0;URL='/vce/app/genie/x'"),
        ('3, url="http://genie.local/x"', '3, url="/vce/app/genie/x"'),
        ("1; url=https://example.org/", "1; url=https://example.org/"),
    ],
)
def test_a_refresh_is_a_redirect(refresh: str, seen: str) -> None:
    assert NAMED.refresh_for_browser(refresh) == seen


@pytest.mark.parametrize(
    ("referer", "told"),
    [
        ("http://vce.example:8888/hub/a%40b/vce/app/genie/x?a=1", "http://127.0.0.1:3000/x?a=1"),
        ("https://VCE.example:8888/hub/a%40b/vce/app/genie", "http://127.0.0.1:3000/"),
        (
            "http://vce.example:8888/hub/a%40b/vce/app/genie/?token=secret",
            "http://127.0.0.1:3000/",
        ),
        ("http://vce.example:8888/hub/a%40b/lab?token=secret", "http://127.0.0.1:3000/"),
        ("http://vce.example:8888/", "http://127.0.0.1:3000/"),
        ("https://example.org/page?q=1", "https://example.org/page?q=1"),
        ("https://example.org/page?token=secret", "https://example.org/page"),
        ("about:blank", "about:blank"),
    ],
)
def test_an_app_sees_referers_of_its_own_and_no_secret(referer: str, told: str) -> None:
    assert OUTSIDE.url_for_app(referer) == told


def test_origins() -> None:
    assert OUTSIDE.origin_for_app("http://vce.example:8888") == "http://127.0.0.1:3000"
    assert NAMED.origin_for_app("https://vce.example:8888") == "http://Genie.Local"
    assert SOCKET.origin_for_app("http://vce.example:8888") == "http://localhost"
    assert OUTSIDE.origin_for_app("https://example.org") == "https://example.org"
    assert OUTSIDE.origin_for_app("null") == "null"
