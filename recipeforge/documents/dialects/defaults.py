"""What a tool does where its configuration says nothing, in so far as a recipe that says nothing does otherwise."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.recipe import Scalar

DEFAULTS: Mapping[str, Mapping[str, Scalar | None]] = {
    "axolotl": {
        "data.sequence_length": 512,
        "data.workers": None,  # as many as there are devices, or as its start-up finds good
        "objective.beta": None,
        "quantization.double_quant": True,
        "technique.alpha": None,
        "technique.rank": None,
    },
    "llamafactory": {
        "batch.micro": 8,
        "data.sequence_length": 2048,
        "memory.use_reentrant": None,  # true, but for FSDP 2
        "optimizer.learning_rate": 5e-5,
        "quantization.double_quant": True,
        "technique.alpha": None,  # twice the rank
        "train.log_every": 500,
    },
    "torchtune": {
        "data.sequence_length": None,
        "technique.alpha": None,
        "technique.rank": None,
        "train.gradient_clip": None,
    },
    "trl": {
        "batch.micro": 8,
        "objective.beta": None,  # each trainer has its own, and its own learning rate
        "optimizer.learning_rate": None,
        "technique.alpha": 32,
        "technique.dropout": 0.05,
        "technique.rank": 16,
        "train.log_every": None,
    },
}
"""Dialect → knob → the tool's own value; `None` where it depends on what the file does not tell, so that rules stay silent."""

_own: dict[tuple[str, str], Catalog] = {}


def open_knobs(dialect: str, said: Collection[str]) -> frozenset[str]:
    """Return the knobs of which nobody knows what they are where the file does not say it."""
    return frozenset(knob for knob, value in DEFAULTS.get(dialect, {}).items() if value is None and knob not in said)


def own_defaults(catalog: Catalog, dialect: str) -> Catalog:
    """Return the catalog as it holds for files of one dialect: what nobody wrote is the tool's own value."""
    values = {knob: value for knob, value in DEFAULTS.get(dialect, {}).items() if value is not None and knob in catalog.knobs}
    if not values:
        return catalog
    key = catalog.hash, dialect
    if key not in _own:
        knobs = {**catalog.knobs, **{path: replace(catalog.knobs[path], default=value) for path, value in values.items()}}
        _own[key] = replace(catalog, knobs=knobs, hash=f"{catalog.hash}:{dialect}")
    return _own[key]
