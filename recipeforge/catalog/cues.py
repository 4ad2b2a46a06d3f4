"""What has to be there before a rule's pattern can hold: most rules are passed over by looking at that alone."""

from recipeforge.catalog.subjects import ABSENT, CONFIG_PREFIX
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds


def cues_of(pattern: Condition) -> frozenset[str] | None:
    """Return components and keys of another tool's configuration of which one has to be there; `None` where nothing has to.

    Of several parts that all have to hold, the one with the fewest cues is enough.
    """
    match pattern:
        case Holds(_, components):
            return frozenset(components)
        case Compare(subject, op, value) if subject.startswith(CONFIG_PREFIX):
            told_by_absence = op in ("ne", "lacks", "contains") or value == ABSENT
            return None if told_by_absence else frozenset({subject})
        case All(parts):
            return min((cues for part in parts if (cues := cues_of(part)) is not None), key=len, default=None)
        case AnyOf(parts):
            known = [cues for part in parts if (cues := cues_of(part)) is not None]
            return frozenset(cue for cues in known for cue in cues) if len(known) == len(parts) else None
        case _:
            return None
