# The extra `bench` brings matplotlib.
# pyright: reportMissingImports=false
"""The picture of a cohort: every run's held-out loss, and how far each scheduler lies behind the leader.

python benchmarks/schedulers_plot.py [RESULTS [PICTURE]]
"""

import math
import sys
from pathlib import Path

from recipeforge.runner.cohort.results import FILE, read
from recipeforge.runner.cohort.statistics import Summary, deviation, mean, summary, two_sided_p

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "schedulers" / FILE
PICTURE = HERE / "plots" / "schedulers.png"
MARKERS = "osD^vPX*"
LEADER, OTHERS, BEYOND = "#d1495b", "#00798c", "#8a8a8a"


def draw(found: Summary, path: Path) -> None:
    """Write the picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    lines = found.lines
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 1.6 + 0.42 * len(lines)), sharey=True, width_ratios=(3, 2))
    critical = _critical(len(found.seeds) - 1)
    for place, line in enumerate(lines):
        colour = LEADER if line.leader else BEYOND if line.beyond else OTHERS
        for seed, loss in zip(found.seeds, line.losses, strict=True):
            left.plot(loss, place, MARKERS[seed % len(MARKERS)], color=colour, markersize=6, alpha=0.55, markeredgewidth=0)
        left.plot([line.loss] * 2, [place - 0.3, place + 0.3], color=colour, linewidth=2.6)
        if not line.leader:
            differences = [b - a for a, b in zip(lines[0].losses, line.losses, strict=True)]
            half = critical * (deviation(differences) or 0.0) / math.sqrt(len(differences))
            right.errorbar(mean(differences), place, xerr=half, fmt="o", color=colour, capsize=3)
    for seed in found.seeds:
        left.plot([], [], MARKERS[seed % len(MARKERS)], color="#555555", label=f"seed {seed}")
    if found.cutoff is not None:
        left.axvline(found.cutoff, color="#555555", linestyle="--", linewidth=1, label=f"cutoff {found.cutoff:.3f}")
    names = [f"{line.scheduler}{' ★' if line.leader else ''}  ({line.rate:.0e})" for line in lines]
    left.set_yticks(range(len(lines)), names)
    left.set_ylabel("scheduler (peak rate)")
    left.invert_yaxis()
    left.set(xlabel="held-out loss, nats; the bar is the mean of the seeds", title="Every run")
    left.legend(loc="best", fontsize=9, framealpha=0.9)
    right.axvline(0, color=LEADER, linewidth=1)
    right.set(xlabel="loss minus the leader's within a seed: mean, 95 % interval", title=f"Behind {lines[0].scheduler}")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(axis="x", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    setting = found.setting
    told = "leader separable" if found.separable else "no leader is separable"
    figure.suptitle(f"Schedulers on MiniLM-L6 and Rotten Tomatoes, {setting.steps} steps of {setting.batch}: {told}", fontsize=12)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    print(path)


def _critical(degrees: int) -> float:
    """Return Student's t for a two-sided 95 % interval."""
    low, high = 0.0, 1000.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, degrees) > 0.05 else (low, middle)
    return low


if __name__ == "__main__":
    given = [Path(word) for word in sys.argv[1:]]
    draw(summary(read(given[0] if given else RESULTS)), given[1] if len(given) > 1 else PICTURE)
