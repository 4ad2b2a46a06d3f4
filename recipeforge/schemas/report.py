"""The report on one file: what `check` answers and every face shows."""

from collections.abc import Mapping
from dataclasses import field

from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.loadout import Fact, Loadout
from recipeforge.schemas.place import TextEdit
from recipeforge.schemas.record import record
from recipeforge.schemas.verdict import Estimate, Repair, Verdict


@record
class Solution:
    """A repair, and what it means for the text."""

    repair: Repair
    edits: tuple[TextEdit, ...] = ()
    """Empty where the text cannot be edited without risk; the changes then are made by hand."""


@record
class FileReport:
    """Everything that is known about one recipe file."""

    path: str
    """As the user wrote it, or `<text>`."""
    text: str
    """What was judged; places speak of it."""
    dialect: str
    verdict: Verdict
    diagnostics: tuple[Diagnostic, ...] = ()
    """In file order; fixes with their edits."""
    repairs: tuple[Solution, ...] = ()
    """Ranked, where they were asked for."""
    catalog_hash: str = ""
    loadout: Loadout | None = None
    """`None` where the text is no recipe."""
    overrides: Mapping[str, Fact] = field(default_factory=dict[str, Fact])
    """The target it was judged for, where that is not the file's own: `gpu.id`, `hardware.count`, `packages.torch` …"""
    silenced: int = 0
    """Findings that were not selected."""
    ignored: int = 0
    """Findings that comments in the file silence."""
    companions: tuple["FileReport", ...] = ()
    """Of the files that this one names, those in which something is wrong."""

    @property
    def estimate(self) -> Estimate | None:
        """Predicted peak memory; `None` where it cannot be told."""
        return self.verdict.estimate
