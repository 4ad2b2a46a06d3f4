"""An explanation: numbered steps from what the recipe says to a contradiction, each with its premises, its rule and its source."""

from typing import Literal

from recipeforge.schemas.diagnostic import Citation, Label
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record

StepKind = Literal["given", "supposed", "follows", "either", "contradiction"]


@record
class Said:
    """That a component is part of the recipe, or that a knob has a value; or, with `holds` false, that it is not so.

    Where versions are asked about: that a package has one of some versions.
    """

    subject: str
    """A component, a knob, or `packages.<name>`."""
    value: Scalar | None = None
    """Of a knob; `None` is "unset". Of a package, the versions in words, such as "2.6.0 or newer"."""
    holds: bool = True


@record
class Step:
    """One step. What is `supposed` holds for the deeper steps that follow it, until the next supposition at its own depth.

    `given`: the recipe says so. `follows`: all of `says` hold, by `rule`, since what the premises say holds. `either`: one of
    `says` holds. `contradiction`: the premises cannot all hold; after `either` without a rule, since no supposition can.
    """

    number: int
    kind: StepKind
    says: tuple[Said, ...]
    because: tuple[int, ...] = ()
    """Numbers of the steps that it follows from: its premises."""
    rule: str = ""
    """Code of the rule, or the release that says so as a package URL; empty for what needs none, such as that a knob has one value."""
    depth: int = 0
    """How many suppositions it rests on."""
    text: str = ""
    """The step in words."""
    why: str = ""
    """The rule in words."""
    place: Label | None = None
    """Where the recipe says so, and what."""
    facts: tuple[Label, ...] = ()
    """What the rule was told about the GPU, the model and the packages, with the place where the file names them."""
    citation: Citation | None = None
    """The rule's strongest source."""
