"""Whatever recipe and whatever changes: the edited text reads as the changed loadout, and all other lines are as they were."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_catalog import CATALOG

from recipeforge.documents.edit import apply_edits, plan_edits
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Loadout
from recipeforge.solver.apply import apply_changes

_VALUES = {
    "int": (2, 16, 1024),
    "float": (0.5, 1.0, 0.05, 0.0002, 1e-05),
    "bool": (True, False),
    "str": ("./train.jsonl", "a b: c", "it's", "no", "#1", "42"),
    "duration": (7200, 5400, 90),
}
_COMMENTS = ("", "", "  # why", "  # {not: yaml, [", "\t# 100 %")


def _value(knob, chance: random.Random):
    return chance.choice(knob.values) if knob.type == "enum" else chance.choice(_VALUES[knob.type])


def _text(value, quote: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'" if quote == "'" or not value.isidentifier() or value == "no" else value
    return repr(value)


def _readable(component: str | None, group: str):
    return [k for k in CATALOG.knobs.values() if k.group == group and (component is None or not k.components or component in k.components)]


class _Writer:
    """Writes a random recipe in a random hand, and remembers the lines of each key."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.eol = chance.choice(("\n", "\n", "\r\n", "\r"))
        self.blocks: list[tuple[str, list[str]]] = []

    def knobs(self, component: str | None, group: str) -> dict[str, str]:
        chosen = [k for k in _readable(component, group) if self.chance.random() < 0.5]
        return {k.name: self.knob(k) for k in chosen}

    def knob(self, knob) -> str:
        if knob.type == "duration":
            return self.chance.choice(("2h", "90m", "1h30m"))
        return _text(_value(knob, self.chance), self.chance.choice("' "))

    def comment(self) -> str:
        return self.chance.choice(_COMMENTS)

    def mapping(self, key: str, pairs: dict[str, str]) -> list[str]:
        if self.chance.random() < 0.5:
            trailing = self.chance.choice(("", "", ",", " , "))
            return [f"{key}: {{{', '.join(f'{k}: {v}' for k, v in pairs.items())}{trailing}}}{self.comment()}"]
        if self.chance.random() < 0.3:
            inner = [f"    {k}: {v},{self.comment()}" for k, v in pairs.items()]
            return [f"{key}: {{{self.comment()}", *inner, "  }"]
        indent = self.chance.choice(("  ", "    ", " "))
        lines = [f"{key}:{self.comment()}"]
        for k, v in pairs.items():
            lines.append(f"{indent}{k}: {v}{self.comment()}")
            if self.chance.random() < 0.2:
                lines.append(f"{indent}# about {k}")
        return lines

    def item(self, component: str, slot: str) -> tuple[str, list[str]]:
        pairs = {"use": component, **self.knobs(component, slot)}
        if len(pairs) == 1 and self.chance.random() < 0.7:
            return component, [component]
        return "{" + ", ".join(f"{k}: {v}" for k, v in pairs.items()) + "}", [f"{k}: {v}" for k, v in pairs.items()]

    def slot(self, slot: str) -> list[str]:
        members = [c.id for c in CATALOG.members(slot)]
        if CATALOG.slots[slot].cardinality == "many" and self.chance.random() < 0.8:
            chosen = self.chance.sample(members, self.chance.randint(0, len(members)))
            items = [self.item(component, slot) for component in chosen]
            if not items or self.chance.random() < 0.5:
                return [f"{slot}: [{', '.join(flow for flow, _ in items)}]{self.comment()}"]
            indent = self.chance.choice(("", "  "))
            lines = [f"{slot}:"]
            for _, block in items:
                lines.append(f"{indent}- {block[0]}{self.comment()}")
                lines += [f"{indent}  {line}{self.comment()}" for line in block[1:]]
            return lines
        component = self.chance.choice(members)
        if self.chance.random() < 0.5:
            quote = self.chance.choice(("", "", '"', "'"))
            return [f"{slot}: {quote}{component}{quote}{self.comment()}"]
        return self.mapping(slot, {"use": component, **self.knobs(component, slot)})

    def recipe(self) -> str:
        self.blocks = [("recipeforge", ["recipeforge: 1"]), ("model", ["model: tiny"])]
        for slot in CATALOG.slots:
            if slot == "technique" or self.chance.random() < 0.6:
                self.blocks.append((slot, self.slot(slot)))
        for group in ("data", "batch", "train", "hardware", "budget"):
            pairs = self.knobs(None, group) if self.chance.random() < 0.6 else {}
            pairs.pop("gpu", None)
            if pairs:
                self.blocks.append((group, self.mapping(group, pairs)))
        if self.chance.random() < 0.3:
            self.chance.shuffle(self.blocks)
        between = [line for _, block in self.blocks for line in self.chance.choice(([], [], [""], ["# a remark"])) + block]
        bom = self.chance.choice(("", "", "\ufeff"))
        return bom + self.eol.join(between) + self.chance.choice(("", self.eol, self.eol * 2))


def _changes(loadout: Loadout, chance: random.Random) -> list[Change]:
    """Return changes that make sense one after another."""
    changes: list[Change] = []
    for _ in range(chance.randint(1, 3)):
        kind = chance.choice(("add", "drop", "replace", "set", "set", "unset"))
        equipped = list(loadout.equipped)
        if kind == "add":
            free = [s for s in CATALOG.slots.values() if s.cardinality == "many" or not loadout.component_in(s.id)]
            slot = chance.choice(free)
            members = [c.id for c in CATALOG.members(slot.id) if c.id not in loadout.components_in(slot.id)]
            if members:
                changes.append(Change("add", slot=slot.id, component=chance.choice(members)))
        elif kind == "drop" and (out := [e for e in equipped if e.slot != "technique"]):
            one = chance.choice(out)
            changes.append(Change("drop", slot=one.slot, component=one.component))
        elif kind == "replace" and equipped:
            one = chance.choice(equipped)
            others = [c.id for c in CATALOG.members(one.slot) if c.id not in loadout.components_in(one.slot)]
            if others:
                changes.append(Change("replace", slot=one.slot, component=chance.choice(others), previous=one.component))
        elif kind == "set":
            knob = chance.choice([k for k in CATALOG.knobs.values() if _has_reader(loadout, k)])
            changes.append(Change("set", knob=knob.path, value=_value(knob, chance)))
        elif kind == "unset" and loadout.settings:
            changes.append(Change("drop", knob=chance.choice(loadout.settings).knob))
        if len(changes):
            loadout = apply_changes(CATALOG, loadout, changes[-1:])
    return changes


def _has_reader(loadout: Loadout, knob) -> bool:
    if knob.group not in CATALOG.slots:
        return True
    held = loadout.components_in(knob.group) or (CATALOG.slots[knob.group].default,)
    return any(c is not None and (not knob.components or c in knob.components) for c in held)


def _changed(loadout: Loadout, changes: list[Change]) -> Loadout:
    """Return the loadout after the changes, one after another, as a text is edited: a knob that lost its reader is gone."""
    for change in changes:
        loadout = apply_changes(CATALOG, loadout, [change])
    return loadout


def _meaning(loadout: Loadout) -> tuple[object, object]:
    """Return what a loadout says, defaults counted as named."""
    equipped = {(e.slot, e.component) for e in loadout.equipped}
    for slot in CATALOG.slots.values():
        if slot.default and not loadout.components_in(slot.id):
            equipped.add((slot.id, slot.default))
    return equipped, {s.knob: s.value for s in loadout.settings}


seen = {"edited": 0, "refused": 0}


@settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.integers(0, 10**9))
def test_the_edited_text_reads_as_the_changed_loadout_and_other_lines_stay(seed: int) -> None:
    chance = random.Random(seed)
    writer = _Writer(chance)
    text = writer.recipe()
    document = parse(text)
    result = read(document, CATALOG)
    assert result.loadout is not None, (text, result.diagnostics)
    assert not [d for d in result.diagnostics if d.severity == "error"], (text, result.diagnostics)
    changes = _changes(result.loadout, chance)
    if not changes:
        return
    plan = plan_edits(document, CATALOG, changes)
    assert not plan.refused, (plan.refused, changes, text)
    edited = apply_edits(text, plan.edits)
    after = read(parse(edited), CATALOG)
    assert after.loadout is not None
    assert not [d for d in after.diagnostics if d.severity == "error"], (changes, text, edited, after.diagnostics)
    assert _meaning(after.loadout) == _meaning(_changed(result.loadout, changes)), (changes, text, edited)
    touched = {c.slot or (c.knob or "").split(".")[0] for c in changes}
    kept = [line for key, block in writer.blocks if key not in touched for line in block]
    assert _in_order(kept, edited.split(writer.eol)), (changes, text, edited)
    assert edited.count("\ufeff") == text.count("\ufeff")
    seen["edited"] += 1


def test_enough_recipes_were_edited() -> None:
    assert seen["edited"] > 400


def _in_order(wanted: list[str], lines: list[str]) -> bool:
    rest = iter([line.removeprefix("\ufeff") for line in lines])
    return all(any(line == other for other in rest) for line in wanted)
