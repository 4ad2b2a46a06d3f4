"""Torchtune: the keys that its recipes read, and the parameters of everything that a `_component_` may name."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev.dialect_keys.fields import Entry, fields
from dev.dialect_keys.shapes import UNSEEN, Reader, is_dataclass
from dev.dialect_keys.source import Definition, Module, SourceError, Sources

REPOSITORY = "pytorch/torchtune"
PLACES = ("recipes", "torchtune")
FOLDERS = ("recipes", "torchtune")
HISTORY = ("recipes", "torchtune/training")
HOLDERS = ("cfg", "self.cfg", "self._cfg", "self.config")
OTHERS = ("torch.optim", "bitsandbytes.optim")
"""Packages beside its own that recipes take components from; read where they are given."""
ANY = "**"
"""Stands for keyword arguments of any name."""


def sources(root: Path, beside: dict[str, Path]) -> Sources:
    """The package and the recipes beside it."""
    return Sources({"torchtune": root / "torchtune", "recipes": root / "recipes", **beside})


def read(root: Path, beside: dict[str, Path]) -> dict[str, Any]:
    """Keys by recipe, and components."""
    reader = Reader(sources(root, beside))
    recipes = _recipes(reader)
    keys: dict[str, Entry] = {}
    for found in recipes.values():
        for key, entry in found.items():
            held = keys.setdefault(key, dict(entry))
            if "default" in held and ("default" not in entry or held["default"] != entry["default"]):
                held.pop("default")
    for key in [k for k in keys if "." in k]:  # only some of what stands there is read as a key: the rest goes on to a component
        keys[key.split(".")[0]]["open"] = True
        keys.pop(key)
    own = {name: sorted(k for k in found if "." not in k) for name, found in recipes.items()}
    return {"keys": keys, "recipes": own, "components": _components(reader)}


def names(root: Path) -> set[str]:
    """The keys of an older release, each with its recipe."""
    reader = Reader(sources(root, {}))
    found = {key for keys in _recipes(reader).values() for key in keys if "." not in key}
    if not found:
        raise SourceError("no recipes")
    return found


def _recipes(reader: Reader) -> dict[str, dict[str, Entry]]:
    """Each recipe and the keys that it reads."""
    base = reader.sources.roots["recipes"]
    found: dict[str, dict[str, Entry]] = {}
    for path in sorted([*base.glob("*.py"), *base.glob("dev/*.py")]) if base.is_dir() else ():
        parts = path.relative_to(base).with_suffix("").parts
        module = reader.sources.require(".".join(("recipes", *parts)))
        keys = dict(_reads(reader, module))
        if keys:
            found["/".join(parts)] = keys
    return found


def _reads(reader: Reader, module: Module) -> Iterator[tuple[str, Entry]]:
    """The keys of the config that a module reads: `cfg.a.b`, `cfg["a"]`, `cfg.get("a", 1)`."""
    methods: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            methods.add(id(node.func))
            if node.func.attr in ("get", "pop") and node.args and (path := _path(node.func.value)) is not None:
                key = reader.constant(node.args[0], module)
                if isinstance(key, str):
                    default = reader.constant(node.args[1], module) if len(node.args) > 1 else None
                    yield ".".join([*path, key]), {"type": "any", **({"default": default} if default is not UNSEEN else {})}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and id(node) not in methods and (path := _path(node)):
            yield ".".join(path), {"type": "any"}
        elif (
            isinstance(node, ast.Subscript)
            and (path := _path(node.value)) is not None
            and isinstance(key := reader.constant(node.slice, module), str)
        ):
            yield ".".join([*path, key]), {"type": "any"}


def _path(node: ast.AST) -> list[str] | None:
    """The names below the config that an expression walks; an empty list for the config itself."""
    if ast.unparse(node) in HOLDERS:
        return []
    if isinstance(node, ast.Attribute) and (above := _path(node.value)) is not None:
        return [*above, node.attr]
    return None


def _components(reader: Reader) -> dict[str, list[str]]:
    """Everything public that a dotted path reaches, and its parameters."""
    found: dict[str, list[str]] = {}
    for package in ("torchtune", *(o for o in OTHERS if o.split(".")[0] in reader.sources.roots)):
        top, *rest = package.split(".")
        base = reader.sources.roots[top].joinpath(*rest)
        for path in sorted(base.rglob("*.py")):
            parts = path.relative_to(reader.sources.roots[top]).with_suffix("").parts
            module = reader.sources.require(".".join((top, *parts)).removesuffix(".__init__"))
            if any(p.startswith("_") and p != "__init__" for p in parts):
                continue
            exported = reader.constant(ast.Name("__all__"), module)
            for name in module.names:
                if isinstance(exported, list) and name in exported and reader.sources.lookup(module, name) is None:
                    found[f"{module.name}.{name}"] = [ANY]  # another package's, shown as its own
                definition = None if name.startswith("_") else reader.sources.lookup(module, name)
                if definition is None or definition.module.name.split(".")[0] != top:
                    continue
                if (parameters := _parameters(reader, definition)) is not None:
                    found[f"{module.name}.{name}"] = parameters
    return found


def _parameters(reader: Reader, definition: Definition, depth: int = 0) -> list[str] | None:
    """The names that a call takes; none where it is not something to call."""
    node = definition.node
    if isinstance(node, ast.FunctionDef):
        return _arguments(node)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("partial") and node.args and depth < 5:
        inner = reader.sources.lookup(definition.module, ast.unparse(node.args[0]))
        taken = len(node.args) - 1
        return (_parameters(reader, inner, depth + 1) or [])[taken:] if inner else None
    if not isinstance(node, ast.ClassDef):
        return None
    for owner in reader.sources.lineage(definition):
        assert isinstance(owner.node, ast.ClassDef)
        if is_dataclass(owner):
            return [f.keys[0] for f in fields(reader, owner)]
        for method in owner.node.body:
            if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                return _arguments(method)[1:]
    return [ANY] if node.bases else []


def _arguments(node: ast.FunctionDef) -> list[str]:
    listed = [a.arg for a in [*node.args.args, *node.args.kwonlyargs]]
    return [*listed, ANY] if node.args.kwarg else listed
