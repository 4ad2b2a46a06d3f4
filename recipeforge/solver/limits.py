"""What a budget rule says in numbers: the amount that a recipe takes, the limit that it meets, and the limit in a phrase."""

from recipeforge.schemas.rule import Rule
from recipeforge.schemas.verdict import Estimate
from recipeforge.solver.budget_rules import BUDGET_SLACK, limit_gib
from recipeforge.solver.case import Case
from recipeforge.solver.memory import GIB
from recipeforge.solver.memory_budget import PRACTICES, card
from recipeforge.solver.speed_budget import KINDS, limit_seconds, usd_an_hour

LIKELY = {"memory-tight": "memory", "time-likely": "time", "cost-likely": "cost"}
"""Kind of budget that warns → the kind that finds the limit exceeded for certain, and says it better."""


def numbers_of(case: Case, rule: Rule, memory: Estimate | None) -> dict[str, str]:
    """Return what a budget rule's message inserts beside subjects."""
    if rule.budget in BUDGET_SLACK and memory:
        limit = limit_gib(rule, case.world.constants, case.world.facts)
        shown = card(case.world.catalog, case.loadout) if rule.budget in PRACTICES else None
        needed = shown.lavish if shown else memory.total
        return {"estimate_gib": f"{needed / GIB:.1f}", "limit_gib": f"{limit:g}" if limit else "?"}
    taken = next((b.amount(case.written) / 1000 for b in case.world.budgets if b.rule == rule.code), None)
    allowed = limit_seconds(case.world, rule) if rule.budget in KINDS else None
    if taken is None or allowed is None:
        return {}
    found = {"estimate_time": duration_words(taken), "limit_time": duration_words(allowed)}
    an_hour = usd_an_hour(case.world, KINDS[str(rule.budget)])
    if an_hour is not None:
        found |= {"estimate_usd": usd_words(taken / 3600 * an_hour), "limit_usd": usd_words(allowed / 3600 * an_hour)}
    return found


def phrase_of(case: Case, rule: Rule) -> str:
    """Return a budget rule as what has to hold."""
    if rule.budget in BUDGET_SLACK:
        limit = limit_gib(rule, case.world.constants, case.world.facts)
        return f"{rule.budget} has to stay within {limit:g} GiB, by the estimate" if limit else rule.slug
    numbers = numbers_of(case, rule, None)
    if not numbers:
        return rule.slug
    if str(rule.budget).startswith("cost"):
        return f"the cost has to stay within {numbers['limit_usd']} USD, by the estimate"
    return f"the time has to stay within {numbers['limit_time']}, by the estimate"


def fitted_words(rule: Rule) -> str:
    """Return what a recipe fits that keeps a budget rule."""
    return "the memory" if rule.budget in BUDGET_SLACK else "the cost" if str(rule.budget).startswith("cost") else "the time"


def duration_words(seconds: float) -> str:
    """Return a length of time in one unit, such as `45 s`, `12 min`, `3.2 h` or `4.5 days`."""
    if seconds < 90:
        return f"{seconds:.{0 if seconds >= 10 else 1}f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def usd_words(amount: float) -> str:
    """Return an amount of money, to the cent while that matters."""
    return f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}"
