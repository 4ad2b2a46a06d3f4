"""The server's text is the client's, whatever is typed: edits anywhere, any characters, any line ends, any encoding."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from recipeforge.lsp.open_files import OpenFiles
from recipeforge.lsp.text import Text
from tests.lsp.editor import Editor, offset_of, place_of

ALPHABET = "ab: #[]{}-\n\r\t\u2028\u0085\f\ufeffé漢🦙𝄞"
ENCODINGS = ("utf-8", "utf-16", "utf-32")
texts = st.text(alphabet=ALPHABET, max_size=60)


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[int, int, str]]:
    """Edits by share of the text, so that they fit any text."""
    return draw(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000), st.text(alphabet=ALPHABET, max_size=8)), max_size=12))


def between_line_breaks(text: str, offset: int) -> int:
    """Return an offset that the protocol can name: not between CR and LF."""
    return offset + 1 if text[offset - 1 : offset + 1] == "\r\n" else offset


@settings(max_examples=600, deadline=None)
@given(texts, edits(), st.sampled_from(ENCODINGS))
def test_incremental_edits_keep_the_texts_equal(text: str, changes: list[tuple[int, int, str]], encoding: str) -> None:
    files = OpenFiles()
    files.encoding = encoding  # type: ignore[assignment]
    files.open(types.TextDocumentItem(uri="file:///a", language_id="yaml", version=1, text=text))
    for version, (first, second, new) in enumerate(changes, 2):
        start, end = sorted(between_line_breaks(text, share * len(text) // 1000) for share in (first, second))
        place = types.Range(start=place_of(text, start, encoding), end=place_of(text, end, encoding))
        files.change("file:///a", version, [types.TextDocumentContentChangePartial(range=place, text=new)])
        text = text[:start] + new + text[end:]
        file = files.get("file:///a")
        assert file is not None
        assert file.text.content == text
        assert file.version == version


@settings(max_examples=600, deadline=None)
@given(texts, st.integers(0, 1000), st.sampled_from(ENCODINGS))
def test_positions_and_offsets_are_inverse(text: str, share: int, encoding: str) -> None:
    ours = Text(text, encoding)  # type: ignore[arg-type]
    offset = between_line_breaks(text, share * len(text) // 1000)
    place = place_of(text, offset, encoding)
    assert ours.at(offset) == (place.line, place.character)
    assert ours.offset((place.line, place.character)) == offset == offset_of(text, place, encoding)
    position = ours.position((place.line, place.character))
    assert ours.place(position) == (place.line, place.character) or text.startswith("\ufeff")


@settings(max_examples=200, deadline=None)
@given(texts, st.integers(0, 99), st.integers(0, 99), st.sampled_from(ENCODINGS))
def test_positions_beyond_the_text_are_clamped(text: str, line: int, column: int, encoding: str) -> None:
    assert 0 <= Text(text, encoding).offset((line, column)) <= len(text)  # type: ignore[arg-type]


PIECES = ("a", "é", "漢", "🦙", "𝄞", "\t", "\n# ", "\r\n# ", "\r# ")
MARKER = "\nno_such_key: 🦙\n"


@pytest.mark.asyncio(loop_scope="module")
async def test_typing_over_the_wire_keeps_the_texts_equal(editor: Editor) -> None:
    """Comments of all kinds are typed above a key that nobody knows: its finding stands where the client has that key."""
    uri, chance = "file:///work/sync.recipe.yaml", random.Random(7)
    editor.open(uri, f"recipeforge: 1\n# {MARKER}")
    for round_ in range(300):
        text = editor.texts[uri]
        at = chance.randint(text.index("# ") + 2, text.index(MARKER))
        at += 2 if text[at - 1] in "\r\n" else 0  # a comment stays one
        replaced = 1 if text[at : at + 1] not in "\r\n# " and chance.random() < 0.4 else 0
        editor.change(uri, at, at + replaced, "" if replaced else "".join(chance.choices(PIECES, k=3)))
        if round_ % 10 == 0:
            text = editor.texts[uri]
            (found,) = [d for d in await editor.diagnostics(uri) if d.code == "RF0002"]
            assert offset_of(text, found.range.start, editor.encoding) == text.index("no_such_key")
    editor.close(uri)
