"""A run: what a finished, failed or interrupted training really did. One row of the ledger."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from recipeforge.schemas.record import record

RunState = Literal["running", "finished", "failed", "interrupted"]
Cause = Literal["", "out-of-memory", "disk-full", "not-finite", "data", "killed"]


@record
class Run:
    """One execution of one recipe."""

    id: str
    """Short, sortable by start time."""
    name: str
    state: RunState
    recipe_path: str
    recipe_sha256: str
    catalog_hash: str
    seed: int
    started: str
    """ISO time with zone."""
    seconds: float = 0.0
    """Wall-clock time of training, loading excluded."""
    steps: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    """Such as `heldout_loss_before`, `heldout_loss_after`, `train_loss_last`, `tokens_per_second`."""
    peak_memory_bytes: int | None = None
    """Measured: device peak on a GPU, resident set high-water mark on a CPU."""
    peak_memory_kind: str = ""
    """How it was measured: `cuda-max-allocated`, `rss-delta` …"""
    estimate_bytes: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Package → version, Python included."""
    hardware: Mapping[str, str] = field(default_factory=dict[str, str])
    output: str = ""
    """Folder with the adapter or checkpoint."""
    message: str = ""
    """What ended it, for failed and interrupted runs."""
    cause: Cause = ""
    """The same in a word, where it is one that something can be done about."""
    folder: str = ""
    """The run's own folder: recipe, plan, log, checkpoints and result."""
    smoke: bool = False
    """Whether it was to do a few steps only and keep nothing."""
