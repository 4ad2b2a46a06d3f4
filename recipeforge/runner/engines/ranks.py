"""The processes that train one model together, as the training loop sees them. `ALONE` is one process; see `together` for several.

What all of them do in the same order is a meeting: `stops`, `first`, `total`, `every`, `gathered`, and each forward pass of a model whose
weights are split.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


@dataclass(frozen=True)
class Whole:
    """What lies split over processes, put together: on the first one, elsewhere empty."""

    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """Those that train, and in full training all."""
    optimizers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


class Ranks:
    """One process: every question has its answer here."""

    rank = 0
    size = 1

    def loading_device(self, device: torch.device) -> torch.device:
        """Return where a model is loaded that will train on `device`."""
        return device

    def spread(self, model: Any, device: torch.device) -> Any:
        """Return the model as these processes hold it."""
        return model

    def net(self, model: Any) -> Any:
        """Return what a forward pass of training goes through."""
        return model

    def backward(self, net: Any, last: bool) -> AbstractContextManager[Any]:
        """Return the context of one micro-batch; gradients meet in the last one of a step."""
        return nullcontext()

    def dealt(self, batches: Sequence[T]) -> Sequence[T]:
        """Return this process's share of a step's micro-batches."""
        return batches[self.rank :: self.size]

    def stops(self, asked: bool, number: int) -> bool:
        """Return whether all end before micro-batch `number` of a step."""
        return asked

    def first(self, number: int) -> int:
        """Return what the first process says."""
        return number

    def total(self, number: float) -> float:
        """Return the sum over all processes."""
        return number

    def every(self, thing: T) -> list[T]:
        """Return what each process has, on the first one; elsewhere nothing."""
        return [thing]

    def gathered(self, model: Any, optimizers: Sequence[Any] = (), everything: bool = True) -> Whole | None:
        """Put together what is split; `None` where nothing is. Without `everything` only the weights that train."""
        return None

    def loaded(self, optimizer: Any, state: dict[str, Any]) -> dict[str, Any]:
        """Return an optimizer's state as `load_state_dict` wants it, from that of a checkpoint."""
        return state


ALONE = Ranks()
