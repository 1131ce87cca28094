"""Backups, proofs, restores and resets as operations: one at a time, to be ended, never half."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ou_vce_ext.backups import room
from ou_vce_ext.backups.notes import NAME as NOTES
from ou_vce_ext.errors import (
    BadRequestError,
    ConflictError,
    UnknownError,
    UnsuitableError,
    VceError,
)
from ou_vce_ext.models import Json, OperationState, ServiceError
from ou_vce_ext.models_backup import Reason, Verified
from ou_vce_ext.states import ServiceState
from tests.unit.backup_world import Home
from tests.unit.fake_strategy import FOREIGN
from tests.unit.fakes import FakeProcess


@pytest.fixture
def home(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Home]:
    made = Home(tmp_path)
    made.put(a="1", b="2")
    yield made
    jp_asyncio_loop.run_until_complete(made.__aexit__())


def safety(result: Json) -> str:
    """The safety copy an operation names."""
    assert isinstance(result, dict)
    return str(result["safety_copy"])


async def test_a_service_that_rests_is_started_for_its_backup_and_rests_again(home: Home) -> None:
    made = await home.backup()
    assert home.state() is ServiceState.STOPPED
    await home.start()
    await home.backup()
    assert home.state() is ServiceState.READY
    assert [each.id for each in await home.listed()][-1] == made
    service = await home.registry.describe("thing")
    assert service.last_backup
    assert service.last_backup.reason is Reason.MANUAL


async def test_a_proof_follows_by_itself(home: Home) -> None:
    made = await home.backup()
    await home.until(lambda: home.backups.store.known()[0].backup.verified is Verified.VERIFIED)
    kinds = sorted(each.kind for each in home.registry.operations.list())
    assert kinds == ["backup", "verify"]
    assert (await home.backups.get(made)).backup.verified is Verified.VERIFIED


async def test_cancelled_it_leaves_nothing(home: Home) -> None:
    gate = home.strategy().gates["take"] = asyncio.Event()
    operation = await home.backups.back_up("thing")
    await home.until(lambda: "take" in home.strategy().calls)
    assert len(home.strays()) == 1
    assert await home.listed() == []
    home.registry.operations.cancel(operation.id)
    assert (await home.ended(operation)).state is OperationState.CANCELLED
    assert home.strays() == []
    assert home.state() is ServiceState.STOPPED
    gate.set()


async def test_a_full_disk_is_told_and_costs_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await home.backup()
    home.strategy().failures["take"] = OSError(errno.ENOSPC, "No space left on device")
    over = await home.ended(await home.backups.back_up("thing"))
    assert over.error
    assert (over.state, over.error.code) == (OperationState.FAILED, "disk-full")
    assert home.strays() == []
    assert [each.id for each in await home.listed()] == [made]
    monkeypatch.setattr(room, "free_bytes", lambda _: 10_000_000)
    home.strategy().size = 5_000_000
    await home.until(lambda: not home.backups.desk.in_use())
    backups = home.backups
    for ask in (
        lambda: backups.back_up("thing"),
        lambda: backups.back_up_everything([]),
        lambda: backups.reset("thing"),
        lambda: backups.restore(made),
        lambda: backups.verify(made),
        lambda: backups.upload("thing", "x.tar", 50_000_000),
    ):
        with pytest.raises(VceError, match="10 MB is free") as refused:
            await ask()
        assert refused.value.code == "disk-full"


async def test_one_at_a_time_and_the_other_is_named(home: Home) -> None:
    made = await home.backup()
    await home.until(lambda: not home.backups.desk.in_use())
    await home.start()
    gate = home.strategy().gates["take"] = asyncio.Event()
    first, again = await asyncio.gather(
        home.backups.back_up("thing"), home.backups.back_up("thing")
    )
    assert first.id == again.id
    for asked in (home.backups.restore(made), home.backups.reset("thing")):
        with pytest.raises(ConflictError, match="A backup of Thing is under way"):
            await asked
    for act in (home.registry.stop, home.registry.restart):
        with pytest.raises(ConflictError, match="A backup of Thing is under way"):
            act("thing")
    stop = home.registry.stop("thing", cancel=True)
    await home.done(stop)
    assert (await home.ended(first)).state is OperationState.CANCELLED
    assert home.state() is ServiceState.STOPPED
    gate.set()


async def test_a_proof_by_itself_is_in_nobodys_way(home: Home) -> None:
    gate = home.strategy().gates["build"] = asyncio.Event()
    made = await home.backup()
    await home.until(lambda: "build" in home.strategy().calls)
    await home.start()
    await home.done(home.registry.restart("thing"))
    proof = home.registry.operations.list()[-1]
    proof = next(each for each in home.registry.operations.list() if each.kind == "verify")
    assert proof.state is OperationState.RUNNING
    later = await home.backups.back_up("thing")
    await home.done(later)
    assert (await home.ended(proof)).state is OperationState.CANCELLED
    gate.set()
    await home.until(
        lambda: (
            [each.backup.verified for each in home.backups.store.known()]
            == [Verified.VERIFIED, Verified.VERIFIED]
        )
    )
    assert made in {each.id for each in await home.listed()}


async def test_a_proof_that_breaks_while_it_is_cut_short_says_nothing(home: Home) -> None:
    def cut() -> None:
        proof = next(each for each in home.registry.operations.list() if each.kind == "verify")
        home.registry.operations.cancel(proof.id)

    strategy = home.strategy()
    strategy.meanwhile["build"] = cut
    strategy.failures["build"] = UnsuitableError("Its folder has gone.", "")
    await home.backup()
    await home.until(lambda: "build" in strategy.calls)
    proof = next(each for each in home.registry.operations.list() if each.kind == "verify")
    assert (await home.ended(proof)).state is OperationState.CANCELLED
    assert [each.backup.verified for each in home.backups.store.known()] == [Verified.UNVERIFIED]


async def test_a_proof_that_somebody_asked_for_is_named(home: Home) -> None:
    gate = home.strategy().gates["build"] = asyncio.Event()
    made = await home.backup()
    await home.until(lambda: "build" in home.strategy().calls)
    asked = await home.backups.verify(made)
    with pytest.raises(ConflictError, match="being checked"):
        await home.backups.back_up("thing")
    with pytest.raises(ConflictError, match="in use"):
        await home.backups.remove(made)
    gate.set()
    await home.done(asked)
    await home.backups.remove(made)
    assert await home.listed() == []


async def test_a_restore_keeps_what_is_not_in_the_backup(home: Home) -> None:
    made = await home.backup()
    home.put(a="changed", c="later")
    over = await home.done(await home.backups.restore(made))
    assert home.live() == {"a": "1", "b": "2", "c": "later"}
    copy = await home.backups.get(safety(over.result))
    assert (copy.backup.reason, copy.backup.verified) == (Reason.SAFETY, Verified.VERIFIED)
    await home.done(await home.backups.restore(copy.id))
    assert home.live() == {"a": "changed", "c": "later"}
    await home.done(await home.backups.restore(made, items=["b"]))
    assert home.live() == {"a": "changed", "b": "2", "c": "later"}
    assert home.strays() == []


async def test_a_reset_is_undone(home: Home) -> None:
    await home.start()
    over = await home.done(await home.backups.reset("thing"))
    assert home.live() == {"first": "the module's"}
    assert home.state() is ServiceState.READY
    await home.done(await home.backups.restore(safety(over.result)))
    assert home.live() == {"a": "1", "b": "2"}


async def test_without_a_safety_copy_the_old_data_are_kept_aside(home: Home) -> None:
    over = await home.done(await home.backups.reset("thing", without_safety_copy=True))
    assert isinstance(over.result, dict)
    assert over.result["safety_copy"] is None
    [kept] = home.folder.glob("thing-before-*")
    assert str(kept) in over.message
    assert (kept / "a").read_text() == "1"
    assert await home.listed() == []


async def test_data_that_do_not_come_up_are_swapped_back(home: Home) -> None:
    home.put(a="does not come up")
    made = await home.backup()
    home.put(a="fine")
    await home.start()
    over = await home.ended(await home.backups.restore(made))
    assert over.error
    assert (over.state, over.error.code) == (OperationState.FAILED, "data-corrupt")
    assert "back as they were" in over.error.message
    assert home.live() == {"a": "fine"}
    assert home.state() is ServiceState.READY
    assert home.strays() == []


async def test_what_cannot_be_built_touches_nothing(home: Home) -> None:
    home.put(a="broken")
    made = await home.backup()
    await home.until(lambda: home.backups.store.known()[0].backup.verified is Verified.FAILED)
    home.put(a="fine")
    over = await home.ended(await home.backups.restore(made))
    assert over.error
    assert over.error.code == "backup-unsuitable"
    assert home.live() == {"a": "fine"}


async def test_what_cannot_be_saved_first_is_not_replaced(home: Home) -> None:
    home.put(a="broken")
    over = await home.ended(await home.backups.reset("thing"))
    assert over.error
    assert "safety copy" in over.error.message
    assert home.live() == {"a": "broken"}


async def test_damage_is_seen_before_anything_is_touched(home: Home) -> None:
    made = await home.backup()
    await home.until(lambda: home.backups.store.known()[0].backup.verified is Verified.VERIFIED)
    stored = await home.backups.get(made)
    content = bytearray(stored.file.read_bytes())
    content[512] ^= 1
    stored.file.write_bytes(content)
    home.strategy().calls.clear()
    over = await home.ended(await home.backups.restore(made))
    assert over.error
    assert over.error.code == "backup-unsuitable"
    assert "build" not in home.strategy().calls
    assert (await home.backups.get(made)).backup.verified is Verified.UNVERIFIED
    stored.file.write_bytes(content[:-2000])
    with pytest.raises(UnknownError):
        await home.backups.get(made)


async def test_beside_never_changes_what_is_there(home: Home) -> None:
    made = await home.backup()
    await home.done(await home.backups.restore(made, name="a2", items=["a"]))
    assert home.live() == {"a": "1", "a2": "1", "b": "2"}
    over = await home.ended(await home.backups.restore(made, name="b", items=["a"]))
    assert over.error
    assert over.error.code == "conflict"
    assert home.live()["b"] == "2"


async def test_jupyter_ends_in_the_middle(home: Home) -> None:
    await home.start()
    home.strategy().gates["take"] = asyncio.Event()
    operation = await home.backups.back_up("thing")
    await home.until(lambda: "take" in home.strategy().calls)
    await home.backups.aclose()
    await home.registry.aclose()
    assert (await home.ended(operation)).state is OperationState.CANCELLED
    assert home.strays() == []
    with pytest.raises(ConflictError, match="ending"):
        await home.backups.back_up("thing")


async def test_jupyter_ends_while_folders_change_places(home: Home) -> None:
    await home.start()
    gate = home.strategy().gates["check_live"] = asyncio.Event()
    operation = await home.backups.reset("thing")
    await home.until(lambda: "check_live" in home.strategy().calls)
    with pytest.raises(ConflictError):
        home.registry.operations.cancel(operation.id)
    closing = asyncio.ensure_future(home.backups.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    gate.set()
    await closing
    over = await home.ended(operation)
    assert over.state is OperationState.SUCCEEDED
    assert home.live() == {"first": "the module's"}
    assert home.strays() == []


async def test_the_list_is_made_of_the_files_alone(home: Home, tmp_path: Path) -> None:
    made = await home.backup()
    await home.until(lambda: home.backups.store.known()[0].backup.verified is Verified.VERIFIED)
    await home.backups.pin(made, True)
    folder = home.folder / "backups" / "thing-backup"
    assert Home(tmp_path).backups.store.known() == []
    again = [each for each in await Home(tmp_path).listed() if each.id == made]
    assert [(each.pinned, each.verified) for each in again] == [(True, Verified.VERIFIED)]
    (folder / NOTES).unlink()
    for backups in (await home.listed(), await Home(tmp_path).listed()):
        [found] = backups
        assert found.id == made
        assert (found.pinned, found.verified) == (False, Verified.UNVERIFIED)
        assert [item.key for item in found.contents] == ["a", "b"]
    for content in ("", "nonsense", "[]", '{"x": 1}', '{"x": {}}'):
        (folder / NOTES).write_text(content)
        assert [each.id for each in await Home(tmp_path).listed()] == [made]


async def test_what_a_student_drops_there_is_found(home: Home) -> None:
    folder = home.folder / "backups" / "thing-backup"
    folder.mkdir(parents=True)
    (folder / "Kopie von früher!.txt").write_bytes(FOREIGN + b"x")
    (folder / "notes.txt").write_text("not a backup")
    (folder / "half.tar.partial").write_bytes(FOREIGN)
    (folder / "link").symlink_to("/etc/passwd")
    [found] = await home.listed()
    assert (found.reason, found.path) == (
        Reason.UPLOAD,
        "backups/thing-backup/Kopie von früher!.txt",
    )
    assert (await home.backups.get(found.id)).file.is_file()
    await home.done(await home.backups.restore(found.id))
    assert home.live() == {"a": "1", "b": "2", "Kopie von früher!": "x"}


async def test_several_services_in_one_file(tmp_path: Path) -> None:
    async with Home(tmp_path, "one", "two") as home:
        await several(home)


async def several(home: Home) -> None:
    home.put("one", a="1")
    home.put("two", a="does not come up")
    over = await home.done(await home.backups.back_up_everything([]))
    assert isinstance(over.result, dict)
    made = str(over.result["id"])
    assert over.service is None
    home.put("one", a="changed")
    home.put("two", a="changed")
    over = await home.ended(await home.backups.restore(made))
    assert over.error
    assert "One had the backup's data by then" in over.error.message
    assert (home.live("one"), home.live("two")) == ({"a": "1"}, {"a": "changed"})
    copy = next(each for each in await home.listed() if each.reason is Reason.SAFETY)
    assert copy.verified is Verified.VERIFIED
    await home.done(await home.backups.restore(copy.id))
    assert home.live("one") == {"a": "changed"}
    with pytest.raises(BadRequestError):
        await home.backups.restore(made, name="x")


async def test_by_the_clock_and_by_the_rules(tmp_path: Path) -> None:
    declared = {"every": "1d", "keep": 2, "warn_after": "2d"}
    async with Home(tmp_path, backup=declared) as home:
        await days_go_by(home)


async def days_go_by(home: Home) -> None:
    home.put(a="1")
    timetable = home.backups.timetable
    await timetable.look_round()
    assert home.registry.operations.list() == []  # it has never run
    await home.start()
    for _ in range(4):
        await home.until(lambda: home.backups.desk.is_free(frozenset({"thing"})))
        await timetable.look_round()
        await home.until(lambda: home.backups.desk.is_free(frozenset({"thing"})))
        await timetable.look_round()
        home.clock.time += timedelta(days=1).total_seconds()
    await home.until(lambda: len(home.backups.store.known()) == 2)
    kept = await home.listed()
    assert [each.reason for each in kept] == [Reason.SCHEDULED] * 2
    assert len([each for each in home.registry.operations.list() if each.kind == "backup"]) == 4
    assert timetable.problems() == []
    # The last of them may still be being proven, and a backup does not begin beside that.
    await home.until(lambda: home.backups.desk.is_free(frozenset({"thing"})))
    home.clock.time += timedelta(days=2).total_seconds()
    home.strategy().failures["take"] = VceError("died", "It died.", "Start it.")
    await timetable.look_round()
    await home.until(lambda: [each.code for each in timetable.problems()] == ["backup-failed"])
    [told] = timetable.problems()
    assert (told.code, told.hint) == ("backup-failed", "Start it.")
    del home.strategy().failures["take"]
    await home.backup()
    assert timetable.problems() == []
    home.clock.time += timedelta(days=3).total_seconds()
    home.strategy().gates["take"] = asyncio.Event()
    await timetable.look_round()
    assert [each.code for each in timetable.problems()] == ["backup-old"]


async def test_on_a_stop_where_it_is_wanted(tmp_path: Path) -> None:
    async with Home(tmp_path, backup={"on_stop": True, "verify": False}) as home:
        home.put(a="1")
        await home.start()
        await home.done(home.registry.stop("thing"))
        assert [each.reason for each in await home.listed()] == [Reason.SCHEDULED]
        assert home.state() is ServiceState.STOPPED


async def test_on_a_stop_what_is_saved_at_its_question_is_in_the_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Home(tmp_path, backup={"on_stop": True, "verify": False}) as home:
        home.put(work="before")
        await home.start()
        item = home.registry.get("thing")
        process = item.process
        assert isinstance(process, FakeProcess)

        async def saved_and_closed(*_: object) -> None:
            home.put(work="saved")
            process.die(0)
            await home.until(lambda: home.state() is ServiceState.STOPPED)

        monkeypatch.setattr(item.driver, "ask_to_close", saved_and_closed)
        await home.done(home.registry.stop("thing"))
        [backup] = await home.listed()
        home.put(work="lost")
        await home.done(await home.backups.restore(backup.id))
        assert home.live() == {"work": "saved"}


async def test_a_backup_that_nobody_asked_for_is_only_of_changes_and_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ou_vce_ext.backups.policy._BOUND", ("fake",))
    async with Home(tmp_path) as home:
        timetable = home.backups.timetable

        async def hours_later(hours: float) -> int:
            await home.until(lambda: home.backups.desk.is_free(frozenset({"thing"})))
            home.clock.time += hours * 3600
            await timetable.look_round()
            await home.until(lambda: home.backups.desk.is_free(frozenset({"thing"})))
            # With its proof the one before it goes.
            await home.until(
                lambda: all(
                    stored.backup.verified is Verified.VERIFIED
                    for stored in home.backups.store.known()
                )
            )
            await home.until(lambda: home.backups.desk.is_free(frozenset({"thing"})))
            return len(await home.listed())

        home.put(a="1")
        await home.start()
        assert await hours_later(0) == 0
        assert await hours_later(0.5) == 1
        assert await hours_later(3) == 1
        home.put(a="2")
        assert await hours_later(3) == 1
        assert home.backups.store.known()[0].backup.created == home.clock.now()
        home.put(a="3")
        home.strategy().gates["take"] = asyncio.Event()
        home.clock.time += 3 * 3600
        home.strategy().calls.clear()
        await timetable.look_round()
        await home.until(lambda: "take" in home.strategy().calls)
        await home.done(home.registry.restart("thing"))
        home.clock.time += 3 * 3600
        home.strategy().calls.clear()
        await timetable.look_round()
        await home.until(lambda: "take" in home.strategy().calls)
        home.strategy().gates["take"].set()
        await home.done(await home.backups.reset("thing"))
        assert home.live() == {"first": "the module's"}


async def test_data_of_another_release_are_brought_over_from_the_backup_that_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await home.backup()
    await home.until(lambda: home.backups.store.known()[0].backup.verified is Verified.VERIFIED)
    await home.until(lambda: home.backups.desk.is_free(frozenset({"thing"})))
    stored = await home.backups.get(made)
    item = home.registry.get("thing")
    wrong = ServiceError("data-wrong-version", "It cannot be opened.", "Install the old one.")
    monkeypatch.setattr(item.driver, "versions", lambda: {"Thing": "0.9"})
    item.refuse(wrong)
    assert item.error == wrong
    monkeypatch.setattr(item.driver, "versions", lambda: {"Thing": "2.0"})
    home.clock.time += timedelta(days=2).total_seconds()
    item.refuse(wrong)
    told = (await home.registry.describe("thing")).error
    assert told
    assert told.message == wrong.message
    assert stored.file.name in told.hint
    assert "2 days old" in told.hint
    with pytest.raises(ConflictError):
        await home.backups.back_up("thing")
    home.put(a="not to be opened")
    over = await home.done(await home.backups.restore(made))
    assert home.state() is ServiceState.READY
    assert home.live() == {"a": "1", "b": "2"}
    [kept] = home.folder.glob("thing-before-*")
    assert over.result == {"safety_copy": None, "kept": [str(kept)]}
    assert (kept / "a").read_text() == "not to be opened"
