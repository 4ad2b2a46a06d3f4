"""Which components of the catalog the local engine implements, which of these a test trains, and what is missing here."""

from collections.abc import Iterator
from dataclasses import dataclass

from recipeforge.runner.parts import PARTS
from recipeforge.schemas.catalog import Catalog


@dataclass(frozen=True)
class Entry:
    """One component, as this engine and this machine see it."""

    component: str
    slot: str
    title: str
    implemented: bool
    tested: bool
    """A test of this project trains it."""
    untested: str
    """Why none does."""
    missing: tuple[str, ...]
    """Commands that bring the packages it still needs here."""


def table(catalog: Catalog, slot: str | None = None) -> Iterator[Entry]:
    """Yield every component, in catalog order, slot by slot; of one slot, or of all."""
    for slot_id in catalog.slots:
        if slot in (None, slot_id):
            for component in catalog.members(slot_id):
                part = PARTS.get(component.id)
                missing = tuple(n.pip for n in part.needs if n.installed is None or n.too_old) if part else ()
                untested = part.untested if part else ""
                yield Entry(component.id, slot_id, component.title, part is not None, part is not None and not untested, untested, missing)
