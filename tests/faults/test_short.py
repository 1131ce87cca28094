"""The campaign in short: each fault tried a few times, and what the campaign itself can see."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from .__main__ import main
from .backup_cuts import MongoBackup, MongoRestore, OpenRefineBackup, OpenRefineRestore
from .campaign import Campaign
from .clock import ClockMoved
from .every import FAULTS, chosen
from .fault import Attempt, Fault, Figures, Measure, MissingPartError
from .jupyter_ends import JupyterEnds
from .leftovers import MARK, leftovers
from .runner import Told, run, run_here

pytestmark = pytest.mark.integration

SEED = 20260
# Other tests run beside these: the campaign measures, and these look at what is shown and left.
PATIENCE = 10.0


def tried(fault: type[Fault], tries: int | None = None) -> Told:
    """What came of a few tries."""
    try:
        return run(Campaign(SEED, tries, short=True, patience=PATIENCE), fault)
    except MissingPartError as missing:
        pytest.skip(str(missing))


# What mostly waits is tried side by side.
WAITING = [fault for fault in FAULTS if fault.at_once > 4 and fault is not ClockMoved]
# A killed Jupyter is tried with PostgreSQL here, and with every kind by `make faults`: the others
# take a minute or more each, and what is special of a kind is cut here without Jupyter.
LONG = (MongoBackup, MongoRestore, OpenRefineBackup, OpenRefineRestore)
OTHERS = [fault for fault in FAULTS if fault not in (*WAITING, *LONG)]


@pytest.mark.parametrize("fault", OTHERS, ids=[f"{f.number}-{f.__name__}" for f in OTHERS])
def test_nothing_is_untrue_and_nothing_is_left(fault: type[Fault]) -> None:
    told = tried(fault)
    assert told["failures"] == []
    assert told["tries"]


def test_nothing_is_untrue_of_what_takes_its_time() -> None:
    async def side_by_side() -> list[Told]:
        campaign = Campaign(SEED, short=True, patience=PATIENCE)
        return await asyncio.gather(*(run_here(campaign, fault) for fault in WAITING))

    results = asyncio.run(side_by_side())
    assert [words for told in results for words in told["failures"]] == []
    assert all(told["tries"] for told in results)


def test_a_process_that_is_left_is_found(tmp_path: Path) -> None:
    assert leftovers("a-mark", tmp_path) == []
    with subprocess.Popen(["sleep", "60"], env={MARK: "a-mark"}, cwd="/") as marked:
        assert f"process {marked.pid}" in " ".join(leftovers("a-mark", tmp_path))
        assert leftovers("a-mark-2", tmp_path) == leftovers("a", tmp_path) == []
        marked.kill()
    with subprocess.Popen(["sleep", "60"], env={}, cwd=tmp_path) as inside:
        assert f"process {inside.pid}" in " ".join(leftovers("a-mark", tmp_path))
        inside.kill()
    (tmp_path / "postmaster.pid").touch()
    assert leftovers("a-mark", tmp_path) == [f"the lock {tmp_path / 'postmaster.pid'}"]


class Untrue(Fault):
    """Breaks a different promise with each try."""

    number = 0
    title = "untrue"
    limit = 0.05
    measures = (Measure("wait", 1.0),)

    async def try_once(self, attempt: Attempt) -> Figures:
        match attempt.number:
            case 0:
                return {"wait": 15.0}
            case 1:
                await asyncio.sleep(60)
            case 2:
                (attempt.folder / "postmaster.pid").touch()
            case 3:
                raise KeyError("something")
        return {"wait": 0.5}


def test_each_way_to_fail_is_counted_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = tried(Untrue, 5)
    assert told["tries"] == 5
    assert len(told["failures"]) == 4
    failures = "\n".join(told["failures"])
    for words in ("15.000 s, not 10 at most", "wedged", "left behind", "KeyError", f"seed {SEED}"):
        assert words in failures
    assert told["measures"][0]["worst"] == 15.0
    assert capsys.readouterr().out.count("fault 0") == 4


@pytest.mark.parametrize(
    "asked",
    [["--titled", "no such words"], ["--only", "1", "--titled", "Jupyter ends"], ["--only", "0"]],
)
def test_a_campaign_that_would_try_nothing_says_so(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for how in ([], ["--as-user"], ["--everybody", "--quiet"]):
        monkeypatch.setattr(sys, "argv", ["faults", *asked, *how])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 2
        assert "nothing was tried" in capsys.readouterr().err


def test_faults_are_named_by_number_and_title() -> None:
    assert chosen(None, "") == list(FAULTS)
    assert JupyterEnds in chosen((3, 4), "Jupyter ends")
    assert {fault.number for fault in chosen((3, 4), "")} == {3, 4}
