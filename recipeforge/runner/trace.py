"""Peak memory of one training step, counted on the recipe's own model class without a GPU and without weights.

Two steps run on fake tensors, which have a shape and a format but no values. A dispatch mode counts the storages that are alive; the most
it saw is the peak. Model, adapter, checkpointing and loss are those that a run would use. Stand-ins:

- attention kernels that a CPU does not have keep queries, keys, values, output and one fp32 number a head and token (Dao 2023,
  arXiv:2307.08691, algorithm 1), and their backward pass an fp32 sum of the queries' gradient;
- the optimizer is its states, `state_bytes` a trainable weight, and no temporaries, as torch's fused kernels have none.

The allocator rounds each storage up to 512 bytes; what it reserves besides is not traced.
"""

import contextlib
import gc
import inspect
import os
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from recipeforge.runner.loading import formats_of, is_adapter
from recipeforge.runner.loop import Bench
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.precision import Formats
from recipeforge.runner.plan import Plan
from recipeforge.schemas.errors import RunError

ROUND = 512
"""The CUDA allocator hands out multiples of this many bytes (torch, `c10/cuda/CUDACachingAllocator`, `kMinBlockSize`)."""
FAMILIES = ("llama", "qwen2", "qwen3", "mistral", "gemma", "olmo2", "phi3")
"""Model classes whose config the catalog's dimensions describe in full."""
_TRACED = ("technique", "quantization", "precision", "attention", "memory")
"""Slots whose parts change what a trace counts."""
_NEXT_TOKEN = ("sft", "pretrain")
_GROUPED = "TRANSFORMERS_SDPA_FORCE_GQA"
"""Without padding, transformers hands the kernel no mask and keys and values as they are; it will not look for padding in a fake tensor."""


@dataclass(frozen=True)
class Trace:
    """Bytes of tensors alive at most, by moment of a step."""

    resting: int
    """Weights, before the first step."""
    forward: int
    backward: int
    update: int

    @property
    def total(self) -> int:
        """The peak, bytes."""
        return max(self.forward, self.backward, self.update)

    @property
    def moments(self) -> dict[str, int]:
        """Moment → bytes."""
        return {"weights": self.resting, "forward": self.forward, "backward": self.backward, "the optimizer's step": self.update}


class Meter(TorchDispatchMode):
    """Counts bytes of distinct storages that are alive."""

    def __init__(self, attention_bytes: int) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._attention_bytes = attention_bytes
        self._live: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and count what it returned."""
        out = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._softmax_backward_data.default and args[0].ndim == 4:
            # One matrix of scores more than tensors explain: measured on a T4 in all rows whose peak lies here, at 4 and at 2 bytes.
            self.peak = max(self.peak, self.now + args[0].numel() * (4 + self._attention_bytes))
        for leaf in tree_leaves(out):
            if isinstance(leaf, FakeTensor) and leaf.device.type == "cpu":
                self.count(leaf)
        return out

    def count(self, tensor: torch.Tensor) -> None:
        """Count a tensor's storage until it is freed."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self._live:
            self._live[key] = -(-storage.nbytes() // ROUND) * ROUND
            self.now += self._live[key]
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._drop, key)

    def _drop(self, key: int) -> None:
        self.now -= self._live.pop(key, 0)

    def highest(self) -> int:
        """Return the peak since the last call."""
        gc.collect()
        peak, self.peak = self.peak, self.now
        return peak


class _Attention(torch.autograd.Function):
    """What a fused attention kernel keeps and takes."""

    @staticmethod
    def forward(ctx: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        out = torch.empty_like(q)
        ctx.save_for_backward(q, k, v, out, torch.empty(q.shape[:3], dtype=torch.float32))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        q, k, v, *_ = ctx.saved_tensors
        _sum = torch.empty(q.shape, dtype=torch.float32)
        return torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)


def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    if torch.is_autocast_enabled("cpu"):
        query, key, value = (x.to(torch.get_autocast_dtype("cpu")) for x in (query, key, value))
    return _Attention.apply(query, key, value)  # pyright: ignore[reportReturnType]


class _Embedding(torch.autograd.Function):
    """An embedding whose gradient, where the head has the same weight, is made, added to the head's in place, and gone.

    torch's engine adds in place what it alone holds (`input_buffer.cpp`, `can_accumulate_inplace`), but not fake tensors.
    """

    @staticmethod
    def forward(ctx: Any, ids: torch.Tensor, weight: torch.Tensor, shared: bool) -> torch.Tensor:
        ctx.save_for_backward(weight)
        ctx.shared = shared
        return torch.empty(*ids.shape, weight.shape[1], dtype=weight.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        made = torch.empty_like(ctx.saved_tensors[0]) if ctx.needs_input_grad[1] else None
        return None, None if ctx.shared else made, None


@contextlib.contextmanager
def _stand_ins(shared_embedding: bool) -> Iterator[None]:
    """Swap what fake tensors cannot do, or need not, for the time of a trace."""
    import peft.tuners.tuners_utils as peft_layers

    autocasts = torch.is_autocast_enabled

    def embedding(ids: torch.Tensor, weight: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        return _Embedding.apply(ids, weight, shared_embedding)

    def unchanged(tensor: Any, *args: Any, **kwargs: Any) -> Any:
        return tensor

    swaps: list[tuple[Any, str, Any]] = [(F, "scaled_dot_product_attention", _attention)]
    swaps += [(torch.nn.init, n, unchanged) for n in ("uniform_", "normal_", "kaiming_uniform_", "zeros_", "ones_", "trunc_normal_")]
    swaps += [(torch.nn.Module, "to", unchanged), (peft_layers.BaseTunerLayer, "_move_adapter_to_device_of_base_layer", unchanged)]
    swaps += [(F, "embedding", embedding), (torch, "is_autocast_enabled", lambda device="cpu": autocasts(device))]
    kept = [(owner, name, inspect.getattr_static(owner, name)) for owner, name, _ in swaps]
    forced = os.environ.get(_GROUPED)
    os.environ[_GROUPED] = "1"
    try:
        for owner, name, new in swaps:
            setattr(owner, name, new)
        yield
    finally:
        for owner, name, old in kept:
            setattr(owner, name, old)
        if forced is None:
            del os.environ[_GROUPED]
        else:
            os.environ[_GROUPED] = forced


def trace(plan: Plan, facts: Mapping[str, Any], state_bytes: float, formats: Formats | None = None, holds_outputs: bool = False) -> Trace:
    """Return the peak of one device in the second of two steps.

    `facts` are the model's dimensions as the catalog names them; `state_bytes` of the optimizer, a trainable weight. A loop that
    `holds_outputs` asks the model for its loss and keeps what it returned until the step is over; the runner's own does not.

    Raises:
        RunError: the model's class or a part of the recipe cannot be traced; the message says which.
    """
    if (objective := plan.part_in("objective")) not in _NEXT_TOKEN:
        raise RunError(f"the trace counts a step over next tokens, and the recipe's objective is {objective}")
    missing = [c for slot in _TRACED for c in plan.parts.get(slot, ()) if PARTS.get(c) is None]
    if missing and not (formats and missing == list(plan.parts.get("precision", ()))):
        raise RunError(f"this engine has no `{missing[0]}` whose tensors could be counted")
    formats = formats or formats_of(plan)
    meter = Meter(_size(formats.autocast or ("float32" if plan.parts.get("quantization") else formats.frozen)))
    with _stand_ins(facts.get("model.tied_embeddings") is True), FakeTensorMode(allow_non_fake_inputs=True), meter:
        model = _model(plan, facts, formats)
        for parameter in model.parameters():
            meter.count(parameter)
        meter.highest()
        resting = meter.now
        return _steps(model, plan, formats, meter, resting, state_bytes, holds_outputs)


def _size(name: str) -> int:
    return getattr(torch, name).itemsize


def _steps(model: Any, plan: Plan, formats: Formats, meter: Meter, resting: int, state_bytes: float, holds_outputs: bool) -> Trace:
    bench = Bench(torch.device("cpu"), 0, False, formats.autocast)
    shape = int(plan.values["batch.micro"]), int(plan.values["data.sequence_length"])
    trainable = [p for p in model.parameters() if p.requires_grad]
    model.train()
    states = None
    forward = backward = update = 0
    for _ in range(2):
        kept = None
        for _ in range(min(2, int(plan.values.get("batch.accumulate", 1)))):
            meter.highest()
            if holds_outputs:
                ids = torch.empty(shape, dtype=torch.int64)
                with bench.casting():
                    kept = model(input_ids=ids, labels=ids, use_cache=False)
                loss = kept.loss
            else:
                loss = _loss(model, bench, shape) / shape[1]
            forward = max(forward, meter.highest())
            loss.backward()
            del loss
            backward = max(backward, meter.highest())
        states = states or [torch.empty(round(p.numel() * state_bytes), dtype=torch.uint8) for p in trainable]
        update = meter.highest()
        for parameter in trainable:
            parameter.grad = None
        del kept
        gc.collect()
    return Trace(resting, forward, backward, update)


def _loss(model: Any, bench: Bench, shape: tuple[int, int]) -> torch.Tensor:
    """The runner's own loss, on tokens that are not there."""
    fake = _Fake(bench.device, bench.pad, bench.packed, bench.autocast, shape=shape)
    return fake.loss_sum(model, ())


@dataclass(frozen=True)
class _Fake(Bench):
    """A bench whose batches have a shape and no tokens."""

    shape: tuple[int, int] = (1, 1)

    def batch(self, lines: Any) -> dict[str, Any]:
        """Return tensors of the shape."""
        return {name: torch.empty(self.shape, dtype=torch.int64) for name in ("input_ids", "labels")}


def _model(plan: Plan, facts: Mapping[str, Any], formats: Formats) -> Any:
    family, attention = str(facts.get("model.family")), str(PARTS[plan.part_in("attention")].build())
    if family not in FAMILIES:
        raise RunError(f"the trace knows {', '.join(FAMILIES)}, not `{family}`")
    config = _config(family, facts)
    dtype = getattr(torch, formats.frozen if is_adapter(plan) else formats.trained)
    model: Any = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation=attention)
    quantization = plan.parts.get("quantization", ())
    if quantization:
        if quantization != ("bnb-4bit",):
            raise RunError(f"the trace cannot quantize with `{quantization[0]}`; it knows bnb-4bit")
        _four_bits(model, getattr(torch, formats.compute))
    model = PARTS[plan.part_in("technique")].build(model, plan.values, formats)
    for saver in plan.parts.get("memory", ()):
        PARTS[saver].build(model, plan.values)
    return model


def _config(family: str, facts: Mapping[str, Any]) -> Any:
    names = {
        "vocab_size": "vocab",
        "hidden_size": "hidden",
        "intermediate_size": "intermediate",
        "num_hidden_layers": "layers",
        "num_attention_heads": "heads",
        "num_key_value_heads": "kv_heads",
        "head_dim": "head_dim",
    }
    sizes = {theirs: facts[f"model.{ours}"] for theirs, ours in names.items()}
    if family in ("qwen2", "phi3", "olmo2"):
        del sizes["head_dim"]
    known: Any = CONFIG_MAPPING[family]
    config = known(**sizes, tie_word_embeddings=bool(facts.get("model.tied_embeddings")), pad_token_id=0)
    if hasattr(config, "max_position_embeddings"):
        config.max_position_embeddings = 131072
    return config


def _four_bits(model: Any, compute: torch.dtype) -> None:
    """Store the layers' matrices as bitsandbytes' NF4 does: half a byte a weight and an fp32 constant for 64."""
    from bitsandbytes.functional import QuantState
    from bitsandbytes.nn.modules import Linear4bit

    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is not torch.nn.Linear or child is model.get_output_embeddings():
                continue
            bias = child.bias is not None
            with unset_fake_temporarily():  # its own weight is a subclass of tensors that no fake tensor can be
                layer: Any = Linear4bit(1, 1, False, compute_dtype=compute, compress_statistics=False)
            layer.in_features, layer.out_features = child.in_features, child.out_features
            size = child.in_features * child.out_features
            constants = torch.empty(size // 64)
            state = QuantState(constants, child.weight.shape, torch.empty(16), 64, "nf4", child.weight.dtype)
            weight: Any = torch.nn.Parameter(torch.empty(size // 2, 1, dtype=torch.uint8), requires_grad=False)
            weight.quant_state = layer.quant_state = state
            layer.weight = None
            del layer._parameters["weight"]
            layer.__dict__["weight"] = weight
            layer.bias = (
                torch.nn.Parameter(torch.empty(child.out_features, dtype=child.weight.dtype), requires_grad=False) if bias else None
            )
            layer.support_avx512bf16_for_cpu = False
            setattr(parent, name, layer)
    for parameter in model.parameters():  # what peft's `prepare_model_for_kbit_training` does
        parameter.requires_grad_(False)
        if parameter.dtype in (torch.float16, torch.bfloat16):
            parameter.data = parameter.data.float()
    model.tie_weights()
    gc.collect()
