"""Steps of an edit that no change to a loadout can express: moving a key that stands in the wrong place."""

from dataclasses import dataclass

from recipeforge.schemas.change import Change, Safety


@dataclass(frozen=True, slots=True)
class DeleteAt:
    """Delete the entry whose key, or the list item which, starts at this offset."""

    offset: int


@dataclass(frozen=True, slots=True)
class InsertFirst:
    """Insert a key as the first of the mapping that starts at this offset."""

    mapping: int
    key: str
    value: str


Step = Change | DeleteAt | InsertFirst


@dataclass(frozen=True, slots=True)
class Proposal:
    """A cure for a finding about the file, in steps; it becomes a fix once it is turned into text edits."""

    title: str
    safety: Safety
    steps: tuple[Step, ...]
