"""A cohort of schedulers as a table, as sentences, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipeforge.runner.cohort.entrants import ENTRANTS
from recipeforge.runner.cohort.needs import DATA, MODEL
from recipeforge.runner.cohort.statistics import CUTOFF_SPREADS, LEVEL, deviation

if TYPE_CHECKING:
    from recipeforge.runner.cohort.results import Cohort
    from recipeforge.runner.cohort.statistics import Line, Summary

HEADER = ("", "scheduler", "peak rate", "val_loss", "val_acc", "behind the leader", "p (Holm)", "flags")
LEADER = "★"


def cells(line: Line) -> tuple[str, ...]:
    """Return a scheduler's row: star, name, rate, loss, accuracy, mean paired difference, adjusted p, flags."""
    paired = line.against_leader
    flags = [text for on, text in ((line.beyond, "beyond the cutoff"), (line.at_edge, "rate at an end of those tried")) if on]
    return (
        LEADER if line.leader else "",
        line.scheduler,
        f"{line.rate:.0e}",
        spread_words(line.losses, 4),
        spread_words(line.accuracies, 3),
        f"{paired.difference:+.4f}" if paired else "",
        f"{paired.adjusted:.2f}" if paired else "",
        "; ".join(flags),
    )


def spread_words(values: tuple[float, ...], digits: int) -> str:
    """Return mean ± standard deviation over seeds; the mean alone where there is one seed."""
    spread = deviation(values)
    centre = f"{sum(values) / len(values):.{digits}f}"
    return centre if spread is None else f"{centre} ± {spread:.{digits}f}"


def text_table(found: Summary) -> str:
    """Return the table for a terminal, with what it says underneath."""
    rows = [HEADER, *(cells(line) for line in found.lines)]
    wide = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    out = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows]
    return "\n".join([*out, "", *_told(found)]) + "\n"


def markdown_table(found: Summary) -> str:
    """Return the table as Markdown."""
    rows = [HEADER, ("---",) * len(HEADER), *(cells(line) for line in found.lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def tuning_table(cohort: Cohort) -> str:
    """Return what the choice of rates saw, as Markdown; empty where there was nothing to choose."""
    rates = cohort.setting.rates
    tried = {(job.entrant, job.rate): result.loss for job, result in cohort.done().items() if job.phase == "tune"}
    names = [name for name in ENTRANTS.names if any((name, rate) in tried for rate in rates)]
    if not names:
        return ""
    rows = [("scheduler", *(f"{rate:.0e}" for rate in rates)), ("---",) * (1 + len(rates))]
    for name in names:
        losses = [tried.get((name, rate)) for rate in rates]
        rows.append(
            (
                name,
                *(
                    f"{loss:.4f}" if loss is not None else "failed" if (name, r) in tried else ""
                    for loss, r in zip(losses, rates, strict=True)
                ),
            )
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def conditions(found: Summary) -> str:
    """Return what all runs shared, in one sentence."""
    s = found.setting
    rates = ", ".join(f"{rate:.0e}" for rate in s.rates)
    chosen = (
        f"peak rate chosen for each from {rates}, upwards while that lowered the loss on {s.tuning} other sentences, with a seed of its own"
        if len(s.rates) > 1
        else f"peak rate {rates} for all"
    )
    return (
        f"{MODEL} fine-tuned in full on {DATA}: {s.steps} steps of {s.batch}, bf16 autocast on a CPU, {s.validation} held-out sentences, "
        f"{len(found.seeds)} {'seed' if len(found.seeds) == 1 else 'seeds'}; {chosen}."
    )


def verdict(found: Summary) -> str:
    """Return what the cohort says about its leader, plainly."""
    leader = found.leader
    if leader is None:
        return "Nothing is measured yet."
    others = [line for line in found.lines[1:] if line.against_leader is not None]
    if not others:
        why = "one seed shows no spread" if len(found.lines) > 1 else "nobody else was measured"
        return f"No leader is separable: {leader.scheduler} has the lowest mean loss, and {why}."
    told = [line.scheduler for line in others if line.against_leader is not None and line.against_leader.separable]
    test = f"paired t-test over {len(found.seeds)} seeds, Holm-corrected, {LEVEL:.0%} level"
    if found.separable:
        return f"{leader.scheduler} leads, separable from all {len(others)} others ({test})."
    apart = f"from {', '.join(told)} it can be told apart" if told else "from none of the others can it be told apart"
    return f"No leader is separable: {leader.scheduler} has the lowest mean loss, but {apart} ({test})."


def scale_words(found: Summary) -> str:
    """Return how far apart schedulers lie beside how far apart one scheduler's own runs do; empty where there is one of either."""
    if len(found.lines) < 2 or len(found.seeds) < 2:
        return ""
    apart = found.lines[-1].loss - found.lines[0].loss
    own = sorted(max(line.losses) - min(line.losses) for line in found.lines)
    return (
        f"Best and worst mean lie {apart:.3f} apart; one scheduler's own runs lie {own[0]:.3f} to {own[-1]:.3f} apart, "
        f"{own[len(own) // 2]:.3f} in the middle of the cohort."
    )


def cutoff_words(found: Summary) -> str:
    """Return where the cutoff lies and who is beyond it; empty where there is none."""
    if found.cutoff is None or found.spread is None:
        return ""
    beyond = [line.scheduler for line in found.lines if line.beyond]
    return (
        f"Cutoff {found.cutoff:.4f}: the leader's mean loss plus {CUTOFF_SPREADS:g} times {found.spread:.4f}, the spread that is left once "
        f"schedulers' and seeds' own means are taken out. Beyond it: {', '.join(beyond) or 'nobody'}."
    )


def unranked_words(found: Summary) -> str:
    """Return who is not in the table; empty where everybody is."""
    return f"Not ranked, since a seed is missing or failed: {', '.join(found.unranked)}." if found.unranked else ""


def notes(found: Summary) -> list[str]:
    """Return what a reader has to know about single schedulers."""
    return [f"{line.scheduler}: {ENTRANTS[line.scheduler].note}" for line in found.lines if ENTRANTS[line.scheduler].note]


def sentence(found: Summary, line: Line) -> str:
    """Return one scheduler's result as a sentence that stands alone."""
    s = found.setting
    place = "lowest of" if line.leader else "beyond the cutoff of" if line.beyond else "within the cutoff of"
    numbers = f"val_loss {spread_words(line.losses, 4)}, val_acc {spread_words(line.accuracies, 3)} over {len(found.seeds)} seeds"
    where = f"{MODEL} on {s.validation} {DATA}, {s.steps} steps of {s.batch}, peak rate {line.rate:.0e}"
    return f"{line.scheduler}: {numbers}, {place} a cohort of {len(found.lines)} ({where})"


def data(cohort: Cohort, found: Summary) -> dict[str, Any]:
    """Return everything for a program."""
    return {
        "format": "recipeforge/cohort-summary/1",
        "conditions": conditions(found),
        "setting": vars(cohort.setting),
        "versions": dict(cohort.versions),
        "seeds": list(found.seeds),
        "verdict": verdict(found),
        "separable": found.separable,
        "cutoff": found.cutoff,
        "spread": found.spread,
        "unranked": list(found.unranked),
        "schedulers": [_line_data(line) for line in found.lines],
    }


def _line_data(line: Line) -> dict[str, Any]:
    paired = line.against_leader
    entrant = ENTRANTS[line.scheduler]
    return {
        "scheduler": line.scheduler,
        "component": entrant.component,
        "rate": line.rate,
        "rate_at_edge": line.at_edge,
        "val_loss": {"mean": line.loss, "sd": deviation(line.losses), "by_seed": list(line.losses)},
        "val_acc": {"mean": line.accuracy, "sd": deviation(line.accuracies), "by_seed": list(line.accuracies)},
        "leader": line.leader,
        "beyond_cutoff": line.beyond,
        "against_leader": vars(paired) | {"separable": paired.separable} if paired else None,
        "note": entrant.note,
    }


def _told(found: Summary) -> list[str]:
    return [text for text in (verdict(found), scale_words(found), cutoff_words(found), unranked_words(found), conditions(found)) if text]
