"""Two steps of the real recipe, saved and loaded again."""

import json
from pathlib import Path

import pytest

from recipeforge.runner.ledger import Ledger
from recipeforge.runner.run_child import run

pytest.importorskip("torch")


def test_it_walks_through_everything_in_two_steps(train) -> None:
    data = "{source: rows.jsonl, format: text, sequence_length: 64, validation: 0.3, packing: true}"
    heard, folder, done = train(smoke=True, data=data, train="{steps: 5000, save_every: 1}", eval="{strategy: epoch}")
    assert done
    assert heard.of("total") == [{"steps": 5000}]  # schedules see the whole
    assert [f["step"] for f in heard.of("step")] == [1, 2]
    assert [f["step"] for f in heard.of("metric") if f["name"] == "heldout_loss"] == [0, 1, 2]
    assert heard.summary()["reload_difference"] <= 1e-3
    assert heard.of("checkpoint") == []
    assert [p.name for p in folder.iterdir()] == ["adapter"]


def test_its_first_step_is_that_of_the_run(train) -> None:
    """Of the same length, over the same rows in the same order: what goes wrong there goes wrong here."""
    data = "{source: rows.jsonl, format: text, sequence_length: 64}"
    whole, smoke = train(data=data, train="{steps: 3}")[0], train(smoke=True, data=data, train="{steps: 3}")[0]
    assert smoke.losses() == whole.losses()[:2]


def test_it_reads_little_of_much_data(train, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text("".join(json.dumps({"text": f"row {i}"}) + "\n" for i in range(5000)))
    heard = train(smoke=True, data="{source: many.jsonl, format: text, sequence_length: 64, validation: 0.1}")[0]
    assert any(f["text"].startswith("65 rows in 65 sequences to train on, 4 rows held out") for f in heard.of("stage")), heard.of("stage")


def test_a_run_shorter_than_that_stays_so(train) -> None:
    assert train(smoke=True, train="{steps: 1}")[0].losses() == train(train="{steps: 1}")[0].losses()


def test_only_its_row_stays(make, recipe, tmp_path: Path) -> None:
    made = make(recipe(name="small"))
    before = set(tmp_path.rglob("*"))
    with Ledger(tmp_path / "l" / "ledger.sqlite3") as ledger:
        row = run(made.plan, made.text, ledger, 1, smoke=True)
        assert ledger.runs() == (row,)
    assert (row.state, row.smoke, row.steps, row.output, row.folder) == ("finished", True, 2, "", "")
    left = {p for p in set(tmp_path.rglob("*")) - before if not p.name.startswith("ledger.sqlite3")}
    assert left == {tmp_path / "l"}


def test_python_can_ask_for_both(make, recipe, tmp_path: Path) -> None:
    """A smoke test, a run, and that run once more where nothing is left to do."""
    import recipeforge

    path, ledger = Path(make(recipe(train="{steps: 3}")).loadout.path), tmp_path / "l.sqlite3"
    assert recipeforge.run(path, ledger=ledger, smoke=True).smoke
    whole = recipeforge.run(path, ledger=ledger, resume=True)
    assert (whole.state, whole.steps, whole.smoke) == ("finished", 3, False)
    assert recipeforge.run(path, ledger=ledger, resume=True) == whole
