"""One run in several tools' words: nothing is lost without a word, and what is written is read back as it was."""

from pathlib import Path

import pytest
from test_dialects import EXPECTED

from recipeforge.api.checking import document_of
from recipeforge.catalog.load import load
from recipeforge.documents.dialects.converting import TARGETS, Converted, convert
from recipeforge.documents.dialects.dialect import dialects
from recipeforge.documents.dialects.whole import WHOLE
from recipeforge.documents.read import read
from recipeforge.schemas.loadout import Loadout

CATALOG = load()
EXAMPLES = {path.stem: path.read_text() for path in sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))}
FULL = {
    "axolotl-split": (
        "base_model: x/y\nadapter: lora\npeft_init_lora_weights: pissa\nlora_target_modules: [q_proj, v_proj]\n"
        "load_in_8bit: false\ndatasets: [{path: a}]\nmicro_batch_size: 1\nbf16: full\ndeepspeed: deepspeed_configs/zero2.json\n"
        "seed: 7\ncontext_parallel_size: 1\nneftune_noise_alpha: 5\nbnb_config_kwargs: {bnb_4bit_quant_type: nf4}\n"
        "wandb_project: z\nlr_scheduler: rex\n"
    ),
    "llamafactory-packed": (
        "model_name_or_path: x/y\nstage: dpo\nfinetuning_type: lora\nuse_dora: true\nlora_target: all\npacking: true\nneat_packing: true\n"
        "use_galore: true\nfp16: true\nwarmup_steps: 10\npref_beta: 0.2\nloraplus_lr_ratio: 16\nval_size: 0.1\nseed: 3\n"
    ),
    "trl-bare": (
        "model_name_or_path: x/y\ndataset_name: a\nlearning_rate: 1e-5\nbf16: false\npacking: true\npacking_strategy: wrapped\n"
        "lr_scheduler_type: cosine_with_min_lr\nlr_scheduler_kwargs: {min_lr: 1.0e-6}\nfsdp: full_shard\n"
    ),
    "recipe": (
        "recipeforge: 1\nname: n\nmodel: x/y\ntechnique: {use: qlora, rank: 8, dropout: 0.05}\n"
        "quantization: {use: bnb-4bit, quant_type: nf4}\n"
        "memory: [{use: gradient-checkpointing, use_reentrant: false}]\nkernels: [tf32, liger]\nframework: trl\npackages: {torch: '2.6'}\n"
        "optimizer: {use: muon, learning_rate: 1e-3}\nprecision: fp32\nseed: 5\nbudget: {wall_clock: 2h}\n"
    ),
}
SOURCES = {**{name: text for name, (text, _, _) in EXPECTED.items()}, **EXAMPLES, **FULL}
PAIRS = [(name, to) for name in SOURCES for to in TARGETS]


def loadout_of(text: str, dialect: str | None = None) -> Loadout:
    found = read(document_of(text), CATALOG, {"dialect": dialect} if dialect else {}).loadout
    assert found is not None
    return found


def converted(text: str, to: str) -> Converted:
    document = document_of(text)
    result = read(document, CATALOG)
    assert result.loadout is not None
    return convert(document, result.loadout, CATALOG, to, result.diagnostics)


@pytest.mark.parametrize(("name", "to"), PAIRS)
def test_what_is_read_back_is_what_was_said_or_it_is_named(name: str, to: str) -> None:
    before, there = loadout_of(SOURCES[name]), converted(SOURCES[name], to)
    after = loadout_of(there.text, to)
    named = " ".join(item.what for item in there.left)
    had, has = {e.component: e.slot for e in before.equipped}, {e.component: e.slot for e in after.equipped}
    alike = {held for held, (other, beside) in (WHOLE[to].alike if to in WHOLE else {}).items() if other in has and beside in has}
    for component, slot in had.items():
        by_default = CATALOG.slots[slot].default == component and slot not in has.values()
        assert component in has or component in alike or by_default or f"`{slot}: {component}`" in named
    instead = {other for held, (other, _) in (WHOLE[to].alike if to in WHOLE else {}).items() if held in had}
    for component, slot in has.items():
        assert component in had or component in instead or CATALOG.slots[slot].default == component or f"`{slot}: {component}`" in named
    said, says = ({s.knob: s.value for s in loadout.settings} for loadout in (before, after))
    for knob in said.keys() | says.keys():
        assert said.get(knob) == says.get(knob) or f"`{knob}: " in named
    assert (after.model, after.seed) == (before.model, before.seed)
    assert before.name in (after.name, "") or f"`name: {before.name}`" in named


@pytest.mark.parametrize(("name", "to"), PAIRS)
def test_converting_what_came_of_it_back_adds_nothing(name: str, to: str) -> None:
    """What has words in both is the same after there and back."""
    before = loadout_of(SOURCES[name])
    if before.dialect not in TARGETS:
        return
    there = converted(SOURCES[name], to)
    document = document_of(there.text)
    loadout = loadout_of(there.text, to)
    back = convert(document, loadout, CATALOG, before.dialect)
    again = loadout_of(back.text, before.dialect)
    lost = " ".join(item.what for item in (*there.left, *back.left))
    said, says = ({s.knob: s.value for s in found.settings} for found in (before, again))
    for knob in said.keys() | says.keys():
        assert said.get(knob) == says.get(knob) or f"`{knob}: " in lost
    assert again.model == before.model


@pytest.mark.parametrize(("name", "to"), PAIRS)
def test_every_key_of_the_source_is_somewhere_or_named_with_its_line(name: str, to: str) -> None:
    text = SOURCES[name]
    there = converted(text, to)
    for item in there.left:
        if item.span is not None:
            assert f"# - line {item.span.start.line + 1}, {item.what[:40]}" in there.text
        else:
            assert f"# - {item.what}" in there.text
    assert all(line.startswith("# ") for line in there.text.partition("\n# Left out")[2].splitlines()[1:])


def test_the_same_words_are_the_same_text() -> None:
    for name, (text, _, _) in EXPECTED.items():
        if name in TARGETS:
            assert converted(text, name) == Converted(text, ())


def left_of(text: str, to: str) -> dict[str, str]:
    return {item.what: item.why for item in converted(text, to).left}


def test_keys_without_a_meaning_here_are_named_once_and_off_switches_are_not() -> None:
    left = left_of(FULL["axolotl-split"], "recipeforge")
    assert set(left) == {"`lora_target_modules`", "`datasets`", "`deepspeed`", "`wandb_project`", "`quantization.quant_type: nf4`"}
    assert left["`lora_target_modules`"] == "of this list only `technique.targets: attention` is carried over"
    assert left["`deepspeed`"].startswith("of the file that it names only `zero-2`")


def test_switches_that_nobody_reads_are_named_even_when_off() -> None:
    text = EXPECTED["axolotl"][0] + "train_on_inputs: false\nsaves_per_epoch: 1\ntensor_parallel_size: 1\ntf32: false\nwandb_entity:\n"
    assert left_of(text, "recipeforge").keys() - left_of(EXPECTED["axolotl"][0], "recipeforge").keys() == {
        "`train_on_inputs`",
        "`saves_per_epoch`",
    }


def test_a_part_said_by_two_keys_is_said_by_both() -> None:
    text = converted(FULL["llamafactory-packed"], "recipeforge")
    assert text.left == ()
    assert "technique: {use: dora, targets: all-linear}" in text.text
    assert left_of(EXPECTED["llamafactory"][0], "recipeforge").keys() == {"`dataset`", "`template`"}


def test_what_a_tool_does_by_itself_is_turned_off() -> None:
    native = "recipeforge: 1\nmodel: x/y\ntechnique: lora\nscheduler: constant\n"
    assert "disable_gradient_checkpointing: true\n" in converted(native, "llamafactory").text
    assert "gradient_checkpointing: false\nbf16: false\n" in converted(native, "trl").text.replace(
        "bf16: false\ngradient_checkpointing: false", "gradient_checkpointing: false\nbf16: false"
    )
    assert "lr_scheduler: linear\n" in converted(native.replace("scheduler: constant\n", ""), "axolotl").text
    assert [converted(native, to).left for to in WHOLE] == [(), (), ()]


def test_qlora_is_lora_over_a_4_bit_base_where_no_other_name_is_known() -> None:
    native = "recipeforge: 1\nmodel: x/y\ntechnique: qlora\nquantization: bnb-4bit\nmemory: [gradient-checkpointing]\nprecision: bf16\n"
    for to in ("llamafactory", "trl"):
        assert converted(native, to).left == ()
        assert left_of(native.replace("quantization: bnb-4bit\n", ""), to) == {
            "`technique: qlora`": "it is `lora` here, without `bnb-4bit` beside it"
        }


def test_values_go_with_their_component() -> None:
    native = "recipeforge: 1\nmodel: x/y\ntechnique: {use: vera, rank: 256}\n"
    left = left_of(native, "axolotl")
    assert left["`technique.rank: 256`"] == "it belongs to `vera`, which is not written"
    assert left["`technique: vera`"] == "Axolotl has no key for it"


def test_what_is_wrong_in_a_recipe_is_named_too() -> None:
    native = "recipeforge: 1\nmodel: x/y\ntechnique: lora\nbatch: {mikro: 2}\nlearningrate: 3\n"
    assert len([what for what in left_of(native, "axolotl") if "mikro" in what or "learningrate" in what]) == 2


def test_a_recipe_is_plain_yaml_whatever_stands_in_it() -> None:
    long = "recipeforge: 1\nmodel: 'a: b # c'\nname: 'true'\ntechnique: lora\ndata: {source: './x, y.jsonl', format: chat}\n"
    text = converted(converted(long, "axolotl").text, "axolotl").text
    assert "base_model: 'a: b # c'\n" in text
    trl = EXPECTED["trl"][0].replace("./out", "'./o: {ut}, # no'")
    assert loadout_of(converted(trl, "recipeforge").text).value_of("train.output") == "./o: {ut}, # no"


def test_words_for_whole_files_are_of_parts_and_knobs_that_exist() -> None:
    for name, whole in WHOLE.items():
        assert name in dialects()
        assert {*whole.words, *whole.off, *whole.alike} <= set(CATALOG.components)
        assert {*whole.knobs, *(knob for knob, _ in whole.values)} <= set(CATALOG.knobs)
        for knob, value in whole.values:
            assert value in CATALOG.knobs[knob].values or (CATALOG.knobs[knob].type == "bool" and isinstance(value, bool))


def test_a_deepspeed_file_goes_along() -> None:
    """The tools on Hugging Face's trainer read the same file under the same key; a recipe has the stage alone."""
    for to in ("llamafactory", "trl"):
        there = converted(FULL["axolotl-split"], to)
        assert "deepspeed: deepspeed_configs/zero2.json\n" in there.text
        assert "`deepspeed`" not in [item.what for item in there.left]
        assert loadout_of(there.text, to).component_in("distributed") == "zero-2"
        assert not [item for item in there.left if item.what.startswith(("`distributed", "`hardware"))]
    assert loadout_of(converted(FULL["axolotl-split"], "recipeforge").text).component_in("distributed") == "zero-2"
    gone = converted(FULL["axolotl-split"].replace("zero2.json", "our_own.json"), "trl")
    assert "deepspeed: deepspeed_configs/our_own.json\n" in gone.text
