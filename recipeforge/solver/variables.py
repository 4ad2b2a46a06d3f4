"""What the solver's variables stand for, in one context."""

from collections.abc import Mapping
from functools import cached_property

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record

Domains = Mapping[str, tuple[tuple[Scalar | None, int], ...]]
"""Knob → its values with their variables; `None` is "unset"."""


@record
class Variables:
    """One variable a component, one a value of each knob that the solver may move. All else is constant."""

    catalog: Catalog
    facts: Mapping[str, Fact]
    constants: Mapping[str, Scalar]
    """Knobs that the solver does not move, with the value that holds."""
    component_var: Mapping[str, int]
    domains: Domains

    @cached_property
    def size(self) -> int:
        """Number of variables."""
        return len(self.component_var) + sum(len(d) for d in self.domains.values())

    @cached_property
    def components(self) -> int:
        """Mask of all components; the variables above them are values of knobs."""
        return (1 << len(self.component_var)) - 1

    @cached_property
    def named(self) -> tuple[str | tuple[str, Scalar | None], ...]:
        """What each variable stands for: a component id, or (knob, value)."""
        names: dict[int, str | tuple[str, Scalar | None]] = {v: c for c, v in self.component_var.items()}
        names |= {v: (knob, value) for knob, domain in self.domains.items() for value, v in domain}
        return tuple(names[v] for v in range(self.size))

    @cached_property
    def domain_members(self) -> Mapping[str, int]:
        """Knob → mask of its values."""
        return {knob: sum(1 << v for _, v in domain) for knob, domain in self.domains.items()}

    @cached_property
    def slot_members(self) -> Mapping[str, int]:
        """Slot → mask of its components."""
        masks = dict.fromkeys(self.catalog.slots, 0)
        for component, v in self.component_var.items():
            masks[self.catalog.components[component].slot] |= 1 << v
        return masks
