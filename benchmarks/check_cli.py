"""Whole-process `recipeforge check` beside what a trainer's own validation has to import first.

    python benchmarks/check_cli.py [--rounds 15] [RECIPE ...]

Every process is a fresh one and bytecode is compiled beforehand, as after an installation. Nothing is asserted.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("transformers", "peft")
GOAL_MS = 200
GOAL_RATIO = 20


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Return the wall-clock time of one process."""
    started = time.perf_counter()
    done = subprocess.run(command, env=env, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT)
    elapsed = time.perf_counter() - started
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr.decode()}")
    return elapsed


def measured(command: list[str], env: dict[str, str], rounds: int) -> tuple[float, float]:
    """Return median and 90th percentile in milliseconds; the first process warms caches and does not count."""
    seconds(command, env)
    times = sorted(1000 * seconds(command, env) for _ in range(rounds))
    return statistics.median(times), times[min(len(times) - 1, int(0.9 * len(times)))]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", type=Path, default=sorted((ROOT / "examples").glob("*.yaml")))
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env |= {"PYTHONPYCACHEPREFIX": folder, "RECIPEFORGE_CACHE": folder}
        rows = [("python -c pass", *measured([sys.executable, "-c", "pass"], env, args.rounds))]
        for recipe in args.recipes:
            command = [sys.executable, "-m", "recipeforge", "check", str(recipe)]
            rows.append((f"recipeforge check {recipe.name}", *measured(command, env, args.rounds)))
        peers = [peer for peer in PEERS if find_spec(peer)]
        peer_ms = None
        if peers:
            command = [sys.executable, "-c", f"import {', '.join(peers)}"]
            peer_ms, slow = measured(command, env, max(3, args.rounds // 5))
            rows.append((f"python -c 'import {', '.join(peers)}'", peer_ms, slow))
    wide = max(len(name) for name, *_ in rows)
    print(f"{'whole process':<{wide}}  {'median':>9}  {'p90':>9}  {'imports / this':>14}")
    for name, median, slow in rows:
        ratio = f"{peer_ms / median:.1f} x" if peer_ms else "-"
        print(f"{name:<{wide}}  {median:>6.0f} ms  {slow:>6.0f} ms  {ratio:>14}")
    print(f"goals: check at most {GOAL_MS} ms, and at least {GOAL_RATIO} x faster than the imports")


if __name__ == "__main__":
    main()
