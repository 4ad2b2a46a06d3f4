# The extra `bench` brings matplotlib.
# pyright: reportMissingImports=false
"""The picture of growth: median time of one question over the number of components, both logarithmic."""

import time
from pathlib import Path

from scale_synthetic import STATUSES, STATUSES_BUDGETS
from scale_timing import CLOCK, NAIVE, OURS, Table, exponent

PANELS = ((STATUSES_BUDGETS, "with three budgets"), (STATUSES, "without budgets"))
COLOURS = {
    OURS: "#d1495b",
    "python-sat cadical153": "#00798c",
    "python-sat glucose4": "#66a182",
    "clingo": "#edae49",
    "z3": "#8d6cab",
    NAIVE: "#555555",
}


def draw(tables: dict[int, Table], path: Path) -> None:
    """Write the picture; each line bears its name and the exponent of the power law that fits it."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(12, 5.2), sharey=True)
    for axes, (question, title) in zip(panels, PANELS, strict=True):
        ends: list[tuple[float, float, str, str]] = []
        for who, colour in COLOURS.items():
            points = [(n, table.rows[question][who].p50) for n, table in tables.items() if who in table.rows.get(question, {})]
            if len(points) < 2:
                continue
            sizes, times = zip(*points, strict=True)
            axes.loglog(sizes, times, marker="o", color=colour, linewidth=2.6 if who == OURS else 1.5, zorder=3 if who == OURS else 2)
            ends.append((times[-1], sizes[-1], f"{who}  $n^{{{exponent(sizes, times):.2f}}}$", colour))
        _label(axes, ends)
        axes.set(title=f"Status of every component, {title}", xlabel="components", xlim=(40, 900_000))
        axes.set_xticks(list(tables), [f"{n:,}" for n in tables])
        axes.minorticks_off()
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    clock = "CPU milliseconds" if CLOCK[0] is time.process_time else "milliseconds"
    panels[0].set_ylabel(f"{clock}, median of warm calls")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    print(f"\n{path}")


def _label(axes: object, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each line's name at its end, far enough from the one below it to be read; above it where other lines go on."""
    below: dict[float, float] = {}
    largest = max(size for _, size, _, _ in ends)
    for ms, size, text, colour in sorted(ends):
        height = max(ms, below.get(size, 0) * 1.9)
        below[size] = height
        place = (size * 1.3, height) if size == largest else (size * 0.5, height * 3)
        axes.annotate(text, (size, ms), place, color=colour, va="center", fontsize=9)  # type: ignore[attr-defined]
