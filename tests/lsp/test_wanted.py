"""Recipes whose own comments state each finding that is wanted on their line, and the fix that has to be offered first.

optimizer: adamv  # want RF0003 "a part of the message" fix "the first fix's title"
"""

import re
from pathlib import Path

import pytest
from lsprotocol import types

from tests.lsp.editor import Editor

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILES = sorted((Path(__file__).parent / "wanted").glob("*.recipe.yaml"))
_WANT = re.compile(r'# want (RF\d{4}) "([^"]*)"(?: fix "([^"]*)")?')


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])
async def test_what_the_comments_want(editor: Editor, path: Path) -> None:
    text = path.read_text()
    wanted = [(number, *found.groups()) for number, line in enumerate(text.splitlines()) for found in _WANT.finditer(line)]
    assert wanted, "a file here states what it wants"
    uri = f"file:///work/{path.name}"
    editor.open(uri, text)
    found = [d for d in await editor.diagnostics(uri) if d.severity != types.DiagnosticSeverity.Information]
    assert [(d.range.start.line, d.code) for d in found] == [(number, code) for number, code, _, _ in wanted]
    for diagnostic, (_, code, part, title) in zip(found, wanted, strict=True):
        assert part in diagnostic.message
        actions = [a for a in await editor.actions(uri, diagnostic.range) if a.edit and a.diagnostics and a.diagnostics[0].code == code]
        fixes = [a for a in actions if not a.title.startswith("Ignore ")]
        assert [a.title for a in fixes[:1]] == ([title] if title else [])
        if title:
            await _cures(editor, uri, text, fixes[0], code, diagnostic.range.start.line)
    editor.close(uri)


async def _cures(editor: Editor, uri: str, text: str, fix: types.CodeAction, code: str, line: int) -> None:
    """Apply a fix, see the finding go and every comment stay, and take it back."""
    assert fix.edit is not None
    editor.apply(fix.edit)
    after = await editor.diagnostics(uri)
    assert (line, code) not in [(d.range.start.line, d.code) for d in after]
    comments = [part for part in re.findall(r"#[^\n]*", text) if code not in part]
    assert all(comment in editor.texts[uri] for comment in comments)
    editor.replace(uri, text)
    await editor.diagnostics(uri)
