"""What a repair is about: two repairs with the same ideas are two spellings of one."""

from itertools import product

from recipeforge.catalog.subjects import REST_AS_LOADED
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.record import record
from recipeforge.solver.case import Case
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.costs import PAIR, follower, ladder_of
from recipeforge.solver.world import World


@record
class Unchanged:
    """The parts of a recipe that a repair changes, each as the ways in which it could have stayed as it was."""

    literals: Clause
    """Parts that stay where one variable says so: a holder that remains, a knob that does not move that way."""
    empty: tuple[int, ...]
    """Parts of which none would have to come in: members of a slot that was empty, parts that do the same to memory."""
    trades: tuple[int, ...] = ()
    """Pairs of values of the batch in which a knob that moved by itself here only follows the other: another idea."""


def unchanged(case: Case, true: int) -> Unchanged:
    """Return the ideas of a repair, negated. At least one of them holds in every repair that is a different idea.

    An idea is a slot that changes hands, a component of a many-slot put in or taken out, a knob moved in one
    direction: lowering the batch to 2 and to 1 is one idea, and so are two quantizers for one base, and two kernels that
    both spare the same memory. What only makes up for a smaller batch is none of its own.
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
            for v in bits(members & new):
                like = _alike(world, v) & ~case.written
                negative |= like if like == 1 << v else 0
                empty += [like] if like != 1 << v else []
        elif not members & case.written:
            empty.append(members)
        elif len(bits(members & case.written)) == 1:
            positive |= members & case.written
    follows = follower(case, true)
    trades: list[int] = []
    for knob, domain in world.domains.items():
        if knob == follows:
            continue
        ladder = ladder_of(domain)
        (now,) = [i for i, v in enumerate(ladder) if case.written >> v & 1]
        (then,) = [i for i, v in enumerate(ladder) if true >> v & 1]
        if then != now:
            positive |= sum(1 << v for i, v in enumerate(ladder) if (i > now) != (then > now) or i == now)
            trades += _trades(case, knob)
    return Unchanged(Clause(positive, negative, "", True), tuple(empty), tuple(trades))


def _trades(case: Case, knob: str) -> list[int]:
    """Return the pairs of values of the batch by which this knob only makes up for the other one's move."""
    if knob not in PAIR or not all(one in case.world.domains for one in PAIR):
        return []
    pairs = product(*([1 << v for _, v in case.world.domains[one]] for one in PAIR))
    return [one | other for one, other in pairs if follower(case, one | other) == knob]


def _alike(world: World, v: int) -> int:
    """Return the components of many-slots that do to memory what this one does; itself alone where it does nothing to it."""
    kinds = _kinds(world.catalog)
    for members in kinds:
        if world.named[v] in members:
            return sum(1 << world.component_var[c] for c in members)
    return 1 << v


_known: dict[str, list[list[str]]] = {}


def _kinds(catalog: Catalog) -> list[list[str]]:
    """Return the components of many-slots by what they do to memory."""
    if catalog.hash not in _known:
        kinds: dict[object, list[str]] = {}
        for component in catalog.components.values():
            on_memory = {name: value for name, value in component.effects.items() if name not in ("speed", REST_AS_LOADED)}
            effects = tuple(sorted(on_memory.items())), "fused-loss" in component.tags
            if catalog.slots[component.slot].cardinality == "many" and any(effects):
                kinds.setdefault(effects, []).append(component.id)
        _known[catalog.hash] = list(kinds.values())
    return _known[catalog.hash]
