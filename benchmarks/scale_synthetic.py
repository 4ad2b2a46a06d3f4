"""Synthetic catalogs of growing size: what each question costs us, and what it costs others."""

import re
from pathlib import Path

from scale_asked import PEER_S, Asked, compiled, prepare
from scale_changes import beside_rc2, measure_changes
from scale_peers import timed_peer
from scale_timing import NAIVE, OURS, Table, differences, heading, naive, timed

from dev.models.encoded import encoded
from dev.models.peers import PEERS, Peer, importable
from dev.models.synthetic import loadouts, synthetic
from recipeforge.solver.conflicts import Minimal, minimal_conflicts
from recipeforge.solver.consequences import Engine

NAIVE_SHARE = {50: 10, 200: 8, 1_000: 5, 10_000: 3}
"""Components for which the naive way is really gone."""
VERDICT, FIRST = "verdict, CP-SAT", "verdict"
STATUSES, STATUSES_BUDGETS = "all statuses, no budgets", "all statuses, three budgets"
COMPILE = "compile"
CONFLICTS, MOST_CONFLICTS = "all conflicts and corrections of picks", 1_000
GOALS = {
    (200, CONFLICTS): "goal 0.25/2",
    (200, VERDICT): "goal 0.6/1",
    (200, STATUSES_BUDGETS): "goal 0.4/5",
    (1_000, STATUSES_BUDGETS): "goal 2/6",
    (10_000, STATUSES_BUDGETS): "goal 200",
    (10_000, COMPILE): "goal 3,000",
}


def measure(components: int) -> Table:
    """Print and return the table of one size."""
    heading(f"synthetic, {components:,} components")
    table = Table()
    asked = prepare(components, budgets=3)
    ours(asked, table)
    with_budgets = [p for p in PEERS if importable(p.module) and p.module != "pysat"]
    peers(asked, table, STATUSES_BUDGETS, with_budgets)
    count = NAIVE_SHARE[components]
    some = range(0, components, components // count)[:count]
    table.record(STATUSES_BUDGETS, NAIVE, naive(asked.catalog.model.formula, asked.consistent[0], some, components))
    plain = prepare(components, budgets=0)
    table.record(STATUSES, OURS, timed(plain.engine.consequences, plain.consistent, rounds=3))
    peers(plain, table, STATUSES, [p for p in PEERS if importable(p.module)])
    beside_rc2(plain, table)
    return table


def ours(asked: Asked, table: Table) -> None:
    """Time our answers to every question."""
    formula, size = asked.catalog.model.formula, asked.catalog.components
    table.record(COMPILE, OURS, timed(compiled, [asked.catalog] * 3), GOALS.get((size, COMPILE), ""))
    cpsat = encoded(formula)
    once = timed(lambda p: cpsat.solve(p, None, limit_s=60.0), asked.picks, rounds=3)
    table.record(VERDICT, OURS, once, GOALS.get((size, VERDICT), ""))
    naive(formula, (), [0], 1)  # importing what it needs is not its answer
    table.record(VERDICT, NAIVE, timed(lambda p: naive(formula, p, [p[0]], 1), asked.picks[:8]))
    table.record(FIRST, OURS, timed(asked.engine.stands, asked.picks, rounds=3))
    clashing = asked.clashing
    table.record(CONFLICTS, OURS, timed(lambda p: conflicts(asked.engine, p), clashing, rounds=3), GOALS.get((size, CONFLICTS), ""))
    found = [conflicts(asked.engine, p) for p in clashing]
    print(f"  {'':<40} {sum(f.complete for f in found)} of {len(found)} complete, {max(len(f.conflicts) for f in found)} conflicts at most")
    measure_changes(asked, table)
    statuses = timed(asked.engine.consequences, asked.consistent, rounds=5)
    table.record(STATUSES_BUDGETS, OURS, statuses, GOALS.get((size, STATUSES_BUDGETS), ""))


def conflicts(engine: Engine, picks: list[int]) -> Minimal[int]:
    """Return all minimal conflicts among picks, and all minimal corrections."""
    return minimal_conflicts(picks, lambda part: not engine.stands(part), MOST_CONFLICTS, engine.shrunk)


def peers(asked: Asked, table: Table, question: str, which: list[type[Peer]]) -> None:
    """Time other solvers at the same question, and compare what they say."""
    formula, size = asked.catalog.model.formula, asked.catalog.components
    for kind in which:
        rows = (f"{COMPILE}, {question.removeprefix('all statuses, ')}", question)
        said = timed_peer(kind, formula, size, asked.consistent, PEER_S, table, rows)
        for picks, theirs in zip(asked.consistent, said, strict=False):
            here = asked.engine.consequences(picks)
            if here is None or here.undecided or differences(here, theirs, size):
                print(f"  MISMATCH with {kind.name} on {picks}")


def one_question(components: int) -> None:
    """Answer one question and print the most memory that this process ever held; run it in a process of its own."""
    catalog = synthetic(components)
    engine = compiled(catalog)
    found = engine.consequences(loadouts(catalog, 1)[0])
    assert found is not None
    # Not getrusage: what it says of a child starts at what its parent held.
    peak_mib = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))[0]) / 1024
    print(f"  one question about {components:,} components, from nothing: peak resident memory {peak_mib:.0f} MiB")
