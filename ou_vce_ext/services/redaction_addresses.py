"""Taking machines and people's addresses out of a text: URIs, host names, IP, e-mail."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

HOST: Final = "<host>"
_URI: Final = re.compile(
    r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.\-]{0,30}://)(\S{1,500}@)?([^\s/?#\"'<>\\)}]*)"
)
_E_MAIL: Final = re.compile(r"[\w.+%\-]{1,64}@[\w\-.]{1,255}")
_HOST_OF: Final = re.compile(
    r"(?i)\b((?:host(?:name|addr)?|server_?name|node_?name)\\?[\"']?\s{0,4}[=:]\s{0,4})"
    r"(\\?[\"']?)([^\s,;&\"'()\\]+)"
)
_HOST_SAID: Final = re.compile(
    r"(?i)\b((?:host(?:\s+name)?|server(?:\s+at)?|machine|computer)\s+)([\"'`])([^\"'`\n]{1,255})\2"
)
_DOMAIN: Final = re.compile(
    r"(?i)(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,8}"
    r"(?:com|org|net|edu|gov|uk|eu|local|lan|internal|home|localdomain|intranet|corp)(?![\w-]|\.\w)"
)
_IPV6: Final = re.compile(
    r"(?<![\w:.])((?:[0-9A-Fa-f]{0,4}:){2,8}[0-9A-Fa-f.]{0,15})(%\w+)?(?![\w:])"
)
_IPV4: Final = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)")
_MAC: Final = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
_PORT: Final = re.compile(r"(\[[^\]]*\]|[^:]*)(:\d{1,5})?")


def without_uris(text: str) -> str:
    """``text`` whose URIs tell neither who asks nor, beyond this machine, whom."""
    return _URI.sub(_uri, text)


def without_addresses(text: str) -> str:
    """``text`` in which only this machine's own loopback addresses are left."""
    text = _E_MAIL.sub("<e-mail>", text)
    text = _HOST_OF.sub(lambda found: f"{found[1]}{found[2]}{or_placeholder(found[3])}", text)
    text = _HOST_SAID.sub(
        lambda found: f"{found[1]}{found[2]}{or_placeholder(found[3])}{found[2]}", text
    )
    text = _DOMAIN.sub(HOST, text)
    text = _MAC.sub("<address>", text)
    text = _IPV6.sub(lambda found: _ip(found[0], found[1]), text)
    return _IPV4.sub(lambda found: _ip(found[0], found[0]), text)


def is_loopback(name: str) -> bool:
    """Whether ``name`` means this machine alone, or none in particular (0.0.0.0)."""
    if name.lower() in ("localhost", "localhost.localdomain", ""):
        return True
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or address
    return bool(inner.is_loopback or inner.is_unspecified)


def _uri(found: re.Match[str]) -> str:
    scheme, credentials, hosts = found.groups()
    shown = ",".join(or_placeholder(host) for host in hosts.split(","))
    return f"{scheme}{'<credentials>@' if credentials else ''}{shown}"


def or_placeholder(host: str) -> str:
    """``host`` itself where it is this machine, else what stands for it; a path is no host."""
    if host.startswith(("/", "<", "~", "%2F")):
        return host
    parts = _PORT.match(host)
    name, port = (parts[1], parts[2] or "") if parts else (host, "")
    if is_loopback(name) or is_loopback(host):
        return host
    return f"{HOST}{port}"


def _ip(shown: str, text: str) -> str:
    """``shown`` if ``text`` is no address, or one of this machine."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        parts = text.split(".")
        if len(parts) != 4 or not all(part.isdecimal() and int(part) < 256 for part in parts):
            return shown
        return "<address>"
    return shown if is_loopback(str(address)) else "<address>"
