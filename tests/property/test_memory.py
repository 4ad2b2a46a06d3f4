"""What the solver takes for granted about the memory formula, on random models and recipes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from recipeforge.solver.memory import LAVISH, THRIFTY, Dims, Practice
from recipeforge.solver.memory_budget import COSTS, FEATURES, MEANS, MOMENTS, TERMS, Reader


@st.composite
def models(draw: st.DrawFn) -> Dims:
    """A decoder with gated MLP; its parameters follow from its shape."""
    layers, hidden, head_dim = draw(st.integers(1, 100)), draw(st.integers(64, 16384)), draw(st.integers(16, 256))
    heads, kv_heads, intermediate = draw(st.integers(1, 128)), draw(st.integers(1, 128)), draw(st.integers(64, 65536))
    vocab, tied = draw(st.integers(1000, 300_000)), draw(st.booleans())
    layer = hidden * (2 * heads * head_dim + 2 * kv_heads * head_dim + 3 * intermediate + 2)
    parameters = layers * layer + hidden + vocab * hidden * (1 if tied else 2)
    return Dims(parameters, layers, hidden, heads, kv_heads, head_dim, intermediate, vocab, tied)


DIMS = models()
VALUES = {
    "trains": ["base", "layers", "adapter", "vectors", "prompt"],
    "quantization": [None, (0.5625, True), (1.002, True), (0.52, False), (1.0, False)],
    "precision": [(4, 4, 4, False), (2, 4, 2, True), (2, 4, 2, False), (2, 2, 2, False), (4, 4, 2, False)],
    "state": [(0.0, False), (0.03, False), (2.05, False), (8.0, True), (16.0, False)],
    "rows": [1, 2],
    "shards": [None, "optimizer", "gradients", "weights"],
    "technique.rank": [1, 8, 64, 4096],
    "technique.targets": ["attention", "all-linear"],
    "technique.trainable_layers": [1, 2, 40],
    "technique.virtual_tokens": [1, 20, 400],
    "distributed.degree": [2, 4, 8],
    "batch.micro": [1, 2, 7, 64],
    "batch.accumulate": [1, 2, 16],
    "data.sequence_length": [1, 128, 4096, 131_072],
    "hardware.count": [1, 2, 8],
}
FLAGS = [False, True]
FEATURE_VALUES = st.fixed_dictionaries({f.name: st.sampled_from(VALUES.get(f.name, FLAGS)) for f in FEATURES})


PRACTICES = st.sampled_from([THRIFTY, LAVISH])


def term(name: str, dims: Dims, features: dict, practice: Practice) -> int:
    """One term, given only the features that it declares."""
    return Reader(dims, {f: features[f] for f in TERMS[name]}, practice).term(name)


@settings(max_examples=600, deadline=None)
@given(DIMS, FEATURE_VALUES, st.sampled_from(sorted(TERMS)), PRACTICES, st.data())
def test_a_term_never_falls_while_its_declared_cost_rises(dims, features, name, practice, data):
    feature = data.draw(st.sampled_from(sorted(COSTS[name])))
    order = COSTS[name][feature]
    values = sorted(VALUES.get(feature, FLAGS), key=order)
    amounts = [term(name, dims, features | {feature: value}, practice) for value in values]
    assert amounts == sorted(amounts), (feature, values)


@settings(max_examples=600, deadline=None)
@given(DIMS, FEATURE_VALUES, st.sampled_from(sorted(TERMS)), PRACTICES)
def test_a_term_never_falls_while_an_ascending_knob_rises(dims, features, name, practice):
    for knob in ("technique.rank", "batch.micro", "batch.accumulate", "data.sequence_length"):
        if knob in TERMS[name]:
            amounts = [term(name, dims, features | {knob: value}, practice) for value in VALUES[knob]]
            assert amounts == sorted(amounts), knob


@settings(max_examples=600, deadline=None)
@given(DIMS, FEATURE_VALUES, st.sampled_from(sorted(MEANS)), PRACTICES, st.data())
def test_values_alike_to_a_term_give_the_same_amount(dims, features, name, practice, data):
    feature = data.draw(st.sampled_from(sorted(MEANS[name])))
    meaning = MEANS[name][feature]
    first, second = data.draw(st.sampled_from(VALUES[feature])), data.draw(st.sampled_from(VALUES[feature]))
    if meaning(first) == meaning(second):
        assert term(name, dims, features | {feature: first}, practice) == term(name, dims, features | {feature: second}, practice)


@settings(max_examples=300, deadline=None)
@given(DIMS, FEATURE_VALUES, PRACTICES)
def test_no_term_is_negative(dims, features, practice):
    assert all(term(name, dims, features, practice) >= 0 for name in TERMS)


def test_every_term_is_alive_at_some_moment():
    assert {t for alive in MOMENTS.values() for t in alive} == set(TERMS)
