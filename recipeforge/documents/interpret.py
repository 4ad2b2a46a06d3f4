"""Tree → what it says: components, settings, and everything that is no word of a recipe. No context, no edits: `read` adds them."""

from collections.abc import Iterable

from recipeforge.documents.dialects.marks import not_read
from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.interpretation import Interpretation, misfit_finding
from recipeforge.documents.plain_keys import PLAIN_KEYS, read_plain_key
from recipeforge.documents.scalars import LARGEST_INT, Misfit, number, value_for
from recipeforge.documents.steps import DeleteAt, InsertFirst, Proposal
from recipeforge.documents.suggest import suggest
from recipeforge.documents.synonyms import foreign_tool
from recipeforge.documents.tree import (
    Content,
    Document,
    Entry,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    effective_entries,
    is_merge,
    key_text,
    target_of,
)
from recipeforge.documents.unknown import UnknownNames
from recipeforge.documents.vocabulary import USE_KEY, VERSION_KEY, Vocabulary, reads
from recipeforge.documents.wording import listed, short
from recipeforge.schemas.component import Component
from recipeforge.schemas.diagnostic import Fix
from recipeforge.schemas.loadout import Equipped, Setting
from recipeforge.schemas.place import START_OF_FILE, Span, TextEdit
from recipeforge.schemas.recipe import FORMAT_VERSION, Knob

_USE = "Write the id of one component: `{use: id}`."
_FIRST_LINES = "A recipe starts with `recipeforge: 1`, then names a `model` and a `technique`."


def interpret(document: Document, vocabulary: Vocabulary) -> Interpretation:
    """Return what the document says in the native dialect."""
    interpreter = _Interpreter(document, vocabulary)
    interpreter.recipe()
    return interpreter.out


class _Interpreter:
    """One walk over one tree."""

    def __init__(self, document: Document, vocabulary: Vocabulary) -> None:
        self._document = document
        self._vocabulary = vocabulary
        self._unknown = UnknownNames(vocabulary)
        self.out = Interpretation()
        self._report = self.out.findings.add

    # -- the whole ------------------------------------------------------------------------------------------

    def recipe(self) -> None:
        root = self._document.root
        content = target_of(root) if root is not None else None
        if not isinstance(content, MappingNode) or not content.entries:
            return self._no_recipe(content)
        entries = {key: entry for entry in effective_entries(content) if (key := key_text(entry)) is not None}
        version = entries.get(VERSION_KEY)
        if version is None and not self._looks_like_a_recipe(entries):
            return self._foreign(content, frozenset(entries))
        if version is not None and not self._version(version):
            self.out.readable = False
            return None
        self._keys_are_words(content)
        self.out.keys = {key: entry.key.span for key, entry in entries.items()}
        for key, entry in entries.items():
            self._top_level(key, entry, content)
        self._missing(content, entries)
        self.out.findings.withdraw(self._unknown.meant - entries.keys())
        return None

    def _top_level(self, key: str, entry: Entry, root: MappingNode) -> None:
        if key in self._vocabulary.slots:
            self._slot(key, entry)
        elif self._vocabulary.is_group(key):
            self._group(key, entry)
        elif key in PLAIN_KEYS:
            read_plain_key(key, entry, self.out, self._vocabulary)
        elif self.out.findings.full:
            self.out.findings.dropped += 1
        elif key != VERSION_KEY:
            self._report(*self._unknown.key_at_top(key, entry, root))

    def _no_recipe(self, content: Content | None) -> None:
        self.out.readable = False
        if content is None or isinstance(content, MappingNode) or (isinstance(content, ScalarNode) and content.null):
            message, span = "this file is empty: it holds no recipe", START_OF_FILE
        else:
            kind = "a list" if isinstance(content, SequenceNode) else "a single value"
            message, span = f"this file holds {kind}, and a recipe is a mapping of keys to values", content.span
        self._report(finding("RF0009", message, span, help=_FIRST_LINES))

    def _looks_like_a_recipe(self, entries: dict[str, Entry]) -> bool:
        if any(len(key) <= 20 and suggest(key, (VERSION_KEY,)).clear for key in entries):
            return True
        known = [key for key in entries if key in self._vocabulary.keys]
        return foreign_tool(frozenset(entries)) is None and len(known) * 2 > len(entries)

    def _foreign(self, root: MappingNode, keys: frozenset[str]) -> None:
        self.out.readable = False
        tool = foreign_tool(keys)
        span = root.entries[0].key.span
        if later := not_read(keys):
            message = f"this is a configuration of {later}, which is not read here; nothing in it is judged"
            return self._report(finding("RF0009", message, span, help="Configurations with `model_name_or_path` and `stage` are."))
        if tool:
            message = f"this looks like a configuration of {tool}, and not like one that trains"
            help_text = f"Training configurations of {tool} are read as they are; check the path. {_FIRST_LINES}"
            return self._report(finding("RF0009", message, span, help=help_text))
        return self._report(finding("RF0009", f"this is no recipe: it has no `{VERSION_KEY}:` line", span, help=_FIRST_LINES))

    def _version(self, entry: Entry) -> bool:
        """Report a wrong version; return whether the rest can be read as the version that is known here."""
        node = target_of(entry.value)
        right = str(FORMAT_VERSION)
        where = node.span if node.end > node.start else entry.key.span
        value = number(node.text) if isinstance(node, ScalarNode) else None
        if isinstance(node, ScalarNode) and value == FORMAT_VERSION:
            if not node.plain or node.text != right:
                message = f"`{VERSION_KEY}` is the number {right}, written plainly"
                self._report(finding("RF0004", message, where, fixes=(text_fix(f"Write {right}", TextEdit(where, right)),)))
            return True
        if value is not None and FORMAT_VERSION < value <= LARGEST_INT:
            message = f"this recipe is written for format {value:g}, and this release reads format {right}"
            help_text = f"Update recipeforge, or write the recipe for format {right}."
            self._report(finding("RF0008", message, where, "unknown format", help=help_text))
            return False
        written = f", not `{short(node.text)}`" if isinstance(node, ScalarNode) and node.text else ""
        message = f"`{VERSION_KEY}` is the number of the recipe format{written}"
        fixes = (text_fix(f"Write {right}", TextEdit(where, right), safety="unsafe"),) if written else ()
        self._report(finding("RF0008", message, where, "no known format", help=f"Write `{VERSION_KEY}: {right}`.", fixes=fixes))
        return False

    def _keys_are_words(self, mapping: MappingNode) -> None:
        for entry in mapping.entries:
            if is_merge(entry):
                self._merge(entry)
            elif key_text(entry) is None:
                message = "a key of a recipe is a word, not a list, a mapping or nothing"
                self._report(finding("RF0004", message, entry.key.span, "not a word", help="Remove it."))

    def _merge(self, entry: Entry) -> None:
        value = target_of(entry.value)
        items: Iterable[Node] = value.items if isinstance(value, SequenceNode) else (entry.value,)
        for item in items:
            if not isinstance(target_of(item), MappingNode):
                message = "`<<` merges mappings, and this is none"
                self._report(finding("RF0004", message, item.span, "not a mapping", help="Name an anchored mapping: `<<: *base`."))

    def _missing(self, root: MappingNode, entries: dict[str, Entry]) -> None:
        if not self._document.complete:
            return
        span = root.entries[0].key.span
        present = entries.keys() | self._unknown.meant
        if VERSION_KEY not in present:
            right = str(FORMAT_VERSION)
            proposal = Proposal(f"Add `{VERSION_KEY}: {right}`", "safe", (InsertFirst(root.start, VERSION_KEY, right),))
            message = f"a recipe starts with `{VERSION_KEY}: {right}`, the number of its format"
            self._report(finding("RF0007", message, span, help=f"Write `{VERSION_KEY}: {right}` as the first line."), proposal)
        if "model" not in present:
            help_text = "Name a hub id, a local folder or a preset, such as `model: HuggingFaceTB/SmolLM2-135M`."
            self._report(finding("RF0007", "the recipe names no model", span, "`model` is missing", help=help_text))
        for slot in self._vocabulary.slots.values():
            if (
                slot.cardinality == "one"
                and slot.default is None
                and slot.id not in self._unknown.meant
                and not self._filled(slot.id, entries)
            ):
                some = ", ".join(component.id for component in self._vocabulary.catalog.members(slot.id)[:4])
                help_text = f"Name one, such as {some}." if some else f"Write `{slot.id}: …`."
                where = entries[slot.id].key.span if slot.id in entries else span
                self._report(finding("RF0021", f"the recipe names no {slot.title}", where, f"`{slot.id}` is missing", help=help_text))

    def _filled(self, slot: str, entries: dict[str, Entry]) -> bool:
        """Return whether a slot holds something, be it misspelt; what belongs under another slot does not fill this one."""
        if slot not in entries:
            return False
        if any(equipped.slot == slot for equipped in self.out.equipped):
            return True
        entry = entries[slot]
        first, last = entry.key.span.start, entry.value.span.end
        inside = [d.code for d in self.out.findings.diagnostics if first <= d.primary.span.start <= last]
        return any(code != "RF0019" for code in inside)

    # -- slots ----------------------------------------------------------------------------------------------

    def _slot(self, slot: str, entry: Entry) -> None:
        node = target_of(entry.value)
        if isinstance(node, SequenceNode):
            first: dict[str, Span] = {}
            for item in node.items:
                self._item(slot, target_of(item), first)
        elif isinstance(node, MappingNode):
            self._used(slot, node, entry)
        elif not node.null:
            self._named(slot, node, entry)
        else:
            proposal = Proposal(f"Remove `{slot}`", "safe", (DeleteAt(entry.key.start),))
            message = f"`{slot}` is empty: it names no {self._vocabulary.slots[slot].title}"
            where = node.span if node.text else entry.key.span
            help_text = "Name a component, or remove the key."
            self._report(finding("RF0004", message, where, "nothing is named", help=help_text), proposal)

    def _item(self, slot: str, node: Content, first: dict[str, Span]) -> None:
        if isinstance(node, SequenceNode):
            message = f"a list stands inside the list of `{slot}`"
            return self._report(finding("RF0004", message, node.span, "a list in a list", help="Write its items in the outer list."))
        if isinstance(node, ScalarNode) and node.null:
            return self._report(finding("RF0004", f"an item of `{slot}` is empty", node.span, "nothing is named", help="Remove it."))
        component = self._named(slot, node, None) if isinstance(node, ScalarNode) else self._used(slot, node, None)
        if component is None:
            return None
        if component.id not in first:
            first[component.id] = node.span
            return None
        related = ((first[component.id], "first listed here"),)
        proposal = Proposal(f"Remove the second `{component.id}`", "safe", (DeleteAt(node.start),))
        message = f"`{component.id}` is listed twice"
        return self._report(finding("RF0005", message, node.span, "listed again", related=related, help="Remove one."), proposal)

    def _named(self, slot: str, node: ScalarNode, entry: Entry | None) -> Component | None:
        """Equip the component that a scalar names; return it where there is one."""
        component = self._vocabulary.component(slot, node.text)
        if component is not None:
            return self._equip(component, node.span)
        if self.out.findings.full:
            self.out.findings.dropped += 1
            return None
        found, proposal, elsewhere = self._unknown.component(slot, node, entry, self.out.keys)
        self._report(found, proposal)
        if elsewhere is not None and self._may_stand(elsewhere):
            self.out.equipped.append(Equipped(elsewhere.id, elsewhere.slot, node.span))
        return elsewhere

    def _may_stand(self, component: Component) -> bool:
        """Return whether a component in a wrong slot can be counted for its own without a clash of our making."""
        if any(item.component == component.id for item in self.out.equipped):
            return False
        return self._vocabulary.slots[component.slot].cardinality == "many" or (
            component.slot not in self.out.keys and all(item.slot != component.slot for item in self.out.equipped)
        )

    def _used(self, slot: str, mapping: MappingNode, entry: Entry | None) -> Component | None:
        self._keys_are_words(mapping)
        entries = {key: inner for inner in effective_entries(mapping) if (key := key_text(inner)) is not None}
        component: Component | None = None
        use = entries.get(USE_KEY)
        if use is None:
            component, told = self._no_use(slot, mapping, entries)
            entries.pop(told, None)
        else:
            node = target_of(use.value)
            if isinstance(node, ScalarNode) and not node.null:
                component = self._named(slot, node, entry)
            else:
                where = node.span if node.end > node.start else use.key.span
                self._report(finding("RF0004", f"`{USE_KEY}` names one component", where, "no name", help=_USE))
        group = component.slot if component is not None else slot
        for key, inner in entries.items():
            if key != USE_KEY:
                self._knob(group, key, inner, mapping, component)
        return component

    def _no_use(self, slot: str, mapping: MappingNode, entries: dict[str, Entry]) -> tuple[Component | None, str]:
        """Report that no component is named; return the one that is meant all the same, and the key that says so."""
        message = f"`{slot}` does not say which component it uses"
        known, knobs = self._vocabulary.components[slot], self._vocabulary.knobs[slot]
        for key, inner in entries.items():
            value = target_of(inner.value)
            if key in known and key not in knobs:
                help_text = f"Write `{{use: {key}, knob: value}}`."
                self._report(finding("RF0007", message, inner.key.span, f"did you mean `{USE_KEY}: {key}`?", help=help_text))
                return self._equip(known[key], inner.key.span), key
            if key not in knobs and isinstance(value, ScalarNode) and value.text in known and isinstance(inner.key, ScalarNode):
                edit = TextEdit(inner.key.span, f"{inner.key.style}{USE_KEY}{inner.key.style}")
                fix = text_fix(f"Rename to `{USE_KEY}`", edit)
                self._report(finding("RF0007", message, inner.key.span, f"did you mean `{USE_KEY}`?", fixes=(fix,)))
                return self._equip(known[value.text], value.span), key
        default = self._vocabulary.slots[slot].default
        proposal = None
        if default is not None and mapping.entries:
            proposal = Proposal(f"Add `{USE_KEY}: {default}`, the default", "safe", (InsertFirst(mapping.start, USE_KEY, default),))
        where = mapping.entries[0].key.span if mapping.entries else mapping.span
        self._report(finding("RF0007", message, where, f"`{USE_KEY}` is missing", help=_USE), proposal)
        return None, ""

    def _equip(self, component: Component, span: Span) -> Component:
        if not any(item.component == component.id for item in self.out.equipped):
            self.out.equipped.append(Equipped(component.id, component.slot, span))
        return component

    # -- knobs ----------------------------------------------------------------------------------------------

    def _group(self, group: str, entry: Entry) -> None:
        node = target_of(entry.value)
        if isinstance(node, MappingNode):
            self._keys_are_words(node)
            for inner in effective_entries(node):
                key = key_text(inner)
                if key is not None:
                    self._knob(group, key, inner, node, None)
            return
        names = list(self._vocabulary.knobs[group])
        empty = isinstance(node, ScalarNode) and node.null
        message = f"`{group}` is empty" if empty else f"`{group}` is a group of values, not one value"
        where = node.span if node.end > node.start else entry.key.span
        proposal = Proposal(f"Remove `{group}`", "safe", (DeleteAt(entry.key.start),)) if empty else None
        help_text = f"Write `{group}: {{{names[0]}: …}}`; it takes {listed(names)}."
        fixes = () if empty else self._as_first_knob(self._vocabulary.knobs[group][names[0]], node)
        self._report(finding("RF0004", message, where, "no `key: value` inside", help=help_text, fixes=fixes), proposal)

    def _as_first_knob(self, knob: Knob, node: Content) -> tuple[Fix, ...]:
        """Return the fix that makes a lone value the first knob of its group: `hardware: t4` names a GPU."""
        if not isinstance(node, ScalarNode) or isinstance(value_for(knob, node), Misfit):
            return ()
        written = self._document.text[node.start : node.end]
        edit = TextEdit(node.span, f"{{{knob.name}: {written}}}")
        return (text_fix(f"Write `{knob.name}: {short(written)}`", edit, safety="safe" if knob.type == "str" else "unsafe"),)

    def _knob(self, group: str, key: str, entry: Entry, mapping: MappingNode, component: Component | None) -> None:
        knob = self._vocabulary.knobs[group].get(key)
        if knob is None:
            if self.out.findings.full:
                self.out.findings.dropped += 1
            else:
                self._report(*self._unknown.key_in_group(group, key, entry, mapping, component))
            return
        if component is not None and not reads(component.id, knob):
            self._not_read(knob, entry, component)
        node = target_of(entry.value)
        where = node.span if node.end > node.start else entry.key.span
        value = value_for(knob, node)
        if isinstance(value, Misfit):
            self._report(misfit_finding(value, where, node))
            return
        self.out.settings.append(Setting(knob.path, value, where))
        if knob.path == "hardware.gpu":
            self.out.spans["gpu"] = where

    def _not_read(self, knob: Knob, entry: Entry, component: Component) -> None:
        message = f"`{component.id}` does not read `{knob.name}`; it changes nothing here"
        notes = (f"`{knob.path}` is read by {listed(knob.components)}.",)
        proposal = Proposal(f"Remove `{knob.name}`", "safe", (DeleteAt(entry.key.start),))
        self._report(finding("RF0015", message, entry.key.span, "not read", notes=notes), proposal)
