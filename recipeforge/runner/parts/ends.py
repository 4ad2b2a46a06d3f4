"""The two ends of a model, which are no hidden layers: embeddings below, a head above."""

import re
from typing import Any

_HEAD = re.compile(r"(^|\.)(score|classifier)(\.|$)")


def scores(model: Any) -> bool:
    """Return whether a model's head gives scores of a whole text instead of next tokens."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return type(base).__name__.endswith("ForSequenceClassification")


def ends_of(model: Any) -> list[Any]:
    """Return embeddings and head, in whatever they are wrapped."""
    if not scores(model):
        return [m for m in (model.get_input_embeddings(), model.get_output_embeddings()) if m is not None]
    return [model.get_input_embeddings(), *(module for name, module in model.named_modules() if _HEAD.search(name))]


def weights_at_ends(model: Any) -> set[int]:
    """Return the ids of their weights."""
    return {id(p) for module in ends_of(model) for p in module.parameters()}
