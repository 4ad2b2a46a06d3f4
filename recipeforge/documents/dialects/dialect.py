"""What it takes to read and write one tool's configurations, and the registry of those that are known."""

from collections.abc import Callable, Mapping
from dataclasses import field

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.marks import dialect_by
from recipeforge.documents.tree import Document, MappingNode, key_text, target_of
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record


@record
class Dialect:
    """One tool's way to write a recipe."""

    name: str
    """As `--dialect` and reports call it."""
    title: str
    framework: str
    """The value of the recipe's `framework` that it stands for."""
    refuses: bool
    """Whether the tool refuses a key that it does not know; else it drops the key and says nothing."""
    read: Callable[[Config], None]
    """Read everything that the file equips and sets."""
    words: Mapping[str, Mapping[str, Scalar | None]]
    """Component → the keys that say it, with their values; `None` for a key that has to go. What is not here cannot be written."""
    knobs: Mapping[str, str]
    """Knob → the key that says it."""
    default_places: frozenset[str] = frozenset()
    """Keys that stand for what nobody wrote: they are not taken out with it."""
    neighbours: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Key → keys behind which it goes where it is new, the best first."""


def dialect_of(document: Document, asked: str | None = None) -> Dialect | None:
    """Return the dialect that a document is written in, or the one that was asked for.

    `None` for a native recipe, and for what nobody knows.
    """
    if asked is not None:
        return dialects().get(asked)
    root = target_of(document.root) if document.root is not None else None
    if not isinstance(root, MappingNode):
        return None
    name = dialect_by([key for entry in root.entries if (key := key_text(entry)) is not None])
    return dialects()[name] if name else None


def dialects() -> Mapping[str, Dialect]:
    """Return all dialects by name."""
    if not _known:
        from recipeforge.documents.dialects.axolotl import AXOLOTL
        from recipeforge.documents.dialects.llamafactory import LLAMA_FACTORY
        from recipeforge.documents.dialects.torchtune import TORCHTUNE
        from recipeforge.documents.dialects.trl import TRL

        for dialect in (AXOLOTL, LLAMA_FACTORY, TORCHTUNE, TRL):
            if dialect.name in _known:
                raise ValueError(f"two dialects are called {dialect.name}")
            _known[dialect.name] = dialect
    return _known


_known: dict[str, Dialect] = {}
