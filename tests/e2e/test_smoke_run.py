"""`recipeforge run --smoke` as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(any(Need(n, "").installed is None for n in ("torch", "transformers", "peft")), reason="needs the train packages"),
]


def forge(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recipeforge", *arguments], capture_output=True, text=True, cwd=folder, timeout=300, check=False
    )


def test_a_smoke_test_leaves_a_marked_row_and_nothing_else(tiny_recipe: Path) -> None:
    folder = tiny_recipe.parent
    before = {p.name for p in folder.iterdir()}
    done = forge(folder, "run", "r.yaml", "--smoke", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    row = json.loads(done.stdout)["run"]
    assert (row["state"], row["smoke"], row["steps"]) == ("finished", True, 2)
    assert {p.name for p in folder.iterdir()} - before == {"runs"}
    assert {p.name.split("-")[0] for p in (folder / "runs").iterdir()} == {"ledger.sqlite3"}
    assert "finished (smoke)" in forge(folder, "runs").stdout
    assert "finished, a smoke test" in forge(folder, "runs", "show", "last").stdout
    refused = forge(folder, "run", "--resume", row["id"])
    assert refused.returncode == 2
    assert "was a smoke test" in refused.stderr


def test_what_is_judged_not_to_run_can_be_tried_by_force(tiny_recipe: Path) -> None:
    """RF1001 says that QLoRA wants a 4-bit base; the engine refuses it, too, and says so at its place."""
    folder = tiny_recipe.parent
    tiny_recipe.write_text(tiny_recipe.read_text().replace("use: lora", "use: qlora"))
    assert forge(folder, "run", "r.yaml", "--smoke").returncode == 1
    forced = forge(folder, "run", "r.yaml", "--smoke", "--force")
    assert forced.returncode == 1
    assert "error[RF1001]" in forced.stdout
    assert "part-objects" in forced.stdout or "QLoRA needs a base stored in 4 bits" in forced.stdout
    assert "cannot run here, for 1 reason" in forced.stderr
    assert forge(folder, "run", "r.yaml", "--force").returncode == 2
