"""What changes do to memory and time, in numbers worth showing beside them."""

from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.verdict import Estimate
from recipeforge.solver.budget_rules import TIME_LIMITS
from recipeforge.solver.limits import duration_words
from recipeforge.solver.memory import GIB
from recipeforge.solver.speed_estimate import Speed

WORTH_SAYING = GIB // 20
"""A difference in memory below this is not told."""
WORTH_WAITING = 0.03
"""A difference in time, a token, below this is not told."""


def of_memory(before: Estimate | None, after: Estimate | None) -> dict[str, str]:
    """Return what the changes take and save."""
    if not before or not after or before.total == after.total:
        return {}
    told = {"memory": f"{before.total / GIB:.1f} → {after.total / GIB:.1f} GiB"}
    if before.total - after.total > WORTH_SAYING:
        told["saves"] = f"{(before.total - after.total) / GIB:.1f} GiB"
    return told


def of_time(loadout: Loadout, before: Speed | None, after: Speed | None) -> dict[str, str]:
    """Return what the changes do to time at the typical pace: of the run where time or money is limited, else of a token.

    A token is what compares: a smaller batch makes a run shorter since less is learned from.
    """
    if before is None or after is None:
        return {}
    if before.seconds and after.seconds and any(s.knob in TIME_LIMITS for s in loadout.settings):
        return {"time": f"about {duration_words(before.seconds[1])} → {duration_words(after.seconds[1])}"}
    longer = before.tokens_per_s[1] / after.tokens_per_s[1] - 1
    return {"time": f"about {100 * longer:+.0f} % a token".replace("-", "−")} if abs(longer) >= WORTH_WAITING else {}
