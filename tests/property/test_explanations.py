"""All conflicts, all corrections and every step of every explanation against a truth table, on random catalogs."""

import os
from collections import Counter

import pytest
from catalogs import cases, tangles
from hypothesis import HealthCheck, Phase, given, settings
from truth import Truth, assert_explained

from recipeforge.solver.case import case_of
from recipeforge.solver.clauses import bits
from recipeforge.solver.conflicts import among_rules
from recipeforge.solver.explain import steps_of, subject_of
from recipeforge.solver.resolve import resolve

MANY = settings(
    max_examples=int(os.environ.get("RECIPEFORGE_EXAMPLES", "1000")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
SEEN: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def told(saw):
    """Tell what the random catalogs covered."""
    yield
    saw(f"explanations against truth tables: {dict(sorted(SEEN.items()))}")


@MANY
@given(cases(6) | tangles())
def test_conflicts_corrections_and_steps_equal_the_truth_table(case):
    catalog, loadout = case
    SEEN["recipes"] += 1
    verdict = resolve(catalog, loadout)
    if verdict.kind != "conflicting":
        return
    truth, solved = Truth(catalog, loadout), case_of(catalog, loadout)
    SEEN["conflicting"] += 1
    expected = truth.minimal_conflicts()
    assert verdict.all_conflicts
    assert len(verdict.conflicts) == len(expected)
    assert {frozenset(c.picks) for c in verdict.conflicts} == expected
    assert set(map(frozenset, verdict.corrections)) == truth.minimal_corrections()
    for conflict in verdict.conflicts:
        assert conflict.minimal
        steps = steps_of(solved, conflict)
        assert_explained(truth, steps, conflict.rules)
        picks = sum(1 << v for v in bits(solved.picks) if subject_of(solved.world, v) in conflict.picks)
        found, rules = among_rules(solved.world, solved.written, picks), truth.minimal_rules(conflict.picks)
        assert frozenset(conflict.rules) in rules
        assert set(found.conflicts) == rules if found.complete else set(found.conflicts) <= rules
        SEEN.update(["conflicts", f"{len(steps)} steps" if len(steps) < 10 else "10 or more steps"])
        SEEN["with cases"] += any(s.kind == "either" for s in steps)
        SEEN["with a budget"] += any(s.rule == "RF8001" for s in steps)
        SEEN["several sets of rules"] += len(rules) > 1


def test_enough_was_seen():
    """The suites above prove something only if what they are about occurred often."""
    assert SEEN["recipes"] >= 1000
    assert min(SEEN["conflicts"], SEEN["with cases"] * 5, SEEN["with a budget"] * 5, SEEN["several sets of rules"]) >= 50, SEEN
