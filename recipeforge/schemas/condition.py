"""The language of rules: conditions over slots, knobs and facts.

A condition is a tree of `All`, `AnyOf` and `Not` over atoms. An atom names a subject: a slot
(`optimizer`), a knob (`batch.micro`) or a fact of the context (`gpu.capability`).
"""

from typing import Literal

from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record

Comparison = Literal["eq", "ne", "lt", "le", "gt", "ge", "has", "lacks", "contains"]


@record
class Holds:
    """The slot holds at least one of these components (tags are resolved to ids at load)."""

    slot: str
    components: tuple[str, ...]


@record
class Compare:
    """The knob or fact stands in this relation to `value`.

    A knob that is unset and has no default fails every comparison. A fact that is not known
    makes the atom unknown, and a rule never fires on what is not known.
    `has` and `lacks` test membership in a fact that is a list. Facts under `packages.` compare as versions.
    """

    subject: str
    op: Comparison
    value: Scalar


@record
class IsSet:
    """The knob has a value, given or by default."""

    subject: str


@record
class Predicate:
    """Named arithmetic over several knobs and facts (`catalog/predicates.py`)."""

    name: str


@record
class Not:
    """The inner condition is false."""

    inner: "Condition"


@record
class All:
    """Every part holds; true when there is no part."""

    parts: tuple["Condition", ...]


@record
class AnyOf:
    """At least one part holds; false when there is no part."""

    parts: tuple["Condition", ...]


Condition = Holds | Compare | IsSet | Predicate | Not | All | AnyOf
