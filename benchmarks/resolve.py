"""How fast the solver answers on the shipped catalog: every rule's bad and good example, in one warm process.

    python benchmarks/resolve.py [--naive N]

Prints p50 and p99 in milliseconds: the verdict, the verdict with all statuses, three proven repairs; and, with
`--naive N`, the ratio to asking CP-SAT about each component of N recipes with a model built anew and default parameters.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.solver.case import case_of
from recipeforge.solver.clauses import bits
from recipeforge.solver.repair import repairs
from recipeforge.solver.resolve import resolve
from recipeforge.solver.statuses import statuses

ROUNDS = 5


def examples(catalog: Catalog) -> Iterable[Loadout]:
    """Yield the loadouts of all examples."""
    for rule in catalog.rules.values():
        if rule.example:
            for text in (rule.example.bad, rule.example.good):
                loadout = read(parse(text, "example.yaml"), catalog).loadout
                if loadout is not None:
                    yield loadout


def timed(question: Callable[[Loadout], object], loadouts: list[Loadout]) -> list[float]:
    """Return milliseconds a call; each loadout is asked once before its calls count."""
    found: list[float] = []
    for loadout in loadouts:
        question(loadout)
        for _ in range(ROUNDS):
            fresh = replace(loadout)  # what is remembered about one loadout must not count
            start = time.perf_counter()
            question(fresh)
            found.append((time.perf_counter() - start) * 1e3)
    return sorted(found)


def row(name: str, times: list[float]) -> None:
    """Print one line of the table."""
    print(f"{name:<44}{statistics.median(times):>9.2f}{times[int(len(times) * 0.99)]:>9.2f}{len(times):>9}")


def naive_ms(loadout: Loadout, catalog: Catalog) -> float:
    """Return milliseconds for one CP-SAT model and one solve a component, default parameters."""
    from ortools.sat.python import cp_model

    world, picks = case_of(catalog, loadout).world, case_of(catalog, loadout).picks
    start = time.perf_counter()
    for component in world.component_var.values():
        model = cp_model.CpModel()
        variables = [model.new_bool_var("") for _ in range(world.size)]
        for clause in world.clauses:
            if clause.hard:
                model.add_bool_or([variables[v] for v in bits(clause.positive)] + [variables[v].negated() for v in bits(clause.negative)])
        for group in world.groups:
            model.add_at_most_one([variables[v] for v in bits(group.members)])
        for v in {*bits(picks), component}:
            model.add(variables[v] == 1)
        cp_model.CpSolver().solve(model)
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--naive", type=int, default=0, metavar="N")
    args = parser.parse_args()
    catalog = load()
    loadouts = list(examples(catalog))
    broken = [x for x in loadouts if case_of(catalog, x).broken_hard]
    gc.collect()
    gc.freeze()  # as the language server does: the catalog and the modules stay out of every later collection
    print(f"{len(catalog.components)} components, {len(catalog.rules)} rules; {len(loadouts)} recipes, {len(broken)} of them broken")
    print(f"{'milliseconds':<44}{'p50':>9}{'p99':>9}{'calls':>9}")
    row("verdict, all violations", timed(lambda x: resolve(catalog, x), loadouts))
    both = timed(lambda x: (resolve(catalog, x), statuses(catalog, x)), loadouts)
    row("verdict and the status of every component", both)
    row("three ranked, proven repairs", timed(lambda x: repairs(catalog, x, 3), broken))
    for loadout in loadouts[:: max(1, len(loadouts) // args.naive)][: args.naive] if args.naive else []:
        naive = naive_ms(loadout, catalog)
        ours = statistics.median(timed(lambda x: statuses(catalog, x), [loadout]))
        print(f"  statuses of one recipe: naive CP-SAT {naive:.0f} ms, ours {ours:.2f} ms, ratio {naive / ours:.0f}")


if __name__ == "__main__":
    main()
