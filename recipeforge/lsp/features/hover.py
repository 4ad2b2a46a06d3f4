"""Hover: the findings at a place with their evidence, then what stands there. Worked out from the tree, so half a recipe is enough."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from recipeforge.documents.vocabulary import VERSION_KEY
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.cards.components import component_card
from recipeforge.lsp.cards.evidence import claim_card, rule_card
from recipeforge.lsp.cards.facts import gpu_card, model_card, package_card, recipe_card
from recipeforge.lsp.cards.findings import finding_cards, findings_elsewhere, part_of
from recipeforge.lsp.cards.knobs import group_card, knob_card, slot_card
from recipeforge.lsp.comments import Mention, mention_at
from recipeforge.lsp.markdown import BETWEEN_CARDS, plain
from recipeforge.lsp.registry import answers
from recipeforge.lsp.under_cursor import Thing, alias_at, thing_at
from recipeforge.schemas.diagnostic import Diagnostic

MOST_FINDINGS = 4


@answers(types.TEXT_DOCUMENT_HOVER)
def hover(known: Analysis, params: types.HoverParams) -> types.Hover | None:
    """Return what is known about what stands under the pointer."""
    offset = known.offset(params.position)
    mention = mention_at(known.document, known.catalog, offset)
    if mention is not None:
        return _popup(known, [_mentioned(known, mention)], mention.start, mention.end)
    found = _findings(known, offset)
    thing = thing_at(known.document, known.vocabulary, offset)
    cards = [*finding_cards(known, found), *_cards(known, thing, offset, found)]
    if not cards:
        return None
    if thing is not None:
        return _popup(known, cards, thing.start, thing.end)
    lines = known.document.lines
    span = found[0].primary.span if found else lines.span(offset, offset)
    return _popup(known, cards, lines.offset(span.start), lines.offset(span.end))


def _popup(known: Analysis, cards: list[str], start: int, end: int) -> types.Hover:
    text = BETWEEN_CARDS.join(card for card in cards if card)
    markdown = known.client.abilities.markdown
    kind = types.MarkupKind.Markdown if markdown else types.MarkupKind.PlainText
    content = types.MarkupContent(kind=kind, value=text if markdown else plain(text))
    return types.Hover(contents=content, range=known.range_between(start, end))


def _findings(known: Analysis, offset: int) -> list[Diagnostic]:
    """Return the findings whose place holds an offset, worst first."""
    position = known.document.lines.position(offset)

    def there(finding: Diagnostic) -> bool:
        return finding.primary.span.start <= position <= finding.primary.span.end

    rank = {"error": 0, "warning": 1, "info": 2}
    return sorted((d for d in known.report.diagnostics if there(d)), key=lambda d: rank[d.severity])[:MOST_FINDINGS]


def _mentioned(known: Analysis, mention: Mention) -> str:
    if mention.kind == "claim":
        return claim_card(known.catalog, known.catalog.claims[mention.id])
    return rule_card(known.catalog, known.catalog.rules[mention.id])


def _cards(known: Analysis, thing: Thing | None, offset: int, found: list[Diagnostic]) -> Iterator[str]:
    alias = alias_at(known.document, offset)
    if alias is not None:
        line = known.document.lines.line_of(alias.target.start) + 1
        yield f"`*{alias.name}` repeats what line {line} anchors as `&{alias.name}`."
    if thing is None:
        return
    codes = {finding.code for finding in found}
    elsewhere = [finding for finding in findings_elsewhere(known, offset) if finding.code not in codes][:MOST_FINDINGS]
    if elsewhere:
        yield "\n\n".join(part_of(finding) for finding in elsewhere)
    catalog, untold = known.catalog, codes | {finding.code for finding in elsewhere}
    match thing.kind:
        case "component":
            yield component_card(known, catalog.components[thing.id], untold)
        case "knob":
            yield knob_card(known, catalog.knobs[thing.id], untold)
        case "slot":
            yield slot_card(known, catalog.slots[thing.id])
        case "group":
            yield group_card(known, thing.id)
        case "model":
            yield model_card(known, thing.id)
        case "gpu":
            yield gpu_card(known, thing.id)
        case "package":
            yield package_card(known, thing.id)
        case _:
            if thing.id == VERSION_KEY:
                yield recipe_card(known)
