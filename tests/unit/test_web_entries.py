"""Entries for jupyter-server-proxy, as packages and people write them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ou_vce_ext.drivers.web.entries import Entry, find_entry
from ou_vce_ext.drivers.web.manners import call_by_name, manners_of
from ou_vce_ext.errors import DefiniteError

SOURCE = "ServerProxy.servers in Jupyter's configuration"


def judged(told: object) -> Entry:
    return find_entry("app", {"app": told})


def refusal(told: object) -> str:
    with pytest.raises(DefiniteError) as refused:
        judged(told)
    assert refused.value.code == "config-invalid"
    assert refused.value.hint
    return str(refused.value)


def test_all_that_an_entry_may_say() -> None:
    def path(path: str) -> str:
        return path

    entry = judged(
        {
            "command": ["run", "{port}"],
            "environment": {"A": "b"},
            "timeout": 30,
            "absolute_url": True,
            "port": 4711,
            "mappath": path,
            "request_headers_override": {"X": "y"},
            "new_browser_tab": False,
            "launcher_entry": {"title": "The app", "icon_path": "/x.svg", "path_info": "app/lab"},
            "update_last_activity": False,
            "somebody_elses": "key",
        }
    )
    assert (entry.command, entry.environment, entry.timeout) == (["run", "{port}"], {"A": "b"}, 30)
    assert (entry.title, entry.icon, entry.new_browser_tab) == ("The app", "/x.svg", False)
    assert entry.options == {
        "absolute_url": True,
        "port": 4711,
        "mappath": path,
        "request_headers": {"X": "y"},
        "activity": False,
        "start_page": "lab",
    }


def test_what_it_does_not_say_is_as_usual() -> None:
    entry = judged({"command": ["run"], "launcher_entry": {"path_info": "app/"}, "port": 0})
    assert entry == Entry("app", SOURCE, ["run"])


def test_an_object_with_traits_is_as_good_as_a_dictionary() -> None:
    from traitlets import Dict, HasTraits, List

    class Server(HasTraits):
        command = List(default_value=["run"])
        launcher_entry = Dict()

    server = Server(launcher_entry={"title": "From a trait"})
    assert judged(server).title == "From a trait"


def test_a_socket_goes_before_a_port() -> None:
    entry = judged({"command": ["run"], "unix_socket": "/run/app.sock", "port": 1})
    assert entry.listens_on_socket
    assert entry.options == {"socket": "/run/app.sock"}
    assert judged({"command": ["run"], "unix_socket": True}).options == {}


def test_patterns_of_what_is_no_activity_are_for_the_whole_path() -> None:
    entry = judged(
        {
            "command": ["run"],
            "exclude_last_activity_patterns": [r".*/events$", re.compile("/base/poll")],
        }
    )
    counts = manners_of(entry.options, "App").counts
    assert counts is not None
    for path, work in (("/base/app/events", False), ("/base/poll/x", False), ("/base/x", True)):
        handler = SimpleNamespace(request=SimpleNamespace(path=path))
        assert counts(handler, "") is work


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (None, "NoneType"),
        ("run", "str"),
        ({}, "no `command`"),
        ({"command": []}, "no `command`"),
        ({"command": "run it"}, "neither a list"),
        ({"command": 7}, "neither a list"),
        ({"command": ["run"], "timeout": "soon"}, "`timeout`"),
        ({"command": ["run"], "port": "80"}, "`port` is str"),
        ({"command": ["run"], "mappath": ["x"]}, "`mappath` is list"),
        ({"command": ["run"], "absolute_url": len}, "`absolute_url` is"),
        ({"command": ["run"], "exclude_last_activity_patterns": ["("]}, "no regular expressions"),
        ({"command": ["run"], "exclude_last_activity_patterns": [7]}, "no regular expressions"),
    ],
)
def test_what_is_wrong_is_said(told: object, said: str) -> None:
    message = refusal(told)
    assert said in message
    assert "`app`" in message


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small installed package with three entries, two of them broken."""
    (tmp_path / "some_proxy.py").write_text(
        "def good():\n    return {'command': ['run']}\n"
        "def bad():\n    raise FileNotFoundError('rserver: not found')\n"
    )
    info = tmp_path / "some_proxy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-proxy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[jupyter_serverproxy_servers]\n"
        "good = some_proxy:good\nbad = some_proxy:bad\ngone = some_proxy_not:there\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "some_proxy", raising=False)
    return tmp_path


def test_a_packages_entry_is_found_by_its_name(package: Path) -> None:
    assert find_entry("good", {}) == Entry("good", "some-proxy", ["run"])
    assert find_entry("good", {"good": {"command": ["mine"]}}).command == ["mine"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bad", "FileNotFoundError: rserver: not found"),
        ("gone", "ModuleNotFoundError: No module named 'some_proxy_not'"),
    ],
)
def test_what_a_packages_code_does_is_told_in_words(package: Path, name: str, said: str) -> None:
    with pytest.raises(DefiniteError) as refused:
        find_entry(name, {})
    assert "some-proxy" in str(refused.value)
    assert said in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_an_entry_that_is_not_there_is_told_with_those_that_are(package: Path) -> None:
    with pytest.raises(DefiniteError) as refused:
        find_entry("godo", {"mine": {}})
    assert "good" in str(refused.value)
    assert "mine" in str(refused.value)


def test_functions_are_given_what_they_ask_for() -> None:
    def some(port: int, base_url: str = "") -> tuple[Any, ...]:
        return port, base_url

    def every(**told: object) -> object:
        return told

    told = {"port": 1, "base_url": "/", "unix_socket": ""}
    assert call_by_name(some, told) == (1, "/")
    assert call_by_name(lambda: 3, told) == 3
    assert call_by_name(every, told) == told


def test_a_function_that_is_declared_must_be_there() -> None:
    for place in ("no_such_module:x", "os:no_such_function", "os:sep"):
        with pytest.raises(DefiniteError) as refused:
            manners_of({"rewrite_response": [place]}, "App")
        assert place in str(refused.value)
    assert len(manners_of({"rewrite_response": "os.path:join"}, "App").rewrites) == 1
