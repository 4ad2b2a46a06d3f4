"""Loadout and catalog → verdict: all violations, whether additions cure them, and what clashes if they do not."""

from dataclasses import replace

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.verdict import Verdict, Violation
from recipeforge.solver.as_written import as_written, makes_fail
from recipeforge.solver.evaluate import participants
from recipeforge.solver.memory_budget import estimate
from recipeforge.solver.view import View


def resolve(catalog: Catalog, loadout: Loadout) -> Verdict:
    """Return the verdict on a loadout. Pure: the same input gives the same answer."""
    written = as_written(catalog, loadout)
    view = written.view
    found = tuple(Violation(code, _participants(code, view)) for code in in_catalog_order(catalog, written.broken))
    verdict = Verdict("valid", found, unknown=tuple(sorted(written.unknown)), estimate=estimate(catalog, loadout, view))
    if not any(makes_fail(catalog, code) for code in written.broken):
        return verdict
    from recipeforge.solver.case import case_of
    from recipeforge.solver.engine import Undecided, find_model

    try:
        case = case_of(catalog, loadout)
        if find_model(case.world, case.written, case.picks) is not None:
            return replace(verdict, kind="incomplete")
        from recipeforge.solver.explain import with_conflicts

        return with_conflicts(case, verdict)
    except Undecided as spent:
        told = f"{spent}: what the recipe breaks as written is known, whether additions alone would cure it is not"
        return replace(verdict, kind="undecided", spent=told)


def in_catalog_order(catalog: Catalog, codes: frozenset[str]) -> list[str]:
    """Return codes as the catalog lists their rules, slot rules (`RF0020:slot`) first."""
    order = {code: i for i, code in enumerate(catalog.rules)}
    return sorted(codes, key=lambda c: (order.get(c, -1), c))


def _participants(code: str, view: View) -> tuple[str, ...]:
    """Return what makes the pattern of a broken rule."""
    if ":" in code:
        slot = code.split(":", 1)[1]
        return view.slots.get(slot) or (slot,)
    rule = view.catalog.rules[code]
    if rule.violated_when is not None:
        return participants(rule.violated_when, view)
    return tuple(s for s in rule.budget_limits if view.known(s) is not None)
