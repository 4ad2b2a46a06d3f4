"""The loadout: what a file equips and sets, each thing with its place, and the context it meets."""

from collections.abc import Mapping
from dataclasses import field

from recipeforge.schemas.change import Change
from recipeforge.schemas.place import START_OF_FILE, Span
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record

Fact = Scalar | tuple[str, ...]
"""A context value; tuples for lists such as `gpu.dtypes`."""


@record
class Equipped:
    """A component that the file names."""

    component: str
    slot: str
    span: Span
    """The component's id in the text."""


@record
class Setting:
    """A knob that the file gives a value."""

    knob: str
    value: Scalar
    span: Span
    """The value in the text."""


@record
class Context:
    """What the recipe meets. A fact that is not in `facts` is unknown, and stays so."""

    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])
    """Subject → value: `gpu.id`, `gpu.capability`, `gpu.memory_gib`, `gpu.dtypes`, `model.hidden`, `packages.torch` …"""
    spans: Mapping[str, Span] = field(default_factory=dict[str, Span])
    """Where the file says it, by fact group: `gpu`, `model`, `framework`, `packages.torch`."""


@record
class Loadout:
    """What was read from one file."""

    path: str
    """As the user wrote it, or `<text>`."""
    dialect: str
    equipped: tuple[Equipped, ...]
    settings: tuple[Setting, ...]
    context: Context
    name: str = ""
    model: str | None = None
    """The model as written: hub id, folder or preset."""
    keys: Mapping[str, Span] = field(default_factory=dict[str, Span])
    """Span of each top-level key in the text."""
    seed: int | None = None
    """As the recipe gives it."""
    sayable: frozenset[str] | None = None
    """Components and knobs that the file's dialect has words for; `None`: all of them."""

    def can_say(self, change: Change) -> bool:
        """Return whether the file's dialect has words for what a change brings."""
        brings = change.component if change.op in ("add", "replace") else change.knob if change.op == "set" else None
        return self.sayable is None or brings is None or brings in self.sayable

    def component_in(self, slot: str) -> str | None:
        """The first component named for `slot`, not counting defaults."""
        return next((e.component for e in self.equipped if e.slot == slot), None)

    def components_in(self, slot: str) -> tuple[str, ...]:
        """All components named for `slot`, in file order."""
        return tuple(e.component for e in self.equipped if e.slot == slot)

    def value_of(self, knob: str) -> Scalar | None:
        """The value that the file gives `knob`, not counting defaults."""
        return next((s.value for s in self.settings if s.knob == knob), None)

    def span_of(self, subject: str) -> Span:
        """Where the file speaks of a component, knob, slot or fact; the start of the file where it does not."""
        for item in self.equipped:
            if item.component == subject:
                return item.span
        for setting in self.settings:
            if setting.knob == subject:
                return setting.span
        group = subject.split(".", 1)[0]
        for key in (subject, group):
            if key in self.context.spans:
                return self.context.spans[key]
        for key in (subject, group):
            if key in self.keys:
                return self.keys[key]
        return next(iter(self.keys.values()), START_OF_FILE)
