"""The house on a file system that is as it should be: folders, ports, secrets, layout."""

import json
import logging
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ou_vce_ext.errors import VceError
from ou_vce_ext.models import ServiceSpec
from ou_vce_ext.services import kept_ports
from ou_vce_ext.services.house import House
from ou_vce_ext.services.runtime_folder import claim_runtime_folder, hash8

POSTGRES = ServiceSpec("postgres", "postgres", "PostgreSQL")
MONGO = ServiceSpec("mongo", "mongo", "MongoDB")
OPENREFINE = ServiceSpec("openrefine", "openrefine", "OpenRefine")
LOG = logging.getLogger("house")
# Root's folders may be passed through, by the accounts that its services run as.
PRIVATE = 0o711 if os.geteuid() == 0 else 0o700


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tempfile.mkdtemp(prefix="v", dir="/tmp")
    monkeypatch.setenv("VCE_RUNTIME_DIR", folder)
    yield
    shutil.rmtree(folder)


@pytest.fixture
def houses(tmp_path: Path) -> Iterator["Houses"]:
    made = Houses(tmp_path)
    yield made
    for house in made.made:
        house.release()


class Houses:
    """Makes houses on one home, as one Jupyter after another does."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "data" / "vce"
        self.made: list[House] = []

    def plain(self) -> House:
        house = House(root_dir=self.home, data_dir=self.data, base_url="/x/", log=LOG)
        self.made.append(house)
        return house

    def opened(self) -> House:
        house = self.plain()
        house.open()
        assert house.acquire() is None
        return house

    def next(self) -> House:
        for house in self.made:
            house.release()
        return self.opened()


def test_a_fresh_house_is_private(houses: Houses) -> None:
    house = houses.opened()
    site = house.site(POSTGRES, wants_port=True)
    for folder in (house.data_dir, house.runtime_dir, site.private_dir):
        assert mode(folder) == PRIVATE
    assert mode(house.logs_dir) == 0o700
    assert mode(site.runtime_dir) == 0o700
    for name in ("house.lock", "ports.json", "postgres/secret"):
        assert mode(house.data_dir / name) == 0o600
    left = {path.name for path in house.data_dir.iterdir()}
    assert left == {"house.lock", "logs", "ports.json", "postgres"}
    assert list(house.runtime_dir.iterdir()) == [site.runtime_dir]


def test_a_house_that_was_open_to_others_is_closed(houses: Houses) -> None:
    houses.data.mkdir(parents=True)
    houses.data.chmod(0o777)
    assert mode(houses.opened().data_dir) == PRIVATE


def test_where_things_are(houses: Houses) -> None:
    house = houses.opened()
    site = house.site(POSTGRES, wants_port=True)
    assert site.root_dir == houses.home
    assert site.base_url == "/x/"
    assert site.private_dir == houses.data / "postgres"
    assert site.data_dir == houses.data / "postgres" / "data"
    assert site.log_file == houses.data / "logs" / "postgres.log"
    assert len(os.fsencode(house.runtime_dir)) + 32 <= 80
    assert site.runtime_dir == house.runtime_dir / "postgres"
    assert house.site(OPENREFINE, wants_port=False).data_dir == houses.home / "openrefine_projects"
    assert repr(site.secret) not in repr(site)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("notebooks/db", "{home}/notebooks/db"),
        ("/srv/db", "/srv/db"),
        ("~/db", "{user}/db"),
    ],
)
def test_a_declared_data_folder(houses: Houses, declared: str, expected: str) -> None:
    spec = ServiceSpec("a", "openrefine", "A", data_dir=declared)
    found = houses.opened().site(spec, wants_port=False).data_dir
    assert str(found) == expected.format(home=houses.home, user=os.path.expanduser("~"))


def test_one_house_by_two_names_is_one_house(houses: Houses, tmp_path: Path) -> None:
    house = houses.opened()
    (tmp_path / "link").symlink_to(houses.data)
    other = House(root_dir=tmp_path, data_dir=tmp_path / "link", base_url="/", log=LOG)
    assert other.runtime_dir == house.runtime_dir
    error = other.acquire()
    assert error is not None
    assert error.code == "house-in-use"


# -- ports ---------------------------------------------------------------------------------------


def test_ports_are_chosen_once_and_kept(houses: Houses) -> None:
    house = houses.opened()
    chosen = {spec.name: house.site(spec, wants_port=True).port for spec in (POSTGRES, MONGO)}
    assert len(set(chosen.values())) == 2
    assert json.loads((houses.data / "ports.json").read_text()) == {"ports": chosen}
    low, high = (int(n) for n in Path(kept_ports._EPHEMERAL).read_text().split())
    for port in chosen.values():
        assert port is not None
        assert 20_000 <= port < 32_000
        assert not low <= port <= high
    later = houses.next()
    assert {
        spec.name: later.site(spec, wants_port=True).port for spec in (MONGO, POSTGRES)
    } == chosen


def test_a_kept_port_stays_even_when_somebody_has_it_now(houses: Houses) -> None:
    port = houses.opened().site(POSTGRES, wants_port=True).port
    with socket.create_server(("127.0.0.1", port or 0)):
        assert houses.next().site(POSTGRES, wants_port=True).port == port


def test_a_port_that_somebody_has_is_not_chosen(houses: Houses) -> None:
    port = houses.opened().site(POSTGRES, wants_port=True).port
    (houses.data / "ports.json").unlink()
    with socket.create_server(("127.0.0.1", port or 0)):
        assert houses.next().site(POSTGRES, wants_port=True).port != port


def test_a_lost_file_costs_nothing(houses: Houses) -> None:
    port = houses.opened().site(POSTGRES, wants_port=True).port
    (houses.data / "ports.json").unlink()
    assert houses.next().site(POSTGRES, wants_port=True).port == port


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 50_000,
        b"[1]",
        b'{"ports": 3}',
        b'{"ports": {"postgres": "5432"}}',
        b'{"ports": {"postgres": true}}',
        b'{"ports": {"postgres": 80}}',
        b'{"ports": {"postgres": 20000, "mongo": 20000}}',
    ],
)
def test_a_damaged_file_is_moved_aside(
    houses: Houses, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    port = houses.opened().site(POSTGRES, wants_port=True).port
    path = houses.data / "ports.json"
    path.write_bytes(content)
    assert houses.next().site(POSTGRES, wants_port=True).port == port
    assert json.loads(path.read_text()) == {"ports": {"postgres": port}}
    assert (houses.data / "ports.json.damaged").read_bytes() == content
    assert str(path) in caplog.text


def test_a_declared_port_is_taken_as_it_is_and_given_to_nobody_else(houses: Houses) -> None:
    chosen = houses.opened().site(MONGO, wants_port=True).port
    assert chosen is not None
    greedy = ServiceSpec("genie", "web", "Genie", options={"port": chosen})
    later = houses.next()
    later.reserve([greedy, MONGO])
    assert later.site(MONGO, wants_port=True).port != chosen
    assert later.site(greedy, wants_port=False).port == chosen


def test_an_adopted_database_gets_no_port_and_no_secret(houses: Houses) -> None:
    site = houses.opened().site(
        ServiceSpec("postgres", "postgres", "P", external=True), wants_port=True
    )
    assert (site.port, site.secret) == (None, "")
    assert not (houses.data / "ports.json").exists()


def test_where_every_port_is_ephemeral_one_is_chosen_all_the_same(
    houses: Houses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    everything = tmp_path / "range"
    everything.write_text("1024\t65535\n")
    monkeypatch.setattr(kept_ports, "_EPHEMERAL", str(everything))
    port = houses.opened().site(POSTGRES, wants_port=True).port
    assert port is not None
    assert 20_000 <= port < 32_000


# -- secrets -------------------------------------------------------------------------------------


def test_a_secret_is_made_once(houses: Houses) -> None:
    house = houses.opened()
    secret = house.site(POSTGRES, wants_port=True).secret
    assert len(secret) >= 32
    assert not secret.startswith("-")
    assert house.site(MONGO, wants_port=True).secret != secret
    assert houses.next().site(POSTGRES, wants_port=True).secret == secret


def test_a_declared_password_is_the_secret_and_is_written_nowhere(houses: Houses) -> None:
    spec = ServiceSpec("postgres", "postgres", "P", options={"password": "tm351"})
    site = houses.opened().site(spec, wants_port=True)
    assert site.secret == "tm351"
    assert not (site.private_dir / "secret").exists()


def test_a_secret_that_is_open_to_others_is_closed(houses: Houses) -> None:
    path = houses.opened().site(POSTGRES, wants_port=True).private_dir / "secret"
    path.chmod(0o644)
    houses.next().site(POSTGRES, wants_port=True)
    assert mode(path) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"two\nlines" * 9, b"\0" * 40])
def test_a_damaged_secret_is_made_anew(houses: Houses, content: bytes) -> None:
    site = houses.opened().site(POSTGRES, wants_port=True)
    path = site.private_dir / "secret"
    path.write_bytes(content)
    secret = houses.next().site(POSTGRES, wants_port=True).secret
    assert secret != site.secret
    assert path.read_text() == f"{secret}\n"


def test_without_the_lock_everything_is_read_and_nothing_written(houses: Houses) -> None:
    first = houses.opened()
    known = first.site(POSTGRES, wants_port=True)
    second = houses.plain()
    second.open()
    assert second.acquire() is not None
    before = sorted(str(path) for path in houses.data.rglob("*"))
    assert second.site(POSTGRES, wants_port=True) == known
    unknown = second.site(MONGO, wants_port=True)
    assert unknown == second.site(MONGO, wants_port=True)
    assert sorted(str(path) for path in houses.data.rglob("*")) == before
    first.release()
    assert second.gate() is None
    assert houses.next().site(MONGO, wants_port=True) == unknown


# -- folders that are not as they should be ------------------------------------------------------


def test_a_file_in_the_place_of_the_house(houses: Houses) -> None:
    houses.data.parent.mkdir()
    houses.data.write_text("mine")
    house = houses.plain()
    with pytest.raises(VceError) as caught:
        house.open()
    assert caught.value.code == "folder-unsuitable"
    assert str(houses.data) in caught.value.message
    assert houses.data.read_text() == "mine"
    error = house.gate()
    assert error is not None
    assert error.code == "folder-unsuitable"
    assert house.site(POSTGRES, wants_port=True).port is not None
    houses.data.unlink()
    assert house.gate() is None


def test_a_file_in_the_place_of_one_services_folder(houses: Houses) -> None:
    house = houses.opened()
    (houses.data / "mongo").write_text("mine")
    house.site(MONGO, wants_port=True)
    error = house.trouble("mongo")
    assert error is not None
    assert error.code == "folder-unsuitable"
    assert house.trouble("postgres") is None
    assert (houses.data / "mongo").read_text() == "mine"


def test_a_planted_link_is_never_followed(tmp_path: Path) -> None:
    base = Path(os.environ["VCE_RUNTIME_DIR"])
    trap = tmp_path / "trap"
    trap.mkdir()
    (base / f"vce-{os.geteuid()}-{hash8(tmp_path)}").symlink_to(trap)
    found = claim_runtime_folder(tmp_path, {"VCE_RUNTIME_DIR": str(base)}, LOG)
    try:
        assert found.parent == Path("/tmp")
        assert list(trap.iterdir()) == []
        assert mode(trap) != PRIVATE
    finally:
        found.rmdir()


def test_a_folder_that_others_could_exchange_is_not_used(tmp_path: Path) -> None:
    base = Path(os.environ["VCE_RUNTIME_DIR"])
    base.chmod(0o777)
    found = claim_runtime_folder(tmp_path, {"VCE_RUNTIME_DIR": str(base)}, LOG)
    assert found.parent == Path("/tmp")
    found.rmdir()
    base.chmod(0o1777)
    assert claim_runtime_folder(tmp_path, {"VCE_RUNTIME_DIR": str(base)}, LOG).parent == base


def test_a_long_name_is_not_used(tmp_path: Path) -> None:
    long = Path(os.environ["VCE_RUNTIME_DIR"]) / ("x" * 40)
    long.mkdir()
    found = claim_runtime_folder(tmp_path, {"VCE_RUNTIME_DIR": str(long)}, LOG)
    assert found.parent == Path("/tmp")
    found.rmdir()


def test_sockets_have_their_folder_again_when_a_tidy_program_deleted_it(houses: Houses) -> None:
    house = houses.opened()
    folder = house.runtime_dir
    shutil.rmtree(folder)
    assert house.touch() is None
    assert house.runtime_dir == folder
    assert mode(folder) == PRIVATE


# -- the students' folders -----------------------------------------------------------------------


def test_the_layout_is_made_and_what_is_there_is_left(houses: Houses, tmp_path: Path) -> None:
    home = houses.home
    (home / "notebooks").mkdir(mode=0o750)
    (home / "notebooks" / "a.ipynb").write_text("{}")
    (home / "data").write_text("a file of mine")
    (home / "logs").symlink_to(tmp_path / "nowhere")
    problems = houses.plain().make_layout(
        ["notebooks", "backups/mongo-backup", "data", "logs", "../out", "/etc/out", "a\0b", "."]
    )
    assert (home / "backups" / "mongo-backup").is_dir()
    assert mode(home / "notebooks") == 0o750
    assert (home / "data").read_text() == "a file of mine"
    assert len(problems) == 6
    assert str(home / "data") in problems[0]
    assert str(home / "logs") in problems[1]
    assert "below the root" in problems[2]
    assert not (home.parent / "out").exists()
