"""Peak device memory of one training step, closed form, term by term.

Each term is a function of the model's dimensions and of a few features of the recipe. The same functions
answer the direct estimate and fill the tables of the CP-SAT model, so that the two cannot differ.

Model: one decoder-only transformer with gated MLP, PyTorch modules of transformers and peft. What is counted
is what the allocator hands out at the peak, which lies at the start of backward or at the optimizer step.

Sources:
    Korthikanti et al. 2022, arXiv:2205.05198 (which tensors a layer keeps for backward).
    Rajbhandari et al. 2019, arXiv:1910.02054 (what each ZeRO stage divides).
    Dettmers et al. 2023, arXiv:2305.14314 (4-bit storage: 0.5 byte and one constant per 64 weights).
    transformers and peft source (fp32 copies in norms, adapters and the loss); see docs/memory.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MIB = 1 << 20
CONTEXT_BYTES = 141 * MIB
"""What a CUDA process takes before its first tensor; measured on a T4 with torch 2.x."""


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Precision:
    """Bytes of one number, by role."""

    compute: int
    trainable_weight: int
    frozen_weight: int


@dataclass(frozen=True)
class Sharding:
    """By how much each kind of state is divided over devices."""

    weights: int = 1
    gradients: int = 1
    optimizer: int = 1
    activations: int = 1


@dataclass(frozen=True)
class Kept:
    """What one step keeps for backward, and how."""

    tokens: int
    """Tokens that one device takes at once."""
    sequence: int
    """Tokens of one row, which attention scores are quadratic in."""
    stream_bytes: int
    """Bytes of a number in the residual stream."""
    eager: bool = False
    checkpointed: bool = False
    offloaded: bool = False
    fused_loss: bool = False
    vocabulary_logits: bool = True
    """Whether the head scores the vocabulary; a reward model's gives one number a row."""


@dataclass(frozen=True)
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
    bitsandbytes model for training makes them fp32: peft, `prepare_model_for_kbit_training`). Training all weights
    in mixed precision keeps a 16-bit copy of them besides, which autocast made and backward needs. ZeRO's first two
    stages keep that copy whole and divide the wide weights as they do the optimizer's state.
    """
    if quantized_bytes is not None:
        whole = dims.embedding_parameters + (2 * dims.layers + 1) * dims.hidden
        bytes_ = max(dims.parameters - whole, 0) * quantized_bytes + whole * rest_bytes
    elif trains.base_is_frozen:
        bytes_ = dims.parameters * precision.frozen_weight
    elif precision.compute < precision.trainable_weight:
        wide = dims.parameters * precision.trainable_weight / sharding.optimizer
        return int(wide + dims.parameters * precision.compute / sharding.weights)
    else:
        bytes_ = dims.parameters * precision.trainable_weight
    return int(bytes_ / sharding.weights)


def adapter(dims: Dims, trains: Trains, sharding: Sharding) -> int:
    """Return bytes of the adapter's own weights, which peft keeps in fp32 over a 16-bit base."""
    return trains.parameters(dims) * 4 // sharding.weights if trains.base_is_frozen else 0


def gradients(dims: Dims, trains: Trains, precision: Precision, in_backward: bool, sharding: Sharding) -> int:
    """Return bytes of gradients alive together; with the optimizer in backward, those of one layer only."""
    each = 4 if trains.base_is_frozen else precision.trainable_weight
    bytes_ = trains.parameters(dims) * each // sharding.gradients
    return bytes_ // dims.layers if in_backward else bytes_


def optimizer(dims: Dims, trains: Trains, state_bytes: float, sharding: Sharding) -> int:
    """Return bytes of optimizer state."""
    return int(trains.parameters(dims) * state_bytes / sharding.optimizer)


def layer_activations(dims: Dims, trains: Trains, kept: Kept) -> int:
    """Return bytes that one layer keeps for backward."""
    return sum(_layer_halves(dims, trains, kept)) * kept.tokens


def layer_peak(dims: Dims, trains: Trains, kept: Kept) -> int:
    """Return bytes alive at once while one recomputed layer runs backward.

    Either everything that it keeps, or, with eager attention, the attention half (the MLP half is spent by then)
    and the fp32 gradients before and after the softmax.
    """
    attention, mlp = _layer_halves(dims, trains, kept)
    gradients_of_scores = 8 * dims.heads * kept.sequence if kept.eager else 0
    return max(attention + mlp, attention + gradients_of_scores) * kept.tokens


def _layer_halves(dims: Dims, trains: Trains, kept: Kept) -> tuple[int, int]:
    """Return bytes a token that the attention half and the MLP half of a layer keep.

    Each half: its norm upcast to fp32 (4h). Attention: queries, keys, values and output; eager attention also
    scores, their fp32 softmax and its cast, `heads × sequence`. MLP: gate, its activation, and up. Then the input
    of every trained matrix: an adapter casts it to fp32 for each matrix it wraps; full training keeps it once.
    """
    h, q, kv, i = dims.hidden, dims.query_width, dims.key_width, dims.intermediate
    attention = 4 * h + kept.stream_bytes * (2 * q + 2 * kv)
    mlp = 4 * h + kept.stream_bytes * 3 * i
    if kept.eager:
        attention += dims.heads * kept.sequence * (4 + 2 * kept.stream_bytes)
    if trains.kind == "adapter":
        shapes = dims.linear_shapes(trains.targets)
        attention += sum(4 * inputs + 4 * trains.rank for inputs, _ in shapes[:4])
        mlp += sum(4 * inputs + 4 * trains.rank for inputs, _ in shapes[4:])
    elif not trains.base_is_frozen:
        attention += kept.stream_bytes * (h + q)
        mlp += kept.stream_bytes * (h + i)
    return attention, mlp


def activations(dims: Dims, trains: Trains, kept: Kept, sharding: Sharding) -> int:
    """Return bytes kept for backward: every layer's tensors, or with checkpointing each layer's input only.

    Offloading keeps them in host memory, all but the layer at work.
    """
    if kept.checkpointed:
        bytes_ = 0 if kept.offloaded else dims.layers * kept.tokens * dims.hidden * kept.stream_bytes
    else:
        bytes_ = layer_activations(dims, trains, kept) * (1 if kept.offloaded else dims.layers)
    return bytes_ // sharding.activations


def working_set(dims: Dims, trains: Trains, kept: Kept, sharding: Sharding) -> int:
    """Return bytes of what is largest for a moment: the logits with their loss, or one recomputed layer.

    Logits are kept once in the head's type and three times in fp32 (upcast, log-softmax, gradient), 14 bytes an
    entry with a 16-bit head and 16 with an fp32 one. A fused loss never holds them all: one chunk of 1/8.
    """
    logits = kept.tokens * dims.vocab * (12 + kept.stream_bytes) if kept.vocabulary_logits else 0
    if kept.fused_loss:
        logits //= 8
    layer = layer_peak(dims, trains, kept) if kept.checkpointed else 0
    return max(logits, layer) // sharding.activations


def dims_from(facts: Mapping[str, object]) -> Dims | None:
    """Return the model's dimensions, or `None` when the context does not know them all."""
    names = ("parameters", "layers", "hidden", "heads", "kv_heads", "head_dim", "intermediate", "vocab")
    numbers = [facts.get(f"model.{n}") for n in names]
    if not all(isinstance(n, int) for n in numbers):
        return None
    return Dims(*(n for n in numbers if isinstance(n, int)), tied_embeddings=facts.get("model.tied_embeddings") is True)
