"""Changes → text edits, by example: the shape that each edit takes, and what is refused."""

import pytest
from small_catalog import CATALOG

from recipeforge.documents.edit import apply_edits, edits_for, plan_edits
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.documents.surgery import written
from recipeforge.schemas.change import Change
from recipeforge.schemas.place import Position, Span, TextEdit

_HEAD = "recipeforge: 1\nmodel: tiny\n"


def _add(component: str) -> Change:
    return Change("add", slot=CATALOG.components[component].slot, component=component)


def _drop(component: str) -> Change:
    return Change("drop", slot=CATALOG.components[component].slot, component=component)


def _replace(old: str, new: str) -> Change:
    return Change("replace", slot=CATALOG.components[new].slot, component=new, previous=old)


def _set(knob: str, value: object) -> Change:
    return Change("set", knob=knob, value=value)  # type: ignore[arg-type]


def _unset(knob: str) -> Change:
    return Change("drop", knob=knob)


def _edited(text: str, *changes: Change) -> str:
    plan = plan_edits(parse(text), CATALOG, changes)
    assert not plan.refused, plan.refused
    return apply_edits(text, plan.edits)


@pytest.mark.parametrize(
    ("body", "change", "after"),
    [
        # add to an absent slot: in canonical order, behind its nearest neighbour
        ("technique: qlora\nprecision: bf16\n", _add("bnb-4bit"), "technique: qlora\nquantization: bnb-4bit\nprecision: bf16\n"),
        ("technique: qlora", _add("liger"), "technique: qlora\nkernels: [liger]"),
        ("technique: qlora  # x\n\n# y\nseed: 1\n", _add("cosine"), "technique: qlora  # x\nscheduler: cosine\n\n# y\nseed: 1\n"),
        (
            "technique:\n  use: lora\n  # on lora\nseed: 1\n",
            _add("bf16"),
            "technique:\n  use: lora\n  # on lora\nprecision: bf16\nseed: 1\n",
        ),
        ("technique: lora\n...\n", _add("bf16"), "technique: lora\nprecision: bf16\n...\n"),
        # add to a slot that is there
        ("technique: lora\nkernels: [liger]  # k\n", _add("torch-compile"), "technique: lora\nkernels: [liger, torch-compile]  # k\n"),
        ("technique: lora\nkernels: [liger,]\n", _add("torch-compile"), "technique: lora\nkernels: [liger, torch-compile,]\n"),
        ("technique: lora\nkernels: []\n", _add("liger"), "technique: lora\nkernels: [liger]\n"),
        ("technique: lora\nkernels: liger # k\n", _add("torch-compile"), "technique: lora\nkernels: [liger, torch-compile] # k\n"),
        ("technique: lora\nkernels: {use: liger}\n", _add("torch-compile"), "technique: lora\nkernels: [{use: liger}, torch-compile]\n"),
        ("technique: lora\nkernels:\n- liger # k\n", _add("torch-compile"), "technique: lora\nkernels:\n- liger # k\n- torch-compile\n"),
        ("technique: lora\nkernels:\n    - liger", _add("torch-compile"), "technique: lora\nkernels:\n    - liger\n    - torch-compile"),
        (
            "technique: lora\ndistributed:\n  use: fsdp2 # f\n\n  offload: true\nseed: 1\n",
            _add("context-parallel"),
            "technique: lora\ndistributed:\n  - use: fsdp2 # f\n\n    offload: true\n  - context-parallel\nseed: 1\n",
        ),
        ("technique: lora\nquantization:   # later\nseed: 1\n", _add("gptq"), "technique: lora\nquantization: gptq   # later\nseed: 1\n"),
        ("technique: lora\nquantization: ~\n", _add("gptq"), "technique: lora\nquantization: gptq\n"),
        # replace
        ("technique: 'lora'\n", _replace("lora", "dora"), "technique: 'dora'\n"),
        ("technique: lora\noptimizer: adamw_torch # o\n", _replace("adamw", "muon"), "technique: lora\noptimizer: muon # o\n"),
        ("technique: lora\n", _replace("adamw", "muon"), "technique: lora\noptimizer: muon\n"),
        (
            "technique: lora\noptimizer: {use: muon, momentum: 0.9, learning_rate: 1e-3, auxiliary: adamw}\n",
            _replace("muon", "adamw"),
            "technique: lora\noptimizer: {use: adamw, learning_rate: 1e-3}\n",
        ),
        (
            "technique: lora\noptimizer:\n  momentum: 0.9\n  use: muon  # m\n  learning_rate: 1e-3\n",
            _replace("muon", "adamw"),
            "technique: lora\noptimizer:\n  use: adamw  # m\n  learning_rate: 1e-3\n",
        ),
        ("technique: lora\nkernels: [liger]\n", _replace("liger", "torch-compile"), "technique: lora\nkernels: [torch-compile]\n"),
        # drop
        ("technique: lora\nquantization: gptq # q\nseed: 1\n", _drop("gptq"), "technique: lora\nseed: 1\n"),
        ("technique: lora\nquantization:\n  use: gptq\n  # q\nseed: 1\n", _drop("gptq"), "technique: lora\nseed: 1\n"),
        ("technique: lora\nkernels: [liger, torch-compile]\n", _drop("liger"), "technique: lora\nkernels: [torch-compile]\n"),
        ("technique: lora\nkernels: [liger, torch-compile]\n", _drop("torch-compile"), "technique: lora\nkernels: [liger]\n"),
        ("technique: lora\nkernels:\n  - liger # k\n  - torch-compile\n", _drop("liger"), "technique: lora\nkernels:\n  - torch-compile\n"),
        (
            "technique: lora\nkernels: [\n  liger, # k\n  torch-compile,\n]\n",
            _drop("torch-compile"),
            "technique: lora\nkernels: [\n  liger, # k\n]\n",
        ),
        ("technique: lora\nkernels: [liger]\n", _drop("liger"), "technique: lora\n"),
        (
            "technique: lora\noptimizer: {use: muon, momentum: 0.9, learning_rate: 1e-3}\n",
            _drop("muon"),
            "technique: lora\noptimizer: {use: adamw, learning_rate: 1e-3}\n",
        ),
        # set
        ("technique: lora\nbatch: {micro: 4} # b\n", _set("batch.micro", 2), "technique: lora\nbatch: {micro: 2} # b\n"),
        ("technique: lora\nbatch: {micro: 4}\n", _set("batch.accumulate", 2), "technique: lora\nbatch: {micro: 4, accumulate: 2}\n"),
        ("technique: lora\nbatch: {}\n", _set("batch.micro", 2), "technique: lora\nbatch: {micro: 2}\n"),
        ("technique: lora\nbatch:\n", _set("batch.micro", 2), "technique: lora\nbatch: {micro: 2}\n"),
        ("technique: lora\nseed: 1\n", _set("batch.micro", 2), "technique: lora\nbatch: {micro: 2}\nseed: 1\n"),
        (
            "technique: lora\nbatch:\n   micro: 4 # b\nseed: 1\n",
            _set("batch.accumulate", 2),
            "technique: lora\nbatch:\n   micro: 4 # b\n   accumulate: 2\nseed: 1\n",
        ),
        (
            "technique: lora\noptimizer: muon # o\n",
            _set("optimizer.auxiliary", "adamw"),
            "technique: lora\noptimizer: {use: muon, auxiliary: adamw} # o\n",
        ),
        ("technique: lora\n", _set("optimizer.learning_rate", 2e-5), "technique: lora\noptimizer: {use: adamw, learning_rate: 2.0e-5}\n"),
        (
            "technique: lora\nkernels: [liger, torch-compile]\n",
            _set("kernels.mode", "default"),
            "technique: lora\nkernels: [liger, {use: torch-compile, mode: default}]\n",
        ),
        (
            "technique: lora\nkernels:\n- torch-compile\n",
            _set("kernels.mode", "default"),
            "technique: lora\nkernels:\n- {use: torch-compile, mode: default}\n",
        ),
        ("technique: lora\ndata: {source: 'a'}\n", _set("data.source", "it's"), "technique: lora\ndata: {source: 'it''s'}\n"),
        ("technique: lora\ndata: {source: a}\n", _set("data.source", "no"), "technique: lora\ndata: {source: 'no'}\n"),
        ("technique: lora\nbudget: {wall_clock: 2h}\n", _set("budget.wall_clock", 5400), "technique: lora\nbudget: {wall_clock: 90m}\n"),
        # unset
        ("technique: lora\nbatch: {micro: 4, accumulate: 2}\n", _unset("batch.micro"), "technique: lora\nbatch: {accumulate: 2}\n"),
        ("technique: lora\nbatch: {micro: 4}\n", _unset("batch.micro"), "technique: lora\n"),
        ("technique: {use: lora, rank: 4}\n", _unset("technique.rank"), "technique: {use: lora}\n"),
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_the_shape_of_each_edit(body: str, change: Change, after: str, eol: str) -> None:
    text, wanted = (f"{_HEAD}{part}".replace("\n", eol) for part in (body, after))
    assert _edited(text, change) == wanted


def test_edits_are_the_fewest_and_stand_where_the_change_is() -> None:
    text = f"{_HEAD}technique: qlora\nbatch: {{micro: 4}}\n"
    plan = plan_edits(parse(text), CATALOG, (_add("bnb-4bit"), _set("batch.micro", 2)))
    assert plan.edits == (
        TextEdit(Span(Position(3, 0), Position(3, 0)), "quantization: bnb-4bit\n"),
        TextEdit(Span(Position(3, 15), Position(3, 16)), "2"),
    )


def test_changes_build_on_each_other() -> None:
    text = f"{_HEAD}technique: qlora\n"
    after = _edited(text, _add("bnb-4bit"), _set("quantization.double_quant", True), _set("batch.micro", 2), _set("batch.accumulate", 8))
    assert after == f"{text}quantization: {{use: bnb-4bit, double_quant: true}}\nbatch: {{micro: 2, accumulate: 8}}\n"


def test_json_stays_json() -> None:
    text = '{"recipeforge": 1, "model": "tiny", "technique": "qlora", "optimizer": "muon"}\n'
    after = _edited(text, _add("bnb-4bit"), _add("liger"), _set("optimizer.auxiliary", "adamw"), _set("optimizer.momentum", 0.9))
    assert after == (
        '{"recipeforge": 1, "model": "tiny", "technique": "qlora", "quantization": "bnb-4bit", '
        '"optimizer": {"use": "muon", "auxiliary": "adamw", "momentum": 0.9}, "kernels": ["liger"]}\n'
    )


@pytest.mark.parametrize(
    ("body", "change", "why"),
    [
        ("technique: &t lora\nname: *t\n", _replace("lora", "dora"), "anchored"),
        ("name: &t lora\ntechnique: *t\n", _replace("lora", "dora"), "alias"),
        ("technique: lora\nbatch: &b {micro: 4}\neval: *b\n", _unset("batch.micro"), "anchored"),
        ("technique: lora\nbatch: {micro: &m 4}\n", _set("batch.micro", 2), "anchored"),
        ("name: &m 4\ntechnique: lora\nbatch: {micro: *m}\n", _set("batch.micro", 2), "alias"),
        ("technique: lora\ndata:\n  source: |\n    a\n", _set("data.source", "b"), "block of text"),
        ("technique: lora\n", _drop("gptq"), "does not name"),
        ("technique: lora\n", _set("quantization.quant_type", "nf4"), "no component"),
        ("technique: lora\nkernels: [liger]\n", _set("kernels.mode", "default"), "no component"),
        ("technique: lora\noptimizer: muon\n", _add("adafactor"), "already"),
        ("technique: lora\nbatch: {micro: 4\n", _set("batch.micro", 2), "syntax error"),
        ("technique: lora\nbatch: 4\n", _set("batch.micro", 2), "holds no"),
        ("technique: lora\n", _unset("batch.micro"), "not set"),
    ],
)
def test_what_cannot_be_done_without_risk_is_refused_with_a_reason(body: str, change: Change, why: str) -> None:
    document = parse(_HEAD + body)
    plan = plan_edits(document, CATALOG, (change,))
    assert plan.edits == ()
    assert why in plan.refused
    loadout = read(document, CATALOG).loadout
    if loadout is not None:
        assert edits_for(document, loadout, CATALOG, (change,)) == ()


def test_a_merged_setting_is_overridden_and_the_anchor_left_alone() -> None:
    text = f"{_HEAD}technique: lora\noptimizer: &o {{use: muon, momentum: 0.9}}\n"
    assert _edited(text, _set("optimizer.auxiliary", "adamw")).endswith("&o {use: muon, momentum: 0.9, auxiliary: adamw}\n")


def test_a_component_that_stands_in_the_wrong_slot_is_found_there() -> None:
    assert _edited(f"{_HEAD}technique: lora\nmemory: [liger, gradient-checkpointing]\n", _drop("liger")) == (
        f"{_HEAD}technique: lora\nmemory: [gradient-checkpointing]\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (2, "2"),
        (16.0, "16"),
        (0.0, "0.0"),
        (0.05, "0.05"),
        (2e-4, "2.0e-4"),
        (1e-5, "1.0e-5"),
        (1.25e-7, "1.25e-7"),
        (3e12, "3.0e12"),
        ("plain-word", "plain-word"),
        ("2e-4", "'2e-4'"),
        ("null", "'null'"),
        ("a: b", "'a: b'"),
        ("", "''"),
        ("two\nlines", '"two\\nlines"'),
    ],
)
def test_values_are_written_so_that_every_yaml_reader_agrees(value: object, text: str) -> None:
    assert written(value) == text  # type: ignore[arg-type]
