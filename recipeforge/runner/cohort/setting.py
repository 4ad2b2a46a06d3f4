"""What all runs of a cohort share, and which runs there are."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Phase = Literal["tune", "measure"]


@dataclass(frozen=True)
class Setting:
    """The conditions. Runs under different ones are not compared."""

    steps: int = 64
    batch: int = 16
    validation: int = 1024
    """Sentences on which results are measured."""
    tuning: int = 256
    """Other sentences, on which the learning rate is chosen."""
    watched: int = 96
    """The first of the tuning sentences: what schedules that follow a held-out loss see."""
    watch_every: int = 4
    """Steps between two looks at them."""
    tokens: int = 64
    """Longer sentences are cut."""
    rates: tuple[float, ...] = (1e-4, 2e-4, 4e-4)
    """Peak learning rates, from the lowest up. A scheduler tries the next one while the last step up lowered its loss."""
    tuning_seed: int = 1000
    """The seed of the runs that choose a rate; no result comes from it."""

    def __post_init__(self) -> None:
        if not self.rates or list(self.rates) != sorted(set(self.rates)):
            raise ValueError(f"rates {self.rates} do not rise")
        for name in ("steps", "batch", "validation", "tuning", "watched", "watch_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, and at least 1 is needed")

    @property
    def digest(self) -> str:
        """Name of these conditions: twelve hexadecimal digits."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Job:
    """One run to be."""

    phase: Phase
    entrant: str
    rate: float
    seed: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.entrant}, seed {self.seed}, rate {self.rate:g}"


def tuning_jobs(setting: Setting, entrants: Sequence[str], rate: float) -> Iterator[Job]:
    """Yield the runs that try one rate."""
    for entrant in entrants:
        yield Job("tune", entrant, rate, setting.tuning_seed)


def measuring_jobs(entrants: Sequence[str], rates: dict[str, float], seeds: int) -> Iterator[Job]:
    """Yield the runs that count, seed by seed: an interrupted cohort is paired as far as it goes."""
    for seed in range(seeds):
        for entrant in entrants:
            yield Job("measure", entrant, rates[entrant], seed)
