"""Several processes that train one model: DDP, which copies it, and FSDP2, which splits it. Runs in their processes."""

import inspect
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from recipeforge.runner.engines.ranks import Ranks, Whole

T = TypeVar("T")


class Copies(Ranks):
    """Each process holds the whole model, and gradients are averaged."""

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def net(self, model: Any) -> Any:
        """Return the model behind DDP."""
        # Buffers are the same everywhere from the beginning: no need to send them again in each forward pass.
        known = inspect.signature(DistributedDataParallel).parameters
        once: dict[str, Any] = {"forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers": False}
        return DistributedDataParallel(model, **once)

    def backward(self, net: Any, last: bool) -> AbstractContextManager[Any]:
        """Send gradients with the last micro-batch of a step only."""
        return nullcontext() if last else net.no_sync()

    def stops(self, asked: bool, number: int) -> bool:
        """Ask the first process before each step; between micro-batches nobody does."""
        return number == 0 and self.first(int(asked)) == 1

    def first(self, number: int) -> int:
        """Return what the first process says."""
        told = torch.tensor([number])
        dist.broadcast(told, 0)
        return int(told)

    def total(self, number: float) -> float:
        """Return the sum over all processes; each gets the same bits."""
        told = torch.tensor([number], dtype=torch.float64)
        dist.all_reduce(told)
        return float(told)

    def every(self, thing: T) -> list[T]:
        """Return what each process has, on the first one."""
        told: list[Any] | None = [None] * self.size if self.rank == 0 else None
        dist.gather_object(thing, told)
        return told or []


class Shards(Copies):
    """Each process holds its part of every weight, and of gradients and optimizer states; layers are gathered while they compute."""

    def loading_device(self, device: torch.device) -> torch.device:
        """Load into main memory: a device need not hold the whole model at any time."""
        return torch.device("cpu")

    def spread(self, model: Any, device: torch.device) -> Any:
        """Split every layer, then what is left."""
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(device.type, (self.size,))
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        kinds = set(getattr(base, "_no_split_modules", None) or ())
        for module in base.modules():
            if type(module).__name__ in kinds:
                fully_shard(module, mesh=mesh)
        # By default the outermost module's weights stay whole behind a forward pass; optimizers and checkpoints want the parts.
        fully_shard(model, mesh=mesh, reshard_after_forward=True)
        return model

    def net(self, model: Any) -> Any:
        """Return the model: it gathers and scatters by itself."""
        return model

    def backward(self, net: Any, last: bool) -> AbstractContextManager[Any]:
        """Scatter gradients in each micro-batch: whole ones would take the room that splitting saves."""
        return nullcontext()

    def gathered(self, model: Any, optimizers: Sequence[Any] = (), everything: bool = True) -> Whole | None:
        """Put weights and optimizer states together in the first process's main memory."""
        named = model.state_dict(keep_vars=True) if everything else {n: p for n, p in model.named_parameters() if p.requires_grad}
        seen: dict[int, Tensor] = {}  # tied weights stay one
        weights = {name: self._seen(tensor, seen) for name, tensor in named.items()}
        states = [self._whole(optimizer.state_dict()) for optimizer in optimizers]
        return Whole(weights, states) if self.rank == 0 else Whole()

    def _seen(self, tensor: Tensor, seen: dict[int, Tensor]) -> Tensor:
        if id(tensor) not in seen:
            seen[id(tensor)] = self._whole(tensor)
        return seen[id(tensor)]

    def _whole(self, thing: Any) -> Any:
        """Return a copy with every tensor whole and in main memory; all processes have to ask in the same order."""
        if isinstance(thing, dict):
            return {key: self._whole(value) for key, value in thing.items()}
        if isinstance(thing, list | tuple):
            return type(thing)(self._whole(value) for value in thing)
        if not isinstance(thing, Tensor):
            return thing
        full = thing.detach()
        full = full.full_tensor() if hasattr(full, "full_tensor") else full  # type: ignore[operator]
        return full.cpu().clone() if self.rank == 0 else full[:0] if full.ndim else full

    def loaded(self, optimizer: Any, state: dict[str, Any]) -> dict[str, Any]:
        """Split the states as their weights are."""
        from torch.distributed.tensor import DTensor, distribute_tensor

        places = [p for group in optimizer.param_groups for p in group["params"]]
        numbers = [n for group in state["param_groups"] for n in group["params"]]

        def split(value: Any, weight: Any) -> Any:
            if isinstance(weight, DTensor) and isinstance(value, Tensor) and value.shape == weight.shape:
                return distribute_tensor(value.to(weight.device), weight.device_mesh, weight.placements, src_data_rank=None)
            return value

        states = {
            number: {name: split(value, weight) for name, value in state["state"][number].items()}
            for number, weight in zip(numbers, places, strict=True)
            if number in state["state"]
        }
        return {**state, "state": states}
