"""The extension's own tests, in the extension host of a real VS Code; each of its tests is one here."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from snippets import HERE, RECIPES
from vscode import EXTENSION, build_extension, drive, served

SECONDS = 200
COPIES = {
    "recipe.yaml": "broken",
    "train.yaml": "broken",
    "ignored.recipe.yaml": "broken",
    "closed.recipe.yaml": "broken",
    "killed.recipe.yaml": "broken",
    "qlora.recipe.yaml": "qlora",
    "deploy.yaml": "deploy",
}


@pytest.fixture(scope="module")
def results(editors: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run all of them once; name → result."""
    build_extension(editors)
    home = tmp_path_factory.mktemp("vscode")
    workspace = home / "workspace"
    workspace.mkdir()
    for name, kind in COPIES.items():
        shutil.copy(RECIPES / f"{kind}.yaml", workspace / name)
    report = home / "report.json"
    # As if started from a terminal, so that the extension host takes this PATH, not a login shell's.
    env = environment | {"RECIPEFORGE_TEST_REPORT": str(report), "HOME": str(home), "VSCODE_CLI": "1"}
    with served(editors, home / "data", env, automated=True) as address:
        given = {"address": address, "extension": EXTENSION, "workspace": workspace, "seconds": SECONDS, "screenshot": home / "host.png"}
        found, done = drive(editors, HERE / "drive_vscode_host.mjs", env, given, report, SECONDS + 60)
    return {"results": found, "exit": done.returncode, "log": done.stdout[-6000:]}


def test_everything_ran(results: dict[str, Any], saw: Callable[[str], None]) -> None:
    names = _test_names()
    assert [one["name"] for one in results["results"]] == names, results["log"]
    for one in results["results"]:
        saw(f"{'ok' if one['ok'] else 'FAILED'} {one['ms']} ms  {one['name']}")
        for line in "\n".join(one["said"]).splitlines()[:12]:
            saw(f"      {line[:220]}")


def test_each_passed(results: dict[str, Any]) -> None:
    failed = [f"{one['name']}\n{one.get('error')}\nsaid: {one['said']}" for one in results["results"] if not one["ok"]]
    assert not failed, "\n\n".join(failed)
    assert results["exit"] == 0, results["log"]


def _test_names() -> list[str]:
    """Return the names of the tests in the order of their files in index.ts."""
    folder = EXTENSION / "src" / "test"
    files = [line.split("'")[1] for line in (folder / "index.ts").read_text().splitlines() if line.endswith(".test';")]
    texts = [(folder / f"{file}.ts").read_text() for file in files]
    return [line.split("test('")[1].split("', async")[0] for text in texts for line in text.splitlines() if line.startswith("test('")]
