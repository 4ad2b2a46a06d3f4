"""Regularization parts. `build(model, values)`: change the model in place before training.

Label smoothing belongs to the loss: the training loop asks `smoothing_of` for it.
"""

from collections.abc import Mapping
from typing import Any

from recipeforge.runner.parts.registry import Part, Values, reads


def noisy_embeddings(model: Any, values: Values) -> None:
    """Add uniform noise to the embeddings while training: at most alpha over the root of tokens times width."""
    import torch

    alpha = float(values["regularization.noise_alpha"])

    def noise(module: Any, _: Any, output: Any) -> Any:
        if not module.training:
            return output
        most = alpha / (output.shape[-2] * output.shape[-1]) ** 0.5
        return output + torch.empty_like(output).uniform_(-most, most)

    model.get_input_embeddings().register_forward_hook(noise)


def smoothing_of(parts: Mapping[str, tuple[str, ...]], values: Values) -> float:
    """Return the share of probability that training takes off each label."""
    return float(values["regularization.smoothing"]) if "label-smoothing" in parts.get("regularization", ()) else 0.0


PARTS = (
    Part(
        "neftune",
        "regularization",
        build=noisy_embeddings,
        does=lambda v: f"noise on the embeddings while training (NEFTune, alpha {float(v['regularization.noise_alpha']):g})",
        reads=reads("regularization", "noise_alpha"),
    ),
    Part(
        "label-smoothing",
        "regularization",
        build=lambda model, values: None,
        does=lambda v: f"labels smoothed by {float(v['regularization.smoothing']):g} while training; held-out losses are plain",
        reads=reads("regularization", "smoothing"),
    ),
)
