"""Completion: keys, components by status, values, codes to ignore. Documentation and what has to come along are filled in on request.

An item carries its own subject in `data`, so that nothing has to be remembered; a client that loses it gets the item back as it was.
"""

from __future__ import annotations

import json
from typing import Any, cast

from lsprotocol import types

from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.cards.components import component_card
from recipeforge.lsp.cards.evidence import rule_card
from recipeforge.lsp.cards.facts import gpu_card, model_card, package_card
from recipeforge.lsp.cards.knobs import group_card, knob_card, slot_card
from recipeforge.lsp.companions import companions
from recipeforge.lsp.cursor import Cursor, cursor_at
from recipeforge.lsp.markdown import plain
from recipeforge.lsp.offer import Offer
from recipeforge.lsp.offers import PLAIN_KEYS, offers_at
from recipeforge.lsp.registry import answers
from recipeforge.schemas.change import Change

TRIGGERS = [" ", "{", "[", ",", "-"]
"""After these a place for a word begins. No colon and no line break: a list that pops up there swallows the next Enter."""

_OPTIONS = types.CompletionOptions(
    trigger_characters=TRIGGERS,
    resolve_provider=True,
    completion_item=types.ServerCompletionItemOptions(label_details_support=True),
)
_NOTHING = types.CompletionList(is_incomplete=False, items=[])
_GREYED = [types.CompletionItemTag.Deprecated]


@answers(types.TEXT_DOCUMENT_COMPLETION, _OPTIONS, empty=_NOTHING, native=True)
def completion(known: Analysis, params: types.CompletionParams) -> types.CompletionList:
    """Return what may be written at a position."""
    cursor = cursor_at(known.document.lines, known.offset(params.position))
    offers = offers_at(known, cursor)
    if not offers:
        return _NOTHING
    where = known.range_between(cursor.at if cursor.role == "comment" else cursor.start, cursor.end)
    make = _Items(known, cursor, where)
    return types.CompletionList(is_incomplete=False, items=[make.item(rank, offer) for rank, offer in enumerate(offers)])


class _Items:
    """Offers for one place in the protocol's words."""

    def __init__(self, known: Analysis, cursor: Cursor, where: types.Range) -> None:
        self._uri = known.file.uri
        self._snippets = known.client.abilities.snippets
        self._cursor = cursor
        self._where = where

    def item(self, rank: int, offer: Offer) -> types.CompletionItem:
        """Return the item of one offer; its text replaces the whole word, so that nothing of it is left behind the cursor."""
        snippet = offer.opener == "{" and self._snippets
        text = self._text(offer)
        names = " ".join(offer.names) if len(offer.names) > 1 else None
        return types.CompletionItem(
            label=f"{offer.opener}{offer.label}: …}}" if offer.opener == "{" else f"{offer.opener}{offer.label}",
            label_details=types.CompletionItemLabelDetails(description=offer.told) if offer.told else None,
            kind=offer.kind,
            tags=_GREYED if offer.greyed else None,
            detail=offer.detail or None,
            sort_text=f"{rank:03}",
            filter_text=names or (offer.label if text != offer.label or offer.opener else None),
            insert_text_format=types.InsertTextFormat.Snippet if snippet else None,
            text_edit=types.TextEdit(range=self._where, new_text=f"{text}$0}}" if snippet else text),
            data=self._data(offer),
        )

    def _text(self, offer: Offer) -> str:
        """Return what is written: the word with what has to stand around it."""
        cursor = self._cursor
        lead = "" if offer.opener == "- " and cursor.lead == "- " else cursor.lead
        colon = ": " if offer.key and not cursor.colon and not (cursor.quote and not cursor.tail) else ""
        return f"{lead}{offer.opener}{offer.label}{cursor.tail}{colon}"

    def _data(self, offer: Offer) -> str:
        """Return what tells the item's subject later, as a text, which every client hands back unharmed."""
        needs = [[c.op, c.slot, c.component, c.previous, c.knob, c.value] for c in offer.needs]
        return json.dumps([self._uri, offer.subject, offer.id, *([needs] if needs else [])])


# -- filling in ----------------------------------------------------------------------------------------------


def _of(item: types.CompletionItem) -> list[Any]:
    """Return an item's data; an empty list where the client lost it."""
    try:
        data: Any = json.loads(item.data) if isinstance(item.data, str) else None
    except ValueError:
        data = None
    return cast("list[Any]", data) if isinstance(data, list) and len(cast("list[Any]", data)) >= 3 else []


def _uri_of(item: types.CompletionItem) -> str | None:
    data = _of(item)
    return str(data[0]) if data else None


@answers(types.COMPLETION_ITEM_RESOLVE, text_of=_uri_of, unchanged=True)
def resolve(known: Analysis, item: types.CompletionItem) -> types.CompletionItem:
    """Return an item with its documentation, and with the edits that bring what it needs."""
    _, subject, name, *needs = _of(item)
    told = _documentation(known, subject, name)
    if told:
        markdown = known.client.abilities.markdown_items
        item.documentation = types.MarkupContent(kind=types.MarkupKind.Markdown, value=told) if markdown else plain(told)
    if needs and isinstance(item.text_edit, types.TextEdit):
        edit = item.text_edit
        at = cursor_at(known.document.lines, known.offset(edit.range.start))
        changes = [Change(*change) for change in needs[0]]
        item.additional_text_edits = known.edits(companions(known, at.start, at.end, edit.new_text, changes)) or None
    return item


def _documentation(known: Analysis, subject: str, name: str) -> str:
    """Return the card of an item's subject; empty where there is nothing to say."""
    catalog, vocabulary = known.catalog, known.vocabulary
    match subject:
        case "component" if name in catalog.components:
            return component_card(known, catalog.components[name])
        case "knob" if name in catalog.knobs:
            return knob_card(known, catalog.knobs[name])
        case "gpu":
            return gpu_card(known, name)
        case "model":
            return model_card(known, name)
        case "package":
            return package_card(known, name)
        case "rule" if name in catalog.rules:
            return rule_card(catalog, catalog.rules[name])
        case "key" if name in vocabulary.slots:
            return slot_card(known, vocabulary.slots[name])
        case "key" if vocabulary.is_group(name):
            return group_card(known, name)
        case "key":
            return PLAIN_KEYS.get(name, "")
        case _:
            return ""
