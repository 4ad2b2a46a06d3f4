"""How many recipes a second one core judges: `recipeforge.api.batch` over every rule's bad and good example.

    python benchmarks/batch.py [--rounds 5] [--jobs N] [--profile]

Whole reports: text in, verdict, findings with places and citations, estimate. Each round shuffles the recipes and gives every text
another name, so that no two texts are the same. A first round fills what a process remembers and is printed apart. Seconds are
those of the processor, which a busy machine prolongs less than those of the clock; with `--jobs` above 1 they are the clock's.
"""

import argparse
import cProfile
import pstats
import random
import statistics
import time
from collections import Counter

from recipeforge.api.whatif import batch
from recipeforge.catalog.load import load


def recipes(round_: int) -> list[str]:
    """Return all examples, in an order and under names of this round's own."""
    rules = [rule for rule in load().rules.values() if rule.example]
    texts = [f"{text}\nname: round-{round_}\n" for rule in rules if rule.example for text in (rule.example.bad, rule.example.good)]
    random.Random(round_).shuffle(texts)
    return texts


def main() -> None:
    """Print recipes a second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="print where the time of the rounds goes")
    args = parser.parse_args()
    clock = time.process_time if args.jobs == 1 else time.perf_counter
    speeds: list[float] = []
    profile, kinds = cProfile.Profile(), Counter[str]()
    for round_ in range(args.rounds + 1):
        texts = recipes(round_)
        if args.profile and round_:
            profile.enable()
        start = clock()
        reports = list(batch(texts, jobs=args.jobs))
        speeds.append(len(texts) / (clock() - start))
        profile.disable()
        kinds = Counter(report.verdict.kind for report in reports)
    print(f"{sum(kinds.values())} recipes a round ({', '.join(f'{n} {kind}' for kind, n in kinds.most_common())}), {args.jobs} process(es)")
    print(f"first round {speeds[0]:.0f} recipes/s; then median {statistics.median(speeds[1:]):.0f}, best {max(speeds[1:]):.0f}")
    if args.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
