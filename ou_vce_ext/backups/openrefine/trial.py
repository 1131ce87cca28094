"""An OpenRefine of its own that opens each project of a new workspace, and saves it once more.

What it writes is read again and compared: so every row has been through OpenRefine itself. It works
on links to the files, which stay as they are; whatever it does is thrown away.
"""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ...drivers.base import Progress
from ...drivers.openrefine.driver import OpenRefineDriver
from ...drivers.openrefine.options import heap_bytes, machine_memory
from ...errors import UnsuitableError, VceError
from ...launch import LaunchPlan, StopStep
from ...models import ServiceSpec, Site
from ...sentences import say
from .. import scratch
from ..places import link_or_copy, make, new_place
from ..threads import in_thread, to_its_end
from ..watch import Watch
from .facts import BrokenProjectError, told_of
from .live import CannotOpenError, Live
from .preferences import workspace
from .project import DATA, HISTORY, Project, folder_in, prove

_SMALLEST_HEAP: Final = 256 * 1024**2
_IN_MEMORY: Final = 40
"""How much larger a project may be in memory than its packed data."""


class TrialDriver(OpenRefineDriver):
    """Nothing in it is worth saving, and no second run of it will come."""

    async def plan(self) -> LaunchPlan:
        """As ever, but ended at once."""
        stop = (StopStep("SIGKILL", 5.0, "tree"),)
        return dataclasses.replace(await super().plan(), stop=stop)

    async def provision(self, progress: Progress) -> None:
        """Neither saver nor class-data archive."""

    async def before_stop(self) -> None:
        """Nothing to save."""


async def try_out(live: OpenRefineDriver, projects: Mapping[str, Project], watch: Watch) -> None:
    """Have each project opened and saved by an OpenRefine out of everybody's way; compare.

    Raises UnsuitableError where one is not the same afterwards, VceError where it cannot be tried.
    """
    place = new_place(live.site.data_dir)
    site = dataclasses.replace(scratch.scratch_site(live.site, _free_port()), data_dir=place)
    driver = TrialDriver(_declaration(live, projects), site, live.launcher)
    try:
        await in_thread(watch, _lay_out, site, projects, watch)
        watch.step(say("Starting OpenRefine on a copy"), None)
        async with scratch.running(driver):
            await _compare(Live(driver), projects, place, watch)
    finally:
        await to_its_end(lambda: scratch.discard(site))


def _lay_out(site: Site, projects: Mapping[str, Project], watch: Watch) -> None:
    make(site.data_dir)
    for project in projects.values():
        folder = folder_in(site.data_dir, project.id)
        (folder / HISTORY).mkdir(parents=True)
        link_or_copy(project.data, folder / DATA[0])
        if project.description:
            link_or_copy(project.description, folder / "metadata.json")
        for step in project.steps:
            watch.raise_if_cancelled()
            link_or_copy(step, folder / HISTORY / step.name)
    (site.data_dir / "workspace.json").write_bytes(workspace(projects, None))


async def _compare(trial: Live, projects: Mapping[str, Project], place: Path, watch: Watch) -> None:
    told = await trial.projects()
    watch.step(say("Opening each project"), sum(each.bytes for each in projects.values()))
    for project in projects.values():
        listed = told.get(project.id)
        named = project.description is not None
        if listed is None or (named and listed.name != project.metadata.name):
            raise _refused(project, say("the OpenRefine here does not list it under its name"))
        try:
            differing = await trial.compare(project.id, project.facts)
            if differing:
                raise _refused(
                    project,
                    say("the OpenRefine here sees other {parts} in it", parts=told_of(differing)),
                )
            await _save_again(trial, project, listed.name, place, watch)
        except CannotOpenError as error:
            raise _refused(project, say("the OpenRefine here cannot open it")) from error
        watch.did(project.bytes)
        # So that no more than one is in memory.
        await trial.delete(project.id)


async def _save_again(trial: Live, project: Project, name: str, place: Path, watch: Watch) -> None:
    folder = folder_in(place, project.id)
    before = (folder / DATA[0]).stat()
    await trial.rename(project.id, name)
    await trial.save(project.id)
    try:
        after = (folder / DATA[0]).stat()
        again = await in_thread(watch, prove, project.id, folder, watch)
    except (BrokenProjectError, FileNotFoundError) as error:
        raise _untried(project) from error
    if (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns):
        raise _untried(project)
    was, now = project.to_json(), again.to_json()
    if was["written_by"] != now["written_by"]:
        # Another release may write the same value in another way.
        for each in (was, now):
            del each["written_by"], each["digest"]
    if project.description is None:
        # It had none to keep.
        for each in (was, now):
            del each["name"], each["tags"]
    differing = [key for key in was if was[key] != now[key]]
    if differing:
        raise _refused(
            project, say("the OpenRefine here makes other {parts} of it", parts=told_of(differing))
        )


def _declaration(live: OpenRefineDriver, projects: Mapping[str, Project]) -> ServiceSpec:
    """As the student's own, on as little memory as will do."""
    largest = max((each.data.stat().st_size for each in projects.values()), default=0)
    theirs = heap_bytes(live.spec.memory_bytes, machine_memory())
    heap = max(_SMALLEST_HEAP, min(theirs, _SMALLEST_HEAP // 2 + _IN_MEMORY * largest))
    kept = {
        name: value
        for name, value in live.spec.options.items()
        if name in ("program", "java", "private")
    }
    options = {**kept, "profile": "light", "class_archive": False, "java_options": live.quicker}
    return dataclasses.replace(live.spec, memory_bytes=heap, data_dir=None, options=options)


def _refused(project: Project, why: str) -> UnsuitableError:
    return UnsuitableError(
        say(
            "The project {name} is not what it should be: {why}. Nothing was changed.",
            name=project.name,
            why=why,
        ),
        say(
            "If it was made by a newer OpenRefine, ask for an update of this environment; "
            "else use another backup."
        ),
    )


def _untried(project: Project) -> VceError:
    return VceError(
        "data-unwritable",
        say(
            "An OpenRefine on a copy could not save the project {name}, so that nobody can "
            "say whether it is whole. Nothing was changed.",
            name=project.name,
        ),
        say("See that there is room on the disk, then try again."),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
