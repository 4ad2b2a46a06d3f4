"""A loadout from anywhere → a whole file for another tool, or a native recipe; what has no words there is named, never dropped."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.dialect import Dialect, dialects
from recipeforge.documents.dialects.key_vocabulary import keys_of
from recipeforge.documents.dialects.leftover import Left, leftover
from recipeforge.documents.dialects.marks import NATIVE
from recipeforge.documents.dialects.reading import DEVICES, read_config
from recipeforge.documents.dialects.sharding import STAGES
from recipeforge.documents.dialects.whole import FSDP_DETAILS, WHOLE, Phrase, Value, same_value, whole_words
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
from recipeforge.schemas.recipe import Scalar
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
    loadout, skipped = _without_idle(loadout)
    vocabulary = vocabulary_of(catalog)
    source = dialects().get(loadout.dialect)
    if source is not None:
        gpu = {key.removeprefix("gpu."): value for key, value in loadout.context.facts.items() if key.startswith("gpu.")}
        left = [item for item in leftover(document, source, vocabulary, gpu) if to == NATIVE or item.what != "`deepspeed`"]
    else:
        wrong = [d for d in found if d.severity == "error" and d.code not in _LACKING]
        left = [Left(d.message, "a recipe cannot say it so", d.primary.span) for d in wrong]
    left += skipped
    if loadout.model is None:
        left.append(Left("the model", "no key of the source names it by itself", None))
    if to == NATIVE:
        text, unsaid = recipe_text(loadout, vocabulary)
        left += [Left(f"`{s.knob}: {written(s.value)}`", why, s.span) for s, why in unsaid]
    else:
        writer = _Writer(loadout, dialects()[to], vocabulary, document)
        text = writer.text()
        left = [item for item in left if item.what not in writer.along] + writer.left
    ordered = sorted(left, key=lambda item: item.span.start if item.span is not None else _BEHIND_ALL)
    return Converted(text + _comments(document.path, ordered), tuple(ordered))


def _without_idle(loadout: Loadout) -> tuple[Loadout, list[Left]]:
    """Leave out what Axolotl skips, with a warning, and other tools refuse."""
    twice = {s.knob: s for s in loadout.settings}.get("distributed.activation_checkpointing")
    if loadout.dialect != "axolotl" or twice is None or "gradient-checkpointing" not in loadout.components_in("memory"):
        return loadout, []
    kept = tuple(s for s in loadout.settings if s is not twice)
    why = "Axolotl skips it where `gradient_checkpointing` recomputes already"
    return replace(loadout, settings=kept), [Left(f"`{twice.knob}: {written(twice.value)}`", why, twice.span)]


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
        self.along: set[str] = set()
        """Keys, as what is left names them, that go along as they are."""
        self._held: dict[str, str] = {}
        """Component of the loadout → the one that is written for it."""
        self._phrased: set[str] = set()
        """Components and knobs that are said together."""
        self._given: set[str] = set()
        """What is read back instead of some of them."""
        self._lost: dict[str, str] = {}
        """Knob that is not written → why."""
        self.left: list[Left] = []

    def text(self) -> str:
        self._keys |= self._carried
        if self._loadout.model:
            self._keys[self._whole.model] = self._loadout.model
        for phrase in self._whole.phrases:
            self._phrase(phrase)
        unsaid = [equipped for equipped in self._loadout.equipped if not self._component(equipped)]
        self._context()
        for setting in self._loadout.settings:
            self._setting(setting)
        self._details()
        self._settle_defaults(self._read())
        self._plugins()
        self._compare(self._read(), unsaid)
        return _yaml(self._keys)

    # -- writing --------------------------------------------------------------------------------------------

    def _phrase(self, phrase: Phrase) -> None:
        """Say together what is all there."""
        there = {equipped.component for equipped in self._loadout.equipped}
        slots = {equipped.slot for equipped in self._loadout.equipped if equipped.component not in phrase.parts}
        said = {(setting.knob, setting.value) for setting in self._loadout.settings}
        objective = self._loadout.component_in("objective") or self._vocabulary.slots["objective"].default
        knobs = {knob for knob, _ in phrase.values}
        if (
            not (phrase.parts <= there and phrase.values <= said and self._free(phrase.keys))
            or said & phrase.unless
            or slots & phrase.alone_in
            or self._phrased & (phrase.parts | knobs)
            or (phrase.objectives and objective not in phrase.objectives)
        ):
            return
        self._keys |= {path: value for path, value in phrase.keys.items() if value is not None}
        together = phrase.parts | (phrase.also & there)
        self._held |= {component: component for component in together}
        self._phrased |= together | knobs
        self._given |= phrase.gives

    def _details(self) -> None:
        """Let the settings of FSDP 2 go along that every tool calls the same."""
        if "fsdp2" not in self._held or self._loadout.dialect not in WHOLE:
            return
        source = Config(self._source, self._vocabulary, {})
        for name in FSDP_DETAILS:
            for path in (f"fsdp_config.{name}", f"fsdp_config.fsdp_{name}"):
                if (value := source.value(path)) is not None:
                    self._keys[f"fsdp_config.{name}"] = value
                    self.along.add(f"`{short(path)}`")

    def _plugins(self) -> None:
        """Name the plugins that read what is written, where the tool reads nothing of one that is not named."""
        keys = keys_of(self._dialect.name, self._dialect.title, self._dialect.refuses)
        named = [keys.keys.get(path, {}).get("plugin") for path in self._keys] if keys else []
        if plugins := tuple(dict.fromkeys(str(plugin) for plugin in named if plugin)):
            self._keys["plugins"] = plugins

    def _component(self, equipped: Equipped) -> bool:
        if equipped.component in self._phrased:
            return True
        meant, beside = equipped.component, ""
        if meant not in self._words:
            meant, beside = self._whole.alike.get(meant) or (self._whole.nearest.get(meant, ""), "")
        words = self._words.get(meant)
        if words is None and self._carried and equipped.component in STAGES.values():
            self._held[equipped.component] = equipped.component
            return True
        if words is None:
            return False
        said = {self._path(setting): setting.value for setting in self._loadout.settings}
        words = {path: said.get(path, value) for path, value in words.items()}  # a part may be said by the key of its knob
        if not self._free(words):
            return False
        self._keys |= {path: value for path, value in words.items() if value is not None}
        self._held[equipped.component] = meant
        if equipped.component in self._whole.nearest:
            self._leave(f"`{equipped.slot}: {equipped.component}`", f"{self._no_words}; `{meant}` is the nearest, and written", equipped)
        if beside and all(e.component != beside for e in self._loadout.equipped):
            self._leave(f"`{equipped.slot}: {equipped.component}`", f"it is `{meant}` here, without `{beside}` beside it", equipped)
        return True

    def _free(self, words: Mapping[str, Value | None]) -> bool:
        """Return whether no other part has said something else with one of these keys."""
        return all(value is None or self._keys.get(path, value) == value for path, value in words.items())

    def _path(self, setting: Setting) -> str | None:
        """Return the key that says a knob; how many devices there are only where somebody said it, and not where two were assumed."""
        if setting.knob == DEVICES and self._loadout.dialect != NATIVE:
            return None
        return self._dialect.knobs.get(setting.knob) or self._whole.knobs.get(setting.knob)

    def _setting(self, setting: Setting) -> None:
        """Write a value; what is not written is compared with what is read back, and named where it differs."""
        slot = setting.knob.split(".", 1)[0]
        if setting.knob in self._phrased or (self._carried and slot in ("distributed", "hardware")):
            return  # the file that goes along says it, or what is read back differs and is named
        components = self._loadout.components_in(slot) if slot in self._vocabulary.slots else ()
        knob = self._vocabulary.catalog.knobs[setting.knob]
        readers = [component for component in components if reads(component, knob)]
        words = self._whole.values.get((setting.knob, setting.value))
        path = self._path(setting)
        if knob.components and readers and not any(component in self._held for component in readers):
            self._lost[setting.knob] = f"it belongs to `{readers[0]}`, which is not written"
            return
        words = {path: setting.value} if words is None and path else words
        if words is None or not self._free(words):
            why = self._whole.instead.get(setting.knob, self._no_words)
            self._lost[setting.knob] = why.replace("{value}", written(setting.value))
            return
        self._keys |= words

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
        wanted = {self._held.get(e.component, e.component) for e in self._loadout.equipped} | self._given
        return [e for e in config.out.equipped if e.component not in wanted]

    def _compare(self, config: Config, unsaid: list[Equipped]) -> None:
        """Name every way in which the file says something else than the source."""
        back = {e.component for e in config.out.equipped}
        filled = {e.slot for e in config.out.equipped}
        slots = self._vocabulary.slots
        for equipped in self._loadout.equipped:
            by_default = slots[equipped.slot].default == equipped.component and equipped.slot not in filled
            given = equipped.component in self._phrased and self._given and self._given <= back
            if self._held.get(equipped.component) in back or equipped.component in back or by_default or given:
                continue
            why = self._no_words if equipped in unsaid else f"{self._dialect.title} would not read it back"
            why = self._whole.instead.get(equipped.component) or self._whole.instead.get(equipped.slot) or why
            why = why.replace("{value}", equipped.component)
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
        source, to = self._loadout.dialect, self._dialect.name
        for setting in self._loadout.settings:
            if not same_value(setting.knob, setting.value, cast("Scalar | None", config.out.value_of(setting.knob)), source, to):
                why = self._lost.get(setting.knob, f"{self._dialect.title} would not read it back")
                self._leave(f"`{setting.knob}: {written(setting.value)}`", why, setting)
        for setting in config.out.settings:
            default = self._vocabulary.catalog.knobs[setting.knob].default
            same = same_value(setting.knob, self._loadout.value_of(setting.knob), setting.value, source, to)
            if self._loadout.value_of(setting.knob) is None and setting.value != default and not same:
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
