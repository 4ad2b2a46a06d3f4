"""Precision parts. `build() -> Formats`: torch's names of the number formats, so that no torch is needed to choose them."""

from dataclasses import dataclass

from recipeforge.runner.parts.registry import Part


@dataclass(frozen=True)
class Formats:
    """Number formats of one run."""

    frozen: str
    """Weights that do not train."""
    trained: str
    """Weights that train, and with them gradients and optimizer states."""
    autocast: str | None
    """Compute inside autocast; `None`: compute in the weights' own format."""

    @property
    def compute(self) -> str:
        """The format matrix products run in."""
        return self.autocast or self.frozen


FP32 = Formats("float32", "float32", None)
MIXED_BF16 = Formats("bfloat16", "float32", "bfloat16")
PURE_BF16 = Formats("bfloat16", "bfloat16", None)

PARTS = (
    Part("fp32", "precision", build=lambda: FP32, does=lambda v: "weights and compute in fp32"),
    Part(
        "bf16",
        "precision",
        build=lambda: MIXED_BF16,
        does=lambda v: "bf16 compute under autocast; what trains stays fp32, frozen weights are stored in bf16",
    ),
    Part("pure-bf16", "precision", build=lambda: PURE_BF16, does=lambda v: "weights, gradients, optimizer states and compute in bf16"),
)
