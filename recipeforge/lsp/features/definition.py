"""Go to definition: from a word of a recipe to its entry in the catalog, from an alias to its anchor."""

from __future__ import annotations

import re

from lsprotocol import types
from pygls.uris import from_fs_path

from recipeforge.documents.context import gpu_sheet, model_sheet
from recipeforge.documents.tree import AliasNode
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.catalog_places import Place, What, place_of
from recipeforge.lsp.comments import mention_at
from recipeforge.lsp.registry import answers
from recipeforge.lsp.under_cursor import Thing, alias_at, thing_at

Origin = tuple[int, int]
"""The text that leads there: (start, end)."""


@answers(types.TEXT_DOCUMENT_DEFINITION, native=True)
def definition(known: Analysis, params: types.DefinitionParams) -> types.Location | list[types.LocationLink] | None:
    """Return where what stands at a place is defined."""
    offset = known.offset(params.position)
    mention = mention_at(known.document, known.catalog, offset)
    if mention is not None:
        return _in_catalog(known, place_of(mention.kind, mention.id), (mention.start, mention.end))
    alias = alias_at(known.document, offset)
    if alias is not None:
        return _anchor(known, alias)
    thing = thing_at(known.document, known.vocabulary, offset)
    return _in_catalog(known, _place(known, thing), (thing.start, thing.end)) if thing is not None else None


def _place(known: Analysis, thing: Thing) -> Place | None:
    match thing.kind:
        case "component" | "knob" | "slot" as what:
            return place_of(what, thing.id)
        case "model":
            return _of_sheet("model", model_sheet(known.catalog, thing.id))
        case "gpu":
            return _of_sheet("gpu", gpu_sheet(known.catalog, thing.id))
        case "package":
            return place_of("package", thing.id)
        case _:
            return None


def _of_sheet(what: What, sheet: object) -> Place | None:
    id_ = getattr(sheet, "id", None)
    return place_of(what, id_) if isinstance(id_, str) else None


def _anchor(known: Analysis, alias: AliasNode) -> types.Location | list[types.LocationLink]:
    """Return the anchor that an alias repeats: `&name`, which stands before what it anchors."""
    written = re.compile(rf"&{re.escape(alias.name)}(?![^\s,\[\]{{}}])")
    found = [match.span() for match in written.finditer(known.document.text, 0, alias.target.start)]
    start, end = found[-1] if found else (alias.target.start, alias.target.start)
    return _answer(known, known.file.uri, known.range_between(start, end), (alias.start, alias.end))


def _in_catalog(known: Analysis, place: Place | None, origin: Origin) -> types.Location | list[types.LocationLink] | None:
    uri = from_fs_path(str(place.file)) if place is not None else None
    if place is None or uri is None:
        return None
    start = types.Position(line=place.line, character=place.start)
    end = types.Position(line=place.line, character=place.end)
    return _answer(known, uri, types.Range(start=start, end=end), origin)


def _answer(known: Analysis, uri: str, place: types.Range, origin: Origin) -> types.Location | list[types.LocationLink]:
    """Return a place; with the text that leads to it for clients that can underline that."""
    if not known.client.abilities.definition_links:
        return types.Location(uri=uri, range=place)
    led = known.range_between(*origin)
    return [types.LocationLink(target_uri=uri, target_range=place, target_selection_range=place, origin_selection_range=led)]
