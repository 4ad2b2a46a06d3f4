"""One run in several tools' words: nothing is lost without a word, and what is written is read back as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_dialects import EXPECTED

from recipeforge.api.checking import document_of
from recipeforge.catalog.load import load
from recipeforge.documents.dialects.converting import TARGETS, Converted, convert
from recipeforge.documents.dialects.dialect import dialects
from recipeforge.documents.dialects.whole import BY_ITSELF, WHOLE, same_value
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


def differing(before: Loadout, after: Loadout, to: str) -> Iterator[str]:
    """Return in what two loadouts differ, as a conversion names it."""
    had, has = ({e.component: e.slot for e in loadout.equipped} for loadout in (before, after))
    alike = WHOLE[to].alike if to in WHOLE else {}
    nearest = WHOLE[to].nearest if to in WHOLE else {}
    phrases = [p for p in (WHOLE[to].phrases if to in WHOLE else ()) if p.gives and p.parts <= had.keys() and p.gives <= has.keys()]
    together = {component for phrase in phrases for component in phrase.parts | phrase.also}
    given = {component for phrase in phrases for component in phrase.gives}
    for component, slot in had.items():
        stands = CATALOG.slots[slot].default == component and slot not in has.values()
        if component not in has and not stands and alike.get(component, ("",))[0] not in has and component not in together:
            yield f"`{slot}: {component}`"
    for component, slot in has.items():
        instead = any(other == component and held in had for held, (other, _) in alike.items())
        instead |= any(other == component and held in had for held, other in nearest.items())  # the one that it stands for is yielded
        if component not in had and CATALOG.slots[slot].default != component and not instead and component not in given:
            yield f"`{slot}: {component}`"
    said, says = ({s.knob: s.value for s in loadout.settings} for loadout in (before, after))
    for knob in sorted(said.keys() | says.keys()):
        if not same_value(knob, said.get(knob), says.get(knob), before.dialect, to):
            yield f"`{knob}: "


@pytest.mark.parametrize(("name", "to"), PAIRS)
def test_what_is_read_back_is_what_was_said_or_it_is_named(name: str, to: str) -> None:
    before, there = loadout_of(SOURCES[name]), converted(SOURCES[name], to)
    after = loadout_of(there.text, to)
    named = " ".join(item.what for item in there.left)
    assert [item for item in differing(before, after, to) if item not in named] == []
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
        assert same_value(knob, said.get(knob), says.get(knob), before.dialect, before.dialect) or f"`{knob}: " in lost
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
        assert {*whole.words, *whole.off, *whole.alike, *whole.nearest, *whole.nearest.values()} <= set(CATALOG.components)
        assert set(whole.instead) <= {*CATALOG.components, *CATALOG.knobs, *CATALOG.slots}
        for phrase in whole.phrases:
            assert phrase.parts | phrase.also | phrase.gives <= set(CATALOG.components)
            assert {knob for knob, _ in phrase.values | phrase.unless} <= set(CATALOG.knobs)
        assert {*whole.knobs, *(knob for knob, _ in whole.values)} <= set(CATALOG.knobs)
        for knob, value in whole.values:
            assert value in CATALOG.knobs[knob].values or {"bool": bool, "float": float}.get(CATALOG.knobs[knob].type) is type(value)
    assert {knob for said in BY_ITSELF.values() for knob, _ in said} <= set(CATALOG.knobs)


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


FSDP = (
    "base_model: x/y\nadapter: qlora\nload_in_4bit: true\ndatasets: [{path: a}]\nmicro_batch_size: 1\nbf16: true\nsample_packing: true\n"
    "fsdp_version: 2\nfsdp_config: {offload_params: true, activation_checkpointing: true}\nval_set_size: 0.05\nwarmup_ratio: 0.1\n"
)


def test_fsdp_is_said_in_the_keys_of_transformers() -> None:
    theirs = converted(FSDP, "llamafactory")
    assert "fsdp: 'full_shard auto_wrap offload'\nfsdp_config:\n  version: 2\n  activation_checkpointing: true\n" in theirs.text
    assert "packing: true\nneat_packing: true\n" in theirs.text, "Axolotl keeps packed rows apart by itself"
    trl = converted(FSDP, "trl")
    assert "fsdp: true\nfsdp_config:\n  version: 2\n  cpu_offload: true\n  activation_checkpointing: true\n" in trl.text
    assert "bnb_4bit_quant_storage: bfloat16\n" in trl.text, "what Axolotl packs 4-bit weights in, FSDP has to know"
    assert "test_split_size: 0.05\n" in trl.text and "warmup_steps: 0.1\n" in trl.text, "below 1 steps are a share"
    for there in (theirs, trl):
        assert {item.what for item in there.left} <= {"`datasets`"}
    back = converted(trl.text + "dataset_name: a\n", "axolotl").text
    assert "fsdp_version: 2\nfsdp_config:\n" in back and "  offload_params: true\n" in back


def test_what_fsdp_wraps_goes_along() -> None:
    wrapped = FSDP.replace("{offload_params: true,", "{transformer_layer_cls_to_wrap: LlamaDecoderLayer, state_dict_type: FULL_STATE_DICT,")
    for to in ("llamafactory", "trl"):
        there = converted(wrapped, to)
        assert "  transformer_layer_cls_to_wrap: LlamaDecoderLayer\n" in there.text
        assert {item.what for item in there.left} == {"`datasets`", "`fsdp_config.state_dict_type`"}
    assert any(what.startswith("`fsdp_config.transformer_layer_cls") for what in left_of(wrapped, "recipeforge"))


def test_recomputing_twice_is_said_once() -> None:
    left = left_of(FSDP + "gradient_checkpointing: true\n", "trl")
    assert left["`distributed.activation_checkpointing: true`"].startswith("Axolotl skips it")
    assert "activation_checkpointing" not in converted(FSDP + "gradient_checkpointing: true\n", "trl").text.partition("\n# Left")[0]


def test_packed_rows_that_see_each_other_stay_so_or_are_named() -> None:
    plain = EXPECTED["llamafactory"][0].replace("neat_packing: true\n", "") + "packing: true\n"
    assert loadout_of(plain).value_of("data.separate_rows") is False
    assert "`data.separate_rows: false`" in left_of(plain, "axolotl")
    apart = converted(plain.replace("packing: true\n", "packing: true\nneat_packing: true\n"), "axolotl")
    assert not [item for item in apart.left if "separate_rows" in item.what]
    assert loadout_of(plain.replace("packing: true", "packing: false")).value_of("data.separate_rows") is None
    native = "recipeforge: 1\nmodel: x/y\ntechnique: lora\ndata: {packing: true, separate_rows: false}\n"
    assert "neat_packing: false\n" in converted(native, "llamafactory").text


def test_a_false_that_is_written_is_carried_over() -> None:
    native = "recipeforge: 1\nmodel: x/y\ntechnique: lora\nobjective: sft\ndata: {packing: false}\n"
    assert "sample_packing: false\n" in converted(native, "axolotl").text
    for to in ("llamafactory", "trl"):
        assert "\npacking: false\n" in converted(native, to).text


LIGER = "liger_rope: true\nliger_rms_norm: true\nliger_glu_activation: true\nplugins: [axolotl.integrations.liger.LigerPlugin]\n"
PLAIN = "base_model: x/y\nadapter: lora\ndatasets: [{path: a}]\nmicro_batch_size: 1\n"


def test_ligers_kernels_are_chosen_one_by_one_or_taken_whole() -> None:
    whole = converted(PLAIN + LIGER + "liger_fused_linear_cross_entropy: true\n", "llamafactory")
    assert "enable_liger_kernel: true\n" in whole.text and not [item for item in whole.left if "kernels" in item.what]
    some = "use_liger_kernel: true\nliger_kernel_config:\n  rope: true\n  rms_norm: true\n  swiglu: true\n  geglu: true\n"
    assert some + "  fused_linear_cross_entropy: false\n" in converted(PLAIN + LIGER, "llamafactory").text
    one = converted(PLAIN + LIGER.replace("liger_rope: true\n", ""), "trl")
    assert "  rope: false\n" in one.text and "  rms_norm: true\n" in one.text
    assert not [item for item in one.left if "kernels" in item.what]
    fused = left_of(PLAIN + LIGER + "liger_fused_linear_cross_entropy: true\n", "trl")
    assert fused["`kernels: liger-fused-linear-cross-entropy`"].startswith("TRL refuses it")
    back = converted(whole.text, "axolotl").text
    assert "liger_fused_linear_cross_entropy: true\n" in back and "plugins: [axolotl.integrations.liger.LigerPlugin]\n" in back


def test_what_no_key_says_comes_with_what_to_do_instead() -> None:
    native = "recipeforge: 1\nmodel: x/y\ntechnique: lora\ndata: {limit: 100}\ndistributed: fsdp2\nhardware: {count: 8}\n"
    axolotl, trl = left_of(native, "axolotl"), converted(native, "trl")
    assert "--nproc_per_node=8" in axolotl["`hardware.count: 8`"] and "train[:100]" in axolotl["`data.limit: 100`"]
    assert "NPROC_PER_NODE=8" in left_of(native, "llamafactory")["`hardware.count: 8`"]
    assert "num_processes: 8\n" in trl.text, "the trl command hands it on"
    assert "num_processes" not in converted(FSDP, "trl").text, "nobody said how many"


def test_pure_bf16_where_a_tool_says_it_by_two_keys() -> None:
    native = "recipeforge: 1\nmodel: x/y\ntechnique: {use}\nprecision: pure-bf16\nmemory: [gradient-checkpointing]\n"
    lora, full = native.replace("{use}", "lora"), native.replace("{use}", "full")
    assert "dtype: bfloat16\nbf16: false\n" in converted(lora, "trl").text
    assert "bf16: true\npeft_autocast_adapter_dtype: false\n" in converted(lora, "axolotl").text
    assert "peft" not in converted(full, "axolotl").text
    assert [converted(text, to).left for text in (lora, full) for to in WHOLE] == [()] * 6


def test_torchaos_nf4_has_words_in_axolotl() -> None:
    native = "recipeforge: 1\nmodel: x/y\ntechnique: qlora\nquantization: torchao-nf4\nprecision: bf16\n"
    assert "adapter: qlora\nload_in_4bit: true\nnf4_backend: torchao\n" in converted(native, "axolotl").text
    assert left_of(native, "axolotl") == {}
    assert left_of(native, "trl")["`quantization: torchao-nf4`"].startswith("bitsandbytes' NF4 is the nearest")


def test_a_technique_that_a_tool_lacks_becomes_the_nearest_and_is_named() -> None:
    native = "recipeforge: 1\nmodel: x/y\ntechnique: {use: pissa, rank: 4}\nmemory: [gradient-checkpointing]\nprecision: bf16\n"
    there = converted(native, "trl")
    assert "use_peft: true\n" in there.text and "lora_r: 4\n" in there.text
    assert [item.what for item in there.left] == ["`technique: pissa`"]


def test_lora_plus_takes_its_ratio_along() -> None:
    theirs = EXPECTED["llamafactory"][0] + "loraplus_lr_ratio: 24\n"
    assert "loraplus_lr_ratio: 24" in converted(theirs, "axolotl").text
    native = "recipeforge: 1\nmodel: x/y\ntechnique: lora\nlr_groups: [lora-plus]\n"
    assert "loraplus_lr_ratio: 16\n" in converted(native, "axolotl").text


TRL = "model_name_or_path: x/y\ndataset_name: a\nlearning_rate: 1e-5\nper_device_train_batch_size: 1\n"


def test_what_conversions_write_for_trl_is_read() -> None:
    split = loadout_of(TRL + "test_split_size: 0.1\nnum_processes: 4\ndtype: bfloat16\nbf16: false\nactivation_offloading: true\n")
    assert split.value_of("data.validation") is None, "TRL holds nothing out of a data set that `dataset_name` names"
    assert (split.value_of("hardware.count"), split.component_in("precision")) == (4, "pure-bf16")
    assert "activation-offloading" in split.components_in("memory")
    held = loadout_of(TRL.replace("dataset_name: a", "datasets: [{path: a}]") + "test_split_size: 0.1\nstreaming: true\n", "trl")
    assert (held.value_of("data.validation"), held.value_of("data.streaming")) == (0.1, True)
    mixed = loadout_of(TRL + "dtype: bfloat16\n")
    assert mixed.component_in("precision") == "bf16"
    sharded = loadout_of(TRL + "fsdp: true\nfsdp_config: {version: 1, cpu_offload: true}\n")
    assert (sharded.component_in("distributed"), sharded.value_of("distributed.offload")) == ("fsdp1", True)


def test_ligers_kernels_are_read_one_by_one_where_they_are_chosen() -> None:
    chosen = "use_liger_kernel: true\nliger_kernel_config: {rope: false, cross_entropy: true, fused_linear_cross_entropy: false}\n"
    assert set(loadout_of(TRL + chosen).components_in("kernels")) == {"liger-rms-norm", "liger-swiglu", "liger-cross-entropy"}
    assert loadout_of(TRL + "use_liger_kernel: true\n").components_in("kernels") == ("liger",)
    theirs = loadout_of(EXPECTED["llamafactory"][0] + "use_liger_kernel: true\nliger_kernel_config: {rope: false}\n")
    assert "liger-fused-linear-cross-entropy" in theirs.components_in("kernels"), "transformers' own default"


def test_generations_belong_to_an_objective_that_samples() -> None:
    axolotl = PLAIN + "trl: {num_generations: 4}\n"
    assert loadout_of(axolotl + "rl: grpo\n").value_of("objective.generations") == 4
    assert loadout_of(axolotl + "rl: ebft\nebft: {mode: structured}\n").value_of("objective.generations") is None
