"""Other tools' configurations: recognised by content, read with places, edited in their own words."""

from pathlib import Path

import pytest

from recipeforge.api import check, solve
from recipeforge.api.checking import document_of
from recipeforge.documents.dialects.dialect import dialect_of, dialects
from recipeforge.documents.dialects.marks import MARKS
from recipeforge.documents.edit import apply_edits, edits_for
from recipeforge.schemas.change import Change
from recipeforge.schemas.report import FileReport

AXOLOTL = """\
# ours
base_model: HuggingFaceTB/SmolLM2-135M
adapter: qlora   # small
load_in_4bit: true
lora_r: 16
lora_target_linear: true
datasets:
  - path: ./train.jsonl
    type: alpaca
sequence_len: 1024
sample_packing: true
attn_implementation: flash_attention_2
micro_batch_size: 2
gradient_accumulation_steps: 4
optimizer: adamw_bnb_8bit
lr_scheduler: cosine
learning_rate: 2e-4
warmup_ratio: 0.1
bf16: auto
gradient_checkpointing: true
"""
LLAMA_FACTORY = """\
model_name_or_path: HuggingFaceTB/SmolLM2-135M
stage: dpo
pref_loss: orpo
finetuning_type: lora
lora_rank: 8
quantization_bit: 4
dataset: identity
template: llama3
cutoff_len: 2048
packing: true
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 1.0e-4
lr_scheduler_type: cosine
bf16: true
flash_attn: fa2
"""
TRL = """\
model_name_or_path: HuggingFaceTB/SmolLM2-135M
dataset_name: ours/chat
output_dir: ./out
use_peft: true
lora_r: 32
load_in_4bit: true
per_device_train_batch_size: 4
attn_implementation: sdpa
gradient_checkpointing: false
max_length: 512
"""
TORCHTUNE = """\
model:
  _component_: torchtune.models.llama3_2.lora_llama3_2_1b
  lora_rank: 64
tokenizer:
  _component_: torchtune.models.llama3.llama3_tokenizer
  max_seq_len: 4096
checkpointer:
  _component_: torchtune.training.FullModelHFCheckpointer
dataset:
  _component_: torchtune.datasets.alpaca_cleaned_dataset
  packed: true
optimizer:
  _component_: bitsandbytes.optim.PagedAdamW8bit
  lr: 2e-5
lr_scheduler:
  _component_: torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup
  num_warmup_steps: 100
batch_size: 2
gradient_accumulation_steps: 8
enable_activation_checkpointing: true
dtype: bf16
"""
EXPECTED = {
    "axolotl": (
        AXOLOTL,
        {"qlora", "bnb-4bit", "adamw-8bit", "cosine", "bf16", "flash-attention-2", "gradient-checkpointing"},
        {"technique.rank": 16, "data.packing": True, "data.sequence_length": 1024, "batch.accumulate": 4, "optimizer.learning_rate": 2e-4},
    ),
    "llamafactory": (
        LLAMA_FACTORY,
        {"lora", "orpo", "bnb-4bit", "cosine", "bf16", "flash-attention-2", "gradient-checkpointing"},
        {"technique.rank": 8, "data.packing": True, "data.sequence_length": 2048, "batch.micro": 1, "batch.accumulate": 8},
    ),
    "trl": (
        TRL,
        {"lora", "bnb-4bit", "sdpa", "bf16"},
        {"technique.rank": 32, "batch.micro": 4, "data.sequence_length": 512},
    ),
    "torchtune": (
        TORCHTUNE,
        {"lora", "paged-adamw-8bit", "cosine", "pure-bf16", "gradient-checkpointing"},
        {"technique.rank": 64, "data.packing": True, "data.sequence_length": 4096, "batch.micro": 2, "scheduler.warmup_steps": 100},
    ),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_configuration_is_recognised_and_read(name: str) -> None:
    text, components, settings = EXPECTED[name]
    loadout = check(text).loadout
    assert loadout is not None
    assert loadout.dialect == name
    assert loadout.context.facts["framework"] == dialects()[name].framework
    assert {e.component for e in loadout.equipped} == components
    assert settings.items() <= {s.knob: s.value for s in loadout.settings}.items()


def test_every_dialect_has_an_example_here() -> None:
    assert sorted(dialects()) == sorted(EXPECTED) == sorted(MARKS)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_other_dialect_claims_it(name: str) -> None:
    document = document_of(EXPECTED[name][0])
    keys = {line.split(":")[0] for line in EXPECTED[name][0].splitlines() if line[:1].isalpha()}
    assert [other for other, marks in MARKS.items() if all(any_of & keys for any_of in marks)] == [name]
    assert dialect_of(document) is dialects()[name]


@pytest.mark.parametrize(
    "text",
    ["services:\n  web: {image: nginx}\n", "model: x\ntechnique: lora\n", "base_model: x\nversion: 2\n", "recipeforge: 1\n" + AXOLOTL],
)
def test_what_is_none_of_them_is_left_alone(text: str) -> None:
    assert dialect_of(document_of(text)) is None


def test_places_are_those_of_the_file() -> None:
    loadout = check(AXOLOTL).loadout
    assert loadout is not None
    lines = AXOLOTL.splitlines()
    for subject, line in (
        ("qlora", "adapter: qlora   # small"),
        ("bnb-4bit", "load_in_4bit: true"),
        ("batch.micro", "micro_batch_size: 2"),
    ):
        assert lines[loadout.span_of(subject).start.line] == line


def test_auto_is_what_the_gpu_can() -> None:
    held = {gpu: {e.component for e in found.equipped} for gpu in ("t4", "a100-80gb") if (found := check(AXOLOTL, gpu=gpu).loadout)}
    assert "fp16" in held["t4"]
    assert "bf16" in held["a100-80gb"]


def test_rules_speak_of_the_file_and_fixes_are_in_its_words() -> None:
    text = AXOLOTL.replace("load_in_4bit: true\n", "")
    report = check(text)
    (found,) = [d for d in report.diagnostics if d.code == "RF1001"]
    assert text.splitlines()[found.primary.span.start.line] == "adapter: qlora   # small"
    assert found.citations
    fixed = apply_edits(text, found.fixes[0].edits)
    assert fixed == AXOLOTL


def test_fixes_and_repairs_that_the_dialect_cannot_say_are_not_offered() -> None:
    report = check(AXOLOTL.replace("load_in_4bit: true\n", ""))
    assert all(fix.edits for d in report.diagnostics for fix in d.fixes)
    (best, *_) = solve(AXOLOTL.replace("load_in_4bit: true\n", ""), gpu="t4")
    assert best.edits


CHANGES = {
    "axolotl": [
        (Change("replace", slot="attention", component="sdpa", previous="flash-attention-2"), "attn_implementation: sdpa"),
        (Change("replace", slot="optimizer", component="adamw", previous="adamw-8bit"), "optimizer: adamw_torch"),
        (Change("set", knob="batch.micro", value=1), "micro_batch_size: 1"),
        (Change("replace", slot="technique", component="lora", previous="qlora"), "adapter: lora   # small"),
        (Change("add", slot="kernels", component="tf32"), "tf32: true"),
    ],
    "llamafactory": [
        (Change("replace", slot="quantization", component="bnb-8bit", previous="bnb-4bit"), "quantization_bit: 8"),
        (Change("replace", slot="attention", component="sdpa", previous="flash-attention-2"), "flash_attn: sdpa"),
        (Change("set", knob="data.sequence_length", value=1024), "cutoff_len: 1024"),
        (Change("add", slot="optimizer", component="adamw-8bit"), "optim: adamw_8bit"),
    ],
    "trl": [
        (Change("add", slot="memory", component="gradient-checkpointing"), "gradient_checkpointing: true"),
        (Change("set", knob="batch.accumulate", value=8), "gradient_accumulation_steps: 8"),
        (Change("replace", slot="attention", component="eager", previous="sdpa"), "attn_implementation: eager"),
    ],
    "torchtune": [
        (Change("replace", slot="optimizer", component="adamw", previous="paged-adamw-8bit"), "  _component_: torch.optim.AdamW"),
        (Change("add", slot="memory", component="activation-offloading"), "enable_activation_offloading: true"),
        (Change("set", knob="technique.rank", value=8), "  lora_rank: 8"),
    ],
}


@pytest.mark.parametrize(("name", "change", "line"), [(n, c, line) for n, some in CHANGES.items() for c, line in some])
def test_a_change_is_one_line_of_the_dialect(name: str, change: Change, line: str) -> None:
    text = EXPECTED[name][0]
    report = check(text)
    edited = edited_by(report, change)
    before, after = text.splitlines(), edited.splitlines()
    assert line in after
    assert len(set(before) ^ set(after)) <= 2
    again = check(edited).loadout
    assert again is not None
    if change.component:
        assert change.component in {e.component for e in again.equipped}


def test_a_drop_takes_the_key_out() -> None:
    report = check(AXOLOTL)
    edited = edited_by(report, Change("drop", slot="memory", component="gradient-checkpointing"))
    assert edited == AXOLOTL.replace("gradient_checkpointing: true\n", "")


@pytest.mark.parametrize(
    ("text", "slot", "component", "old", "new"),
    [
        (LLAMA_FACTORY, "memory", "gradient-checkpointing", "", "disable_gradient_checkpointing: true\n"),
        (TRL.replace("gradient_checkpointing: false\n", ""), "memory", "gradient-checkpointing", "", "gradient_checkpointing: false\n"),
        (TRL + "bf16: true\n", "precision", "bf16", "bf16: true\n", "bf16: false\n"),
    ],
)
def test_what_is_there_unless_it_is_turned_off_is_turned_off(text: str, slot: str, component: str, old: str, new: str) -> None:
    assert edited_by(check(text), Change("drop", slot=slot, component=component)) == text.replace(old or "\0", "") + new


def test_what_stands_by_default_and_has_no_off_switch_cannot_be_taken_out() -> None:
    text = AXOLOTL.replace("lr_scheduler: cosine\n", "")
    report = check(text)
    assert report.loadout is not None and report.loadout.component_in("scheduler") == "cosine"
    change = Change("drop", slot="scheduler", component="cosine")
    assert edits_for(document_of(text), report.loadout, catalog(), [change]) == ()


def test_auto_means_the_same_while_it_is_edited() -> None:
    """On a T4, `bf16: auto` is fp16 already: nothing has to be written for that, and an edit elsewhere leaves it so."""
    report = check(AXOLOTL, gpu="t4")
    edited = edited_by(report, Change("replace", slot="attention", component="sdpa", previous="flash-attention-2"))
    assert edited == AXOLOTL.replace("flash_attention_2", "sdpa")
    assert edited_by(report, Change("replace", slot="precision", component="bf16", previous="fp16")) == AXOLOTL.replace("auto", "true")


EVALUATED = "eval_strategy: epoch\nload_best_model_at_end: true\n"


@pytest.mark.parametrize(
    ("text", "lines", "strategy"),
    [
        (TRL, "eval_strategy: epoch\n", "epoch"),
        (TRL, "evaluation_strategy: steps\n", "steps"),
        (TRL, "eval_strategy: 'no'\n", "none"),
        (TRL, "eval_strategy: no\n", "none"),
        (TRL, "eval_steps: 10\n", None),
        (LLAMA_FACTORY, "eval_strategy: steps\neval_steps: 500\nval_size: 0.1\n", "steps"),
        (AXOLOTL, "val_set_size: 0\n", "none"),
        (AXOLOTL, "val_set_size: 0.1\neval_steps: 50\n", "steps"),
        (AXOLOTL, "val_set_size: 0.1\nevals_per_epoch: 4\n", "steps"),
        (AXOLOTL, "test_datasets: [{path: x}]\neval_strategy: epoch\n", "epoch"),
    ],
)
def test_when_held_out_rows_are_looked_at_is_read(text: str, lines: str, strategy: str | None) -> None:
    loadout = check(text + lines).loadout
    assert loadout is not None and loadout.value_of("eval.strategy") == strategy


@pytest.mark.parametrize("text", [TRL, LLAMA_FACTORY.replace("stage: dpo\npref_loss: orpo", "stage: sft")])
def test_the_best_checkpoint_of_those_that_are_evaluated_can_be_kept(text: str) -> None:
    assert "RF5218" not in {d.code for d in check(text + EVALUATED).diagnostics}
    lacking = check(text + "load_best_model_at_end: true\n")
    (found,) = [d for d in lacking.diagnostics if d.code == "RF5218"]
    assert "eval_strategy: epoch\n" in [e.text for fix in found.fixes for e in fix.edits] or text is not TRL


def test_an_interval_that_nothing_counts_is_none() -> None:
    """`save_steps` beside `save_strategy: epoch` is never looked at, so it clashes with nothing."""
    report = check(TRL + EVALUATED + "save_strategy: epoch\nsave_steps: 500\n")
    assert report.loadout is not None and report.loadout.value_of("train.save_every") is None
    assert "RF5226" not in {d.code for d in report.diagnostics}


@pytest.mark.parametrize("word", ["max-autotune-no-cudagraphs", "17"])
def test_a_word_that_a_knob_does_not_admit_is_left_out(word: str) -> None:
    loadout = check(f"{TRL}torch_compile: true\ntorch_compile_mode: {word}\n").loadout
    assert loadout is not None and loadout.value_of("kernels.mode") is None


def test_a_length_of_none_cuts_nothing() -> None:
    unlimited = TRL.replace("max_length: 512", "max_length: null") + "padding_free: true\npacking: false\n"
    loadout = check(unlimited).loadout
    assert loadout is not None
    assert loadout.value_of("data.truncation") == "none"
    assert "RF5301" not in {d.code for d in check(unlimited).diagnostics}
    assert "RF5301" in {d.code for d in check(unlimited.replace("max_length: null", "max_length: 512")).diagnostics}


@pytest.mark.parametrize(
    ("line", "knob", "value"),
    [
        ("truncation_mode: keep_end", "data.truncation", "keep-end"),
        ("packing_strategy: bfd_split", "data.packing_strategy", "bfd-split"),
        ("assistant_only_loss: true", "objective.assistant_only", True),
        ("dataloader_num_workers: 4", "data.workers", 4),
    ],
)
def test_words_of_trl_are_ours(line: str, knob: str, value: object) -> None:
    loadout = check(f"{TRL}{line}\n").loadout
    assert loadout is not None
    assert loadout.value_of(knob) == value


@pytest.mark.parametrize(
    ("lines", "knob", "value"),
    [
        ("lr_scheduler: cosine_with_restarts\nlr_scheduler_kwargs: {num_cycles: 3}", "scheduler.cycles", 3),
        ("lr_scheduler: warmup_stable_decay\nlr_scheduler_kwargs: {num_decay_steps: 100}", "scheduler.decay_steps", 100),
        ("lr_scheduler: cosine_with_min_lr\nlr_scheduler_kwargs: {min_lr_rate: 0.1}", "scheduler.min_lr_ratio", 0.1),
        ("lr_scheduler: cosine\nlr_scheduler_kwargs: {num_cycles: 0.5}", "scheduler.cycles", None),
    ],
)
def test_arguments_of_schedules_are_read(lines: str, knob: str, value: object) -> None:
    report = check(AXOLOTL.replace("lr_scheduler: cosine", lines))
    assert report.loadout is not None and report.loadout.value_of(knob) == value
    assert not [d for d in report.diagnostics if d.code.startswith("RF3") or d.code == "RF0015"]


@pytest.mark.parametrize(
    ("written", "value"),
    [("'{\"num_decay_steps\": 100}'", 100), ("'{\"num_decay_steps\": [1]}'", None), ("'num_decay_steps=100'", None), ("'[1]'", None)],
)
def test_arguments_of_a_schedule_may_stand_in_a_word_of_json(written: str, value: object) -> None:
    report = check(f"{TRL}lr_scheduler_type: warmup_stable_decay\nlr_scheduler_kwargs: {written}\n")
    assert report.loadout is not None and report.loadout.value_of("scheduler.decay_steps") == value
    assert ("RF3053" in [d.code for d in report.diagnostics]) == (value is None)


@pytest.mark.parametrize(
    ("modules", "target"),
    [("[q_proj, v_proj]", "attention"), ("[up_proj]", "mlp"), ("[self_attn, mlp]", "all-linear"), ("all-linear", "all-linear")],
)
def test_what_a_low_rank_optimizer_projects_is_read(modules: str, target: str) -> None:
    text = AXOLOTL.replace("optimizer: adamw_bnb_8bit", f"optimizer: galore_adamw\noptim_target_modules: {modules}")
    report = check(text)
    assert report.loadout is not None and report.loadout.value_of("optimizer.target_modules") == target
    assert "RF3013" not in {d.code for d in report.diagnostics}


def test_neat_packing_keeps_rows_apart_and_plain_packing_does_not() -> None:
    plain = LLAMA_FACTORY.replace("stage: dpo\npref_loss: orpo\n", "stage: sft\n").replace("flash_attn: fa2", "flash_attn: sdpa")
    (found,) = [d for d in check(plain).diagnostics if d.code == "RF5312"]
    assert [e.text for fix in found.fixes for e in fix.edits] == ["neat_packing: true\n", "false"]
    assert "RF5312" not in {d.code for d in check(f"{plain}neat_packing: true\n").diagnostics}


def test_a_deepspeed_file_beside_the_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "ds.json").write_text('{"zero_optimization": {"stage": 3, "offload_param": {"device": "cpu"}}}')
    file = tmp_path / "config.yml"
    file.write_text(AXOLOTL + "deepspeed: ds.json\n")
    loadout = check(file).loadout
    assert loadout is not None
    assert "zero-3" in loadout.components_in("distributed")
    assert loadout.value_of("distributed.offload") is True


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("deepspeed: nowhere.json\n", ["RF0022"]),
        ("deepspeed: deepspeed_configs/zero2.json\n", []),
        ("deepspeed: {zero_optimization: {stage: 2}}\n", []),
        ("deepspeed:\n", []),
    ],
)
def test_a_file_that_is_not_there_is_said_so(written: str, codes: list[str]) -> None:
    report = check(AXOLOTL + written)
    assert [d.code for d in report.diagnostics if d.code == "RF0022"] == codes


@pytest.mark.parametrize("inside", ["", "[1, 2]", "{", '{"zero_optimization": 3}', "\x00\xff", "[" * 100_000])
def test_a_broken_companion_is_no_crash(tmp_path: Path, inside: str) -> None:
    (tmp_path / "ds.json").write_text(inside, encoding="latin-1")
    file = tmp_path / "config.yml"
    file.write_text(AXOLOTL + "deepspeed: ds.json\n")
    assert check(file).loadout is not None


def catalog():
    from recipeforge.catalog.load import load

    return load()


def edited_by(report: FileReport, change: Change) -> str:
    assert report.loadout is not None
    edits = edits_for(document_of(report.text), report.loadout, catalog(), [change])
    assert edits, change
    return apply_edits(report.text, edits)


@pytest.mark.parametrize("empty", ["[]", "", "''", "{}"])
def test_an_empty_value_of_a_key_counts_as_none(empty: str) -> None:
    """Axolotl refuses a layer pattern without layers, and reads an empty pattern as no pattern."""
    named, unnamed = (check(f"{AXOLOTL}peft_layers_pattern: {value}\n") for value in ("[layers]", empty))
    assert "RF1604" in {d.code for d in named.diagnostics}
    assert "RF1604" not in {d.code for d in unnamed.diagnostics}


def test_llamafactorys_v1_is_named_and_not_read() -> None:
    """Another program under the same name, with keys of its own: neither a recipe nor what the rules about LLaMA-Factory speak of."""
    v1 = "model: x/y\nmodel_class: llm\npeft_config: {name: lora, r: 16}\ntrain_dataset: data.yaml\nmicro_batch_size: 1\n"
    report = check(v1)
    assert report.loadout is None
    (told,) = report.diagnostics
    assert told.code == "RF0009" and "LLaMA-Factory's v1, which is not read" in told.message
    assert "v1" not in check("model: x/y\ntechnique: lora\n").diagnostics[0].message


@pytest.mark.parametrize(("word", "value"), [("bfloat16", "bf16"), ("uint8", "uint8")])
def test_trl_says_in_what_numbers_4_bit_weights_are_packed(word: str, value: str) -> None:
    text = TRL + f"use_peft: true\nload_in_4bit: true\nbnb_4bit_quant_storage: {word}\n"
    loadout = check(text).loadout
    assert loadout is not None and loadout.value_of("quantization.quant_storage") == value


@pytest.mark.parametrize(("backend", "precision"), [("te", "fp8-te"), ("torchao", "fp8")])
def test_llamafactory_says_whose_fp8_it_is(backend: str, precision: str) -> None:
    loadout = check(LLAMA_FACTORY.replace("bf16: true\n", "") + f"fp8: true\nfp8_backend: {backend}\n").loadout
    assert loadout is not None and precision in {e.component for e in loadout.equipped}
