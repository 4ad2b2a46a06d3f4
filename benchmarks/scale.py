"""How answers grow: our engine beside other solvers, on synthetic catalogs and on feature models of real systems.

    python benchmarks/scale.py [--sizes 50 200 1000 10000] [--models NAME …] [--plot FILE] [--cpu]

Prints p50 and p99 of warm calls, and how many times longer others take for the same question. `--sizes` or `--models` with nothing
after it leaves that part out. `naive CP-SAT` builds a model anew for each component and asks with default parameters; it is extrapolated
from a few components. Peers (the extra `bench`) that are not installed are left out. The feature models are read from
`../shared/reference/feature-models` where that is there.
"""

import argparse
import gc
import subprocess
import sys
import time
from pathlib import Path

from scale_models import MODELS, measure_model
from scale_plot import draw
from scale_synthetic import measure, one_question
from scale_timing import CLOCK, Table

from dev.models.peers import PEERS, importable

SIZES = (50, 200, 1_000, 10_000)
PLOT = Path(__file__).parent / "plots/scale.png"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, choices=SIZES)
    parser.add_argument("--models", nargs="*", default=list(MODELS), metavar="NAME")
    parser.add_argument("--plot", type=Path, default=None, help=f"write the picture of growth, say to {PLOT}")
    parser.add_argument("--cpu", action="store_true", help="CPU time instead of time on the wall, for a machine that is busy otherwise")
    parser.add_argument("--one-question", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one_question:
        one_question(args.one_question)
        return
    missing = [p.name for p in PEERS if not importable(p.module)]
    print(f"not installed, left out: {', '.join(missing)}" if missing else "peers: " + ", ".join(p.name for p in PEERS))
    if args.cpu:
        CLOCK[0] = time.process_time
        print("CPU time of this process, of naive CP-SAT that of all its threads together; flamapy by the clock on the wall")
    gc.collect()
    gc.freeze()  # as the language server does: what is there already stays out of every later collection
    tables: dict[int, Table] = {size: measure(size) for size in args.sizes}
    for size in args.sizes[-1:]:
        print(flush=True)
        subprocess.run([sys.executable, __file__, "--one-question", str(size)], check=True)
    for name in args.models:
        measure_model(name)
    if args.plot:
        draw(tables, args.plot)


if __name__ == "__main__":
    main()
