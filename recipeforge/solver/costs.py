"""What a repair costs, and how a full assignment differs from the recipe as written."""

from dataclasses import dataclass

from recipeforge.schemas.change import Change, Safety
from recipeforge.schemas.recipe import Scalar
from recipeforge.solver.case import Case
from recipeforge.solver.clauses import Clause, bits

ADD, SET, REPLACE, DROP = 1000, 1500, 2500, 4000
"""The least invasive change first; whole thousands leave room below for the finer preferences."""
UNSAFE = 50
"""Added to a change that alters the meaning of the run."""
STEP = 5
"""Added for each rung that a knob moves on its ladder of choices: nearer values first."""


@dataclass(frozen=True)
class Prices:
    """A linear cost over the variables of a case: `offset + Σ of[v]` over the true variables."""

    of: dict[int, int]
    offset: int


def prices(case: Case) -> Prices:
    """Return the cost of every full assignment as seen from the recipe as written. The recipe itself costs 0."""
    of: dict[int, int] = {}
    offset = 0
    world, catalog = case.world, case.world.catalog
    for slot in catalog.slots.values():
        unsafe = 0 if slot.safe else UNSAFE
        members = bits(world.slot_members[slot.id])
        held = [v for v in members if case.picks >> v & 1]
        for v in members:
            if v in held:
                of[v] = -(DROP + unsafe)
                offset += DROP + unsafe
            elif slot.cardinality == "many" or not held:
                of[v] = 0 if case.written >> v & 1 else ADD + unsafe
            else:
                of[v] = REPLACE - DROP
    for knob, domain in world.domains.items():
        unsafe = 0 if catalog.knobs[knob].safe else UNSAFE
        ladder = ladder_of(domain)
        (now,) = [i for i, v in enumerate(ladder) if case.written >> v & 1]
        given = bool(case.picks >> ladder[now] & 1)
        unset = next((v for value, v in domain if value is None), -1)
        for i, v in enumerate(ladder):
            if i != now:
                of[v] = (DROP if v == unset else SET if given else ADD) + unsafe + STEP * abs(i - now)
    return Prices({v: c for v, c in of.items() if c}, offset)


def ladder_of(domain: tuple[tuple[Scalar | None, int], ...]) -> list[int]:
    """Return a knob's variables in the order of its values: "unset" first, numbers ascending, words as listed."""
    if all(value is None or isinstance(value, int | float) for value, _ in domain):
        return [v for _, v in sorted(domain, key=lambda pair: (pair[0] is not None, float(pair[0] or 0)))]
    return [v for _, v in domain]


def changes_between(case: Case, true: int) -> tuple[Change, ...]:
    """Return the changes that lead from the recipe as written to a full assignment, slots first, in catalog order."""
    world, names = case.world, case.world.named
    found: list[Change] = []
    gone, new = case.picks & ~true, true & ~case.written
    for slot, members in world.slot_members.items():
        if not members & (gone | new):
            continue
        added = [str(names[v]) for v in bits(members & new)]
        for previous in (str(names[v]) for v in bits(members & gone)):
            if added and world.catalog.slots[slot].cardinality != "many":
                found.append(Change("replace", slot=slot, component=added.pop(0), previous=previous))
            else:
                found.append(Change("drop", slot=slot, component=previous))
        found += [Change("add", slot=slot, component=c) for c in added]
    for knob, members in world.domain_members.items():
        if members & new:
            value = next(value for value, v in world.domains[knob] if true >> v & 1)
            found.append(Change("drop", knob=knob) if value is None else Change("set", knob=knob, value=value))
    return tuple(found)


def no_more_of(case: Case, true: int) -> Clause:
    """Return a clause that forbids every repair which contains all ideas of this one.

    An idea is a component added or dropped, or a knob moved in one direction: lowering the batch to 2 and to 1 is
    one idea.
    """
    world = case.world
    components = (1 << len(world.component_var)) - 1
    positive = case.picks & ~true & components
    negative = true & ~case.written & components
    for domain in world.domains.values():
        ladder = ladder_of(domain)
        (now,) = [i for i, v in enumerate(ladder) if case.written >> v & 1]
        (then,) = [i for i, v in enumerate(ladder) if true >> v & 1]
        if then != now:
            positive |= sum(1 << v for i, v in enumerate(ladder) if (i > now) != (then > now) or i == now)
    return Clause(positive, negative, "", True)


def safety_of(case: Case, changes: tuple[Change, ...]) -> Safety:
    """Return whether the run would mean the same after the changes."""
    catalog = case.world.catalog
    kinds = [catalog.slots[c.slot].safe if c.slot else catalog.knobs[str(c.knob)].safe for c in changes]
    return "safe" if all(kinds) else "unsafe"
