"""Which keys of another tool's configuration say something that the loadout does not hold: a conversion has to name them."""

from collections.abc import Iterator, Mapping

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.dialect import Dialect
from recipeforge.documents.dialects.whole import WHOLE, whole_words
from recipeforge.documents.surgery import written
from recipeforge.documents.tree import Content, Document, Entry, MappingNode, ScalarNode, SequenceNode, target_of
from recipeforge.documents.vocabulary import Vocabulary
from recipeforge.documents.wording import short
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.place import Span
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record

NOTHING = "no part of a recipe means it"
AUTO = "auto"


@record
class Left:
    """One thing that a conversion leaves out, or carries over only in part."""

    what: str
    why: str
    span: Span | None
    """Where the source says it; `None` where it does not."""


def leftover(document: Document, dialect: Dialect, vocabulary: Vocabulary, gpu: Mapping[str, Fact]) -> tuple[Left, ...]:
    """Return what a configuration says besides the loadout that is read from it, for a GPU, in the order of the text."""
    config = Config(document, vocabulary, gpu)
    dialect.read(config)
    config.seed("seed")
    return tuple(_Walk(config, dialect).inside(config.root, ""))


class _Walk:
    """One walk over the keys."""

    def __init__(self, config: Config, dialect: Dialect) -> None:
        self._config = config
        self._asked = frozenset(config.looked)  # by the reader, and not by this walk
        self._said: dict[str, list[str]] = {}
        for subject, path in config.said_by.items():
            self._said.setdefault(path, []).append(subject)
        known = WHOLE.get(dialect.name)
        self._model = known.model if known and config.out.model else ""
        words = whole_words(dialect.name, dialect.words)
        self._spelt: set[tuple[str, Scalar | None]] = {
            pair for equipped in config.out.equipped for pair in words.get(equipped.component, {}).items()
        }
        """Keys and values that are part of how an equipped component is said, or that say a setting once more."""
        keys = {**(known.knobs if known else {}), **dialect.knobs}
        self._spelt |= {(path, setting.value) for setting in config.out.settings if (path := keys.get(setting.knob))}

    def inside(self, mapping: Content | None, prefix: str) -> Iterator[Left]:
        for name, entry in self._config.entries(mapping).items():
            path, node = prefix + name, target_of(entry.value)
            if isinstance(node, MappingNode):
                yield from self._mapping(path, node, entry)
            elif why := self._list(path, node) if isinstance(node, SequenceNode) else self._value(path, node):
                yield Left(f"`{short(path)}`", why, entry.key.span)

    def _mapping(self, path: str, node: MappingNode, entry: Entry) -> Iterator[Left]:
        below = list(self.inside(node, path + "."))
        heard = any(said == path or said.startswith(path + ".") for said in self._said)
        if below and not heard:
            yield Left(f"`{short(path)}`", NOTHING, entry.key.span)
        else:
            yield from below

    def _list(self, path: str, node: SequenceNode) -> str:
        if not node.items:
            return ""
        if path not in self._said:
            return NOTHING
        exact = all(self._config.out.value_of(subject) in self._config.words(path) for subject in self._said[path])
        return "" if exact and len(node.items) == 1 else f"of this list only {self._as_read(path)} is carried over"

    def _value(self, path: str, node: ScalarNode | Content) -> str:
        """Return why a single value is not carried over whole; empty where it is."""
        if not isinstance(node, ScalarNode) or node.null or not node.text or path == self._model:
            return ""
        value = self._config.value(path)
        if path in self._said:
            if value == AUTO:
                return f"`auto` is decided: it is carried over as {self._as_read(path)}"
            if path == "deepspeed":
                return f"of the file that it names only {self._as_read(path)} is carried over"
            return ""
        if (path, value) in self._spelt:
            return ""
        if path not in self._asked:
            return NOTHING
        if value is False or (type(value) is int and value in (0, 1)):
            return ""  # turned off, or undivided: what it could say is not in the loadout, and that is what it says
        parent = path.rpartition(".")[0]
        while parent:
            if parent in self._said:
                return ""  # read, and part of what its group says
            parent = parent.rpartition(".")[0]
        return NOTHING

    def _as_read(self, path: str) -> str:
        out = self._config.out
        values = {setting.knob: f"`{setting.knob}: {written(setting.value)}`" for setting in out.settings}
        return " and ".join(values.get(subject, f"`{subject}`") for subject in self._said[path])
