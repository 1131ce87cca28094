"""What an app is told of a request, and a browser of the app's answer."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.proxy import headers
from ou_vce_ext.proxy.addresses import Addresses
from ou_vce_ext.proxy.headers import Credentials

PLACE = Addresses("/vce/app/genie", "vce.example", Upstream(port=3000))
MINE = Credentials(frozenset({"our-login", "_xsrf"}), token="s3cret", xsrf="x5rf")


def told(
    *lines: tuple[str, str], place: Addresses = PLACE, mine: Credentials = MINE
) -> list[tuple[str, str]]:
    sent = HTTPHeaders()
    sent.add("Host", "vce.example")
    for name, value in lines:
        sent.add(name, value)
    request = HTTPServerRequest(
        headers=sent, start_line=RequestStartLine("GET", "/vce/app/genie/", "HTTP/1.1")
    )
    request.remote_ip = "10.0.0.9"
    found = headers.for_app(request, place, mine, "vce.example").items()
    return [(name, value) for name, value in found if not name.startswith("X-")]


def test_what_is_the_apps_passes_in_order_repeats_included() -> None:
    sent = [
        ("Accept", "text/html"),
        ("Accept-Encoding", "br"),
        ("Range", "bytes=0-1"),
        ("Via", "1.1 a"),
        ("Via", "1.1 b"),
        ("Authorization", "Basic dTpw"),
    ]
    assert told(*sent) == [("Host", "127.0.0.1:3000"), *sent]


@pytest.mark.parametrize(
    "line",
    [
        ("Connection", "keep-alive"),
        ("Keep-Alive", "timeout=5"),
        ("Te", "trailers"),
        ("Trailer", "X"),
        ("Upgrade", "h2c"),
        ("Proxy-Authorization", "Basic x"),
        ("Expect", "100-continue"),
        ("Authorization", "token whatever"),
        ("Authorization", "Bearer s3cret"),
        ("Cookie", "our-login=1; _xsrf=2"),
        ("X-Xsrftoken", "x5rf"),
        ("X-Csrftoken", "x5rf"),
        ("X-Forwarded-For", "1.2.3.4"),
        ("X-Forwarded-Server", "evil"),
        ("X-Real-Ip", "1.2.3.4"),
        ("Forwarded", "for=1.2.3.4"),
    ],
)
def test_what_is_not_the_apps_ends_here(line: tuple[str, str]) -> None:
    assert told(line) == [("Host", "127.0.0.1:3000")]


def test_what_connection_names_ends_here_too() -> None:
    assert told(("Connection", "close, X-Once, Foo"), ("Foo", "1"), ("Bar", "2")) == [
        ("Host", "127.0.0.1:3000"),
        ("Bar", "2"),
    ]


def test_a_token_that_let_the_request_in_is_never_the_apps() -> None:
    by_token = Credentials(frozenset(), by_token=True)
    assert told(("Authorization", "Bearer of-a-hub"), mine=by_token) == [("Host", "127.0.0.1:3000")]


def test_an_apps_own_csrf_token_passes() -> None:
    sent = HTTPHeaders({"Host": "vce.example", "X-CSRFToken": "djangos"})
    request = HTTPServerRequest(
        headers=sent, start_line=RequestStartLine("POST", "/vce/app/genie/", "HTTP/1.1")
    )
    assert headers.for_app(request, PLACE, MINE, "vce.example")["X-CSRFToken"] == "djangos"


def test_a_declared_header_overrides() -> None:
    place = Addresses(
        "/p", "vce.example", Upstream(port=1, request_headers={"Accept": "x/y", "X-More": "1"})
    )
    assert ("Accept", "x/y") in told(("Accept", "text/html"), place=place)


def test_bytes_beyond_ascii_leave_as_they_came() -> None:
    raw = "né".encode().decode("latin-1")
    assert ("Title", "né") in told(("Title", raw))


def test_a_browser_sees_the_apps_headers_and_no_more() -> None:
    answer = [
        (b"Server", b"Jetty"),
        (b"Set-Cookie", b"a=1; Path=/"),
        (b"Set-Cookie", b"_xsrf=evil"),
        (b"Set-Cookie", b"b=2"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Connection", b"keep-alive, X-Hop"),
        (b"X-Hop", b"1"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Trailer", b"X"),
        (b"Alt-Svc", b'h3=":443"'),
        (b"Clear-Site-Data", b'"cookies"'),
        (b"Content-Encoding", b"gzip"),
        (b"Location", b"http://localhost:3000/x"),
        (b"Content-Location", b"/y"),
        (b"Service-Worker-Allowed", b"/"),
        (b"X-Name", "né".encode()),
    ]
    assert list(headers.for_browser(answer, PLACE, MINE)) == [
        ("Server", "Jetty"),
        ("Set-Cookie", "a=1; Path=/vce/app/genie/"),
        ("Set-Cookie", "b=2"),
        ("Content-Encoding", "gzip"),
        ("Location", "/vce/app/genie/x"),
        ("Content-Location", "/vce/app/genie/y"),
        ("Service-Worker-Allowed", "/vce/app/genie/"),
        ("X-Name", "né".encode().decode("latin-1")),
    ]


def test_a_header_no_header_may_be_is_left_out() -> None:
    sent = HTTPHeaders()
    headers.add_all(sent, [("Good", "1"), ("Bad", "a\x00b"), ("Bad Name", "1"), ("Good", "2")])
    assert list(sent.get_all()) == [("Good", "1"), ("Good", "2")]
