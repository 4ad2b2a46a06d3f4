"""Attention parts. `build() -> str`: the name transformers gives the kernel."""

from recipeforge.runner.parts.registry import Part, reads

PARTS = (
    Part(
        "sdpa",
        "attention",
        build=lambda: "sdpa",
        does=lambda v: "torch's scaled_dot_product_attention",
        reads=reads("attention", "dropout"),
    ),
    Part(
        "eager",
        "attention",
        build=lambda: "eager",
        does=lambda v: "attention in plain torch operations",
        reads=reads("attention", "dropout"),
    ),
)
