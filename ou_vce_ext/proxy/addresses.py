"""One app, two addresses: what the browser calls it, and what the app calls itself."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, unquote_plus

from ..models_upstream import Upstream

CREDENTIAL_PARAMETERS: Final = frozenset({"token", "_xsrf"})
"""Query parameters in which Jupyter takes its own token and XSRF token: never an app's to see."""

_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))
_PATH: Final = "/:?@!$&'()*+,;=~-._[]"
_ORIGIN = re.compile(r"(?:https?:)?//([^/?#\\]*)", re.IGNORECASE)
_REFRESH = re.compile(r"(\s*[\d.]*\s*[;,]?\s*url\s*=\s*)(['\"]?)(.*?)(['\"]?\s*)", re.IGNORECASE)


def without_credentials(query: str) -> str:
    """Give the query as it was sent, but for parameters that carry Jupyter's credentials."""
    if "token" not in query and "_xsrf" not in query and "%" not in query:
        return query
    fields = query.split("&")
    kept = [each for each in fields if _name(each) not in CREDENTIAL_PARAMETERS]
    return query if len(kept) == len(fields) else "&".join(kept)


def _name(parameter: str) -> str:
    return unquote_plus(parameter.partition("=")[0], "latin-1")


class Addresses(NamedTuple):
    """Translates between the browser's address of an app and the app's own.

    ``prefix`` is the path of the app below Jupyter, without its last slash, as it stands in the
    request. ``public_host`` is the Host the browser used.
    """

    prefix: str
    public_host: str
    upstream: Upstream

    @property
    def host_header(self) -> str:
        """The Host the app expects."""
        upstream = self.upstream
        if upstream.host_header:
            return upstream.host_header
        return f"{upstream.host}:{upstream.port}" if upstream.port else "localhost"

    @property
    def origin(self) -> str:
        """The origin the app believes in."""
        return f"http://{self.host_header}"

    def target(self, uri: str) -> str:
        """Give what to ask the app for: ``uri`` letter by letter, without prefix and credentials.

        ``uri`` is the request line's, which tornado has decoded as Latin-1.
        """
        path, mark, query = uri.partition("?")
        if self.upstream.manners.mappath:
            path = self.prefix + self._mapped(self.below(path))
        if not self.upstream.absolute_url:
            path = path[len(self.prefix) :]
        if mark:
            kept = without_credentials(query)
            path = f"{path}?{kept}" if kept or not query else path
        return path if path.isascii() else quote(path.encode("latin-1"), safe=_ASCII)

    def below(self, path: str) -> str:
        """Give what of a request's path is below the app's address, as it was sent."""
        return path[len(self.prefix) :]

    def _mapped(self, path: str) -> str:
        """Give the path to ask for instead; one that stays the same stays letter by letter."""
        plain = unquote(path, "latin-1" if not path.isascii() else "utf-8")
        ask = self.upstream.manners.mappath
        mapped = ask(plain) if ask else plain
        return path if mapped == plain else quote(mapped, safe=_PATH)

    def origin_for_app(self, origin: str) -> str:
        """Give ``Origin`` as the app expects it where it is ours; a stranger's stays."""
        match = _ORIGIN.fullmatch(origin)
        return self.origin if match and match[1].lower() == self.public_host.lower() else origin

    def url_for_app(self, url: str) -> str:
        """Give a ``Referer`` or ``Destination`` as the app would have seen it without us.

        Of a page that is ours but not this app's, no more than the origin is told.
        """
        match = _ORIGIN.match(url)
        if match is None:
            return url
        path, mark, query = url[match.end() :].partition("#")[0].partition("?")
        kept = without_credentials(query)
        rest = f"{path}?{kept}" if mark and (kept or not query) else path
        if match[1].lower() != self.public_host.lower():
            return match[0] + rest
        if not _below(path, self.prefix):
            return f"{self.origin}/"
        if not self.upstream.absolute_url:
            rest = rest[len(self.prefix) :]
        return self.origin + (rest or "/")

    def url_for_browser(self, url: str) -> str:
        """Give a ``Location`` so that it leads to the app through us.

        What is at the app's own origin is put under our prefix, unless it is there already; what
        is relative or at another origin is left alone.
        """
        match = _ORIGIN.match(url)
        if match is None:
            return self._below_prefix(url) if url.startswith(("/", "\\")) else url
        if not self._is_own(match[1].rpartition("@")[2]):
            return url
        rest = url[match.end() :]
        return self._below_prefix(rest if rest.startswith("/") else f"/{rest}")

    def _is_own(self, host: str) -> bool:
        """Tell whether the app may call itself ``host``: it knows what we told it, or its port."""
        upstream = self.upstream
        hosts = {self.host_header, self.public_host}
        if upstream.port:
            names = (upstream.host, "127.0.0.1", "localhost", "[::1]")
            hosts |= {f"{name}:{upstream.port}" for name in names}
        return host.lower() in {each.lower() for each in hosts}

    def refresh_for_browser(self, value: str) -> str:
        """Give a ``Refresh`` header whose address leads to the app through us."""
        match = _REFRESH.fullmatch(value)
        if match is None:
            return value
        return f"{match[1]}{match[2]}{self.url_for_browser(match[3])}{match[4]}"

    def path_for_browser(self, path: str) -> str:
        """Give an absolute path (of a cookie, of a service worker's scope) under our prefix."""
        return path if _below(path, self.prefix) else self.prefix + path

    def _below_prefix(self, path: str) -> str:
        return path if self.upstream.absolute_url else self.path_for_browser(path)


def _below(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and path[len(prefix) :][:1] in ("", "/", "?", "#")
