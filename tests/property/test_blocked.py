"""Every blocked component is explained, step by step, and the cheapest change that lets it in does."""

from collections import Counter

from catalogs import cases, tangles
from hypothesis import HealthCheck, Phase, given, settings
from truth import Truth, assert_explained

from recipeforge.solver.apply import apply_changes
from recipeforge.solver.blocked import why_not
from recipeforge.solver.resolve import resolve
from recipeforge.solver.statuses import statuses

MANY = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
SEEN: Counter[str] = Counter()


@MANY
@given(cases(6) | tangles())
def test_every_blocked_component_is_explained_and_its_cure_works(case):
    catalog, loadout = case
    truth = Truth(catalog, loadout)
    for status in statuses(catalog, loadout):
        if status.kind != "blocked":
            continue
        told = why_not(catalog, loadout, status.component)
        assert told.status == status
        seats = {s.rule for s in told.steps if s.rule.startswith("RF0020:")}
        assert_explained(truth, told.steps, seats.union(status.rules), status.component)
        SEEN["blocked"] += 1
        possible = any(not broken and status.component in full.components for full, broken in truth.table)
        assert (told.cure is not None) == possible
        if told.cure is not None:
            cured = apply_changes(catalog, loadout, told.cure)
            assert status.component in {e.component for e in cured.equipped}
            assert resolve(catalog, cured).kind == "valid"
            SEEN["unblocked"] += 1


def test_enough_was_seen():
    """The suite above proves something only if what it is about occurred often."""
    assert min(SEEN["blocked"], SEEN["unblocked"] * 10) >= 50, SEEN
