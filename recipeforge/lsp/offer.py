"""One thing that may be written where the cursor is."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from lsprotocol.types import CompletionItemKind

from recipeforge.schemas.change import Change
from recipeforge.schemas.record import slotted

Subject = Literal["component", "knob", "key", "gpu", "model", "package", "rule"]
"""What an offer speaks of; `pages_of_offers` describes each."""


@slotted
class Offer:
    """A word with what a list shows beside it."""

    label: str
    kind: CompletionItemKind
    subject: Subject
    id: str
    told: str = ""
    """A few words at the right edge."""
    detail: str = ""
    """One line about the chosen one."""
    names: tuple[str, ...] = ()
    """All words by which it may be found; none: its label alone."""
    greyed: bool = False
    needs: tuple[Change, ...] = ()
    """What has to come along."""
    key: bool = False
    """Whether it is a key, which a colon follows."""
    opener: str = ""
    """What has to be opened first: a dash or a brace."""

    def behind(self, opener: str) -> Offer:
        """Return the same, behind a dash or brace that it brings along."""
        return replace(self, opener=opener)
