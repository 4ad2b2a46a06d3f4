"""Which rules speak of a component or a knob, and which of them matter to the recipe at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.catalog.subject_walk import subjects_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not, Predicate
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Rule
from recipeforge.solver.evaluate import evaluate
from recipeforge.solver.scope import in_scope
from recipeforge.solver.view import View

_SEVERITIES = ("error", "warning", "info")
_TIERS = ("T1", "T2", "T3")

_indexes: dict[str, Mapping[str, tuple[Rule, ...]]] = {}


@record
class Spoken:
    """A rule that speaks of something, seen from the recipe at hand."""

    rule: Rule
    fires: bool
    lacking: tuple[Condition, ...]
    """The parts of its pattern that do not hold, or are not known to: what would make it fire."""
    settled: bool
    """Whether it cannot fire with this model and machine, whatever else is chosen."""


def rules_about(catalog: Catalog, subject: str, view: View | None) -> list[Spoken]:
    """Return the rules that a component or a knob can break, those that fire first, then those that lack least.

    Rules about other frameworks and versions are left out, and those that would need another component in its place.
    Where there is no recipe, all parts of a pattern are lacking.
    """
    facts = view.facts if view is not None else {}
    found = [_seen(rule, view) for rule in _index(catalog).get(subject, ()) if in_scope(rule, facts)]
    return sorted((one for one in found if not _in_its_place(catalog, subject, one)), key=_rank)


def _in_its_place(catalog: Catalog, subject: str, spoken: Spoken) -> bool:
    component = catalog.components.get(subject)
    if component is None or catalog.slots[component.slot].cardinality == "many":
        return False
    wanted = [part for part in spoken.lacking if isinstance(part, Holds) and part.slot == component.slot]
    return any(subject not in part.components for part in wanted)


def _rank(spoken: Spoken) -> tuple[bool, bool, int, int, int]:
    rule = spoken.rule
    near = not spoken.fires, spoken.settled, len(spoken.lacking)
    return *near, _SEVERITIES.index(rule.effective_severity), _TIERS.index(rule.tier)


def _seen(rule: Rule, view: View | None) -> Spoken:
    parts = list(_parts(rule.violated_when)) if rule.violated_when is not None else []
    if view is None:
        return Spoken(rule, False, tuple(parts), False)
    truths = [evaluate(part, view) for part in parts]
    lacking = tuple(part for part, truth in zip(parts, truths, strict=True) if truth is not True)
    settled = any(
        truth is False and all(view.is_fact(subject) for subject in subjects_of(part)) for part, truth in zip(parts, truths, strict=True)
    )
    return Spoken(rule, bool(parts) and not lacking, lacking, settled)


def _parts(condition: Condition) -> Iterator[Condition]:
    """Yield what has to hold together."""
    match condition:
        case All(parts=parts):
            for part in parts:
                yield from _parts(part)
        case Not(inner=AnyOf(parts=parts)):
            for part in parts:
                yield from _parts(Not(part))
        case Not(inner=Not(inner=inner)):
            yield from _parts(inner)
        case _:
            yield condition


def _index(catalog: Catalog) -> Mapping[str, tuple[Rule, ...]]:
    """Return subject → rules; made once for a catalog."""
    if catalog.hash not in _indexes:
        found: dict[str, list[Rule]] = {}
        for rule in catalog.rules.values():
            if rule.violated_when is not None and rule.stage != "removed":
                for subject in dict.fromkeys(_blamed(rule.violated_when, True)):
                    found.setdefault(subject, []).append(rule)
        _indexes[catalog.hash] = {subject: tuple(rules) for subject, rules in found.items()}
    return _indexes[catalog.hash]


def _blamed(condition: Condition, wanted: bool) -> Iterator[str]:
    """Yield the components whose presence, and the knobs whose value, helps to make a pattern true."""
    match condition:
        case Holds(components=components) if wanted:
            yield from components
        case Compare(subject=subject) | IsSet(subject=subject):
            yield subject
        case Predicate(name=name):
            yield from PREDICATES[name].subjects
        case Not(inner=inner):
            yield from _blamed(inner, not wanted)
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _blamed(part, wanted)
        case _:
            return
