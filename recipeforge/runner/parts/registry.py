"""What the local engine can do, part by part. A part that is not registered is refused, never approximated."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from recipeforge.runner.packages import Need
from recipeforge.schemas.recipe import Scalar

Values = Mapping[str, Scalar]
"""Resolved knobs: path → value, defaults included; a knob without value and default is absent."""

ANY: tuple[Scalar, ...] = ()
"""Stands in `reads` for "whatever value the recipe gives"."""


@dataclass(frozen=True)
class Objection:
    """Why a part cannot do what this recipe asks."""

    subject: str
    """The component, knob or slot at whose place it is shown."""
    message: str
    help: str = ""


@dataclass(frozen=True)
class Wishes:
    """What a part may look at before anything is loaded."""

    parts: Mapping[str, tuple[str, ...]]
    """Slot → component ids, defaults included."""
    values: Values
    given: frozenset[str]
    """Knobs that the recipe itself sets."""
    folder: str = "."
    """Where the recipe lies."""


def _no_objections(_: Wishes) -> Iterable[Objection]:
    return ()


@dataclass(frozen=True)
class Part:
    """One component, implemented."""

    component: str
    slot: str
    build: Callable[..., Any]
    """Called in the training process; only there may it import torch. Its signature belongs to the slot (see each module)."""
    does: Callable[[Values], str]
    """One sentence for the plan."""
    reads: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict[str, tuple[Scalar, ...]])
    """Knobs that it honours → the values it can honour (`ANY`: all)."""
    needs: tuple[Need, ...] = ()
    traits: frozenset[str] = frozenset()
    """Words other parts ask for, such as `adapter`."""
    objections: Callable[[Wishes], Iterable[Objection]] = _no_objections
    untested: str = ""
    """Why no test trains it; empty: one does (`test_parts_train.py` trains every other part)."""


class Registry:
    """Parts by component id."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}

    def add(self, part: Part) -> Part:
        """Register a part.

        Raises:
            ValueError: the component is already implemented.
        """
        if part.component in self._parts:
            raise ValueError(f"component `{part.component}` is implemented twice (slot {part.slot}); remove one of the two parts")
        self._parts[part.component] = part
        return part

    def get(self, component: str) -> Part | None:
        """The implementation of a component, if there is one."""
        return self._parts.get(component)

    def __getitem__(self, component: str) -> Part:
        return self._parts[component]

    def of_slot(self, slot: str) -> tuple[Part, ...]:
        """All implementations for a slot."""
        return tuple(p for p in self._parts.values() if p.slot == slot)

    def __iter__(self):
        return iter(self._parts.values())


def reads(slot: str, *names: str, **only: tuple[Scalar, ...]) -> dict[str, tuple[Scalar, ...]]:
    """Spell `reads` for one slot: free knobs by name, restricted ones as `name=(values,)`."""
    return {f"{slot}.{n}": ANY for n in names} | {f"{slot}.{n}": values for n, values in only.items()}
