"""A diagnostic: one finding, with everything a face (terminal, editor, CI) needs to show it."""

from recipeforge.schemas.change import Change, Safety
from recipeforge.schemas.claim import Tier
from recipeforge.schemas.place import Span, TextEdit
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Severity


@record
class Label:
    """A place and what to say about it."""

    span: Span
    text: str


@record
class Citation:
    """A claim as it is shown."""

    id: str
    tier: Tier
    quote: str
    url: str
    title: str = ""
    speaks_for: str = ""


@record
class Fix:
    """A verified cure: it removes this diagnostic and breaks nothing new."""

    title: str
    safety: Safety
    changes: tuple[Change, ...]
    edits: tuple[TextEdit, ...] = ()
    """The changes as edits of this file's text; filled by `documents`."""


@record
class Diagnostic:
    """One finding about one file."""

    code: str
    slug: str
    severity: Severity
    message: str
    primary: Label
    """The guilty place; its text is short, or empty."""
    related: tuple[Label, ...] = ()
    """The other participants."""
    notes: tuple[str, ...] = ()
    help: str = ""
    """The next step in words, where no fix can be offered."""
    citations: tuple[Citation, ...] = ()
    fixes: tuple[Fix, ...] = ()
    """Best first."""
    unread: bool = False
    """Whether the run goes on as if the place were not there; editors fade it."""
