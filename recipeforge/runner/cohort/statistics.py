"""What a cohort's numbers allow to be said: means, spread, a leader, who is behind, and whether the leader is separable.

Runs are paired: for one seed every scheduler saw the same sentences in the same order, and began from the same head. So schedulers are
compared by the mean of their differences within seeds, which the seeds' own ups and downs do not blur.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from recipeforge.runner.cohort.results import Cohort, Result
from recipeforge.runner.cohort.setting import Job, Setting
from recipeforge.schemas.errors import RunError

LEVEL = 0.05
CUTOFF_SPREADS = 2.0
"""Beyond the cutoff: this many residual spreads above the leader's mean loss."""


@dataclass(frozen=True)
class Paired:
    """A paired t-test of another scheduler against the leader."""

    difference: float
    """Mean of (other - leader)."""
    t: float
    p: float
    """Two-sided."""
    adjusted: float
    """After Holm's correction over all comparisons with the leader."""

    @property
    def separable(self) -> bool:
        """Whether the difference is more than chance at the level, after correction."""
        return self.adjusted < LEVEL


@dataclass(frozen=True)
class Line:
    """One scheduler's results."""

    scheduler: str
    rate: float
    at_edge: bool
    """The chosen rate is the lowest or highest that was tried: a better one may lie outside."""
    losses: tuple[float, ...]
    """By seed."""
    accuracies: tuple[float, ...]
    failed: tuple[str, ...] = ()
    leader: bool = False
    beyond: bool = False
    """Beyond the cohort's cutoff."""
    against_leader: Paired | None = None

    @property
    def loss(self) -> float:
        """Mean."""
        return mean(self.losses)

    @property
    def accuracy(self) -> float:
        """Mean."""
        return mean(self.accuracies)


@dataclass(frozen=True)
class Summary:
    """The cohort's table."""

    setting: Setting
    seeds: tuple[int, ...]
    """Those that every ranked scheduler has."""
    lines: tuple[Line, ...]
    """Best first."""
    unranked: tuple[str, ...]
    """Schedulers without a result for one of the seeds: failed, or not done yet."""
    spread: float | None
    """What is left of the losses' spread once schedulers' and seeds' means are taken out."""
    cutoff: float | None
    """The mean loss above which a scheduler is flagged."""

    @property
    def leader(self) -> Line | None:
        """The lowest mean loss."""
        return self.lines[0] if self.lines else None

    @property
    def separable(self) -> bool:
        """Whether the leader differs from every other scheduler by more than chance."""
        others = [line.against_leader for line in self.lines[1:]]
        return bool(others) and all(paired is not None and paired.separable for paired in others)


def chosen_rates(setting: Setting, names: Sequence[str], done: Mapping[Job, Result]) -> dict[str, float]:
    """Return each scheduler's rate: the one with the lowest loss on the tuning sentences, with a seed that nothing else uses.

    Raises:
        RunError: no rate of a scheduler came to an end.
    """
    if len(setting.rates) == 1:
        return dict.fromkeys(names, setting.rates[0])
    chosen = {name: best_rate(name, done) for name in names}
    for name, rate in chosen.items():
        if rate is None:
            raise RunError(f"{name} failed at the rates that were tried; try lower ones with --rates")
    return {name: rate for name, rate in chosen.items() if rate is not None}


def best_rate(name: str, done: Mapping[Job, Result], highest: float = math.inf) -> float | None:
    """Return the rate up to `highest` with the lowest tuning loss, the lower one of equals; `None` where no run came to an end."""
    tried = {job.rate: result.loss for job, result in done.items() if (job.phase, job.entrant) == ("tune", name)}
    found = [(loss, rate) for rate, loss in tried.items() if rate <= highest]
    ended = [(loss, rate) for loss, rate in found if loss is not None]
    return min(ended)[1] if ended else None


def summary(cohort: Cohort) -> Summary:
    """Return what the cohort says so far."""
    measured: dict[str, dict[int, Result]] = {}
    for job, result in cohort.done().items():
        if job.phase == "measure":
            measured.setdefault(job.entrant, {})[job.seed] = result
    seeds = tuple(sorted({seed for runs in measured.values() for seed in runs}))
    whole = {name: runs for name, runs in measured.items() if all(s in runs and runs[s].loss is not None for s in seeds)}
    lines = sorted((_line(cohort.setting, name, runs, seeds) for name, runs in whole.items()), key=lambda line: line.loss)
    spread = residual_spread([line.losses for line in lines])
    cutoff = lines[0].loss + CUTOFF_SPREADS * spread if lines and spread is not None else None
    tests = against_leader([line.losses for line in lines])
    ranked = tuple(
        replace(line, leader=index == 0, beyond=cutoff is not None and line.loss > cutoff, against_leader=tests[index])
        for index, line in enumerate(lines)
    )
    return Summary(cohort.setting, seeds, ranked, tuple(n for n in measured if n not in whole), spread, cutoff)


def _line(setting: Setting, name: str, runs: Mapping[int, Result], seeds: Sequence[int]) -> Line:
    rate = runs[seeds[0]].rate
    edge = len(setting.rates) > 1 and rate in (min(setting.rates), max(setting.rates))
    losses = tuple(loss for s in seeds if (loss := runs[s].loss) is not None)
    accuracies = tuple(accuracy for s in seeds if (accuracy := runs[s].accuracy) is not None)
    return Line(name, rate, edge, losses, accuracies)


# -- arithmetic ----------------------------------------------------------------------------------------------


def mean(values: Iterable[float]) -> float:
    """Return the mean."""
    values = tuple(values)
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation; `None` for fewer than two values."""
    if len(values) < 2:
        return None
    centre = mean(values)
    return math.sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - 1))


def residual_spread(rows: Sequence[Sequence[float]]) -> float | None:
    """Return the standard deviation of what rows' and columns' means do not explain; `None` for fewer than two of either."""
    if len(rows) < 2 or len(rows[0]) < 2:
        return None
    columns = [mean(column) for column in zip(*rows, strict=True)]
    centre = mean(columns)
    squares = sum((value - mean(row) - column + centre) ** 2 for row in rows for value, column in zip(row, columns, strict=True))
    return math.sqrt(squares / ((len(rows) - 1) * (len(columns) - 1)))


def against_leader(rows: Sequence[Sequence[float]]) -> list[Paired | None]:
    """Return a paired test of every row against the first; `None` for the first, and everywhere when there is but one seed."""
    if len(rows) < 2 or len(rows[0]) < 2:
        return [None] * len(rows)
    raw = [paired_t([b - a for a, b in zip(rows[0], row, strict=True)]) for row in rows[1:]]
    adjusted = holm([p for _, _, p in raw])
    return [None, *(Paired(d, t, p, q) for (d, t, p), q in zip(raw, adjusted, strict=True))]


def paired_t(differences: Sequence[float]) -> tuple[float, float, float]:
    """Return mean difference, t and two-sided p. Differences that are all the same have p 0, or 1 where they are zero."""
    centre, spread = mean(differences), deviation(differences)
    assert spread is not None
    if spread == 0:
        return centre, math.copysign(math.inf, centre) if centre else 0.0, 0.0 if centre else 1.0
    t = centre / (spread / math.sqrt(len(differences)))
    return centre, t, two_sided_p(t, len(differences) - 1)


def two_sided_p(t: float, degrees: int) -> float:
    """Return the probability that Student's t with these degrees of freedom lies further out, on either side.

    Source:
        Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4: finite sums for whole degrees of freedom.
    """
    theta = math.atan2(abs(t), math.sqrt(degrees))
    sine, cosine = math.sin(theta), math.cos(theta)
    if degrees % 2:
        term, total = cosine, 0.0
        for k in range(1, (degrees - 1) // 2 + 1):
            total += term
            term *= cosine * cosine * 2 * k / (2 * k + 1)
        inside = (theta + sine * total) * 2 / math.pi
    else:
        term, total = 1.0, 0.0
        for k in range(1, degrees // 2 + 1):
            total += term
            term *= cosine * cosine * (2 * k - 1) / (2 * k)
        inside = sine * total
    return min(1.0, max(0.0, 1.0 - inside))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return the probabilities after Holm's step-down correction for as many comparisons."""
    order = sorted(range(len(probabilities)), key=lambda i: probabilities[i])
    adjusted, highest = [0.0] * len(probabilities), 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, probabilities[index] * (len(probabilities) - place)))
        adjusted[index] = highest
    return adjusted
