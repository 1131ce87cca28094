"""The status page and its JSON: which one is given, what it says, and that it runs nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from ou_vce_ext import disk
from ou_vce_ext.models import Capability, OperationState, Service, ServiceError
from ou_vce_ext.models_backup import BackupSummary, Reason, Verified
from ou_vce_ext.models_status import Problem
from ou_vce_ext.sentences import say
from ou_vce_ext.states import ServiceState
from tests.api.conftest import Ask
from tests.api.described import assert_matches
from tests.api.house import NOW, House, a_service, an_error, an_operation

HTML = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{ 7*7 }}"


class Page(HTMLParser):
    """What a page is made of: each element with its attributes, and the text of it all."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


async def page(ask: Ask) -> Page:
    response = await ask("/status", headers=HTML)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(assert_matches(response, "/status"))


async def headline(ask: Ask) -> str:
    response = await ask("/status", headers=HTML)
    found = re.search(r"<h1>(.*?)</h1>", response.body.decode(), re.DOTALL)
    assert found is not None
    return found[1]


def failed(name: str, message: str, **changes: Any) -> Service:
    service = a_service(name, state=ServiceState.FAILED, error=an_error(message))
    return replace(service, **changes)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("application/json", "application/json"),
        ("application/json, text/html", "text/html"),
        ("application/json, */*;q=0.5", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
    ],
)
async def test_the_form_is_negotiated(
    house: House, ask: Ask, accept: str | None, media: str
) -> None:
    response = await ask("/status", headers={"Accept": accept} if accept else {})
    assert_matches(response, "/status")
    assert response.headers["Content-Type"].startswith(media)
    assert "Accept" in response.headers["Vary"].split(", ")


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("/status", {**HTML, "Accept-Language": "fr-CA,fr;q=0.9"}),
        ("/status?lang=fr", HTML),
        # What JupyterLab leaves goes before what the browser is set to.
        ("/status", {**HTML, "Accept-Language": "en", "Cookie": "vce-lang=fr-FR"}),
    ],
)
async def test_the_page_speaks_the_readers_language(
    house: House, ask: Ask, address: str, headers: dict[str, str]
) -> None:
    message = say("{title} is not running", title="PostgreSQL")
    house.found = [Problem("postgres", "died", message, "", NOW)]
    response = await ask(address, headers=headers)
    shown = Page(assert_matches(response, "/status"))
    assert shown.all("html")[0]["lang"] == response.headers["Content-Language"] == "fr-FR"
    assert "Accept-Language" in response.headers["Vary"].split(", ")
    assert "PostgreSQL n’est pas en marche" in shown.text
    assert "Espace disque" in shown.text


async def test_what_is_well_again_keeps_its_last_error(house: House, ask: Ask) -> None:
    why = ServiceError("killed", "PostgreSQL was ended by force.", "It is started again by itself.")
    house.troubles = {"postgres": (NOW, why)}
    shown = await page(ask)
    assert "PostgreSQL was ended by force." in shown.text
    assert "It is started again by itself." not in shown.text


async def test_a_disk_that_is_nearly_full_needs_a_person(
    house: House, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every real disk counts as one.
    monkeypatch.setattr(disk, "LOW_BYTES", 10**18)
    monkeypatch.setattr(disk, "LOW_SHARE", 1.1)
    body = assert_matches(await ask("/status", headers=JSON), "/status")
    assert body["state"] == "attention"
    assert body["problems"][0]["code"] == "disk-low"
    shown = await page(ask)
    assert "are left on a disk (Home folder" in shown.text


async def test_json_speaks_it_too(house: House, ask: Ask) -> None:
    message = say("{title} is not running", title="PostgreSQL")
    house.found = [Problem("postgres", "died", message, "", NOW)]
    response = await ask("/status", headers={**JSON, "Accept-Language": "fr"})
    body = assert_matches(response, "/status")
    assert body["problems"][0]["message"] == "PostgreSQL n’est pas en marche"
    assert body["disk"][0]["label"] == "Dossier personnel"


async def test_the_slash_is_no_matter(house: House, ask: Ask) -> None:
    assert (await ask("/status/", headers=HTML)).code == 200


async def test_json_says_it_all(house: House, ask: Ask) -> None:
    house.operations.known = [an_operation("a1")]
    house.found = [Problem("postgres", "died", "It died.", "Look.", NOW)]
    body = assert_matches(await ask("/status", headers=JSON), "/status")
    assert [service["name"] for service in body["services"]] == ["openrefine", "postgres"]
    assert [one["id"] for one in body["operations"]] == ["a1"]
    assert [one["code"] for one in body["problems"]] == ["died"]
    assert {"ou_vce_ext", "Python", "jupyter_server"} <= set(body["versions"])
    assert body["disk"][0]["label"] == "Home folder"
    for room in (body["disk"][0], body["memory"]):
        assert 0 < room["free_bytes"] <= room["total_bytes"]


async def test_running_operations_are_all_told_and_ended_ones_in_part(
    house: House, ask: Ask
) -> None:
    ended = [
        an_operation(f"e{at}", state=OperationState.SUCCEEDED, started=NOW - timedelta(seconds=at))
        for at in range(30)
    ]
    running = an_operation("run", started=NOW - timedelta(hours=1))
    house.operations.known = [*ended, running]
    body = assert_matches(await ask("/status", headers=JSON), "/status")
    assert [one["id"] for one in body["operations"]] == [f"e{at}" for at in range(10)] + ["run"]


STATES = [
    ([], [], [], "ok", "No services are declared"),
    ([a_service("a")], [], [], "ok", "All well"),
    ([a_service("a", state=ServiceState.STOPPED)], [], [], "ok", "All well"),
    ([a_service("a", state=ServiceState.UNAVAILABLE)], [], [], "ok", "All well"),
    ([a_service("a", state=ServiceState.STARTING)], [], [], "busy", "Work is going on"),
    ([a_service("a")], [], [an_operation("x")], "busy", "Starting OpenRefine: loading Java"),
    (
        [a_service("a", state=ServiceState.UNRESPONSIVE)],
        [],
        [],
        "attention",
        "A stopped answering 3 days ago",
    ),
    (
        [a_service("a")],
        [Problem(None, "disk-full", "The disk is nearly full. Do tidy.", "", NOW)] * 3,
        [an_operation("x")],
        "attention",
        "The disk is nearly full, and 2 more",
    ),
    (
        [failed("a", "The disk is full. Nothing is lost.")],
        [Problem("a", "died", "Other", "", NOW)],
        [an_operation("x")],
        "failed",
        "A failed 3 days ago: the disk is full",
    ),
    ([failed("a", "Java ended.")], [], [], "failed", "A failed 3 days ago: Java ended"),
    ([failed("a", "x"), failed("b", "y")], [], [], "failed", "2 services failed: A, B"),
]


@pytest.mark.parametrize(("services", "problems", "operations", "state", "words"), STATES)
async def test_the_overall_word_comes_first(
    house: House,
    ask: Ask,
    services: list[Service],
    problems: list[Problem],
    operations: list[Any],
    state: str,
    words: str,
) -> None:
    house.services, house.found, house.operations.known = services, problems, operations
    body = assert_matches(await ask("/status", headers=JSON), "/status")
    assert body["state"] == state
    assert await headline(ask) == words


async def test_every_state_is_in_words_and_has_its_icon(house: House, ask: Ask) -> None:
    house.services = [a_service(state.value, state=state) for state in ServiceState]
    shown = await page(ask)
    rows = [row for row in shown.all("tr") if "data-vce-service" in row]
    assert [row["data-vce-state"] for row in rows] == [state.value for state in ServiceState]
    symbols = {symbol["id"] for symbol in shown.all("symbol")}
    used = [use["href"] for use in shown.all("use")]
    assert {f"#icon-{state.value}" for state in ServiceState} <= set(used)
    assert {use.removeprefix("#") for use in used if use} <= symbols
    for words in ("Unavailable", "Not answering", "Waiting to restart", "Failed"):
        assert words in shown.text


async def test_a_failure_is_told_with_its_cure_and_last_lines(house: House, ask: Ask) -> None:
    error = an_error("The disk is full.", "Delete something.", log_tail=("one", "PANIC: two"))
    house.services = [a_service("postgres", state=ServiceState.FAILED, error=error)]
    shown = await page(ask)
    for words in ("The disk is full.", "Delete something.", "PANIC: two", "exit code 1"):
        assert words in shown.text


async def test_each_service_with_a_log_links_to_it(house: House, ask: Ask) -> None:
    house.services = [a_service("postgres"), a_service("other", capabilities=frozenset())]
    links = [str(link["href"]) for link in (await page(ask)).all("a")]
    assert [link for link in links if "logs" in link] == [
        "/a%40b/vce/api/services/postgres/logs?lines=200"
    ]


async def test_times_are_relative_and_tell_the_moment(house: House, ask: Ask) -> None:
    moment = NOW.replace(year=2026, month=11, day=1, hour=9, minute=5, second=7)
    house.services = [a_service("a", state=ServiceState.STOPPED, since=moment)]
    titles = [time.get("title") for time in (await page(ask)).all("time")]
    assert "since 1 November 2026, 09:05:07 UTC" in titles


async def test_what_others_wrote_is_shown_as_text(house: House, ask: Ask) -> None:
    error = an_error(HOSTILE, HOSTILE, log_tail=(HOSTILE,), code="x")
    work = an_operation("a1", message=HOSTILE, service="a", error=error)
    house.services = [
        failed("a", HOSTILE, title=HOSTILE, operation="a1", data_dir=HOSTILE),
        failed("b", HOSTILE, error=error),
    ]
    house.found = [Problem("a", HOSTILE, HOSTILE, HOSTILE, NOW)]
    house.operations.known = [work]
    shown = await page(ask)
    assert len(shown.all("script")) == 1
    assert shown.all("img") == []
    assert HOSTILE in shown.text
    assert all(not name.startswith("on") for _, attrs in shown.elements for name in attrs)


async def test_only_the_pages_own_script_and_style_may_run(house: House, ask: Ask) -> None:
    nonces = set()
    for _ in range(2):
        response = await ask("/status", headers=HTML)
        policy = response.headers["Content-Security-Policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        nonce = rules["script-src"].removeprefix("'nonce-").removesuffix("'")
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == f"'nonce-{nonce}'"
        assert rules["form-action"] == rules["base-uri"] == "'none'"
        shown = Page(response.body.decode())
        assert [one.get("nonce") for one in shown.all("script") + shown.all("style")] == [nonce] * 2
        assert all("style" not in attributes for _, attributes in shown.elements)
        nonces.add(nonce)
    assert len(nonces) == 2


async def test_nothing_on_the_page_changes_anything(house: House, ask: Ask) -> None:
    shown = await page(ask)
    assert shown.all("form") == []
    assert [button["type"] for button in shown.all("button")] == ["button"]
    assert all("hidden" in button for button in shown.all("button")), "of no use without script"


@pytest.mark.parametrize(
    ("verified", "words"),
    [
        ("verified", "proven: restored once"),
        ("unverified", "not proven yet"),
        ("failed", "failed:"),
    ],
)
async def test_the_newest_backup_says_whether_it_was_proven(
    house: House, ask: Ask, verified: str, words: str
) -> None:
    # Now, and not when the tests began: on a busy machine that is minutes ago.
    moment = datetime.now(UTC) - timedelta(hours=3)
    newest = BackupSummary("b1", moment, 4_200_000, Verified(verified), Reason.MANUAL)
    keeps = frozenset({Capability.BACKUP})
    house.services = [
        a_service("postgres", capabilities=keeps, last_backup=newest),
        a_service("mongo", capabilities=keeps),
        a_service("genie"),
    ]
    shown = (await page(ask)).text
    assert "3 h ago, 4.2 MB" in shown
    assert words in shown
    assert shown.count("none yet") == 1
    body = assert_matches(await ask("/status", headers=JSON), "/status")
    assert [bool(one["last_backup"]) for one in body["services"]] == [True, False, False]
    assert words in assert_matches(await ask("/api/report"), "/api/report")
