"""A rule: one constraint over components, knobs and context, with its reason and evidence."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from recipeforge.schemas.change import Change, Safety
from recipeforge.schemas.claim import Tier
from recipeforge.schemas.condition import Condition
from recipeforge.schemas.record import record

Severity = Literal["error", "warning", "info"]
Stage = Literal["preview", "stable", "deprecated", "removed"]


@record
class FixTemplate:
    """A cure that the rule's author knows; offered only after it was verified on the recipe at hand."""

    title: str
    changes: tuple[Change, ...]
    safety: Safety


@record
class Example:
    """A recipe that shows the rule at work."""

    bad: str
    """Recipe text that this rule reports."""
    good: str
    """Recipe text with no finding at all."""
    companions: tuple[str, ...] = ()
    """Slugs of other rules that the bad recipe cannot help breaking."""


@record
class Rule:
    """What may not be, why, and who says so."""

    code: str
    """`RF` and four digits by family; never reused."""
    slug: str
    """Names the forbidden pattern; reads after "allow"."""
    severity: Severity
    """As claimed; see `effective_severity`."""
    message: str
    """One line shown at the place; `{subject}` inserts a value, such as `{gpu.title}`."""
    why: str
    """The mechanism, in our words."""
    violated_when: Condition | None
    """The pattern. `None`: the reader of the file reports it (RF0xxx), no condition can."""
    evidence: tuple[str, ...]
    """Claim ids, strongest first."""
    tier: Tier
    """Derived from the evidence at load, never typed."""
    cues: frozenset[str] | None = None
    """Components and keys of another tool's configuration; the pattern holds only where one of them is. `None`: it may hold anyway."""
    fixes: tuple[FixTemplate, ...] = ()
    example: Example | None = None
    scope: Mapping[str, str] = field(default_factory=dict[str, str])
    """Package or framework → version specifier for which it is claimed, or `not` for a framework that it does not bind; empty: general."""
    excepted: frozenset[str] = frozenset()
    """Components and knobs that only keep the rule from speaking: no cure, though the pattern does not hold with them. Derived at load."""
    subjects: tuple[str, ...] | None = None
    """Every slot, knob and fact that the pattern names, in order; `None`: not worked out. Derived at load."""
    past: frozenset[str] = frozenset()
    """Names of `scope` whose current release lies outside: where no version at all is given, the rule is silent. Derived at load."""
    budget: str | None = None
    """The budget that this rule limits (`memory`): arithmetic instead of a condition."""
    budget_limits: tuple[str, ...] = ()
    """Subjects whose values bound it; the smallest known one counts."""
    since: str = "0.1.0"
    stage: Stage = "preview"
    unread: bool = False
    """Whether the run goes on as if the guilty part were not there; editors fade it."""

    @property
    def effective_severity(self) -> Severity:
        """What is shown: a rule that only T3 evidence backs informs and never blocks."""
        return "info" if self.tier == "T3" else self.severity
