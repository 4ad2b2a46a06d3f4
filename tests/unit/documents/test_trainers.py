"""Which trainer a TRL file is for: said by its keys, or left open; what is left open fires nothing."""

import pytest

from recipeforge.api.checking import catalog_for, read_loadout
from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.schemas.loadout import Loadout
from recipeforge.solver.case import case_of

BASE = "model_name_or_path: Qwen/Qwen2.5-0.5B\ndataset_name: org/rows\nlearning_rate: 5.0e-7\npadding_free: true\nmax_length: 1024\n"


def loadout_of(text: str):
    loadout, _ = read_loadout(parse(text, "run.yaml"), load(), {"dialect": "trl"})
    assert loadout is not None
    return loadout


@pytest.mark.parametrize(
    ("more", "objective"),
    [
        ("beta: 0.1\n", "dpo"),
        ("desirable_weight: 1.0\n", "kto"),
        ("center_rewards_coefficient: 0.01\n", "reward"),
        ("packing: false\n", "sft"),
        ("assistant_only_loss: true\n", "sft"),
    ],
)
def test_the_keys_that_only_one_trainer_reads_say_the_objective(more, objective):
    text = BASE.replace("padding_free: true\n", "") if objective in ("kto", "reward") else BASE
    loadout = loadout_of(text + more)
    assert loadout.component_in("objective") == objective
    assert "objective" not in loadout.context.facts["unsettled"]


def broken_by(loadout: Loadout) -> frozenset[str]:
    return case_of(catalog_for(load(), loadout), loadout).broken


def test_a_file_for_any_trainer_leaves_the_objective_open():
    loadout = loadout_of(BASE)
    assert loadout.component_in("objective") is None
    assert {"hardware.count", "objective"} <= set(loadout.context.facts["unsettled"])


def test_what_is_left_open_fires_no_rule_about_it():
    """`padding_free` with a length limit is refused by TRL's SFT trainer alone; `trl dpo` takes the same file."""
    open_, sft = loadout_of(BASE), loadout_of(BASE + "packing: false\n")
    for loadout, fires in ((open_, False), (sft, True)):
        solved = case_of(load(), loadout)
        assert ("RF5301" in solved.broken) is fires
        assert ("RF5301" in solved.world.violated(solved.written)) is fires


def test_how_many_devices_there_are_is_said_at_the_launch():
    text = BASE + "packing: false\n"
    assert "hardware.count" in loadout_of(text).context.facts["unsettled"]
    loadout, _ = read_loadout(parse(text, "run.yaml"), load(), {"dialect": "trl", "hardware.count": 4})
    assert loadout is not None and loadout.value_of("hardware.count") == 4
    assert "hardware.count" not in loadout.context.facts["unsettled"]


def test_a_micro_batch_that_the_file_leaves_to_the_trainer_is_not_that_of_a_recipe():
    """KTO asks for two sequences at once; TRL takes eight where nobody says how many, and a recipe takes one."""
    text = BASE.replace("padding_free: true\n", "") + "desirable_weight: 1.0\n"
    for more, fires in (("", False), ("per_device_train_batch_size: 1\n", True), ("per_device_train_batch_size: 2\n", False)):
        assert ("RF5103" in broken_by(loadout_of(text + more))) is fires
    assert "RF5103" not in broken_by(loadout_of(text + "per_device_train_batch_size: 1\nloss_type: apo_zero_unpaired\n"))


def test_a_batch_of_generations_is_not_taken_for_the_step():
    text = BASE.replace("padding_free: true\nmax_length: 1024\n", "") + "num_generations: 8\nimportance_sampling_level: sequence\n"
    for more, fires in (("", True), ("generation_batch_size: 8\n", False), ("steps_per_generation: 2\n", False)):
        loadout, _ = read_loadout(
            parse(text + "per_device_train_batch_size: 2\n" + more, "run.yaml"), load(), {"dialect": "trl", "hardware.count": 2}
        )
        assert loadout is not None and loadout.component_in("objective") == "grpo"
        assert ("RF5101" in case_of(load(), loadout).broken) is fires


def test_an_attention_that_the_catalog_lacks_is_not_the_default():
    assert "attention" in loadout_of(BASE + "attn_implementation: somebody/own-kernel\n").context.facts["unsettled"]
    assert "attention" not in loadout_of(BASE + "attn_implementation: sdpa\n").context.facts["unsettled"]
