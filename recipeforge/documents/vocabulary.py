"""The catalog as a reader needs it: names → components, groups → knobs, keys in their canonical order."""

from collections.abc import Mapping

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.recipe import Knob, Slot
from recipeforge.schemas.record import slotted

VERSION_KEY = "recipeforge"
HEAD_KEYS = (VERSION_KEY, "name", "model")
TAIL_KEYS = ("framework", "packages", "seed")
USE_KEY = "use"


@slotted
class Vocabulary:
    """What may stand in a recipe."""

    catalog: Catalog
    slots: Mapping[str, Slot]
    components: Mapping[str, Mapping[str, Component]]
    """Slot → id or alias → component."""
    elsewhere: Mapping[str, tuple[Component, ...]]
    """Id or alias → components of any slot, ids before aliases."""
    knobs: Mapping[str, Mapping[str, Knob]]
    """Group → name → knob."""
    keys: tuple[str, ...]
    """The top-level keys, in canonical order."""

    def component(self, slot: str, name: str) -> Component | None:
        """Return the component that `name` means in a slot."""
        return self.components[slot].get(name)

    def knob(self, path: str) -> Knob | None:
        """Return the knob at `group.name`."""
        return self.catalog.knobs.get(path)

    def is_group(self, key: str) -> bool:
        """Return whether a top-level key holds knobs and no component."""
        return key in self.knobs and key not in self.slots


def reads(component: str, knob: Knob) -> bool:
    """Return whether a component of the knob's slot reads it."""
    return not knob.components or component in knob.components


_last: tuple[Catalog, Vocabulary] | None = None


def vocabulary_of(catalog: Catalog) -> Vocabulary:
    """Return the vocabulary of a catalog; the last one is kept, since a process has one catalog."""
    global _last
    if _last is None or _last[0] is not catalog:
        _last = (catalog, _build(catalog))
    return _last[1]


def _build(catalog: Catalog) -> Vocabulary:
    by_slot: dict[str, dict[str, Component]] = {slot: {} for slot in catalog.slots}
    anywhere: dict[str, list[Component]] = {}
    for component in catalog.components.values():
        by_slot[component.slot][component.id] = component
        anywhere.setdefault(component.id, []).insert(0, component)
    for component in catalog.components.values():
        for alias in component.aliases:
            by_slot[component.slot].setdefault(alias, component)
            anywhere.setdefault(alias, []).append(component)
    knobs: dict[str, dict[str, Knob]] = {slot: {} for slot in catalog.slots}
    for knob in catalog.knobs.values():
        knobs.setdefault(knob.group, {})[knob.name] = knob
    groups = tuple(group for group in knobs if group not in catalog.slots)
    return Vocabulary(
        catalog=catalog,
        slots=catalog.slots,
        components=by_slot,
        elsewhere={name: tuple(found) for name, found in anywhere.items()},
        knobs=knobs,
        keys=(*HEAD_KEYS, *catalog.slots, *groups, *TAIL_KEYS),
    )
