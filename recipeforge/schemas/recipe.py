"""The vocabulary of a recipe: slots, which hold components, and knobs, which hold values.

Both are data (catalog packs); nothing in the code knows a particular slot or knob
except where arithmetic needs it.
"""

from typing import Literal

from recipeforge.schemas.record import record

FORMAT_VERSION = 1
"""The number that `recipeforge:` at the top of a recipe carries."""

Scalar = bool | int | float | str
"""A knob's or a fact's value. Absent is `None`, never a sentinel."""

Cardinality = Literal["one", "at-most-one", "many"]
KnobType = Literal["int", "float", "bool", "str", "enum", "duration"]


@record
class Slot:
    """A place in the recipe that components fill."""

    id: str
    """The recipe's key, such as `optimizer`."""
    title: str
    """How a person names it, such as "optimizer"."""
    description: str
    """One sentence: what choosing here decides."""
    cardinality: Cardinality
    default: str | None = None
    """The component that stands here when the recipe names none."""
    safe: bool = False
    """Whether changing this slot leaves the meaning of the training run alone (attention kernels do, optimizers do not)."""
    purpose: bool = False
    """Whether it says what the run is about: everything else gives way first, and no completion fills it unasked."""


@record
class Knob:
    """A typed parameter, addressed by its path in the recipe."""

    path: str
    """`group.name`, where group is a slot or one of `data`, `batch`, `train`, `eval`, `hardware`, `budget`."""
    type: KnobType
    description: str
    unit: str | None = None
    """Such as `tokens`, `GiB`, `steps`."""
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    """The admitted words of an `enum`."""
    default: Scalar | None = None
    """What holds when the recipe says nothing; `None`: nothing holds."""
    choices: tuple[Scalar, ...] = ()
    """Values the solver may propose, in order. Empty: the solver leaves this knob alone."""
    components: tuple[str, ...] = ()
    """The components of the slot that read it; empty: all of them (or not a slot's knob)."""
    safe: bool = False
    """Whether changing it leaves the meaning of the training run alone."""

    @property
    def group(self) -> str:
        """The key under which it stands in a recipe."""
        return self.path.split(".", 1)[0]

    @property
    def name(self) -> str:
        """Its own key inside the group."""
        return self.path.split(".", 1)[1]
