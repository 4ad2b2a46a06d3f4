"""Peak device memory of one training step, closed form, term by term.

Each term is a function of the model's dimensions and of a few features of the recipe. The same functions
answer the direct estimate and fill the tables of the CP-SAT model, so that the two cannot differ.

Model: one decoder-only transformer with gated MLP, PyTorch modules of transformers and peft. What is counted
is what the allocator hands out. Not everything is alive at once: the peak is that of the worst of four moments
(the loss, a layer in backward, the end of backward, the optimizer's step), each a sum of terms.

Sources:
    Korthikanti et al. 2022, arXiv:2205.05198 (which tensors a layer keeps for backward).
    Rajbhandari et al. 2019, arXiv:1910.02054 (what each ZeRO stage divides).
    Dettmers et al. 2023, arXiv:2305.14314 (4-bit storage: 0.5 byte and one constant per 64 weights).
    transformers and peft source (fp32 copies in norms, adapters and the loss); see docs/memory.md.
    torch source: autocast's lists of operations, `input_buffer.cpp` (gradients of a shared weight are added in place).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from recipeforge.schemas.record import record

if TYPE_CHECKING:
    from fractions import Fraction

MIB = 1 << 20
GIB = 1 << 30
CONTEXT_BYTES = 141 * MIB
"""What a CUDA process takes before its first tensor; measured on a T4 with torch 2.x."""
WORKSPACE_BYTES = 2 * 8320 * 1024
"""cuBLAS takes 2 × 4096 + 8 × 16 KiB from torch's allocator for each thread that multiplies: forward and backward
(torch, `aten/src/ATen/cuda/CublasHandlePool.cpp`)."""

RESERVED_OVER_ALLOCATED = {"fused": (1.04, 1.25), "eager": (1.07, 1.49)}
"""Attention → least and most that the allocator reserved for each byte that it handed out, on 39 measured runs."""
RESERVED_SOURCE = "39 LoRA and QLoRA runs on a T4, fitcheck-llm 0.3.1 (MIT)"


@record
class Dims:
    """Dimensions of a model that the formula needs."""

    parameters: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    tied_embeddings: bool

    @property
    def query_width(self) -> int:
        """Width of all query heads together."""
        return self.heads * self.head_dim

    @property
    def key_width(self) -> int:
        """Width of all key (or value) heads together."""
        return self.kv_heads * self.head_dim

    @property
    def embedding_parameters(self) -> int:
        """Weights of embeddings and head, which no quantizer touches."""
        return self.vocab * self.hidden * (1 if self.tied_embeddings else 2)

    def linear_shapes(self, targets: str) -> list[tuple[int, int]]:
        """Return (inputs, outputs) of one layer's matrices that an adapter on `targets` wraps."""
        h, q, kv, i = self.hidden, self.query_width, self.key_width, self.intermediate
        attention = [(h, q), (h, kv), (h, kv), (q, h)]
        return attention if targets == "attention" else [*attention, (h, i), (h, i), (i, h)]


@record
class Precision:
    """Bytes of one number, by role."""

    compute: int
    trainable_weight: int
    frozen_weight: int
    autocast: bool = False
    """Whether matrix products cast their operands to `compute`; without it everything computes in the weights' format."""


@record
class Practice:
    """What a training loop does that no recipe says. The defaults are the thriftiest of the common ways, and this runner's."""

    holds_outputs: bool = False
    """Whether the model's logits outlive the forward pass, as they do where `outputs` is a variable beside the loss."""
    foreach: bool = False
    """Whether the optimizer's kernels hold one more number a trainable weight during the step; fused ones hold none."""
    wide_adapters: bool = False
    """Whether adapters are fp32 even where everything that trains is said to be narrower: peft's `autocast_adapter_dtype`."""


THRIFTY = Practice()
LAVISH = Practice(holds_outputs=True, foreach=True, wide_adapters=True)


@record
class Sharding:
    """By how much each kind of state is divided over devices."""

    weights: int = 1
    gradients: int = 1
    optimizer: int = 1
    activations: int = 1
    keeps_copies: bool = False
    """Whether 16-bit copies of wide weights stay, as ZeRO keeps them; else autocast makes them anew in each pass."""


@record
class Kept:
    """What one step keeps for backward, and how."""

    tokens: int
    """Tokens that one device takes at once."""
    sequence: int
    """Tokens of one row, which attention scores are quadratic in."""
    stream_bytes: int
    """Bytes of a number in the residual stream: that of embeddings and norms."""
    compute_bytes: int
    """Bytes of a number in matrix products."""
    adapter_bytes: int = 4
    autocast: bool = False
    quantized: bool = False
    """Whether the layers' matrices are quantized; such layers answer in the format that they are asked in."""
    eager: bool = False
    checkpointed: bool = False
    offloaded: bool = False
    tiled: bool = False
    """Whether the MLP runs on slices of the sequence, which it computes again in backward."""
    fused_loss: bool = False
    vocabulary_logits: bool = True
    """Whether the head scores the vocabulary; a reward model's gives one number a row."""
    holds_outputs: bool = False

    @property
    def casts(self) -> bool:
        """Whether autocast has anything to cast."""
        return self.autocast and self.compute_bytes < 4

    @property
    def attention_bytes(self) -> int:
        """Bytes of a number that attention computes with."""
        return self.compute_bytes if self.casts else self.stream_bytes

    @property
    def output_bytes(self) -> int:
        """Bytes of a number that a layer's matrix gives out."""
        return self.compute_bytes if self.casts and not self.quantized else self.stream_bytes


@record
class Trains:
    """Which weights train."""

    kind: str
    """`base`, `layers`, `adapter`, `vectors` or `prompt`."""
    rank: int = 8
    targets: str = "all-linear"
    embeddings: bool = False
    layers: int = 0
    virtual_tokens: int = 0

    def parameters(self, dims: Dims) -> int:
        """Return the number of trainable parameters."""
        embeddings = dims.embedding_parameters if self.embeddings else 0
        match self.kind:
            case "base":
                return dims.parameters
            case "layers":
                return max(dims.parameters - dims.embedding_parameters, 0) * min(self.layers, dims.layers) // dims.layers
            case "adapter":
                return dims.layers * sum(self.rank * (i + o) for i, o in dims.linear_shapes(self.targets)) + embeddings
            case "vectors":
                return dims.layers * (2 * dims.key_width + dims.intermediate)
            case _:
                return self.virtual_tokens * dims.hidden * 2 * dims.layers

    @property
    def base_is_frozen(self) -> bool:
        """Whether the base model's own matrices get no gradient."""
        return self.kind in ("adapter", "vectors", "prompt")


def weights(dims: Dims, trains: Trains, quantized_bytes: float | None, rest_bytes: int, precision: Precision, sharding: Sharding) -> int:
    """Return bytes of the base model's weights.

    A quantizer takes the layers' matrices; embeddings, head and norms stay whole, `rest_bytes` each (preparing a
    bitsandbytes model for training makes them fp32: peft, `prepare_model_for_kbit_training`). ZeRO's first two
    stages divide wide weights as they do the optimizer's state, and keep narrow copies besides (`copies`).
    """
    if quantized_bytes is not None:
        whole = dims.embedding_parameters + (2 * dims.layers + 1) * dims.hidden
        return int((max(dims.parameters - whole, 0) * quantized_bytes + whole * rest_bytes) / sharding.weights)
    if trains.base_is_frozen:
        return dims.parameters * precision.frozen_weight // sharding.weights
    wide = sharding.keeps_copies and precision.compute < precision.trainable_weight
    return dims.parameters * precision.trainable_weight // (sharding.optimizer if wide else sharding.weights)


def copies(dims: Dims, trains: Trains, quantized: bool, precision: Precision, sharding: Sharding) -> int:
    """Return bytes of 16-bit copies of wide weights that stay for the whole step, as ZeRO and FSDP keep them."""
    kept = sharding.keeps_copies and not quantized and not trains.base_is_frozen and precision.compute < precision.trainable_weight
    return dims.parameters * precision.compute // sharding.weights if kept else 0


def casts(dims: Dims, trains: Trains, kept: Kept, precision: Precision, sharding: Sharding) -> int:
    """Return bytes of autocast's 16-bit copies of wide weights that backward still needs when the loss is taken.

    Every wide matrix that a product used; with recomputed layers the head's only, since the layers' were dropped.
    """
    if not kept.casts or (sharding.keeps_copies and not trains.base_is_frozen):
        return 0
    head = dims.vocab * dims.hidden if kept.stream_bytes > kept.compute_bytes and kept.vocabulary_logits else 0
    layers = 0
    if not kept.checkpointed:
        inside = max(dims.parameters - dims.embedding_parameters, 0)
        layers = inside if precision.trainable_weight > precision.compute and not trains.base_is_frozen else 0
        layers += trains.parameters(dims) if trains.kind == "adapter" and kept.adapter_bytes > kept.compute_bytes else 0
    return (head + layers) * kept.compute_bytes // sharding.weights


def adapter(dims: Dims, trains: Trains, each: int, sharding: Sharding) -> int:
    """Return bytes of the adapter's own weights; peft makes them fp32 over a 16-bit base unless told otherwise."""
    return trains.parameters(dims) * each // sharding.weights if trains.base_is_frozen else 0


def gradients(dims: Dims, trains: Trains, each: int, in_backward: bool, sharding: Sharding) -> int:
    """Return bytes of gradients alive together; with the optimizer in backward, those of one layer only."""
    bytes_ = trains.parameters(dims) * each // sharding.gradients
    return bytes_ // dims.layers if in_backward else bytes_


def early_gradients(dims: Dims, trains: Trains, each: int, in_backward: bool, sharding: Sharding) -> int:
    """Return bytes of gradients that are there when backward reaches the first layer: all but this layer's and the embeddings'."""
    if in_backward:
        return 0
    count = trains.parameters(dims)
    head = min(dims.vocab * dims.hidden, count) if trains.kind == "base" else 0
    embeddings = head if trains.kind == "base" and not dims.tied_embeddings else 0
    inside = max(count - head - embeddings, 0)
    return (head + inside * (dims.layers - 1) // dims.layers) * each // sharding.gradients


def second_gradient(dims: Dims, trains: Trains, each: int, in_backward: bool, sharding: Sharding) -> int:
    """Return bytes of the second gradient of a matrix that is head and embeddings both, before it is added to the first."""
    tied = trains.kind == "base" and dims.tied_embeddings and not in_backward
    return dims.vocab * dims.hidden * each // sharding.gradients if tied else 0


def optimizer(dims: Dims, trains: Trains, state_bytes: float, sharding: Sharding) -> int:
    """Return bytes of optimizer state."""
    return int(trains.parameters(dims) * state_bytes / sharding.optimizer)


def layer_activations(dims: Dims, trains: Trains, kept: Kept) -> int:
    """Return bytes that one layer keeps for backward."""
    return int(sum(_layer_halves(dims, trains, kept)) * kept.tokens)


def layer_peak(dims: Dims, trains: Trains, kept: Kept) -> int:
    """Return bytes alive at once while one recomputed layer runs backward.

    Either everything that it keeps, or, with eager attention, the attention half (the MLP half is spent by then)
    and gradients of the scores: in fp32 before and after the softmax, and as they come in and go out in attention's format,
    of which 16-bit attention holds one at that moment. A trace of fake tensors shows one matrix less than a T4 does.
    """
    attention, mlp = _layer_halves(dims, trains, kept)
    each = kept.attention_bytes
    gradients_of_scores = (8 + (each if each < 4 else 2 * each)) * dims.heads * kept.sequence if kept.eager else 0
    return int(max(attention + mlp, attention + gradients_of_scores) * kept.tokens)


def _layer_halves(dims: Dims, trains: Trains, kept: Kept) -> "tuple[int, int | Fraction]":
    """Return bytes a token that the attention half and the MLP half of a layer keep.

    Each half: what its norm squares, in fp32 (a copy, or the residual stream itself where that is fp32), and, where the norm's
    weight trains, what it scales. Attention: queries, keys, values, output and one fp32 number a head; eager attention keys
    and values for each query head, the fp32 softmax, and its cast where products are narrower. MLP: gate, its activation,
    and up. Then the inputs of matrices that train, or that an adapter wraps (`_inputs`).
    """
    h, q, kv, i = dims.hidden, dims.query_width, dims.key_width, dims.intermediate
    norm = 4 * h + (kept.stream_bytes * h if trains.kind in ("base", "layers") else 0)
    attention = norm + kept.attention_bytes * (2 * q + 2 * kv) + 4 * dims.heads
    mlp = norm + kept.output_bytes * 3 * i
    if kept.eager:
        attention = norm + kept.attention_bytes * (q + 2 * max(q, kv))
        attention += dims.heads * kept.sequence * (4 + (kept.attention_bytes if kept.attention_bytes < 4 else 0))
    if trains.kind == "adapter":
        rank = trains.rank * (kept.compute_bytes if kept.casts else kept.adapter_bytes)
        wrapped = len(dims.linear_shapes(trains.targets))
        attention += 4 * rank + _inputs(kept, 3, h, kept.stream_bytes) + _inputs(kept, 1, q, kept.attention_bytes, there=not kept.eager)
        if wrapped > 4:
            mlp += 3 * rank + _inputs(kept, 2, h, kept.stream_bytes) + _inputs(kept, 1, i, kept.output_bytes)
    elif not trains.base_is_frozen:
        each = kept.compute_bytes if kept.casts and kept.stream_bytes > kept.compute_bytes else 0
        attention += (3 * each * h if each else kept.stream_bytes * h) + (kept.attention_bytes * q if kept.eager else 0)
        mlp += (2 * each * h if each else kept.stream_bytes * h) + kept.output_bytes * i
    if kept.tiled:  # slices of `hidden` tokens, as ALST cuts them: arXiv:2506.13996
        from fractions import Fraction

        sliced = Fraction((mlp - norm) * min(kept.sequence, h), kept.sequence)
        mlp = norm + (sliced if kept.checkpointed else min(mlp - norm, kept.stream_bytes * h))
    return attention, mlp


def _inputs(kept: Kept, matrices: int, width: int, comes_in: int, there: bool = False) -> int:
    """Return bytes a token of what an adapter's first matrix keeps of its input, for some matrices that share one.

    peft casts the input to the adapter's format for each matrix. Autocast casts it again, to its own, and that copy is the one
    that is kept; peft's layers over a quantized base leave the cast to autocast. Where nothing is cast, all keep the same
    tensor, and none anew where attention or the MLP keeps it anyway (`there`).
    """
    if kept.casts:
        cast = comes_in != kept.compute_bytes or not kept.quantized
        wide = kept.compute_bytes if cast and kept.adapter_bytes > kept.compute_bytes else 0
    else:
        wide = kept.adapter_bytes if kept.adapter_bytes != comes_in else 0
    if wide:
        return matrices * wide * width
    return 0 if there else comes_in * width


def activations(dims: Dims, trains: Trains, kept: Kept, sharding: Sharding) -> int:
    """Return bytes kept for backward: every layer's tensors, or with checkpointing each layer's input only; and the last norm's.

    Offloading keeps them in host memory, all but the layer at work.
    """
    if kept.checkpointed:
        bytes_ = 0 if kept.offloaded else dims.layers * kept.tokens * dims.hidden * kept.stream_bytes
    else:
        bytes_ = layer_activations(dims, trains, kept) * (1 if kept.offloaded else dims.layers)
    last_norm = dims.hidden * (4 + (kept.stream_bytes if trains.kind in ("base", "layers") else 0))
    return (bytes_ + last_norm * kept.tokens) // sharding.activations


def logits(dims: Dims, kept: Kept, sharding: Sharding) -> int:
    """Return bytes of the logits when the loss runs backward.

    Three fp32 numbers an entry: the log-softmax, the gradient that comes in, and the one that goes out; and the head's own
    output where the training loop still holds it. A fused loss never holds them all: one chunk of 1/8.
    """
    if not kept.vocabulary_logits:
        return 0
    output = kept.compute_bytes if kept.casts else kept.stream_bytes
    bytes_ = kept.tokens * dims.vocab * (12 + (output if kept.holds_outputs else 0))
    return (bytes_ // 8 if kept.fused_loss else bytes_) // sharding.activations


def recomputed_layer(dims: Dims, trains: Trains, kept: Kept, sharding: Sharding) -> int:
    """Return bytes of the one layer that backward recomputes; 0 where layers keep what they need."""
    return layer_peak(dims, trains, kept) // sharding.activations if kept.checkpointed else 0


def dims_from(facts: Mapping[str, object]) -> Dims | None:
    """Return the model's dimensions, or `None` when the context does not know them all."""
    names = ("parameters", "layers", "hidden", "heads", "kv_heads", "head_dim", "intermediate", "vocab")
    numbers = [facts.get(f"model.{n}") for n in names]
    if not all(isinstance(n, int) for n in numbers):
        return None
    return Dims(*(n for n in numbers if isinstance(n, int)), tied_embeddings=facts.get("model.tied_embeddings") is True)
