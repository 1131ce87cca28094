"""What a person is told to do where the program cannot open the data: which backup brings them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Final

from ..models import ServiceError
from ..models_backup import Backup, Verified
from ..sentences import say, say_many
from ..services.clock import Clock
from ..services.lifecycle import Lifecycle
from ..services.registry import Registry
from ..states import ServiceState
from .store import Store, Stored

OTHER_RELEASE: Final = "data-wrong-version"
"""The code of the error that says so."""


def is_of_another_release(item: Lifecycle) -> bool:
    """Whether a service's data folder is whole, and of a release that is not installed.

    Nothing can copy it then, and nothing has to: it stays as it is beside what is built anew.
    """
    told = item.error.code if item.error else None
    return item.state is ServiceState.FAILED and told == OTHER_RELEASE


class Adviser:
    """Completes what services say of themselves by what is known of their backups."""

    def __init__(self, registry: Registry, store: Store, clock: Clock) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock
        for name in registry.names():
            registry.get(name).advise = partial(self._completed, name)

    def look_again(self) -> None:
        """Complete what was said before the backups were known."""
        for name in self._registry.names():
            item = self._registry.get(name)
            if item.error:
                item.error = self._completed(name, item.error)

    def _completed(self, service: str, error: ServiceError) -> ServiceError:
        if error.code != OTHER_RELEASE:
            return error
        stored = self._proven(service)
        if stored is None:
            return error
        return dataclasses.replace(
            error,
            hint=say(
                "Restore {file} from the list of its backups: it is {age} and proven. It is built "
                "anew for the release that is here, and the folder of now stays beside it as it "
                "is.",
                file=stored.file.name,
                age=self._age(stored.backup),
            ),
        )

    def _proven(self, service: str) -> Stored | None:
        """A service's newest proven backup; None where it is of a newer release than is here."""
        here = majors(self._registry.get(service).driver.versions())
        for stored in self._store.known(service):
            if stored.ours and stored.backup.verified is Verified.VERIFIED:
                made_by = majors(stored.backup.versions)
                newer = any(made_by[name] > here[name] for name in made_by.keys() & here)
                return None if newer else stored
        return None

    def _age(self, backup: Backup) -> str:
        days = (self._clock.now() - backup.created).days
        if days < 1:
            return say("less than a day old")
        return say_many("{count} day old", "{count} days old", days)


def majors(versions: Mapping[str, str]) -> dict[str, int]:
    """The major releases of programs, where they say so by a number."""
    found = ((name, told.split(".")[0]) for name, told in versions.items())
    return {name: int(major) for name, major in found if major.isdecimal()}
