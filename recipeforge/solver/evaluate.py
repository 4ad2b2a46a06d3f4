"""Direct evaluation of rule conditions, three-valued: the solver's second opinion, and the finder of participants.

Kleene logic: what depends on an unknown fact is `None`. A rule is broken only where its pattern is `True`.
"""

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not, Predicate
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.recipe import Scalar
from recipeforge.solver.view import View


def evaluate(condition: Condition, view: View) -> bool | None:
    """Return whether `condition` is true of the recipe; `None` when unknown facts decide it."""
    match condition:
        case Holds(slot, components):
            if slot in view.unsettled:
                return None
            return any(c in components for c in view.slots.get(slot, ()))
        case Compare(subject, op, value):
            known = view.known(subject)
            if known is None:
                return None if view.may_be(subject) else False
            return compare(known, op, value, versions=subject.startswith("packages."))
        case IsSet(subject):
            return True if view.known(subject) is not None else None if view.may_be(subject) else False
        case Predicate(name):
            predicate = PREDICATES[name]
            return predicate.holds({s: view.known(s) for s in predicate.subjects})
        case Not(inner):
            truth = evaluate(inner, view)
            return None if truth is None else not truth
        case All(parts):
            return _joined(parts, view, decisive=False)
        case AnyOf(parts):
            return _joined(parts, view, decisive=True)


def _joined(parts: tuple[Condition, ...], view: View, *, decisive: bool) -> bool | None:
    """Return the truth of a conjunction (one false part decides) or of a disjunction (one true part does)."""
    unknown = False
    for part in parts:
        truth = evaluate(part, view)
        if truth is decisive:
            return decisive
        unknown = unknown or truth is None
    return None if unknown else not decisive


def compare(known: Fact, op: str, value: Scalar, *, versions: bool = False) -> bool:
    """Return whether `known op value`; values of different kinds are simply unequal and unordered."""
    if op in ("has", "lacks"):
        return (value in known if isinstance(known, tuple) else value == known) == (op == "has")
    if op == "contains":
        return isinstance(known, str) and str(value).casefold() in known.casefold()
    if versions:
        from packaging.version import InvalidVersion, Version

        try:
            return _ordered(Version(str(known)), op, Version(str(value)))
        except InvalidVersion:
            return False
    numbers = isinstance(known, int | float) and isinstance(value, int | float)
    if not numbers and type(known) is not type(value):
        return op == "ne"
    if isinstance(known, bool) != isinstance(value, bool):
        return op == "ne"
    return _ordered(known, op, value)


def _ordered(left: object, op: str, right: object) -> bool:
    """Apply one comparison to two values of one kind."""
    match op:
        case "eq":
            return left == right
        case "ne":
            return left != right
        case "lt":
            return left < right  # type: ignore[operator]
        case "le":
            return left <= right  # type: ignore[operator]
        case "gt":
            return left > right  # type: ignore[operator]
        case _:
            return left >= right  # type: ignore[operator]


def participants(condition: Condition, view: View) -> tuple[str, ...]:
    """Return the components, knobs and facts that make `condition` true, in the order in which it names them.

    Absent things take no part: what is missing has no place to point at.
    """
    found: list[str] = []
    _collect(condition, view, True, found)
    return tuple(dict.fromkeys(found))


def _collect(condition: Condition, view: View, wanted: bool, found: list[str]) -> None:
    """Add the subjects that give `condition` the truth value `wanted`."""
    if evaluate(condition, view) is not wanted:
        return
    match condition:
        case Holds(slot, components):
            held = view.slots.get(slot, ())
            found += [c for c in held if (c in components) == wanted]
        case Compare(subject) | IsSet(subject):
            if view.known(subject) is not None:
                found.append(subject)
        case Predicate(name):
            for subject in PREDICATES[name].subjects:
                known = view.known(subject)
                if subject in view.catalog.slots:
                    found += [known] if isinstance(known, str) else list(known) if isinstance(known, tuple) else []
                elif known is not None:
                    found.append(subject)
        case Not(inner):
            _collect(inner, view, not wanted, found)
        case All(parts) | AnyOf(parts):
            for part in parts:
                _collect(part, view, wanted, found)
