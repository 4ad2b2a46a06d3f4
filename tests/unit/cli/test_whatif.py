"""What-if questions: one step away, another catalog, many recipes at once."""

from dataclasses import replace
from pathlib import Path

import pytest

from recipeforge.api import NotARecipeError, WrongArgumentError, batch, check, diff, neighbours
from recipeforge.catalog.load import load
from recipeforge.render.repairs import solved_text

GOOD = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\nprecision: bf16\nhardware: {gpu: a100-80gb}\n"
BROKEN = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: qlora\nprecision: bf16\n"


def test_every_neighbour_is_one_step_away_and_runs() -> None:
    found = neighbours(GOOD)
    assert len(found) > 50
    assert all(len(solution.repair.changes) == 1 for solution in found)
    assert {c.op for s in found for c in s.repair.changes} >= {"add", "replace", "set"}
    for solution in found[::10]:
        if solution.edits:
            assert check(solved_text(GOOD, solution)).verdict.kind == "valid", solution.repair.title


def test_neighbours_of_a_broken_recipe_are_its_cures_of_one_step() -> None:
    titles = [s.repair.title for s in neighbours(BROKEN)]
    assert "Add bnb 4-bit" in titles
    assert not [t for t in titles if "optimizer" in t]


def test_no_recipe_has_no_neighbours() -> None:
    with pytest.raises(NotARecipeError):
        neighbours("- 1\n- 2\n")


def test_two_catalogs_differ_where_a_rule_is_new(tmp_path: Path) -> None:
    after = load()
    rules = {code: rule for code, rule in after.rules.items() if rule.slug != "qlora-without-4bit-base"}
    assert len(rules) == len(after.rules) - 1
    before = replace(after, rules=rules, hash=f"{after.hash} without one")
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN)
    (changed,) = diff(before, after, [GOOD, path, "- no recipe\n- at all\n"])
    assert changed.path == str(path)
    assert (changed.before, changed.after, changed.lost) == ("valid", "incomplete", ())
    assert [after.rules[code].slug for code in changed.gained] == ["qlora-without-4bit-base"]
    assert diff(after, before, [BROKEN])[0].lost == changed.gained
    assert diff(after, after, [GOOD, BROKEN]) == ()


def test_many_recipes_are_judged_in_order_by_any_number_of_processes() -> None:
    sources = [GOOD, BROKEN] * 3
    alone = [r.verdict for r in batch(sources, jobs=1)]
    assert [v.kind for v in alone] == ["valid", "incomplete"] * 3
    assert [r.verdict for r in batch(sources, jobs=2)] == alone
    assert [r.verdict.kind for r in batch([GOOD], gpu="t4")] != ["unreadable"]
    with pytest.raises(WrongArgumentError, match="jobs=0"):
        batch(sources, jobs=0)
