"""The JSON Schema admits recipes and refuses what an editor should underline."""

import json

import jsonschema
import pytest
import yaml

from recipeforge.catalog.recipe_schema import json_schema

FULL = """\
recipeforge: 1
name: smol-qlora
model: HuggingFaceTB/SmolLM2-135M
technique: {use: qlora, rank: 16, alpha: 32}
quantization: bnb-4bit
optimizer: {use: adamw-8bit, learning_rate: 2.0e-4}
scheduler: {use: cosine, warmup_ratio: 0.03}
precision: bf16
attention: sdpa
memory: [gradient-checkpointing]
kernels: [{use: torch-compile, mode: max-autotune}, tf32]
data: {source: ./train.jsonl, format: chat, sequence_length: 2048, packing: true}
batch: {micro: 4, accumulate: 8}
hardware: {gpu: rtx-4090, count: 1}
budget: {memory_gib: 24, wall_clock: 2h, cost_usd: 5}
framework: trl
packages: {torch: "2.6"}
seed: 17
"""
LEAST = {"recipeforge": 1, "model": "m", "technique": "lora"}


@pytest.fixture(scope="module")
def validator(words):
    schema = json_schema(words)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"technique": ["lora"]},
        {"technique": {"use": "prompt-tuning", "virtual_tokens": 8}},
        {"optimizer": [{"use": "muon", "auxiliary": "adamw"}]},
        {"memory": []},
        {"memory": "gradient-checkpointing"},
        {"regularization": [{"use": "neftune", "noise_alpha": 5}]},
        {"budget": {"wall_clock": "1h30m"}},
    ],
)
def test_good_recipes_pass(more, validator):
    validator.validate(LEAST | more)


def test_the_whole_recipe_of_the_design_passes(validator):
    validator.validate(yaml.safe_load(FULL))


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"recipeforge": 2}, ["recipeforge"]),
        ({"technique": "lorra"}, ["technique"]),
        ({"technique": "adamw"}, ["technique"]),
        ({"technique": ["lora", "dora"]}, ["technique"]),
        ({"technique": {"rank": 8}}, ["technique"]),
        ({"technique": {"use": "full", "rank": 8}}, ["technique"]),
        ({"technique": {"use": "lora", "rnk": 8}}, ["technique"]),
        ({"technique": {"use": "lora", "rank": "8"}}, ["technique"]),
        ({"technique": {"use": "lora", "bias": "som"}}, ["technique"]),
        ({"memory": ["gradient-checkpointing", "gradient-checkpointing"]}, ["memory"]),
        ({"batch": {"micro": 0}}, ["batch", "micro"]),
        ({"batch": {"micro": 1.5}}, ["batch", "micro"]),
        ({"batch": {"mico": 1}}, ["batch"]),
        ({"data": {"format": "csv"}}, ["data", "format"]),
        ({"budget": {"wall_clock": 2}}, ["budget", "wall_clock"]),
        ({"packages": {"torch": 2.6}}, ["packages", "torch"]),
        ({"framework": "fairseq"}, ["framework"]),
        ({"optimiser": "adamw"}, []),
        ({"seed": -1}, ["seed"]),
    ],
)
def test_bad_recipes_are_refused_where_they_are_wrong(more, place, validator):
    errors = list(validator.iter_errors(LEAST | more))
    assert [list(error.absolute_path) for error in errors] == [place]


@pytest.mark.parametrize("key", ["recipeforge", "model", "technique"])
def test_what_is_required_is_missed(key, validator):
    assert not validator.is_valid({k: v for k, v in LEAST.items() if k != key})


def test_every_component_and_knob_can_be_written_and_hovered(words, validator):
    schema = json_schema(words)
    for component in words.components.values():
        validator.validate(LEAST | {component.slot: {"use": component.id}})
        choices = schema["$defs"][component.slot]["anyOf"][0]["oneOf"]
        assert next(c for c in choices if c["const"] == component.id)["description"].startswith(component.title)
    for knob in words.knobs.values():
        for value in (*knob.choices, *([] if knob.default is None else [knob.default])):
            holder = (
                {"use": next(c.id for c in words.members(knob.group) if not knob.components or c.id in knob.components)}
                if knob.group in words.slots
                else {}
            )
            validator.validate(LEAST | {knob.group: {**holder, knob.name: value}})


def test_it_is_the_same_text_every_time(words):
    assert json.dumps(json_schema(words)) == json.dumps(json_schema(words))
