"""`runs compare` says so when nothing differs."""

from contextlib import nullcontext

import pytest

from recipeforge.cli import main, runs


class _Book:
    """A ledger of one run."""

    def find(self, prefix: str) -> tuple[object, ...]:
        return (_run(prefix),)

    def recipe_text(self, run_id: str) -> str:
        return "recipeforge: 1\n"


def _run(run_id: str) -> object:
    from dataclasses import MISSING, fields

    from recipeforge.schemas.run import Run

    needed = {f.name: "" for f in fields(Run) if f.default is MISSING and f.default_factory is MISSING}
    return Run(**(needed | {"id": run_id}))  # pyright: ignore[reportArgumentType]


def test_two_runs_that_do_not_differ(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(runs, "_opened", lambda path: nullcontext(_Book()))
    assert main.outcome(["runs", "compare", "a", "b"]) == 0
    assert capsys.readouterr().out == "a and b: the same recipe, versions, hardware and numbers\n"
