"""Axolotl's configurations in editors: findings and fixes in its own words, and silence where only a recipe's keys would be spoken of."""

from pathlib import Path

import pytest
from lsprotocol import types

from tests.lsp.editor import Editor, waited

pytestmark = pytest.mark.asyncio(loop_scope="module")

AXOLOTL = """\
# ours
base_model: HuggingFaceTB/SmolLM2-135M
adapter: qlora   # small
datasets:
  - path: ./train.jsonl
    type: alpaca
sequence_len: 1024
sample_packing: true
attn_implementation: flash_attention_2
micro_batch_size: 2
gradient_accumulation_steps: 4
optimizer: adamw_bnb_8bit
learning_rate: 2e-4
bf16: true
weight_deccay: 0.1
"""
URI = "file:///work/config.yml"


async def opened(editor: Editor) -> str:
    editor.open(URI, AXOLOTL, "yaml")
    return URI


async def test_a_misspelt_key_is_found_and_renamed(editor: Editor) -> None:
    uri = await opened(editor)
    (typo,) = [d for d in await editor.diagnostics(uri) if d.code == "RF0023"]
    assert AXOLOTL.splitlines()[typo.range.start.line].startswith("weight_deccay")
    assert typo.severity == types.DiagnosticSeverity.Warning
    assert "Did you mean `weight_decay`?" in typo.message
    assert "weight_decay" in "".join(a.title for a in await editor.actions(uri, typo.range))
    fix = next(a for a in await editor.actions(uri, typo.range) if a.title == "Rename to `weight_decay`")
    editor.apply(fix.edit)
    assert editor.texts[uri] == AXOLOTL.replace("weight_deccay", "weight_decay")
    assert "RF0023" not in await editor.codes(uri)


async def test_a_rule_is_cured_in_the_tools_own_keys(editor: Editor) -> None:
    uri = await opened(editor)
    (found,) = [d for d in await editor.diagnostics(uri) if d.code == "RF1001"]
    fix = next(a for a in await editor.actions(uri, found.range) if a.title == "Add bnb 4-bit")
    editor.apply(fix.edit)
    assert "adapter: qlora   # small\nload_in_4bit: true\n" in editor.texts[uri]


async def test_what_only_a_recipe_has_is_not_spoken_of(editor: Editor) -> None:
    uri = await opened(editor)
    at = types.TextDocumentPositionParams(editor.document(uri), editor.place(uri, "adapter"))
    completed = await editor.client.text_document_completion_async(types.CompletionParams(at.text_document, at.position))
    items = completed.items if isinstance(completed, types.CompletionList) else completed
    assert not items
    symbols = await editor.client.text_document_document_symbol_async(types.DocumentSymbolParams(at.text_document))
    assert not symbols


NAMING = AXOLOTL.replace("weight_deccay: 0.1", "weight_decay: 0.1\ndeepspeed: ds.json")


async def test_a_file_that_it_names_is_judged_where_it_stands(editor: Editor, tmp_path: Path) -> None:
    named = tmp_path / "ds.json"
    named.write_text('{"zero_optimization": {"stage": 2},\n "gradient_accumulation_steps": 2}')
    uri, there = (tmp_path / "config.yml").as_uri(), named.as_uri()
    editor.open(uri, NAMING, "yaml")
    await editor.diagnostics(uri)
    told = await waited(lambda: editor.pushed(there))
    (wrong,) = told.diagnostics
    assert (wrong.code, wrong.range.start.line, wrong.severity) == ("RF0025", 1, types.DiagnosticSeverity.Error)
    assert "`gradient_accumulation_steps` is 4" in wrong.message

    named.write_text('{"zero_optimization": {"stage": 2},\n "gradient_accumulation_steps": 4}')
    change = types.FileEvent(uri=there, type=types.FileChangeType.Changed)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes=[change]))
    editor.replace(uri, NAMING + "# looked at again\n")  # a client that pulls asks again by itself when it is told to
    await editor.diagnostics(uri)
    await waited(lambda: (found := editor.pushed(there)) and not found.diagnostics)
    editor.close(uri)


async def test_what_was_found_in_a_named_file_goes_with_the_configuration(editor: Editor, tmp_path: Path) -> None:
    named = tmp_path / "ds.json"
    named.write_text('{"train_micro_batch_size_per_gpu": 16}')
    uri = (tmp_path / "config.yml").as_uri()
    editor.open(uri, NAMING, "yaml")
    await editor.diagnostics(uri)
    await waited(lambda: (found := editor.pushed(named.as_uri())) and found.diagnostics)
    editor.close(uri)
    await waited(lambda: (found := editor.pushed(named.as_uri())) and not found.diagnostics)
