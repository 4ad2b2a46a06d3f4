"""A component: something that a recipe can equip."""

from collections.abc import Mapping
from dataclasses import field

from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record


@record
class Component:
    """One choice for one slot."""

    id: str
    """Stable, kebab-case, unique over all slots."""
    slot: str
    title: str
    """How people write it, such as "bnb 4-bit"."""
    description: str
    """One sentence in our words."""
    url: str
    """Where its authors document it."""
    aliases: tuple[str, ...] = ()
    """Other spellings that readers resolve to this id."""
    tags: tuple[str, ...] = ()
    """Families that rules speak about, such as `adapter` or `4-bit`."""
    effects: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    """Numbers and words that the formulas of memory and time read (`solver/memory.py`, `solver/speed.py`)."""
    effects_source: str = ""
    """Where the numbers in `effects` come from."""
    packages: tuple[str, ...] = ()
    """PyPI packages it needs beyond torch, transformers and peft."""
