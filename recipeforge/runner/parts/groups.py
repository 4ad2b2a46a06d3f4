"""Knobs that belong to no part but to the training loop itself, with the values it honours."""

from recipeforge.runner.parts.registry import reads
from recipeforge.runner.rows import FORMATS

HONOURED = {
    **reads(
        "data", "source", "sequence_length", "packing", "limit", "validation", padding_free=(False,), streaming=(False,), format=FORMATS
    ),
    **reads("batch", "micro", "accumulate"),
    **reads("train", "epochs", "steps", "gradient_clip", "save_every", "log_every", "output", keep_best=(False,)),
    **reads("eval", "strategy", "every"),
    **reads("hardware", "gpu", "price_usd_hour", "count"),
    **reads("budget", "memory_gib", "wall_clock"),
}
