"""The commands' own questions on catalogs that are larger than the shipped one.

    python benchmarks/scale_product.py [--sizes 50 200 1000]

Synthetic catalogs as real ones: components, slots, knobs and rules, without budgets. Half of the recipes clash. CPU time in milliseconds.
Statuses come with the rule and the part in the way of every blocked component, and with what has to come along; the engine's only say
forced, blocked or open.
"""

import argparse
import resource
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from dev.models.as_catalog import as_catalog, as_loadout
from dev.models.synthetic import loadouts, synthetic
from recipeforge.solver.case import case_of
from recipeforge.solver.repair import rank
from recipeforge.solver.resolve import resolve
from recipeforge.solver.statuses import statuses

T = TypeVar("T")
RECIPES = 40


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200, 1_000])
    for size in parser.parse_args().sizes:
        measure(size)


def measure(size: int) -> None:
    """Ask about one catalog."""
    drawn = synthetic(size)
    catalog = as_catalog(drawn)
    times: dict[str, list[float]] = {}
    kinds: Counter[str] = Counter()

    def timed(name: str, ask: Callable[[], T]) -> T:
        start = time.process_time()
        answer = ask()
        times.setdefault(name, []).append((time.process_time() - start) * 1e3)
        return answer

    for number, picks in enumerate(loadouts(drawn, RECIPES)):
        recipe = as_loadout(catalog, picks)
        timed("world" if not number else "case", lambda: case_of(catalog, recipe))  # noqa: B023 (asked at once)
        kinds[timed("verdict", lambda: resolve(catalog, recipe)).kind] += 1  # noqa: B023
        timed("statuses with reasons", lambda: statuses(catalog, recipe))  # noqa: B023
        timed("three repairs", lambda: rank(catalog, recipe, limit_s=30))  # noqa: B023
    print(f"\n{size} components, {len(catalog.rules)} rules, {dict(kinds)}, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")
    for name, taken in times.items():
        taken.sort()
        print(f"  {name:24} p50 {taken[len(taken) // 2]:10.2f}   p99 {taken[int(len(taken) * 0.99)]:10.2f}")


if __name__ == "__main__":
    main()
