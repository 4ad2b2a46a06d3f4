"""The memory estimate in a few words: against its limit, term by term, and what one choice takes or saves."""

from __future__ import annotations

from collections.abc import Sequence

from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.convert import GIB, status_of
from recipeforge.render.summary import gib
from recipeforge.schemas.change import Change
from recipeforge.schemas.component import Component
from recipeforge.schemas.recipe import Knob, Scalar
from recipeforge.schemas.verdict import Estimate
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.memory_budget import estimate, relevant_knobs
from recipeforge.solver.titles import spelled

WORTH_TELLING = GIB // 20
"""Smaller differences are below what the estimate is good for."""


def against(total: int, limit_gib: float | None) -> str:
    """Return an amount against its limit, such as "≈ 11.6 of 15 GiB"."""
    return f"≈ {gib(total)} of {limit_gib:g} GiB" if limit_gib is not None else f"≈ {gib(total)} GiB"


def told(known: Analysis) -> str:
    """Return the estimate against the smallest limit; empty where it cannot be told."""
    found = known.report.estimate
    return against(found.total, status_of(known)["limit_gib"]) if found else ""


def terms_table(found: Estimate) -> str:
    """Return the terms that count, largest first, as a Markdown table, and what was assumed."""
    terms = sorted(((amount, name) for name, amount in found.terms.items() if amount >= GIB // 200), reverse=True)
    rows = [f"| {name} | {amount / GIB:.2f} |" for amount, name in terms]
    table = "\n".join(["| at the peak, each device | GiB |", "|---|---:|", *rows, f"| **together** | **{found.total / GIB:.2f}** |"])
    return f"{table}\n\nAssumed: {', '.join(found.assumed)}." if found.assumed else table


# -- what a choice takes or saves ----------------------------------------------------------------------------


def total_after(known: Analysis, changes: Sequence[Change]) -> int | None:
    """Return the estimate once changes are made, bytes; `None` where it cannot be told."""
    loadout = known.report.loadout
    found = estimate(known.catalog, apply_changes(known.catalog, loadout, changes)) if loadout is not None else None
    return found.total if found else None


def knob_words(known: Analysis, knob: Knob) -> str:
    """Return what the next smaller and larger values would save or take; empty where the formula does not read the knob."""
    present, view = known.report.estimate, known.view
    if present is None or view is None or knob.path not in relevant_knobs() or not _is_read(known, knob):
        return ""
    value = view.known(knob.path)
    if value is None or isinstance(value, tuple):
        return ""
    found: list[str] = []
    for other in _neighbours(knob, value):
        total = total_after(known, (Change("set", knob=knob.path, value=other),))
        if total is not None and abs(total - present.total) >= WORTH_TELLING:
            found.append(f"{spelled(value)} → {spelled(other)} {_difference(total - present.total)}")
    return ", ".join(found) or "no neighbouring value changes the estimate by 0.05 GiB"


def component_words(known: Analysis, component: Component) -> str:
    """Return what a component means for memory here; empty where that is little, or cannot be told."""
    present, loadout = known.report.estimate, known.report.loadout
    if present is None or loadout is None:
        return ""
    slot = known.catalog.slots[component.slot]
    held = loadout.components_in(slot.id)
    if component.id in held:
        if slot.cardinality == "one" or component.id == slot.default:
            return ""
        total = total_after(known, (Change("drop", slot=slot.id, component=component.id),))
        without = f"with {known.catalog.components[slot.default].title} instead" if slot.default else "without it"
    else:
        held = held if slot.cardinality != "many" else ()
        change = Change("replace", slot.id, component.id, held[0]) if held else Change("add", slot.id, component.id)
        total, without = total_after(known, (change,)), "with it"
    if total is None or abs(total - present.total) < WORTH_TELLING:
        return ""
    return f"{gib(present.total)} → {gib(total)} GiB {without}"


def _is_read(known: Analysis, knob: Knob) -> bool:
    """Return whether what stands in the knob's slot reads it."""
    held = known.view.slots.get(knob.group, ()) if known.view else ()
    return not knob.components or any(component in knob.components for component in held)


def _neighbours(knob: Knob, value: Scalar) -> list[Scalar]:
    """Return the values beside the present one: of those that are usual for the knob, else half and double."""
    if knob.type == "bool":
        return [not value]
    if knob.type == "enum":
        return [word for word in knob.values if word != value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    usual = [v for v in knob.choices if isinstance(v, int | float) and not isinstance(v, bool)]
    below = [v for v in usual if v < value] if usual else [value // 2]
    above = [v for v in usual if v > value] if usual else [value * 2]
    found = [*below[-1:], *above[:1]]
    low, high = knob.minimum, knob.maximum
    return [v for v in found if v != value and (low is None or v >= low) and (high is None or v <= high)]


def _difference(amount: int) -> str:
    return f"saves {gib(-amount)} GiB" if amount < 0 else f"takes {gib(amount)} GiB more"
