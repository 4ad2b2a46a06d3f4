"""VS Code as a person uses it, in a browser, with the packaged extension installed; its pictures are those of the docs."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from snippets import HERE, RECIPES
from vscode import build_extension, drive, served

PICTURES = os.environ.get("RECIPEFORGE_PICTURES")
"""Where to leave the pictures, if they are wanted (`make screenshots`)."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vscode") / "recipes"
    folder.mkdir()
    for name, kind in (("recipe.yaml", "broken"), ("qlora.recipe.yaml", "qlora"), ("deploy.yaml", "deploy")):
        shutil.copy(RECIPES / f"{kind}.yaml", folder / name)
    return folder


@pytest.fixture(scope="module")
def seen(editors: Path, environment: dict[str, str], workspace: Path) -> dict[str, Any]:
    """What the browser saw. The server is found in the workspace's `.venv`."""
    vsix, home = build_extension(editors), workspace.parent
    (workspace / ".venv" / "bin").mkdir(parents=True)
    program = shutil.which("recipeforge", path=environment["PATH"])
    assert program
    (workspace / ".venv" / "bin" / "recipeforge").symlink_to(program)
    pictures = Path(PICTURES).resolve() if PICTURES else home / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    bare = home / "bare"
    bare.mkdir()
    shutil.copy(RECIPES / "broken.yaml", bare / "recipe.yaml")
    folders = [folder for folder in environment["PATH"].split(os.pathsep) if not Path(folder, "recipeforge").exists()]
    nowhere = environment | {"HOME": str(home), "PATH": os.pathsep.join(folders), "VSCODE_CLI": "1"}
    with served(editors, home / "data", nowhere, vsix=vsix) as address:
        places = {"workspace": workspace, "bare": bare, "pictures": pictures, "failure": home / "failure.png"}
        given = {"address": address, "scale": 1.5, **places}
        found, _ = drive(editors, HERE / "drive_vscode_ui.mjs", environment, given, home / "report.json")
    assert "failure" not in found, f"{found['failure']}\nlook at {home / 'failure.png'}; seen before: {found}"
    return found


def test_the_finding_is_underlined_and_listed_once(seen: dict[str, Any], saw: Callable[[str], None]) -> None:
    saw(f"squiggles (px): {seen['squiggles']}")
    saw(f"problems: {seen['problems']['broken']}")
    assert len(seen["squiggles"]) == 1
    assert len([line for line in seen["problems"]["broken"] if "RF4001" in line]) == 1
    assert len(seen["problems"]["broken"]) == 1
    assert len(seen["problems"]["qlora"]) == 3, seen["problems"]["qlora"]


def test_the_hover_shows_the_quote_with_its_link(seen: dict[str, Any], saw: Callable[[str], None]) -> None:
    saw(f"hover: {seen['hover']!r}")
    saw(f"links: {seen['links']}")
    assert "FlashAttention only supports Ampere GPUs or newer" in seen["hover"]
    assert any("github.com/Dao-AILab/flash-attention" in link for link in seen["links"])


def test_the_menu_offers_the_fix_first_and_it_changes_the_verdict(
    seen: dict[str, Any], workspace: Path, cured: Callable[[Path], None], saw: Callable[[str], None]
) -> None:
    saw(f"menu: {seen['menu']}")
    saw(f"lenses: {seen['lenses']} → {seen['fixedLenses']}")
    saw(f"status bar: {seen['statusBar']} → {seen['fixedStatusBar']}")
    offered = [line for line in seen["menu"] if line not in ("Quick Fix", "More Actions...")]
    assert "SDPA" in offered[0]
    assert any("Ignore RF4001" in line for line in offered)
    assert "conflicting" in seen["lenses"] and "valid" in seen["fixedLenses"]
    assert "1 error" in seen["statusBar"] and "valid" in seen["fixedStatusBar"]
    assert seen["problems"]["fixed"] == []
    cured(workspace / "recipe.yaml")


def test_the_estimate_opens_as_a_page(seen: dict[str, Any], saw: Callable[[str], None]) -> None:
    saw(f"memory: {seen['memory']!r}")
    assert "GiB" in seen["memory"] and "weights" in seen["memory"].lower()


def test_completion_knows_the_rest_of_the_recipe(seen: dict[str, Any], saw: Callable[[str], None]) -> None:
    saw(f"kernels: {seen['kernels']}")
    kernels = [line.split()[0] for line in seen["kernels"]]
    assert kernels.index("sdpa") < kernels.index("flash-attention-2")
    reasons = [line for line in seen["kernels"] if line.startswith("flash-attention-2") and "RF4001" in line]
    assert reasons, "no reason stands beside what is blocked"
    saw(f"quantizations: {seen['quantizations']}")
    saw(f"documentation: {seen['documentation']!r}")
    assert seen["quantizations"][0].startswith("bnb-4bit")
    assert "RF1001" in seen["documentation"]


def test_the_lens_makes_a_recipe_run(seen: dict[str, Any], saw: Callable[[str], None]) -> None:
    saw(f"repairs: {seen['repairs']}")
    saw(f"Make it run: {seen['madeToRun']}")
    assert any(line.startswith("Make it run: ") for line in seen["repairs"])
    assert "valid" in seen["madeToRun"]
    assert seen["problems"]["madeToRun"] == []


def test_without_a_server_it_says_how_to_install_one(seen: dict[str, Any], saw: Callable[[str], None]) -> None:
    saw(f"missing: {seen['missing']}; {seen['missingStatusBar']}")
    assert "pip install 'recipeforge[lsp]'" in seen["missing"]
    assert "Install with pip" in seen["missing"]
    assert "not on PATH" in seen["missing"]
