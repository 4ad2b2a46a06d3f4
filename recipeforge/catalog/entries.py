"""Pack files → entries: plain mappings, each with the place it was written at.

YAML is read by its 1.2 rules where the two versions disagree to a writer's harm: only `true`
and `false` are booleans, `1e-5` is a number, and a date stays a word.
"""

import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from recipeforge.schemas.errors import CatalogError
from recipeforge.schemas.record import record

_TAG = "tag:yaml.org,2002:"
_Base = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class _PackLoader(_Base):
    """A safe loader without YAML 1.1's surprises, which refuses a key written twice."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML reads it from the class

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the mapping of `node`."""
        seen: set[str] = set()
        for key, _ in cast("list[tuple[Node, Node]]", node.value):
            if isinstance(key, ScalarNode) and key.tag != _TAG + "merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"the key '{key.value}' is written twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_PLAIN_FORMS = (
    ("bool", r"true|false", list("tf")),
    ("null", r"~|null|", ["~", "n", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:[0-9][0-9_]*\.[0-9]*(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9]+)", list("-+0123456789.")),
    ("merge", r"<<", ["<"]),
)
for _kind, _form, _first in _PLAIN_FORMS:
    cast("Any", _PackLoader).add_implicit_resolver(_TAG + _kind, re.compile(f"^(?:{_form})$"), _first)


@record
class Entry:
    """One item of a pack file."""

    path: Path
    line: int
    """1-based, as editors count."""
    data: dict[str, object]

    @property
    def place(self) -> str:
        """`file:line`, which opens every message about it."""
        return f"{self.path}:{self.line}"


def read_entries(path: Path) -> list[Entry]:
    """Return the items of the list that the file holds; an empty file holds none.

    Raises:
        CatalogError: the file cannot be read, is no YAML, or is no list of mappings.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return list(_entries(path, text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        raise CatalogError(f"{path}:{line}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise CatalogError(f"{path}: not valid YAML: {error}") from error


def _entries(path: Path, text: str) -> Iterator[Entry]:
    loader = _PackLoader(text)
    try:
        root = loader.get_single_node()
        if root is None or (isinstance(root, ScalarNode) and not root.value):
            return
        if not isinstance(root, SequenceNode):
            raise CatalogError(f"{path}:1: a pack file is a list; begin each item with `- `")
        for node in cast("list[Node]", root.value):
            line = node.start_mark.line + 1
            if not isinstance(node, MappingNode):
                raise CatalogError(f"{path}:{line}: an item is a mapping of keys to values")
            data = cast("dict[object, object]", loader.construct_object(node, deep=True))  # pyright: ignore[reportUnknownMemberType]
            yield Entry(path, line, {str(key): value for key, value in data.items()})
    finally:
        cast("Any", loader).dispose()
