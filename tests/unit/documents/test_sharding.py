"""Which FSDP a configuration asks for, and what a DeepSpeed file that tools bring along says."""

import pytest

from recipeforge.api import check
from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read

FACTORY = "model_name_or_path: HuggingFaceTB/SmolLM2-135M\nstage: sft\nfinetuning_type: lora\ndataset: ours\ntemplate: default\n"

QUANTIZED = """model_name_or_path: HuggingFaceTB/SmolLM2-135M
dataset_name: trl-lib/Capybara
output_dir: out
learning_rate: 0.0001
per_device_train_batch_size: 2
num_train_epochs: 1
use_peft: true
load_in_4bit: true
fsdp: full_shard
"""


@pytest.mark.parametrize(
    ("details", "code"),
    [("", "RF6006"), ("fsdp_config: {version: 2}\n", "RF6006"), ("fsdp_config: {version: 1}\n", "RF6005")],
)
def test_trl_shards_by_fsdp2_unless_it_is_told_otherwise(details: str, code: str) -> None:
    assert {"RF6005", "RF6006"} & {d.code for d in check(f"{QUANTIZED}{details}").diagnostics} == {code}


@pytest.mark.parametrize(
    ("file", "offloads"),
    [("ds_z3_offload_config.json", True), ("ds_z3_config.json", False), ("ds_z2_offload_config.json", False)],
)
def test_shipped_deepspeed_file_says_by_its_name_whether_weights_are_offloaded(file: str, offloads: bool) -> None:
    loadout = read(parse(f"{FACTORY}deepspeed: examples/deepspeed/{file}\n", "train.yaml"), load()).loadout
    assert loadout is not None
    assert (loadout.value_of("distributed.offload") is True) == offloads
