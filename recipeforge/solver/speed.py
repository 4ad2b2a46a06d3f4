"""How long training takes, closed form: operations of one position, over what the device attains of its peak.

A position is a place of a sequence that goes through the model, filled or padded. Operations follow from the model's dimensions and
from what trains; what a device attains follows from the options, and is a range. The same functions answer the direct estimate and
fill the tables of the budget, so that the two cannot differ. No number is fitted to a model.

Sources:
    Kaplan et al. 2020, arXiv:2001.08361 (two operations a weight forward, four backward, attention besides).
    Korthikanti et al. 2022, arXiv:2205.05198 (what recomputation adds).
    Hu et al. 2021, arXiv:2106.09685 (a frozen base gets no gradients of its own).
    The published runs of docs/time.md, and `benchmarks/speed.py`, which holds the ranges against them.
"""

from collections.abc import Mapping
from typing import Literal

from recipeforge.schemas.record import record
from recipeforge.solver.memory import Dims, Trains

Pace = Literal["slow", "typical", "fast"]
PACES: tuple[Pace, ...] = ("slow", "typical", "fast")

PLAIN = 0.42
"""Share of the peak that a plain loop attains on an A100: 16-bit, fused attention, full sequences, no compiler.

Between 0.485 (torchtune README, Llama-3.2-3B, full, packed) and 0.384 (LLaMA-Factory wiki, Llama-2-7B, LoRA, FlashAttention-2)."""
SPREAD: Mapping[Pace, float] = {"slow": 0.25, "typical": 1.0, "fast": 1.85}
"""How far runs with the same options lie from the typical one: loaders, small batches, offloading, versions, links between devices.
As wide as the published runs of `benchmarks/speed.py` are apart, which lie between 0.26 and 1.83."""
BALANCE = 2000 / 312
"""GB/s of memory for each TFLOPS of an A100, where `PLAIN` was read."""
CEILING = 0.87
"""The largest share of its peak that a big product of matrices alone attained on an A100 (ml-engineering: 271.2 of 312 TFLOPS)."""

EAGER = 0.85
"""What attention written out in PyTorch leaves of the speed, the doubled scores counted apart (LLaMA-Factory: 2,392 against 2,954)."""
QUANTIZED = 0.95
"""What a quantized base leaves of it (torchtune: 8,035 against 8,210; LLaMA-Factory with Unsloth: 3,726 against 4,007)."""
SEVERAL = 0.95
"""What is left of each device's speed where several have to talk (torchtitan: 6,514 on 128 devices against 6,667 on 8)."""
SHORT_ROWS: Mapping[Pace, float] = {"slow": 0.3, "typical": 0.6, "fast": 1.0}
"""What is left of the speed, a token, where rows do not share a sequence: batches are small and padded (torchtune: 2,091 against
7,075 packed)."""
FILLED: Mapping[Pace, float] = {"slow": 1.0, "typical": 0.5, "fast": 0.05}
"""Time that a step of such rows takes for each second of a step of full sequences. How long the rows are, nobody knows beforehand."""


@record
class Device:
    """What a device can do at best."""

    half_tflops: float
    """16-bit products on tensor cores, 10¹² operations a second."""
    full_tflops: float | None = None
    """fp32 products on ordinary cores; `None` where no source states it."""
    bandwidth_gb_s: float | None = None


@record
class Options:
    """What decides how much of its peak a device attains."""

    half: bool = True
    """Whether products take 16-bit operands."""
    narrow: float = 1.0
    """What 8-bit products gain over 16-bit ones."""
    tf32: bool = False
    kernels: float = 1.0
    """What the best of the fused or compiled kernels gains."""
    eager: bool = False
    quantized: bool = False
    several: bool = False


@record
class Pass:
    """What one position goes through."""

    dims: Dims
    active: int
    """Weights that one position meets, embeddings included: all, but for a mixture of experts."""
    sequence: int
    eager: bool = False
    scores_vocabulary: bool = True

    @property
    def layers(self) -> int:
        """Weights of the layers' matrices that a position is multiplied with."""
        return max(self.active - self.dims.embedding_parameters, 0)

    @property
    def head(self) -> int:
        """Weights of the head; looking up an embedding is no product."""
        return self.dims.vocab * self.dims.hidden if self.scores_vocabulary else 0


def forward(one: Pass) -> float:
    """Return operations of the matrices, forward: a product and a sum for each weight."""
    return 2 * (one.layers + one.head)


def backward(one: Pass, trains: Trains) -> float:
    """Return operations of the matrices, backward.

    As many as forward for the gradients that are handed down, and as many again for those of weights that train. Where the
    lower layers are frozen, nothing is handed down to them; LISA's layers lie anywhere, so that this is the least there.
    """
    share = reached(one.dims, trains)
    handed = 2 * (one.layers * share + one.head)
    own = 2 * (one.layers + one.head) if trains.kind == "base" else 2 * one.layers * share if trains.kind == "layers" else 0
    return handed + own + (2 * one.head if trains.kind == "adapter" and trains.embeddings else 0)


def reached(dims: Dims, trains: Trains) -> float:
    """Return the share of the layers that backward passes through."""
    return min(trains.layers, dims.layers) / dims.layers if trains.kind == "layers" else 1.0


def attention(one: Pass) -> float:
    """Return operations of scores and sums over values, forward.

    A position looks at half of the sequence on average, which fused kernels make use of; written out, all of it is computed.
    """
    return one.dims.layers * one.dims.query_width * one.sequence * (4 if one.eager else 2)


def attention_backward(one: Pass, trains: Trains) -> float:
    """Return operations of attention, backward: twice those forward."""
    return 2 * attention(one) * reached(one.dims, trains)


def adapter(dims: Dims, trains: Trains) -> float:
    """Return operations of an adapter's own matrices, all three ways."""
    if trains.kind != "adapter":
        return 0
    return 6 * dims.layers * sum(trains.rank * (i + o) for i, o in dims.linear_shapes(trains.targets))


def recomputed(one: Pass, trains: Trains) -> float:
    """Return operations of computing layers again in backward; the head is not recomputed."""
    return (2 * one.layers + attention(one)) * reached(one.dims, trains)


def reference(one: Pass) -> float:
    """Return operations of the frozen model that some objectives compare with: one more pass forward, even where it is the base itself."""
    return forward(one) + attention(one)


def peak_tflops(device: Device, options: Options) -> float:
    """Return what the device can do at best in these formats, 10¹² operations a second.

    TF32 runs at half the rate of 16-bit products (NVIDIA's data sheets, A100 to L40). Where no source states the rate of fp32,
    that of 16 bits bounds it from above.
    """
    if options.half:
        return device.half_tflops
    if options.tf32:
        return device.half_tflops / 2
    return device.full_tflops or device.half_tflops


def attained(device: Device, options: Options, pace: Pace) -> float:
    """Return the share of the peak that is attained over the whole step, 8-bit products counted as 16-bit ones.

    Faster devices are fed worse: with the square root of memory bandwidth over peak, which is what torchtune's A100 and
    torchtitan's H100 runs differ by. Unknown bandwidth takes nothing off.
    """
    peak = peak_tflops(device, options)
    fed = min(1.0, (device.bandwidth_gb_s / peak / BALANCE) ** 0.5) if device.bandwidth_gb_s else 1.0
    factor = options.narrow * options.kernels * (EAGER if options.eager else 1) * (QUANTIZED if options.quantized else 1)
    factor *= SEVERAL if options.several else 1
    return min(CEILING * options.narrow, PLAIN * SPREAD[pace] * fed * factor)


def seconds_an_operation(device: Device, options: Options, pace: Pace) -> float:
    """Return seconds for one operation on one device."""
    return 1 / (peak_tflops(device, options) * 1e12 * attained(device, options, pace))


def device_from(facts: Mapping[str, object]) -> Device | None:
    """Return the device, or `None` where no source states a peak: a CPU, or a card that the catalog knows less of."""
    half = facts.get("gpu.bf16_tflops", facts.get("gpu.fp16_tflops"))
    full, bandwidth = facts.get("gpu.fp32_tflops"), facts.get("gpu.bandwidth_gb_s")
    if not isinstance(half, int | float):
        return None
    numbers = [float(x) if isinstance(x, int | float) else None for x in (full, bandwidth)]
    return Device(float(half), *numbers)
