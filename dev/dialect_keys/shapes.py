"""What an annotation lets a config say: the types, the closed list of values, and the models that stand inside."""

import ast
from dataclasses import dataclass, field, replace
from typing import Any

from dev.dialect_keys.source import Definition, Module, Sources

ORDER = ("bool", "int", "float", "str", "list", "map", "any")
PLAIN = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "str": "str",
    "Path": "str",
    "PathLike": "str",
    "list": "list",
    "List": "list",
    "Sequence": "list",
    "Iterable": "list",
    "tuple": "list",
    "Tuple": "list",
    "set": "list",
    "dict": "map",
    "Dict": "map",
    "Mapping": "map",
    "Any": "any",
    "object": "any",
}
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
NUMBERS = {
    "PositiveInt": ("int", {"exclusiveMinimum": 0}),
    "NonNegativeInt": ("int", {"minimum": 0}),
    "PositiveFloat": ("float", {"exclusiveMinimum": 0}),
    "NonNegativeFloat": ("float", {"minimum": 0}),
}
UNSEEN = object()
"""Stands for a value that only running the code would show."""


@dataclass
class Shape:
    """What may stand at one place."""

    types: set[str] = field(default_factory=set)
    values: list[Any] = field(default_factory=list)
    """Literal values; a value of a type that one of them has must be listed, unless `loose` has that type."""
    loose: set[str] = field(default_factory=set)
    """Scalar types of which any value will do."""
    pattern: str | None = None
    bounds: dict[str, float] = field(default_factory=dict)
    models: list[Definition] = field(default_factory=list)
    item: "Shape | None" = None
    value: "Shape | None" = None
    open: bool = False
    """A mapping in which anything may stand."""
    nullable: bool = False

    def merged(self, other: "Shape") -> "Shape":
        """What either lets through."""
        known = {(type(v), v) for v in self.values}
        return Shape(
            self.types | other.types,
            [*self.values, *(v for v in other.values if (type(v), v) not in known)],
            self.loose | other.loose,
            self.pattern or other.pattern,
            _wider(self, other),
            [*self.models, *(m for m in other.models if m not in self.models)],
            _either(self.item, other.item),
            _either(self.value, other.value),
            self.open or other.open,
            self.nullable or other.nullable,
        )


def _wider(a: Shape, b: Shape) -> dict[str, float]:
    if not (numbers := {"int", "float"}) & a.types:
        return b.bounds
    return a.bounds if not numbers & b.types else {k: v for k, v in a.bounds.items() if b.bounds.get(k) == v}


def _either(a: Shape | None, b: Shape | None) -> Shape | None:
    return a.merged(b) if a and b else a or b


class Reader:
    """Reads annotations and default values against the sources that they were written in."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources

    def shape(self, node: ast.AST, module: Module, depth: int = 0) -> Shape:
        """The shape of an annotation as written in a module."""
        if isinstance(node, ast.Constant):
            if node.value is None:
                return Shape(nullable=True)
            if isinstance(node.value, str) and depth < 20:
                return self.shape(ast.parse(node.value, mode="eval").body, module, depth + 1)
            return _anything()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self.shape(node.left, module, depth).merged(self.shape(node.right, module, depth))
        if isinstance(node, ast.Subscript):
            return self._subscript(node, module, depth)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._named(node, module, depth)
        return _anything()

    def _subscript(self, node: ast.Subscript, module: Module, depth: int) -> Shape:
        name = ast.unparse(node.value).rpartition(".")[2]
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name == "Literal":
            values = [v for v in (self.constant(e, module) for e in inner) if v is not UNSEEN]
            found = Shape({type_of(v) for v in values if v is not None}, [v for v in values if v is not None])
            return replace(found, nullable=None in values)
        if name in ("Optional", "Union"):
            found = Shape(nullable=name == "Optional")
            for part in inner:
                found = found.merged(self.shape(part, module, depth))
            return found
        if name == "Annotated":
            return self.limited(self.shape(inner[0], module, depth), inner[1:], module)
        if name in ("ClassVar", "InitVar", "type", "Type", "Callable"):
            return _anything()
        kind = PLAIN.get(name)
        if kind == "list":
            found = Shape()
            for part in inner:
                if not (isinstance(part, ast.Constant) and part.value is Ellipsis):
                    found = found.merged(self.shape(part, module, depth))
            return Shape({"list"}, item=found)
        if kind == "map":
            value = self.shape(inner[-1], module, depth)
            return Shape({"map"}, value=None if "any" in value.types else value, open="any" in value.types)
        return self._named(node.value, module, depth)

    def _named(self, node: ast.AST, module: Module, depth: int) -> Shape:
        dotted = ast.unparse(node)
        last = dotted.rpartition(".")[2]
        if last in NUMBERS:
            kind, bounds = NUMBERS[last]
            return Shape({kind}, loose={kind}, bounds=dict(bounds))
        found = self.sources.lookup(module, dotted)
        if found is None or depth > 20:
            if last == "None":
                return Shape(nullable=True)
            kind = PLAIN.get(last, "any")
            return Shape({kind}, loose={kind} & {"bool", "int", "float", "str", "any"}, open=kind == "map")
        if not isinstance(found.node, ast.ClassDef):
            return self.shape(found.node, found.module, depth + 1) if isinstance(found.node, ast.expr) else _anything()
        if self.is_enum(found):
            return self.enum(found)
        return Shape({"map"}, models=[found]) if self.is_model(found) else _anything()

    def limited(self, shape: Shape, marks: list[ast.expr], module: Module) -> Shape:
        """The shape under what `Annotated` or `Field` adds."""
        for mark in marks:
            if not isinstance(mark, ast.Call):
                continue
            for word in mark.keywords:
                value = self.constant(word.value, module)
                if word.arg in BOUNDS and isinstance(value, (int, float)):
                    shape = replace(shape, bounds={**shape.bounds, BOUNDS[word.arg]: value})
                elif word.arg == "metadata" and isinstance(word.value, ast.Dict) and not shape.values:
                    shape = self._choices(shape, word.value, module)
                elif word.arg == "pattern" and isinstance(value, str):
                    shape = replace(shape, pattern=value, loose=shape.loose - {"str"})
        return shape

    def _choices(self, shape: Shape, metadata: ast.Dict, module: Module) -> Shape:
        """The shape under the `choices` of a dataclass field's metadata."""
        for key, node in zip(metadata.keys, metadata.values, strict=True):
            values = self.constant(node, module) if key is not None and self.constant(key, module) == "choices" else UNSEEN
            if isinstance(values, (list, tuple)) and values:
                listed = [v for v in values if v is not None]
                return replace(shape, values=listed, loose=shape.loose - {type_of(v) for v in listed})
        return shape

    def is_enum(self, definition: Definition) -> bool:
        """Whether a class is an enumeration."""
        return any(_ends(d, ("Enum", "StrEnum", "IntEnum", "ExplicitEnum")) for d in self.sources.lineage(definition))

    def is_model(self, definition: Definition) -> bool:
        """Whether a class declares fields, as pydantic's models and dataclasses do."""
        line = self.sources.lineage(definition)
        return any(_ends(d, ("BaseModel",)) for d in line) or any(is_dataclass(d) for d in line)

    def enum(self, definition: Definition) -> Shape:
        """The values of an enumeration; of one whose values cannot be read, any text."""
        assert isinstance(definition.node, ast.ClassDef)
        values = [self.constant(value, definition.module) for _, value in members(definition.node)]
        if any(v is UNSEEN for v in values):
            return Shape({"str"}, loose={"str"})
        return Shape({type_of(v) for v in values}, list(dict.fromkeys(values)))

    def constant(self, node: ast.AST | None, module: Module, depth: int = 0) -> Any:
        """The value of an expression that is plain to see, UNSEEN otherwise."""
        if node is None or depth > 20:
            return UNSEEN
        try:
            return ast.literal_eval(node)  # type: ignore[arg-type]
        except (ValueError, TypeError, SyntaxError):
            pass
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("frozenset", "set", "tuple", "list") and len(node.args) == 1:
            inner = self.constant(node.args[0], module, depth + 1)
            return inner if inner is UNSEEN else sorted(inner) if isinstance(inner, (set, frozenset)) else list(inner)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pp_int" and node.args:  # DeepSpeed's number that prints itself
            inner = self.constant(node.args[0], module, depth + 1)
            return int(inner) if isinstance(inner, float) and inner.is_integer() else inner
        if isinstance(node, ast.Attribute) and node.attr == "value":
            return self.constant(node.value, module, depth + 1)
        if isinstance(node, (ast.Name, ast.Attribute)):
            found = self.sources.lookup(module, ast.unparse(node))
            if found is not None and isinstance(found.node, ast.expr):
                return self.constant(found.node, found.module, depth + 1)
            if isinstance(node, ast.Attribute):
                holder = self.sources.lookup(module, ast.unparse(node.value))
                if holder is not None and isinstance(holder.node, ast.ClassDef):
                    inner = dict(members(holder.node)).get(node.attr)
                    return self.constant(inner, holder.module, depth + 1)
        return UNSEEN


def members(node: ast.ClassDef) -> list[tuple[str, ast.expr]]:
    """The names and expressions that a class body assigns."""
    return [(t.id, s.value) for s in node.body if isinstance(s, ast.Assign) for t in s.targets if isinstance(t, ast.Name)]


def is_dataclass(definition: Definition) -> bool:
    """Whether the class itself is decorated as a dataclass."""
    assert isinstance(definition.node, ast.ClassDef)
    return any("dataclass" in ast.unparse(d) for d in definition.node.decorator_list)


def type_of(value: Any) -> str:
    """The name of a plain value's type, as the vocabulary writes it."""
    names = {bool: "bool", int: "int", float: "float", str: "str", list: "list", tuple: "list", dict: "map"}
    return names.get(type(value), "any")


def _ends(definition: Definition, names: tuple[str, ...]) -> bool:
    assert isinstance(definition.node, ast.ClassDef)
    return any(ast.unparse(b).rpartition(".")[2] in names for b in definition.node.bases)


def _anything() -> Shape:
    return Shape({"any"}, loose={"any"})
