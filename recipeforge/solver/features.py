"""What the memory formula reads off a recipe: one feature at a time, from a view or as classes of assignments."""

from collections.abc import Callable, Hashable
from typing import Protocol

from recipeforge.schemas.component import Component
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.solver.budgets import Input
from recipeforge.solver.variables import Variables
from recipeforge.solver.view import View


class Feature(Protocol):
    """One input of the formula."""

    @property
    def name(self) -> str:
        """The feature's own name."""
        ...

    def read(self, view: View) -> Hashable:
        """Return the feature of a recipe."""
        ...

    def ground(self, over: Variables) -> tuple[Input, list[Hashable]]:
        """Return the classes of assignments, and the feature in each."""
        ...


@record
class SlotFeature:
    """A property of the component in a slot; of several, the first in the order of `ranked` counts."""

    name: str
    slot: str
    key: Callable[[Component | None], Hashable]
    ranked: tuple[Hashable, ...] = ()

    def read(self, view: View) -> Hashable:
        """Return the feature of a recipe."""
        held = {self.key(view.catalog.components[c]) for c in view.slots.get(self.slot, ())}
        if len(held) > 1:  # the same choice as among classes of assignments, below
            members = (self.key(c) for c in view.catalog.members(self.slot))
            held -= {self.key(None)} if view.catalog.slots[self.slot].cardinality == "many" else set()
            return next(k for k in (*self.ranked, *members) if k in held)
        return next(iter(held), self.key(None))

    def ground(self, over: Variables) -> tuple[Input, list[Hashable]]:
        """Return the classes of assignments, and the feature in each."""
        if self.slot not in over.catalog.slots:
            return Input(self.name, (0,)), [self.key(None)]
        masks: dict[Hashable, int] = dict.fromkeys(self.ranked, 0)
        for component in over.catalog.members(self.slot):
            key = self.key(component)
            masks[key] = masks.get(key, 0) | 1 << over.component_var[component.id]
        nothing = self.key(None)
        if over.catalog.slots[self.slot].cardinality == "many":
            masks.pop(nothing, None)
        used = [(k, m) for k, m in masks.items() if m]
        return Input(self.name, (*(m for _, m in used), 0)), [*(k for k, _ in used), nothing]


@record
class FlagFeature:
    """Whether any component of some slots has an effect; ordered so that the cheaper class comes first."""

    name: str
    slots: tuple[str, ...]
    has: Callable[[Component], bool]

    def read(self, view: View) -> Hashable:
        """Return the feature of a recipe."""
        return any(self.has(view.catalog.components[c]) for slot in self.slots for c in view.slots.get(slot, ()))

    def ground(self, over: Variables) -> tuple[Input, list[Hashable]]:
        """Return the classes of assignments, and the feature in each."""
        members = (c for slot in self.slots if slot in over.catalog.slots for c in over.catalog.members(slot))
        mask = sum(1 << over.component_var[c.id] for c in members if self.has(c))
        return (Input(self.name, (mask, 0)), [True, False]) if mask else (Input(self.name, (0,)), [False])


@record
class KnobFeature:
    """The value of a knob; `ascending` when more of it never costs less."""

    path: str
    fallback: Scalar
    ascending: bool = False

    @property
    def name(self) -> str:
        """The knob's path."""
        return self.path

    def read(self, view: View) -> Hashable:
        """Return the feature of a recipe."""
        return view.knobs.get(self.path, self.fallback)

    def ground(self, over: Variables) -> tuple[Input, list[Hashable]]:
        """Return the classes of assignments, and the feature in each."""
        domain = over.domains.get(self.path)
        if domain is None:
            return Input(self.name, (0,)), [over.constants.get(self.path, self.fallback)]
        values = [(self.fallback if value is None else value, 1 << v) for value, v in domain]
        if self.ascending:
            values.sort(key=lambda pair: float(pair[0]))
        return Input(self.name, tuple(m for _, m in values), self.ascending), [value for value, _ in values]
