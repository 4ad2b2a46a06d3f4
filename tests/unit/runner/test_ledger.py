import multiprocessing
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from recipeforge.runner.ledger import Ledger, default_path, new_id, now
from recipeforge.runner.migrations import MIGRATIONS
from recipeforge.schemas.errors import StoreError
from recipeforge.schemas.run import Run


def a_run(id_: str = "20260101-000000-aaaa", **fields: object) -> Run:
    base = Run(id_, "n", "running", "r.yaml", "00", "11", 7, now())
    return replace(base, **fields)  # type: ignore[arg-type]


def test_a_row_comes_back_as_it_was_written(tmp_path: Path) -> None:
    run = a_run(metrics={"x": 1.5}, versions={"torch": "2"}, hardware={"cpu": "ü"}, peak_memory_bytes=5, estimate_bytes=6, message="m")
    with Ledger(tmp_path / "l.sqlite3") as ledger:
        ledger.begin(run, "recipe: text")
        assert ledger.runs() == (run,)
        done = replace(run, state="finished", steps=3, seconds=1.25)
        ledger.update(done)
        assert ledger.find(run.id) == (done,)
        assert ledger.recipe_text(run.id) == "recipe: text"


def test_series_and_events_keep_their_order(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite3") as ledger:
        ledger.begin(a_run(), "")
        for step, value in ((2, 0.5), (1, 0.7), (2, 0.4), (3, float("nan"))):
            ledger.metric(a_run().id, step, "loss", value)
        ledger.event(a_run().id, "stage", "one")
        ledger.event(a_run().id, "stage", "two")
        assert ledger.series(a_run().id) == {"loss": ((1, 0.7), (2, 0.4), (3, None))}
        assert [e.detail for e in ledger.events(a_run().id)] == ["one", "two"]


def test_newest_first_by_prefix_and_last(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite3") as ledger:
        for id_ in ("20260101-000000-aaaa", "20260102-000000-bbbb", "20260102-000001-cccc"):
            ledger.begin(a_run(id_), "")
        assert [r.id[-4:] for r in ledger.runs()] == ["cccc", "bbbb", "aaaa"]
        assert [r.id[-4:] for r in ledger.runs(limit=1)] == ["cccc"]
        assert [r.id[-4:] for r in ledger.find("20260102")] == ["cccc", "bbbb"]
        assert [r.id[-4:] for r in ledger.find("last")] == ["cccc"]
        assert ledger.find("%") == ()


def test_ids_differ_within_a_second_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(50)]
    assert len(set(ids)) == 50
    assert ids[0][:15] <= ids[-1][:15]


def _write(path: Path, name: str, start: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    with Ledger(path) as ledger:
        run = a_run(f"20260101-000000-{name}")
        ledger.begin(run, "")
        for step in range(100):
            ledger.metric(run.id, step, "loss", step)
        ledger.update(replace(run, state="finished"))


def test_processes_create_and_write_one_ledger_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    path, start = tmp_path / "l.sqlite3", context.Barrier(3)
    writers = [context.Process(target=_write, args=(path, name, start)) for name in ("aaaa", "bbbb", "cccc")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [w.exitcode for w in writers] == [0, 0, 0]
    with Ledger(path) as ledger:
        assert {r.state for r in ledger.runs()} == {"finished"}
        assert [len(ledger.series(r.id)["loss"]) for r in ledger.runs()] == [100, 100, 100]


def test_a_run_whose_process_is_gone_is_no_longer_running(tmp_path: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    with Ledger(tmp_path / "l.sqlite3") as ledger:
        ledger.begin(a_run("20260101-000000-dead"), "")
        ledger._db.execute("UPDATE runs SET pid = ?", (int(gone.stdout),))
        ledger.begin(a_run("20260101-000000-here"), "")
        ledger.begin(a_run("20260101-000000-away"), "")
        ledger._db.execute("UPDATE runs SET pid = ?, host = 'another' WHERE id LIKE '%away'", (int(gone.stdout),))
        assert ledger.close_lost() == 1
        assert {r.id[-4:]: r.state for r in ledger.runs()} == {"dead": "failed", "here": "running", "away": "running"}


def test_damage_is_a_store_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite3"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"l\.sqlite3 cannot be read or written.*move it away"):
        Ledger(path)


def test_damage_inside_a_row_is_a_store_error(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite3") as ledger:
        ledger.begin(a_run(), "")
        ledger._db.execute("UPDATE runs SET metrics = 'x'")
        with pytest.raises(StoreError, match="broken JSON"):
            ledger.runs()


def test_a_newer_schema_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="schema 99, newer"):
        Ledger(path)


def test_an_old_ledger_is_migrated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "l.sqlite3"
    with Ledger(path) as ledger:
        ledger.begin(a_run(), "")
    monkeypatch.setattr("recipeforge.runner.ledger.MIGRATIONS", (*MIGRATIONS, "ALTER TABLE runs ADD COLUMN extra TEXT DEFAULT 'x'"))
    for _ in range(2):
        with Ledger(path) as ledger:
            assert ledger._db.execute("SELECT extra FROM runs").fetchone()[0] == "x"


def test_a_place_that_cannot_be_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="RECIPEFORGE_LEDGER"):
        Ledger(tmp_path / "file" / "l.sqlite3")
    with pytest.raises(StoreError):
        Ledger(tmp_path)


def test_the_environment_names_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECIPEFORGE_LEDGER", f"{os.sep}elsewhere{os.sep}l")
    assert default_path() == Path("/elsewhere/l")
    monkeypatch.delenv("RECIPEFORGE_LEDGER")
    assert default_path() == Path("runs/ledger.sqlite3")
