"""Changes → edits in another tool's own keys: `quantization: bnb-4bit` becomes `load_in_4bit: true` in Axolotl.

As in recipes, every other byte is kept, and the new text is read back: it has to say what was asked, and all else as before.
"""

from collections.abc import Iterable, Mapping

from recipeforge.documents import surgery
from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.dialect import Dialect, dialects
from recipeforge.documents.dialects.reading import read_config
from recipeforge.documents.dialects.whole import WHOLE, Keys, Value
from recipeforge.documents.find import entry_of
from recipeforge.documents.parse import parse
from recipeforge.documents.pieces import Cut, Pieces
from recipeforge.documents.surgery import Refusal
from recipeforge.documents.tree import AliasNode, Document, Entry, MappingNode, ScalarNode
from recipeforge.documents.vocabulary import Vocabulary, vocabulary_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Fact, Loadout
from recipeforge.schemas.place import TextEdit
from recipeforge.schemas.recipe import Scalar


def edits_in_dialect(document: Document, loadout: Loadout, catalog: Catalog, changes: Iterable[Change]) -> tuple[TextEdit, ...]:
    """Return the edits that make `changes` in the words of the file's dialect; none where it cannot say them, or not without risk."""
    wanted = tuple(changes)
    if not document.complete or loadout.dialect not in dialects():
        return ()
    gpu = {key.removeprefix("gpu."): value for key, value in loadout.context.facts.items() if key.startswith("gpu.")}
    session = _Session(document, dialects()[loadout.dialect], vocabulary_of(catalog), gpu)
    try:
        for change in wanted:
            session.make(change)
        session.prove(wanted)
    except Refusal:
        return ()
    return session.pieces.edits(document.lines)


_QUOTES = ("", "'", '"')


class _Session:
    """A text while its changes are made."""

    def __init__(self, document: Document, dialect: Dialect, vocabulary: Vocabulary, gpu: Mapping[str, Fact]) -> None:
        self._original, self._dialect, self._vocabulary, self._gpu = document, dialect, vocabulary, gpu
        self._whole = WHOLE.get(dialect.name)
        self.document = document
        self.config = self._before = read_config(dialect, document, vocabulary, gpu)
        self.pieces = Pieces(document.text)

    def make(self, change: Change) -> None:
        """Make one change."""
        match change:
            case Change(op="add", component=str(component)):
                self._say(component, None)
            case Change(op="replace", component=str(component), previous=str(previous)):
                self._say(component, self._place_of(previous))
            case Change(op="drop", slot=str(), component=str(component)):
                self._drop(component)
            case Change(op="set", knob=str(knob), value=value) if value is not None:
                self._set(knob, value)
            case Change(op="drop", knob=str(knob)):
                self._silence(self.config.said_by.get(knob))
            case _:
                raise Refusal(f"this is no change that can be written: {change}")

    def _place_of(self, component: str) -> str | None:
        """Return the path that equips a component; `None` for one that stands by default."""
        path = self.config.said_by.get(component)
        return None if path is None or path in self._dialect.default_places else path

    def _say(self, component: str, replaced: str | None) -> None:
        words = self._dialect.words.get(component)
        if words is None:
            raise Refusal(f"no key of {self._dialect.title} says {component}")
        if replaced is not None and replaced not in words and not self._rename(replaced, words):
            self._silence(replaced)
        for path, value in words.items():
            if value is None:
                self._silence(path if self.config.entry(path) else None)
            elif self.config.value(path) != value:
                self._write(path, value, replaced)

    def _rename(self, replaced: str, words: Keys) -> bool:
        """Let the only key that is new take the place of another, whose comment stays; return whether it does."""
        new = [path for path, value in words.items() if value is not None and self.config.entry(path) is None]
        parent, entry = self._own(replaced)
        if len(new) != 1 or parent is None or entry is None or self._own(new[0])[0] is not parent:
            return False
        key, value = entry.key, entry.value
        if not isinstance(key, ScalarNode) or not isinstance(value, ScalarNode) or key.anchor or value.anchor or key.style not in _QUOTES:
            return False
        name = new[0].rsplit(".", 1)[-1]
        text = surgery.written(words[new[0]] or "", json_style=surgery.is_json(parent), like=self.document.text[value.start : value.end])
        self._cut([Cut(key.start, key.end, f"{key.style}{name}{key.style}"), *surgery.fill(self.document, entry, text)])
        return True

    def _set(self, knob: str, value: Scalar) -> None:
        path = self.config.said_by.get(knob) or self._dialect.knobs.get(knob)
        words: Mapping[str, Value] = self._whole.values.get((knob, value), {}) if self._whole else {}
        for key, word in words.items() if path is None or path in words else ():
            if isinstance(word, tuple):
                raise Refusal(f"{key} would be a list")
            self._write(key, word, None)
        if path is None and not words:
            raise Refusal(f"no key of {self._dialect.title} says {knob}")
        if path is not None and path not in words:
            self._write(path, value, None)

    def _drop(self, component: str) -> None:
        """Take a component out; one that is there unless it is turned off is turned off."""
        off: Keys = self._whole.off.get(component, {}) if self._whole else {}
        for path, value in off.items():
            if value is not None:
                self._write(path, value, None)
        if not off:
            self._silence(self._place_of(component))

    def _silence(self, path: str | None) -> None:
        """Take a key out."""
        if path is None:
            raise Refusal("the text does not say it")
        parent, entry = self._own(path)
        if parent is None or entry is None:
            raise Refusal(f"{path} stands behind an alias, or nowhere")
        self._cut(surgery.delete_entry(self.document, parent, entry))

    def _write(self, path: str, value: Scalar, near: str | None) -> None:
        parent, entry = self._own(path)
        if parent is None:
            raise Refusal(f"there is nothing to hold {path}")
        json_style = surgery.is_json(parent)
        if entry is None:
            text = surgery.written(value, json_style=json_style)
            self._cut(surgery.insert_entry(self.document, parent, path.rsplit(".", 1)[-1], text, self._neighbour(parent, path, near)))
            return
        node = entry.value
        if isinstance(node, AliasNode) or not isinstance(node, ScalarNode):
            raise Refusal(f"the value of {path} is no single value")
        surgery.refuse_anchors(node)
        like = self.document.text[node.start : node.end]
        self._cut(surgery.fill(self.document, entry, surgery.written(value, json_style=json_style, like=like)))

    def _neighbour(self, parent: MappingNode, path: str, near: str | None) -> Entry | None:
        """Return the entry behind which a new key goes: one that it belongs with, else the last."""
        for other in (near, *self._dialect.neighbours.get(path, ())):
            entry = entry_of(parent, other.rsplit(".", 1)[-1]) if other else None
            if entry is not None:
                return entry
        return parent.entries[-1] if parent.entries else None

    def _own(self, path: str) -> tuple[MappingNode | None, Entry | None]:
        """Return the mapping in the text itself that holds, or would hold, a path, and its entry there."""
        node = self.document.root
        keys = path.split(".")
        for key in keys[:-1]:
            inner = entry_of(node, key) if isinstance(node, MappingNode) else None
            node = inner.value if inner else None
        if not isinstance(node, MappingNode):
            return None, None
        return node, entry_of(node, keys[-1])

    def _cut(self, cuts: list[Cut]) -> None:
        self.pieces.cut(cuts)
        self.document = parse(self.pieces.text, self._original.path)
        if not self.document.complete:
            raise Refusal("the text would no longer be valid YAML")
        self.config = read_config(self._dialect, self.document, self._vocabulary, self._gpu)

    def prove(self, changes: tuple[Change, ...]) -> None:
        """Refuse an edit that does not do what its changes ask, or does more.

        Raises:
            Refusal: saying what would be wrong.
        """
        touched = {change.slot or (change.knob or "").split(".", 1)[0] for change in changes}
        if _said(self._before, touched) != _said(self.config, touched):
            raise Refusal("the edit would change more than was asked")
        held = {e.component for e in self.config.out.equipped}
        for change in changes:
            gone = change.previous if change.op == "replace" else change.component if change.op == "drop" else None
            if gone in held or (change.op in ("add", "replace") and change.component not in held):
                raise Refusal("the edit would not leave the components that were asked for")
            if change.op == "set" and change.knob and self.config.out.value_of(change.knob) != change.value:
                raise Refusal(f"{change.knob} would not be read back as asked")
        had = [d.code for d in self._before.out.findings.diagnostics]
        for diagnostic in self.config.out.findings.diagnostics:
            if diagnostic.code not in had:
                raise Refusal(f"the text would then have another problem: {diagnostic.message}")
            had.remove(diagnostic.code)


def _said(config: Config, touched: set[str]) -> tuple[object, ...]:
    """Return everything that a configuration says outside of some groups."""
    equipped = sorted((e.slot, e.component) for e in config.out.equipped if e.slot not in touched)
    settings = [(s.knob, s.value) for s in config.out.settings if s.knob.split(".", 1)[0] not in touched]
    return equipped, sorted(settings, key=str), config.out.model
