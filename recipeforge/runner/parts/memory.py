"""Memory parts. `build(model, values)`: change the model in place before training."""

from typing import Any

from recipeforge.runner.parts.registry import Part, Values, reads


def checkpoint_activations(model: Any, values: Values) -> None:
    """Recompute each layer's activations in the backward pass."""
    arguments = {"use_reentrant": bool(values.get("memory.use_reentrant", False))}
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    if hasattr(base, "activation_checkpointing_enable"):
        base.activation_checkpointing_enable(activation_checkpointing_kwargs=arguments)
    else:  # older releases of transformers know only the older name
        base.gradient_checkpointing_enable(gradient_checkpointing_kwargs=arguments)
    # A frozen base gives the first checkpointed layer an input without gradient, and the adapter would get none either.
    base.enable_input_require_grads()
    base.config.use_cache = False


PARTS = (
    Part(
        "gradient-checkpointing",
        "memory",
        build=checkpoint_activations,
        does=lambda v: f"layers recompute their activations ({'re' if v.get('memory.use_reentrant') else 'non-re'}entrant)",
        reads=reads("memory", "use_reentrant"),
    ),
)
