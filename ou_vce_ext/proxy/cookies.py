"""Whose cookie is whose: an app never sees Jupyter's, and never sets one of its names."""

from __future__ import annotations

from typing import Final

from ..translation import LANGUAGE_COOKIE
from .addresses import Addresses

_PREFIXES: Final = ("username-", "jupyterhub-")
# Cookies know no ports: on one machine, those of every Jupyter server come with each request.


def is_jupyters(name: str, names: frozenset[str]) -> bool:
    """Tell whether a cookie is Jupyter's: one of ``names``, or of a name any Jupyter gives."""
    return (
        name in names
        or name == LANGUAGE_COOKIE
        or name.removeprefix("__Host-").startswith(_PREFIXES)
    )


def for_app(cookies: str, names: frozenset[str]) -> str:
    """Give a ``Cookie`` header without Jupyter's own; empty where nothing is left."""
    return ";".join(
        each for each in cookies.split(";") if not is_jupyters(_name(each), names)
    ).strip()


def for_browser(cookie: str, names: frozenset[str], addresses: Addresses) -> str | None:
    """Give a ``Set-Cookie`` header that stays within the app, or None where it must not be set.

    Its path is put under our prefix and its domain dropped. A ``__Host-`` cookie is only valid with
    the path ``/``, so its path stays.
    """
    pair, *attributes = cookie.split(";")
    name = _name(pair)
    if is_jupyters(name, names):
        return None
    kept = [pair]
    for attribute in attributes:
        key, _, value = attribute.partition("=")
        match key.strip().lower():
            case "domain":
                continue
            case "path" if value.strip().startswith("/") and not name.startswith("__Host-"):
                kept.append(f" Path={addresses.path_for_browser(value.strip())}")
            case _:
                kept.append(attribute)
    return ";".join(kept)


def _name(pair: str) -> str:
    # A cookie without a name comes back as its bare value, which may then look like a name and
    # value: so the first part that is not empty counts.
    return pair.lstrip("= \t").partition("=")[0].strip()
