"""Everything that decides how training goes on after a step, taken from a run and put back. Runs in the training process."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy
import torch
from torch import Tensor

from recipeforge.runner.engines.ranks import ALONE, Ranks
from recipeforge.schemas.errors import RunError

FILE = "training_state.pt"
_SAMPLED = 64
"""Numbers of each frozen weight that are looked at: enough to tell another model from this one."""
_ALIGNED = 64
"""Where torch's own allocator puts tensors, bytes."""


@dataclass(frozen=True)
class Draws:
    """Where every source of random numbers stands."""

    python: Any
    numpy: Any
    cpu: Tensor
    cuda: list[Tensor]

    @classmethod
    def now(cls) -> "Draws":
        """Note where they stand."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        return cls(random.getstate(), numpy.random.get_state(), torch.get_rng_state(), cuda)

    def again(self) -> None:
        """Put them back there."""
        random.setstate(self.python)
        numpy.random.set_state(self.numpy)
        torch.set_rng_state(self.cpu)
        if self.cuda and len(self.cuda) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(self.cuda)


@dataclass
class Progress:
    """What a run knows about itself, besides tensors."""

    step: int = 0
    seconds: float = 0.0
    """Of training."""
    since_start: float = 0.0
    """Of the whole run, for its time budget."""
    metrics: list[tuple[int, str, float]] = field(default_factory=list[tuple[int, str, float]])
    """The last ones told, since who was told may have died before it wrote them down."""
    summary: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class State:
    """A training state as it lies in a checkpoint."""

    progress: Progress
    draws: Draws
    optimizers: list[dict[str, Any]]
    schedulers: list[dict[str, Any]]
    weights: dict[str, Tensor] | None
    """Weights that train, as they were while training; `None` where the checkpoint's model is just that."""
    marks: dict[str, str]
    """What must be the same when training goes on: data, frozen weights; and what had better be: threads."""
    others: list[Draws] = field(default_factory=list[Draws])
    """Where random numbers stand in the other processes that train with this one."""

    def save(self, folder: Path) -> None:
        """Write it."""
        with (folder / FILE).open("wb") as file:  # torch's own writer does not say why it cannot write
            others = [vars(draws) for draws in self.others]
            torch.save({**vars(self), "progress": vars(self.progress), "draws": vars(self.draws), "others": others}, file)

    @classmethod
    def load(cls, folder: Path) -> "State":
        """Read what `save` wrote. The file is our own and its hash was checked, so its Python objects are trusted."""
        raw = torch.load(folder / FILE, map_location="cpu", weights_only=False)
        others = [Draws(**draws) for draws in raw.get("others", ())]
        return cls(**raw | {"progress": Progress(**raw["progress"]), "draws": Draws(**raw["draws"]), "others": others})

    def draws_of(self, rank: int) -> Draws:
        """Return where random numbers stood in one of the processes."""
        return [self.draws, *self.others][rank]


def training_weights(model: Any) -> dict[str, Tensor]:
    """Return copies of the weights that train, and of numbers the model keeps besides, by name."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    return {name: tensor.detach().cpu().clone() for name, tensor in (*named, *_kept(model))}


def _kept(model: Any) -> list[tuple[str, Tensor]]:
    """Buffers that a model saves with its weights; those of a frozen, quantized base are its weights, and no part of them."""
    saved = {name for name, _ in model.named_buffers()} & set(model.state_dict())
    return [(n, b) for n, b in model.named_buffers() if n in saved and torch.is_floating_point(b) and "base_layer" not in n]


def put_back(model: Any, weights: dict[str, Tensor]) -> None:
    """Write weights into a model that was built as the one they came from.

    Raises:
        RunError: it has others.
    """
    there = dict(model.named_parameters()) | dict(model.named_buffers())
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    odd = sorted((trained - weights.keys()) | (weights.keys() - there.keys()))
    odd += [name for name, tensor in weights.items() if name in there and there[name].shape != tensor.shape]
    if odd:
        raise RunError(f"the checkpoint is of another model: {len(odd)} weights do not fit, the first is {odd[0]}")
    with torch.no_grad():
        for name, tensor in weights.items():
            there[name].copy_(tensor)


def align(model: Any) -> None:
    """Give weights that train the place in memory that torch's allocator would.

    Weights read from a file lie where it was mapped, and matrix products may round otherwise there; after a checkpoint they would
    come from another file.
    """
    for parameter in model.parameters():
        if parameter.requires_grad and parameter.device.type == "cpu" and parameter.data_ptr() % _ALIGNED:
            parameter.data = parameter.data.clone()


def restore(optimizers: Sequence[Any], schedulers: Sequence[Any], state: State, ranks: Ranks = ALONE) -> None:
    """Put optimizers and schedules where they were."""
    for objects, states in ((optimizers, state.optimizers), (schedulers, state.schedulers)):
        if len(objects) != len(states):
            raise RunError(f"the checkpoint has {len(states)} optimizers or schedules where this run has {len(objects)}")
        for thing, kept in zip(objects, states, strict=True):
            thing.load_state_dict(ranks.loaded(thing, kept) if objects is optimizers else kept)


class Told(Protocol):
    """What one line of a batch is made of, as far as a checkpoint cares."""

    def fingerprint(self) -> bytes:
        """Return bytes that are others for other rows."""
        ...


def marks_of(model: Any, lines: Iterable[Told]) -> dict[str, str]:
    """Return short fingerprints of the rows and of the weights that do not train, and how many threads compute."""
    rows = hashlib.sha256()
    for line in lines:
        rows.update(line.fingerprint())
    frozen = hashlib.sha256()
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            flat = parameter.detach().reshape(-1)
            sample = flat[:: max(1, flat.numel() // _SAMPLED)][:_SAMPLED].cpu().contiguous()
            frozen.update(f"{name} {tuple(parameter.shape)} {parameter.dtype}".encode())
            frozen.update(sample.view(torch.uint8).numpy().tobytes())
    return {"data": rows.hexdigest(), "base": frozen.hexdigest(), "threads": str(torch.get_num_threads()), "torch": torch.__version__}
