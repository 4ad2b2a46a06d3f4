"""The engine against truth tables of random small formulas: clauses, groups, sums, and limits that are no sums.

`RECIPEFORGE_EXAMPLES=20000` asks about as many formulas; without it, 2,000.
"""

import os
from collections import Counter
from itertools import combinations

import pytest
from formulas import MOST_VARIABLES, questions, table
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dev.models.peers import rc2_repair
from recipeforge.solver.assignment import Assignment, GaveUp
from recipeforge.solver.cheapest import cheapest_changes
from recipeforge.solver.clauses import bits
from recipeforge.solver.conflicts import minimal_conflicts
from recipeforge.solver.consequences import Engine
from recipeforge.solver.formula import Formula
from recipeforge.solver.told import FormulaRules

EXAMPLES = int(os.environ.get("RECIPEFORGE_EXAMPLES", "2000"))
PHASES = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]
MANY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
FEWER = settings(MANY, max_examples=max(200, EXAMPLES // 5))
SEEN: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def told(saw):
    """Tell what the random formulas covered, and insist that every kind of answer was met often."""
    yield
    saw(f"engine against truth tables: {dict(sorted(SEEN.items()))}")
    if SEEN["questions"] >= 2000:  # not when a single test was asked for
        assert min(SEEN["conflicts"], SEEN["cheapest"]) > EXAMPLES // 100, SEEN
        assert min(SEEN[kind] for kind in ("void", "impossible", "forced", "blocked", "open")) > SEEN["questions"] // 50, SEEN


@MANY
@given(questions())
def test_statuses_equal_the_truth_table(question) -> None:
    compare(*question)


@FEWER
@given(questions())
def test_statuses_equal_the_truth_table_where_every_search_goes_to_cpsat(question) -> None:
    def give_up(*_: object) -> None:
        raise GaveUp

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Assignment, "mend", give_up)
        patch.setattr(Assignment, "reach", give_up)
        compare(*question)


@FEWER
@given(questions())
def test_conflicts_and_corrections_equal_the_truth_table(question) -> None:
    formula, drawn = question
    truth, picks = table(formula), sorted(set(drawn))
    if not truth.kept:
        return
    engine = Engine(formula)
    assert engine.stands(picks) == bool(truth.with_picks(picks))
    found = minimal_conflicts(picks, lambda part: not engine.stands(part), most=100, shrink=engine.shrunk)
    subsets = [frozenset(some) for k in range(len(picks) + 1) for some in combinations(picks, k)]
    clashing = {s for s in subsets if not truth.with_picks(sorted(s))}
    correcting = {frozenset(picks) - s for s in subsets if s not in clashing}
    assert found.complete
    assert set(found.conflicts) == {s for s in clashing if not any(other < s for other in clashing)}
    assert set(found.corrections) == {s for s in correcting if not any(other < s for other in correcting)}
    SEEN["conflicts"] += len(found.conflicts)


@FEWER
@given(questions(), st.lists(st.integers(0, 5), min_size=MOST_VARIABLES, max_size=MOST_VARIABLES))
def test_the_cheapest_changes_equal_the_truth_table(question, drawn: list[int]) -> None:
    formula, picks = question
    truth, engine = table(formula), Engine(formula)
    if engine.void:
        return
    default, costs = sum({1 << x for x in picks if x >= 0}), drawn[: formula.size]
    wanted, earlier = [], []
    while len(wanted) < 4:
        allowed = [a for a in bits(truth.kept) if not any(e & ~(a ^ default) == 0 for e in earlier)]
        if not allowed:
            break
        wanted.append(min(cost_of(a ^ default, costs) for a in allowed))
        found = cheapest_changes(FormulaRules(engine.index), default, costs, len(wanted), 10.0)
        assert [cost for _, cost in found] == wanted
        assert all(truth.kept >> a & 1 and cost == cost_of(a ^ default, costs) for a, cost in found)
        earlier = [sum(1 << v for v in bits(a ^ default) if costs[v]) for a, _ in found]
        if 0 in wanted:
            break
        SEEN["cheapest"] += 1


@FEWER
@given(questions(), st.integers(1, 4), st.integers(1, 4))
def test_maxsat_finds_the_same_cheapest_repair(question, add: int, drop: int) -> None:
    pytest.importorskip("pysat", reason="the extra `peers` brings python-sat")
    drawn, literals = question
    formula, picks = Formula(drawn.size, drawn.clauses, drawn.groups), sorted({x for x in literals if x >= 0})
    truth, default = table(formula), sum(1 << v for v in picks)
    costs = [drop if v in picks else add for v in range(formula.size)]
    wanted = min((cost_of(a ^ default, costs) for a in bits(truth.kept)), default=None)
    assert rc2_repair(formula, formula.size, picks, add, drop) == wanted


def cost_of(changed: int, costs: list[int]) -> int:
    return sum(costs[v] for v in bits(changed))


def compare(formula, picks) -> None:
    """Ask the engine and the table about the picks, about nothing, and about the picks once more: an answer leaves no trace."""
    truth, engine = table(formula), Engine(formula)
    assert engine.void == (not truth.kept)
    for asked in (picks, [], picks):
        left, found = truth.with_picks(asked), engine.consequences(asked)
        SEEN["questions"] += 1
        if not left:
            SEEN["impossible" if truth.kept else "void"] += 1
            assert found is None
            assert engine.model(asked) is None
            continue
        assert found is not None and not found.undecided
        assert found.forced == truth.forced(left)
        assert found.blocked == truth.blocked(left)
        model = engine.model(asked)
        assert model is not None and left >> model & 1, "an assignment that keeps all rules and has the picks"
        SEEN["forced"] += bool(found.forced)
        SEEN["blocked"] += bool(found.blocked)
        SEEN["open"] += len(found.forced | found.blocked) < formula.size
