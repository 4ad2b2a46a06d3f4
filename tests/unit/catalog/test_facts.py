"""The shipped fact sheets: well formed, consistent with each other, and parameter counts that follow from the dimensions."""

import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

FACTS = Path(__file__).parents[3] / "recipeforge/catalog/packs/core/facts"

Sheet = dict[str, Any]


def sheets(name: str) -> list[Sheet]:
    return [sheet for path in sorted(FACTS.glob(f"{name}*.yaml")) for sheet in yaml.safe_load(path.read_text(encoding="utf-8"))]


GPUS, MODELS, PACKAGES = sheets("gpus"), sheets("models"), sheets("packages")
MODEL = {sheet["id"]: sheet["facts"] for sheet in MODELS}
GPU = {sheet["id"]: sheet["facts"] for sheet in GPUS}

CAPABILITIES = {
    "pascal": {6.0, 6.1},
    "volta": {7.0},
    "turing": {7.5},
    "ampere": {8.0, 8.6},
    "ada": {8.9},
    "hopper": {9.0},
    "blackwell": {10.0, 10.3, 12.0},
}

VISION_FAMILIES = {"gemma3", "qwen2_5_vl"}
"""Their counts include a vision tower whose dimensions are not facts."""


def attention(f: Sheet) -> int:
    """Weights of q, k, v and o in one layer, without biases."""
    return 2 * f["hidden"] * f["head_dim"] * (f["heads"] + f["kv_heads"])


def qkv_bias(f: Sheet) -> int:
    return (f["heads"] + 2 * f["kv_heads"]) * f["head_dim"]


def norms(f: Sheet) -> int:
    """RMSNorm weights of one layer, with those on queries and keys."""
    per_head = {"qwen3": 2, "qwen3_moe": 2, "gemma3_text": 2}.get(f["family"], 0) * f["head_dim"]
    whole = (f["heads"] + f["kv_heads"]) * f["head_dim"] if f["family"] == "olmo2" else 0
    return (4 if f["family"] in {"gemma2", "gemma3_text", "glm4"} else 2) * f["hidden"] + per_head + whole


def gated_mlp(f: Sheet) -> int:
    """Weights of gate, up and down; of all experts with their router in a mixture."""
    one, experts = 3 * f["hidden"] * f["intermediate"], f.get("experts", 1)
    return one * experts + (f["hidden"] * experts if f["moe"] else 0)


def embeddings(f: Sheet) -> int:
    return f["vocab"] * f["hidden"] * (1 if f["tied_embeddings"] else 2)


def llama_like(f: Sheet) -> int:
    bias = qkv_bias(f) if f["family"] in {"qwen2", "glm", "glm4"} else 0
    return embeddings(f) + f["layers"] * (attention(f) + bias + gated_mlp(f) + norms(f)) + f["hidden"]


def plain_mlp(f: Sheet) -> int:
    """Two linears with biases."""
    return 2 * f["hidden"] * f["intermediate"] + f["intermediate"] + f["hidden"]


def gpt2(f: Sheet) -> int:
    h = f["hidden"]
    layer = attention(f) + qkv_bias(f) + h + plain_mlp(f) + 2 * 2 * h
    return embeddings(f) + f["context_length"] * h + f["layers"] * layer + 2 * h


def phi(f: Sheet) -> int:
    h = f["hidden"]
    layer = attention(f) + qkv_bias(f) + h + plain_mlp(f) + 2 * h
    return embeddings(f) + f["vocab"] + f["layers"] * layer + 2 * h


def gpt_oss(f: Sheet) -> int:
    h, i = f["hidden"], f["intermediate"]
    expert = 3 * h * i + 2 * i + h
    router = f["experts"] * (h + 1)
    sinks = f["heads"]
    layer = attention(f) + qkv_bias(f) + h + sinks + f["experts"] * expert + router + 2 * h
    return embeddings(f) + f["layers"] * layer + h


def gpt_neox(f: Sheet) -> int:
    h = f["hidden"]
    return embeddings(f) + f["layers"] * (attention(f) + qkv_bias(f) + h + plain_mlp(f) + 2 * 2 * h) + 2 * h


def gpt_neo(f: Sheet) -> int:
    h = f["hidden"]
    return embeddings(f) + f["context_length"] * h + f["layers"] * (attention(f) + h + plain_mlp(f) + 2 * 2 * h) + 2 * h


def gptj(f: Sheet) -> int:
    h = f["hidden"]
    return embeddings(f) + f["vocab"] + f["layers"] * (attention(f) + plain_mlp(f) + 2 * h) + 2 * h


def falcon(f: Sheet) -> int:
    """No biases; one norm with bias before a layer where all heads share one key, otherwise two."""
    h = f["hidden"]
    norms_of_layer = (1 if f["kv_heads"] == 1 else 2) * 2 * h
    return embeddings(f) + f["layers"] * (attention(f) + 2 * h * f["intermediate"] + norms_of_layer) + 2 * h


def stablelm(f: Sheet) -> int:
    h = f["hidden"]
    return embeddings(f) + f["layers"] * (attention(f) + gated_mlp(f) + 2 * 2 * h) + 2 * h


def olmo(f: Sheet) -> int:
    """Its norms have no weights."""
    return embeddings(f) + f["layers"] * (attention(f) + gated_mlp(f))


def deepseek_v3(f: Sheet) -> int:
    """Queries pass through 1536 numbers, keys and values through 512; values have 128 a head, 64 of a query and key rotate."""
    h, heads, dense, wide, shared = f["hidden"], f["heads"], 3, 18432, 1
    queries = h * 1536 + 1536 + 1536 * heads * f["head_dim"]
    keys_and_values = h * (512 + 64) + 512 + 512 * heads * (f["head_dim"] - 64 + 128)
    layer = queries + keys_and_values + heads * 128 * h + 2 * h
    experts = (f["experts"] + shared) * 3 * h * f["intermediate"] + f["experts"] * h
    return embeddings(f) + f["layers"] * layer + dense * 3 * h * wide + (f["layers"] - dense) * experts + h


def biased_encoder_layer(f: Sheet) -> int:
    h = f["hidden"]
    return attention(f) + 4 * h + plain_mlp(f) + 2 * 2 * h


def bert(f: Sheet) -> int:
    """Embeddings of words, places and two segments, and a pooler on top."""
    h = f["hidden"]
    return (f["vocab"] + f["context_length"] + 2 + 2) * h + f["layers"] * biased_encoder_layer(f) + h * h + h


def distilbert(f: Sheet) -> int:
    h = f["hidden"]
    return (f["vocab"] + f["context_length"] + 2) * h + f["layers"] * biased_encoder_layer(f)


def modernbert(f: Sheet) -> int:
    """The first layer has no norm of its own, the embedding has one, and so has the end."""
    h = f["hidden"]
    return f["vocab"] * h + f["layers"] * (attention(f) + gated_mlp(f) + 2 * h) + h


def nomic_bert(f: Sheet) -> int:
    h = f["hidden"]
    return (f["vocab"] + 2 + 2) * h + f["layers"] * (attention(f) + gated_mlp(f) + 2 * 2 * h)


COUNTS = {
    "gpt2": gpt2,
    "phi": phi,
    "gpt_oss": gpt_oss,
    "gpt_neox": gpt_neox,
    "gpt_neo": gpt_neo,
    "gptj": gptj,
    "falcon": falcon,
    "stablelm": stablelm,
    "olmo": olmo,
    "deepseek_v3": deepseek_v3,
    "bert": bert,
    "distilbert": distilbert,
    "modernbert": modernbert,
    "eurobert": modernbert,
    "nomic_bert": nomic_bert,
}
ENCODERS = {"bert", "distilbert", "modernbert", "eurobert", "nomic_bert"}
NAMED_SMALLER = {"tiiuae/Falcon3-1B-Base": "a third of its weights are embeddings and head"}
"""Models whose name says much less than they hold, and why."""


def named_billions(name: str) -> float | None:
    """Return the size in a model's name: 7.0 for `7B`, 0.135 for `135M`, 46.7 for Mixtral's eight times seven."""
    if "8x7B" in name:
        return 46.7
    found = re.search(r"(?<![A-Za-z\d.])(\d+(?:\.\d+)?)([bBM])(?![A-Za-z])", name)
    return float(found[1]) / (1000 if found[2] == "M" else 1) if found else None


def ids(group: list[Sheet]) -> list[str]:
    return [sheet["id"] for sheet in group]


def test_there_are_enough_sheets():
    assert len(GPUS) >= 40
    assert len(MODELS) >= 125
    assert len(PACKAGES) >= 20


@pytest.mark.parametrize("group", [GPUS, MODELS, PACKAGES], ids=["gpus", "models", "packages"])
def test_every_name_leads_to_one_sheet(group: list[Sheet]):
    spelled = [{name.casefold() for name in (sheet["id"], *sheet.get("aliases", ()))} for sheet in group]
    twice = [name for name, count in Counter(name for names in spelled for name in names).items() if count > 1]
    assert twice == []


@pytest.mark.parametrize("sheet", [*GPUS, *MODELS, *PACKAGES], ids=lambda sheet: sheet["id"])
def test_every_sheet_has_a_source_and_says_something(sheet: Sheet):
    assert urlparse(sheet["source"]).scheme in {"https", "pkg"}
    assert str(sheet["checked"]) >= "2026-11-21"
    assert sheet["title"].strip()
    assert sheet["facts"]
    assert all(isinstance(alias, str) for alias in sheet.get("aliases", ()))


def test_sources_in_repositories_are_pinned():
    floating = [s["id"] for s in [*GPUS, *MODELS] if re.match(r"https://github\.com/[^/]+/[^/]+/blob/(main|master|HEAD)/", s["source"])]
    assert floating == []


@pytest.mark.parametrize("sheet", GPUS, ids=ids(GPUS))
def test_capability_goes_with_vendor_and_architecture(sheet: Sheet):
    facts = sheet["facts"]
    if facts["vendor"] == "nvidia":
        assert facts["capability"] in CAPABILITIES[facts["arch"]]
    else:
        assert "capability" not in facts


@pytest.mark.parametrize("sheet", [s for s in GPUS if s["facts"]["vendor"] == "nvidia"], ids=lambda s: s["id"])
def test_number_formats_follow_capability(sheet: Sheet):
    facts = sheet["facts"]
    since = {"tf32": 8.0, "bf16": 8.0, "fp8": 8.9, "fp4": 10.0}
    assert {f for f in since if f in facts["dtypes"]} == {f for f, least in since.items() if facts["capability"] >= least}
    assert {"fp32", "fp16"} <= set(facts["dtypes"])


@pytest.mark.parametrize("sheet", [s for s in GPUS if s["facts"]["vendor"] in {"nvidia", "amd"}], ids=lambda s: s["id"])
def test_memory_agrees_with_the_size_in_the_name(sheet: Sheet):
    memory = sheet["facts"]["memory_gib"]
    assert 4 <= memory <= 300
    named = re.search(r"(\d+)gb$", sheet["id"])
    if named:
        assert memory == int(named[1])


def test_boards_with_ecc_hold_less_than_they_are_sold_with():
    assert [GPU[name]["memory_gib"] for name in ("t4", "l4", "a10", "l40s")] == [15, 22.5, 22.5, 45]


@pytest.mark.parametrize(
    ("alias", "wanted"),
    [("4090", "rtx-4090"), ("NVIDIA GeForce RTX 4090", "rtx-4090"), ("A100", "a100-80gb"), ("H100", "h100-80gb"), ("Tesla T4", "t4")],
)
def test_usual_spellings_are_aliases(alias: str, wanted: str):
    assert [s["id"] for s in GPUS if alias in s["aliases"]] == [wanted]


@pytest.mark.parametrize("sheet", [s for s in MODELS if s["facts"]["family"] not in VISION_FAMILIES], ids=lambda s: s["id"])
def test_parameters_follow_from_the_dimensions(sheet: Sheet):
    facts = sheet["facts"]
    assert facts["parameters"] == COUNTS.get(facts["family"], llama_like)(facts)


@pytest.mark.parametrize("sheet", [s for s in MODELS if s["facts"]["vision"]], ids=lambda s: s["id"])
def test_a_vision_tower_is_on_top_of_the_language_model(sheet: Sheet):
    facts = sheet["facts"]
    text = {"gemma3": "gemma3_text", "qwen2_5_vl": "qwen2"}[facts["family"]]
    tower = facts["parameters"] - llama_like({**facts, "family": text})
    assert 0.3e9 < tower < 0.8e9


@pytest.mark.parametrize("sheet", [s for s in MODELS if named_billions(s["id"]) and s["id"] not in NAMED_SMALLER], ids=lambda s: s["id"])
def test_parameters_agree_with_the_name(sheet: Sheet):
    named = named_billions(sheet["id"])
    assert named is not None
    # Names round, and some leave the embeddings out: gemma-2-2b holds 2.6 billion, R1-Distill-Qwen-1.5B 1.78.
    assert 0.9 * named <= sheet["facts"]["parameters"] / 1e9 <= 1.32 * named


@pytest.mark.parametrize(
    ("model", "counted"),
    [
        ("HuggingFaceTB/SmolLM2-135M", 134_515_008),
        ("meta-llama/Llama-2-7b-hf", 6_738_415_616),
        ("meta-llama/Llama-3.1-8B", 8_030_261_248),
        ("meta-llama/Llama-3.2-1B", 1_235_814_400),
        ("mistralai/Mixtral-8x7B-v0.1", 46_702_792_704),
        ("Qwen/Qwen2.5-7B", 7_615_616_512),
        ("Qwen/Qwen3-30B-A3B", 30_532_122_624),
        ("google/gemma-2-2b", 2_614_341_888),
        ("openai/gpt-oss-20b", 20_914_757_184),
        ("openai/gpt-oss-120b", 116_829_156_672),
        ("deepseek-ai/DeepSeek-V3", 671_026_404_352),
        ("HuggingFaceTB/SmolLM3-3B", 3_075_098_624),
        ("zai-org/GLM-4-9B-0414", 9_400_279_040),
        ("zai-org/glm-4-9b-chat-hf", 9_399_951_360),
        ("EleutherAI/gpt-neox-20b", 20_554_567_680),
        ("EleutherAI/gpt-neo-1.3B", 1_315_575_808),
        ("EleutherAI/gpt-j-6b", 6_050_882_784),
        ("tiiuae/falcon-7b", 6_921_720_704),
        ("stabilityai/stablelm-3b-4e1t", 2_795_443_200),
        ("kyutai/helium-1-preview-2b", 2_172_643_840),
        ("baidu/ERNIE-4.5-0.3B-PT", 360_748_032),
        ("google-bert/bert-base-uncased", 109_482_240),
        ("distilbert/distilbert-base-uncased", 66_362_880),
        ("answerdotai/ModernBERT-base", 149_014_272),
        ("EuroBERT/EuroBERT-210m", 211_766_016),
        ("nomic-ai/nomic-embed-text-v1.5", 136_731_648),
    ],
)
def test_parameters_are_those_of_the_modules(model: str, counted: int):
    """Counted on the meta device with transformers 5.23.0."""
    assert MODEL[model]["parameters"] == counted


@pytest.mark.parametrize("sheet", MODELS, ids=ids(MODELS))
def test_dimensions_fit_together(sheet: Sheet):
    facts = sheet["facts"]
    assert facts["heads"] % facts["kv_heads"] == 0
    assert facts["head_dim"] in {64, 80, 96, 128, 192, 256}
    assert facts["vocab"] >= (30_000 if facts["family"] in ENCODERS else 32_000)
    assert (512 if facts["family"] in ENCODERS else 1024) <= facts.get("context_length", 1024) <= 1_048_576
    assert facts["softcap"] == (facts["family"] == "gemma2")


@pytest.mark.parametrize("sheet", MODELS, ids=ids(MODELS))
def test_a_mixture_states_its_experts_and_others_do_not(sheet: Sheet):
    facts = sheet["facts"]
    assert facts["moe"] == ("experts" in facts) == ("active_parameters" in facts)
    if facts["moe"]:
        assert facts["parameters"] / facts["experts"] < facts["active_parameters"] < facts["parameters"] / 3


def test_quantized_checkpoints_are_marked_and_only_those():
    marks = {"GPTQ": "gptq", "AWQ": "awq", "bnb-4bit": "bnb-4bit", "gpt-oss": "mxfp4", "AQLM": "aqlm"}
    for sheet in MODELS:
        named = next((kind for mark, kind in marks.items() if mark in sheet["id"]), None)
        assert sheet["facts"].get("quantized") == named, sheet["id"]
    assert {sheet["facts"].get("quantized") for sheet in MODELS} == {None, *marks.values()}


@pytest.mark.parametrize("sheet", PACKAGES, ids=ids(PACKAGES))
def test_versions_and_requirements_parse(sheet: Sheet):
    assert isinstance(sheet["facts"]["current"], str)
    assert not Version(sheet["facts"]["current"]).is_prerelease
    assert sheet["source"] == f"pkg:pypi/{sheet['id']}@{sheet['facts']['current']}"
    SpecifierSet(sheet["facts"].get("requires_python", ""))
