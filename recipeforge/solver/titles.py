"""Changes in words a person would use."""

from collections.abc import Sequence

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.recipe import Scalar
from recipeforge.solver.batch import MICRO, PAIR
from recipeforge.solver.costs import trades


def title_of(catalog: Catalog, loadout: Loadout, changes: Sequence[Change]) -> str:
    """Return a title for a list of changes, such as "Add bnb 4-bit; batch.micro 4 → 2"."""
    told: list[str] = []
    together = trades(loadout, catalog, changes)
    for change in changes:
        if together and change.knob in PAIR:
            continue
        told.append(_words(catalog, loadout, change))
    if together:
        told.append(", ".join(_moved(catalog, loadout, c) for c in sorted(changes, key=lambda c: c.knob != MICRO) if c.knob in PAIR))
    words = "; ".join(told)
    return words[:1].upper() + words[1:] if words.startswith(("add", "drop", "replace", "set")) else words


def _moved(catalog: Catalog, loadout: Loadout, change: Change) -> str:
    """Return how one of two parameters of the batch moves."""
    knob = catalog.knobs[str(change.knob)]
    before = loadout.value_of(knob.path)
    return f"{knob.name} {spelled(knob.default if before is None else before)} → {spelled(change.value)}"


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
