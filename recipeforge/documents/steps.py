"""Steps of an edit that no change to a loadout can express: moving a key that stands in the wrong place."""

from recipeforge.schemas.change import Change, Safety
from recipeforge.schemas.record import slotted


@slotted
class DeleteAt:
    """Delete the entry whose key, or the list item which, starts at this offset."""

    offset: int


@slotted
class InsertFirst:
    """Insert a key as the first of the mapping that starts at this offset."""

    mapping: int
    key: str
    value: str


Step = Change | DeleteAt | InsertFirst


@slotted
class Proposal:
    """A cure for a finding about the file, in steps; it becomes a fix once it is turned into text edits."""

    title: str
    safety: Safety
    steps: tuple[Step, ...]
