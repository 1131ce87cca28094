"""Each mistake names its file, its key, what is wrong and what is allowed; nothing else suffers."""

import os
from pathlib import Path

import pytest

from ou_vce_ext.config.declarations import OVERRIDES
from ou_vce_ext.models import ServiceSpec

from .test_config import GENIE, drop_in, load

WEB = '[services.genie]\nkind = "web"\ncommand = ["node"]\n'


def mistake(folder: Path, text: str, service: str = "genie") -> tuple[str, str, str]:
    """The key, message and hint of the one mistake in ``text``; it stands on its service alone."""
    path = drop_in(folder, "a.toml", text)
    specs, problems = load(folder)
    assert [str(problem.source) for problem in problems] == [str(path)], problems
    [problem] = problems
    assert problem.service == service
    spec = specs.pop(service)
    assert spec.problem is not None
    assert spec.problem.code == "config-invalid"
    for words in (str(path), problem.key, problem.message):
        assert words in spec.problem.message
    assert problem.hint in spec.problem.hint
    assert "restart Jupyter" in spec.problem.hint
    assert all(other.problem is None for other in specs.values())
    return problem.key, problem.message, problem.hint


def test_a_mistyped_key(tmp_path: Path) -> None:
    key, message, hint = mistake(tmp_path, WEB + 'opne = "tab"\n')
    assert key == "services.genie.opne"
    assert message == "There is no such key."
    assert hint.startswith("Did you mean `open`? ")
    for allowed in ("autostart", "ready", "stop_timeout", "adopt", "port"):
        assert allowed in hint


def test_a_key_of_another_kind(tmp_path: Path) -> None:
    _, _, hint = mistake(tmp_path, WEB + 'databases = ["a"]\n')
    assert "a key of the kind postgres, mongo" in hint


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("timeout = 120", "ready = { timeout = 120 }"),
        ('depends_on = ["x"]', "requires = ["),
        ('argv = ["x"]', "command = ["),
    ],
)
def test_a_word_of_other_programs(tmp_path: Path, line: str, instead: str) -> None:
    assert instead in mistake(tmp_path, WEB + line + "\n")[2]


def test_an_unknown_kind(tmp_path: Path) -> None:
    key, message, hint = mistake(tmp_path, '[services.genie]\nkind = "wbe"\nanything = 1\n')
    assert key == "services.genie.kind"
    assert "'wbe'" in message
    assert hint == "Did you mean `web`? There are: openrefine, postgres, mongo, web."


def test_no_kind_is_often_a_mistyped_name(tmp_path: Path) -> None:
    key, message, hint = mistake(tmp_path, "[services.postgre]\nport = 5432\n", "postgre")
    assert key == "services.postgre.kind"
    assert "not declared" in message
    assert "`postgres`" in hint
    assert "web" in hint


def test_hiding_a_service_that_is_not_there(tmp_path: Path) -> None:
    assert "`mongo`" in mistake(tmp_path, "[services.mongoo]\nenabled = false\n", "mongoo")[2]


def test_a_command_written_as_in_a_shell(tmp_path: Path) -> None:
    text = '[services.genie]\nkind = "web"\ncommand = "node \'my app.js\' -v"\n'
    key, message, hint = mistake(tmp_path, text)
    assert key == "services.genie.command"
    assert message.startswith("Must be a list, and is ")
    assert hint == 'Write it as a list: command = ["node", "my app.js", "-v"].'


def test_a_web_service_without_a_command(tmp_path: Path) -> None:
    key, message, hint = mistake(tmp_path, '[services.genie]\nkind = "web"\n')
    assert key == "services.genie.command"
    assert "needs a command" in message
    assert "command = [" in hint


def test_what_has_a_command_and_no_kind_is_a_web_app(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", '[services.genie]\ncommand = ["node", "genie.js"]\n')
    specs, problems = load(tmp_path)
    assert problems == []
    assert specs["genie"].kind == "web"


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ("title = 3", "title", "a text in quotes, and is 3"),
        ('title = "a\\nb"', "title", "one line"),
        ('title = ""', "title", "1 to 80 characters"),
        ('icon = "genie.gif"', "icon", ".svg or .png"),
        ('cwd = ""', "cwd", "not be empty"),
        ('autostart = "yes"', "autostart", "true or false, and is "),
        ("autostart = 1", "autostart", "true or false, and is 1"),
        ("requires = [1]", "requires", '["postgres"]'),
        ('requires = ["mongo", "mongo"]', "requires", "twice"),
        ('open = "window"', "open", 'one of "tab", "browser", and is "window"'),
        ('memory = "lots"', "memory", '"1500M"'),
        ("memory = 1500", "memory", '"512M"'),
        ("memory = -1", "memory", '"1500M"'),
        ("memory = 1.5", "memory", "a whole number, and is 1.5"),
        ("stop_timeout = 0", "stop_timeout", "seconds from 0 to 86400"),
        ("stop_timeout = inf", "stop_timeout", "a number"),
        ("stop_timeout = true", "stop_timeout", "a number, and is true"),
        ("ready = 5", "ready", "a table, and is 5"),
        ("ready = { tmeout = 5 }", "ready.tmeout", "no such key"),
        ('ready = { path = "health" }', "ready.path", '"/health"'),
        ("ready = { timeout = -1 }", "ready.timeout", "seconds"),
        ("env = { PORT = 80 }", "env.PORT", "a text in quotes"),
        ('env = { "A-B" = "x" }', "env.A-B", "no name of a variable"),
        ('env = { A = "x\\u0000" }', "env.A", "NUL"),
        ('backup = "daily"', "backup", "a table"),
        ("seed = []", "seed", "a table"),
        ('seed = { foldr = "a" }', "seed.foldr", "no such key"),
        ("seed = { folder = 3 }", "seed.folder", "a text in quotes, and is 3"),
        ('seed = { folder = " " }', "seed.folder", "names of files"),
        ('data_dir = "\\u0000"', "data_dir", "NUL"),
        ("external = true", "external", "cannot be adopted"),
        ("port = 70000", "port", "1 to 65535"),
        ('port = "3000"', "port", "a whole number"),
        ("port = true", "port", "a whole number, and is true"),
        ('ratio = "x"', "ratio", "a number"),
        ('odd = ["x"]', "odd", "Cannot be understood"),
        ("port = 1979-05-27", "port", "a date"),
    ],
)
def test_a_wrong_value(tmp_path: Path, line: str, key: str, words: str) -> None:
    found, message, hint = mistake(tmp_path, f"{WEB}{line}\n")
    assert found == f"services.genie.{key}"
    assert words in f"{message} {hint}"


def test_a_choice_of_a_kind(tmp_path: Path) -> None:
    text = '[services.openrefine]\nprofile = "quick"\n'
    assert '"usual", "light"' in mistake(tmp_path, text, "openrefine")[1]


@pytest.mark.parametrize("command", ["[]", "[1]", '[""]', '["node", 80]'])
def test_a_wrong_command(tmp_path: Path, command: str) -> None:
    key, _, _ = mistake(tmp_path, f'[services.genie]\nkind = "web"\ncommand = {command}\n')
    assert key == "services.genie.command"


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    text = (
        '[services.postgres]\npassword = 31415926\nuser = ["password=31415926"]\n'
        'env = { PGPASSWORD = 31415926 }\nport = "token 31415926"\n'
    )
    drop_in(tmp_path, "a.toml", text)
    specs, problems = load(tmp_path)
    assert len(problems) == 4
    assert "31415926" not in f"{problems} {specs['postgres'].problem}"


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", WEB + "a = 1\nb = 1\nc = 1\nd = 1\ne = 1\nf = 1\n")
    specs, problems = load(tmp_path)
    assert len(problems) == 6
    problem = specs["genie"].problem
    assert problem is not None
    assert "6 mistakes" in problem.message
    assert "services.genie.d" in problem.message
    assert "And 2 more, in the server's log." in problem.message


def test_a_mistake_names_the_file_its_key_stands_in(tmp_path: Path) -> None:
    weak = drop_in(tmp_path / "weak", "a.toml", GENIE + 'env = { A = "x", B = 2 }\n')
    strong = drop_in(
        tmp_path / "strong", "b.toml", '[services.genie]\nenv = { A = 3 }\nport = ""\n'
    )
    _, problems = load(
        tmp_path / "weak", tmp_path / "strong", overrides={"genie": {"open": "window"}}
    )
    assert {problem.key: problem.source for problem in problems} == {
        "services.genie.env.A": str(strong),
        "services.genie.env.B": str(weak),
        "services.genie.open": OVERRIDES,
        "services.genie.port": str(strong),
    }


@pytest.mark.parametrize("name", ["Genie App", "../genie", "3d", "a" * 32, "ünder", "", "a/b"])
def test_a_name_that_cannot_be_in_an_address(tmp_path: Path, name: str) -> None:
    drop_in(tmp_path, "a.toml", f'[services."{name}"]\nkind = "web"\ncommand = ["node"]\n')
    specs, [problem] = load(tmp_path)
    assert list(specs) == ["openrefine", "postgres", "mongo"]
    assert "cannot be the name" in problem.message
    assert "31 at most" in problem.hint
    assert repr(name) in problem.key


def test_a_bad_name_gets_a_good_one_proposed(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", '[services."Genie App"]\nkind = "web"\n')
    assert "`genie-app`" in load(tmp_path)[1][0].hint


def test_a_service_that_is_no_table(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", "[services]\ngenie = 3\n")
    specs, problems = load(tmp_path)
    assert specs["genie"].problem is not None
    assert "[services.genie]" in specs["genie"].problem.hint
    assert {problem.service for problem in problems} == {"genie"}


@pytest.mark.parametrize("text", ["services = 3\n", "[[services]]\nkind = 'web'\n"])
def test_services_that_are_no_table(tmp_path: Path, text: str) -> None:
    drop_in(tmp_path, "a.toml", text)
    specs, [problem] = load(tmp_path)
    assert len(specs) == 3
    assert problem.key == "services"
    assert "[services.NAME]" in problem.hint


def test_a_service_declared_at_the_top(tmp_path: Path) -> None:
    path = drop_in(tmp_path, "a.toml", "[genie]\nkind = 'web'\n" + GENIE)
    specs, [problem] = load(tmp_path)
    assert specs["genie"].problem is None
    assert (problem.source, problem.key) == (str(path), "genie")
    assert "[services.genie]" in problem.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[services.genie]\nkind = web\n", "line 2, column 8"),
        ("[services.genie]\nkind = 'web", "line 2, column 12"),
        ("[services.genie\n", "line 1, column 16"),
        ("a = 1\na = 2\n", "line 2"),
        ("x = " + "9" * 5000, "digits"),
        ("x = " + "[" * 5000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, text: str, words: str) -> None:
    bad = drop_in(tmp_path, "a.toml", text)
    drop_in(tmp_path, "b.toml", GENIE)
    specs, [problem] = load(tmp_path)
    assert problem.source == str(bad)
    assert words in problem.message
    assert "Nothing in this file has been used." in problem.hint
    assert specs["genie"].problem is None


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = drop_in(tmp_path, "a.toml", GENIE)
    path.write_bytes(b"# fine\ntitle = '\xff\xfe'\n")
    _, [problem] = load(tmp_path)
    assert "Line 2 is not UTF-8" in problem.message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    folder = drop_in(tmp_path, "good.toml", GENIE).parent
    (folder / "dangling.toml").symlink_to(tmp_path / "nowhere")
    (folder / "folder.toml").mkdir()
    os.mkfifo(folder / "pipe.toml")
    (folder / "large.toml").write_bytes(b"#" * 1_000_001)
    specs, problems = load(tmp_path)
    assert {Path(problem.source).name: problem.message for problem in problems} == {
        "dangling.toml": "The file cannot be read: No such file or directory.",
        "folder.toml": "This is not a file.",
        "large.toml": "The file is larger than 1 MB.",
        "pipe.toml": "This is not a file.",
    }
    assert specs["genie"].problem is None


def test_the_named_file_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    specs, [problem] = load(config_file=missing)
    assert problem.source == str(missing)
    assert "No such file" in problem.message
    assert len(specs) == 3


def problems_of(specs: dict[str, ServiceSpec]) -> dict[str, str]:
    return {spec.name: spec.problem.message for spec in specs.values() if spec.problem}


def test_two_services_on_one_port(tmp_path: Path) -> None:
    drop_in(
        tmp_path,
        "a.toml",
        GENIE + '[services.other]\nkind = "web"\ncommand = ["x"]\nport = 3000\n',
    )
    found = problems_of(load(tmp_path)[0])
    assert set(found) == {"genie", "other"}
    assert "Port 3000 is declared by `other` too." in found["genie"]
    assert "Port 3000 is declared by `genie` too." in found["other"]


@pytest.mark.parametrize("line", ["enabled = false", "external = true", "port = 3001"])
def test_a_port_that_only_seems_shared(tmp_path: Path, line: str) -> None:
    text = f"[services.postgres]\nport = 3000\n{line}\n"
    drop_in(tmp_path, "a.toml", text.replace("port = 3000\nport", "port") + GENIE)
    assert load(tmp_path)[1] == []


def test_a_broken_service_takes_no_port_from_another(tmp_path: Path) -> None:
    drop_in(tmp_path, "a.toml", GENIE + "[services.postgres]\nport = 3000\nnonsense = 1\n")
    assert set(problems_of(load(tmp_path)[0])) == {"postgres"}


def test_requiring_what_is_not_there(tmp_path: Path) -> None:
    key, message, hint = mistake(tmp_path, WEB + 'requires = ["postgre"]\n')
    assert key == "services.genie.requires"
    assert "no service `postgre`" in message
    assert hint == "Did you mean `postgres`? There are: openrefine, postgres, mongo."


def test_requiring_what_is_hidden(tmp_path: Path) -> None:
    text = WEB + 'requires = ["mongo"]\n[services.mongo]\nenabled = false\n'
    assert "`mongo` is disabled" in mistake(tmp_path, text)[1]


def test_requiring_in_a_circle(tmp_path: Path) -> None:
    drop_in(
        tmp_path,
        "a.toml",
        '[services.postgres]\nrequires = ["mongo"]\n'
        '[services.mongo]\nrequires = ["openrefine"]\n'
        '[services.openrefine]\nrequires = ["postgres"]\n' + WEB + 'requires = ["mongo"]\n',
    )
    found = problems_of(load(tmp_path)[0])
    assert set(found) == {"openrefine", "postgres", "mongo"}
    assert "postgres → mongo → openrefine → postgres" in found["postgres"]


def test_requiring_oneself(tmp_path: Path) -> None:
    assert "genie → genie" in mistake(tmp_path, WEB + 'requires = ["genie"]\n')[1]
