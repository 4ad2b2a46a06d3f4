"""What is one step away: every recipe that runs and differs from this one in a single slot or parameter."""

from collections.abc import Iterator

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.verdict import Repair
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.costs import changes_between, prices
from recipeforge.solver.repair import repair_of


def neighbours(catalog: Catalog, loadout: Loadout) -> tuple[Repair, ...]:
    """Return every valid recipe that is one swap away, in the order of the catalog: a part added, dropped or replaced, a value set.

    Each was resolved. The recipe itself need not run, so from one that does not, these are its cures of one step.
    """
    case = case_of(catalog, loadout)
    price = prices(case)
    found: dict[tuple[Change, ...], Repair] = {}
    for true in _steps(case):
        changes = changes_between(case, true)
        if len(changes) != 1 or changes in found or case_of(catalog, apply_changes(catalog, loadout, changes)).broken_hard:
            continue
        repair = repair_of(case, true, price)
        if repair is not None:
            found[changes] = repair
    return tuple(found.values())


def _steps(case: Case) -> Iterator[int]:
    """Yield the assignments that differ in one slot or one parameter and are not broken at sight."""
    world = case.world
    hard = [(c.positive, c.negative) for c in world.hard]
    for slot in world.catalog.slots.values():
        members = world.slot_members[slot.id]
        bits_of = [1 << v for v in range(world.size) if members >> v & 1]
        rest = case.written & ~members
        many = slot.cardinality == "many"
        options = [case.written ^ b for b in bits_of] if many else [rest | b for b in bits_of]
        if not many and not slot.default:
            options.append(rest)
        yield from (o for o in options if o != case.written and all(p & o or n & ~o for p, n in hard))
    for knob, domain in world.domains.items():
        rest = case.written & ~world.domain_members[knob]
        for true in (rest | 1 << v for _, v in domain):
            if true != case.written and all(p & true or n & ~true for p, n in hard):
                yield true
