"""The shipped key vocabularies: well formed, and in agreement with what the tools themselves say of their example files.

The second half needs the collected examples of other tools; `RECIPEFORGE_PEERS` names their folder (INDEX.tsv, mapping.jsonl,
examples/). It skips where there is none: those files are other projects' and are not shipped.
"""

import csv
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.dialect_keys.write import text
from recipeforge.api import check

ROOT = Path(__file__).parents[3]
KEYS = ROOT / "recipeforge/documents/dialects/keys"
DIALECTS = ("accelerate", "axolotl", "deepspeed", "llamafactory", "torchtune", "trl")
PEERS = Path(os.environ.get("RECIPEFORGE_PEERS") or ROOT.parent / "shared/reference/peers")
VOCABULARIES: dict[str, dict[str, Any]] = {d: json.loads((KEYS / f"{d}.json").read_text(encoding="utf-8")) for d in DIALECTS}

needs_peers = pytest.mark.skipif(not (PEERS / "INDEX.tsv").is_file(), reason="no examples of other tools here (RECIPEFORGE_PEERS)")

TYPES = {"bool", "int", "float", "str", "list", "map", "any"}
FIELDS = {
    "type", "values", "known", "pattern", "default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "required", "nullable",
    "open", "closed", "syntax", "names", "component", "plugin", "needs", "commands", "trainers", "note",
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_vocabulary_is_well_formed(dialect: str) -> None:
    made = VOCABULARIES[dialect]
    assert made["dialect"] == dialect and re.fullmatch(r"[0-9a-f]{40}", made["commit"]) and made["version"] and made["taken"]
    assert all(url.startswith("https://github.com/") and made["commit"] in url for url in made["source"].split())
    for key, entry in made["keys"].items():
        assert set(entry["type"].split("|")) <= TYPES and set(entry) <= FIELDS, (key, entry)
        assert key.isascii() and key.isprintable() and " " not in key, key
        if entry.get("default") is not None and "values" in entry and isinstance(entry["default"], str):
            assert entry["default"] in entry["values"] or "pattern" in entry, (key, entry)
    for key, entry in made["gone"].items():
        assert entry["how"] in ("renamed", "removed", "deprecated"), key
        assert set(entry) <= {"instead", "how", "since", "value", "refused", "trainers"}, key
        assert entry["instead"] is None or entry["instead"] in made["keys"], (key, entry)
        assert entry["how"] != "deprecated" or key in made["keys"], key


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_bytes_are_those_that_the_generator_writes(dialect: str) -> None:
    assert (KEYS / f"{dialect}.json").read_bytes() == text(VOCABULARIES[dialect]).encode("ascii")


def test_known_settings_are_there() -> None:
    axolotl, factory, trl = (VOCABULARIES[d]["keys"] for d in ("axolotl", "llamafactory", "trl"))
    assert axolotl["micro_batch_size"]["type"] == "int" and axolotl["lora_mlp_kernel"]["type"] == "bool"
    assert axolotl["liger_rope"]["plugin"].endswith("LigerPlugin")
    assert VOCABULARIES["axolotl"]["gone"]["unsloth_lora_mlp"]["instead"] == "lora_mlp_kernel"
    assert factory["stage"]["values"] == ["pt", "sft", "rm", "ppo", "dpo", "kto"]
    assert factory["kt_config"]["commands"] == ["train", "infer", "eval"]
    assert factory["n_shot"]["commands"] == ["eval"]
    assert trl["packing"]["trainers"] and "trainers" not in trl["learning_rate"]
    assert VOCABULARIES["trl"]["gone"]["max_seq_length"] == {"instead": "max_length", "how": "renamed", "since": "0.20.0"}
    assert VOCABULARIES["deepspeed"]["keys"]["zero_optimization.stage"]["values"] == [0, 1, 2, 3, "auto"]
    assert VOCABULARIES["accelerate"]["keys"]["fsdp_config.fsdp_version"]["known"] == [1, 2, "1", "2"]
    assert "lora_rank" in VOCABULARIES["torchtune"]["components"]["torchtune.models.llama3.lora_llama3_8b"]


def unknown(dialect: str, value: Any, prefix: str = "", command: str = "train") -> set[str]:
    """The paths in a file that a vocabulary does not have."""
    keys, found = VOCABULARIES[dialect]["keys"], set()
    for key, inner in value.items() if isinstance(value, dict) else ():
        path = prefix + str(key)
        entry = keys.get(path) or keys.get(prefix + "*")
        if entry is None or command not in entry.get("commands", [command]):
            found.add(path)
        elif not entry.get("open") and entry["type"] != "any":
            below = path if path in keys else prefix + "*"
            found |= unknown(dialect, inner, below + ".", command)
            for item in inner if isinstance(inner, list) else ():
                found |= unknown(dialect, item, below + "[].", command)
    return found


def examples(*dialects: str) -> list[dict[str, str]]:
    """The rows of the index that speak of these dialects' files."""
    with (PEERS / "INDEX.tsv").open(encoding="utf-8") as lines:
        return [row for row in csv.DictReader(lines, delimiter="\t") if row["dialect"] in dialects]


def parsed(row: dict[str, str]) -> Any:
    """One example file."""
    return yaml.safe_load((PEERS / "examples" / row["path"]).read_text(encoding="utf-8"))


AXOLOTL_DROPS = {"sharding_strategy", "fsdp_sharding_strategy", "limit_all_gathers", "fsdp_limit_all_gathers"}
"""Keys of `fsdp_config` that its validator drops from files that it accepts: its model has no such field, and none of these is read."""


FORKED = {"kt_config"}
"""A key that LLaMA-Factory's parser knows only beside transformers-kt, which `use_kt` asks for; its own was run beside transformers."""


@needs_peers
@pytest.mark.parametrize(("index", "dialect", "least"), [("axolotl", "axolotl", 100), ("llamafactory-train", "llamafactory", 15)])
def test_the_tools_own_validators_find_the_same_keys_unknown(index: str, dialect: str, least: int) -> None:
    rows = examples(index)
    assert len(rows) > least
    reported = 0
    for row in rows:
        found = unknown(dialect, parsed(row))
        expected = {*filter(None, row["unknown_top_level_keys"].split(","))}
        nested = {key for key in found if "." in key or "[" in key}
        assert found - nested == expected - FORKED, row["path"]
        assert nested <= {f"fsdp_config.{key}" for key in AXOLOTL_DROPS}, row["path"]
        reported += bool(expected)
    assert reported >= 5


@needs_peers
def test_every_other_example_is_written_in_known_keys() -> None:
    """But for those keys that were looked into: none is read by anything."""
    odd = {
        # Accelerate's launcher puts any name of its sections among the arguments, and nothing reads this one
        "alst_ulysses_4gpu.yaml": {"deepspeed_config.seq_parallel_communication_data_type"},
        # no such sections: the reader asks for `comms_logger`, and for each monitor by name
        "ds_z3_fp8_config.json": {"comms_config", "monitor_config"},
        # the model of `compile` has neither, and refuses them
        "zero1_torch_compile.json": {"compile.backend", "compile.disable"},
        "zero2_torch_compile.json": {"compile.backend", "compile.disable"},
    }
    seen = 0
    for index, dialect in (("trl", "trl"), ("accelerate-yaml", "accelerate"), ("deepspeed-json", "deepspeed")):
        for row in examples(index):
            assert unknown(dialect, parsed(row)) == odd.get(Path(row["path"]).name, set()), row["path"]
            seen += 1
    assert seen > 40


def components(value: Any) -> list[dict[str, Any]]:
    """Every mapping with a `_component_`."""
    inside = [
        c for inner in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()) for c in components(inner)
    ]
    return [value, *inside] if isinstance(value, dict) and "_component_" in value else inside


@needs_peers
def test_torchtune_examples_bind_to_their_components() -> None:
    made, bound = VOCABULARIES["torchtune"], 0
    for row in examples("torchtune"):
        value = parsed(row)
        used = {
            name.split(".")[0] for name in re.findall(r"\$\{([\w.]+)\}", (PEERS / "examples" / row["path"]).read_text(encoding="utf-8"))
        }
        # no recipe reads it: the one for evaluation asks for `chat_template`
        odd = {"apply_chat_template"} if row["path"].endswith("configs/eleuther_evaluation.yaml") else set()
        assert {*value} - {*made["keys"]} - used <= odd, row["path"]
        for part in components(value):
            parameters = made["components"][part["_component_"]]
            assert "**" in parameters or {*part} - {"_component_"} <= {*parameters}, (row["path"], part["_component_"])
            bound += 1
    assert bound > 300


@needs_peers
def test_the_mapping_speaks_of_known_keys() -> None:
    checked = 0
    for line in (PEERS / "mapping.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["dialect"] not in VOCABULARIES or row["checked"] != "in schema":
            continue
        keys = VOCABULARIES[row["dialect"]]["keys"]
        for name in re.split(r",\s*|\s*\+\s*", row["key"]):
            path = re.sub(r"[ =(].*", "", name)
            assert path in keys or any(k.startswith((path + ".", path + "[")) for k in keys), row
            checked += 1
    assert checked > 100


def test_items_of_a_list_of_patterns_have_to_compile() -> None:
    config = "base_model: HuggingFaceTB/SmolLM2-135M\ndatasets: [{path: a.jsonl, type: alpaca}]\nadapter: lora\nmicro_batch_size: 1\n"
    report = check(config + "lora_target_modules: [q_proj, '[k_proj']\n")
    (found,) = [d for d in report.diagnostics if "regular expression" in d.message]
    assert found.severity == "error" and "[k_proj" in found.message
    assert report.text[: report.text.index("'[k_proj'")].count("\n") == found.primary.span.start.line
    assert not [d for d in check(config + "lora_target_modules: [q_proj, 'layers.*k_proj']\n").diagnostics if d.severity == "error"]


def test_items_of_a_list_and_names_in_a_mapping_may_be_settled() -> None:
    config = "base_model: HuggingFaceTB/SmolLM2-135M\ndatasets: [{path: a.jsonl, type: alpaca}]\nmicro_batch_size: 1\n"
    words = (
        "eval_causal_lm_metrics: [chrf, bleu]\ntorch_compile: true\ntorch_compile_options: {epilogue_fusion: true, shape_pading: true}\n"
    )
    found = {d.code: d for d in check(config + words).diagnostics if d.severity == "error"}
    assert "`bleu` for `eval_causal_lm_metrics`" in found["RF0006"].message
    assert "`shape_pading` in `torch_compile_options`" in found["RF0002"].message
    assert found["RF0002"].fixes[0].title == "Rename to `shape_padding`"
    known = words.replace(", bleu", "").replace(", shape_pading: true", ", triton.cudagraphs: true")
    assert not [d for d in check(config + known).diagnostics if d.severity == "error"]


def test_a_key_with_dots_in_its_name_is_found_by_its_path() -> None:
    config = "base_model: HuggingFaceTB/SmolLM2-135M\ndatasets: [{path: a.jsonl, type: alpaca}]\nmicro_batch_size: 1\n"
    report = check(config + "torch_compile: true\ntorch_compile_options: {triton.cudagraphs: true}\n")
    assert report.loadout is not None
    assert "cuda-graphs" in {part.component for part in report.loadout.equipped}
