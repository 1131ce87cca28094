"""What is said in several places must be the same everywhere."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import ou_vce_ext

ROOT = Path(__file__).parents[2]


def read_json(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / name).read_text())
    return loaded


def read_project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def shared_data() -> dict[str, str]:
    wheel = read_project()["tool"]["hatch"]["build"]["targets"]["wheel"]
    mapped: dict[str, str] = wheel["shared-data"]
    return mapped


def test_both_sides_have_one_version() -> None:
    assert read_json("labextension/package.json")["version"] == ou_vce_ext.__version__


def test_lab_side_is_built_where_the_package_says() -> None:
    [paths] = ou_vce_ext._jupyter_labextension_paths()
    package = read_json("labextension/package.json")
    built = (ROOT / "labextension" / package["jupyterlab"]["outputDir"]).resolve()
    assert built == ROOT / "ou_vce_ext" / paths["src"]
    assert package["name"] == paths["dest"]
    assert (
        shared_data()[f"ou_vce_ext/{paths['src']}"]
        == f"share/jupyter/labextensions/{paths['dest']}"
    )


def test_installing_enables_the_server_side() -> None:
    name = "jupyter-config/server-config/ou_vce_ext.json"
    assert read_json(name) == {"ServerApp": {"jpserver_extensions": {"ou_vce_ext": True}}}
    assert shared_data()[name] == "etc/jupyter/jupyter_server_config.d/ou_vce_ext.json"


def test_lab_can_name_the_package_to_uninstall() -> None:
    told = read_json("jupyter-config/install.json")
    assert told["packageManager"] == "python"
    assert told["packageName"] == read_project()["project"]["name"]


def test_extension_point_is_an_extension_app() -> None:
    from jupyter_server.extension.application import ExtensionApp

    [point] = ou_vce_ext._jupyter_server_extension_points()
    assert issubclass(point["app"], ExtensionApp)
    assert point["app"].name == "ou_vce_ext"
    assert point["app"].__module__ == point["module"]


def test_importing_the_package_imports_nothing_else() -> None:
    """Jupyter imports it in every command that lists extensions."""
    code = """if True:
        import sys
        before = set(sys.modules)
        import ou_vce_ext
        print(*sorted({name.split(".")[0] for name in set(sys.modules) - before}))
    """
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert set(loaded.stdout.split()) <= {"ou_vce_ext", "typing", *sys.stdlib_module_names}
