"""Text → tree: places, and what is wrong with the text as YAML, in words and at the place where a person would look."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipeforge.documents.parse import parse
from recipeforge.documents.tree import (
    AliasNode,
    Document,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    effective_entries,
    key_text,
    target_of,
)
from recipeforge.schemas.place import Position


def _scalars(node: Node | None):
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from _scalars(item)
    elif isinstance(node, MappingNode):
        for entry in node.entries:
            yield from _scalars(entry.key)
            yield from _scalars(entry.value)


def _mapping(document: Document) -> MappingNode:
    assert isinstance(document.root, MappingNode), document.diagnostics
    return document.root


def _codes(text: bytes | str) -> list[str]:
    return [d.code for d in parse(text).diagnostics]


_WORDS = st.text(alphabet="abé😀 z", min_size=1, max_size=6).map(lambda word: f"x{word.strip()}y")


@given(
    st.lists(st.tuples(_WORDS, st.sampled_from(["plain", "'", '"', "[", "{"])), min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_the_span_of_a_value_holds_its_text(words: list[tuple[str, str]], eol: str, bom: bool) -> None:
    quoted = {"plain": "{}", "'": "'{}'", '"': '"{}"', "[": "[{0}, {0}]", "{": "{{k: {}}}"}
    lines = [f"key{i}: {quoted[style].format(word)}  # é😀" for i, (word, style) in enumerate(words)]
    text = "\ufeff" * bom + eol.join(lines) + eol
    document = parse(text.encode("utf-8"))
    assert document.diagnostics == ()
    nodes = [node for node in _scalars(document.root) if node.text]
    assert len(nodes) >= 2 * len(words)
    for node in nodes:
        shown = text[node.start : node.end]
        assert shown.strip("'\"") == node.text
        start = node.span.start
        editor_lines = text.removeprefix("\ufeff").split(eol)
        assert editor_lines[start.line][start.column :].startswith(shown)


def test_line_breaks_that_only_libyaml_sees_do_not_move_lines() -> None:
    document = parse('a: "x\u2028y\u0085z"\nb: 1\n')
    assert _mapping(document).entries[1].key.span.start == Position(1, 0)


def test_anchors_and_tags_are_not_part_of_a_value() -> None:
    text = 'a: &x !!str 16\nb: *x\nc: !!int "32"\nd: &m\n  # said\n  e: 1\n'
    first, second, third, fourth = _mapping(parse(text)).entries
    assert text[first.value.start : first.value.end] == "16"
    assert isinstance(first.value, ScalarNode) and not first.value.plain
    assert isinstance(second.value, AliasNode)
    assert second.value.target is first.value
    assert isinstance(third.value, ScalarNode) and third.value.plain
    assert text[fourth.value.start :].startswith("e: 1")


def test_merged_keys_hold_unless_given_and_stand_where_they_were_written() -> None:
    text = "base: &a {x: 1, y: 2}\nmore: &b {y: 3, z: 4}\nuse:\n  <<: [*a, *b]\n  x: 9\n"
    use = target_of(_mapping(parse(text)).entries[2].value)
    assert isinstance(use, MappingNode)
    values = {key_text(entry): target_of(entry.value) for entry in effective_entries(use)}
    assert {key: node.text for key, node in values.items() if isinstance(node, ScalarNode)} == {"x": "9", "y": "2", "z": "4"}
    assert values["z"].span.start.line == 1


def test_all_duplicates_are_reported_each_with_the_first() -> None:
    found = parse("a: 1\nb: {c: 1, c: 2}\na: 2\n'a': 3\n").diagnostics
    assert [(d.code, d.primary.span.start.line, d.related[0].span.start.line) for d in found] == [
        ("RF0005", 1, 1),
        ("RF0005", 2, 0),
        ("RF0005", 3, 0),
    ]


def test_a_second_document_is_reported_and_the_first_is_read() -> None:
    document = parse("---\na: 1\n---\nb: 2\n")
    assert [(d.code, d.primary.span.start.line) for d in document.diagnostics] == [("RF0012", 2)]
    assert key_text(_mapping(document).entries[0]) == "a"
    assert document.complete


def test_tabs_are_all_named_and_reading_goes_on_behind_them() -> None:
    document = parse("a:\n\tb: 1\n\tc: 2\n\tc: 3\n")
    assert [d.code for d in document.diagnostics] == ["RF0011", "RF0005"]
    tabs = document.diagnostics[0]
    assert [tabs.primary.span.start.line, *(label.span.start.line for label in tabs.related)] == [1, 2, 3]
    assert [edit.text for edit in tabs.fixes[0].edits] == ["  ", "  ", "  "]
    assert tabs.fixes[0].safety == "safe"


def test_a_tab_fix_is_no_promise_where_spaces_indent_too() -> None:
    tabs = parse("a:\n\tb: 1\nc:\n  d: 1\n").diagnostics[0]
    assert [fix.safety for fix in tabs.fixes] == ["unsafe"]


@pytest.mark.parametrize("text", ["a: 1\n\t\nb: 2\n", "\t# said\na: 1\n", "a:\n\t- b\n", "a:\r\tb: 2\r"])
def test_a_tab_before_anything_is_a_tab_and_no_riddle(text: str) -> None:
    assert _codes(text) in ([], ["RF0011"])


@pytest.mark.parametrize("text", ["a:\tb\n", "a: {b: 1,\n\tc: 2}\n", "a: 'x\n\ty'\n", "# \tx\na: 1\n"])
def test_tabs_that_yaml_allows_are_no_finding(text: str) -> None:
    assert _codes(text) == []


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("a: b: c\n", 0, 4, "second"),
        ("a: 1\n b: 2\n", 1, 1, "indented deeper"),
        ("a:\n  b: 1\n c: 2\n", 2, 1, "not indented like"),
        ("a: 1\nb\nc: 2\n", 1, 0, "`b`"),
        ("a: 1\nb:2\nc: 1\n", 1, 0, "`b:2`"),
        ("a: {b: 1\nc: 2\n", 0, 3, "`{` is never closed"),
        ("a: {b: 1, c: \n", 0, 3, "`{` is never closed"),
        ("a: [1, 2\n", 0, 3, "`[` is never closed"),
        ("a: {b: 1 c: 2}\n", 0, 10, "missing before this"),
        ("a: {b: 1}}\n", 0, 9, "closes nothing"),
        ("a: 'x\nb: 1", 0, 3, "quote is never closed"),
        ("a: 'it's'\n", 0, 7, "ended before this"),
        ('a: "C:\\data"\n', 0, 6, "`\\d` is no escape"),
        ("a: @x\n", 0, 3, "cannot start with `@`"),
        ("a: - b\n", 0, 3, "`- ` list cannot start"),
        ("a: *\n", 0, 3, "`*`"),
        ("a: *b\n", 0, 3, "no `&b` above"),
        ("a: &b {c: *b}\n", 0, 10, "inside `&b`"),
        ("a: 1\n...\nfoo\n", 2, 0, "ended above"),
        ("%YAML 3.0\n---\na: 1\n", 0, 0, "directive"),
        ("a: \x00b\n", 0, 3, "NUL"),
        ("\ufeffa: b: c\n", 0, 4, "second"),
        ("a: \ud800\n", 0, 3, "U+D800"),
    ],
)
def test_syntax_errors_are_put_in_words_where_they_were_made(text: str, line: int, column: int, word: str) -> None:
    document = parse(text)
    found = document.diagnostics[0]
    assert found.code == "RF0001"
    assert (found.primary.span.start.line, found.primary.span.start.column) == (line, column)
    assert word in found.message
    assert "while parsing" not in found.message and "token" not in found.message
    assert not document.complete


def test_every_syntax_error_says_what_to_do() -> None:
    texts = ["a: b: c", "a: {b", "a: 'x", "a: @", "a: |x\n b", "a: !x!y z", "- a\nb: 1", "? [\n", "a: \x07"]
    for text in texts:
        for found in parse(text).diagnostics:
            assert found.help, text


def test_what_stands_before_a_syntax_error_is_kept() -> None:
    document = parse("a: 1\nb: {c: [1, 2\nd: 3\n")
    assert [key_text(entry) for entry in _mapping(document).entries] == ["a", "b"]
    assert not document.complete


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"\xff\xfea\x00", "UTF-16 (little endian)"),
        (b"\xfe\xff\x00a", "UTF-16 (big endian)"),
        ("a: 1\nb: 2\n".encode("utf-16-le"), "looks like UTF-16 (little endian)"),
        ("a: 1\nb: 2\n".encode("utf-16-be"), "looks like UTF-16 (big endian)"),
        ("a: 1".encode("utf-32"), "UTF-32"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe", "binary"),
        ("name: caf\xe9\n".encode("latin-1"), "0xE9 is not UTF-8; in Windows-1252 it would be “é”"),
    ],
)
def test_other_encodings_are_named(raw: bytes, word: str) -> None:
    document = parse(raw)
    assert [d.code for d in document.diagnostics] == ["RF0010"]
    assert word in document.diagnostics[0].message


def test_the_place_of_a_wrong_byte_is_counted_in_characters() -> None:
    found = parse("é: 1\n# 😀 \u00fc".encode() + b"\xe9\n").diagnostics[0]
    assert found.primary.span.start == Position(1, 5)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[" * 101 + "]" * 101, "levels deep"),
        ("a: &a [" + "x, " * 5000 + "]\nb: [*a, *a, *a]\n", "aliases"),
        ("[" + "x, " * 50_001 + "]", "50,000 values"),
    ],
)
def test_limits_say_which_one_was_reached(text: str, word: str) -> None:
    document = parse(text)
    assert [d.code for d in document.diagnostics] == ["RF0013"]
    assert word in document.diagnostics[0].message
    assert not document.complete


@pytest.mark.parametrize("text", ["[" * 100 + "]" * 100, "a: &a [" + "x, " * 4000 + "]\nb: [*a, *a]\n", "[" + "x, " * 40_000 + "]"])
def test_what_stays_within_the_limits_is_read(text: str) -> None:
    assert parse(text).complete


def test_a_tag_constructs_nothing() -> None:
    found = parse("a: !!python/object/apply:os.system ['true']\n").diagnostics
    assert [d.code for d in found] == ["RF0004"]
    assert "!!python/object/apply:os.system" in found[0].message


@given(st.text(alphabet="a:-{}[],'\"#&*!|>%@`\n\t \ufeff\x00é", max_size=40))
def test_no_text_raises_and_every_place_lies_in_it(text: str) -> None:
    document = parse(text)
    for found in document.diagnostics:
        for span in (found.primary.span, *(label.span for label in found.related)):
            assert span.start <= span.end
            assert 0 <= document.lines.offset(span.start) <= len(text)
    assert document.complete or document.diagnostics


@given(st.binary(max_size=60))
def test_no_bytes_raise(raw: bytes) -> None:
    document = parse(raw)
    assert document.complete or document.diagnostics
