"""Whether what a run will hold in main memory and write to disk has room here, before it begins."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recipeforge.runner.checkpoints import found
from recipeforge.runner.parts import PARTS
from recipeforge.runner.plan import Plan

OWN = 2
"""Checkpoints that stay where the recipe names no interval."""
_SPARE = 2**26
"""Tokenizer, plan, log, ledger."""


@dataclass(frozen=True)
class Files:
    """What a run writes, bytes."""

    result: int
    checkpoint: int
    checkpoints: int
    """How many there are at once, the one that is being written included."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.result + self.checkpoint * self.checkpoints + _SPARE


def files_of(plan: Plan, terms: Mapping[str, int]) -> Files | None:
    """Return what a plan will write, by the terms of its memory estimate; `None` where they are not known."""
    technique = PARTS.get(plan.part_in("technique"))
    if technique is None or "optimizer" not in terms:
        return None
    adapter = "adapter" in technique.traits
    result = terms.get("adapter" if adapter else "weights", 0)
    # An adapter lies in a checkpoint twice: as it loads, and as it trains.
    return Files(result, result * (2 if adapter else 1) + terms["optimizer"], _count(plan))


def _count(plan: Plan) -> int:
    every, steps = plan.values.get("train.save_every"), plan.values.get("train.steps")
    if every is None:
        return OWN + 1
    return max(1, int(steps) // int(every)) + 1 if steps is not None else OWN + 1


def disk_problem(plan: Plan, terms: Mapping[str, int], place: Path) -> tuple[str, str] | None:
    """Return message and help where the disk of `place` has too little room; `None` where it has enough, or nobody knows."""
    files = files_of(plan, terms)
    if files is None:
        return None
    already = sum(_size(folder) for folder in found(Path(plan.output))) if plan.output else 0
    free = shutil.disk_usage(place).free
    if files.total - already <= free:
        return None
    message = (
        f"the run writes about {_gib(files.total)} GiB (the result {_gib(files.result)}, {files.checkpoints} checkpoints of "
        f"{_gib(files.checkpoint)} each), and {_gib(free)} GiB are free in {place}"
    )
    return message, "Make room, save less often (`--save-every`), or name another disk in `train.output`."


def memory_problem(held: int, what: str) -> tuple[str, str] | None:
    """Return message and help where main memory cannot hold what the run holds; `what` begins the sentence about it."""
    free = free_memory()
    if free is None or held <= free:
        return None
    message = f"{what} {_gib(held)} GiB, and {_gib(free)} GiB of main memory are free"
    return message, "End what holds the rest, or `recipeforge solve --minimize memory` proposes what to change."


def free_memory() -> int | None:
    """Return the bytes of main memory that a new process may take, as far as Linux and its control group tell."""
    told: list[int] = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        told += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except OSError:
        return None
    group = Path("/sys/fs/cgroup")
    try:
        most, now = (group / "memory.max").read_text().strip(), (group / "memory.current").read_text().strip()
        if most != "max":
            told.append(max(0, int(most) - int(now)))
    except (OSError, ValueError):
        pass
    return min(told, default=None)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _gib(size: int) -> str:
    gib = size / 2**30
    return f"{gib:.1f}" if gib >= 0.1 else f"{gib:.3f}"
