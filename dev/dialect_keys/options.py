"""Command line options, as a file that adds them to an argument parser declares them; and the attributes that code reads of the outcome."""

import ast

from dev.dialect_keys.fields import Entry
from dev.dialect_keys.shapes import UNSEEN, Reader
from dev.dialect_keys.source import Module

TYPES = {"int": "int", "float": "float", "str": "str", "str_to_bool": "bool", "bool": "bool"}


def options(reader: Reader, module: Module) -> dict[str, Entry]:
    """Each option that a module declares, under the name by which code reads it."""
    found: dict[str, Entry] = {}
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"):
            continue
        flags = [f for f in (reader.constant(a, module) for a in node.args) if isinstance(f, str) and f.startswith("--")]
        words = {w.arg: w.value for w in node.keywords}
        name = reader.constant(words.get("dest"), module) if "dest" in words else flags[0].lstrip("-").replace("-", "_") if flags else None
        if isinstance(name, str) and name not in found and name != "help":
            found[name] = _entry(reader, module, words)
    return found


def _entry(reader: Reader, module: Module, words: dict[str | None, ast.expr]) -> Entry:
    action = reader.constant(words.get("action"), module)
    kind = TYPES.get(ast.unparse(words["type"]), "any") if "type" in words else "str"
    entry: Entry = {"type": "bool" if action in ("store_true", "store_false") else kind}
    if isinstance(values := reader.constant(words.get("choices"), module), (list, tuple)):
        entry["values"] = list(values)
    default = reader.constant(words.get("default"), module)
    if default is not UNSEEN:
        entry["default"] = default
    return entry


def attributes(module: Module, holder: str) -> set[str]:
    """The attributes of a variable that a module reads."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == holder:
            found.add(node.attr)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr") and ast.unparse(node.args[0]) == holder:
            named = node.args[1]
            found |= {named.value} if isinstance(named, ast.Constant) and isinstance(named.value, str) else set()
    return found
