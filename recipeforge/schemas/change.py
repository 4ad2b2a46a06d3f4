"""A change to a loadout. Repairs and fixes are lists of them; `documents` turns them into text edits."""

from typing import Literal

from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record

Op = Literal["add", "drop", "replace", "set"]
Safety = Literal["safe", "unsafe", "display"]


@record
class Change:
    """One step.

    `add`: equip `component` in `slot`. `drop`: take `component` out of `slot`, or unset `knob`.
    `replace`: put `component` where `previous` stood in `slot`. `set`: give `knob` the `value`.
    """

    op: Op
    slot: str | None = None
    component: str | None = None
    previous: str | None = None
    knob: str | None = None
    value: Scalar | None = None
