"""Loadout → the text of a native recipe, whole: slots, knobs with their values, the model."""

from collections.abc import Sequence

from recipeforge.documents.surgery import written
from recipeforge.documents.vocabulary import USE_KEY, VERSION_KEY, Vocabulary, reads
from recipeforge.schemas.loadout import Loadout, Setting
from recipeforge.schemas.recipe import FORMAT_VERSION, Knob, Scalar

WIDTH = 110
"""A slot or group that takes more on one line is written over several."""


def recipe_text(loadout: Loadout, vocabulary: Vocabulary) -> tuple[str, tuple[tuple[Setting, str], ...]]:
    """Return a recipe that says what a loadout holds, and the settings that it cannot say, each with its reason.

    The framework and the packages are left out: a recipe is for any that can run it.
    """
    left: list[tuple[Setting, str]] = []
    lines = [f"{VERSION_KEY}: {FORMAT_VERSION}"]
    lines += [f"{key}: {written(value)}" for key, value in (("name", loadout.name), ("model", loadout.model)) if value]
    for slot in vocabulary.slots.values():
        settings = [s for s in loadout.settings if s.knob.split(".", 1)[0] == slot.id]
        held = list(loadout.components_in(slot.id))
        if not held and slot.default and any(reads(slot.default, vocabulary.catalog.knobs[s.knob]) for s in settings):
            held = [slot.default]  # a value has to stand beside the component that reads it
        inside: dict[str, list[tuple[str, str]]] = {component: [] for component in held}
        for setting in settings:
            knob = vocabulary.catalog.knobs[setting.knob]
            reader = next((component for component in held if reads(component, knob)), None)
            if reader is None:
                left.append((setting, f"no {slot.title} in the recipe reads it"))
            else:
                inside[reader].append((knob.name, _value(setting.value, knob)))
        lines += _slot(slot.id, inside, many=slot.cardinality == "many")
    for group in vocabulary.keys:
        if vocabulary.is_group(group):
            here = [vocabulary.catalog.knobs[s.knob] for s in loadout.settings if s.knob.split(".", 1)[0] == group]
            lines += _mapping(group, [(knob.name, _value(loadout.value_of(knob.path), knob)) for knob in here])
    if loadout.seed is not None:
        lines.append(f"seed: {loadout.seed}")
    return "\n".join(lines) + "\n", tuple(left)


def _value(value: Scalar | None, knob: Knob) -> str:
    return written("" if value is None else value, knob)


def _slot(slot: str, inside: dict[str, list[tuple[str, str]]], *, many: bool) -> list[str]:
    if not inside:
        return []
    if not many and len(inside) == 1:
        ((component, pairs),) = inside.items()
        return _mapping(slot, [(USE_KEY, component), *pairs]) if pairs else [f"{slot}: {component}"]
    items = [_flow([(USE_KEY, component), *pairs]) if pairs else component for component, pairs in inside.items()]
    line = f"{slot}: [{', '.join(items)}]"
    return [line] if len(line) <= WIDTH else [f"{slot}:", *(f"  - {item}" for item in items)]


def _mapping(key: str, pairs: Sequence[tuple[str, str]]) -> list[str]:
    if not pairs:
        return []
    line = f"{key}: {_flow(pairs)}"
    return [line] if len(line) <= WIDTH else [f"{key}:", *(f"  {name}: {value}" for name, value in pairs)]


def _flow(pairs: Sequence[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in pairs) + "}"
