"""The memory estimate as a table, term by term."""

from __future__ import annotations

from recipeforge.render.cells import visible, wrap
from recipeforge.render.look import PLAIN, Look
from recipeforge.schemas.verdict import Estimate

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


def _assumed(text: str, look: Look) -> list[str]:
    rows = wrap(f"assumed: {visible(text)}", look.width - 2)
    return ["  " + look.paint("quiet", row) for row in rows]
