"""Document → loadout: what is read, where it stands, and every problem at once with its place and its fix."""

import pytest
from small_catalog import CATALOG

from recipeforge.documents.edit import apply_edits
from recipeforge.documents.interpretation import MAX_FINDINGS
from recipeforge.documents.parse import parse
from recipeforge.documents.read import ReadResult, read
from recipeforge.schemas.diagnostic import Diagnostic

_HEAD = "recipeforge: 1\nmodel: tiny\ntechnique: lora\n"


def _read(text: str) -> ReadResult:
    return read(parse(text), CATALOG)


def _only(text: str) -> Diagnostic:
    found = _read(text).diagnostics
    assert len(found) == 1, [(d.code, d.message) for d in found]
    return found[0]


def _shown(text: str, diagnostic: Diagnostic) -> str:
    lines, span = text.split("\n"), diagnostic.primary.span
    assert span.start.line == span.end.line
    return lines[span.start.line][span.start.column : span.end.column]


def _fixed(text: str, diagnostic: Diagnostic, index: int = 0) -> str:
    return apply_edits(text, diagnostic.fixes[index].edits)


def test_a_whole_recipe_is_read_with_places() -> None:
    text = """\
recipeforge: 1
name: first
model: org/tiny-100M  # a hub id
technique: {use: qlora, rank: 16, alpha: 32}
quantization: nf4
optimizer:
  use: adamw_bnb_8bit
  learning_rate: 2e-4
memory: [gradient-checkpointing, {use: activation-offloading}]
distributed:
  - use: fsdp2
    offload: true
  - context-parallel
data: {source: ./train.jsonl, packing: yes}
hardware: {gpu: Tesla T4, count: 2}
budget: {wall_clock: 2h}
framework: trl
packages: {Torch: 2.10, flash_attn: "2.7.4.post1"}
seed: 17
"""
    result = _read(text)
    assert result.diagnostics == ()
    loadout = result.loadout
    assert loadout is not None
    assert [(e.slot, e.component) for e in loadout.equipped] == [
        ("technique", "qlora"),
        ("quantization", "bnb-4bit"),
        ("optimizer", "adamw-8bit"),
        ("memory", "gradient-checkpointing"),
        ("memory", "activation-offloading"),
        ("distributed", "fsdp2"),
        ("distributed", "context-parallel"),
    ]
    assert {s.knob: s.value for s in loadout.settings} == {
        "technique.rank": 16,
        "technique.alpha": 32.0,
        "optimizer.learning_rate": 2e-4,
        "distributed.offload": True,
        "data.source": "./train.jsonl",
        "data.packing": True,
        "hardware.gpu": "Tesla T4",
        "hardware.count": 2,
        "budget.wall_clock": 7200,
    }
    assert (loadout.name, loadout.model, loadout.seed, loadout.dialect) == ("first", "org/tiny-100M", 17, "recipeforge")
    assert loadout.context.facts["packages.torch"] == "2.10"
    assert loadout.context.facts["packages.flash-attn"] == "2.7.4.post1"
    lines = text.split("\n")
    for item, written in zip(loadout.equipped, ["qlora", "nf4", "adamw_bnb_8bit"], strict=False):
        span = item.span
        assert lines[span.start.line][span.start.column : span.end.column] == written
    assert loadout.span_of("distributed.offload").start.line == 11
    assert loadout.span_of("gpu.memory_gib").start.line == 14
    assert list(loadout.keys)[:3] == ["recipeforge", "name", "model"]


@pytest.mark.parametrize(
    ("line", "code", "place", "fixed"),
    [
        # unknown keys at every depth
        ("optimzer: muon", "RF0002", "optimzer", "optimizer: muon"),
        ("optimizer: {use: muon, lr: 2e-4}", "RF0002", "lr", "optimizer: {use: muon, learning_rate: 2e-4}"),
        ("optimizer: {use: muon, lerning_rate: 2e-4}", "RF0002", "lerning_rate", "optimizer: {use: muon, learning_rate: 2e-4}"),
        ("batch: {size: 4}", "RF0002", "size", "batch: {micro: 4}"),
        ("memory: [{use: gradient-checkpointing, reentrant: true}]", "RF0002", "reentrant", None),
        ("epochs: 3", "RF0002", "epochs", "train: {epochs: 3}"),
        ("batch_size: 4", "RF0002", "batch_size", "batch: {micro: 4}"),
        ("per_device_train_batch_size: 4", "RF0002", "per_device_train_batch_size", "batch: {micro: 4}"),
        ("max_seq_length: 512", "RF0002", "max_seq_length", "data: {sequence_length: 512}"),
        ("learning_rate: 2e-5", "RF0002", "learning_rate", "optimizer: {use: adamw, learning_rate: 2.0e-5}"),
        ("load_in_4bit: true", "RF0002", "load_in_4bit", "quantization: bnb-4bit"),
        ("gradient_checkpointing: true", "RF0002", "gradient_checkpointing", "memory: [gradient-checkpointing]"),
        ("gradient_checkpointing: false", "RF0002", "gradient_checkpointing", ""),
        ("muon: true", "RF0002", "muon", None),
        ("nonsense: 1", "RF0002", "nonsense", None),
        ("attention: {use: sdpa, colour: red}", "RF0002", "colour", None),
        ("packages: {pytorch: 2.6}", "RF0002", "pytorch", "packages: {torch: 2.6}"),
        # components
        ("optimizer: adawm-8bit", "RF0003", "adawm-8bit", "optimizer: adamw-8bit"),
        ("optimizer: {use: AdamW}", "RF0003", "AdamW", "optimizer: {use: adamw}"),
        ("memory: [gradient_checkpointing]", "RF0003", "gradient_checkpointing", "memory: [gradient-checkpointing]"),
        ("scheduler: banana", "RF0003", "banana", None),
        ("quantization: none", "RF0003", "none", ""),
        ("attention: none", "RF0003", "none", None),
        ("memory: [liger]", "RF0019", "liger", "kernels: [liger]"),
        ("memory: liger", "RF0019", "liger", "kernels: liger"),
        ("scheduler: {use: bf16}", "RF0019", "bf16", "precision: {use: bf16}"),
        ("quantization: adamw_bnb_8bit", "RF0019", "adamw_bnb_8bit", "optimizer: adamw-8bit"),
        # wrong types and ranges
        ("optimizer:", "RF0004", "optimizer", ""),
        ("optimizer: ~", "RF0004", "~", ""),
        ("optimizer: {use: [muon]}", "RF0004", "[muon]", None),
        ("optimizer: {use: }", "RF0004", "use", None),
        ("memory: [[gradient-checkpointing]]", "RF0004", "[gradient-checkpointing]", None),
        ("memory: [~]", "RF0004", "~", None),
        ("batch: 4", "RF0004", "4", "batch: {micro: 4}"),
        ("batch: [4]", "RF0004", "[4]", None),
        ("batch:", "RF0004", "batch", ""),
        ("batch: {micro: '4'}", "RF0004", "'4'", "batch: {micro: 4}"),
        ("batch: {micro: 0}", "RF0006", "0", None),
        ("batch: {? [a] : 1}", "RF0004", "[a]", None),
        ("name: [a]", "RF0004", "[a]", None),
        ("seed: -1", "RF0006", "-1", None),
        ("seed: 1.0", "RF0004", "1.0", "seed: 1"),
        ("framework: TRL", "RF0006", "TRL", "framework: trl"),
        ("packages: torch", "RF0004", "torch", None),
        ("packages: {torch: '>=2.6'}", "RF0004", "'>=2.6'", None),
        ("optimizer: {learning_rate: 1e-3}", "RF0007", "learning_rate", "optimizer: {use: adamw, learning_rate: 1e-3}"),
        ("optimizer: {name: muon, momentum: 0.9}", "RF0007", "name", "optimizer: {use: muon, momentum: 0.9}"),
        ("optimizer: {'type': muon}", "RF0007", "'type'", "optimizer: {'use': muon}"),
        ("optimizer: {muon: {momentum: 0.9}}", "RF0007", "muon", None),
        ("hardware: t4", "RF0004", "t4", "hardware: {gpu: t4}"),
        ("defaults: &d {micro: 1}\nbatch: *d", "RF0002", "defaults", None),
        ("memory: [liger-kernel]", "RF0003", "liger-kernel", None),
        (
            "memory: [gradient-checkpointing, gradient-checkpointing]",
            "RF0005",
            "gradient-checkpointing",
            "memory: [gradient-checkpointing]",
        ),
        ("optimizer: {use: adamw, momentum: 0.9}", "RF0015", "momentum", "optimizer: {use: adamw}"),
    ],
)
def test_one_problem_one_finding_at_its_place_with_its_fix(line: str, code: str, place: str, fixed: str | None) -> None:
    text = f"{_HEAD}{line}\n"
    found = _only(text)
    assert found.code == code
    assert _shown(text, found) == place
    if fixed is None:
        assert found.help or found.primary.text or code == "RF0006"
        return
    wanted = f"{_HEAD}{fixed}\n" if fixed else _HEAD
    assert _fixed(text, found) == wanted
    assert _read(wanted).diagnostics == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "RF0009"),
        ("# only a comment\n", "RF0009"),
        ("---\n...\n", "RF0009"),
        ("{}\n", "RF0009"),
        ("- a\n- b\n", "RF0009"),
        ("just a sentence\n", "RF0009"),
        ("services:\n  web: {image: nginx}\n", "RF0009"),
        ("tokenizer: x\ncheckpointer: y\nmetric_logger: z\n", "RF0009"),
        ("recipeforge: 99\nmodel: tiny\nnonsense: 1\n", "RF0008"),
        ("recipeforge: 0\nmodel: tiny\n", "RF0008"),
        ("recipeforge: -1\nmodel: tiny\n", "RF0008"),
        ("recipeforge: .nan\nmodel: tiny\n", "RF0008"),
        ("recipeforge:\nmodel: tiny\n", "RF0008"),
        ("recipeforge: one\nmodel: tiny\n", "RF0008"),
        ("recipeforge: [1]\nmodel: tiny\n", "RF0008"),
        ("recipeforge: 1.5\nmodel: tiny\n", "RF0008"),
    ],
)
def test_what_is_no_recipe_gets_one_answer_and_no_loadout(text: str, code: str) -> None:
    assert _only(text).code == code
    assert _read(text).loadout is None


def test_other_tools_are_named() -> None:
    assert "torchtune" in _only("tokenizer: x\ncheckpointer: y\nmetric_logger: z\n").message


@pytest.mark.parametrize("written", ['"1"', "1.0", "'1'"])
def test_a_version_in_another_spelling_is_read_and_put_right(written: str) -> None:
    text = _HEAD.replace("recipeforge: 1", f"recipeforge: {written}")
    found = _only(text)
    assert found.code == "RF0004"
    assert _fixed(text, found) == _HEAD
    assert _read(text).loadout is not None


def test_missing_keys_are_all_named() -> None:
    assert [d.code for d in _read("name: x\n").diagnostics] == ["RF0007", "RF0007", "RF0021"]
    text = "# a recipe\nmodel: tiny\ntechnique: lora\n"
    found = _only(text)
    assert _fixed(text, found) == "# a recipe\nrecipeforge: 1\nmodel: tiny\ntechnique: lora\n"


def test_a_misspelt_key_is_not_missing_too() -> None:
    text = "recipforge: 1\nbase_model: tiny\ntechniqe: lora\n"
    found = _read(text).diagnostics
    assert [d.code for d in found] == ["RF0002"] * 3
    assert apply_edits(text, [edit for d in found for edit in d.fixes[0].edits]) == _HEAD


def test_a_slot_filled_from_another_slot_is_empty() -> None:
    text = "recipeforge: 1\nmodel: tiny\ntechnique: bf16\n"
    assert [d.code for d in _read(text).diagnostics] == ["RF0021", "RF0019"]
    result = _read(text)
    assert result.loadout is not None
    assert result.loadout.component_in("precision") == "bf16"


def test_a_component_in_the_wrong_slot_is_not_moved_onto_another() -> None:
    found = _only(f"{_HEAD}precision: bf16\nmemory: [fp16]\n")
    assert found.code == "RF0019"
    assert found.fixes == ()
    assert "given already" in found.help


def test_every_problem_is_reported_at_once_in_the_order_of_the_text() -> None:
    text = f"{_HEAD}optimzer: muon\nscheduler: banana\nbatch: {{micro: -1, macro: 2}}\nseed: x\nepochs: 3\n"
    found = _read(text).diagnostics
    assert [d.code for d in found] == ["RF0002", "RF0003", "RF0006", "RF0002", "RF0004", "RF0002"]
    assert [d.primary.span.start.line for d in found] == [3, 4, 5, 5, 6, 7]


def test_a_key_is_not_moved_under_one_that_is_only_misspelt() -> None:
    found = _read(f"{_HEAD}optimzer: muon\nlr: 2e-4\n").diagnostics
    assert [len(d.fixes) for d in found] == [1, 0]


def test_findings_above_a_syntax_error_are_kept_and_those_below_are_not_guessed() -> None:
    result = _read(f"{_HEAD}nonsense: 1\noptimizer: {{use: mu\nscheduler: cosine\n")
    assert [d.code for d in result.diagnostics] == ["RF0002", "RF0001"]
    assert result.loadout is None


def test_duplicates_can_be_cured_and_the_last_counts() -> None:
    text = f"{_HEAD}seed: 1\nprecision: bf16\nseed: 2\n"
    result = _read(text)
    assert result.loadout is not None and result.loadout.seed == 2
    fix = result.diagnostics[0].fixes[0]
    assert (fix.safety, apply_edits(text, fix.edits)) == ("unsafe", f"{_HEAD}precision: bf16\nseed: 2\n")
    same = f"{_HEAD}seed: 1\nprecision: bf16\nseed: 1\n"
    fix = _only(same).fixes[0]
    assert (fix.safety, apply_edits(same, fix.edits)) == ("safe", f"{_HEAD}seed: 1\nprecision: bf16\n")


def test_what_an_alias_repeats_is_one_finding_where_it_stands() -> None:
    text = f"{_HEAD}optimizer: &o {{use: muon, lerning_rate: 1}}\nbatch: {{<<: *o, micro: 1}}\n"
    found = _read(text).diagnostics
    assert [d.primary.span.start.line for d in found if d.code == "RF0002"] == [3, 3, 3]
    merged = _read(f"{_HEAD}batch: &b {{micro: 2}}\ntrain: {{<<: 3}}\ndata: {{<<: [*b, 4]}}\n").diagnostics
    assert [(d.code, d.primary.span.start.line) for d in merged] == [("RF0002", 3), ("RF0004", 4), ("RF0004", 5)]


def test_a_merged_setting_has_its_place_at_the_anchor() -> None:
    loadout = _read(f"{_HEAD}optimizer: &o {{use: muon, momentum: 0.9}}\n").loadout
    aliased = _read("recipeforge: 1\nmodel: tiny\nname: &n lora\ntechnique: *n\n").loadout
    assert loadout is not None and aliased is not None
    assert aliased.component_in("technique") == "lora"
    assert aliased.span_of("lora").start.line == 2


def test_many_findings_are_counted_not_listed() -> None:
    text = _HEAD + "".join(f"nonsense{i}: 1\n" for i in range(3000))
    found = _read(text).diagnostics
    assert len(found) == MAX_FINDINGS
    assert any("2,900 more findings" in note for note in found[-1].notes)
