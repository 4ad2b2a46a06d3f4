"""Random small catalogs and loadouts, with every kind of rule: requires, conflicts, any-of, knobs, facts, budgets, tiers."""

from dataclasses import replace

from hypothesis import strategies as st

from recipeforge.catalog.cues import cues_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not
from recipeforge.schemas.loadout import Context, Equipped, Loadout, Setting
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.preferences import Preferences
from recipeforge.schemas.recipe import Knob, Slot
from recipeforge.schemas.rule import Rule

SLOTS = ("technique", "quantization", "optimizer", "memory")
DIMS = {"parameters": 3000, "layers": 2, "hidden": 8, "heads": 2, "kv_heads": 1, "head_dim": 4, "intermediate": 16, "vocab": 32}
FACTS = ("gpu.capability", "gpu.vendor")
GIB = float(1 << 30)

KNOBS = {
    "batch.micro": Knob("batch.micro", "int", "", default=1, choices=(1, 2, 4)),
    "batch.accumulate": Knob("batch.accumulate", "int", "", default=1, maximum=64, choices=(1, 2, 4, 8)),
    "data.sequence_length": Knob("data.sequence_length", "int", "", default=8, choices=(4, 8)),
    "optimizer.auxiliary": Knob("optimizer.auxiliary", "enum", "", values=("a", "b"), choices=("a", "b")),
    "train.steps": Knob("train.steps", "int", ""),
}


@st.composite
def catalogs(draw: st.DrawFn, most_components: int = 9, always_budget: bool = False, always_batch: bool = False) -> Catalog:
    """A catalog of 2 to `most_components` components over four slots."""
    count = draw(st.integers(2, most_components))
    components = {}
    for index in range(count):
        slot = draw(st.sampled_from(SLOTS))
        components[f"c{index}"] = Component(f"c{index}", slot, f"C{index}", "", "", effects=draw(effects(slot)))
    chosen = draw(st.sets(st.sampled_from(sorted(KNOBS)), max_size=1 if always_batch else 4))
    knobs = {path: KNOBS[path] for path in sorted(chosen | ({"batch.micro", "batch.accumulate"} if always_batch else set()))}
    slots = {}
    for s in SLOTS:
        shape = draw(shapes(s, [c.id for c in components.values() if c.slot == s]))
        slots[s] = Slot(s, s, "", *shape, safe=draw(st.booleans()), purpose=draw(st.booleans()))
    rules = {}
    for index in range(draw(st.integers(0, 7))):
        rule = draw(condition_rules(f"RF1{index:03d}", components, slots, knobs))
        rules[rule.code] = rule
    if always_budget or draw(st.integers(0, 2)) == 0:
        rules["RF8001"] = Rule("RF8001", "memory", "error", "", "", None, (), "T2", budget="memory", budget_limits=("gpu.memory_gib",))
    tag = str(hash((tuple(components.items().__repr__()), repr(rules), repr(slots), repr(knobs))))
    return Catalog(tag, slots, knobs, components, rules, {})


def effects(slot: str) -> st.SearchStrategy[dict]:
    """Effects on memory that fit the slot."""
    options = {
        "technique": [{"trains": k} for k in ("base", "adapter", "vectors", "layers")],
        "quantization": [{"weight_bytes_per_param": 0.5, "rest_in_fp32": True}, {"weight_bytes_per_param": 1.0}],
        "optimizer": [{"state_bytes_per_param": x} for x in (0, 2.05, 8)],
        "memory": [{}, {"recomputes_layers": True}, {"offloads_activations": True}, {"frees_gradients": True}],
    }
    return st.sampled_from(options[slot])


@st.composite
def shapes(draw: st.DrawFn, slot: str, members: list[str]) -> tuple[str, str | None]:
    """A cardinality and a default."""
    if slot == "memory":
        return "many", None
    cardinality = draw(st.sampled_from(["one", "at-most-one", "at-most-one"]))
    if cardinality == "one" and members:
        return "one", None
    return "at-most-one", draw(st.sampled_from([None, *members])) if members else None


@st.composite
def condition_rules(draw: st.DrawFn, code: str, components: dict, slots: dict, knobs: dict) -> Rule:
    """A rule over a random condition."""
    pattern = draw(conditions(components, knobs, depth=2))
    form = draw(st.integers(0, 9))
    if form < 4:  # the usual form: this requires that
        pattern = All((draw(held_components(components)), Not(draw(held_components(components)))))
    elif form < 9:  # or: given this, (not) that
        pattern = All((draw(held_components(components)), pattern))
    severity, tier = draw(st.sampled_from(["error", "error", "error", "warning"])), draw(st.sampled_from(["T2", "T2", "T2", "T3"]))
    return Rule(code, code.lower(), severity, "", "", pattern, (), tier, cues_of(pattern))


@st.composite
def conditions(draw: st.DrawFn, components: dict, knobs: dict, depth: int) -> Condition:
    """A condition tree."""
    if depth and draw(st.booleans()):
        parts = tuple(draw(st.lists(conditions(components, knobs, depth - 1), min_size=1, max_size=3)))
        return draw(st.sampled_from([All(parts), AnyOf(parts), Not(parts[0])]))
    kind = draw(st.sampled_from(["holds", "holds", "holds", "knob", "fact"]))
    if kind == "knob" and knobs:
        knob = knobs[draw(st.sampled_from(sorted(knobs)))]
        if draw(st.integers(0, 3)) == 0:
            return IsSet(knob.path)
        if knob.type == "enum":
            return Compare(knob.path, draw(st.sampled_from(["eq", "ne"])), draw(st.sampled_from(["a", "b"])))
        return Compare(knob.path, draw(st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"])), draw(st.sampled_from([1, 2, 4, 8])))
    if kind == "fact":
        if draw(st.booleans()):
            return Compare("gpu.capability", draw(st.sampled_from(["lt", "ge"])), draw(st.sampled_from([7.5, 8.0])))
        return draw(st.sampled_from([Compare("gpu.vendor", "eq", "nvidia"), IsSet("gpu.vendor")]))
    return draw(held_components(components))


@st.composite
def held_components(draw: st.DrawFn, components: dict) -> Holds:
    """A slot test."""
    slot = draw(st.sampled_from(sorted({c.slot for c in components.values()})))
    members = [c.id for c in components.values() if c.slot == slot]
    return Holds(slot, tuple(draw(st.lists(st.sampled_from(members), min_size=1, max_size=2, unique=True))))


@st.composite
def loadouts(draw: st.DrawFn, catalog: Catalog) -> Loadout:
    """Some components, mostly one a slot, some settings, some facts."""
    equipped = []
    for slot in catalog.slots:
        members = [c.id for c in catalog.members(slot)]
        most = 2 if slot == "memory" or draw(st.integers(0, 9)) == 0 else 1
        named = draw(st.lists(st.sampled_from(members), max_size=most, unique=True)) if members else []
        equipped += [Equipped(c, slot, START_OF_FILE) for c in named]
    settings = []
    for path, knob in catalog.knobs.items():
        if draw(st.booleans()):
            values = [*knob.choices, 3] if knob.type == "int" else list(knob.values)
            settings.append(Setting(path, draw(st.sampled_from(values)), START_OF_FILE))
    facts = {f"model.{k}": v for k, v in DIMS.items()} if draw(st.integers(0, 4)) else {}
    if draw(st.booleans()):
        facts["gpu.capability"] = draw(st.sampled_from([7.0, 7.5, 8.6]))
    if draw(st.booleans()):
        facts["gpu.vendor"] = "amd"
    facts["gpu.memory_gib"] = draw(st.sampled_from([6_000, 20_000, 40_000, 80_000, 200_000])) / GIB
    return Loadout("random", "recipeforge", tuple(equipped), tuple(settings), Context(facts))


@st.composite
def cases(draw: st.DrawFn, most_components: int = 9, always_budget: bool = False, always_batch: bool = False) -> tuple[Catalog, Loadout]:
    """A catalog and a loadout in it."""
    catalog = draw(catalogs(most_components, always_budget, always_batch))
    return catalog, draw(loadouts(catalog))


@st.composite
def preferences(draw: st.DrawFn, catalog: Catalog) -> Preferences:
    """Up to two things to keep and two to avoid: slots, components, parameters, groups of them."""
    names = st.sampled_from([*SLOTS, *catalog.components, *catalog.knobs, "batch", "data"])
    return Preferences(*(tuple(draw(st.lists(names, max_size=2))) for _ in range(2)))


@st.composite
def tangles(draw: st.DrawFn):
    """A catalog with many rules of a kind that asks for one of two, or forbids two together."""
    catalog = draw(catalogs(6))
    rules = dict(catalog.rules)
    for index in range(draw(st.integers(4, 10))):
        one, other, third = (draw(held_components(catalog.components)) for _ in range(3))
        pattern = All((one, other)) if draw(st.booleans()) else All((one, Not(other), Not(third)))
        code = f"RF2{index:03d}"
        rules[code] = Rule(code, code.lower(), "error", "", "", pattern, (), "T2", cues_of(pattern))
    tag = f"{catalog.hash}{hash(repr(rules))}"
    catalog = replace(catalog, rules=rules, hash=tag)
    return catalog, draw(loadouts(catalog))
