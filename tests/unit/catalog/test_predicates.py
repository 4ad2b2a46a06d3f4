"""Named arithmetic agrees with a naive reading of its sentence, and names are given once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipeforge.catalog.predicates import PREDICATES, PredicateRegistry
from recipeforge.schemas.errors import CatalogError

SMALL = st.integers(1, 64)
AMOUNT = st.floats(0, 200, allow_nan=False)
WORDS = st.lists(st.sampled_from(["jinja", "chatml"]), max_size=4).map(tuple)
COUNT = st.integers(1, 12) | st.sampled_from(["absent", "${batch}", True])
BOUND = st.floats(0, 2, allow_nan=False) | st.just("absent")
NAMES = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=4).map(",".join)


def divides(part, whole):
    """Whether `whole` is one of part, 2·part, 3·part …, found by counting instead of by a remainder."""
    total = 0
    while total < whole:
        total += part
    return total == whole


def given_and_left_over(whole, part):
    """Whether both are counts and the second does not divide the first."""
    return not {type(whole), type(part)} & {str, bool} and not divides(part, whole)


def share_left(decay, every, steps):
    """What is left of an average's first weights, update by update."""
    share = 1.0
    for step in range(1, steps + 1):
        share *= decay if step % every == 0 else 1.0
    return share


NAIVE = {
    "batch-not-divisible-by-generations": (
        {
            "hardware.count": st.integers(1, 4),
            "batch.micro": st.integers(1, 6),
            "batch.accumulate": st.integers(1, 6),
            "objective.generations": SMALL,
        },
        lambda v: not divides(v["objective.generations"], v["hardware.count"] * v["batch.micro"] * v["batch.accumulate"]),
    ),
    "micro-batch-not-divisible-by-generations": (
        {"hardware.count": st.integers(1, 4), "batch.micro": st.integers(1, 6), "objective.generations": SMALL},
        lambda v: not divides(v["objective.generations"], v["hardware.count"] * v["batch.micro"]),
    ),
    "sequence-beyond-context": (
        {"data.sequence_length": SMALL, "model.context_length": SMALL},
        lambda v: max(v["data.sequence_length"], v["model.context_length"]) != v["model.context_length"],
    ),
    "context-parallel-indivisible": (
        {"data.sequence_length": SMALL, "distributed.degree": st.integers(2, 8)},
        lambda v: not divides(v["distributed.degree"] + v["distributed.degree"], v["data.sequence_length"]),
    ),
    "heads-not-divisible-by-degree": (
        {"model.heads": SMALL, "distributed.degree": st.integers(2, 8)},
        lambda v: not divides(v["distributed.degree"], v["model.heads"]),
    ),
    "degree-beyond-devices": (
        {"distributed.degree": st.integers(2, 8), "hardware.count": st.integers(1, 8)},
        lambda v: v["distributed.degree"] not in range(v["hardware.count"] + 1),
    ),
    "wsd-decay-beyond-steps": (
        {"scheduler.decay_steps": SMALL, "train.steps": SMALL},
        lambda v: len(range(v["scheduler.decay_steps"], v["train.steps"])) == 0,
    ),
    "wsd-phases-beyond-steps": (
        {"scheduler.stable_steps": SMALL, "scheduler.decay_steps": SMALL, "train.steps": SMALL},
        lambda v: v["train.steps"] in range(v["scheduler.stable_steps"] + v["scheduler.decay_steps"]),
    ),
    "wsd-phases-short-of-steps": (
        {"scheduler.stable_steps": SMALL, "scheduler.decay_steps": SMALL, "train.steps": SMALL},
        lambda v: v["scheduler.stable_steps"] + v["scheduler.decay_steps"] in range(v["train.steps"]),
    ),
    "wsd-phases-and-warmup-short-of-steps": (
        {f"scheduler.{phase}_steps": st.integers(0, 16) for phase in ("warmup", "stable", "decay")} | {"train.steps": SMALL},
        lambda v: sum(v[f"scheduler.{phase}_steps"] for phase in ("warmup", "stable", "decay")) in range(v["train.steps"]),
    ),
    "floor-above-peak": (
        {"scheduler.min_lr": AMOUNT, "optimizer.learning_rate": AMOUNT},
        lambda v: max(v["scheduler.min_lr"], v["optimizer.learning_rate"]) == v["scheduler.min_lr"],
    ),
    "ema-longer-than-run": (
        {"averaging.decay": st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 1.0]), "averaging.every": st.integers(1, 8), "train.steps": SMALL},
        lambda v: share_left(v["averaging.decay"], v["averaging.every"], v["train.steps"]) > 0.5,
    ),
    "average-interval-beyond-steps": (
        {"averaging.every": SMALL, "train.steps": SMALL},
        lambda v: not any(step % v["averaging.every"] == 0 for step in range(1, v["train.steps"] + 1)),
    ),
    "kv-heads-not-divisible-by-degree": (
        {"model.kv_heads": SMALL, "distributed.degree": st.integers(2, 8)},
        lambda v: not divides(v["distributed.degree"], v["model.kv_heads"]),
    ),
    "devices-not-divisible-by-degree": (
        {"hardware.count": st.integers(1, 32), "distributed.degree": st.integers(2, 8)},
        lambda v: v["hardware.count"] in range(v["distributed.degree"], 33) and not divides(v["distributed.degree"], v["hardware.count"]),
    ),
    "heads-not-divisible-by-engine": (
        {"model.heads": SMALL, "export.tensor_parallel": st.integers(1, 8)},
        lambda v: not divides(v["export.tensor_parallel"], v["model.heads"]),
    ),
    "devices-not-divisible-by-rollout": (
        {"hardware.count": st.integers(1, 32), "rollout.tensor_parallel": st.integers(1, 8)},
        lambda v: not divides(v["rollout.tensor_parallel"], v["hardware.count"]),
    ),
    "rank-beyond-engine": (
        {"technique.rank": SMALL, "export.max_rank": SMALL},
        lambda v: v["technique.rank"] not in range(v["export.max_rank"] + 1),
    ),
    "rank-beyond-hidden": (
        {"technique.rank": SMALL, "model.hidden": SMALL},
        lambda v: v["technique.rank"] in range(v["model.hidden"] + 1, 65),
    ),
    "warmup-beyond-steps": (
        {"scheduler.warmup_steps": st.integers(0, 64), "train.steps": SMALL},
        lambda v: not set(range(v["train.steps"])) - set(range(v["scheduler.warmup_steps"])),
    ),
    "budget-beyond-gpu": (
        {"budget.memory_gib": AMOUNT, "gpu.memory_gib": AMOUNT},
        lambda v: v["gpu.memory_gib"] - v["budget.memory_gib"] < 0,
    ),
    "eval-every-not-multiple": (
        {"train.keep_best": st.booleans(), "train.save_every": SMALL, "eval.every": SMALL},
        lambda v: v["train.keep_best"] is True and not divides(v["eval.every"], v["train.save_every"]),
    ),
    "checkpoints-between-evaluations": (
        {"config.save_steps": SMALL | st.just(0.1), "config.eval_steps": SMALL | st.sampled_from([0.05, "absent", 0])},
        lambda v: (
            v["config.save_steps"] != 0.1
            and v["config.eval_steps"] in range(1, 65)
            and not divides(v["config.eval_steps"], v["config.save_steps"])
        ),
    ),
    "several-data-sets": ({"config.datasets[].path": WORDS}, lambda v: v["config.datasets[].path"][1:] != ()),
    "losses-and-weights-of-other-counts": (
        {"config.dpo_loss_type[]": WORDS, "config.dpo_loss_weights[]": WORDS},
        lambda v: [1 for _ in v["config.dpo_loss_type[]"]] != [1 for _ in v["config.dpo_loss_weights[]"]],
    ),
    "own-template-not-given": (
        {"config.datasets[].chat_template": WORDS, "config.datasets[].chat_template_jinja": WORDS},
        lambda v: (
            [word for word in v["config.datasets[].chat_template"] if word == "jinja"][len(v["config.datasets[].chat_template_jinja"]) :]
            != []
        ),
    ),
    "data-sets-and-probabilities-of-other-counts": (
        {"config.dataset": NAMES | st.sampled_from(["absent", "list"]), "config.interleave_probs": NAMES | st.just(0.5)},
        lambda v: (
            v["config.dataset"] not in ("absent", "list")
            and len(v["config.dataset"].split(",")) != len(str(v["config.interleave_probs"]).split(","))
        ),
    ),
    "losses-weighted-one-by-one": (
        {"config.loss_type[]": WORDS, "config.loss_weights[]": WORDS},
        lambda v: () not in v.values() and [1 for _ in v["config.loss_type[]"]] != [1 for _ in v["config.loss_weights[]"]],
    ),
    "generation-batch-of-partial-groups": (
        {"config.generation_batch_size": COUNT, "config.num_generations": COUNT},
        lambda v: given_and_left_over(v["config.generation_batch_size"], v["config.num_generations"]),
    ),
    "generation-batch-of-partial-steps": (
        {"config.generation_batch_size": COUNT, "config.per_device_train_batch_size": COUNT},
        lambda v: given_and_left_over(v["config.generation_batch_size"], v["config.per_device_train_batch_size"]),
    ),
    "sampling-correction-bounds-crossed": (
        {"config.vllm_importance_sampling_clip_min": BOUND, "config.vllm_importance_sampling_clip_max": BOUND},
        lambda v: (
            "absent" not in v.values() and not v["config.vllm_importance_sampling_clip_min"] < v["config.vllm_importance_sampling_clip_max"]
        ),
    ),
    "fractions-of-some": (
        {"config.datasets[].path": WORDS, "config.datasets[].fraction": WORDS},
        lambda v: v["config.datasets[].fraction"] != () and v["config.datasets[].path"][len(v["config.datasets[].fraction"]) :] != (),
    ),
    "fractions-of-streams": (
        {"config.datasets[].fraction": WORDS, "config.streaming": st.sampled_from([True, False, "absent"])},
        lambda v: bool(v["config.datasets[].fraction"]) and v["config.streaming"] not in (False, "absent"),
    ),
}


def test_every_predicate_has_its_naive_reading():
    assert set(NAIVE) == set(PREDICATES)


@pytest.mark.parametrize("name", sorted(NAIVE))
def test_it_says_it_both_ways(name):
    """Each predicate agrees on random values, and both answers occur."""
    domains, naive = NAIVE[name]
    seen = set()

    @given(st.fixed_dictionaries(domains))
    def agree(values):
        answer = PREDICATES[name].holds(values)
        assert answer is naive(values)
        seen.add(answer)

    agree()
    assert seen == {True, False}


@pytest.mark.parametrize("name", sorted(NAIVE))
def test_one_unknown_value_makes_it_unknown(name):
    predicate = PREDICATES[name]
    known = {subject: ("x",) if "[]" in subject else 1 for subject in predicate.subjects}
    assert predicate.holds(known) is not None
    for subject in predicate.subjects:
        assert predicate.holds(known | {subject: None}) is None
        assert predicate.holds({key: value for key, value in known.items() if key != subject}) is None


@pytest.mark.parametrize("name", sorted(NAIVE))
def test_it_says_what_it_means_and_who_says_so(name):
    assert PREDICATES[name].description.endswith(".") and PREDICATES[name].source


def test_a_name_is_given_once():
    registry = PredicateRegistry()

    @registry.register("odd", "batch.micro", source="Arithmetic.")
    def odd(micro: int) -> bool:
        """The micro-batch is odd."""
        return micro % 2 == 1

    with pytest.raises(CatalogError, match="'odd' is registered twice"):
        registry.register("odd", "batch.micro", source="Arithmetic.")(odd)
    assert list(registry) == ["odd"] and len(registry) == 1


@pytest.mark.parametrize(("subjects", "source", "doc"), [((), "s", "d"), (("batch.micro",), "", "d"), (("batch.micro",), "s", None)])
def test_it_has_to_say_what_it_reads_and_who_says_so(subjects, source, doc):
    def relation() -> bool:
        return True

    relation.__doc__ = doc
    with pytest.raises(CatalogError, match="needs subjects, a docstring and a source"):
        PredicateRegistry().register("x", *subjects, source=source)(relation)
