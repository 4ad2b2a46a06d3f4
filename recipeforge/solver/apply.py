"""Changes on a loadout, as a value: what the recipe would be once they are made."""

from collections.abc import Sequence
from dataclasses import replace

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Equipped, Loadout, Setting
from recipeforge.schemas.place import START_OF_FILE


def apply_changes(catalog: Catalog, loadout: Loadout, changes: Sequence[Change]) -> Loadout:
    """Return the loadout after `changes`. Settings that no equipped component reads any more go with their component."""
    equipped, settings = list(loadout.equipped), list(loadout.settings)
    for change in changes:
        match change:
            case Change(op="add", slot=str(slot), component=str(component)):
                if all(e.component != component for e in equipped):
                    equipped.append(Equipped(component, slot, loadout.span_of(slot)))
            case Change(op="drop", component=str(component)):
                equipped = [e for e in equipped if e.component != component]
            case Change(op="replace", component=str(component), previous=str(previous)):
                equipped = [replace(e, component=component) if e.component == previous else e for e in equipped]
            case Change(op="set", knob=str(knob), value=value) if value is not None:
                spans = [s.span for s in settings if s.knob == knob] or [START_OF_FILE]
                settings = [s for s in settings if s.knob != knob] + [Setting(knob, value, spans[0])]
            case Change(op="drop", knob=str(knob)):
                settings = [s for s in settings if s.knob != knob]
            case _:
                raise ValueError(f"not a change that can be made: {change}")
    moved = {c.slot for c in changes if c.slot and c.op in ("drop", "replace")}
    return replace(loadout, equipped=tuple(equipped), settings=tuple(s for s in settings if _still_read(catalog, equipped, s.knob, moved)))


def _still_read(catalog: Catalog, equipped: Sequence[Equipped], knob: str, moved: set[str]) -> bool:
    """Return whether a setting keeps a reader, where its slot has changed."""
    spec = catalog.knobs[knob]
    if spec.group not in moved:
        return True
    held = [e.component for e in equipped if e.slot == spec.group]
    default = catalog.slots[spec.group].default
    readers = held or ([default] if default else [])
    return any(not spec.components or c in spec.components for c in readers)
