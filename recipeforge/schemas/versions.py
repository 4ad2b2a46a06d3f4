"""The answer to "which versions satisfy this recipe?"."""

from typing import Literal

from recipeforge.schemas.diagnostic import Citation
from recipeforge.schemas.record import record
from recipeforge.schemas.verdict import Conflict

VersionsKind = Literal["found", "none", "undecided"]


@record
class Bound:
    """Why a package is no older, or no newer, given the versions of the others."""

    text: str
    """The versions that are left, such as "2.6.0 or newer"."""
    because: str
    """Who asks for that, and what for."""
    rule: str = ""
    """Code of the rule, or the release that requires it as a package URL; empty for what the recipe gives or needs by itself."""
    citation: Citation | None = None


@record
class Chosen:
    """A package with the version chosen for it."""

    package: str
    version: str
    """Empty: the given one has to go, and no other takes its place."""
    newest: str
    """The newest release known; empty where none is."""
    given: str = ""
    """The version that the recipe or an option gives; empty where none does."""
    needed_by: str = ""
    """What of the recipe needs it, or which packages require it."""
    direct: bool = False
    """Whether the recipe itself needs it."""
    bounds: tuple[Bound, ...] = ()
    """What keeps it from being older or newer; the tightest on either side."""

    @property
    def moved(self) -> bool:
        """Whether the given version had to change."""
        return bool(self.given) and self.given != self.version


@record
class Versions:
    """Versions that satisfy a recipe, or why there are none."""

    kind: VersionsKind
    chosen: tuple[Chosen, ...] = ()
    """The most recent ones; where there are none with what is given, those that change the fewest given ones. May be empty."""
    proved: bool = True
    """Whether none are more recent in all, or change fewer; else the time ran out over the search."""
    warnings: tuple[str, ...] = ()
    """Codes of the milder rules that they break all the same."""
    conflicts: tuple[Conflict, ...] = ()
    """For `none`: minimal sets of what the recipe asks for, each told step by step."""
    corrections: tuple[tuple[str, ...], ...] = ()
    """For `none`: minimal sets of things that could give way."""
    all_conflicts: bool = True
    """Whether these are all conflicts and corrections; the search for more is bounded."""
    unjudged: tuple[str, ...] = ()
    """Packages, or releases as package URLs, of which nothing is known beyond what rules say."""
    checked: str = ""
    """Day on which the releases were read, ISO."""
