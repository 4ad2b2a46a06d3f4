"""Findings about the file itself: the RF0xxx family, made in one way."""

from collections.abc import Iterable

from recipeforge.schemas.change import Safety
from recipeforge.schemas.diagnostic import Diagnostic, Fix, Label
from recipeforge.schemas.place import Span, TextEdit
from recipeforge.schemas.rule import Severity

RULES: dict[str, tuple[str, Severity]] = {
    "RF0001": ("yaml-syntax", "error"),
    "RF0002": ("unknown-key", "error"),
    "RF0003": ("unknown-component", "error"),
    "RF0004": ("wrong-type", "error"),
    "RF0005": ("duplicate-key", "error"),
    "RF0006": ("value-out-of-range", "error"),
    "RF0007": ("missing-key", "error"),
    "RF0008": ("unsupported-version", "error"),
    "RF0009": ("not-a-recipe", "error"),
    "RF0010": ("not-utf8", "error"),
    "RF0011": ("tab-indentation", "error"),
    "RF0012": ("several-documents", "error"),
    "RF0013": ("too-large", "error"),
    "RF0014": ("unused-ignore", "warning"),
    "RF0015": ("knob-not-read", "warning"),
    "RF0016": ("unknown-gpu", "warning"),
    "RF0017": ("unknown-model-facts", "info"),
    "RF0018": ("unreadable-file", "error"),
    "RF0019": ("component-in-wrong-slot", "error"),
    "RF0020": ("too-many-in-slot", "error"),
    "RF0021": ("missing-in-slot", "error"),
    "RF0022": ("missing-companion-file", "warning"),
    "RF0023": ("key-read-by-nothing", "warning"),
    "RF0024": ("deprecated-key", "info"),
    "RF0025": ("companion-disagrees", "error"),
}
"""Code → slug and severity; the pages are in the core pack (`rules/file.yaml`), and a test holds the two together."""

UNREAD = frozenset({"RF0014", "RF0015", "RF0023"})
"""Findings about text that nothing reads."""

UNREADABLE = frozenset({"RF0001", "RF0008", "RF0009", "RF0010", "RF0011", "RF0012", "RF0013", "RF0018"})
"""Findings after which the text is not (wholly) read; they cannot be silenced."""


def finding(
    code: str,
    message: str,
    span: Span,
    label: str = "",
    *,
    related: Iterable[tuple[Span, str]] = (),
    notes: Iterable[str] = (),
    help: str = "",
    fixes: Iterable[Fix] = (),
) -> Diagnostic:
    """Return a diagnostic of the RF0xxx family."""
    slug, severity = RULES[code]
    cures = tuple(fixes)
    return Diagnostic(
        code=code,
        slug=slug,
        severity=severity,
        message=message,
        primary=Label(span, label),
        related=tuple(Label(place, text) for place, text in related),
        notes=tuple(notes),
        # The next step in words is for where no fix can be offered.
        help="" if cures else help,
        fixes=cures,
        unread=code in UNREAD,
    )


def text_fix(title: str, *edits: TextEdit, safety: Safety = "safe") -> Fix:
    """Return a fix that edits the text directly, for what no change to a loadout can express."""
    return Fix(title=title, safety=safety, changes=(), edits=edits)
