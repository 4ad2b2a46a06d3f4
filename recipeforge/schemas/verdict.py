"""Answers: the verdict on a loadout, repairs, statuses, and the memory estimate."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, NamedTuple

from recipeforge.schemas.change import Change, Safety
from recipeforge.schemas.explanation import Step
from recipeforge.schemas.record import record

VerdictKind = Literal["valid", "incomplete", "conflicting", "undecided", "unreadable"]
StatusKind = Literal["equipped", "available", "conditional", "swap", "blocked"]


@record
class Violation:
    """A rule that the recipe as written breaks."""

    code: str
    participants: tuple[str, ...]
    """Components, knobs and facts that make the pattern, the guilty one first."""


@record
class Conflict:
    """A minimal set of given things that no additions can reconcile."""

    picks: tuple[str, ...]
    """Components and knobs of the recipe; dropping any one of them resolves this conflict."""
    rules: tuple[str, ...]
    """Codes that together forbid them."""
    minimal: bool
    """Whether both sets are proved minimal."""
    steps: tuple[Step, ...] = ()
    """Why they cannot stand together, step by step to a contradiction, where that takes several rules and was asked for."""


@record
class Estimate:
    """Predicted peak memory of one device, in bytes, term by term."""

    terms: Mapping[str, int]
    """`weights`, `adapter`, `gradients`, `optimizer`, `activations`, `logits`, `overhead` → bytes."""
    assumed: tuple[str, ...] = ()
    """What was taken for granted because the recipe does not say."""

    @property
    def total(self) -> int:
        """Sum of the terms, bytes."""
        return sum(self.terms.values())


@record
class Verdict:
    """Whether the recipe will run as written."""

    kind: VerdictKind
    violations: tuple[Violation, ...] = ()
    """All of them, errors and milder ones, in catalog order."""
    conflicts: tuple[Conflict, ...] = ()
    corrections: tuple[tuple[str, ...], ...] = ()
    """Minimal sets of components and knobs of the recipe without which additions could cure the rest."""
    all_conflicts: bool = True
    """Whether `conflicts` and `corrections` are all that there are; the search for more is bounded."""
    unknown: tuple[str, ...] = ()
    """Facts that some rule asked for and nobody gave."""
    estimate: Estimate | None = None
    spent: str = ""
    """For `undecided`: which budget ran out, and what is known."""


class Status(NamedTuple):
    """What equipping a component would mean, given the loadout. (A tuple, since an editor asks for a hundred at a keystroke.)"""

    component: str
    kind: StatusKind
    wanted: bool = False
    """An equipped component needs it, or one of a few like it."""
    needs: tuple[Change, ...] = ()
    """For conditional and swap: what has to come along."""
    rules: tuple[str, ...] = ()
    """For conditional, swap and blocked: the rules that stand in the way."""
    blockers: tuple[str, ...] = ()
    """For blocked: equipped components and settings of which one would have to leave. For swap: the holders."""


@record
class Blocked:
    """Why a component cannot join the recipe, and what would have to change."""

    status: Status
    steps: tuple[Step, ...] = ()
    """From the supposition that it joins to a contradiction; without the holder, where its slot is taken."""
    cure: tuple[Change, ...] | None = None
    """The cheapest changes after which the recipe runs with the component in it; `None` where there are none."""
    title: str = ""
    """The changes in words."""


@record
class Repair:
    """A verified list of changes after which the recipe is valid."""

    changes: tuple[Change, ...]
    cost: int
    safety: Safety
    title: str
    proved: bool
    """Whether no cheaper repair exists (apart from those ranked before it)."""
    estimate: Estimate | None = None
    tokens_per_s: float | None = None
    """Typical speed of training afterwards, all devices together; `None` where it cannot be told."""
    context: Mapping[str, str] = field(default_factory=dict[str, str])
    """Numbers worth showing beside it, such as `memory` → "21.3 → 14.1 GiB"."""
