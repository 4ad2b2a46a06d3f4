"""What may be written at a place of a recipe: its keys, components by status, values of knobs, and the facts that the catalog knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol.types import CompletionItemKind as Kind

from recipeforge.catalog.subjects import FRAMEWORKS
from recipeforge.documents.scalars import wanted
from recipeforge.documents.surgery import written
from recipeforge.documents.vocabulary import HEAD_KEYS, USE_KEY, VERSION_KEY, Vocabulary, reads
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.cursor import Cursor
from recipeforge.lsp.ignore_offers import ignore_offers
from recipeforge.lsp.offer import Offer
from recipeforge.lsp.standing import at_length, in_short, ranked
from recipeforge.schemas.catalog import FactSheet
from recipeforge.schemas.component import Component
from recipeforge.schemas.recipe import FORMAT_VERSION, Knob, Slot

PLAIN_KEYS = {
    VERSION_KEY: "The number of the recipe format.",
    "name": "What this run is called.",
    "model": "The base model: a hub id, a local folder or a preset.",
    "framework": "The framework that runs it.",
    "packages": "Versions of the packages that run it.",
    "seed": "The number that every random choice starts from.",
}
_JUDGED = frozenset({"available", "conditional"})


def offers_at(known: Analysis, cursor: Cursor) -> list[Offer]:
    """Return what may stand at the cursor, best first."""
    match cursor.role:
        case "key":
            return list(_keys(known, cursor))
        case "value":
            return list(_values(known, cursor))
        case "item":
            slot = known.vocabulary.slots.get("".join(cursor.path[:1]))
            return list(_components(known, slot.id, cursor.items)) if slot is not None and len(cursor.path) == 1 else []
        case "ignore" | "comment":
            return ignore_offers(known, cursor)
        case _:
            return []


# -- keys ----------------------------------------------------------------------------------------------------


def _keys(known: Analysis, cursor: Cursor) -> Iterator[Offer]:
    vocabulary, (key, *deeper) = known.vocabulary, cursor.path or ("",)
    if not key:
        yield from _top_keys(known, cursor.keys)
    elif deeper:
        return
    elif (slot := vocabulary.slots.get(key)) is not None:
        if cursor.fresh and slot.cardinality == "many":
            for offer in _components(known, slot.id, ()):
                yield offer.behind("- ")
        else:
            yield from _slot_keys(vocabulary, slot, cursor)
    elif key == "packages":
        for sheet in known.catalog.packages.values():
            if sheet.id not in cursor.keys:
                names = (sheet.id, *sheet.aliases)
                yield Offer(sheet.id, Kind.Module, "package", sheet.id, detail=f"the version of {sheet.title}", names=names, key=True)
    elif vocabulary.is_group(key):
        yield from (_knob_key(knob) for knob in vocabulary.knobs[key].values() if knob.name not in cursor.keys)


def _top_keys(known: Analysis, present: Iterable[str]) -> list[Offer]:
    """Return the top-level keys that are not there yet: first those that no recipe does without, then what this one asks for."""
    vocabulary, there = known.vocabulary, frozenset(present)
    asked = {known.catalog.components[name].slot for name, status in known.statuses.items() if status.wanted and status.kind in _JUDGED}
    ordered: list[tuple[int, Offer]] = []
    for key in vocabulary.keys:
        if key in there:
            continue
        slot = vocabulary.slots.get(key)
        required = (key in HEAD_KEYS and key != "name") or (slot is not None and slot.cardinality == "one" and slot.default is None)
        rank = 0 if required else 1 if key in asked else 2
        told = ("required", "wanted", _told_of_slot(slot))[rank]
        kind = Kind.Field if slot is not None else Kind.Module if vocabulary.is_group(key) else Kind.Property
        ordered.append((rank, Offer(key, kind, "key", key, told, key_detail(vocabulary, key), key=True)))
    return [offer for _, offer in sorted(ordered, key=lambda one: one[0])]


def key_detail(vocabulary: Vocabulary, key: str) -> str:
    """Return what a top-level key holds, in one line."""
    if key in vocabulary.slots:
        return vocabulary.slots[key].description
    if vocabulary.is_group(key):
        return ", ".join(vocabulary.knobs[key])
    return PLAIN_KEYS.get(key, "")


def _told_of_slot(slot: Slot | None) -> str:
    if slot is None:
        return ""
    return f"default {slot.default}" if slot.default else "any number" if slot.cardinality == "many" else ""


def _slot_keys(vocabulary: Vocabulary, slot: Slot, cursor: Cursor) -> Iterator[Offer]:
    """Yield `use`, and the knobs that the component reads which it names."""
    if USE_KEY not in cursor.keys:
        yield Offer(USE_KEY, Kind.Keyword, "key", slot.id, "required", f"which {slot.title} it is", key=True)
    component = vocabulary.component(slot.id, cursor.keys.get(USE_KEY, ""))
    chosen = component.id if component is not None else slot.default
    for knob in vocabulary.knobs[slot.id].values():
        if knob.name not in cursor.keys and (chosen is None or reads(chosen, knob)):
            yield _knob_key(knob)


def _knob_key(knob: Knob) -> Offer:
    default = f"default {written(knob.default, knob)}" if knob.default is not None else ""
    told = default or (knob.unit or "")
    detail = f"{wanted(knob)}; {default}" if default else wanted(knob)
    return Offer(knob.name, Kind.Property, "knob", knob.path, told, detail, key=True)


# -- values --------------------------------------------------------------------------------------------------


def _values(known: Analysis, cursor: Cursor) -> Iterator[Offer]:
    vocabulary, (key, *deeper) = known.vocabulary, cursor.path
    if not deeper:
        if key in vocabulary.slots:
            yield from _components(known, key, ())
        elif vocabulary.is_group(key):
            if cursor.start == cursor.end and not cursor.quote:
                yield from (_knob_key(knob).behind("{") for knob in vocabulary.knobs[key].values())
        else:
            yield from _plain_values(known, key)
    elif len(deeper) == 1:
        name = deeper[0]
        if key in vocabulary.slots and name == USE_KEY:
            yield from _components(known, key, cursor.items)
        elif key == "packages":
            yield from _versions(known, name, quoted=bool(cursor.quote))
        elif key in vocabulary.knobs and (knob := vocabulary.knobs[key].get(name)) is not None:
            yield from _knob_values(known, knob, quoted=bool(cursor.quote))


def _components(known: Analysis, slot: str, listed: Iterable[str]) -> Iterator[Offer]:
    """Yield a slot's components by status, without those that its list names already."""
    catalog, default = known.catalog, known.vocabulary.slots[slot].default
    taken = {found.id for name in listed if (found := known.vocabulary.component(slot, name)) is not None}
    for component, status in ranked(known, (c for c in known.catalog.members(slot) if c.id not in taken)):
        told = in_short(catalog, status)
        if component.id == default and status.kind == "available":
            told = "default"
        yield Offer(
            component.id,
            Kind.EnumMember,
            "component",
            component.id,
            told,
            at_length(known, component, status) or component.title,
            names=_names(component),
            greyed=status.kind == "blocked",
            needs=status.needs,
        )


def _names(component: Component) -> tuple[str, ...]:
    """Return all words under which someone may look for a component."""
    return tuple(dict.fromkeys((component.id, *component.aliases, *component.packages)))


def _plain_values(known: Analysis, key: str) -> Iterator[Offer]:
    if key == VERSION_KEY:
        yield Offer(str(FORMAT_VERSION), Kind.Value, "key", key, detail="the format that this release reads and writes")
    elif key == "framework":
        yield from (Offer(name, Kind.EnumMember, "key", key) for name in FRAMEWORKS)
    elif key == "model":
        for sheet in known.catalog.models.values():
            yield Offer(sheet.id, Kind.Value, "model", sheet.id, _size(sheet), sheet.title, names=(sheet.id, *sheet.aliases))


def _size(sheet: FactSheet) -> str:
    """Return a model's number of parameters as people say it."""
    count = sheet.facts.get("parameters")
    if not isinstance(count, int | float):
        return ""
    return f"{count / 1e9:.3g}B" if count >= 1e9 else f"{count / 1e6:.3g}M"


def _versions(known: Analysis, name: str, *, quoted: bool) -> Iterator[Offer]:
    sheet = known.catalog.packages.get(name)
    current = sheet.facts.get("current") if sheet is not None else None
    if isinstance(current, str):
        text = current if quoted else f'"{current}"'
        yield Offer(text, Kind.Value, "package", name, "current", names=(text, current))


def _knob_values(known: Analysis, knob: Knob, *, quoted: bool) -> Iterator[Offer]:
    if knob.path == "hardware.gpu":
        yield from _gpus(known)
        return
    for value, told in _candidates(known, knob):
        text = str(value) if quoted and isinstance(value, str) else written(value, knob)
        yield Offer(text, Kind.EnumMember if knob.type == "enum" else Kind.Value, "knob", knob.path, told)


def _candidates(known: Analysis, knob: Knob) -> Iterator[tuple[bool | int | float | str, str]]:
    """Yield the values worth offering for a knob, each with a word about it; there are none for free text."""
    if knob.type == "bool":
        # What changes something first.
        yield from ((value, "default" if value == knob.default else "") for value in (not knob.default, bool(knob.default)))
        return
    if knob.path == "budget.memory_gib" and known.view is not None:
        memory = known.view.known("gpu.memory_gib")
        if isinstance(memory, int | float):
            yield memory, "all that the GPU has"
        return
    values = list(knob.values or knob.choices)
    if knob.default is not None and knob.default not in values:
        values.insert(0, knob.default)
    yield from ((value, "default" if value == knob.default else "") for value in values)


def _gpus(known: Analysis) -> Iterator[Offer]:
    for sheet in known.catalog.gpus.values():
        memory = sheet.facts.get("memory_gib")
        told = f"{memory:g} GiB" if isinstance(memory, int | float) else ""
        yield Offer(sheet.id, Kind.EnumMember, "gpu", sheet.id, told, sheet.title, names=(sheet.id, *sheet.aliases))
