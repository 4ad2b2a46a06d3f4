"""Completion over the wire, with the recorded capabilities of VS Code, Neovim and Emacs."""

import pytest
from lsprotocol import types

from recipeforge.api import check
from tests.lsp.editor import Editor, edited, offset_of, place_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEAD = "recipeforge: 1\nmodel: Qwen/Qwen2.5-1.5B  # 🦊\n"
URI = "file:///work/completing.recipe.yaml"


async def offered(editor: Editor, text: str) -> dict[str, types.CompletionItem]:
    """Return what is offered at the mark, by label."""
    offset = text.index("¦")
    editor.open(URI, text.replace("¦", ""))
    place = place_of(editor.texts[URI], offset, editor.encoding)
    document = types.TextDocumentIdentifier(uri=URI)
    found = await editor.client.text_document_completion_async(types.CompletionParams(text_document=document, position=place))
    assert isinstance(found, types.CompletionList)
    return {item.label: item for item in found.items}


async def test_a_choice_brings_its_documentation_and_what_it_needs(editor: Editor) -> None:
    item = (await offered(editor, f"{HEAD}technique: ql¦\nprecision: bf16\n"))["qlora"]
    full = await editor.client.completion_item_resolve_async(item)
    told = full.documentation
    assert "LoRA over a base model" in (told if isinstance(told, str) else told.value if told else "")
    assert isinstance(full.text_edit, types.TextEdit)
    after = edited(editor.texts[URI], [full.text_edit, *(full.additional_text_edits or ())], editor.encoding)
    assert after == f"{HEAD}technique: qlora\nquantization: bnb-4bit\nprecision: bf16\n"
    assert check(after).verdict.kind == "valid"


async def test_what_it_needs_still_fits_after_more_was_typed(editor: Editor) -> None:
    item = (await offered(editor, f"{HEAD}technique: q¦\n# 🦊\nprecision: bf16\n"))["qlora"]
    end = editor.texts[URI].index("q\n#") + 1
    editor.change(URI, end, end, "lora")
    full = await editor.client.completion_item_resolve_async(item)
    assert [edit.new_text for edit in full.additional_text_edits or ()] == ["quantization: bnb-4bit\n"]


LOST = (None, "", "[]", "nonsense", {"of": "another server"}, 7, '["file:///work/closed.yaml", "component", "lora"]')


@pytest.mark.parametrize("data", LOST)
async def test_an_item_that_lost_its_data_comes_back_as_it_was(editor: Editor, data: object) -> None:
    item = (await offered(editor, f"{HEAD}optimizer: ¦"))["lion"]
    item.data = data  # pyright: ignore[reportAttributeAccessIssue]
    full = await editor.client.completion_item_resolve_async(item)
    assert full.label == "lion"
    assert full.documentation is None


async def test_places_count_the_clients_units(editor: Editor) -> None:
    items = await offered(editor, "recipeforge: 1\noptimizer: {use: lio¦n, beta1: 0.9}  # 🦊\n")
    edit = items["lion"].text_edit
    assert isinstance(edit, types.TextEdit)
    start, end = (offset_of(editor.texts[URI], place, editor.encoding) for place in (edit.range.start, edit.range.end))
    assert editor.texts[URI][start:end] == "lion"


async def test_another_file_gets_nothing(editor: Editor) -> None:
    uri = "file:///work/compose.yaml"
    editor.open(uri, "services:\n  \n", language="yaml")
    document = types.TextDocumentIdentifier(uri=uri)
    where = types.Position(line=1, character=2)
    found = await editor.client.text_document_completion_async(types.CompletionParams(text_document=document, position=where))
    assert isinstance(found, types.CompletionList)
    assert not found.items
