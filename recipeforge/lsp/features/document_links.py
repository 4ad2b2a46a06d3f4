"""Document links: models to their hub page, GPUs to their source, and what comments mention to the evidence and the rule's page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from recipeforge.documents.context import gpu_sheet, model_sheet
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.comments import mentions
from recipeforge.lsp.pages import page_uri
from recipeforge.lsp.registry import answers
from recipeforge.lsp.under_cursor import things

HUB = "https://huggingface.co/"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
Found = tuple[int, int, str, str]
"""(start, end, address, what it leads to)."""


@answers(types.TEXT_DOCUMENT_DOCUMENT_LINK, types.DocumentLinkOptions(resolve_provider=False), empty=[])
def document_links(known: Analysis, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
    """Return all links of a recipe, with their addresses. Addresses that stand in the text are left to the editor."""
    found = [*_of_values(known), *_of_comments(known)]
    tells = known.client.abilities.link_tooltips
    return [
        types.DocumentLink(range=known.range_between(start, end), target=target, tooltip=tooltip if tells else None)
        for start, end, target, tooltip in found
    ]


def _of_values(known: Analysis) -> Iterator[Found]:
    for thing in things(known.document, known.vocabulary):
        if thing.kind == "model" and (url := model_url(known, thing.id)):
            yield thing.start, thing.end, url, f"{url.removeprefix(HUB)} on the hub"
        elif thing.kind == "gpu":
            sheet = gpu_sheet(known.catalog, thing.id)
            if sheet is not None and sheet.source.startswith("https://"):
                yield thing.start, thing.end, sheet.source, f"where the facts about {sheet.title} are from"


def _of_comments(known: Analysis) -> Iterator[Found]:
    catalog = known.catalog
    for mention in mentions(known.document, catalog):
        if mention.kind == "claim":
            claim = catalog.claims[mention.id]
            if claim.url.startswith("https://"):
                yield mention.start, mention.end, claim.url, f"the source of {claim.id}"
        elif page := page_uri(mention.id):
            rule = catalog.rules[mention.id]
            yield mention.start, mention.end, page, f"the page of {rule.code} {rule.slug}"


def model_url(known: Analysis, name: str) -> str | None:
    """Return a model's page on the hub; `None` for a folder, a package, or anything else that is no hub id."""
    sheet = model_sheet(known.catalog, name)
    id_ = sheet.id if sheet is not None else name
    if _HUB_ID.fullmatch(id_) is None or (sheet is None and _is_folder(known, name)):
        return None
    return HUB + id_


def _is_folder(known: Analysis, name: str) -> bool:
    try:
        return (Path(known.file.path).parent / name).exists()
    except OSError:
        return False
