"""`recipeforge run --smoke` as a person runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(any(Need(n, "").installed is None for n in ("torch", "transformers", "peft")), reason="needs the train packages"),
]


def test_a_smoke_test_leaves_a_marked_row_and_nothing_else(
    tiny_recipe: Path, forge: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
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


def test_what_is_judged_not_to_run_can_be_tried_by_force(tiny_recipe: Path, forge: Callable[..., subprocess.CompletedProcess[str]]) -> None:
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


def test_a_step_can_be_counted_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "one"}\n' * 4)
    (tmp_path / "r.yaml").write_text(
        "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: {use: lora, rank: 8}\nprecision: bf16\nbatch: {micro: 1}\n"
        "data: {source: rows.jsonl, format: text, sequence_length: 128}\ntrain: {steps: 2}\nhardware: {gpu: cpu}\n"
    )
    command = [sys.executable, "-m", "recipeforge", "run", "r.yaml", "--dry-run", "--trace"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False, env=environment)
    assert done.returncode == 1, done.stderr
    assert "is not in the local hub cache" in done.stdout
    assert "a step of the model's own code takes 0." in done.stderr
