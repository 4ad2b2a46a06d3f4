"""Which values of a constant every rule takes for the same: 0.01 and 0.02 lie on the same side of all limits.

While someone types a weight decay, the world stays what it is.
"""

from collections.abc import Hashable, Iterator

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.catalog.subject_walk import subjects_in
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Not, Predicate
from recipeforge.schemas.recipe import Scalar
from recipeforge.solver.evaluate import compare
from recipeforge.solver.memory_budget import relevant_knobs

Test = tuple[str, Scalar]
"""An operator and what it compares with."""

KINDS_KEPT = 4096
_kinds: dict[tuple[str, str, type, Scalar], Hashable] = {}
_tests: dict[str, dict[str, tuple[Test, ...]]] = {}


def kind_of(catalog: Catalog, knob: str, value: Scalar) -> Hashable:
    """Return what rules can tell about a value: the outcome of each comparison; the value itself where arithmetic reads it."""
    asked = catalog.hash, knob, value.__class__, value
    kind = _kinds.get(asked)
    if kind is None:
        tests = _tests_of(catalog).get(knob)
        told = value if tests is None else tuple([compare(value, op, limit) for op, limit in tests])
        if len(_kinds) > KINDS_KEPT:
            _kinds.clear()
        kind = _kinds[asked] = value.__class__, told
    return kind


def _tests_of(catalog: Catalog) -> dict[str, tuple[Test, ...]]:
    """Return the comparisons made with each knob that nothing but comparisons reads."""
    if catalog.hash not in _tests:
        about = [rule for rule in catalog.rules.values() if not catalog.knobs.keys().isdisjoint(subjects_in(rule))]
        parts = [part for rule in about if rule.violated_when is not None for part in _parts(rule.violated_when)]
        exact = set(relevant_knobs())
        exact.update(limit for rule in catalog.rules.values() for limit in rule.budget_limits)
        exact.update(s for part in parts if isinstance(part, Predicate) for s in PREDICATES[part.name].subjects)
        found: dict[str, dict[Test, None]] = {knob: {} for knob in catalog.knobs if knob not in exact}
        for part in parts:
            if isinstance(part, Compare) and part.subject in found:
                found[part.subject][part.op, part.value] = None
        _tests[catalog.hash] = {knob: tuple(tests) for knob, tests in found.items()}
    return _tests[catalog.hash]


def _parts(condition: Condition) -> Iterator[Condition]:
    match condition:
        case Not(inner):
            yield from _parts(inner)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from _parts(part)
        case _:
            yield condition
