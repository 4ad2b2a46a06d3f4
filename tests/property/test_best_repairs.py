"""The k best repairs against brute force: every recipe of a small catalog, priced by a list written down a second time."""

import os
from collections import Counter
from dataclasses import replace

import pytest
from catalogs import DIMS, cases, preferences
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import Full, Oracle

from recipeforge.schemas.loadout import Context, Setting
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.preferences import NO_PREFERENCES, Preferences
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.costs import ADD, CONTENT, DROP, RANK, REPLACE, REPLACE_REQUIRED, SET, STEP, UNSAFE, WARNING
from recipeforge.solver.memory_budget import estimate
from recipeforge.solver.preferences import AVOIDED
from recipeforge.solver.repair import rank

MANY = settings(
    max_examples=int(os.environ.get("RECIPEFORGE_EXAMPLES", "700")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
SEEN: Counter[str] = Counter()


def seen(*words: str) -> None:
    SEEN.update(words)


@pytest.fixture(scope="module", autouse=True)
def told(saw):
    """Tell what the random catalogs covered."""
    yield
    saw(f"repairs against brute force: {dict(sorted(SEEN.items()))}")


@MANY
@given(cases(7))
def test_repairs_equal_brute_force(case):
    compare(*case, NO_PREFERENCES)


@settings(MANY, max_examples=400)
@given(cases(5, always_budget=True, always_batch=True), st.sampled_from([2, 3, 4]), st.sampled_from([1, 2, 3, 8]), st.floats(0.3, 1))
def test_repairs_of_batches_under_budgets_equal_brute_force(case, micro, accumulate, share):
    """The device has a share of what the recipe takes."""
    catalog, loadout = case
    kept = tuple(s for s in loadout.settings if not s.knob.startswith("batch."))
    batch = (Setting("batch.micro", micro, START_OF_FILE), Setting("batch.accumulate", accumulate, START_OF_FILE))
    facts = {**loadout.context.facts, **{f"model.{k}": v for k, v in DIMS.items()}}
    taken = estimate(catalog, replace(loadout, settings=(*kept, *batch), context=Context(facts)))
    if taken:
        facts["gpu.memory_gib"] = taken.total * share / (1 << 30)
    compare(catalog, replace(loadout, settings=(*kept, *batch), context=Context(facts)), NO_PREFERENCES, 4)


@settings(MANY, max_examples=400)
@given(st.data())
def test_repairs_that_honour_preferences_equal_brute_force(data):
    catalog, loadout = data.draw(cases(6))
    compare(catalog, loadout, data.draw(preferences(catalog)))


def compare(catalog, loadout, prefer: Preferences, count: int = 3) -> None:
    oracle = Oracle(catalog, loadout)
    ranking = rank(catalog, loadout, count, limit_s=600, prefer=prefer)  # what is compared is the answer, on however slow a machine
    assert ranking.complete
    if not oracle.hard(oracle.broken(loadout)):
        assert ranking.repairs == ()
        return
    options = sorted(
        (cost(oracle, full) + AVOIDED * avoided(oracle, full, prefer) + WARNING * len(broken), ideas(oracle, full))
        for full, broken in oracle.judged
        if holds_up(oracle, full, broken) and keeps(oracle, full, prefer)
    )
    seen("repairable" if options else "beyond repair")
    taken: list[frozenset] = []
    for repair in ranking.repairs:
        best = next(option for option in options if not any(t <= set(option[1]) for t in taken))
        assert repair.cost + warnings_after(oracle, repair) == best[0], (repair, best)
        assert repair.proved
        cured = apply_changes(catalog, loadout, repair.changes)
        assert not oracle.hard(oracle.broken(cured))
        taken.append(frozenset(ideas_of_changes(oracle, repair.changes)))
        seen("repairs")
        if {"batch.micro", "batch.accumulate"} <= {c.knob for c in repair.changes} and "accumulate" in repair.title.split("micro")[-1]:
            seen("batches traded")
        if prefer != NO_PREFERENCES:
            seen("repairs under preferences")
    rest = [o for o in options if not any(t <= set(o[1]) for t in taken)]
    assert len(ranking.repairs) == count or not rest


def keeps(oracle: Oracle, full: Full, prefer: Preferences) -> bool:
    """Whether what is to be kept is there still."""
    values, catalog = dict(full.values), oracle.catalog
    for name in prefer.keep:
        if name in catalog.slots:
            held = set(oracle.loadout.components_in(name))
            many = catalog.slots[name].cardinality == "many"
            stays = held if many or held else {catalog.slots[name].default} - {None}
            if (many or len(held) < 2) and not stays <= full.components:
                return False
        elif name in catalog.components:
            if name in oracle.picks - full.components:
                return False
        elif any(before is not None and values[knob] != before for knob, before in parameters(oracle, name)):
            return False
    return True


def avoided(oracle: Oracle, full: Full, prefer: Preferences) -> int:
    """How many changes there are that are to be avoided."""
    catalog, found = oracle.catalog, set()
    defaults = {s.default for s in catalog.slots.values() if s.default and not oracle.loadout.components_in(s.id)}
    new = full.components - oracle.picks - defaults
    for name in prefer.avoid:
        found |= {c for c in new if name in (c, catalog.components[c].slot)}
        if name not in catalog.slots and name not in catalog.components:
            found |= {knob for knob, before in parameters(oracle, name) if dict(full.values)[knob] != before}
    return len(found)


def parameters(oracle: Oracle, name: str) -> list[tuple[str, object]]:
    """The movable parameters that a name stands for, with the values they have."""
    found = [k for k in oracle.movable if name in (k, k.split(".")[0])]
    return [(k, oracle.given.get(k, oracle.catalog.knobs[k].default)) for k in found]


def holds_up(oracle: Oracle, full: Full, broken: set) -> bool:
    """Whether a recipe is valid, and still is without the settings of slots that it empties: those go with the slot."""
    if oracle.hard(broken):
        return False
    now = {oracle.catalog.components[c].slot for c in full.components}
    emptied = {e.slot for e in oracle.loadout.equipped} - now
    said = oracle.as_loadout(full)
    left = replace(said, settings=tuple(s for s in said.settings if s.knob.split(".")[0] not in emptied))
    return not oracle.hard(oracle.broken(left))


def warnings_after(oracle: Oracle, repair) -> int:
    return WARNING * len(oracle.broken(apply_changes(oracle.catalog, oracle.loadout, repair.changes)))


def ladder(values: list) -> list:
    if all(v is None or isinstance(v, int | float) for v in values):
        return sorted(values, key=lambda v: (v is not None, v or 0))
    return values


def cost(oracle: Oracle, full: Full) -> int:
    """The price list, written down a second time."""
    total = 0
    for slot in oracle.catalog.slots.values():
        unsafe = 0 if slot.safe else UNSAFE
        held = set(oracle.loadout.components_in(slot.id))
        now = {c for c in full.components if oracle.catalog.components[c].slot == slot.id}
        gone, new = held - now, now - held
        if not held and slot.default:
            new -= {slot.default}
        if slot.cardinality != "many" and gone and new:
            replacing = REPLACE_REQUIRED if slot.purpose else REPLACE
            total += replacing + unsafe + (len(gone) - 1) * (DROP + unsafe)
        else:
            adding = REPLACE_REQUIRED if slot.purpose and slot.default else ADD
            total += len(gone) * (DROP + unsafe) + len(new) * (adding + unsafe)
        usual = sorted((c.id for c in oracle.catalog.members(slot.id)), key=lambda c: c != slot.default)
        total += RANK * sum(usual.index(c) for c in new)
        if slot.cardinality != "many" and len(held) > 1:
            total -= RANK * sum(usual.index(c) for c in gone)
    follows = oracle.trading(dict(full.values))
    for knob, value in full.values:
        now = oracle.given.get(knob, oracle.catalog.knobs[knob].default)
        if value != now and knob != follows:
            rungs = ladder(oracle.movable[knob])
            safe = oracle.catalog.knobs[knob].safe or (follows and knob.startswith("batch."))
            total += CONTENT.get(knob, 0)
            base = DROP if value is None else SET if knob in oracle.given else ADD
            total += base + STEP * abs(rungs.index(value) - rungs.index(now)) + (0 if safe else UNSAFE)
    return total


def ideas(oracle: Oracle, full: Full) -> tuple:
    """What a repair does, coarsely: slots that change hands, components in and out of many-slots, knobs up and down."""
    found = []
    for slot in oracle.catalog.slots.values():
        held = set(oracle.loadout.components_in(slot.id)) or ({slot.default} if slot.default else set())
        now = {c for c in full.components if oracle.catalog.components[c].slot == slot.id}
        if slot.cardinality == "many":
            found += [("in", kind(oracle, c)) for c in now - held] + [("out", c) for c in held - now]
        elif now != held:
            found += [("slot", slot.id)] if len(held) < 2 else []
    follows = oracle.trading(dict(full.values))
    for knob, value in full.values:
        now = oracle.given.get(knob, oracle.catalog.knobs[knob].default)
        if value != now and knob != follows:
            rungs = ladder(oracle.movable[knob])
            found.append((knob, "up" if rungs.index(value) > rungs.index(now) else "down"))
    return tuple(sorted(set(found)))


def kind(oracle: Oracle, component: str) -> str:
    """The first component of many-slots that does the same to memory; itself where it does nothing to it."""
    effects = oracle.catalog.components[component].effects
    many = [c for c in oracle.catalog.components.values() if oracle.catalog.slots[c.slot].cardinality == "many"]
    return next((c.id for c in many if effects and c.effects == effects), component)


def ideas_of_changes(oracle: Oracle, changes) -> list:
    found = []
    follows = oracle.trading(oracle.given | {c.knob: c.value for c in changes if c.knob})
    for c in changes:
        if c.knob == follows and follows:
            continue
        if c.knob:
            rungs = ladder(oracle.movable[c.knob])
            now = oracle.given.get(c.knob, oracle.catalog.knobs[c.knob].default)
            found.append((c.knob, "up" if rungs.index(c.value) > rungs.index(now) else "down"))
        elif oracle.catalog.slots[c.slot].cardinality == "many":
            found.append(("out", c.component) if c.op == "drop" else ("in", kind(oracle, c.component)))
        elif len(set(oracle.loadout.components_in(c.slot))) < 2:
            found.append(("slot", c.slot))
    return found


def test_enough_was_seen():
    """The suites above prove something only if repairs were found often, of every kind."""
    assert SEEN["repairs"] >= 500, SEEN
    assert SEEN["repairs under preferences"] >= 60, SEEN
    assert SEEN["batches traded"] >= 30, SEEN
