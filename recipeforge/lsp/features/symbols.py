"""Document symbols: the outline of a recipe, nested where the client can show that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from recipeforge.documents.find import name_node
from recipeforge.documents.scalars import number
from recipeforge.documents.tree import AliasNode, Entry, MappingNode, Node, ScalarNode, SequenceNode, content_end, key_text, target_of
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.markdown import cut
from recipeforge.lsp.registry import answers
from recipeforge.schemas.record import record

LONGEST = 60
DEEPEST = 4
"""A recipe has no more levels that mean something."""
MOST = 5_000


@record
class _Symbol:
    name: str
    detail: str
    kind: types.SymbolKind
    start: int
    end: int
    key_end: int
    children: tuple[_Symbol, ...] = ()


@answers(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, types.DocumentSymbolOptions(label="recipeforge"), empty=[], native=True)
def document_symbols(
    known: Analysis, params: types.DocumentSymbolParams
) -> Sequence[types.DocumentSymbol] | Sequence[types.SymbolInformation]:
    """Return the keys of a recipe with what they hold."""
    root = target_of(known.document.root) if known.document.root is not None else None
    found = tuple(_symbols(known, root, 1)) if isinstance(root, MappingNode) else ()
    if known.client.abilities.nested_symbols:
        return [_nested(known, symbol) for symbol in found]
    return list(_flat(known, found, None))


def _symbols(known: Analysis, node: Node, level: int) -> Iterator[_Symbol]:
    """Yield what stands in a mapping or a list; an alias is not followed."""
    if isinstance(node, MappingNode):
        for entry in node.entries[:MOST]:
            if name := _name(entry):
                yield _of_entry(known, entry, name, level)
    elif isinstance(node, SequenceNode):
        for item in node.items[:MOST]:
            named = name_node(item)
            if isinstance(item, MappingNode) and named is not None and named.text.strip():
                inside = tuple(_symbols(known, item, level + 1)) if level < DEEPEST else ()
                yield _Symbol(_short(named.text), "", types.SymbolKind.Class, item.start, content_end(item), item.start, inside)


def _of_entry(known: Analysis, entry: Entry, name: str, level: int) -> _Symbol:
    end = max(content_end(entry.value), entry.key.end)
    inside = tuple(_symbols(known, entry.value, level + 1)) if level < DEEPEST else ()
    kind = _kind(known, name, entry.value) if level == 1 else _value_kind(entry.value)
    return _Symbol(_short(name), _detail(entry.value), kind, entry.key.start, end, entry.key.end, inside)


def _name(entry: Entry) -> str:
    """Return an entry's name; editors refuse an empty one."""
    return (key_text(entry) or "").strip()


def _short(text: str) -> str:
    return cut(text, LONGEST)


def _detail(node: Node) -> str:
    """Return what an entry holds, in a few words."""
    if isinstance(node, AliasNode):
        return _short(f"*{node.name}")
    if isinstance(node, SequenceNode):
        names = [named.text for item in node.items[:MOST] if (named := name_node(target_of(item))) is not None]
        return _short(", ".join(names))
    named = name_node(node)
    return _short(named.text) if named is not None else ""


def _kind(known: Analysis, key: str, node: Node) -> types.SymbolKind:
    if key in known.catalog.slots:
        return types.SymbolKind.Class
    return types.SymbolKind.Namespace if known.vocabulary.is_group(key) else _value_kind(node)


def _value_kind(node: Node) -> types.SymbolKind:
    content = target_of(node)
    if isinstance(content, MappingNode):
        return types.SymbolKind.Object
    if isinstance(content, SequenceNode):
        return types.SymbolKind.Array
    if content.null:
        return types.SymbolKind.Null
    if content.plain and content.text in ("true", "false"):
        return types.SymbolKind.Boolean
    return types.SymbolKind.Number if isinstance(content, ScalarNode) and number(content.text) is not None else types.SymbolKind.String


# -- in the client's terms -----------------------------------------------------------------------------------


def _nested(known: Analysis, symbol: _Symbol) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=symbol.name,
        detail=symbol.detail or None,
        kind=symbol.kind,
        range=known.range_between(symbol.start, symbol.end),
        selection_range=known.range_between(symbol.start, symbol.key_end),
        children=[_nested(known, child) for child in symbol.children] or None,
    )


def _flat(known: Analysis, symbols: Sequence[_Symbol], container: str | None) -> Iterator[types.SymbolInformation]:
    for symbol in symbols:
        place = types.Location(uri=known.file.uri, range=known.range_between(symbol.start, symbol.end))
        yield types.SymbolInformation(name=symbol.name, kind=symbol.kind, location=place, container_name=container)
        yield from _flat(known, symbol.children, symbol.name)
