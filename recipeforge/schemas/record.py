"""`@record`: a frozen dataclass that is quick to define (docs/decisions/0001-dataclasses.md).

`@dataclass(frozen=True)` compiles six methods for each class whenever its module is imported; a hundred such classes
are a good part of a `check`. Here `__init__` alone is compiled, and equality, hash and repr are shared. That nobody
assigns to a field is held by the type checker, not by the class.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, cast, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make a dataclass of immutable values, equal and hashed by its compared fields. Methods that the class defines stay."""
    return _valued(dataclass(repr=False, eq=False)(cls), frozenset(vars(cls)))


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def slotted(cls: type[T]) -> type[T]:
    """Make a `record` without a dictionary, for values of which there are many."""
    return _valued(dataclass(repr=False, eq=False, slots=True)(cls), frozenset(vars(cls)))


def _valued(made: type[T], own: frozenset[str]) -> type[T]:
    """Give a dataclass the methods of a value, but for its own."""
    values = _values([f.name for f in fields(cast("Any", made)) if f.compare])

    def equal(self: object, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or values(self) == values(other)

    def hashed(self: object) -> int:
        return hash(values(self))

    for name, method in {"__eq__": equal, "__hash__": hashed, "__repr__": _repr}.items():
        if name not in own or (name == "__hash__" and made.__hash__ is None):
            setattr(made, name, method)
    return made


def _values(names: list[str]) -> Callable[[object], object]:
    return attrgetter(*names) if names else lambda _: ()


def _repr(self: object) -> str:
    told = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(cast("Any", self)) if f.repr)
    return f"{self.__class__.__qualname__}({', '.join(told)})"
