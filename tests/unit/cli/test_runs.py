"""What `runs` says of one run and of two."""

from contextlib import nullcontext
from dataclasses import MISSING, fields, replace

import pytest

from recipeforge.cli import main, runs
from recipeforge.schemas.run import Run


class _Book:
    """A ledger of one run."""

    def find(self, prefix: str) -> tuple[object, ...]:
        return (_run(prefix),)

    def recipe_text(self, run_id: str) -> str:
        return "recipeforge: 1\n"


def _run(run_id: str) -> object:
    needed = {f.name: "" for f in fields(Run) if f.default is MISSING and f.default_factory is MISSING}
    return Run(**(needed | {"id": run_id}))  # pyright: ignore[reportArgumentType]


def test_two_runs_that_do_not_differ(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(runs, "_opened", lambda path: nullcontext(_Book()))
    assert main.outcome(["runs", "compare", "a", "b"]) == 0
    assert capsys.readouterr().out == "a and b: the same recipe, versions, hardware and numbers\n"


def test_what_the_allocator_reserved_stands_beside_what_it_handed_out() -> None:
    measured = {"peak_memory_bytes": 3 * 2**30, "peak_memory_kind": "cuda-max-allocated"}
    run = Run("id", "name", "finished", "r.yaml", "a" * 64, "b" * 64, 0, "now", **measured)
    assert "3.00 GiB measured (cuda-max-allocated), no estimate" in runs.run_text(run)
    more = replace(run, metrics={"peak_reserved_bytes": 4.5 * 2**30}, estimate_bytes=2 * 2**30)
    assert "3.00 GiB measured (cuda-max-allocated) and 4.50 GiB reserved, estimated 2.00 GiB: 1.50 ×" in runs.run_text(more)
