"""What a condition speaks of: its atoms and their subjects."""

from collections.abc import Iterator

from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not, Predicate

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
