"""Changes → the fewest text edits that make them, every other byte kept.

Changes are made one after another on the text, each on a fresh tree, and the result is read back: what came out must be
what was asked, and nothing else. Where the text cannot be edited without risk the answer is a reason, never damage.
"""

from collections.abc import Iterable

from recipeforge.documents import surgery
from recipeforge.documents.find import entry_of, has_aliases, mappings_in, name_node, path_to
from recipeforge.documents.parse import parse
from recipeforge.documents.pieces import Cut, Pieces, apply_edits
from recipeforge.documents.proof import prove
from recipeforge.documents.steps import DeleteAt, InsertFirst, Step
from recipeforge.documents.surgery import Refusal
from recipeforge.documents.tree import (
    AliasNode,
    Content,
    Document,
    Entry,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    key_text,
)
from recipeforge.documents.vocabulary import USE_KEY, VERSION_KEY, Vocabulary, reads, vocabulary_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.place import TextEdit
from recipeforge.schemas.recipe import Knob, Scalar
from recipeforge.schemas.record import slotted

__all__ = ["EditPlan", "apply_edits", "edits_for", "plan_edits"]


@slotted
class EditPlan:
    """The edits, or why there are none."""

    edits: tuple[TextEdit, ...] = ()
    refused: str = ""
    """Why the text was left alone; empty where it was not."""


def edits_for(document: Document, loadout: Loadout, catalog: Catalog, changes: Iterable[Change]) -> tuple[TextEdit, ...]:
    """Return the edits that make `changes` in the text; none where it cannot be edited without risk (`plan_edits` says why)."""
    if loadout.dialect != VERSION_KEY:
        from recipeforge.documents.dialects.writing import edits_in_dialect

        return edits_in_dialect(document, loadout, catalog, changes)
    return plan_edits(document, catalog, changes).edits


def plan_edits(document: Document, catalog: Catalog, steps: Iterable[Step]) -> EditPlan:
    """Return the edits that make `steps` in the text, or why they cannot be made."""
    wanted = tuple(steps)
    vocabulary = vocabulary_of(catalog)
    if not document.complete:
        return EditPlan(refused="the text has a syntax error")
    session = _Session(document, vocabulary)
    try:
        for step in wanted:
            session.make(step)
        prove(document, session.document, vocabulary, wanted)
    except Refusal as refusal:
        return EditPlan(refused=str(refusal))
    return EditPlan(session.pieces.edits(document.lines))


class _Session:
    """A text while its changes are made."""

    def __init__(self, document: Document, vocabulary: Vocabulary) -> None:
        self._original = document
        self.document = document
        self._vocabulary = vocabulary
        self.pieces = Pieces(document.text)

    def make(self, step: Step) -> None:
        """Make one step."""
        match step:
            case DeleteAt(offset):
                self._delete_at(offset)
            case InsertFirst(offset, key, value):
                mapping = next((node for node in mappings_in(self._root()) if node.start == offset), None)
                if mapping is None:
                    raise Refusal("the mapping is not there")
                self._cut(surgery.insert_entry(self.document, mapping, key, value))
            case Change(op="add", slot=str(slot), component=str(component)):
                self._add(slot, component)
            case Change(op="replace", slot=str(slot), component=str(component), previous=str(previous)):
                self._replace(slot, previous, component)
            case Change(op="drop", slot=str(slot), component=str(component)):
                self._drop(slot, component)
            case Change(op="set", knob=str(path), value=value) if value is not None:
                self._set(self._knob(path), value)
            case Change(op="drop", knob=str(path)):
                self._unset(self._knob(path))
            case _:
                raise Refusal(f"this is no change that can be written: {step}")

    def _cut(self, cuts: list[Cut]) -> None:
        self.pieces.cut(cuts)
        self.document = parse(self.pieces.text, self._original.path)
        if not self.document.complete:
            raise Refusal("the text would no longer be valid YAML")

    # -- finding --------------------------------------------------------------------------------------------

    def _root(self) -> MappingNode:
        root = self.document.root
        if not isinstance(root, MappingNode):
            raise Refusal("the text is no recipe")
        return root

    def _knob(self, path: str) -> Knob:
        knob = self._vocabulary.knob(path)
        if knob is None:
            raise Refusal(f"there is no knob {path}")
        return knob

    def _means(self, node: Node, component: str) -> bool:
        """Return whether a scalar names a component, by id or alias, in whatever slot it stands."""
        name = name_node(node)
        if name is None:
            return False
        return any(known.id == component for known in self._vocabulary.elsewhere.get(name.text, ()))

    def _holder(self, slot: str, component: str) -> tuple[Entry, Node]:
        """Return the top-level entry that names a component, and the node inside it that does; its own slot first."""
        root = self._root()
        entries = [entry for entry in root.entries if key_text(entry) in self._vocabulary.slots]
        entries.sort(key=lambda entry: key_text(entry) != slot)
        for entry in entries:
            value = entry.value
            for node in value.items if isinstance(value, SequenceNode) else (value,):
                if self._means(node, component):
                    return entry, node
        raise Refusal(f"the text does not name {component}" + (", or only through an alias" if has_aliases(root) else ""))

    # -- components -----------------------------------------------------------------------------------------

    def _add(self, slot: str, component: str) -> None:
        root = self._root()
        entry = entry_of(root, slot)
        many = self._vocabulary.slots[slot].cardinality == "many"
        named = surgery.written(component, json_style=surgery.is_json(root))
        if entry is None:
            self._insert_key(slot, f"[{named}]" if many else named)
            return
        value = self._own(entry.value)
        if isinstance(value, ScalarNode) and value.null:
            self._cut(surgery.fill(self.document, entry, named))
        elif isinstance(value, SequenceNode) and (many or not value.items):
            self._cut(surgery.insert_item(self.document, value, named))
        elif not many and self._means(value, default := self._vocabulary.slots[slot].default or ""):
            # The default is as good as nothing: it stands there to carry knobs.
            self._replace(slot, default, component)
        elif not many:
            raise Refusal(f"{slot} holds something already")
        elif isinstance(value, MappingNode) and not value.flow:
            self._cut(surgery.as_first_item(self.document, value, named))
        else:
            self._cut(surgery.wrap(value, "[", f", {named}]"))

    def _replace(self, slot: str, previous: str, component: str) -> None:
        if entry_of(self._root(), slot) is None:
            # What is replaced stood there by default.
            return self._add(slot, component)
        _, node = self._holder(slot, previous)
        name = name_node(node)
        if name is None or isinstance(node, AliasNode):
            raise Refusal("the component stands behind an alias")
        surgery.refuse_anchors(name)
        json_style = surgery.is_json(self._root())
        like = self.document.text[name.start : name.end]
        self._cut([Cut(name.start, name.end, surgery.written(component, json_style=json_style, like=like))])
        self._forget_unread(slot, component)
        return None

    def _forget_unread(self, slot: str, component: str) -> None:
        """Take out the knobs that a component does not read, one by one."""
        while True:
            _, node = self._holder(slot, component)
            if not isinstance(node, MappingNode):
                return
            knobs = self._vocabulary.knobs[slot]
            unread = [e for e in node.entries if (k := knobs.get(key_text(e) or "")) is not None and not reads(component, k)]
            if not unread:
                return
            self._cut(surgery.delete_entry(self.document, node, unread[-1]))

    def _drop(self, slot: str, component: str) -> None:
        entry, node = self._holder(slot, component)
        value = entry.value
        if isinstance(value, SequenceNode) and len(value.items) > 1:
            self._cut(surgery.delete_item(self.document, value, node))
            return
        default = self._vocabulary.slots[slot].default
        if default is not None and self._default_reads(slot, default, node):
            # The knobs that the default component reads stay: dropping the holder is not dropping the learning rate.
            if default != component:
                self._replace(slot, component, default)
            return
        self._cut(surgery.delete_entry(self.document, self._root(), entry))

    def _default_reads(self, slot: str, default: str, node: Node) -> bool:
        if not isinstance(node, MappingNode):
            return False
        knobs = self._vocabulary.knobs[slot]
        return any((knob := knobs.get(key_text(entry) or "")) is not None and reads(default, knob) for entry in node.entries)

    # -- knobs ----------------------------------------------------------------------------------------------

    def _set(self, knob: Knob, value: Scalar) -> None:
        root = self._root()
        entry = entry_of(root, knob.group)
        json_style = surgery.is_json(root)
        text = surgery.written(value, knob, json_style=json_style)
        if entry is None:
            self._set_in_new_key(knob, text)
            return
        node = self._reader(entry, knob) if knob.group in self._vocabulary.slots else self._own(entry.value)
        if isinstance(node, MappingNode):
            self._set_in(node, knob, value)
        elif isinstance(node, ScalarNode) and not node.null and knob.group in self._vocabulary.slots:
            quote = '"' if json_style else ""
            surgery.refuse_anchors(node)
            before = f"{{{quote}{USE_KEY}{quote}: "
            self._cut(surgery.wrap(node, before, f", {quote}{knob.name}{quote}: {text}}}"))
        elif isinstance(node, ScalarNode) and node.null and knob.group not in self._vocabulary.slots:
            self._cut(surgery.fill(self.document, entry, f"{{{knob.name}: {text}}}"))
        else:
            raise Refusal(f"{knob.group} is written in a way that holds no {knob.name}")

    def _set_in_new_key(self, knob: Knob, text: str) -> None:
        quote = '"' if surgery.is_json(self._root()) else ""
        inner = f"{quote}{knob.name}{quote}: {text}"
        slot = self._vocabulary.slots.get(knob.group)
        if slot is not None:
            if slot.default is None or not reads(slot.default, knob):
                raise Refusal(f"no component of {knob.group} is there to read {knob.name}")
            inner = f"{quote}{USE_KEY}{quote}: {quote}{slot.default}{quote}, {inner}"
        self._insert_key(knob.group, f"{{{inner}}}")

    def _set_in(self, mapping: MappingNode, knob: Knob, value: Scalar) -> None:
        own = entry_of(mapping, knob.name)
        json_style = surgery.is_json(self._root())
        if own is None:
            text = surgery.written(value, knob, json_style=json_style)
            after = mapping.entries[-1] if mapping.entries else None
            self._cut(surgery.insert_entry(self.document, mapping, knob.name, text, after))
            return
        node = own.value
        if isinstance(node, AliasNode):
            raise Refusal(f"the value of {knob.path} is an alias")
        surgery.refuse_anchors(node)
        if isinstance(node, ScalarNode) and node.style in {"|", ">"}:
            raise Refusal(f"the value of {knob.path} is a block of text")
        if not isinstance(node, ScalarNode):
            raise Refusal(f"the value of {knob.path} is not a single value")
        like = self.document.text[node.start : node.end]
        self._cut(surgery.fill(self.document, own, surgery.written(value, knob, json_style=json_style, like=like)))

    def _unset(self, knob: Knob) -> None:
        root = self._root()
        entry = entry_of(root, knob.group)
        if entry is None:
            raise Refusal(f"{knob.path} is not set in the text")
        value = self._own(entry.value)
        for node in value.items if isinstance(value, SequenceNode) else (value,):
            own = entry_of(node, knob.name) if isinstance(node, MappingNode) else None
            if own is None or not isinstance(node, MappingNode):
                continue
            if len(node.entries) == 1:
                self._cut(surgery.delete_entry(self.document, root, entry))
            else:
                self._cut(surgery.delete_entry(self.document, node, own))
            return
        raise Refusal(f"{knob.path} is not set in the text itself")

    def _reader(self, entry: Entry, knob: Knob) -> Node:
        """Return the node of the component that reads a knob."""
        value = self._own(entry.value)
        nodes = value.items if isinstance(value, SequenceNode) else (value,)
        for node in nodes:
            name = name_node(node)
            component = self._vocabulary.component(knob.group, name.text) if name is not None else None
            if component is not None and reads(component.id, knob):
                return self._own(node)
        raise Refusal(f"no component of {knob.group} reads {knob.name}")

    # -- the shape of the file ------------------------------------------------------------------------------

    def _own(self, node: Node) -> Content:
        if isinstance(node, AliasNode):
            raise Refusal(f"the value is the alias *{node.name}")
        return node

    def _insert_key(self, key: str, value: str) -> None:
        """Insert a top-level key behind its nearest neighbour in canonical order."""
        root = self._root()
        order = {name: index for index, name in enumerate(self._vocabulary.keys)}
        here = order[key]
        before = [entry for entry in root.entries if order.get(key_text(entry) or "", here) < here]
        after = max(before, key=lambda entry: order[key_text(entry) or ""], default=None)
        if after is None and root.entries and root.flow:
            after = None
        self._cut(surgery.insert_entry(self.document, root, key, value, after))

    def _delete_at(self, offset: int) -> None:
        """Delete what starts at an offset of the text; what would be left empty goes with it."""
        found = path_to(self._root(), offset)
        if not found:
            raise Refusal("there is nothing to delete")
        for parent, child in reversed(found):
            if isinstance(parent, MappingNode) and isinstance(child, Entry) and len(parent.entries) > 1:
                return self._cut(surgery.delete_entry(self.document, parent, child))
            if isinstance(parent, SequenceNode) and not isinstance(child, Entry) and len(parent.items) > 1:
                return self._cut(surgery.delete_item(self.document, parent, child))
        raise Refusal("nothing would be left of the recipe")
