"""The kinds of services there are, and the driver of each: the one place that names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from traitlets.config.loader import Config, LazyConfigValue

from .config.branding import Branding, load_branding
from .config.declarations import ConfigProblem, load_specs
from .drivers.base import Driver
from .drivers.desktop.driver import DesktopDriver
from .drivers.desktop.options import check_declaration as check_desktop
from .drivers.mongo.driver import MongoDriver
from .drivers.openrefine.driver import OpenRefineDriver
from .drivers.postgres.driver import PostgresDriver
from .drivers.undeclared import UndeclaredDriver
from .drivers.web.adopted import AdoptedDriver
from .drivers.web.driver import WebDriver
from .drivers.web.options import check_declaration as check_web
from .launch import Launcher
from .models import ServiceSpec
from .services.house import House

DRIVERS: Final[Mapping[str, type[Driver]]] = {
    driver.kind: driver
    for driver in (OpenRefineDriver, PostgresDriver, MongoDriver, WebDriver, DesktopDriver)
}


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
        {kind: driver.options for kind, driver in DRIVERS.items()},
        {"web": check_web, "desktop": check_desktop},
    )
    look, told = load_branding(folders, file, branding)
    return specs, look, [*problems, *told]


def driver_of(spec: ServiceSpec, house: House, launcher: Launcher, config: Config) -> Driver:
    """The driver of a declared service; ``config`` is the server's."""
    kind = DRIVERS.get(spec.kind, UndeclaredDriver) if not spec.problem else UndeclaredDriver
    site = house.site(spec, wants_port=kind.wants_port)
    if kind is WebDriver and "adopt" in spec.options:
        return AdoptedDriver(spec, site, launcher, _servers_of_others(config))
    return kind(spec, site, launcher)


def _servers_of_others(config: Config) -> Mapping[str, object]:
    """``ServerProxy.servers`` as configured: jupyter-server-proxy need not be installed."""
    servers = config.get("ServerProxy", {}).get("servers")
    if isinstance(servers, LazyConfigValue):
        servers = servers.get_value({})
    return servers if isinstance(servers, Mapping) else {}
