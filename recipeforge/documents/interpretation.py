"""What a document says, as far as it was understood, and the findings on the way."""

from collections.abc import Collection
from dataclasses import dataclass, field

from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.scalars import Misfit
from recipeforge.documents.steps import Proposal
from recipeforge.documents.tree import Content, ScalarNode
from recipeforge.schemas.change import Change
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.loadout import Equipped, Fact, Setting
from recipeforge.schemas.place import Span, TextEdit

MAX_FINDINGS = 100
"""More are counted, not listed."""


@dataclass(slots=True)
class Findings:
    """Findings of one walk over a tree, each with the steps that would cure it."""

    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    proposals: dict[int, Proposal] = field(default_factory=dict[int, Proposal])
    """Index of a diagnostic → its cure."""
    dropped: int = 0
    """Findings beyond `MAX_FINDINGS`."""
    _seen: set[tuple[str, Span, str]] = field(default_factory=set[tuple[str, Span, str]])

    @property
    def full(self) -> bool:
        """Whether another finding would only be counted; ask before costly suggestions."""
        return len(self.diagnostics) >= MAX_FINDINGS

    def withdraw(self, keys: Collection[str]) -> None:
        """Withdraw proposals that would write one of these top-level keys: a misspelt one waits to become it."""
        for index, proposal in list(self.proposals.items()):
            written = {step.slot or (step.knob or "").split(".", 1)[0] for step in proposal.steps if isinstance(step, Change)}
            if written & set(keys):
                del self.proposals[index]

    def add(self, diagnostic: Diagnostic, proposal: Proposal | None = None) -> None:
        """Keep a finding. What several aliases repeat is one place, and one finding."""
        mark = (diagnostic.code, diagnostic.primary.span, diagnostic.message)
        if mark in self._seen:
            return
        if self.full:
            self.dropped += 1
            return
        self._seen.add(mark)
        if proposal is not None:
            self.proposals[len(self.diagnostics)] = proposal
        self.diagnostics.append(diagnostic)


@dataclass(slots=True)
class Interpretation:
    """What a document says."""

    readable: bool = True
    """Whether this is a recipe of a version that is known here."""
    name: str = ""
    model: str | None = None
    seed: int | None = None
    framework: str | None = None
    packages: dict[str, str] = field(default_factory=dict[str, str])
    equipped: list[Equipped] = field(default_factory=list[Equipped])
    settings: list[Setting] = field(default_factory=list[Setting])
    keys: dict[str, Span] = field(default_factory=dict[str, Span])
    """Top-level keys."""
    spans: dict[str, Span] = field(default_factory=dict[str, Span])
    """Of the context's groups: `gpu`, `model`, `framework`, `packages.torch`."""
    facts: dict[str, Fact] = field(default_factory=dict[str, Fact])
    """What another tool's configuration says in its own words: `config.sample_packing`."""
    unsettled: frozenset[str] = frozenset()
    """Slots and knobs that hold something, and the document does not say what: no rule may take their defaults for granted."""
    sayable: frozenset[str] | None = None
    """Components and knobs that the dialect has words for; `None`: all of them."""
    findings: Findings = field(default_factory=Findings)

    def value_of(self, knob: str) -> object:
        """Return the value that the document gives a knob."""
        return next((setting.value for setting in self.settings if setting.knob == knob), None)


def misfit_finding(misfit: Misfit, where: Span, node: Content) -> Diagnostic:
    """Return the finding about a value that does not fit, with the right text as its fix where that is known."""
    fixes: tuple[Fix, ...] = ()
    if misfit.replacement is not None and isinstance(node, ScalarNode) and node.end > node.start:
        fixes = (text_fix(f"Write `{misfit.replacement}`", TextEdit(where, misfit.replacement), safety=misfit.safety),)
    return finding(misfit.code, misfit.message, where, misfit.label, help=misfit.help, fixes=fixes)
