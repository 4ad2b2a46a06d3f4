"""What a recipe amounts to: every slot, knob and fact with its effective value, defaults included."""

from collections.abc import Collection, Mapping

from recipeforge.catalog.subjects import FRAMEWORK, UNSETTLED
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Fact, Loadout
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record


@record
class View:
    """Effective values. A knob that is unset and has no default is absent from `knobs`; an unknown fact from `facts`."""

    slots: Mapping[str, tuple[str, ...]]
    knobs: Mapping[str, Scalar]
    facts: Mapping[str, Fact]
    catalog: Catalog
    unsettled: Collection[str] = ()
    """Slots and knobs that hold something, and nobody said what."""

    def known(self, subject: str) -> Fact | None:
        """Return the value of a slot, knob or fact; `None` when it has none (unset or unknown)."""
        if subject in self.unsettled:
            return None
        if subject in self.catalog.slots:
            held = self.slots.get(subject, ())
            if self.catalog.slots[subject].cardinality == "many":
                return held
            return held[0] if held else None
        if subject in self.catalog.knobs:
            return self.knobs.get(subject)
        return self.facts.get(subject)

    def may_be(self, subject: str) -> bool:
        """Return whether `subject` may have a value that nobody said: a fact, or what is unsettled; others are as they stand.

        A recipe that names no framework has none.
        """
        return subject in self.unsettled or (subject != FRAMEWORK and self.is_fact(subject))

    def is_fact(self, subject: str) -> bool:
        """Return whether `subject` belongs to the context rather than to the recipe's own choices."""
        return subject not in self.catalog.slots and subject not in self.catalog.knobs


def view_of(catalog: Catalog, loadout: Loadout) -> View:
    """Return the effective values of `loadout`: given ones, else defaults."""
    slots: dict[str, tuple[str, ...]] = {}
    for slot in catalog.slots.values():
        given = loadout.components_in(slot.id)
        slots[slot.id] = given or ((slot.default,) if slot.default else ())
    knobs = {k.path: k.default for k in catalog.knobs.values() if k.default is not None}
    knobs |= {s.knob: s.value for s in loadout.settings}
    return View(slots, knobs, loadout.context.facts, catalog, unsettled_of(loadout.context.facts))


def unsettled_of(facts: Mapping[str, Fact]) -> Collection[str]:
    """Return the slots and knobs of which nobody said what they hold: what depends on them is unknown, and fires nothing."""
    said = facts.get(UNSETTLED)
    return said if isinstance(said, tuple) else ()
