"""The parts of the local engine. Each module registers its slot's parts when `PARTS` is filled here."""

from recipeforge.runner.parts import (
    attention,
    averaging,
    distributed,
    lr_groups,
    memory,
    objective,
    optimizer,
    optimizer_library,
    precision,
    quantization,
    regularization,
    scheduler,
    technique,
    technique_library,
)
from recipeforge.runner.parts.registry import Part, Registry

PARTS = Registry()
for module in (
    technique,
    technique_library,
    objective,
    quantization,
    optimizer,
    optimizer_library,
    scheduler,
    precision,
    attention,
    memory,
    regularization,
    averaging,
    lr_groups,
    distributed,
):
    for part in module.PARTS:
        PARTS.add(part)

__all__ = ["PARTS", "Part"]
