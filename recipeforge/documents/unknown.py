"""Keys and ids that a recipe does not know: what they may have meant, and where that belongs."""

from collections.abc import Iterable, Mapping

from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.scalars import FALSE_WORDS, TRUE_WORDS, Misfit, value_for
from recipeforge.documents.steps import DeleteAt, Proposal, Step
from recipeforge.documents.suggest import Suggestion, certainly, normal, suggest
from recipeforge.documents.synonyms import KEYS, Switch, synonym
from recipeforge.documents.tree import Entry, MappingNode, ScalarNode, key_text, target_of
from recipeforge.documents.vocabulary import USE_KEY, Vocabulary, reads
from recipeforge.documents.wording import listed, short
from recipeforge.schemas.change import Change
from recipeforge.schemas.component import Component
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.place import Span, TextEdit
from recipeforge.schemas.recipe import Knob

Answer = tuple[Diagnostic, Proposal | None]

_NOTHING_WORDS = frozenset({"none", "no", "off", "false", "null", "disabled"})


class UnknownNames:
    """Answers about names, given one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.meant: set[str] = set()
        """Top-level keys that misspelt ones were meant to be: they are there, in a way."""
        self._keys: tuple[MappingNode, frozenset[str]] | None = None

    def _keys_of(self, mapping: MappingNode) -> frozenset[str]:
        """Return the keys of a mapping; a mapping of many unknown keys asks many times."""
        if self._keys is None or self._keys[0] is not mapping:
            self._keys = mapping, frozenset(key for entry in mapping.entries if (key := key_text(entry)) is not None)
        return self._keys[1]

    # -- keys -----------------------------------------------------------------------------------------------

    def key_at_top(self, key: str, entry: Entry, root: MappingNode) -> Answer:
        """Return the finding about an unknown top-level key."""
        present = self._keys_of(root)
        word = f"`{short(key)}` is no key of a recipe"
        target = self._known_target(key, "")
        if isinstance(target, Switch):
            return self._switch(word, entry, target, present)
        if target is not None and "." in target:
            return self._moved(word, entry, target)
        if target is not None:
            self.meant.add(target)
            return self._renamed(word, entry, certainly(target), present)
        if named := self._vocabulary.elsewhere.get(key):
            return self._component_as_key(word, entry, named[0])
        meant = suggest(key, self._vocabulary.keys)
        if meant.clear and meant.best:
            self.meant.add(meant.best)
        return self._renamed(word, entry, meant, present, everything=self._vocabulary.keys)

    def key_in_group(self, group: str, key: str, entry: Entry, mapping: MappingNode, component: Component | None) -> Answer:
        """Return the finding about an unknown key inside a slot or a group."""
        slot = group in self._vocabulary.slots
        present = self._keys_of(mapping)
        where = f"`{component.id}`" if component else f"`{group}`"
        word = f"`{short(key)}` is no key of {where}"
        own = [knob.name for knob in self._vocabulary.knobs[group].values() if component is None or reads(component.id, knob)]
        names = ([USE_KEY] if slot else []) + own
        target = self._known_target(key, group)
        near = suggest(key, names)
        if isinstance(target, str) and target.startswith(f"{group}."):
            return self._renamed(word, entry, certainly(target.split(".", 1)[1]), present)
        if near.best is not None and (target is None or near.clear):
            return self._renamed(word, entry, near, present)
        if isinstance(target, Switch):
            return self._switch(word, entry, target, frozenset())
        if target is not None and "." in target:
            return self._moved(word, entry, target)
        return self._renamed(word, entry, near, present, everything=names)

    def _known_target(self, key: str, group: str) -> str | Switch | None:
        """Return where a key belongs that another tool, or another group of a recipe, knows."""
        if f"{group}.{key}" in self._vocabulary.catalog.knobs:
            return f"{group}.{key}"
        # `evaluation` and `eval` are easily taken for each other.
        twins = (k.path for k in self._vocabulary.catalog.knobs.values() if k.name == key and group.startswith(k.group))
        target = next(twins, None) or synonym(key)
        if target is None:
            homes = [knob.path for knob in self._vocabulary.catalog.knobs.values() if knob.name == key]
            # Only a name that stands in one group says where it belongs; `dropout` does not.
            target = homes[0] if len(homes) == 1 else None
        if target is None:
            meant = suggest(key, KEYS)
            targets = {KEYS[word] for word in meant.words[: meant.nearest]}
            near_here = suggest(key, self._vocabulary.keys).best is not None
            target = targets.pop() if meant.doubtless and len(targets) == 1 and not near_here else None
        if isinstance(target, Switch):
            return target if target.component in self._vocabulary.components.get(target.slot, {}) else None
        if target is None or target in self._vocabulary.keys or target in self._vocabulary.catalog.knobs:
            return target
        return None

    def _renamed(self, word: str, entry: Entry, meant: Suggestion, present: frozenset[str], *, everything: Iterable[str] = ()) -> Answer:
        span = entry.key.span
        fixes: tuple[Fix, ...] = ()
        if meant.best is not None and meant.best not in present and isinstance(entry.key, ScalarNode):
            quote = entry.key.style if entry.key.style in {"'", '"'} else ""
            edit = TextEdit(span, f"{quote}{meant.best}{quote}")
            fixes = (text_fix(f"Rename to `{meant.best}`", edit, safety="safe" if meant.clear else "unsafe"),)
        help_text = ""
        if meant.best in present:
            help_text = f"`{meant.best}` is given already; remove one of the two."
        elif meant.best is None:
            names = list(everything)
            help_text = f"Known here: {listed(names, 30)}." if names else "Nothing can be set here; remove it."
            if isinstance(entry.value, MappingNode) and entry.value.anchor:
                help_text = "A recipe has no place for spare values: anchor one where it is first used."
        return finding("RF0002", word, span, meant.question() or "unknown key", help=help_text, fixes=fixes), None

    def _moved(self, word: str, entry: Entry, target: str) -> Answer:
        knob = self._vocabulary.catalog.knobs[target]
        node = target_of(entry.value)
        value = value_for(knob, node)
        proposal = None
        if not isinstance(value, Misfit):
            steps: tuple[Step, ...] = (DeleteAt(entry.key.start), Change("set", knob=target, value=value))
            proposal = Proposal(f"Move to `{target}`", "safe", steps)
        help_text = f"Write it as `{knob.group}: {{{self._use_hint(knob)}{knob.name}: …}}`."
        return finding("RF0002", word, entry.key.span, f"did you mean `{target}`?", help=help_text), proposal

    def _use_hint(self, knob: Knob) -> str:
        return f"{USE_KEY}: …, " if knob.group in self._vocabulary.slots else ""

    def _switch(self, word: str, entry: Entry, switch: Switch, present: frozenset[str]) -> Answer:
        node = target_of(entry.value)
        value = node.text.lower() if isinstance(node, ScalarNode) else ""
        many = self._vocabulary.slots[switch.slot].cardinality == "many"
        written = f"{switch.slot}: [{switch.component}]" if many else f"{switch.slot}: {switch.component}"
        proposal = None
        if value in FALSE_WORDS:
            proposal = Proposal("Remove it: nothing is switched on", "safe", (DeleteAt(entry.key.start),))
        elif value in TRUE_WORDS and (many or switch.slot not in present):
            steps: tuple[Step, ...] = (DeleteAt(entry.key.start), Change("add", slot=switch.slot, component=switch.component))
            proposal = Proposal(f"Write `{written}`", "safe", steps)
        label = f"did you mean `{written}`?"
        return finding("RF0002", word, entry.key.span, label, help=f"Components are named: `{written}`."), proposal

    def _component_as_key(self, word: str, entry: Entry, component: Component) -> Answer:
        many = self._vocabulary.slots[component.slot].cardinality == "many"
        written = f"{component.slot}: [{component.id}]" if many else f"{component.slot}: {component.id}"
        label = f"did you mean `{written}`?"
        return finding("RF0002", word, entry.key.span, label, help=f"`{component.id}` is a component: write `{written}`."), None

    # -- components -----------------------------------------------------------------------------------------

    def component(
        self, slot: str, node: ScalarNode, entry: Entry | None, keys: Mapping[str, Span]
    ) -> tuple[Diagnostic, Proposal | None, Component | None]:
        """Return the finding about a name that is no component of `slot`, and the component of another slot that it names."""
        name = node.text
        elsewhere = self._vocabulary.elsewhere.get(name)
        if elsewhere:
            return (*self._wrong_slot(slot, node, entry, elsewhere[0], keys), elsewhere[0])
        if name.lower() in _NOTHING_WORDS:
            return (*self._nothing(slot, node, entry), None)
        names = self._vocabulary.components[slot]
        meant = suggest(name, names).renamed(lambda word: names[word].id)
        fixes: tuple[Fix, ...] = ()
        if meant.best is not None:
            exact = normal(meant.best) == normal(name)
            edit = TextEdit(node.span, meant.best)
            fixes = (text_fix(f"Write `{meant.best}`", edit, safety="safe" if meant.clear or exact else "unsafe"),)
        ids = [component.id for component in self._vocabulary.catalog.members(slot)]
        help_text = "" if meant.best else self._other_slot(name) or f"Known here: {listed(ids, 24)}."
        message = f"`{slot}` has no component `{short(name)}`"
        return finding("RF0003", message, node.span, meant.question() or "unknown", help=help_text, fixes=fixes), None, None

    def _other_slot(self, name: str) -> str:
        meant = suggest(name, self._vocabulary.elsewhere)
        if meant.best is None:
            return ""
        component = self._vocabulary.elsewhere[meant.best][0]
        return f"There is a `{component.id}` under `{component.slot}`."

    def _nothing(self, slot: str, node: ScalarNode, entry: Entry | None) -> Answer:
        default = self._vocabulary.slots[slot].default
        message = f"`{slot}` has no component `{node.text}`"
        if default is not None:
            return finding("RF0003", message, node.span, "unknown", help=f"Without the key, `{default}` stands here."), None
        proposal = Proposal(f"Remove `{slot}`", "safe", (DeleteAt(entry.key.start),)) if entry is not None else None
        return finding("RF0003", message, node.span, "unknown", help="To choose nothing, leave the key out."), proposal

    def _wrong_slot(self, slot: str, node: ScalarNode, entry: Entry | None, component: Component, keys: Mapping[str, Span]) -> Answer:
        home = self._vocabulary.slots[component.slot]
        taken = component.slot in keys
        message = f"`{component.id}` belongs under `{component.slot}`, not under `{slot}`"
        label = f"goes under `{component.slot}`"
        help_text = f"`{component.slot}` is given already." if taken and home.cardinality != "many" else ""
        if entry is not None and not taken and isinstance(entry.key, ScalarNode) and not entry.key.style:
            edits = [TextEdit(entry.key.span, component.slot)]
            if node.text != component.id:
                edits.append(TextEdit(node.span, component.id))
            fix = text_fix(f"Rename the key to `{component.slot}`", *edits)
            return finding("RF0019", message, node.span, label, fixes=(fix,)), None
        proposal = None
        plain_value = entry is None or target_of(entry.value) is node
        if plain_value and (home.cardinality == "many" or not taken):
            offset = node.start if entry is None else entry.key.start
            steps: tuple[Step, ...] = (DeleteAt(offset), Change("add", slot=component.slot, component=component.id))
            proposal = Proposal(f"Move to `{component.slot}`", "safe", steps)
        return finding("RF0019", message, node.span, label, help=help_text), proposal
