"""Whole recipes: those that people run are clean, and those that are known to fail are caught by the rule that says why.

The valid ones follow public recipes, which their first line names; a finding there is a false alarm.
"""

from pathlib import Path

import pytest

from recipeforge.api import check

FOLDER = Path(__file__).parent / "recipes"
VALID = sorted((FOLDER / "valid").glob("*.yaml"))
FAILING = sorted((FOLDER / "failing").glob("*.yaml"))
EXPECTS = "# expect: "
TRUE_WARNINGS = {
    "guanaco-70b-48gb": {"RF8003": "the paper fills such a card to the brim too"},
    "gemma3-1b-qlora-l4": {"RF3165": "the guide asks for a warm-up under a schedule that has none"},
    "qwen25-vl-lora": {"RF3165": "the cookbook asks for a warm-up under a schedule that has none"},
}
"""Recipe → rule → why its warning is right although the recipe runs."""


def reported(recipe: Path) -> set[str]:
    """Return the codes of all errors and warnings about a recipe."""
    return {d.code for d in check(recipe).diagnostics if d.severity in ("error", "warning")}


def test_there_are_enough_recipes_to_mean_something() -> None:
    assert len(VALID) >= 30
    assert len(FAILING) >= 10
    assert TRUE_WARNINGS.keys() <= {recipe.stem for recipe in VALID}


@pytest.mark.parametrize("recipe", VALID, ids=lambda path: path.stem)
def test_recipe_that_runs_is_clean(recipe: Path) -> None:
    assert recipe.read_text(encoding="utf-8").startswith("# Follows ")
    assert reported(recipe) == set(TRUE_WARNINGS.get(recipe.stem, {}))


@pytest.mark.parametrize("recipe", FAILING, ids=lambda path: path.stem)
def test_known_failure_is_reported_by_its_rule_alone(recipe: Path) -> None:
    first = recipe.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(EXPECTS)
    assert reported(recipe) == {first.removeprefix(EXPECTS)}
