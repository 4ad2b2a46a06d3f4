"""Passing over rules by what is there loses none: held against asking every rule of every example."""

import pytest

from recipeforge.catalog.cues import cues_of
from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, Not
from recipeforge.schemas.rule import Rule
from recipeforge.solver.as_written import as_written
from recipeforge.solver.evaluate import evaluate
from recipeforge.solver.scope import in_scope

CATALOG = load()
SHOWN = [rule for rule in CATALOG.rules.values() if rule.violated_when is not None and rule.example is not None]


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.code)
def test_what_every_rule_says_is_what_the_candidates_say(rule: Rule) -> None:
    assert rule.example is not None
    loadout = read(parse(rule.example.bad, "example.yaml"), CATALOG).loadout
    assert loadout is not None
    written = as_written(CATALOG, loadout)
    asked = [r for r in CATALOG.rules.values() if r.violated_when is not None and r.stage != "removed" and in_scope(r, written.view.facts)]
    broken = {r.code for r in asked if r.violated_when is not None and evaluate(r.violated_when, written.view)}
    assert broken == {code for code in written.broken if ":" not in code and CATALOG.rules[code].violated_when is not None}


ADAM, LION = Holds("optimizer", ("adamw",)), Holds("optimizer", ("lion", "lion-8bit"))
KEY, ANY_LIST = Compare("config.adapter", "eq", "lora"), Compare("config.plugins[]", "lacks", "liger")


@pytest.mark.parametrize(
    ("pattern", "cues"),
    [
        (LION, {"lion", "lion-8bit"}),
        (All((LION, ADAM)), {"adamw"}),
        (All((Not(ADAM), LION)), {"lion", "lion-8bit"}),
        (AnyOf((ADAM, KEY)), {"adamw", "config.adapter"}),
        (AnyOf((ADAM, Not(LION))), None),
        (All((KEY, LION)), {"config.adapter"}),
        (ANY_LIST, None),
        (Compare("config.adapter", "ne", "lora"), None),
        (Compare("config.adapter", "eq", "absent"), None),
        (Compare("batch.micro", "gt", 1), None),
        (All(()), None),
        (AnyOf(()), set()),
    ],
)
def test_cues(pattern: Condition, cues: set[str] | None) -> None:
    assert cues_of(pattern) == cues
