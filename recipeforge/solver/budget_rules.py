"""Rules that limit memory, time or money: their limits here and now, and their budgets in one world."""

from collections.abc import Iterable, Mapping

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.rule import Rule
from recipeforge.solver.budgets import Budget
from recipeforge.solver.memory import GIB
from recipeforge.solver.scope import in_scope
from recipeforge.solver.variables import Variables

BUDGET_SLACK = {"memory": 1.04, "memory-tight": 0.94}
"""Budget kind → what a device's limit is multiplied by; a limit that the recipe sets itself is meant as it is.

`memory` blocks only beyond the formula's own worst error; `memory-tight` warns from where the allocator's
overhead (docs/memory.md) may reach the limit.
"""
TIME_KINDS = ("time", "time-likely", "cost", "cost-likely")
"""Budget kinds that limit time, or cost by way of time."""
TIME_LIMITS = ("budget.wall_clock", "budget.cost_usd")
"""Knobs without which no time is judged."""


def budgets_of(over: Variables) -> Iterable[Budget]:
    """Return the budgets whose limit and model are known."""
    for rule in limiting(over.catalog, over.facts):
        if rule.budget in BUDGET_SLACK:
            limit = limit_bytes(rule, over.constants, over.facts)
            if limit is not None and (budget := _memory(over, rule, limit)):
                yield budget
        elif any(limit in over.constants for limit in TIME_LIMITS):
            from recipeforge.solver.speed_budget import time_budget

            if budget := time_budget(over, rule):
                yield budget


def limiting(catalog: Catalog, facts: Mapping[str, Fact]) -> Iterable[Rule]:
    """Return the rules with a budget that speak for this context."""
    return (rule for rule in catalog.rules.values() if rule.budget and in_scope(rule, facts))


def limit_bytes(rule: Rule, knobs: Mapping[str, Scalar], facts: Mapping[str, Fact]) -> int | None:
    """Return what the estimate must not exceed for a memory rule to hold; `None` without a known limit."""
    limit = limit_gib(rule, knobs, facts)
    slack = BUDGET_SLACK[str(rule.budget)] if any(s.startswith("gpu.") for s in rule.budget_limits) else 1
    return None if limit is None else int(limit * GIB * slack)


def limit_gib(rule: Rule, knobs: Mapping[str, Scalar], facts: Mapping[str, Fact]) -> float | None:
    """Return the smallest known limit of a memory rule, GiB."""
    limits = [knobs.get(s, facts.get(s)) for s in rule.budget_limits]
    numbers = [float(x) for x in limits if isinstance(x, int | float)]
    return min(numbers, default=None)


def _memory(over: Variables, rule: Rule, limit: int) -> Budget | None:
    from recipeforge.solver.memory_budget import memory_budget, relevant_knobs
    from recipeforge.solver.shapes import shared

    def build() -> Budget | None:
        return memory_budget(over, rule, 0)

    return shared(over, rule, relevant_knobs(), limit, build)
