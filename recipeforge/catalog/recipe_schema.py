"""The recipe format as JSON Schema (2020-12), for editors: completion, hover and squiggles while one types.

It says what a recipe may contain, not what runs together; that is the checker's business.
"""

from collections.abc import Sequence
from typing import Any

from recipeforge.catalog.subjects import FRAMEWORKS
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.recipe import FORMAT_VERSION, Knob, Slot

Schema = dict[str, Any]

_GROUPS = {
    "data": "What the model learns from.",
    "batch": "How many sequences make one optimizer step.",
    "train": "How long the run goes, and what it writes.",
    "eval": "When held-out loss is measured.",
    "hardware": "What the run runs on.",
    "budget": "Limits that the recipe has to keep.",
}
_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string", "enum": "string"}


def json_schema(catalog: Catalog) -> Schema:
    """Return the schema of a recipe that uses this catalog."""
    slots = {slot.id: _slot(slot) for slot in catalog.slots.values()}
    groups = {group: _group(catalog, group, text) for group, text in _GROUPS.items()}
    properties = {**_head(catalog), **slots, **groups, **_tail()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "recipeforge recipe",
        "description": "A training recipe: what trains, how, on what, within which limits.",
        "type": "object",
        "properties": properties,
        "required": ["recipeforge", "model", *(slot.id for slot in catalog.slots.values() if slot.cardinality == "one")],
        "additionalProperties": False,
        "$defs": {slot.id: _slot_item(catalog, slot) for slot in catalog.slots.values()},
    }


def _head(catalog: Catalog) -> Schema:
    return {
        "recipeforge": {"const": FORMAT_VERSION, "description": "Version of the recipe format."},
        "name": {"type": "string", "description": "What the run is called in the ledger."},
        "model": {
            "type": "string",
            "description": "Base model: a hub id, a local folder, or a preset that the package knows.",
            "examples": list(catalog.models),
        },
    }


def _tail() -> Schema:
    return {
        "framework": {"enum": list(FRAMEWORKS), "description": "Who runs the recipe, where that limits what it may contain."},
        "packages": {
            "type": "object",
            "description": "Versions that the run will meet, by name on PyPI.",
            "additionalProperties": {"type": "string", "description": 'A version in quotes, such as "2.6".'},
        },
        "seed": {"type": "integer", "minimum": 0, "description": "Seed of every random choice of the run."},
    }


def _slot(slot: Slot) -> Schema:
    item = {"$ref": f"#/$defs/{slot.id}"}
    several: Schema = {"type": "array", "items": item, "uniqueItems": True}
    if slot.cardinality != "many":
        several["maxItems"] = 1
    schema: Schema = {"title": slot.title, "description": slot.description, "anyOf": [item, several]}
    if slot.default is not None:
        schema["default"] = slot.default
    return schema


def _slot_item(catalog: Catalog, slot: Slot) -> Schema:
    """Return the schema of one choice: a component's id, or `{use: id, knob: value}`."""
    members = catalog.members(slot.id)
    knobs = [knob for knob in catalog.knobs.values() if knob.group == slot.id]
    use = {"description": slot.description, "oneOf": [_choice(component) for component in members]}
    long_form: Schema = {
        "type": "object",
        "properties": {"use": use, **{knob.name: _knob(knob) for knob in knobs}},
        "required": ["use"],
        "additionalProperties": False,
    }
    conditions = _knobs_by_component(members, knobs)
    if conditions:
        long_form["allOf"] = conditions
    return {"anyOf": [use, long_form]}


def _choice(component: Component) -> Schema:
    return {
        "const": component.id,
        "title": component.title,
        "description": f"{component.title}: {component.description}\n\n{component.url}",
    }


def _knobs_by_component(members: Sequence[Component], knobs: Sequence[Knob]) -> list[Schema]:
    """Return one condition for each group of components that read the same knobs."""
    if not any(knob.components for knob in knobs):
        return []
    readers: dict[tuple[str, ...], list[str]] = {}
    for component in members:
        read = tuple(knob.name for knob in knobs if not knob.components or component.id in knob.components)
        readers.setdefault(read, []).append(component.id)
    return [
        {
            "if": {"properties": {"use": {"enum": ids}}, "required": ["use"]},
            "then": {"propertyNames": {"enum": ["use", *read]}},
        }
        for read, ids in readers.items()
    ]


def _group(catalog: Catalog, group: str, description: str) -> Schema:
    knobs = {knob.name: _knob(knob) for knob in catalog.knobs.values() if knob.group == group}
    if group == "hardware" and catalog.gpus:
        knobs["gpu"]["examples"] = list(catalog.gpus)
    return {"type": "object", "description": description, "properties": knobs, "additionalProperties": False}


def _knob(knob: Knob) -> Schema:
    unit = f" In {knob.unit}." if knob.unit else ""
    schema: Schema = {"description": knob.description + unit}
    if knob.type == "duration":
        schema |= {"type": "string", "pattern": r"^(\d+(\.\d+)?\s*[a-z]+\s*)+$"}
    elif knob.type == "enum":
        schema["enum"] = list(knob.values)
    else:
        schema["type"] = _TYPES[knob.type]
    bounds = {"minimum": knob.minimum, "maximum": knob.maximum}
    schema |= {key: int(bound) if knob.type == "int" else bound for key, bound in bounds.items() if bound is not None}
    if knob.default is not None:
        schema["default"] = knob.default
    return schema
