"""Keys that are read otherwise than they stand: deprecated ones, those of plugins, of other commands, and values out of range."""

import pytest
from test_dialects import AXOLOTL, LLAMA_FACTORY, TORCHTUNE, TRL

from recipeforge.api import check
from recipeforge.documents.edit import apply_edits
from recipeforge.schemas.diagnostic import Diagnostic


def found(text: str, code: str) -> list[Diagnostic]:
    return [d for d in check(text).diagnostics if d.code == code]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("noisy_embedding_alpha: 5  # kept", "neftune_noise_alpha: 5  # kept"),
        ("sequence_parallel_degree: 1", "context_parallel_size: 1"),
        ("fsdp_config:\n  fsdp_offload_params: true\n  fsdp_version: 2", "fsdp_config:\n  offload_params: true\n  fsdp_version: 2"),
        ("'liger_swiglu': true\nplugins: [axolotl.integrations.liger.LigerPlugin]", None),
    ],
)
def test_a_deprecated_key_is_told_and_renamed(old: str, new: str | None) -> None:
    text = AXOLOTL + old + "\n"
    (told,) = found(text, "RF0024")
    assert told.severity == "info"
    (fix,) = told.fixes
    edited = apply_edits(text, fix.edits)
    assert edited == AXOLOTL + (new or old.replace("liger_swiglu", "liger_glu_activation")) + "\n"
    assert not found(edited, "RF0024")


def test_a_deprecated_switch_becomes_a_word() -> None:
    text = AXOLOTL.replace("attn_implementation: flash_attention_2", "flash_attention: true  # fast")
    (told,) = found(text, "RF0024")
    assert apply_edits(text, told.fixes[0].edits) == text.replace("flash_attention: true", "attn_implementation: flash_attention_2")


@pytest.mark.parametrize("line", ["flash_attention: false", "xformers_attention:", "noisy_embedding_alpha: null"])
def test_a_deprecated_key_that_says_nothing_is_left_alone(line: str) -> None:
    assert not found(f"{AXOLOTL}{line}\n", "RF0024")


def test_a_deprecated_key_beside_the_new_one_is_left_to_rules() -> None:
    assert not found(f"{AXOLOTL}flash_attention: true\n", "RF0024")  # attn_implementation is there: a rule says what that does


@pytest.mark.parametrize(
    ("plugins", "count"),
    [
        ("", 1),
        ("plugins: [axolotl.integrations.cut_cross_entropy.CutCrossEntropyPlugin]\n", 1),
        ("plugins: [axolotl.integrations.liger.LigerPlugin]\n", 0),
        ("plugins:\n  - axolotl.integrations.liger.plugin.LigerPlugin\n", 0),
    ],
)
def test_a_key_of_a_plugin_that_is_not_loaded_is_ignored(plugins: str, count: int) -> None:
    told = found(f"{AXOLOTL}{plugins}liger_rope: true\n", "RF0023")
    assert len(told) == count
    assert all("LigerPlugin" in d.message and d.unread for d in told)
    assert not found(f"{AXOLOTL}{plugins}liger_rope: false\n", "RF0023")


def test_a_key_of_another_command_stops_training() -> None:
    text = LLAMA_FACTORY + "n_shot: 5\n"
    assert not found(text, "RF0002")  # what it is run with is not said
    (told,) = found(text + "do_train: true\n", "RF0002")
    assert "evaluate" in told.message


@pytest.mark.parametrize(("line", "wrong"), [("relora_prune_ratio: 1.5", True), ("relora_prune_ratio: 0.5", False), ("seed: -1", False)])
def test_a_number_out_of_range_is_refused(line: str, wrong: bool) -> None:
    assert bool(found(f"{AXOLOTL}{line}\n", "RF0006")) is wrong
    assert bool(found(TORCHTUNE.replace("batch_size: 2", "batch_size: 0"), "RF0006"))


def test_words_that_fit_a_pattern_are_known() -> None:
    assert not found(f"{AXOLOTL}chat_template: tokenizer_default_fallback_chatml\n", "RF0006")
    assert found(f"{AXOLOTL}chat_template: chatmll\n", "RF0006")


def test_axolotl_quantizes_to_ternary_weights_and_no_such_activations() -> None:
    assert not found(f"{AXOLOTL}qat: {{weight_dtype: ternary, activation_dtype: int8}}\n", "RF0006")
    assert found(f"{AXOLOTL}qat: {{weight_dtype: ternary, activation_dtype: ternary}}\n", "RF0006")


def test_a_schedule_that_the_trainer_has_not_is_refused() -> None:
    assert found(f"{TRL}lr_scheduler_type: cosin\n", "RF0006")
    assert not found(f"{TRL}lr_scheduler_type: warmup_stable_decay\n", "RF0006")


@pytest.mark.parametrize(
    ("old", "new", "code", "fixed"),
    [
        ("  lora_rank: 64", "  lora_rnk: 64", "RF0002", True),
        ("  lora_rank: 64", "  lora_rank: 64\n  nothing_like_it: 1", "RF0002", False),
        ("lora_llama3_2_1b", "lora_llama3_2_1bb", "RF0006", True),
        ("  max_seq_len: 4096", "  path: ${out_dir}/tokenizer.model", "RF0007", False),
        ("  lr: 2e-5", "  lr: 2e-5\n  learning_rate: 2e-5", "RF0002", False),
    ],
)
def test_parts_of_torchtune_take_their_arguments_alone(old: str, new: str, code: str, fixed: bool) -> None:
    assert not found(TORCHTUNE, code)
    text = TORCHTUNE.replace(old, new)
    (told,) = found(text, code)
    assert bool(told.fixes) is fixed
    for fix in told.fixes:
        assert apply_edits(text, fix.edits) == TORCHTUNE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("torchtune.models.llama3_2.lora_llama3_2_1b", "ours.models.mine"),
        ("  max_seq_len: 4096", "  max_seq_len: ${model.lora_rank}"),
        ("  max_seq_len: 4096", "  path: ${oc.env:HOME}/x"),
        ("llama3.llama3_tokenizer", "qwen2.qwen2_tokenizer\n  anything: 1"),  # this one takes any
    ],
)
def test_what_cannot_be_known_of_parts_is_not_judged(old: str, new: str) -> None:
    text = TORCHTUNE.replace(old, new)
    assert not [d for d in check(text).diagnostics if d.severity == "error" and d.code.startswith("RF0")]
