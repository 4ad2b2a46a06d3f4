"""Texts as they are while someone types: every prefix of ten recipes. Nothing crashes, every range is sane, completion answers."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from lsprotocol import types

from tests.lsp.editor import Editor, offset_of, place_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parent.parent.parent
RECIPES = [
    *sorted((ROOT / "examples").glob("*.yaml")),
    *sorted((Path(__file__).parent / "wanted").glob("*.recipe.yaml")),
][:8]
BLOCK_STYLE = """\
recipeforge: 1
name: block style – with an em dash, and 🦙
model: Qwen/Qwen2.5-1.5B
technique:
  use: lora
  rank: 16
memory:
  - gradient-checkpointing
  - use: activation-offloading
data:
  source: "./rows \\u00e9.jsonl"
  format: text
  sequence_length: 1024
batch:
  micro: 4
"""
FLOW_STYLE = """\
{"recipeforge": 1, "model": "Qwen/Qwen2.5-1.5B", "technique": {"use": "lora", "rank": 16},
 "optimizer": "adamw", "batch": {"micro": 4}}
"""
TEXTS = {path.name.split(".")[0]: path.read_text() for path in RECIPES} | {"block-style": BLOCK_STYLE, "flow-style": FLOW_STYLE}

assert len(TEXTS) == 10, sorted(TEXTS)


@pytest.fixture(scope="module", autouse=True)
def one_kind_of_client(editor: Editor) -> None:
    if not editor.pulls:
        pytest.skip("one kind of client is enough here: the one that pulls")


def sane(text: str, found: Sequence[types.Diagnostic], encoding: str) -> None:
    for diagnostic in found:
        places = [diagnostic.range, *(related.location.range for related in diagnostic.related_information or ())]
        for place in places:
            assert offset_of(text, place.start, encoding) <= offset_of(text, place.end, encoding)


@pytest.mark.parametrize("name", TEXTS)
async def test_every_prefix(editor: Editor, name: str) -> None:
    text, uri = TEXTS[name], f"file:///work/{name}.recipe.yaml"
    editor.open(uri, "")
    suggested = 0
    for end in range(len(text)):
        if end:
            editor.change(uri, end - 1, end - 1, text[end - 1])
        assert editor.texts[uri] == text[:end]
        sane(text[:end], await editor.diagnostics(uri), editor.encoding)
        here = place_of(text[:end], end, editor.encoding)
        answer = await editor.client.text_document_completion_async(
            types.CompletionParams(text_document=editor.document(uri), position=here)
        )
        suggested += bool(answer and (answer.items if isinstance(answer, types.CompletionList) else answer))
    assert suggested > len(text) // 20, "completion hardly ever answered"
    editor.close(uri)
