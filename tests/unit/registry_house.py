"""A house of fake services, with a registry over them."""

from __future__ import annotations

import logging
from pathlib import Path

from ou_vce_ext.models import ServiceSpec, Site
from ou_vce_ext.services.backoff import RestartPolicy
from ou_vce_ext.services.lifecycle import Lifecycle
from ou_vce_ext.services.registry import Registry
from ou_vce_ext.states import ServiceState

from .fakes import FakeClock, FakeDriver, FakeLauncher


class House:
    """Some services, each with a launcher of its own, behind one registry."""

    def __init__(self, *specs: ServiceSpec) -> None:
        self.clock = FakeClock()
        self.launchers = {spec.name: FakeLauncher() for spec in specs}
        self.drivers: dict[str, FakeDriver] = {}
        self.stopped: list[str] = []
        self.registry = Registry(
            [self._lifecycle(spec) for spec in specs],
            base_url="/base/",
            clock=self.clock,
            log=logging.getLogger("test"),
        )

    def _lifecycle(self, spec: ServiceSpec) -> Lifecycle:
        folder = Path("/nonexistent")
        site = Site(spec.name, folder, folder, folder, folder, folder / "log", "/base/")
        launcher = self.launchers[spec.name]
        driver = self.drivers[spec.name] = FakeDriver(spec, site, launcher)

        def moved(item: Lifecycle, old: ServiceState, new: ServiceState) -> None:
            if new is ServiceState.STOPPED:
                self.stopped.append(item.spec.name)

        return Lifecycle(
            driver,
            launcher,
            clock=self.clock,
            policy=RestartPolicy(self.clock),
            log=logging.getLogger("test"),
            moved=moved,
            lock_note={},
        )


def spec(name: str, **more: object) -> ServiceSpec:
    return ServiceSpec(name=name, kind="fake", title=name.title(), **more)  # type: ignore[arg-type]
