"""What a repair costs, and how a full assignment differs from the recipe as written."""

from dataclasses import dataclass

from recipeforge.schemas.change import Change, Safety
from recipeforge.schemas.recipe import Scalar
from recipeforge.solver.case import Case
from recipeforge.solver.clauses import Clause, bits

ADD, SET, REPLACE, DROP = 100_000, 150_000, 250_000, 400_000
"""The least invasive change first; the zeros leave room for the finer preferences below."""
REPLACE_REQUIRED = ADD + DROP
"""Replacing in a slot that every recipe fills, the technique: it is what the run is about, so the rest gives way first."""
UNSAFE = 5_000
"""Added to a change that alters the meaning of the run."""
STEP = 500
"""Added for each rung that a knob moves on its ladder of choices: nearer values first."""
WARNING = 100
"""Added for each warning that is left."""
RANK = 1
"""Added for each component that the catalog lists before the one put in: it lists the usual ones first. A slot's default comes first."""

OTHER_CHECKPOINT = 60_000
"""Added for a component that cannot read this model's weights as they are, only a checkpoint prepared for it."""


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
        members = sorted(bits(world.slot_members[slot.id]), key=lambda v: world.named[v] != slot.default)
        held = [v for v in members if case.picks >> v & 1]
        many = slot.cardinality == "many"
        replace = REPLACE_REQUIRED if slot.cardinality == "one" else REPLACE
        for rank, v in enumerate(members):
            finer = unsafe + RANK * rank + (OTHER_CHECKPOINT if "prequantized" in catalog.components[str(world.named[v])].tags else 0)
            if v in held:
                unusual = 0 if many or len(held) == 1 else RANK * rank  # of two in one seat, the usual one stays
                of[v] = -(DROP + unsafe - unusual)
                offset += DROP + unsafe - unusual
            elif many or not held:
                of[v] = 0 if case.written >> v & 1 else ADD + finer
            else:
                of[v] = replace - DROP + finer - unsafe
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
    for slot, members in world.slot_members.items() if (gone | new) & world.components else ():
        if not members & (gone | new):
            continue
        added = [str(names[v]) for v in bits(members & new)]
        for previous in (str(names[v]) for v in bits(members & gone)):
            if added and world.catalog.slots[slot].cardinality != "many":
                found.append(Change("replace", slot=slot, component=added.pop(0), previous=previous))
            else:
                found.append(Change("drop", slot=slot, component=previous))
        found += [Change("add", slot=slot, component=c) for c in added]
    for knob, members in world.domain_members.items() if new & ~world.components else ():
        if members & new:
            value = next(value for value, v in world.domains[knob] if true >> v & 1)
            found.append(Change("drop", knob=knob) if value is None else Change("set", knob=knob, value=value))
    return tuple(found)


@dataclass(frozen=True)
class Unchanged:
    """The parts of a recipe that a repair changes, each as the ways in which it could have stayed as it was."""

    literals: Clause
    """Parts that stay where one variable says so: a holder that remains, a knob that does not move that way."""
    empty: tuple[int, ...]
    """Members of slots that were empty and would have to stay so."""


def unchanged(case: Case, true: int) -> Unchanged:
    """Return the ideas of a repair, negated. At least one of them holds in every repair that is a different idea.

    An idea is a slot that changes hands, a component of a many-slot put in or taken out, a knob moved in one
    direction: lowering the batch to 2 and to 1 is one idea, and so are two quantizers for one base.
    """
    world = case.world
    positive = negative = 0
    empty: list[int] = []
    gone, new = case.picks & ~true, true & ~case.written
    for slot, members in world.slot_members.items():
        if not members & (gone | new):
            continue
        if world.catalog.slots[slot].cardinality == "many":
            positive |= members & gone
            negative |= members & new
        elif not members & case.written:
            empty.append(members)
        elif len(bits(members & case.written)) == 1:
            positive |= members & case.written
    for domain in world.domains.values():
        ladder = ladder_of(domain)
        (now,) = [i for i, v in enumerate(ladder) if case.written >> v & 1]
        (then,) = [i for i, v in enumerate(ladder) if true >> v & 1]
        if then != now:
            positive |= sum(1 << v for i, v in enumerate(ladder) if (i > now) != (then > now) or i == now)
    return Unchanged(Clause(positive, negative, "", True), tuple(empty))


def safety_of(case: Case, changes: tuple[Change, ...]) -> Safety:
    """Return whether the run would mean the same after the changes."""
    catalog = case.world.catalog
    kinds = [catalog.slots[c.slot].safe if c.slot else catalog.knobs[str(c.knob)].safe for c in changes]
    return "safe" if all(kinds) else "unsafe"
