import json
import os
import signal
import threading
from pathlib import Path

import pytest

from recipeforge.runner import run_child
from recipeforge.runner.channel import Message
from recipeforge.runner.ledger import Ledger
from recipeforge.runner.run_child import run

pytest.importorskip("torch")


def carry_out(made, folder: Path, listen=lambda m: None):
    with Ledger(folder / "ledger.sqlite3") as ledger:
        row = run(made.plan, made.text, ledger, 123, listen)
        assert ledger.runs() == (row,)
        return row, ledger.series(row.id), ledger.events(row.id)


def test_a_finished_run_is_told_whole(make, recipe, tmp_path: Path) -> None:
    made = make(recipe(name="small"))
    row, series, events = carry_out(made, tmp_path / "l")
    assert (row.state, row.steps, row.name, row.seed, row.estimate_bytes, row.message) == ("finished", 6, "small", 3, 123, "")
    assert row.recipe_sha256 == made.plan.recipe_sha256
    assert row.catalog_hash == made.plan.catalog_hash
    assert row.seconds > 0
    assert row.peak_memory_bytes
    assert row.peak_memory_kind.startswith("rss-delta")
    assert {"python", "recipeforge", "torch", "transformers", "peft"} <= set(row.versions)
    assert row.hardware["device"] == "cpu"
    assert row.metrics["heldout_loss_after"] < row.metrics["heldout_loss_before"]
    assert [step for step, _ in series["train_loss"]] == [1, 2, 3, 4, 5, 6]
    assert events[-1].kind == "check"
    assert [e.detail for e in events if e.detail.startswith("odd")] == []
    folder = tmp_path / "l" / row.id
    assert (folder / "recipe.yaml").read_text() == made.text
    assert Path(row.output) == folder / "adapter"


def test_a_signal_stops_it_with_a_checkpoint(make, recipe, tmp_path: Path) -> None:
    """The signal goes to this process, as a terminal's Ctrl-C would."""

    def interrupt(message: Message) -> None:
        if message.kind == "step" and message["step"] == 2:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    row, series, _ = carry_out(make(recipe(technique="full", train="{steps: 100000}")), tmp_path / "l", interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    assert (row.state, row.message) == ("interrupted", "stopped by SIGINT")
    assert row.steps == len(series["train_loss"])
    assert row.output.endswith(f"checkpoint-{row.steps}")
    assert (Path(row.output) / "model.safetensors").is_file()


def fake_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    """Put a script in the training process's place."""
    script = tmp_path / "child.py"
    script.write_text(f"import json, os, signal, sys, time\nsys.stdin.read()\nsay = lambda **f: print(json.dumps(f), flush=True)\n{code}\n")
    real = run_child.subprocess.Popen
    monkeypatch.setattr(run_child.subprocess, "Popen", lambda args, **options: real([args[0], str(script)], **options))


def test_a_process_that_the_system_kills_is_a_failed_row(make, recipe, tmp_path, monkeypatch) -> None:
    fake_child(monkeypatch, tmp_path, "say(kind='metric', step=4, name='train_loss', value=1.0)\nos.kill(os.getpid(), signal.SIGKILL)")
    row, _, _ = carry_out(make(recipe()), tmp_path / "l")
    assert (row.state, row.steps) == ("failed", 4)
    assert "SIGKILL" in row.message
    assert "batch.micro" in row.message


def test_a_process_that_just_leaves_is_a_failed_row(make, recipe, tmp_path, monkeypatch) -> None:
    fake_child(monkeypatch, tmp_path, "print('last words', file=sys.stderr)\nsys.exit(7)")
    row, _, _ = carry_out(make(recipe()), tmp_path / "l")
    assert row.state == "failed"
    assert "code 7" in row.message
    assert (tmp_path / "l" / row.id / "log.txt").read_text() == "last words\n"


def test_a_second_interrupt_kills(make, recipe, tmp_path, monkeypatch) -> None:
    stubborn = (
        "signal.signal(signal.SIGINT, lambda *_: say(kind='stage', text='no'))\nsay(kind='stage', text='up')\nwhile True: time.sleep(.02)"
    )
    fake_child(monkeypatch, tmp_path, stubborn)

    def interrupt(message: Message) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    row, _, _ = carry_out(make(recipe()), tmp_path / "l", interrupt)
    assert row.state == "interrupted"
    assert "killed" in row.message


def test_a_listener_that_breaks_leaves_no_running_row(make, recipe, tmp_path, monkeypatch) -> None:
    fake_child(monkeypatch, tmp_path, "say(kind='stage', text='up')\ntime.sleep(60)")

    def broken(message: Message) -> None:
        raise ValueError("a bug")

    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        made = make(recipe())
        with pytest.raises(ValueError, match="a bug"):
            run(made.plan, made.text, ledger, None, broken)
        assert ledger.runs()[0].state == "failed"


def test_the_child_gets_a_calm_thread_pool_and_no_network(make, recipe, tmp_path, monkeypatch) -> None:
    names = ["OMP_WAIT_POLICY", "HF_HUB_OFFLINE", "CUDA_VISIBLE_DEVICES"]
    fake_child(monkeypatch, tmp_path, f"say(kind='stage', text=json.dumps([os.environ.get(n) for n in {names}]))")
    _, _, events = carry_out(make(recipe()), tmp_path / "l")
    assert json.loads(events[0].detail) == ["passive", "1", ""]


def test_it_runs_beside_a_main_thread(make, recipe, tmp_path, monkeypatch) -> None:
    fake_child(monkeypatch, tmp_path, "say(kind='end', state='finished', message='', steps=1, seconds=0.5)")
    made, rows = make(recipe()), []
    thread = threading.Thread(target=lambda: rows.append(carry_out(made, tmp_path / "l")[0]))
    thread.start()
    thread.join(30)
    assert [row.state for row in rows] == ["finished"]
