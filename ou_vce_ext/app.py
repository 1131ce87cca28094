"""The server extension: its settings, what is wired to what, and its hours of opening."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from jupyter_core.paths import jupyter_config_path, jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from prometheus_client import REGISTRY
from traitlets import Dict, Float, List, Unicode, default

from ._version import __version__
from .app_drivers import declared, driver_of
from .backups.recovery import recover
from .backups.when_needed import BackupsWhenNeeded
from .config.branding import Branding
from .config.declarations import ConfigProblem
from .events import Announcer
from .exit_hooks import ExitHooks
from .metrics import ServiceMetrics
from .models import ServiceError, ServiceSpec
from .models_status import Problem
from .proxy import handlers as proxy_handlers
from .proxy.client import close_clients
from .proxy.generic import guard
from .routes import handlers as rest_handlers
from .sentences import say
from .services.backoff import RestartPolicy
from .services.clock import SystemClock
from .services.house import House
from .services.keepers import KeeperLauncher
from .services.leftovers import lock_note
from .services.lifecycle import Lifecycle
from .services.registry import Registry

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

HEARTBEAT: Final = 20.0

STUDENT_FOLDERS: Final = (
    "notebooks",
    "openrefine_projects",
    "logs",
    "data",
    "utilities",
    "backups/postgres-backup",
    "backups/mongo-backup",
)
"""The layout students know. Folders are made where they are missing and never touched again."""


class VCE(ExtensionApp):
    """Services of a virtual computing environment, supervised behind the one Jupyter port."""

    name = "ou_vce_ext"
    app_name = "Virtual computing environment"
    description = __doc__
    load_other_extensions = True
    version = __version__

    config_file = Unicode(
        help="A TOML file that declares services, read after those in vce.d/ of the Jupyter "
        "config path. VCE_CONFIG in the environment names one as well.",
    ).tag(config=True)
    data_dir = Unicode(
        help="The private folder for databases, secrets and logs. Default: vce/ in the Jupyter "
        "data folder, or VCE_DATA_DIR.",
    ).tag(config=True)
    services = Dict(
        help="Overrides by service and key, as in the TOML: "
        "c.VCE.services = {'openrefine': {'autostart': True}}.",
    ).tag(config=True)
    branding = Dict(
        help="The module's own look by key, as in the TOML: "
        "c.VCE.branding = {'title': 'TM351 VCE'}.",
    ).tag(config=True)
    folders = List(
        Unicode(),
        default_value=list(STUDENT_FOLDERS),
        help="Folders that are made in the root folder where they are missing.",
    ).tag(config=True)
    stop_timeout = Float(
        75.0,
        help="Seconds that a shutdown waits for services to save and stop. What takes longer goes "
        "on by itself after Jupyter has ended.",
    ).tag(config=True)

    grace_period = Float(
        None,
        allow_none=True,
        help="Seconds between a request to end and a kill, where whoever runs this server has set "
        "any (docker stop --time, terminationGracePeriodSeconds). Told, the status page warns of "
        "services that need longer to save.",
    ).tag(config=True)

    registry: Registry
    backups: BackupsWhenNeeded
    house: House
    launcher: KeeperLauncher
    _hooks: ExitHooks | None = None
    _metrics: ServiceMetrics
    _beat: asyncio.Task[None] | None = None
    _house_error: ServiceError | None = None
    _recovered = False
    _problems: list[ConfigProblem]
    _branding: Branding
    _opened_at: datetime

    @default("config_file")
    def _default_config_file(self) -> str:
        return os.environ.get("VCE_CONFIG", "")

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return os.environ.get("VCE_DATA_DIR", "") or str(Path(jupyter_data_dir()) / "vce")

    def load_config_file(self, suppress_errors: bool = True) -> None:  # type: ignore[override]
        """Read Jupyter's own configuration of this extension, but not our TOML.

        JupyterApp would take a trait of this name for a Python or JSON file.
        """
        declared, self.config_file = self.config_file, ""
        super().load_config_file(suppress_errors)
        self.config_file = self.config_file or declared

    # -- wiring ----------------------------------------------------------------------------------

    def initialize_settings(self) -> None:
        """Build the house and its services. Nothing is started, and nothing here may raise."""
        server = cast("ServerApp", self.serverapp)
        base_url = server.base_url
        self.house = House(
            root_dir=Path(server.root_dir),
            data_dir=Path(self.data_dir).expanduser(),
            base_url=base_url,
            log=self.log,
        )
        if error := self._why_closed():
            self.log.error("%s %s", error.message, error.hint)
        specs = self._load_specs()
        self.house.reserve(specs)
        self.launcher = KeeperLauncher(log=self.log, errors=self.house.keeper_log)
        announcer = Announcer(server.event_logger, self.log)
        clock = SystemClock()
        note = lock_note(str(server.root_dir))
        lifecycles = [
            Lifecycle(
                driver_of(spec, self.house, self.launcher, server.config),
                self.launcher,
                clock=clock,
                policy=RestartPolicy(clock),
                log=self.log,
                moved=announcer.moved,
                lock_note=note,
                gate=self._why_closed,
            )
            for spec in specs
        ]
        self.registry = Registry(
            lifecycles,
            base_url=base_url,
            clock=clock,
            log=self.log,
            house_problems=self._house_problems,
        )
        self.registry.operations.listeners.append(announcer.worked)
        # Jupyter's own registry of metrics, which its /metrics shows.
        self._metrics = ServiceMetrics(self.registry, REGISTRY)
        self._lend_environment()
        self.backups = BackupsWhenNeeded(
            self.registry,
            root_dir=self.house.root_dir,
            clock=clock,
            log=self.log,
            is_ours=lambda: not self._house_error,
        )
        self.settings["vce_registry"] = self.registry
        self.settings["vce_backups"] = self.backups.loaded
        self.settings["vce_branding"] = self._branding
        self._opened_at = clock.now()

    def _load_specs(self) -> list[ServiceSpec]:
        # jupyter_config_path() names the strongest folder first; ours go from weak to strong.
        folders = [Path(folder) for folder in reversed(jupyter_config_path())]
        file = Path(self.config_file).expanduser() if self.config_file else None
        specs, self._branding, self._problems = declared(
            folders, file, self.services, self.branding
        )
        for problem in self._problems:
            self.log.error("%s", problem)
        return specs

    def _lend_environment(self) -> None:
        """Give kernels and terminals the databases' addresses: they inherit ours when started.

        It is done before any of them can be, and an address never changes while this Jupyter
        lives, so a kernel that was there before its database, or is restarted later, finds it.
        """
        for name in self.registry.names():
            item = self.registry.get(name)
            if not item.spec.problem:
                os.environ.update(item.driver.environment())

    def _why_closed(self) -> ServiceError | None:
        """Why nothing may start now; looks again, since the cause may have gone."""
        self._house_error = self.house.gate()
        if self._house_error is None and not self._recovered and hasattr(self, "backups"):
            # Before anything opens data that a cut-off restore left between old and new.
            self._recovered = True
            recover(self.registry, self.log)
        return self._house_error

    def _house_problems(self) -> list[Problem]:
        since = self._opened_at
        found = [
            # What a service shows itself is not told twice.
            Problem(
                None,
                "config-invalid",
                say("{place}: {message}", place=item.place, message=item.message),
                item.hint,
                since,
            )
            for item in self._problems
            if item.service is None
        ]
        if self._house_error:
            error = self._house_error
            found.insert(0, Problem(None, error.code, error.message, error.hint, since))
        found += self.backups.problems()
        if self.grace_period is not None:
            found += self.registry.short_of_time(self.grace_period)
        return found

    def initialize_handlers(self) -> None:
        """Put our routes below ``vce/``; the proxied apps first, being the more specific."""
        server = cast("ServerApp", self.serverapp)
        guard(server.web_app, server.base_url, self.registry)
        self.handlers.extend(proxy_handlers())
        self.handlers.extend(rest_handlers())

    # -- opening and closing ---------------------------------------------------------------------

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Open the house, once the server answers: nothing here delays it."""
        self._hooks = ExitHooks(self.launcher, lambda: serverapp.stop(from_signal=True))
        self._hooks.install()
        if not self._house_error:
            for problem in await asyncio.to_thread(self.house.make_layout, self.folders):
                self.log.warning("%s", problem)
        self._beat = asyncio.get_running_loop().create_task(self._keep_house())
        self._metrics.open()
        await self.registry.open()
        if not self._house_error:
            self.backups.open_soon()

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            if not self._house_error and (lost := self.house.touch()):
                self._house_error = lost
                self.log.error("%s %s", lost.message, lost.hint)

    async def stop_extension(self) -> None:
        """Stop every service, gently and in good order. Bounded, and never raises."""
        if self._beat:
            self._beat.cancel()
            self._metrics.close()
        try:
            async with asyncio.timeout(self.stop_timeout):
                await self.backups.aclose()
                await self.registry.aclose()
                await self.launcher.aclose()
            if self._hooks:
                self._hooks.remove()
        except TimeoutError:
            self.log.warning("Some services are still saving; they finish by themselves.")
        except Exception:
            self.log.exception("stopping the services broke; their keepers end them all the same")
        await close_clients(self.settings)
        self.house.release()
