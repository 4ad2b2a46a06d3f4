"""What a repair costs, and how a full assignment differs from the recipe as written."""

from collections.abc import Iterator, Mapping, Sequence

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change, Safety
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.solver.batch import ACCUMULATE, MICRO, PAIR, raised
from recipeforge.solver.budget_rules import TIME_LIMITS
from recipeforge.solver.case import Case
from recipeforge.solver.clauses import bits

ADD, SET, REPLACE, DROP = 100_000, 150_000, 250_000, 400_000
"""The least invasive change first; the zeros leave room for the finer preferences below."""
REPLACE_REQUIRED = ADD + DROP
"""Changing what the run is about, its technique or its objective: the rest gives way first."""
UNSAFE = 5_000
"""Added to a change that alters the meaning of the run."""
STEP = 500
"""Added for each rung that a knob moves on its ladder of choices: nearer values first."""
WARNING = 100
"""Added for each warning that is left."""
RANK = 1
"""Added for each component that the catalog lists before the one put in: it lists the usual ones first. A slot's default comes first."""

CONTENT = {"data.sequence_length": 200_000}
"""Added for a knob that decides what the model sees of its data: the rest gives way first, though not a part by being dropped."""
CONTENT_OF_TIME = dict.fromkeys((MICRO, ACCUMULATE, "train.steps"), 200_000) | {"data.packing": 600_000}
"""The same where time or money is limited: so many steps of smaller batches are quicker since less is learned from. Without packing
nobody knows how full they are, so that giving it up keeps a limit in the worst way."""
UNSAYABLE = 2_000_000
"""Added for what the file's dialect has no words for: such a change cannot be written into it."""
TAGGED = {"prequantized": 60_000, "own-program": 1_000_000, "device-map": 1_000_000}
"""Added for a component that cannot read this model's weights as they are, only a checkpoint prepared for it; and for one that comes with
a training program of its own: moving there is no change of a recipe; and for layers laid over whatever devices there are, since nobody
said that there are several."""


@record
class Prices:
    """The cost of assignments of a case: `offset + Σ of[v]` over the true variables, and what pairs of them save."""

    of: dict[int, int]
    offset: int
    pairs: tuple[tuple[int, int, int], ...] = ()
    """(variable, variable, less): two that cost so much less where both are true."""


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
        replace = REPLACE_REQUIRED if slot.purpose else REPLACE
        # What stands by default is as much what the run is about as what is written.
        add = REPLACE_REQUIRED if slot.purpose and slot.default else ADD
        for rank, v in enumerate(members):
            tags = catalog.components[str(world.named[v])].tags
            finer = unsafe + RANK * rank + sum(cost for tag, cost in TAGGED.items() if tag in tags)
            if v in held:
                unusual = 0 if many or len(held) == 1 else RANK * rank  # of two in one seat, the usual one stays
                of[v] = -(DROP + unsafe - unusual)
                offset += DROP + unsafe - unusual
            elif many or not held:
                of[v] = 0 if case.written >> v & 1 else add + finer
            else:
                of[v] = replace - DROP + finer - unsafe
    content = content_of(case)
    for knob, domain in world.domains.items():
        unsafe = 0 if catalog.knobs[knob].safe else UNSAFE
        ladder = ladder_of(domain)
        (now,) = [i for i, v in enumerate(ladder) if case.written >> v & 1]
        given = bool(case.picks >> ladder[now] & 1)
        unset = next((v for value, v in domain if value is None), -1)
        for i, v in enumerate(ladder):
            if i != now:
                of[v] = (DROP if v == unset else SET if given else ADD) + unsafe + STEP * abs(i - now) + content.get(knob, 0)
    for v in _unsayable(case):
        of[v] = of.get(v, 0) + UNSAYABLE
    return Prices({v: c for v, c in of.items() if c}, offset, tuple(_trades(case, of)))


def _unsayable(case: Case) -> Iterator[int]:
    """Yield what the file's dialect has no words for and the recipe does not have."""
    sayable = case.loadout.sayable
    if sayable is None:
        return
    for v in bits(case.world.components & ~case.written):
        if case.world.named[v] not in sayable:
            yield v
    for knob, domain in case.world.domains.items():
        if knob not in sayable:
            yield from (v for value, v in domain if value is not None and not case.written >> v & 1)


def _trades(case: Case, of: dict[int, int]) -> list[tuple[int, int, int]]:
    """Return the pairs that keep the effective batch: they cost what the lowered one does, without what a changed meaning adds."""
    world, found = case.world, list[tuple[int, int, int]]()
    if MICRO not in world.domains or ACCUMULATE not in world.domains:
        return found
    before = [value_in(case, knob, case.written) for knob in PAIR]
    for micro, m in world.domains[MICRO]:
        for accumulate, a in world.domains[ACCUMULATE]:
            up = raised(before, (micro, accumulate))
            if up is not None:
                lowered, risen = (m, a) if up == ACCUMULATE else (a, m)
                unsafe = 0 if world.catalog.knobs[MICRO if up == ACCUMULATE else ACCUMULATE].safe else UNSAFE
                found.append((lowered, risen, of[risen] + unsafe + content_of(case).get(MICRO, 0)))
    return found


def content_of(case: Case) -> Mapping[str, int]:
    """Return what is added for knobs that decide how much, or how much of its data, the model sees."""
    return CONTENT | CONTENT_OF_TIME if any(limit in case.world.constants for limit in TIME_LIMITS) else CONTENT


def value_in(case: Case, knob: str, true: int) -> Scalar | None:
    """Return a movable knob's value under a full assignment."""
    return next(value for value, v in case.world.domains[knob] if true >> v & 1)


def follower(case: Case, true: int) -> str | None:
    """Return the parameter of the batch that only moves so that the effective batch stays."""
    domains = case.world.domains
    if MICRO not in domains or ACCUMULATE not in domains:
        return None
    return raised(*([value_in(case, knob, of) for knob in PAIR] for of in (case.written, true)))


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


def safety_of(case: Case, changes: tuple[Change, ...]) -> Safety:
    """Return whether the run would mean the same after the changes."""
    catalog = case.world.catalog
    same = PAIR if trades(case.loadout, catalog, changes) else ()
    kinds = [catalog.slots[c.slot].safe if c.slot else c.knob in same or catalog.knobs[str(c.knob)].safe for c in changes]
    return "safe" if all(kinds) else "unsafe"


def trades(loadout: Loadout, catalog: Catalog, changes: Sequence[Change]) -> bool:
    """Return whether the changes lower the micro-batch or the accumulation and raise the other, so that the effective batch stays."""
    values = {c.knob: c.value for c in changes if c.op == "set" and c.knob in PAIR}
    if len(values) < len(PAIR):
        return False
    given = {s.knob: s.value for s in loadout.settings}
    return raised([given.get(k, catalog.knobs[k].default) for k in PAIR], [values[k] for k in PAIR]) is not None


def cost_of(true: int, price: Prices) -> int:
    """Return the cost of a full assignment."""
    paid = price.offset + sum(c for v, c in price.of.items() if true >> v & 1)
    return paid - sum(less for one, other, less in price.pairs if true >> one & true >> other & 1)
