"""The catalog as one immutable value: what the loader returns and every room reads."""

from collections.abc import Mapping
from dataclasses import field

from recipeforge.schemas.claim import Claim
from recipeforge.schemas.component import Component
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.recipe import Knob, Slot
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Rule


@record
class FactSheet:
    """Facts about one GPU, model or package, with their source."""

    id: str
    """Catalog id, such as `rtx-4090`, or a hub id."""
    title: str
    facts: Mapping[str, Fact]
    """Name inside the group → value: `memory_gib`, `capability`, `hidden` …"""
    source: str
    """URL."""
    checked: str
    """ISO date on which the source was read."""
    aliases: tuple[str, ...] = ()


@record
class Offer:
    """What one provider asked for one GPU on one day."""

    id: str
    """Provider and GPU, such as `nebius-h100`."""
    gpu: str
    """Id of the GPU's sheet."""
    provider: str
    usd_hour: float
    """USD for one GPU and one hour, on demand, with the share of the machine that comes with it."""
    source: str
    """URL of the page on which it was read."""
    checked: str
    """ISO date of which the source speaks, or on which it was read where it gives none."""


@record
class Catalog:
    """All knowledge. Ids are unique; every reference resolves (the linter proves it)."""

    hash: str
    """Of the packs' content; a verdict names it."""
    slots: Mapping[str, Slot]
    knobs: Mapping[str, Knob]
    components: Mapping[str, Component]
    rules: Mapping[str, Rule]
    """By code."""
    claims: Mapping[str, Claim]
    gpus: Mapping[str, FactSheet] = field(default_factory=dict[str, FactSheet])
    models: Mapping[str, FactSheet] = field(default_factory=dict[str, FactSheet])
    packages: Mapping[str, FactSheet] = field(default_factory=dict[str, FactSheet])
    prices: Mapping[str, Offer] = field(default_factory=dict[str, Offer])

    def members(self, slot: str) -> tuple[Component, ...]:
        """Components of a slot, in catalog order."""
        return tuple(c for c in self.components.values() if c.slot == slot)

    def measured(self, component: str) -> tuple[Claim, ...]:
        """Standing claims about a component's own measurements, those that speak of it alone first."""
        found = [claim for claim in self.claims.values() if component in claim.about and not claim.withdrawn]
        return tuple(sorted(found, key=lambda claim: (len(claim.about), claim.id)))

    def rule_by_slug(self, slug: str) -> Rule | None:
        """The rule with this slug."""
        return next((r for r in self.rules.values() if r.slug == slug), None)
