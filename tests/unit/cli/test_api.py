"""The Python interface: reports, fixes that never make a file worse, solutions, statuses."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import recipeforge
from recipeforge import api
from recipeforge.schemas.diagnostic import Fix
from recipeforge.schemas.place import Position, Span, TextEdit

BROKEN = Path(__file__).parents[3] / "examples" / "broken-qlora.yaml"
GOOD = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\nprecision: bf16\nhardware: {gpu: a100-80gb}\n"


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, recipeforge; sys.exit(bool({'pydantic', 'ortools', 'torch', 'yaml', 'click'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_checking_loads_no_backend() -> None:
    code = f"""
import sys, recipeforge
recipeforge.check({GOOD!r}); recipeforge.check({str(BROKEN)!r})
bad = {{'pydantic', 'ortools', 'torch', 'rich', 'pandas', 'numpy', 'click'}} & set(sys.modules)
sys.exit(repr(bad) if bad else 0)
"""
    recipeforge.check(GOOD)  # so that the catalog's cache is warm
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_text_and_path_give_the_same_report(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(GOOD)
    from_text, from_path = recipeforge.check(GOOD), recipeforge.check(path)
    assert from_text.verdict == from_path.verdict
    assert from_text.verdict.kind == "valid"
    assert from_text.path == "<text>"
    assert from_text.estimate is not None


def test_a_missing_file_is_an_answer() -> None:
    report = recipeforge.check("no-such-recipe.yaml")
    assert report.verdict.kind == "unreadable"
    assert [d.code for d in report.diagnostics] == ["RF0018"]


def test_a_target_by_hand_wins_over_the_file() -> None:
    assert recipeforge.check(GOOD, gpu="t4").verdict.kind == "valid"
    assert "RF2051" in {d.code for d in recipeforge.check(GOOD, gpu="t4").diagnostics}
    assert "RF2051" not in {d.code for d in recipeforge.check(GOOD).diagnostics}
    report = recipeforge.check(GOOD, gpus=4, packages={"torch": "2.6"})
    assert report.loadout is not None
    assert report.loadout.value_of("hardware.count") == 4
    assert report.loadout.context.facts["packages.torch"] == "2.6"
    assert "RF6004" in {d.code for d in report.diagnostics}


def test_an_unknown_key_is_never_valid() -> None:
    assert recipeforge.check(GOOD + "optimiser: adamw\n").verdict.kind == "conflicting"
    assert recipeforge.check(GOOD.replace("technique: lora\n", "")).verdict.kind == "incomplete"


def test_the_example_has_independent_cited_and_curable_problems() -> None:
    report = recipeforge.check(BROKEN)
    assert len(report.diagnostics) >= 4
    assert len({d.code for d in report.diagnostics}) == len(report.diagnostics)
    for diagnostic in report.diagnostics:
        assert diagnostic.primary.span.end > diagnostic.primary.span.start
        assert diagnostic.citations
        assert all(c.url and c.quote and c.tier for c in diagnostic.citations)
        assert any(fix.edits for fix in diagnostic.fixes)


def test_fixes_make_the_example_clean() -> None:
    report = recipeforge.check(BROKEN)
    safe = recipeforge.check(recipeforge.apply_fixes(report))
    assert 0 < len(safe.diagnostics) < len(report.diagnostics)
    clean = recipeforge.apply_fixes(report, unsafe=True)
    assert recipeforge.check(clean).verdict.kind == "valid"
    assert recipeforge.check(clean).diagnostics == ()
    assert recipeforge.apply_fixes(recipeforge.check(clean), unsafe=True) == clean
    assert clean.startswith("# Eleven at night")


def test_only_wanted_findings_are_cured() -> None:
    report = recipeforge.check(BROKEN)
    text = recipeforge.apply_fixes(report, wanted=lambda d: d.code == "RF1001")
    assert {d.code for d in report.diagnostics} - {d.code for d in recipeforge.check(text).diagnostics} == {"RF1001"}


def test_a_fix_that_makes_things_worse_is_not_taken() -> None:
    report = recipeforge.check(GOOD + "seed: many\n")
    (finding,) = report.diagnostics
    whole = Span(Position(0, 0), Position(5, 0))
    bad = (
        Fix("Ruin it", "safe", (), (TextEdit(whole, "["),)),
        Fix("Change nothing", "safe", (), (TextEdit(Span(Position(5, 0), Position(5, 0)), "# x\n"),)),
    )
    for fix in bad:
        lying = replace(report, diagnostics=(replace(finding, fixes=(fix,)),))
        assert recipeforge.apply_fixes(lying) == report.text


def test_solutions_are_texts_that_run() -> None:
    from recipeforge.documents.pieces import apply_edits

    solutions = recipeforge.solve(BROKEN)
    assert solutions
    costs = [s.repair.cost for s in solutions]
    assert costs == sorted(costs)
    for solution in solutions:
        text = apply_edits(BROKEN.read_text(), solution.edits)
        assert recipeforge.check(text).verdict.kind == "valid"
    assert recipeforge.solve(GOOD) == ()


def test_repairs_come_with_a_report_when_asked_for() -> None:
    assert recipeforge.check(BROKEN).repairs == ()
    assert recipeforge.check(BROKEN, repairs=True).repairs


def test_what_is_no_recipe_cannot_be_solved() -> None:
    for ask in (recipeforge.solve, recipeforge.status, recipeforge.estimate):
        with pytest.raises(api.NotARecipeError, match="recipeforge check"):
            ask("[not\na recipe")


def test_statuses_and_estimate() -> None:
    optimizers = recipeforge.status(GOOD, slot="optimizer")
    assert {s.component for s in optimizers} >= {"adamw", "muon", "lion"}
    assert len(recipeforge.status(GOOD)) > 90
    estimate = recipeforge.estimate(GOOD)
    assert estimate is not None
    assert estimate.total > estimate.terms["weights"] > 0
    assert recipeforge.estimate(GOOD.replace("HuggingFaceTB/SmolLM2-135M", "nobody/nothing")) is None


def test_explain_by_code_slug_id_and_alias() -> None:
    assert recipeforge.explain("rf1001") == recipeforge.explain("qlora-without-4bit-base")
    assert (recipeforge.explain("RF1001") or "").startswith("# RF1001")
    assert (recipeforge.explain("adamw-8bit") or "").startswith("# ")
    assert recipeforge.explain("nothing of the kind") is None


def test_notebooks_get_html() -> None:
    assert "RF1001" in recipeforge.check(BROKEN)._repr_html_()


def test_the_same_question_gives_the_same_bytes() -> None:
    assert repr(recipeforge.check(BROKEN, repairs=True)) == repr(recipeforge.check(BROKEN, repairs=True))


def test_a_recipe_that_is_not_valid_is_not_run(tmp_path: Path) -> None:
    from recipeforge.schemas.errors import RunError

    with pytest.raises(RunError, match="because it is conflicting: RF1001"):
        recipeforge.run(BROKEN, ledger=tmp_path / "ledger.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments_are_refused_with_what_is_taken() -> None:
    for wrong, says in (
        (lambda: recipeforge.solve(GOOD, minimize="power"), "none of 'changes', 'memory' and 'time'"),  # pyright: ignore[reportArgumentType]
        (
            lambda: recipeforge.solve(GOOD, within={"power_kw": 1}),
            "`power_kw` is no budget that is judged before a run; there is memory_gib, wall_clock, cost_usd",
        ),
        (lambda: recipeforge.solve(GOOD, count=0), "at least 1"),
        (lambda: recipeforge.status(GOOD, slot="optimiser"), "there is no slot `optimiser`"),
        (lambda: recipeforge.check(GOOD, gpus=0), "not a number of devices"),
    ):
        with pytest.raises(api.WrongArgumentError, match=re.escape(says)):
            wrong()


def test_speed_is_a_range_where_it_is_known() -> None:
    found = recipeforge.speed(GOOD)
    assert found is not None
    assert found.tokens_per_s[0] < found.tokens_per_s[1] < found.tokens_per_s[2]
    assert recipeforge.speed(GOOD, gpu="cpu") is None


def test_what_comments_silence_is_counted() -> None:
    text = GOOD.replace("a100-80gb", "t4").replace("precision: bf16", "precision: bf16  # forge: ignore[RF2051]")
    report = recipeforge.check(text)
    assert (report.diagnostics, report.ignored) == ((), 1)


def test_a_file_that_is_not_there_is_said_once() -> None:
    with pytest.raises(api.NotARecipeError) as told:
        recipeforge.solve("no-such-recipe.yaml")
    assert str(told.value) == "there is no file no-such-recipe.yaml; check the path"
