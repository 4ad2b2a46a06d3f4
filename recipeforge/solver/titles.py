"""Changes in words a person would use."""

from collections.abc import Sequence

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.recipe import Scalar


def title_of(catalog: Catalog, loadout: Loadout, changes: Sequence[Change]) -> str:
    """Return a title for a list of changes, such as "Add bnb 4-bit; batch.micro 4 → 2"."""
    words = "; ".join(_words(catalog, loadout, c) for c in changes)
    return words[:1].upper() + words[1:] if words.startswith(("add", "drop", "replace", "set")) else words


def _words(catalog: Catalog, loadout: Loadout, change: Change) -> str:
    def name(component: str | None) -> str:
        return catalog.components[component].title if component else ""

    match change.op:
        case "add":
            return f"add {name(change.component)}"
        case "replace":
            return f"replace {name(change.previous)} by {name(change.component)}"
        case "drop" if change.knob:
            return f"drop {change.knob}"
        case "drop":
            return f"drop {name(change.component)}"
        case _:
            before = loadout.value_of(str(change.knob))
            if before is None:
                return f"set {change.knob}: {spelled(change.value)}"
            return f"{change.knob} {spelled(before)} → {spelled(change.value)}"


def spelled(value: Scalar | None) -> str:
    """Return a value as YAML spells it."""
    return {True: "true", False: "false", None: "unset"}.get(value, str(value)) if isinstance(value, bool | None) else f"{value}"
