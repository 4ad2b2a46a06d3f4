"""What a recipe meets: facts from sheets, folders and flags; what nobody knows stays unknown and is said."""

import json
from pathlib import Path

import pytest
from small_catalog import CATALOG

from recipeforge.documents.context import gpu_sheet, model_sheet
from recipeforge.documents.edit import apply_edits
from recipeforge.documents.load import load
from recipeforge.documents.model_folder import config_facts
from recipeforge.documents.parse import parse
from recipeforge.documents.read import ReadResult, read
from recipeforge.schemas.loadout import Fact

_SMOL = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
}


def _read(gpu: str = "t4", model: str = "tiny", overrides: dict[str, Fact] | None = None) -> ReadResult:
    text = f"recipeforge: 1\nmodel: {model}\ntechnique: lora\nhardware: {{gpu: {gpu}}}\n"
    return read(parse(text), CATALOG, overrides)


def _facts(result: ReadResult) -> dict[str, Fact]:
    assert result.loadout is not None
    return dict(result.loadout.context.facts)


@pytest.mark.parametrize("name", ["rtx-4090", "RTX 4090", "rtx4090", "NVIDIA GeForce RTX 4090"])
def test_a_gpu_is_known_by_id_title_and_the_name_that_its_driver_prints(name: str) -> None:
    result = _read(gpu=name)
    assert result.diagnostics == ()
    facts = _facts(result)
    assert (facts["gpu.id"], facts["gpu.memory_gib"], facts["gpu.dtypes"]) == ("rtx-4090", 24.0, ("fp32", "fp16"))
    assert gpu_sheet(CATALOG, name) is CATALOG.gpus["rtx-4090"]


def test_a_flag_wins_over_the_file_and_its_unknown_gpu() -> None:
    result = _read(gpu="potato", overrides={"gpu.id": "t4"})
    assert result.diagnostics == ()
    assert _facts(result)["gpu.capability"] == 7.5
    assert _facts(_read(overrides={"gpu.memory_gib": 12.0}))["gpu.memory_gib"] == 12.0
    assert _facts(_read(overrides={"packages.torch": "2.4"}))["packages.torch"] == "2.4"
    assert _facts(_read(overrides={"model.id": "tiny"}, model="other/x"))["model.hidden"] == 512


def test_an_unknown_gpu_is_a_warning_with_what_may_be_meant() -> None:
    found = _read(gpu="rtx-4900").diagnostics
    assert [(d.code, d.severity) for d in found] == [("RF0016", "warning")]
    bare = _read(gpu="a100").diagnostics[0]
    assert "`a100-40gb` or `a100-80gb`" in bare.primary.text
    assert {fix.safety for fix in bare.fixes} == {"unsafe"}
    flagged = _read(overrides={"gpu.id": "potato"}).diagnostics[0]
    assert "asked for by option, environment or configuration" in flagged.message and flagged.fixes == ()
    assert "gpu.memory_gib" not in _facts(_read(gpu="a100"))


def test_no_gpu_is_no_finding_and_no_facts() -> None:
    result = read(parse("recipeforge: 1\nmodel: tiny\ntechnique: lora\n"), CATALOG)
    assert result.diagnostics == ()
    assert not [fact for fact in _facts(result) if fact.startswith("gpu.")]


def test_a_cpu_is_known_without_a_sheet() -> None:
    assert _facts(_read(gpu="cpu"))["gpu.vendor"] == "cpu"
    assert _read(gpu="cpu").diagnostics == ()


def test_models_are_known_by_id_and_alias_without_case() -> None:
    assert _facts(_read(model="ORG/Tiny-100m"))["model.parameters"] == 100_000_000
    assert model_sheet(CATALOG, "tiny") is CATALOG.models["org/tiny-100M"]


def test_an_unknown_model_is_said_once_and_mildly() -> None:
    found = _read(model="org/tiny-200M").diagnostics
    assert [(d.code, d.severity) for d in found] == [("RF0017", "info")]
    assert found[0].fixes[0].safety == "unsafe"
    text = "recipeforge: 1\nmodel: org/tiny-200M\ntechnique: lora\n"
    assert apply_edits(text, read(parse(text), CATALOG).diagnostics[0].fixes[0].edits).count("org/tiny-100M") == 1


def _recipe_beside(tmp_path: Path, model: str) -> ReadResult:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"recipeforge: 1\nmodel: {model}\ntechnique: lora\n", encoding="utf-8")
    return read(load(path), CATALOG)


@pytest.mark.parametrize("model", ["./smol", "smol"])
def test_a_folder_beside_the_recipe_is_read(tmp_path: Path, model: str) -> None:
    (tmp_path / "smol").mkdir()
    (tmp_path / "smol" / "config.json").write_text(json.dumps(_SMOL), encoding="utf-8")
    result = _recipe_beside(tmp_path, model)
    assert result.diagnostics == ()
    facts = _facts(result)
    assert facts["model.parameters"] == 134_515_008
    assert (facts["model.head_dim"], facts["model.kv_heads"], facts["model.dtype"]) == (64, 3, "bf16")
    assert facts["model.tied_embeddings"] is True
    assert facts["model.moe"] is False


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("{", "cannot be read"),
        ("[]", "no mapping"),
        ("{}", "no known field"),
        ('{"a":' * 100_000, "cannot be read"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_broken_folder_is_said(tmp_path: Path, content: str, word: str) -> None:
    (tmp_path / "smol").mkdir()
    (tmp_path / "smol" / "config.json").write_text(content, encoding="utf-8")
    found = _recipe_beside(tmp_path, "./smol").diagnostics
    assert [d.code for d in found] == ["RF0017"]
    assert word in found[0].primary.text


def test_folders_that_are_not_there_or_empty_are_said(tmp_path: Path) -> None:
    assert "no such folder" in _recipe_beside(tmp_path, "./nowhere").diagnostics[0].primary.text
    (tmp_path / "empty").mkdir()
    assert "no config.json" in _recipe_beside(tmp_path, "./empty").diagnostics[0].primary.text
    assert [d.code for d in _recipe_beside(tmp_path, '"./a\\0b"').diagnostics] == ["RF0017"]
    assert [d.code for d in _recipe_beside(tmp_path, "x" * 5000).diagnostics] == ["RF0017"]


def test_sharded_weights_count_themselves(tmp_path: Path) -> None:
    folder = tmp_path / "big"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**_SMOL, "model_type": "unheard-of"}), encoding="utf-8")
    (folder / "model.safetensors.index.json").write_text('{"metadata": {"total_size": 2000}}', encoding="utf-8")
    assert _facts(_recipe_beside(tmp_path, "./big"))["model.parameters"] == 1000


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, {"quantized": "gptq"}),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, {"quantized": "bnb-4bit"}),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}}, {"quantized": "bnb-8bit"}),
        ({"num_local_experts": 8}, {"moe": True, "experts": 8}),
        ({"model_type": "gemma2", "attn_logit_softcapping": 50.0}, {"softcap": True}),
        ({"vision_config": {}, "text_config": {"hidden_size": 640}}, {"vision": True, "hidden": 640}),
        ({"tie_word_embeddings": False}, {"tied_embeddings": False, "parameters": 134_515_008 + 49152 * 576}),
        ({"model_type": "qwen2"}, {"parameters": 134_515_008 + 30 * (9 + 2 * 3) * 64}),
        ({"hidden_size": True, "vocab_size": -3, "head_dim": "x"}, {}),
    ],
)
def test_configurations(change: dict[str, object], facts: dict[str, Fact]) -> None:
    found = config_facts({**_SMOL, **change})
    assert {name: found[name] for name in facts} == facts
    if "quantized" in facts or facts.get("moe"):
        assert "parameters" not in found
