"""Components that no recipe can hold: a mistake in the catalog, since somebody once wrote each of them for use."""

from collections.abc import Iterator
from dataclasses import replace

from recipeforge.catalog.subject_walk import atoms
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import Compare, IsSet
from recipeforge.schemas.loadout import Context, Fact, Loadout
from recipeforge.schemas.rule import Rule
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.cheapest import literals
from recipeforge.solver.clauses import bits
from recipeforge.solver.consequences import Engine
from recipeforge.solver.explain import minimal_rules
from recipeforge.solver.formula import Formula
from recipeforge.solver.world import World


def impossible(catalog: Catalog) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each component that no recipe can hold on any GPU of the catalog, with a minimal set of rules that forbid it.

    Left out are budgets, rules that turn on a value which the solver does not move (somebody may set it), and rules that forbid a
    component by its name alone: it is in the catalog to be refused.
    """
    catalog = replace(
        catalog, rules={r.code: r for r in catalog.rules.values() if _binds(catalog, r)}, hash=f"{catalog.hash} for its parts"
    )
    left = set(range(len(catalog.components)))
    case = _empty(catalog, {})
    for sheet in catalog.gpus.values() if catalog.gpus else ():
        if not left:
            return
        case = _empty(catalog, {"gpu.id": sheet.id, **{f"gpu.{name}": value for name, value in sheet.facts.items()}})
        left &= _blocked(case.world, left)
    for v in sorted(left if catalog.gpus else _blocked(case.world, left)):
        yield str(case.world.named[v]), tuple(minimal_rules(case.world, 0, 1 << v))


def _binds(catalog: Catalog, rule: Rule) -> bool:
    found = list(atoms(rule.violated_when)) if rule.violated_when else []
    set_by_hand = (
        a for a in found if isinstance(a, Compare | IsSet) and a.subject in catalog.knobs and not catalog.knobs[a.subject].choices
    )
    return len(found) > 1 and next(set_by_hand, None) is None


def formula_of(world: World) -> Formula:
    """Return a world's hard rules as sparse clauses, its budgets left out."""
    return Formula(world.size, tuple(literals(c) for c in world.hard), tuple(tuple(bits(g.members)) for g in world.groups))


def _blocked(world: World, among: set[int]) -> set[int]:
    root = Engine(formula_of(world), among).root
    return set(among) if root is None else set(root.blocked)


def _empty(catalog: Catalog, facts: dict[str, Fact]) -> Case:
    return case_of(catalog, Loadout("<catalog>", "recipeforge", (), (), Context(facts)))
