"""A project's preferences, in the variables of a case."""

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.preferences import Preferences
from recipeforge.solver.case import Case

AVOIDED = 1_000_000
"""Added to a change that the project avoids: more than any few others cost together."""


def names(catalog: Catalog) -> tuple[str, ...]:
    """Return everything that a preference can name: slots, groups, parameters, components."""
    groups = (knob.group for knob in catalog.knobs.values())
    return tuple(dict.fromkeys((*catalog.slots, *groups, *catalog.knobs, *catalog.components)))


def kept(case: Case, prefer: Preferences) -> int:
    """Return the variables that stay true: the holders of kept slots, kept components, values of kept parameters."""
    world, found = case.world, 0
    for name in prefer.keep:
        if name in world.slot_members:
            many, members = world.catalog.slots[name].cardinality == "many", world.slot_members[name]
            held = case.picks & members
            if many or not held & (held - 1):  # of two in one seat, one has to go
                found |= held if many else case.written & members
        elif name in world.component_var:
            found |= case.picks & 1 << world.component_var[name]
        else:
            for knob in _parameters(case, name):
                found |= sum(1 << v for value, v in world.domains[knob] if value is not None) & case.written
    return found


def avoided(case: Case, prefer: Preferences) -> int:
    """Return the variables whose becoming true is avoided."""
    world, found = case.world, 0
    for name in prefer.avoid:
        if name in world.slot_members:
            found |= world.slot_members[name]
        elif name in world.component_var:
            found |= 1 << world.component_var[name]
        else:
            found |= sum(1 << v for knob in _parameters(case, name) for _, v in world.domains[knob])
    return found & ~case.written


def _parameters(case: Case, name: str) -> list[str]:
    """Return the movable parameters that a path or the name of a group stands for."""
    return [knob for knob in case.world.domains if name in (knob, knob.split(".", 1)[0])]
