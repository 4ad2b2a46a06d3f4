"""Another tool's configuration as a reader wants it: keys by path, values by type, places for what is found."""

from collections.abc import Iterable, Mapping

from recipeforge.documents.interpretation import Interpretation
from recipeforge.documents.plain_keys import MAX_SEED
from recipeforge.documents.scalars import FALSE_WORDS, TRUE_WORDS, number, plain_value
from recipeforge.documents.tree import (
    Content,
    Document,
    Entry,
    MappingNode,
    ScalarNode,
    SequenceNode,
    effective_entries,
    key_text,
    target_of,
)
from recipeforge.documents.vocabulary import Vocabulary
from recipeforge.schemas.loadout import Equipped, Fact, Setting
from recipeforge.schemas.place import START_OF_FILE, Span
from recipeforge.schemas.recipe import Scalar


class Config:
    """The keys of a document, and what was read from them so far."""

    def __init__(self, document: Document, vocabulary: Vocabulary, gpu: Mapping[str, Fact]) -> None:
        self.document, self.vocabulary, self.gpu = document, vocabulary, gpu
        self.out = Interpretation()
        self.said_by: dict[str, str] = {}
        """Component or knob → the path that says it."""
        self.looked: set[str] = set()
        """Paths that somebody asked for."""
        self.files: dict[str, Config] = {}
        """Key that names a file → what was read there; that of the launch file is `accelerate_config`, however it is named."""
        self._inside: dict[int, dict[str, Entry]] = {}
        root = target_of(document.root) if document.root is not None else None
        self.root = root if isinstance(root, MappingNode) else None
        self.out.keys = {key: entry.key.span for key, entry in self.entries(self.root).items()}

    # -- looking ----------------------------------------------------------------------------------------------

    def entries(self, node: Content | None) -> dict[str, Entry]:
        """Return the entries that hold in a mapping, by key; none for what is no mapping."""
        if not isinstance(node, MappingNode):
            return {}
        if node.start not in self._inside:
            self._inside[node.start] = {key: entry for entry in effective_entries(node) if (key := key_text(entry)) is not None}
        return self._inside[node.start]

    def entry(self, path: str) -> Entry | None:
        """Return the entry at a dotted path."""
        self.looked.add(path)
        if "." not in path:
            return self.entries(self.root).get(path)
        node: Content | None = self.root
        found: Entry | None = None
        keys = path.split(".")
        for depth, key in enumerate(keys):
            here = self.entries(node)
            found = here.get(key)
            if found is None:
                return here.get(".".join(keys[depth:]))  # a name with dots in it
            node = target_of(found.value)
        return found

    def node(self, path: str) -> Content | None:
        """Return what stands at a path; `None` where nothing does, or null."""
        entry = self.entry(path)
        node = target_of(entry.value) if entry else None
        return None if isinstance(node, ScalarNode) and node.null else node

    def value(self, path: str) -> Scalar | None:
        """Return the single value at a path; words such as `yes`, and numbers such as `2e-4`, mean what their authors meant."""
        node = self.node(path)
        if not isinstance(node, ScalarNode):
            return None
        word = node.text.lower()
        if node.plain and word in TRUE_WORDS | FALSE_WORDS:
            return word in TRUE_WORDS
        value = plain_value(node.text) if node.plain else number(node.text)
        return node.text if value is None else value

    def text(self, path: str) -> str | None:
        """Return a word at a path."""
        value = self.value(path)
        return value if isinstance(value, str) else None

    def number(self, path: str) -> int | float | None:
        """Return a number at a path."""
        value = self.value(path)
        return None if isinstance(value, bool) or not isinstance(value, int | float) else value

    def on(self, *paths: str) -> str | None:
        """Return the first of some paths that is true."""
        return next((path for path in paths if self.value(path) is True), None)

    def words(self, path: str) -> tuple[str, ...]:
        """Return the words of a list, or the only one."""
        node = self.node(path)
        if isinstance(node, ScalarNode):
            return (node.text,)
        items = node.items if isinstance(node, SequenceNode) else ()
        return tuple(inner.text for item in items if isinstance(inner := target_of(item), ScalarNode) and not inner.null)

    def span(self, path: str) -> Span:
        """Return where a path stands: its value where that says something by itself, else its key."""
        entry = self.entry(path)
        if entry is None:
            return next(iter(self.out.keys.values()), START_OF_FILE)
        value = target_of(entry.value)
        if not isinstance(value, ScalarNode) or value.null or value.text.lower() in TRUE_WORDS | FALSE_WORDS:
            return entry.key.span
        return value.span

    # -- finding ----------------------------------------------------------------------------------------------

    def equip(self, component: str, path: str) -> None:
        """Equip a component, for what stands at a path; the first that takes a seat keeps it."""
        known = self.vocabulary.catalog.components.get(component)
        if known is None or any(e.component == component for e in self.out.equipped):
            return
        single = self.vocabulary.slots[known.slot].cardinality != "many"
        if not single or all(e.slot != known.slot for e in self.out.equipped):
            self.out.equipped.append(Equipped(component, known.slot, self.span(path)))
            self.said_by[component] = path

    def named(self, slot: str, path: str) -> bool:
        """Equip the component that a path names by an id or alias of ours; return whether there is one."""
        word = self.text(path)
        known = self.vocabulary.component(slot, word) if word else None
        if known is not None:
            self.equip(known.id, path)
        return known is not None

    def each(self, table: Iterable[tuple[str, str]]) -> None:
        """Equip the components of a table of (path, component) whose path is true."""
        for path, component in table:
            if self.on(path):
                self.equip(component, path)

    def set(self, knob: str, value: Scalar, path: str) -> None:
        """Give a knob a value, for what stands at a path; one that the knob does not admit is left out."""
        known = self.vocabulary.knob(knob)
        if known is None or any(s.knob == knob for s in self.out.settings):
            return
        if known.type in ("int", "float") and (isinstance(value, bool) or not isinstance(value, int | float)):
            return
        if isinstance(value, int | float) and not isinstance(value, bool):
            if (known.minimum is not None and value < known.minimum) or (known.maximum is not None and value > known.maximum):
                return
            value = float(value) if known.type == "float" else int(value) if float(value).is_integer() else value
        if known.type == "int" and not isinstance(value, int):
            return
        if known.type == "bool" and value in (0, 1):
            value = bool(value)
        if (known.type == "bool" and not isinstance(value, bool)) or (known.type == "enum" and value not in known.values):
            return
        self.out.settings.append(Setting(knob, value, self.span(path)))
        self.said_by[knob] = path

    def settings(self, table: Iterable[tuple[str, str]]) -> None:
        """Give knobs the values at the paths of a table of (path, knob)."""
        for path, knob in table:
            value = self.value(path)
            if value is not None:
                self.set(knob, value, path)

    def model(self, path: str) -> None:
        """Take the model's name from a path."""
        self.out.model = self.text(path)
        self.out.spans["model"] = self.span(path)

    def seed(self, path: str) -> None:
        """Take the seed from a path."""
        seed = self.number(path)
        if isinstance(seed, int) and 0 <= seed <= MAX_SEED:
            self.out.seed = seed
            self.said_by["seed"] = path
