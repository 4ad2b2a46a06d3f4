"""Every blocked component is explained, step by step, and the cheapest change that lets it in does."""

import os
from collections import Counter

from catalogs import cases, tangles
from hypothesis import HealthCheck, Phase, given, settings
from truth import Truth, assert_explained

from recipeforge.solver.apply import apply_changes
from recipeforge.solver.as_written import TOO_MANY
from recipeforge.solver.blocked import why_not
from recipeforge.solver.resolve import resolve
from recipeforge.solver.statuses import statuses

MANY = settings(
    max_examples=int(os.environ.get("RECIPEFORGE_EXAMPLES", "300")),
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
        seats = {f"{TOO_MANY}:{slot.id}" for slot in catalog.slots.values() if slot.cardinality != "many"}
        assert_explained(truth, told.steps, seats.union(status.rules), status.component)
        SEEN["blocked"] += 1
        running = (full for full, broken in truth.table if not broken and status.component in full.components)
        possible = any(can_be_written(catalog, loadout, full) for full in running)
        assert (told.cure is not None) == possible
        if told.cure is not None:
            cured = apply_changes(catalog, loadout, told.cure)
            assert status.component in {e.component for e in cured.equipped}
            assert resolve(catalog, cured).kind == "valid"
            SEEN["unblocked"] += 1


def can_be_written(catalog, loadout, full) -> bool:
    """Return whether changes lead there: what was set of a slot goes with the last component of it."""
    emptied = {e.slot for e in loadout.equipped} - {catalog.components[c].slot for c in full.components}
    unread = {k.path: k.default for k in catalog.knobs.values() if k.group in emptied and not catalog.slots[k.group].default}
    return all(value == unread.get(path, value) for path, value in full.values)


def test_enough_was_seen():
    """The suite above proves something only if what it is about occurred often."""
    assert min(SEEN["blocked"], SEEN["unblocked"] * 10) >= 50, SEEN
