"""What an app is told of a request, and a browser of the app's answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest

from . import cookies
from .addresses import Addresses

if TYPE_CHECKING:
    from multidict import CIMultiDict

_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NOT_FOR_APPS: Final = _HOP_BY_HOP | {
    "authorization",
    "cookie",
    "destination",
    "expect",
    "forwarded",
    "host",
    "origin",
    "referer",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "x-csrftoken",
    "x-proxycontextpath",
    "x-real-ip",
    "x-scheme",
    "x-xsrftoken",
}
"""Headers that end here, or need a closer look. All of ``x-forwarded-*`` do too."""
_NOT_FOR_BROWSERS: Final = _HOP_BY_HOP | {"alt-svc", "clear-site-data"}
"""``Alt-Svc`` and ``Clear-Site-Data`` speak for the whole origin, which is Jupyter's."""


class Credentials(NamedTuple):
    """What in a request is Jupyter's own: never an app's to see.

    ``cookies`` are the names of its cookies; ``token`` the server's, where it has one; ``xsrf`` the
    value of its XSRF cookie. ``by_token`` is true where a token let this request in.
    """

    cookies: frozenset[str]
    token: str = ""
    xsrf: str = ""
    by_token: bool = False

    def owns_authorization(self, value: str) -> bool:
        """Tell whether an ``Authorization`` header is (or may be) for Jupyter."""
        if self.by_token or value[:6].lower() == "token ":
            return True
        return bool(self.token) and self.token in value


def for_app(
    request: HTTPServerRequest, addresses: Addresses, credentials: Credentials, forwarded_host: str
) -> CIMultiDict[str]:
    """Give the headers to send to the app. ``forwarded_host`` is what the browser calls us."""
    from multidict import CIMultiDict

    told: CIMultiDict[str] = CIMultiDict()
    told["Host"] = addresses.host_header
    named = _named_by_connection(request.headers.get_list("Connection"))
    for name, value in request.headers.get_all():
        key = name.lower()
        if key in _NOT_FOR_APPS or key in named or key.startswith("x-forwarded-"):
            looked_at = _look_closer(key, value, addresses, credentials)
            if looked_at is None:
                continue
            value = looked_at
        told.add(name, value if value.isascii() else _as_sent(value))
    told["X-Forwarded-For"] = request.remote_ip or ""
    told["X-Forwarded-Proto"] = request.protocol
    told["X-Forwarded-Host"] = forwarded_host
    told["X-Forwarded-Prefix"] = addresses.prefix
    told["X-Forwarded-Context"] = addresses.prefix
    told["X-ProxyContextPath"] = addresses.prefix
    for name, value in addresses.upstream.request_headers.items():
        told[name] = value
    return told


def _look_closer(
    key: str, value: str, addresses: Addresses, credentials: Credentials
) -> str | None:
    match key:
        case "cookie":
            return cookies.for_app(value, credentials.cookies) or None
        case "origin":
            return addresses.origin_for_app(value)
        case "referer" | "destination":
            return addresses.url_for_app(value)
        case "authorization":
            return None if credentials.owns_authorization(value) else value
        case "x-csrftoken":
            # Django's apps use it as their own; Jupyter takes its token there too.
            return None if value == credentials.xsrf else value
        case _:
            return None


def _named_by_connection(values: Iterable[str]) -> frozenset[str]:
    """Headers that ``Connection`` says are for the next hop only."""
    return frozenset(name.strip().lower() for value in values for name in value.split(",")) - {
        "close",
        "",
    }


def _as_sent(value: str) -> str:
    """Give text that tornado decoded as Latin-1 so that it leaves as the bytes it came as."""
    return value.encode("latin-1").decode("utf-8", "replace")


def for_browser(
    raw: Iterable[tuple[bytes, bytes]], addresses: Addresses, credentials: Credentials
) -> Iterator[tuple[str, str]]:
    """Give the app's headers as the browser is to see them, in their order, repeats included."""
    named: frozenset[str] = frozenset()
    for raw_name, raw_value in raw:
        if raw_name.lower() == b"connection":
            named |= _named_by_connection([raw_value.decode("latin-1")])
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        key = name.lower()
        if key in _NOT_FOR_BROWSERS or key in named:
            continue
        match key:
            case "location" | "content-location":
                value = addresses.url_for_browser(value)
            case "refresh":
                value = addresses.refresh_for_browser(value)
            case "service-worker-allowed":
                value = addresses.path_for_browser(value)
            case "set-cookie":
                kept = cookies.for_browser(value, credentials.cookies, addresses)
                if kept is None:
                    continue
                value = kept
        yield name, value


def add_all(headers: HTTPHeaders, told: Iterable[tuple[str, str]]) -> None:
    """Add what tornado takes; a header with characters no header may have is left out."""
    for name, value in told:
        try:
            headers.add(name, value)
        except HTTPInputError:
            continue
