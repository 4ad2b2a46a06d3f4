"""Python packages read as text: modules, the classes in them, and what a name stands for; nothing is imported."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


class SourceError(Exception):
    """What was looked for is not in the source."""


@dataclass(frozen=True)
class Definition:
    """What a name stands for: a class, a function, or the expression that was assigned to it."""

    module: "Module"
    name: str
    node: ast.AST


class Module:
    """One file of a package."""

    def __init__(self, sources: "Sources", name: str, path: Path) -> None:
        self.sources, self.name, self.path = sources, name, path

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    @cached_property
    def names(self) -> dict[str, list[ast.AST]]:
        """Each top-level name and what may give it its meaning: of plain statements the last, then those in `try` and `if`, in order."""
        found: dict[str, list[ast.AST]] = {}
        for node in reversed(self.tree.body):
            for name, value in _bound(node):
                found.setdefault(name, []).append(value)
        for node in _statements(self.tree.body):
            for name, value in _bound(node):
                if value not in found.setdefault(name, []):
                    found[name].append(value)
        return found

    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    def imported(self, node: ast.ImportFrom) -> str:
        """The full name of the module that a `from` import names."""
        if not node.level:
            return node.module or ""
        base = self.package().split(".")
        base = base[: len(base) - (node.level - 1)]
        return ".".join([*base, *([node.module] if node.module else [])])


class Sources:
    """Packages by name, each with the folder that holds its modules."""

    def __init__(self, roots: Mapping[str, Path]) -> None:
        self.roots = dict(roots)
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """The module of that full name; none where its package is not given or has no such file."""
        if name not in self._modules:
            top, *rest = name.split(".")
            found = None
            if top in self.roots:
                base = self.roots[top].joinpath(*rest)
                plain = base.with_name(base.name + ".py")
                path = next((p for p in (base / "__init__.py", plain) if p.is_file()), None)
                found = Module(self, name, path) if path else None
            self._modules[name] = found
        return self._modules[name]

    def require(self, name: str) -> Module:
        """The module of that full name.

        Raises:
            SourceError: there is none.
        """
        if (found := self.module(name)) is None:
            raise SourceError(f"no module {name} below {self.roots.get(name.split('.')[0], 'any given package')}")
        return found

    def lookup(self, module: Module, name: str, depth: int = 0) -> Definition | None:
        """What a (dotted) name means in a module, through imports; none where it cannot be seen. Of branches, the first that can."""
        if depth > 20:
            return None
        head, _, rest = name.partition(".")
        for node in module.names.get(head, ()):
            if (found := self._follow(module, head, rest, node, depth)) is not None:
                return found
        for other in self._starred(module):
            if (found := self.lookup(other, name, depth + 1)) is not None:
                return found
        return None

    def _follow(self, module: Module, head: str, rest: str, node: ast.AST, depth: int) -> Definition | None:
        """What a name means, by one of the statements that give it a meaning."""
        if isinstance(node, ast.ImportFrom):
            source = module.imported(node)
            original = next(a.name for a in node.names if (a.asname or a.name) == head)
            if (inner := self.module(f"{source}.{original}")) is not None and rest:
                return self.lookup(inner, rest, depth + 1)
            if (outer := self.module(source)) is None:
                return None
            return self.lookup(outer, f"{original}.{rest}" if rest else original, depth + 1)
        if isinstance(node, ast.Import):
            alias = next(a for a in node.names if (a.asname or a.name.split(".")[0]) == head)
            inner = self.module(alias.name)
            return self.lookup(inner, rest, depth + 1) if inner is not None and rest else None
        if isinstance(node, (ast.Name, ast.Attribute)) and not rest and ast.unparse(node) != head:
            other = self.lookup(module, ast.unparse(node), depth + 1)
            return other if other is not None else None if isinstance(node, ast.Name) else Definition(module, head, node)
        return None if rest else Definition(module, head, node)

    def _starred(self, module: Module) -> Iterator[Module]:
        for node in _statements(module.tree.body):
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and (m := self.module(module.imported(node))) is not None:
                yield m

    def require_class(self, module: str, name: str) -> Definition:
        """The class of that name, which a module defines or imports.

        Raises:
            SourceError: there is none.
        """
        found = self.lookup(self.require(module), name)
        if found is None or not isinstance(found.node, ast.ClassDef):
            raise SourceError(f"no class {name} in {module}")
        return found

    def lineage(self, definition: Definition) -> list[Definition]:
        """The class and those bases that can be seen, in the order in which Python asks them."""
        assert isinstance(definition.node, ast.ClassDef)
        bases: list[list[Definition]] = []
        for base in definition.node.bases:
            found = self.lookup(definition.module, ast.unparse(base))
            if found is not None and isinstance(found.node, ast.ClassDef) and found.node is not definition.node:
                bases.append(self.lineage(found))
        line = [definition]
        while bases := [b for b in bases if b]:
            head = next((b[0] for b in bases if not any(b[0] in other[1:] for other in bases)), bases[0][0])
            line.append(head)
            bases = [[d for d in b if d != head] for b in bases]
        return line


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import, those inside `if`, `try` and `with` too."""
    for node in body:
        yield node
        for inner in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With)) and hasattr(node, inner):
                yield from _statements(getattr(node, inner))
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _statements(handler.body)


def _bound(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    """The names that a statement gives a meaning."""
    if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
        yield node.name, node
    elif isinstance(node, ast.ImportFrom):
        yield from ((a.asname or a.name, node) for a in node.names if a.name != "*")
    elif isinstance(node, ast.Import):
        yield from ((a.asname or a.name.split(".")[0], node) for a in node.names)
    elif isinstance(node, ast.Assign):
        yield from ((t.id, node.value) for t in node.targets if isinstance(t, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value
