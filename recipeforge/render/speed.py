"""The predicted speed, time and cost of a run: as text, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipeforge.render.cells import visible, wrap
from recipeforge.render.look import PLAIN, Look
from recipeforge.solver.limits import duration_words, usd_words

if TYPE_CHECKING:
    from recipeforge.solver.prices import Price
    from recipeforge.solver.speed_estimate import Range, Speed


def render_speed(found: Speed | None, why: str, unset: str, look: Look = PLAIN) -> str:
    """Return tokens a second, the time of the run and its cost, each with its range; or why nobody can tell.

    `unset` says what to set where the run's length is not known.
    """
    if found is None:
        return "\n" + look.paint("message", f"how fast it will train: not known, since {visible(why)}") + "\n"
    slow, typical, fast = found.tokens_per_s
    of = f" on {found.devices} devices" if found.devices > 1 else ""
    out = ["", look.paint("message", f"how fast it will train: about {typical:,.0f} tokens/s{of} ({slow:,.0f} to {fast:,.0f})")]
    least, middle, most = (100 * share for share in found.attained)
    share = f"{middle:.0f} % of the peak attained ({least:.0f} to {most:.0f} %)"
    out.append(f"  operations {found.operations / 1e9:>10.2f} billion a token; {share}")
    if found.seconds is None:
        out.append(f"  the run    {'?':>10} {unset}")
    else:
        words = [duration_words(s) for s in found.seconds]
        out.append(f"  the run    {words[1]:>10} ({words[2]} to {words[0]})")
    if found.usd is not None:
        slow_usd, usd, fast_usd = (usd_words(u) for u in found.usd)
        out.append(f"  the cost   {usd:>10} USD ({fast_usd} to {slow_usd})")
    told = f"Prices: {price_words(found.price)}." if found.price else "Nobody states a price: set `hardware.price_usd_hour`."
    told += " The range is that of published runs with such options: docs/time.md."
    out += ["  " + look.paint("quiet", row) for row in wrap(told, look.width - 2)]
    for assumption in found.assumed:
        out += ["  " + look.paint("quiet", row) for row in wrap(f"assumed: {visible(assumption)}", look.width - 2)]
    return "\n".join(out) + "\n"


def price_words(price: Price) -> str:
    """Return the price of an hour, with who asks it and when."""
    if not price.offers:
        return f"{price.typical:g} USD an hour and GPU, as the recipe says"
    low, high = price.offers[0], price.offers[-1]
    first = f"{low.usd_hour:g} USD an hour and GPU ({low.provider}, {low.checked})"
    if len(price.offers) == 1:
        return f"{first}, the only offer known; `hardware.price_usd_hour` sets another"
    rest = f" to {high.usd_hour:g} ({high.provider}, {high.checked}), the middle of {len(price.offers)} offers {price.typical:g}"
    return f"{first}{rest}; `hardware.price_usd_hour` sets another"


def speed_json(found: Speed | None, why: str) -> dict[str, object]:
    """Return the predicted speed as data; where it is not known, the reason."""
    if found is None:
        return {"unknown": why}
    price = found.price
    return {
        "tokens_per_s": _ends(found.tokens_per_s, 1),
        "operations_per_token": round(found.operations),
        "attained": _ends(found.attained, 4),
        "devices": found.devices,
        "seconds": _ends(found.seconds, 1),
        "usd": _ends(found.usd, 4),
        "price_usd_hour": None if price is None else {"low": price.low, "typical": price.typical, "high": price.high},
        "offers": [
            {"provider": o.provider, "usd_hour": o.usd_hour, "source": o.source, "checked": o.checked}
            for o in (price.offers if price else ())
        ],
        "assumed": list(found.assumed),
    }


def _ends(numbers: Range | None, digits: int) -> dict[str, float] | None:
    """Return a range by name of its pace."""
    return None if numbers is None else {p: round(x, digits) for p, x in zip(("slow", "typical", "fast"), numbers, strict=True)}
