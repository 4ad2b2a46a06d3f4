"""Conditions as written mean what the tree says, and mistakes are named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipeforge.catalog.conditions import Vocabulary, parse_condition
from recipeforge.schemas.component import Component
from recipeforge.schemas.condition import All, AnyOf, Compare, Holds, IsSet, Not, Predicate
from recipeforge.schemas.errors import CatalogError
from recipeforge.schemas.recipe import Knob, Slot


def parsed(written, vocabulary):
    return parse_condition(written, "rules/x.yaml:3: RF1001: when", vocabulary)


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        ({"technique": "qlora"}, Holds("technique", ("qlora",))),
        ({"technique": ["lora", "dora"]}, Holds("technique", ("lora", "dora"))),
        ({"quantization": {"tag": "bnb"}}, Holds("quantization", ("bnb-4bit", "bnb-8bit"))),
        ({"quantization": {"tag": ["bnb"]}}, Holds("quantization", ("bnb-4bit", "bnb-8bit"))),
        ({"batch.micro": 4}, Compare("batch.micro", "eq", 4)),
        ({"batch.micro": [1, 2]}, AnyOf((Compare("batch.micro", "eq", 1), Compare("batch.micro", "eq", 2)))),
        ({"batch.micro": {"gt": 1, "le": 8}}, All((Compare("batch.micro", "gt", 1), Compare("batch.micro", "le", 8)))),
        ({"train.steps": {"set": True}}, IsSet("train.steps")),
        ({"train.steps": {"set": False}}, Not(IsSet("train.steps"))),
        ({"gpu.dtypes": {"has": "bf16"}}, Compare("gpu.dtypes", "has", "bf16")),
        ({"gpu.dtypes": {"lacks": "fp8"}}, Compare("gpu.dtypes", "lacks", "fp8")),
        ({"config.base_model": {"contains": "falcon"}}, Compare("config.base_model", "contains", "falcon")),
        ({"gpu.capability": {"lt": 8.0}}, Compare("gpu.capability", "lt", 8.0)),
        ({"packages.torch": {"lt": "2.6"}}, Compare("packages.torch", "lt", "2.6")),
        ({"budget.wall_clock": {"gt": "1h30m"}}, Compare("budget.wall_clock", "gt", 5400.0)),
        ({"framework": "axolotl"}, Compare("framework", "eq", "axolotl")),
        ({"model.quantized": "gptq"}, Compare("model.quantized", "eq", "gptq")),
        ({"predicate": "rank-beyond-hidden"}, Predicate("rank-beyond-hidden")),
        ({"not": {"technique": "full"}}, Not(Holds("technique", ("full",)))),
        (
            {"any": [{"technique": "full"}, {"technique": "lora", "batch.micro": 1}]},
            AnyOf((Holds("technique", ("full",)), All((Holds("technique", ("lora",)), Compare("batch.micro", "eq", 1))))),
        ),
        ({"all": [{"technique": "full"}]}, All((Holds("technique", ("full",)),))),
    ],
)
def test_each_form_has_its_tree(written, tree, vocabulary):
    assert parsed(written, vocabulary) == tree


@pytest.mark.parametrize("slot", ["export", "rollout"])
def test_any_and_none_speak_of_every_component_of_the_slot(slot, vocabulary):
    filled = Holds(slot, tuple(c.id for c in vocabulary.components.values() if c.slot == slot))
    assert len(filled.components) > 2
    assert parsed({slot: {"any": True}}, vocabulary) == filled
    assert parsed({slot: {"none": True}}, vocabulary) == Not(filled)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"optimizr": "adamw"}, "when.optimizr: no slot, knob or fact is called 'optimizr'; did you mean 'optimizer'?"),
        ({"batch.mico": 1}, "did you mean 'batch.micro'?"),
        ({"gpu.capabilty": 8}, "did you mean 'gpu.capability'?"),
        ({"qlora": True}, "'qlora' is a component; write `technique: qlora`"),
        ({"technique": "qlorra"}, "no component is called 'qlorra'; did you mean 'qlora'?"),
        ({"technique": "adamw"}, "'adamw' belongs to the slot 'optimizer', not to 'technique'"),
        ({"technique": 4}, "no component is called 4"),
        ({"technique": []}, "write {none: true} for an empty slot"),
        ({"quantization": {"tag": "4bit"}}, "no tag is called '4bit'; did you mean '4-bit'?"),
        ({"quantization": {"tag": "zzz"}}, "tags of quantization: 4-bit"),
        ({"averaging": {"tag": "zzz"}}, "no component of averaging has a tag"),
        ({"export": {"any": False}}, "write {none: true} instead of {any: False}"),
        ({"export": {"some": True}}, "a slot is tested by an id, a list of ids"),
        ({"export": {"any": True, "tag": "x"}}, "a slot is tested by an id, a list of ids"),
        ({"batch.micro": "four"}, "'four' is not a whole number"),
        ({"batch.micro": True}, "True is not a whole number"),
        ({"batch.micro": 0}, "0 is below the minimum 1"),
        ({"technique.dropout": 1.5}, "1.5 is above the maximum 1"),
        ({"batch.micro": []}, "the list of values is empty"),
        ({"batch.micro": {}}, "the test is empty"),
        ({"batch.micro": {"gte": 1}}, "no comparison is called 'gte'; did you mean 'ge'?"),
        ({"batch.micro": {"has": 1}}, "'batch.micro' is not a list, so `has` does not apply"),
        ({"data.packing": {"gt": 1}}, "'data.packing' is no number, so `gt` does not apply"),
        ({"technique.bias": "som"}, "'som' is not one of none, all, adapter-only"),
        ({"gpu.dtypes": "bf16"}, "'gpu.dtypes' is a list; test it with {has: …} or {lacks: …}"),
        ({"gpu.dtypes": {"eq": "bf16"}}, "'gpu.dtypes' is a list"),
        ({"gpu.dtypes": {"has": "bf61"}}, "'bf61' is not one of fp32"),
        ({"gpu.vendor": "nvidea"}, "did you mean 'nvidia'?"),
        ({"model.hidden": {"set": True}}, "a fact that is not known never fires a rule"),
        ({"packages.torch": {"lt": 2.6}}, "2.6 is not a version; write it in quotes"),
        ({"train.steps": {"set": "yes"}}, "`set` is true or false"),
        ({"budget.wall_clock": {"gt": "soon"}}, "'soon' is not a duration such as 2h"),
        ({"predicate": "rank-beyond-hiden"}, "did you mean 'rank-beyond-hidden'?"),
        ({"any": {"technique": "full"}}, "`any` takes a list of conditions"),
        ({"all": []}, "`all` takes a list of conditions"),
        ({"any": [{"technique": "full"}, {"tecnique": "full"}]}, "when.any[1].tecnique: no slot, knob or fact"),
        ({"not": ["technique"]}, "when.not: a condition is a mapping"),
        ({}, "the condition is empty"),
        ("technique", "a condition is a mapping of `subject: test`"),
    ],
)
def test_mistakes_are_named_with_their_place(written, says, vocabulary):
    with pytest.raises(CatalogError) as caught:
        parsed(written, vocabulary)
    assert str(caught.value).startswith("rules/x.yaml:3: RF1001: when")
    assert says in str(caught.value)


def test_a_bound_may_lie_outside_the_range_of_its_knob(vocabulary):
    assert parsed({"batch.micro": {"gt": 0.5}}, vocabulary) == Compare("batch.micro", "gt", 0.5)


# A written condition and its tree are evaluated by two independent readings and must agree in every world.

TINY = Vocabulary(
    slots={s: Slot(s, s, "", "many") for s in ("left", "right")},
    knobs={k: Knob(k, "int", "") for k in ("g.a", "g.b")},
    components={
        c: Component(c, slot, c, "", "", tags=tags)
        for c, slot, tags in (
            ("l1", "left", ("t",)),
            ("l2", "left", ("t", "u")),
            ("l3", "left", ()),
            ("r1", "right", ("u",)),
            ("r2", "right", ()),
        )
    },
)
SLOT_IDS = {"left": ("l1", "l2", "l3"), "right": ("r1", "r2")}
TAGGED = {("left", "t"): {"l1", "l2"}, ("left", "u"): {"l2"}, ("right", "u"): {"r1"}}
RELATIONS = {
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
}


def slot_tests(slot):
    ids = st.sampled_from(SLOT_IDS[slot])
    tags = st.sampled_from([tag for owner, tag in TAGGED if owner == slot])
    return st.one_of(
        ids,
        st.lists(ids, min_size=1, max_size=3),
        tags.map(lambda t: {"tag": t}),
        st.lists(tags, min_size=1, max_size=2).map(lambda t: {"tag": t}),
        st.sampled_from([{"any": True}, {"none": True}]),
    )


NUMBERS = st.integers(-2, 3)
VALUE_TESTS = st.one_of(
    NUMBERS,
    st.lists(NUMBERS, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(sorted(RELATIONS)), NUMBERS, min_size=1, max_size=2),
    st.booleans().map(lambda b: {"set": b}),
)
LEAVES = st.fixed_dictionaries(
    {}, optional={"left": slot_tests("left"), "right": slot_tests("right"), "g.a": VALUE_TESTS, "g.b": VALUE_TESTS}
)
WRITTEN = st.recursive(
    LEAVES.filter(bool),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        inner.map(lambda part: {"not": part}),
        st.tuples(LEAVES, inner).map(lambda pair: {**pair[0], "not": pair[1]}),
    ),
    max_leaves=6,
)
WORLDS = st.fixed_dictionaries(
    {
        "left": st.sets(st.sampled_from(SLOT_IDS["left"])),
        "right": st.sets(st.sampled_from(SLOT_IDS["right"])),
        "g.a": st.none() | NUMBERS,
        "g.b": st.none() | NUMBERS,
    }
)


def read_written(written, world):
    return all(read_test(subject, test, world) for subject, test in written.items())


def read_test(subject, test, world):
    if subject == "any":
        return any(read_written(part, world) for part in test)
    if subject == "all":
        return all(read_written(part, world) for part in test)
    if subject == "not":
        return not read_written(test, world)
    held = world[subject]
    if subject in SLOT_IDS:
        if test == {"any": True}:
            return bool(held)
        if test == {"none": True}:
            return not held
        if isinstance(test, dict):
            tags = test["tag"] if isinstance(test["tag"], list) else [test["tag"]]
            return any(held & TAGGED[subject, tag] for tag in tags)
        return bool(held & set(test if isinstance(test, list) else [test]))
    if isinstance(test, dict):
        return all((held is not None) == v if op == "set" else held is not None and RELATIONS[op](held, v) for op, v in test.items())
    return held is not None and held in (test if isinstance(test, list) else [test])


def read_tree(tree, world):
    match tree:
        case All(parts):
            return all(read_tree(part, world) for part in parts)
        case AnyOf(parts):
            return any(read_tree(part, world) for part in parts)
        case Not(inner):
            return not read_tree(inner, world)
        case Holds(slot, components):
            return bool(world[slot] & set(components))
        case Compare(subject, op, value):
            return world[subject] is not None and RELATIONS[op](world[subject], value)
        case IsSet(subject):
            return world[subject] is not None


@settings(max_examples=500, deadline=None)
@given(WRITTEN, WORLDS)
def test_the_tree_says_what_was_written(written, world):
    assert read_tree(parse_condition(written, "here", TINY), world) == read_written(written, world)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=True) | st.sampled_from(["left", "l1", "g.a", "t", "nope", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["left", "g.a", "any", "not", "tag", "set", "lt", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(JUNK)
def test_junk_is_refused_by_name_or_read(written):
    try:
        parse_condition(written, "here", TINY)
    except CatalogError as error:
        assert str(error).startswith("here")
