"""What a declaration asks of the proxy beyond passing on, made ready to be called."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from ...errors import DefiniteError, VceError
from ...models_upstream import Manners
from ...sentences import say
from .options import texts


def call_by_name(function: Callable[..., Any], told: Mapping[str, object]) -> Any:
    """Call ``function`` with as much of ``told`` as it has parameters for, by their names."""
    parameters = inspect.signature(function).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return function(**told)
    return function(**{each.name: told[each.name] for each in parameters if each.name in told})


def manners_of(options: Mapping[str, Any], title: str) -> Manners:
    """Make ready what ``options`` declare. Imports modules that are named there.

    Values are as in TOML, or callables where a package's own code gives them. Raises DefiniteError
    where a function is not to be had.
    """
    rewrites = tuple(
        _rewrite(each if callable(each) else _find(each, title), title)
        for each in texts(options.get("rewrite_response", ()))
    )
    return Manners(
        mappath=_mappath(options.get("mappath"), title),
        rewrites=rewrites,
        raw_socket=options.get("raw_socket", False),
        counts=_counts(options.get("activity", True), options.get("activity_ignores", ())),
        start_page=options.get("start_page", ""),
    )


def _mappath(declared: Any, title: str) -> Callable[[str], str] | None:
    if not declared:
        return None
    if callable(declared):
        asked: Callable[..., Any] = declared
        return lambda path: str(_call(asked, {"path": path}, f"{title} (mappath)"))
    table = dict(declared)
    return lambda path: table.get(path, path)


def _counts(activity: Any, ignored: Iterable[Any]) -> Callable[[object, str], bool] | None:
    if callable(activity):
        return _decided_by(activity)
    if not activity:
        return lambda handler, path: False
    patterns = [re.compile(each) for each in ignored]
    if not patterns:
        return None
    return lambda handler, path: not any(each.match(path) for each in patterns)


def _decided_by(function: Callable[..., Any]) -> Callable[[object, str], bool]:
    def counts(handler: object, path: str) -> bool:
        try:
            return bool(function(handler))
        except Exception:  # in doubt nobody's server is culled
            return True

    return counts


def _rewrite(function: Callable[..., Any], title: str) -> Callable[[Mapping[str, object]], object]:
    return lambda told: _call(function, told, f"{title} (rewrite_response)")


def _call(function: Callable[..., Any], told: Mapping[str, object], whose: str) -> Any:
    try:
        return call_by_name(function, told)
    except Exception as error:  # whatever a declared function does
        name = getattr(function, "__name__", None) or say("a function")
        raise VceError(
            "app-not-answering",
            say(
                "The function `{name}` of {service} failed, so its answer cannot be shown: "
                "{type}: {error}",
                name=name,
                service=whose,
                type=type(error).__name__,
                error=error,
            ),
            say("Tell whoever declared this service."),
        ) from error


def _find(place: str, title: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    try:
        found = attrgetter(name)(importlib.import_module(module))
    except Exception as error:  # whatever an imported module does
        raise DefiniteError(
            "config-invalid",
            say(
                "{title} is declared with the function {function}, which is not to be had: "
                "{type}: {error}. Nothing has been started.",
                title=title,
                function=place,
                type=type(error).__name__,
                error=error,
            ),
            say("Install the module beside Jupyter, or correct `rewrite_response`."),
        ) from error
    if not callable(found):
        raise DefiniteError(
            "config-invalid",
            say(
                "{title} is declared with {name}, which is no function. Nothing has been started.",
                title=title,
                name=place,
            ),
            say("Correct `rewrite_response` in its declaration."),
        )
    ready: Callable[..., Any] = found
    return ready
