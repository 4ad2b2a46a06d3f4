"""The fields of models and dataclasses, as entries of a vocabulary: dotted path → type, values, default, bounds."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dev.dialect_keys.shapes import BOUNDS, ORDER, UNSEEN, Reader, Shape, type_of
from dev.dialect_keys.source import Definition, Module

Entry = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One field of a class: the keys that set it, and how it was declared."""

    keys: tuple[str, ...]
    annotation: ast.expr
    value: ast.expr | None
    module: Module

    @property
    def call(self) -> ast.Call | None:
        """The call of `Field` or `field` that declares it, where one does."""
        if isinstance(self.value, ast.Call) and ast.unparse(self.value.func).rpartition(".")[2] in ("Field", "field"):
            return self.value
        return None


def fields(reader: Reader, definition: Definition) -> Iterator[Field]:
    """The fields of a class and its bases; a later declaration replaces an earlier one of the same name."""
    found: dict[str, Field] = {}
    line = reader.sources.lineage(definition)
    by_name = any(_by_name(d) for d in line)
    for owner in reversed(line):
        assert isinstance(owner.node, ast.ClassDef)
        for node in owner.node.body:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                continue
            name = node.target.id
            if name.startswith("_") or "ClassVar" in ast.unparse(node.annotation) or _kept_out(node.value):
                continue
            found[name] = Field(_keys(reader, name, node.value, owner.module, by_name), node.annotation, node.value, owner.module)
    return iter(found.values())


def entries(
    reader: Reader, definition: Definition, prefix: str = "", *, strict_null: bool = False, seen: tuple[Any, ...] = ()
) -> dict[str, Entry]:
    """Every key of a model and of the models inside it. With `strict_null`, say which keys may not be left empty."""
    out: dict[str, Entry] = {}
    if definition.node in seen or len(seen) > 8:
        return out
    for each in fields(reader, definition):
        shape = reader.shape(each.annotation, each.module)
        if each.call:
            shape = reader.limited(shape, [each.call], each.module)
        entry = described(shape)
        _default(reader, each, entry, strict_null=strict_null)
        if strict_null and not shape.nullable and "any" not in shape.types:
            entry["nullable"] = False
        for key in each.keys:
            join(out, prefix + key, entry)
            for path, inner in inside(reader, shape, prefix + key, strict_null=strict_null, seen=(*seen, definition.node)).items():
                join(out, path, inner)
    return out


def inside(reader: Reader, shape: Shape, path: str, *, strict_null: bool, seen: tuple[Any, ...]) -> dict[str, Entry]:
    """The keys below a key: the fields of its models, the items of its list, the values of its mapping."""
    out: dict[str, Entry] = {}
    for model in shape.models:
        for key, entry in entries(reader, model, path + ".", strict_null=strict_null, seen=seen).items():
            join(out, key, entry)
    for ending, inner in (("[]", shape.item), (".*", shape.value)):
        if inner is not None and inner.types and inner.types != {"any"}:
            join(out, path + ending, described(inner))
            for key, entry in inside(reader, inner, path + ending, strict_null=strict_null, seen=seen).items():
                join(out, key, entry)
    return out


def described(shape: Shape) -> Entry:
    """A shape as an entry."""
    entry: Entry = {"type": joined(shape.types)}
    if shape.values and "any" not in shape.types:
        closed = [v for v in shape.values if type_of(v) not in shape.loose]
        known = [v for v in shape.values if type_of(v) in shape.loose and type_of(v) == "str"]
        if closed:
            entry["values"] = closed
        if known:
            entry["known"] = known
    if shape.pattern:
        entry["pattern"] = shape.pattern
    for name in BOUNDS.values():
        if name in shape.bounds:
            entry[name] = shape.bounds[name]
    if shape.open and "map" in shape.types:
        entry["open"] = True
    return entry


def joined(types: set[str]) -> str:
    """Types as an entry writes them."""
    return "any" if "any" in types or not types else "|".join(t for t in ORDER if t in types)


def enforced(reader: Reader, definition: Definition) -> set[str]:
    """Fields declared as an enumeration or any text, that the class then turns into the enumeration: it refuses other text."""
    found: set[str] = set()
    for owner in reader.sources.lineage(definition):
        for node in ast.walk(owner.node):
            if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.value.args) == 1):
                continue
            target, given = ast.unparse(node.targets[0]), ast.unparse(node.value.args[0])
            kind = reader.sources.lookup(owner.module, ast.unparse(node.value.func)) if target == given else None
            if kind is not None and isinstance(kind.node, ast.ClassDef) and reader.is_enum(kind):
                found.add(target.removeprefix("self."))
    return found


def close(keys: dict[str, Entry], names: set[str]) -> None:
    """Make lists of known values closed ones."""
    for name in names & set(keys):
        if "known" in keys[name]:
            keys[name]["values"] = keys[name].pop("known")


def join(out: dict[str, Entry], path: str, entry: Entry) -> None:
    """Add an entry; where the path is known already, what either lets through."""
    if (old := out.get(path)) is None or old == entry:
        out[path] = dict(entry)
        return
    types = {*old["type"].split("|"), *entry["type"].split("|")}
    both: Entry = {"type": joined(types)}
    for name in ("values", "known"):
        scalar = [e for e in (old, entry) if {"bool", "int", "float", "str", "any"} & {*e["type"].split("|")}]
        if scalar and all(name in e for e in scalar):
            both[name] = list(dict.fromkeys(v for e in scalar for v in e[name]))
    for name in ("pattern", "default", "plugin", *BOUNDS.values()):
        if name in old and name in entry and old[name] == entry[name]:
            both[name] = old[name]
    if old.get("open") or entry.get("open"):
        both["open"] = True
    for name in ("nullable", "required"):
        if name in old and name in entry:
            both[name] = old[name]
    out[path] = both


def _default(reader: Reader, each: Field, entry: Entry, *, strict_null: bool) -> None:
    """Note the default, where it is plain to see; a key without one is required."""
    expression: ast.expr | None = each.value
    if each.call:
        words = {w.arg: w.value for w in each.call.keywords}
        expression = words.get("default", each.call.args[0] if each.call.args else None)
        if (factory := words.get("default_factory")) is not None:
            if isinstance(factory, ast.Lambda):
                expression = factory.body
            else:
                empty = {"list": [], "dict": {}}.get(ast.unparse(factory))
                if empty is not None:
                    entry["default"] = empty
                return
    if expression is None or (isinstance(expression, ast.Constant) and expression.value is Ellipsis):
        entry["required"] = True
        return
    value = reader.constant(expression, each.module)
    if value is not UNSEEN and not isinstance(value, (bytes, set, complex)):
        entry["default"] = list(value) if isinstance(value, tuple) else value


def _keys(reader: Reader, name: str, value: ast.expr | None, module: Module, by_name: bool) -> tuple[str, ...]:
    """The keys under which a field is read: its name, or the aliases that replace it."""
    if not isinstance(value, ast.Call):
        return (name,)
    words = {w.arg: w.value for w in value.keywords}
    given = words.get("validation_alias") or words.get("alias")
    if given is None:
        return (name,)
    if isinstance(given, ast.Call):
        aliases = [a for a in (reader.constant(e, module) for e in given.args) if isinstance(a, str)]
    else:
        aliases = [a for a in [reader.constant(given, module)] if isinstance(a, str)]
    return tuple(dict.fromkeys([*aliases, *([name] if by_name or not aliases else [])]))


def _by_name(definition: Definition) -> bool:
    """Whether a model lets fields be set by their own name beside the alias."""
    assert isinstance(definition.node, ast.ClassDef)
    return any(
        "populate_by_name" in ast.unparse(s) or "validate_by_name" in ast.unparse(s)
        for s in definition.node.body
        if isinstance(s, ast.Assign)
    )


def _kept_out(value: ast.expr | None) -> bool:
    """Whether a field is not a parameter: `field(init=False)`, a private attribute."""
    if not isinstance(value, ast.Call):
        return False
    if ast.unparse(value.func).endswith("PrivateAttr"):
        return True
    return any(w.arg == "init" and isinstance(w.value, ast.Constant) and w.value.value is False for w in value.keywords)
