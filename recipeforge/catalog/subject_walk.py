"""What a condition speaks of: its atoms and their subjects."""

from collections.abc import Iterator

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not, Predicate
from recipeforge.schemas.rule import Rule

Atom = Holds | Compare | IsSet | Predicate


def atoms(condition: Condition) -> Iterator[Atom]:
    """Yield every atom, in the order written."""
    match condition:
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from atoms(part)
        case Not(inner):
            yield from atoms(inner)
        case Holds() | Compare() | IsSet() | Predicate():
            yield condition


def subjects_of(condition: Condition) -> tuple[str, ...]:
    """Return every slot, knob and fact that `condition` names, in order, without repeats."""
    match condition:
        case Holds(slot):
            return (slot,)
        case Compare(subject) | IsSet(subject):
            return (subject,)
        case Predicate(name):
            return PREDICATES[name].subjects
        case Not(inner):
            return subjects_of(inner)
        case All(parts) | AnyOf(parts):
            return tuple(dict.fromkeys(s for part in parts for s in subjects_of(part)))


def subjects_in(rule: Rule) -> tuple[str, ...]:
    """Return what a rule's pattern names, worked out when the catalog was compiled."""
    if rule.subjects is None:
        return () if rule.violated_when is None else subjects_of(rule.violated_when)
    return rule.subjects
