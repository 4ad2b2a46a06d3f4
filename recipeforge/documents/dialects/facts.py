"""What rules about one tool ask of its configuration, key by key, in the tool's own words (`config.<path>`)."""

from collections.abc import Iterator

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.catalog.subject_walk import Atom, atoms
from recipeforge.catalog.subjects import ABSENT, CONFIG_PREFIX
from recipeforge.documents.dialects.companions import NAMED_BY
from recipeforge.documents.dialects.config import Config
from recipeforge.documents.tree import MappingNode, ScalarNode, SequenceNode, target_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import Compare, Predicate
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.place import Span

Asked = tuple[str, str, str]
"""A subject, its path in the configuration, and the path's first key."""
_last: tuple[Catalog, tuple[Asked, ...]] | None = None


def config_facts(config: Config, catalog: Catalog) -> tuple[dict[str, Fact], dict[str, Span]]:
    """Return every fact of the configuration that some rule asks for, and where those that it states stand.

    Keys within a file that a key names count as if the file stood there (`config.deepspeed.zero_optimization.stage`).
    """
    facts: dict[str, Fact] = {}
    spans: dict[str, Span] = {}
    stated = config.entries(config.root)
    for subject, path, key in _asked(catalog):
        inside, path_inside = config.files.get(key), path.removeprefix(f"{key}.")
        if path_inside != path and inside is not None:
            facts[subject] = _items(inside, path_inside) if "[]" in path_inside else _value(inside, path_inside)
            if facts[subject] not in (ABSENT, ()):
                spans[subject] = config.span(key)
        elif path_inside != path and key in NAMED_BY and config.text(key):
            continue  # a file that is not there says nothing
        elif key not in stated:  # most keys are not there
            config.looked.add(path.split("[]")[0])
            facts[subject] = () if "[]" in path else ABSENT
        else:
            facts[subject] = _items(config, path) if "[]" in path else _value(config, path)
            if config.entry(path.split("[]")[0]) is not None:
                spans[subject] = config.span(path.split("[]")[0])
    return facts, spans


def _value(config: Config, path: str) -> Fact:
    node = config.node(path)
    if isinstance(node, ScalarNode):
        value = config.value(path)
        return ABSENT if value is None or value == "" else value
    if isinstance(node, MappingNode):
        return "mapping" if node.entries else ABSENT
    return "list" if isinstance(node, SequenceNode) and node.items else ABSENT


def _items(config: Config, path: str) -> tuple[str, ...]:
    """Return what the items of a list say at a key inside them, or the items themselves."""
    outer, _, inner = path.partition("[]")
    inner = inner.removeprefix(".")
    node = config.node(outer)
    found: list[str] = []
    for item in node.items if isinstance(node, SequenceNode) else ():
        value = target_of(item)
        if inner and isinstance(value, MappingNode):
            entry = config.entries(value).get(inner)
            value = target_of(entry.value) if entry else None
        if isinstance(value, ScalarNode) and not value.null:
            found.append(value.text)
    return tuple(found)


def _asked(catalog: Catalog) -> tuple[Asked, ...]:
    """Return the keys that rules ask for; kept for one catalog, since a process has one."""
    global _last
    if _last is None or _last[0] is not catalog:
        subjects = {
            subject
            for rule in catalog.rules.values()
            if rule.violated_when is not None
            for atom in atoms(rule.violated_when)
            for subject in _read_by(atom)
            if subject.startswith(CONFIG_PREFIX)
        }
        paths = [(subject, subject.removeprefix(CONFIG_PREFIX)) for subject in sorted(subjects)]
        _last = (catalog, tuple((subject, path, path.split(".")[0].removesuffix("[]")) for subject, path in paths))
    return _last[1]


def _read_by(atom: Atom) -> Iterator[str]:
    match atom:
        case Compare(subject):
            yield subject
        case Predicate(name):
            yield from PREDICATES[name].subjects
        case _:
            return
