"""The memory estimate as a table, term by term."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from recipeforge.render.cells import visible, wrap
from recipeforge.render.look import PLAIN, Look
from recipeforge.schemas.verdict import Estimate

if TYPE_CHECKING:
    from recipeforge.solver.memory_budget import Card, Moments

GIB = 1 << 30
BAR = 32
"""Cells of the longest bar."""


def render_estimate(title: str, estimate: Estimate, device_gib: float | None = None, look: Look = PLAIN) -> str:
    """Return the terms with their sizes and shares, the total, and what was assumed."""
    wide = max(len("total"), *(len(name) for name in estimate.terms))
    total = estimate.total
    out = [look.paint("message", visible(title))]
    for name, amount in estimate.terms.items():
        bar = "█" * round(BAR * amount / total) if total else ""
        out.append(f"  {name:<{wide}} {amount / GIB:>9.3f} GiB  {look.paint('related', bar)}".rstrip())
    over = device_gib is not None and total > device_gib * GIB
    against = f"  of {device_gib:g} GiB" if device_gib is not None else ""
    name = look.paint("message", "total".ljust(wide))
    out.append(f"  {name} {total / GIB:>9.3f} GiB{look.paint('error' if over else 'quiet', against)}")
    for assumption in estimate.assumed:
        out += _assumed(assumption, look)
    return "\n".join(out) + "\n"


def render_more(found: Moments, card: Card | None, traced: tuple[int, Mapping[str, int]] | None = None, look: Look = PLAIN) -> str:
    """Return what each moment of a step takes, what the card will show, and the trace beside the formula."""
    wide = max(len(m) for m in found.totals)
    out = ["", look.paint("message", "what is alive at each moment of a step")]
    for moment, amount in found.totals.items():
        mark = "  the peak" if moment == found.worst else ""
        out.append(f"  {moment:<{wide}} {amount / GIB:>9.3f} GiB{look.paint('quiet', mark)}")
    if card is not None:
        out += ["", look.paint("message", f"what the card will show: {card.low / GIB:.1f} to {card.high / GIB:.1f} GiB")]
        more = f"Tensors take {found.estimate.total / GIB:.2f} GiB in a thrifty training loop such as this runner's"
        more += f", and {card.lavish / GIB:.2f} in one that holds the model's outputs and steps without fused kernels"
        more += f"; the allocator reserves some more than it hands out (measured: {card.source})."
        out += ["  " + look.paint("quiet", row) for row in wrap(more, look.width - 2)]
    if traced is not None:
        peak, by_moment = traced
        process = sum(found.process.values())
        formula = found.estimate.total - process
        out += ["", look.paint("message", "traced on the model's own code, without the process's own share")]
        out += [f"  {moment:<{wide}} {amount / GIB:>9.3f} GiB" for moment, amount in by_moment.items()]
        out.append(f"  {'peak':<{wide}} {peak / GIB:>9.3f} GiB; the formula says {formula / GIB:.3f} ({100 * (formula / peak - 1):+.1f} %)")
    return "\n".join(out) + "\n"


def moments_json(totals: Mapping[str, int]) -> dict[str, float]:
    """Return GiB by moment."""
    return {moment: round(amount / GIB, 4) for moment, amount in totals.items()}


def card_json(card: Card) -> dict[str, float | str]:
    """Return the range that a card will show, GiB, and where its bounds come from."""
    return {
        "low_gib": round(card.low / GIB, 4),
        "high_gib": round(card.high / GIB, 4),
        "allocated_at_most_gib": round(card.lavish / GIB, 4),
        "source": card.source,
    }


def trace_json(peak: int, by_moment: Mapping[str, int]) -> dict[str, object]:
    """Return a trace's peak and its moments, GiB."""
    return {"peak_gib": round(peak / GIB, 4), "moments": moments_json(by_moment)}


def _assumed(text: str, look: Look) -> list[str]:
    rows = wrap(f"assumed: {visible(text)}", look.width - 2)
    return ["  " + look.paint("quiet", row) for row in rows]
