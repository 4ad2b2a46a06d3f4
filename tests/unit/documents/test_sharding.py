"""Which FSDP a configuration asks for."""

import pytest

from recipeforge.api import check

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
