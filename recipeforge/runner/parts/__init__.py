"""The parts of the local engine. Each module registers its slot's parts when `PARTS` is filled here."""

from recipeforge.runner.parts import attention, memory, objective, optimizer, precision, quantization, scheduler, technique
from recipeforge.runner.parts.registry import Part, Registry

PARTS = Registry()
for module in (technique, objective, quantization, optimizer, scheduler, precision, attention, memory):
    for part in module.PARTS:
        PARTS.add(part)

__all__ = ["PARTS", "Part"]
