"""Real editors against `recipeforge lsp`: the installed programs, a workspace with broken recipes, and what each test saw.

These tests run where `RECIPEFORGE_EDITORS` names the folder that `install.py` filled (`make test-editors` does both) and skip
elsewhere. There, an editor that is missing is a failure, not a skip.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from snippets import HERE, RECIPES

EDITORS = os.environ.get("RECIPEFORGE_EDITORS")

_seen: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if EDITORS:
        return
    skip = pytest.mark.skip(reason="drives real editors; `make test-editors` installs them and sets RECIPEFORGE_EDITORS")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _seen:
        terminalreporter.section("what the editors showed")
        for line in _seen:
            terminalreporter.write_line(line)


@pytest.fixture
def saw(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say what was seen; it is printed at the end of the run."""
    return lambda line: _seen.append(f"{request.node.name}: {line}")


@pytest.fixture(scope="session")
def editors() -> Path:
    """The folder with the installed editors."""
    folder = Path(EDITORS or "")
    assert (folder / "bin").is_dir(), f"RECIPEFORGE_EDITORS={EDITORS} is not filled; run tests/editors/install.py {EDITORS}"
    return folder


@pytest.fixture(scope="session")
def program(editors: Path) -> Callable[[str], str]:
    """Return the path of an installed editor."""

    def find(name: str) -> str:
        path = editors / "bin" / name
        assert path.exists(), f"{name} is not in {path.parent}; run tests/editors/install.py {editors}"
        return str(path)

    return find


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """An environment in which `recipeforge` is the one under test, whatever else is on PATH."""
    scripts = sysconfig.get_path("scripts")
    assert Path(scripts, "recipeforge").exists(), f"recipeforge is not installed in {scripts}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RECIPEFORGE_", "XDG_"))}
    return kept | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe with one error, comments at the ends of lines, and a safe fix; alone in a folder that is a project."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "recipeforge.toml").touch()
    return Path(shutil.copy(RECIPES / "broken.yaml", folder / "recipe.yaml"))


@pytest.fixture
def cured() -> Callable[[Path], None]:
    """Check that the file is the broken one with its one word replaced, and that the command line calls it valid."""

    def check(path: Path) -> None:
        wanted = (RECIPES / "broken.yaml").read_text().replace("flash-attention-2 ", "sdpa ")
        assert path.read_text() == wanted
        said = subprocess.run([sys.executable, "-m", "recipeforge", "check", path], capture_output=True, text=True)
        assert said.returncode == 0 and ": valid" in said.stdout + said.stderr, said.stdout + said.stderr

    return check
