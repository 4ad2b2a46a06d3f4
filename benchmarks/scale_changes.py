"""Repairs and completions of synthetic loadouts, ours and those of MaxSAT."""

from scale_asked import PEER_S, Asked
from scale_timing import OURS, Table, timed

from dev.models.peers import importable, rc2_repair
from recipeforge.solver.cheapest import cheapest_changes
from recipeforge.solver.told import FormulaRules

REPAIRS, BEST_REPAIR, COMPLETION = "top-3 repairs, proven", "best repair, no budgets", "best completion, proven"
ADD, DROP, REPAIR_S = 100, 400, 30.0
RC2_COUNTS = {50: 12, 200: 12, 1_000: 8, 10_000: 2}
GOALS = {
    (200, REPAIRS): "goal 5/13",
    (200, COMPLETION): "goal 1/2",
    (1_000, REPAIRS): "goal 80/115",
    (10_000, REPAIRS): "goal 2,000",
}


def measure_changes(asked: Asked, table: Table) -> None:
    """Time our repairs and completions."""
    size = asked.catalog.components
    table.record(REPAIRS, OURS, timed(lambda p: repairs(asked, p, 3), asked.clashing), GOALS.get((size, REPAIRS), ""))
    table.record(COMPLETION, OURS, timed(lambda p: completion(asked, p), asked.consistent), GOALS.get((size, COMPLETION), ""))


def repairs(asked: Asked, picks: list[int], count: int) -> list[tuple[int, int]]:
    """Return the cheapest changes that make picks stand together, in full assignments and their costs."""
    costs = [ADD] * asked.catalog.components + [0] * (asked.catalog.model.formula.size - asked.catalog.components)
    for v in picks:
        costs[v] = DROP
    return changes(asked, picks, costs, count)


def completion(asked: Asked, picks: list[int]) -> list[tuple[int, int]]:
    """Return the cheapest assignment with all picks in it; components differ in what they cost."""
    costs = [1 + v * 7919 % 97 for v in range(asked.catalog.components)]
    costs += [0] * (asked.catalog.model.formula.size - asked.catalog.components)
    for v in picks:
        costs[v] = 1_000_000
    return changes(asked, picks, costs, 1)


def changes(asked: Asked, picks: list[int], costs: list[int], count: int) -> list[tuple[int, int]]:
    """Ask for the cheapest assignments beside the picks alone."""
    found = cheapest_changes(FormulaRules(asked.engine.index), sum(1 << v for v in picks), costs, count, REPAIR_S)
    assert found, f"no repair within {REPAIR_S:g} s"  # fewer than asked for is an answer: each has to differ from the earlier ones
    return found


def beside_rc2(asked: Asked, table: Table) -> None:
    """Time one best repair by MaxSAT, which knows no budgets, beside ours, and compare what they cost."""
    clashing = asked.clashing[: RC2_COUNTS[asked.catalog.components]]
    table.record(BEST_REPAIR, OURS, timed(lambda p: repairs(asked, p, 1), clashing))
    if not importable("pysat"):
        return
    formula, size, costs = asked.catalog.model.formula, asked.catalog.components, list[int | None]()
    best = timed(lambda p: costs.append(rc2_repair(formula, size, p, ADD, DROP)), clashing, most_s=PEER_S)
    table.record(BEST_REPAIR, "python-sat RC2", best)
    for picks, cost in zip(clashing, costs, strict=False):
        ours = repairs(asked, picks, 1)[0][1]
        if ours != cost:
            print(f"  MISMATCH with RC2: {ours} here, {cost} there on {picks}")
