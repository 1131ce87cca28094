"""The kinds of services there are, and the driver of each: the one place that names them.

A kind's driver is imported when something of that kind is declared: nobody waits for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, TypeVar, cast

from traitlets.config.loader import Config, LazyConfigValue

from .config.branding import Branding, load_branding
from .config.declarations import ConfigProblem, load_specs
from .drivers.base import Driver, Option
from .launch import Launcher
from .models import ServiceError, ServiceSpec
from .services.house import House

_Told = TypeVar("_Told")


class OfKind(Mapping[str, _Told]):
    """Something by kind, which is found out when it is first asked for."""

    def __init__(self, kinds: Mapping[str, object], find: Callable[[str], _Told]) -> None:
        self._kinds = kinds
        self._find = find

    def __getitem__(self, kind: str) -> _Told:
        if kind not in self._kinds:
            raise KeyError(kind)
        return self._find(kind)

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


_CLASSES: Final[Mapping[str, str]] = {
    "openrefine": "OpenRefineDriver",
    "postgres": "PostgresDriver",
    "mongo": "MongoDriver",
    "web": "WebDriver",
    "desktop": "DesktopDriver",
}
"""By kind, the class in ``drivers/KIND/driver.py``."""


def _find_driver(kind: str) -> type[Driver]:
    module = import_module(f".drivers.{kind}.driver", __package__)
    return cast("type[Driver]", getattr(module, _CLASSES[kind]))


DRIVERS: Final[Mapping[str, type[Driver]]] = OfKind(_CLASSES, _find_driver)
_OPTIONS: Final[Mapping[str, Mapping[str, Option]]] = OfKind(
    _CLASSES, lambda kind: DRIVERS[kind].options
)


def _check_web(spec: ServiceSpec) -> ServiceError | None:
    from .drivers.web.options import check_declaration

    return check_declaration(spec)


def _check_desktop(spec: ServiceSpec) -> ServiceError | None:
    from .drivers.desktop.options import check_declaration

    return check_declaration(spec)


def declared(
    folders: list[Path],
    file: Path | None,
    services: Mapping[str, Mapping[str, object]],
    branding: Mapping[str, object],
) -> tuple[list[ServiceSpec], Branding, list[ConfigProblem]]:
    """What is declared in ``folders`` (weakest first), ``file`` and traits: services and look."""
    specs, problems = load_specs(
        folders,
        file,
        services,
        _OPTIONS,
        {"web": _check_web, "desktop": _check_desktop},
    )
    look, told = load_branding(folders, file, branding)
    return specs, look, [*problems, *told]


def driver_of(spec: ServiceSpec, house: House, launcher: Launcher, config: Config) -> Driver:
    """The driver of a declared service; ``config`` is the server's."""
    if spec.problem or spec.kind not in DRIVERS:
        from .drivers.undeclared import UndeclaredDriver

        return UndeclaredDriver(spec, house.site(spec, wants_port=False), launcher)
    kind = DRIVERS[spec.kind]
    site = house.site(spec, wants_port=kind.wants_port)
    if spec.kind == "web" and "adopt" in spec.options:
        from .drivers.web.adopted import AdoptedDriver

        return AdoptedDriver(spec, site, launcher, _servers_of_others(config))
    return kind(spec, site, launcher)


def _servers_of_others(config: Config) -> Mapping[str, object]:
    """``ServerProxy.servers`` as configured: jupyter-server-proxy need not be installed."""
    servers = config.get("ServerProxy", {}).get("servers")
    if isinstance(servers, LazyConfigValue):
        servers = servers.get_value({})
    return servers if isinstance(servers, Mapping) else {}
