"""What lit-gpt's LoRA step holds at its peak, tensor by tensor, for the rows of lit-gpt's published table.

The table names commit 8641822 of lit-gpt (16 October 2023), torch 2.1 and bitsandbytes 0.41.1; the sizes below are read off that code
and are fitted to nothing. It is another loop than the one that `recipeforge` estimates: no checkpointing, one product for queries, keys
and values, dropout before the adapters, the head quantized too, logits in chunks. So this is no part of the estimate.

Each of its layers is counted whole; the first keeps a little less, since nothing before it trains.

Sources:
    lit-gpt at 8641822: `finetune/lora.py`, `lit_gpt/{config,model,rmsnorm,lora,utils}.py`; at 6178c7c: `lit_gpt/rmsnorm.py`.
    Lightning Fabric: `plugins/precision/{half,bitsandbytes}.py` (linear layers are made 4-bit from fp16, outputs leave in fp32).
    bitsandbytes 0.41: `autograd/_functions.py` (a 4-bit product keeps its input), `nn/modules.py`.
    torch: `derivatives.yaml` (`index_copy` keeps its source); flash-attention 2.3, `flash_api.cpp` (the output is laid out as the queries).
"""

from dataclasses import dataclass
from typing import Any

from recipeforge.solver.memory import WORKSPACE_BYTES

GIB = 1 << 30
CHUNK = 128
"""Tokens of one chunk of the logits, and of the loss."""
BITS_16, BITS_32 = 2, 4
WEIGHT_BYTES = {"none": 2.0, "nf4": 0.5 + 4 / 64, "nf4-dq": 0.5 + 1 / 64 + 4 / (64 * 256)}
"""Quantization → bytes of a matrix's weight: 4 bits and one constant per 64 weights, in fp32 or quantized to a byte itself."""


@dataclass(frozen=True)
class Shape:
    """Dimensions of a model as lit-gpt's `config.py` has them. All have as many key heads as query heads."""

    layers: int
    hidden: int
    heads: int
    intermediate: int
    vocab: int
    llama: bool
    """Whether it has RMSNorm and a gated MLP after attention; else LayerNorm, and an MLP beside attention that share an input."""

    @property
    def matrices(self) -> int:
        """Weights of linear layers, the head among them."""
        layer = 4 * self.hidden**2 + (3 if self.llama else 2) * self.hidden * self.intermediate
        return self.layers * layer + self.vocab * self.hidden

    @property
    def embeddings(self) -> int:
        """Weights of the embeddings; norms are too few to count."""
        return self.vocab * self.hidden


SHAPES = {
    "StableLM Alpha": Shape(16, 4096, 32, 16384, 50688, llama=False),
    "Llama-2-7B": Shape(32, 4096, 32, 11008, 32000, llama=True),
    "Llama-2-13B": Shape(40, 5120, 40, 13824, 32000, llama=True),
}


def norm_bytes(shape: Shape, wide: bool) -> int:
    """Return bytes a token of the input that a norm keeps; `wide`: whether RMSNorm keeps it in fp32."""
    return (BITS_32 if wide and shape.llama else BITS_16) * shape.hidden


def layer_bytes(shape: Shape, rank: int, quantized: bool, wide_norms: bool) -> int:
    """Return bytes a token that one layer keeps for backward.

    `wide_norms`: whether RMSNorm computes in fp32, and so keeps an fp32 copy of its input, as since commit 6178c7c. A 4-bit product
    keeps its input, too: the norms' outputs, a copy of attention's output in the order of tokens, and what the MLP multiplied.
    """
    h, inside = shape.hidden, shape.intermediate
    norms = norm_bytes(shape, wide_norms) * (2 if shape.llama else 1)
    dropout = BITS_16 * h + h
    adapter = BITS_16 * 2 * rank + BITS_16 * 2 * h
    fused_product, rotated = BITS_16 * 3 * h, BITS_16 * 2 * h
    attention = BITS_16 * h + BITS_32 * shape.heads
    mlp = BITS_16 * inside * (3 if shape.llama else 1)
    kept = norms + dropout + adapter + fused_product + rotated + attention + mlp
    if quantized:
        of_attention, of_output, of_mlp = BITS_16 * h, BITS_16 * h, BITS_16 * (h + inside)
        kept += of_attention + of_output + of_mlp
    return kept


def moments(shape: Shape, quantization: str, rank: int, tokens: int, wide_norms: bool = False) -> dict[str, int]:
    """Return bytes held at the loss and at the head's backward, in the first step, whose batch is the longest.

    No gradient and no optimizer state is there yet. The list of logits outlives both moments. The 4-bit head is unpacked to fp16 and then
    cast to bf16 for its product.
    """
    quantized = quantization != "none"
    adapters = shape.layers * rank * 4 * shape.hidden
    weights = int(shape.matrices * WEIGHT_BYTES[quantization]) + BITS_16 * (shape.embeddings + adapters)
    kept = tokens * (shape.layers * layer_bytes(shape, rank, quantized, wide_norms) + norm_bytes(shape, wide_norms))
    resting = weights + kept + WORKSPACE_BYTES
    logits = BITS_32 * tokens * shape.vocab
    unpacked = 2 * BITS_16 * shape.vocab * shape.hidden if quantized else 0
    return {
        "the loss": resting + 2 * logits + 2 * BITS_32 * min(CHUNK, tokens) * shape.vocab,
        "the head's backward": resting + logits + BITS_16 * tokens * shape.vocab + unpacked,
    }


def litgpt_gib(row: dict[str, Any], wide_norms: bool = False) -> float | str:
    """Return the peak for a row of the table, GiB; or why there is none."""
    shape = SHAPES.get(row["model"])
    if row["method"] not in ("lora", "qlora"):
        return f"litgpt's {row['method']} layers are not modelled"
    if shape is None:
        return "the model's dimensions are not stated"
    return max(moments(shape, row["quant"], row["lora_r"], row["batch"] * row["seq"], wide_norms).values()) / GIB
