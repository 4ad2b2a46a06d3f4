"""`recipeforge sweep` as a person runs it: it goes on where it was."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(any(Need(n, "").installed is None for n in ("torch", "transformers", "peft")), reason="needs the train packages"),
]


def test_points_run_once_and_new_ones_join_them(tiny_recipe: Path, forge: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    folder = tiny_recipe.parent
    tiny_recipe.write_text(tiny_recipe.read_text().replace("steps: 40, save_every: 7", "steps: 4").replace("every: 10", "every: 2"))
    grid = folder / "grid.yaml"
    grid.write_text("recipe: r.yaml\ngrid: {optimizer.learning_rate: [1.0e-2], technique: [lora, qlora]}\n")
    first = forge(folder, "sweep", "grid.yaml", "--format", "json")
    assert first.returncode == 0, first.stdout + first.stderr
    done, pruned = json.loads(first.stdout)["points"]
    assert (done["state"], pruned["state"]) == ("finished", "pruned")
    assert pruned["reasons"][0]["name"] == "RF1001"
    grid.write_text("recipe: r.yaml\ngrid: {optimizer.learning_rate: [1.0e-2, 1.0e-1], technique: [lora]}\n")
    second = forge(folder, "sweep", "grid.yaml")
    assert second.returncode == 0, second.stdout + second.stderr
    assert f"finished before, as run {done['run']['id']}" in second.stderr
    assert "2 points, 2 of them can run" in second.stdout
    assert len(json.loads(forge(folder, "runs", "list", "--format", "json").stdout)["runs"]) == 2
    assert second.stdout.count("  finished  ") == 2
