"""A loadout from anywhere → a whole file for another tool, or a native recipe; what has no words there is named, never dropped."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.dialect import Dialect, dialects
from recipeforge.documents.dialects.leftover import Left, leftover
from recipeforge.documents.dialects.marks import NATIVE
from recipeforge.documents.dialects.reading import read_config
from recipeforge.documents.dialects.sharding import STAGES
from recipeforge.documents.dialects.whole import WHOLE, Value, whole_words
from recipeforge.documents.parse import parse
from recipeforge.documents.recipe_text import recipe_text
from recipeforge.documents.surgery import written
from recipeforge.documents.tree import Document
from recipeforge.documents.vocabulary import Vocabulary, reads, vocabulary_of
from recipeforge.documents.wording import short
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.loadout import Equipped, Loadout, Setting
from recipeforge.schemas.place import Position
from recipeforge.schemas.record import record

TARGETS = (NATIVE, *WHOLE)
_BEHIND_ALL = Position(1 << 30, 0)
_LACKING = frozenset({"RF0007", "RF0021"})
"""Findings about what is not there, of which nothing could be carried over."""


@record
class Converted:
    """A file in another tool's words."""

    text: str
    left: tuple[Left, ...]
    """In the order of the source; what nobody wrote there last."""


def convert(document: Document, loadout: Loadout, catalog: Catalog, to: str, found: Iterable[Diagnostic] = ()) -> Converted:
    """Return what a document says in the words of `to`; `found` are the findings about it as a file.

    A file that is written in those words already is returned as it is.
    """
    if loadout.dialect == to:
        return Converted(document.text, ())
    vocabulary = vocabulary_of(catalog)
    source = dialects().get(loadout.dialect)
    if source is not None:
        gpu = {key.removeprefix("gpu."): value for key, value in loadout.context.facts.items() if key.startswith("gpu.")}
        left = [item for item in leftover(document, source, vocabulary, gpu) if to == NATIVE or item.what != "`deepspeed`"]
    else:
        wrong = [d for d in found if d.severity == "error" and d.code not in _LACKING]
        left = [Left(d.message, "a recipe cannot say it so", d.primary.span) for d in wrong]
    if loadout.model is None:
        left.append(Left("the model", "no key of the source names it by itself", None))
    if to == NATIVE:
        text, unsaid = recipe_text(loadout, vocabulary)
        left += [Left(f"`{s.knob}: {written(s.value)}`", why, s.span) for s, why in unsaid]
    else:
        writer = _Writer(loadout, dialects()[to], vocabulary, document)
        text = writer.text()
        left += writer.left
    ordered = sorted(left, key=lambda item: item.span.start if item.span is not None else _BEHIND_ALL)
    return Converted(text + _comments(document.path, ordered), tuple(ordered))


def _comments(path: str, left: list[Left]) -> str:
    if not left:
        return ""
    lines = [f"# Left out, or not as in {short(path, 80)}:"]
    for item in left:
        place = f"line {item.span.start.line + 1}, " if item.span is not None else ""
        lines.append(f"# - {place}{short(item.what, 120)}: {short(item.why, 160)}")
    return "\n" + "\n".join(lines) + "\n"


class _Writer:
    """One file in the keys of a tool."""

    def __init__(self, loadout: Loadout, dialect: Dialect, vocabulary: Vocabulary, source: Document) -> None:
        self._loadout, self._dialect, self._vocabulary, self._source = loadout, dialect, vocabulary, source
        named = Config(source, vocabulary, {}).text("deepspeed") if loadout.dialect in WHOLE else None
        self._carried: dict[str, Value] = {"deepspeed": named} if named else {}
        """Keys that mean the same in every tool on Hugging Face's trainer: the file that they name goes along whole."""
        self._whole = WHOLE[dialect.name]
        self._words = whole_words(dialect.name, dialect.words)
        self._keys: dict[str, Value] = {}
        self._held: dict[str, str] = {}
        """Component of the loadout → the one that is written for it."""
        self.left: list[Left] = []

    def text(self) -> str:
        self._keys |= self._carried
        if self._loadout.model:
            self._keys[self._whole.model] = self._loadout.model
        unsaid = [equipped for equipped in self._loadout.equipped if not self._component(equipped)]
        self._context()
        held = [setting for setting in self._loadout.settings if self._setting(setting)]
        self._settle_defaults(self._read())
        self._compare(self._read(), unsaid, held)
        return _yaml(self._keys)

    # -- writing --------------------------------------------------------------------------------------------

    def _component(self, equipped: Equipped) -> bool:
        meant, beside = equipped.component, ""
        if meant not in self._words:
            meant, beside = self._whole.alike.get(meant, ("", ""))
        words = self._words.get(meant)
        if words is None and self._carried and equipped.component in STAGES.values():
            self._held[equipped.component] = equipped.component
            return True
        if words is None or not self._free(words):
            return False
        self._keys |= {path: value for path, value in words.items() if value is not None}
        self._held[equipped.component] = meant
        if beside and all(e.component != beside for e in self._loadout.equipped):
            self._leave(f"`{equipped.slot}: {equipped.component}`", f"it is `{meant}` here, without `{beside}` beside it", equipped)
        return True

    def _free(self, words: Mapping[str, Value | None]) -> bool:
        """Return whether no other part has said something else with one of these keys."""
        return all(value is None or self._keys.get(path, value) == value for path, value in words.items())

    def _setting(self, setting: Setting) -> bool:
        slot = setting.knob.split(".", 1)[0]
        if self._carried and slot in ("distributed", "hardware"):
            return True  # the file that goes along says it, or what is read back differs and is named
        components = self._loadout.components_in(slot) if slot in self._vocabulary.slots else ()
        knob = self._vocabulary.catalog.knobs[setting.knob]
        readers = [component for component in components if reads(component, knob)]
        words = self._whole.values.get((setting.knob, setting.value))
        path = self._dialect.knobs.get(setting.knob) or self._whole.knobs.get(setting.knob)
        if readers and not any(component in self._held for component in readers):
            self._leave(f"`{setting.knob}: {written(setting.value)}`", f"it belongs to `{readers[0]}`, which is not written", setting)
            return False
        words = words or ({path: setting.value} if path else None)
        if words is None or not self._free(words):
            self._leave(f"`{setting.knob}: {written(setting.value)}`", self._no_words, setting)
            return False
        self._keys |= words
        return True

    def _context(self) -> None:
        """Write or name what a recipe says besides parts and values."""
        loadout, facts = self._loadout, self._loadout.context.facts
        if loadout.seed is not None:
            self._keys["seed"] = loadout.seed
        if loadout.dialect != NATIVE:
            return
        if loadout.name:
            self.left.append(Left(f"`name: {loadout.name}`", self._no_words, loadout.keys.get("name")))
        framework = facts.get("framework")
        if framework not in (None, self._dialect.framework):
            self.left.append(Left(f"`framework: {framework}`", f"the file is {self._dialect.title}'s", loadout.keys.get("framework")))
        for subject in loadout.context.spans:
            if subject.startswith("packages."):
                self.left.append(Left(f"`{subject}: {facts.get(subject)}`", self._no_words, loadout.context.spans[subject]))

    @property
    def _no_words(self) -> str:
        return f"{self._dialect.title} has no key for it"

    def _leave(self, what: str, why: str, item: Equipped | Setting) -> None:
        self.left.append(Left(what, why, item.span))

    # -- reading back ---------------------------------------------------------------------------------------

    def _read(self) -> Config:
        return read_config(self._dialect, parse(_yaml(self._keys), self._source.path), self._vocabulary)

    def _settle_defaults(self, config: Config) -> None:
        """Turn off, or say otherwise, what the tool does unless it is told, and the source does not."""
        for extra in self._extra(config):
            default = self._vocabulary.slots[extra.slot].default
            taken = self._loadout.component_in(extra.slot)
            words = self._whole.off.get(extra.component) or (self._words.get(default or "") if not taken else None)
            if words and self._free(words):
                self._keys |= {path: value for path, value in words.items() if value is not None}

    def _extra(self, config: Config) -> list[Equipped]:
        """Return what the file equips and the source does not."""
        wanted = {self._held.get(e.component, e.component) for e in self._loadout.equipped}
        return [e for e in config.out.equipped if e.component not in wanted]

    def _compare(self, config: Config, unsaid: list[Equipped], held: list[Setting]) -> None:
        """Name every way in which the file says something else than the source."""
        back = {e.component for e in config.out.equipped}
        filled = {e.slot for e in config.out.equipped}
        slots = self._vocabulary.slots
        for equipped in self._loadout.equipped:
            by_default = slots[equipped.slot].default == equipped.component and equipped.slot not in filled
            if self._held.get(equipped.component) in back or equipped.component in back or by_default:
                continue
            why = self._no_words if equipped in unsaid else f"{self._dialect.title} would not read it back"
            self._leave(f"`{equipped.slot}: {equipped.component}`", why, equipped)
        for extra in self._extra(config):
            if slots[extra.slot].default != extra.component:
                self.left.append(
                    Left(
                        f"`{extra.slot}: {extra.component}`",
                        f"{self._dialect.title} takes it unless told otherwise, and has no words for that",
                        None,
                    )
                )
        for setting in held:
            if config.out.value_of(setting.knob) != setting.value:
                self._leave(f"`{setting.knob}: {written(setting.value)}`", f"{self._dialect.title} would not read it back", setting)
        for setting in config.out.settings:
            default = self._vocabulary.catalog.knobs[setting.knob].default
            if self._loadout.value_of(setting.knob) is None and setting.value != default:
                why = f"the source does not say it, and in {self._dialect.title} it follows from the rest"
                self.left.append(Left(f"`{setting.knob}: {written(setting.value)}`", why, None))


def _yaml(keys: Mapping[str, Value]) -> str:
    tree: dict[str, Any] = {}
    for path, value in keys.items():
        *outer, last = path.split(".")
        inside = tree
        for key in outer:
            inside = inside.setdefault(key, {})
        inside[last] = value
    return "".join(_lines(tree, ""))


def _lines(tree: Mapping[str, Any], indent: str) -> Iterable[str]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:\n"
            yield from _lines(cast("dict[str, Any]", value), indent + "  ")
        elif isinstance(value, tuple):
            yield f"{indent}{key}: [{', '.join(cast('tuple[str, ...]', value))}]\n"
        else:
            yield f"{indent}{key}: {written(value)}\n"
