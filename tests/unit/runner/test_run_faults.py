"""What goes wrong while a run goes on: each with place, cause and next step, and a row that says so."""

import json
import math
import os
import resource
import sqlite3
import subprocess
from pathlib import Path

import pytest

from recipeforge.runner import book, run_child
from recipeforge.runner.ledger import Ledger
from recipeforge.runner.run_child import run
from recipeforge.schemas.errors import StoreError

pytest.importorskip("torch")
import torch

from recipeforge.runner.endings import NotFiniteError, told

GIB = 2**30


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch):
    """Start training processes under a limit of the system."""

    def limit(kind: int, most: int) -> None:
        real = subprocess.Popen
        monkeypatch.setattr(
            run_child.subprocess, "Popen", lambda *a, **o: real(*a, **o, preexec_fn=lambda: resource.setrlimit(kind, (most, most)))
        )

    return limit


def carried_out(made, folder: Path):
    with Ledger(folder / "ledger.sqlite3") as ledger:
        return run(made.plan, made.text, ledger)


@pytest.mark.parametrize(
    ("technique", "most", "what"),
    [("full", 150_000, "the checkpoint of step 2"), ("{use: lora, rank: 4}", 30_000, "the checkpoint of step 2")],
)
def test_a_full_disk_is_told_and_leaves_no_half_checkpoint(make, recipe, tmp_path: Path, limited, technique, most: int, what: str) -> None:
    limited(resource.RLIMIT_FSIZE, most)
    row = carried_out(make(recipe(technique=technique, train="{steps: 4, save_every: 2}")), tmp_path / "l")
    assert (row.state, row.cause, row.steps) == ("failed", "disk-full", 2)
    assert f"files may not become that large here: {what} could not be written to {row.folder}" in row.message
    assert "make room there" in row.message
    assert [p.name for p in Path(row.folder).iterdir() if "checkpoint" in p.name] == []


def test_a_run_whose_disk_was_full_goes_on_later(make, recipe, tmp_path: Path, limited, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(recipe(technique="full", train="{steps: 3}"))
    with monkeypatch.context():
        limited(resource.RLIMIT_FSIZE, 150_000)
        row = carried_out(made, tmp_path / "l")
        assert "the model could not be written" in row.message
    monkeypatch.undo()
    with Ledger(tmp_path / "l" / "ledger.sqlite3") as ledger:
        again = run(made.plan, made.text, ledger, earlier=row)
        assert (again.state, again.cause, again.id) == ("finished", "", row.id)
        assert ledger.runs() == (again,)


def test_too_little_main_memory_is_told_with_the_moment(make, recipe, tmp_path: Path, limited) -> None:
    (tmp_path / "long.jsonl").write_text(json.dumps({"text": "word " * 6000}) + "\n" + json.dumps({"text": "word " * 6000}) + "\n")
    limited(resource.RLIMIT_AS, 5 * GIB)
    data = "{source: long.jsonl, format: text, sequence_length: 30000}"
    row = carried_out(make(recipe(attention="eager", data=data, batch="{micro: 2}")), tmp_path / "l")
    assert (row.state, row.cause) == ("failed", "out-of-memory"), row.message
    assert "out of memory in main memory, while training, in step 1" in row.message


def test_numbers_that_are_none_are_told_with_likely_causes(train) -> None:
    with pytest.raises(NotFiniteError) as caught:
        train(technique="full", optimizer="{use: sgd, learning_rate: 10.0}", train="{steps: 60, gradient_clip: 0}")
    said = str(caught.value)
    assert "at learning rate 10" in said
    assert "the loss rose from" in said
    assert "lower the learning rate (to 1, say), set `train: {gradient_clip: 1.0}`" in said


def test_a_model_that_holds_none_is_named(train, tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    from transformers import LlamaForCausalLM

    folder = tmp_path / "broken"
    shutil.copytree(tiny_model, folder)
    model = LlamaForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight[3, 3] = math.nan
    model.save_pretrained(folder)
    with pytest.raises(
        NotFiniteError, match=r"step 1: the weight .*layers\.1\.mlp\.up_proj.* holds numbers that are none, as it was loaded"
    ):
        train(model=str(folder), technique="full", data="{source: rows.jsonl, format: text, sequence_length: 64}")


@pytest.mark.parametrize(
    ("error", "cause", "said"),
    [
        (OSError(28, "No space left on device"), "disk-full", "the disk is full, while saving"),
        (MemoryError(), "out-of-memory", "in main memory, while saving"),
        (KeyError("x"), "", "while saving: KeyError: 'x'"),
    ],
)
def test_other_errors_are_told_with_what_was_done(error: Exception, cause: str, said: str) -> None:
    found = told(error, "saving", "cpu")
    assert found[0] == cause
    assert said in found[1]


def test_the_systems_own_killing_is_told_apart(make, recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kills = iter([4, 5])
    monkeypatch.setattr(book, "_kills_for_memory", lambda: next(kills))
    script = tmp_path / "child.py"
    script.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    real = run_child.subprocess.Popen
    monkeypatch.setattr(run_child.subprocess, "Popen", lambda args, **options: real([args[0], str(script)], **options))
    row = carried_out(make(recipe()), tmp_path / "l")
    assert (row.state, row.cause) == ("failed", "out-of-memory")


def test_a_ledger_that_others_hold_does_not_end_the_training(make, recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a while every write fails, as on a full disk; all of it stands there in the end."""
    monkeypatch.setattr(book, "AGAIN_S", 0.0)
    real, failing = Ledger.metric, [7]

    def metric(ledger: Ledger, *args) -> None:
        if failing[0]:
            failing[0] -= 1
            raise StoreError("locked")
        real(ledger, *args)

    monkeypatch.setattr(Ledger, "metric", metric)
    made = make(recipe())
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        row = run(made.plan, made.text, ledger)
        assert row.state == "finished"
        assert [step for step, _ in ledger.series(row.id)["train_loss"]] == [1, 2, 3, 4, 5, 6]
        assert ledger.runs() == (row,)


def test_a_ledger_that_stays_full_is_told_in_the_end(make, recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(ledger: Ledger, *args) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    from recipeforge.runner.ledger import _told

    monkeypatch.setattr(Ledger, "update", _told(full))
    made = make(recipe(train="{steps: 1}"))
    with Ledger(tmp_path / "ledger.sqlite3") as ledger, pytest.raises(StoreError, match=r"disk is full.*the run itself finished.*adapter"):
        run(made.plan, made.text, ledger)


def test_row_ten_thousand_is_named_before_anything_is_loaded(make, recipe, tmp_path: Path) -> None:
    from recipeforge.runner.preflight import problems

    lines = [json.dumps({"text": f"row {i}"}) for i in range(1, 12_001)]
    lines[9_999] = '{"text": "row 10000'
    (tmp_path / "many.jsonl").write_text("\n".join(lines))
    made = make(recipe(data="{source: many.jsonl, format: text}"))
    (found,) = problems(made.plan, made.loadout)
    assert found.slug == "data-unreadable"
    assert f"{tmp_path}/many.jsonl:10000 is not JSON" in found.message
    assert "data" in made.text.splitlines()[found.primary.span.start.line]
    (tmp_path / "many.jsonl").write_bytes("\n".join(lines).replace('"row 10000', '"ok"}').encode() + b'\n{"text": "caf\xe9"}\n')
    (found,) = problems(made.plan, made.loadout)
    assert "many.jsonl:12001 is not UTF-8" in found.message
    assert "0xe9" in found.message
    assert os.sep in found.message


def test_what_takes_less_memory_is_found_by_the_solver() -> None:
    from recipeforge import api
    from recipeforge.api.running import lighter
    from recipeforge.runner.parts import PARTS

    text = (
        "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: {use: lora, rank: 8}\noptimizer: adamw\n"
        "data: {sequence_length: 2048}\nbatch: {micro: 16, accumulate: 1}\nprecision: bf16\nhardware: {gpu: rtx-4090}\n"
    )
    report = api.check(text)
    (best,) = lighter(report)
    assert report.estimate is not None and best.repair.estimate is not None
    assert best.repair.estimate.total <= 0.8 * report.estimate.total
    assert all(change.component is None or PARTS.get(change.component) for change in best.repair.changes)
    assert lighter(api.check(text.replace("HuggingFaceTB/SmolLM2-135M", "./unknown"))) == ()


def test_two_runs_write_one_ledger_at_once(make, recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    script = tmp_path / "child.py"
    script.write_text(
        "import json, sys\nsys.stdin.read()\nsay = lambda **f: print(json.dumps(f), flush=True)\n"
        "for step in range(1, 201): say(kind='metric', step=step, name='train_loss', value=step / 7)\n"
        "say(kind='end', state='finished', message='', cause='', steps=200, seconds=1.0)\n"
    )
    real = run_child.subprocess.Popen
    monkeypatch.setattr(run_child.subprocess, "Popen", lambda args, **options: real([args[0], str(script)], **options))
    made, rows = make(recipe()), []
    both = [threading.Thread(target=lambda: rows.append(carried_out(made, tmp_path / "l"))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(120)
    assert [row.state for row in rows] == ["finished"] * 2
    with Ledger(tmp_path / "l" / "ledger.sqlite3") as ledger:
        assert {run_.id for run_ in ledger.runs()} == {row.id for row in rows}
        for row in rows:
            assert ledger.series(row.id)["train_loss"] == tuple((step, step / 7) for step in range(1, 201))
