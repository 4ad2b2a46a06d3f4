"""Scripts that need nothing of ours come to the same losses as runs."""

import ast
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from recipeforge.runner.eject.script import unwritable, write
from recipeforge.runner.packages import Need
from recipeforge.schemas.errors import RunError

needs_bnb = pytest.mark.skipif(Need("bitsandbytes", "").installed is None, reason="needs bitsandbytes")
needs_trl = pytest.mark.skipif(Need("trl", "").installed is None, reason="needs trl")
WITHOUT_US = "import runpy, sys; sys.modules['recipeforge'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
PACKED = "{source: rows.jsonl, format: text, sequence_length: 64, validation: 0.1, packing: true}"
TALK = "{source: talk.jsonl, format: instruct, sequence_length: 64, validation: 0.1}"
RECIPES = {
    "full": {"technique": "full", "scheduler": "{use: cosine, warmup_steps: 2}", "train": "{epochs: 1.5}", "eval": "{strategy: epoch}"},
    "lora-packed": {
        "technique": "{use: lora, rank: 4, dropout: 0.1, targets: attention}",
        "data": PACKED,
        "batch": "{micro: 2, accumulate: 2}",
        "precision": "bf16",
        "eval": "{strategy: steps, every: 2}",
    },
    "dora-answers": {
        "technique": "dora",
        "data": TALK,
        "objective": "{use: sft, completion_only: true}",
        "memory": "gradient-checkpointing",
        "attention": "{use: eager, dropout: 0.1}",
        "optimizer": "{use: adamw, learning_rate: 1.0e-2, weight_decay: 0.1, beta2: 0.95}",
    },
    "qlora": {
        "technique": "qlora",
        "quantization": "bnb-4bit",
        "optimizer": "{use: adamw-8bit, learning_rate: 1.0e-2}",
        "precision": "bf16",
    },
    "rslora-embeddings": {
        "technique": "{use: rslora, rank: 4, train_embeddings: true}",
        "precision": "pure-bf16",
        "optimizer": "{use: sgd, learning_rate: 1.0e-1, momentum: 0.9}",
        "scheduler": "{use: wsd, warmup_ratio: 0.2, decay_steps: 2}",
    },
}

JUDGED = {"data": "{source: pairs.jsonl, format: preference, sequence_length: 64, validation: 0.2}", "objective": "{use: dpo, beta: 0.2}"}
SORTED = {"data": "{source: sorted.jsonl, format: classification, sequence_length: 16, validation: 0.2}", "objective": "classification"}
RECIPES |= {
    "dpo-lora": JUDGED | {"precision": "bf16", "technique": "{use: lora, rank: 4, dropout: 0.1}", "eval": "{strategy: steps, every: 2}"},
    "dpo-full": JUDGED | {"technique": "full", "batch": "{micro: 2, accumulate: 2}"},
    "classifier-full": SORTED | {"technique": "full", "scheduler": "cosine"},
    "classifier-lora": SORTED | {"technique": "{use: lora, rank: 4}", "precision": "bf16"},
}


@pytest.fixture(autouse=True)
def judged(tmp_path: Path) -> None:
    pairs = [{"prompt": f"{n}?", "chosen": f" yes {n}", "rejected": " no"} for n in range(30)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    classes = [{"text": f"{n} and {n * n}", "label": n % 3} for n in range(30)]
    (tmp_path / "sorted.jsonl").write_text("".join(json.dumps(row) + "\n" for row in classes))


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    rows = [
        {"instruction": f"say {word}", "input": "twice", "output": f"{word} {word}"} for word in ("one", "two", "three", "four", "five")
    ]
    path = tmp_path / "talk.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows * 4))
    return path


def said(script: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_US, str(script)], capture_output=True, text=True, cwd=script.parent, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def numbers(text: str, pattern: str) -> list[float]:
    return [float(found) for found in re.findall(pattern, text)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs_bnb if name == "qlora" else needs_trl if "dpo" in name else ()) for name in RECIPES]
)
def test_a_script_without_us_comes_to_the_same_losses(make, recipe, train, talk, tmp_path: Path, name: str) -> None:
    pytest.importorskip("torch")
    heard = train(**RECIPES[name])[0]
    (tmp_path / "elsewhere").mkdir()
    script = tmp_path / "elsewhere" / "train.py"
    script.write_text(write(make(recipe(**RECIPES[name])).plan, script.parent).text)
    told = said(script)
    losses = numbers(told, r"step \d+/\d+  loss (\S+)")
    assert len(losses) == len(heard.losses()) > 3
    assert losses == pytest.approx(heard.losses(), abs=1e-6)
    held_out = [f["value"] for f in heard.of("metric") if f["name"] == "heldout_loss"]
    assert numbers(told, r"held-out loss .*: (\S+)") == pytest.approx(held_out, abs=1e-6)
    weights = "model.safetensors" if "full" in name else "adapter_model.safetensors"
    ours = Path(heard.of("result")[0]["folder"]) / weights
    assert (script.parent / "output" / weights).stat().st_size == pytest.approx(ours.stat().st_size, rel=0.01)


def test_it_imports_nothing_of_ours_and_reads_well(make, recipe, talk) -> None:
    for lines in RECIPES.values():
        text = write(make(recipe(**lines)).plan, None).text
        tree = ast.parse(text)
        modules = [
            n.module if isinstance(n, ast.ImportFrom) else n.names[0].name
            for n in ast.walk(tree)
            if isinstance(n, ast.Import | ast.ImportFrom)
        ]
        assert not any(module.startswith("recipeforge") for module in modules)  # type: ignore[union-attr]
        code = text.split('"""', 2)[2].splitlines()  # behind the opening, which names folders of this machine as the constants do
        assert [line for line in code if len(line) > 130 and not re.match("[A-Z]+ = ", line)] == []
        assert "\n\n\n\n" not in text
        assert not re.search(r"<[a-z]+>", text.split('"""', 2)[2]), "a blank was not filled in"
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        heads = [n.targets[0].id for n in tree.body if isinstance(n, ast.Assign)]  # type: ignore[union-attr]
        assert set(heads) <= names | {"HERE"}
        assert len(heads) == len(set(heads))


OTHERS = {
    "schedule-free": {"optimizer": "{use: schedule-free-adamw, learning_rate: 5.0e-3}", "eval": "{strategy: steps, every: 2}"},
    "muon": {"technique": "full", "optimizer": "{use: muon, learning_rate: 1.0e-2, auxiliary: adamw}", "scheduler": "one-cycle"},
    "adafactor": {"optimizer": "{use: adafactor, learning_rate: 1.0e-2}", "scheduler": "{use: cosine-min-lr, min_lr: 1.0e-4}"},
    "lion": {"optimizer": "{use: lion-8bit, learning_rate: 1.0e-3}", "quantization": "bnb-8bit", "train": "{steps: 3, save_every: 2}"},
    "paragraphs": {"data": "{source: text.txt, format: text, sequence_length: 64, limit: 3}", "train": "{steps: 3, log_every: 2}"},
    "chat": {"data": "{source: chat.jsonl, format: chat, sequence_length: 64}", "scheduler": "{use: cosine-restarts, cycles: 2}"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_every_piece_is_python(make, recipe, tmp_path: Path, name: str) -> None:
    (tmp_path / "text.txt").write_text("one\ntwo\n\n\nthree\n\nfour\n")
    (tmp_path / "chat.jsonl").write_text('{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n' * 3)
    text = write(make(recipe(**OTHERS[name])).plan, tmp_path).text
    compile(text, name, "exec")
    if name == "paragraphs":
        space: dict = {"__name__": "script", "__file__": str(tmp_path / "train.py")}
        if Need("torch", "").installed is not None:
            exec(compile(text, name, "exec"), space)
            from recipeforge.runner.rows import load_rows

            assert space["read_rows"]() == [row.text for row in load_rows("text.txt", "text", tmp_path, 3, 3)]


def test_what_has_no_piece_is_refused_by_name(make, recipe) -> None:
    plan = make(recipe(scheduler="{use: dlrs, window: 2}", optimizer="{use: lion, learning_rate: 1.0e-4}")).plan
    assert ("scheduler", "dlrs") in unwritable(plan)
    plan_ = make(recipe()).plan
    assert unwritable(plan_) == []
    assert unwritable(replace(plan_, given=(*plan_.given, "optimizer.new"), values={**plan_.values, "data.source": "x.parquet"})) == [
        ("knob", "optimizer.new"),
        ("data.source", "x.parquet"),
    ]
    with pytest.raises(RunError, match=r"no script can be written with .*scheduler `dlrs`; `recipeforge run` trains it"):
        write(plan)


def test_requirements_are_what_is_installed_here(make, recipe) -> None:
    needs = write(make(recipe()).plan).requirements
    assert any(line.startswith("torch==") and "+" not in line for line in needs)
    assert any(line.startswith("peft==") for line in needs)


def test_the_command_writes_both_files_and_never_over_others(make, recipe, tmp_path: Path) -> None:
    made = make(recipe())
    command = [sys.executable, "-m", "recipeforge", "eject", made.loadout.path]

    def forge(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *more], capture_output=True, text=True, cwd=tmp_path, timeout=100, check=False)

    shown = forge()
    assert shown.returncode == 0, shown.stderr
    done = forge("-o", "t.py")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t.py").read_text().splitlines()[-1] == shown.stdout.splitlines()[-1]
    assert "transformers==" in (tmp_path / "t-requirements.txt").read_text()
    assert 'DATA = HERE / "rows.jsonl"' in (tmp_path / "t.py").read_text()
    assert forge("-o", "t.py").returncode == 2
    assert forge("-o", "t.py", "--overwrite").returncode == 0
    (tmp_path / "recipe.yaml").write_text(made.text.replace("scheduler: constant", "scheduler: {use: dlrs, window: 2}"))
    refused = forge()
    assert refused.returncode == 1
    assert "no script is written for scheduler `dlrs` yet" in refused.stderr
