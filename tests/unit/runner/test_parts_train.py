"""Every part trains two steps of a tiny model, is saved, and loads again as what it was."""

import json
import math
from pathlib import Path

import pytest

from recipeforge.runner.parts import PARTS

pytest.importorskip("torch")

PAIRS = {"data": "{source: pairs.jsonl, format: preference, sequence_length: 64, validation: 0.2}"}
GRPO = {"data": "{source: pairs.jsonl, format: prompts, sequence_length: 64}"}
DATA = "source: rows.jsonl, format: text, sequence_length: 64, validation: 0.1"
MEASURED = {"eval": "{strategy: steps, every: 1}"}
BESIDE: dict[str, dict[str, str]] = {
    "qlora": {"quantization": "bnb-4bit"},
    "muon": {"optimizer": "{use: muon, learning_rate: 1.0e-3, auxiliary: adamw}"},
    "galore": {"optimizer": "{use: galore, target_modules: all-linear}", "technique": "full"},
    "apollo": {"optimizer": "{use: apollo, target_modules: attention}", "technique": "full"},
    "apollo-mini": {"optimizer": "{use: apollo-mini, target_modules: mlp}", "technique": "full"},
    "cosine-min-lr": {"scheduler": "{use: cosine-min-lr, min_lr_ratio: 0.1}"},
    "wsd": {"scheduler": "{use: wsd, decay_steps: 2}"},
    "exponential": {"scheduler": "{use: exponential, gamma: 0.9}"},
    "step": {"scheduler": "{use: step, gamma: 0.5, step_size: 1}"},
    "lora-plus": {"technique": "lora"},
    "embedding-lr": {"technique": "full", "lr_groups": "[{use: embedding-lr, embedding_rate: 1.0e-3}]"},
    "reduce-on-plateau": MEASURED,
    "greedy": MEASURED,
    **dict.fromkeys(("dpo", "ipo", "robust-dpo", "kto", "orpo", "cpo", "simpo", "reward"), PAIRS),
    **{
        name: GRPO | {"objective": f"{{use: {name}, generations: 2, completion_length: 8, reward: length}}"} for name in ("grpo", "dr-grpo")
    },
    "classification": {"data": "{source: classes.jsonl, format: classification, sequence_length: 64, validation: 0.2}"},
    "robust-dpo": PAIRS | {"objective": "{use: robust-dpo, label_smoothing: 0.1}"},
}
"""What a part needs beside its own line."""
MANY = {"memory", "kernels", "regularization", "lr_groups", "evaluation", "export"}
TRAINED = [part for part in PARTS if not part.untested and part.slot != "distributed"]
"""Those that want several processes are trained in tests/e2e/test_torchrun.py."""


@pytest.mark.parametrize("part", TRAINED, ids=lambda part: f"{part.slot}-{part.component}")
def test_it_trains(part, train, tmp_path: Path) -> None:
    pairs = [{"prompt": "two or three? ", "chosen": f"two {n}", "rejected": f"{n} no"} for n in range(20)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    if absent := [need.name for need in part.needs if need.installed is None]:
        pytest.skip(f"needs {', '.join(absent)}")
    written = f"[{part.component}]" if part.slot in MANY else part.component
    (tmp_path / "classes.jsonl").write_text("".join(json.dumps({"text": f"row {n}", "label": n % 3}) + "\n" for n in range(20)))
    heard, _, done = train(smoke=True, **({part.slot: written, "data": f"{{{DATA}}}"} | BESIDE.get(part.component, {})))
    assert done
    assert len(heard.losses()) == 2
    assert all(math.isfinite(loss) for loss in heard.losses())
    assert json.dumps(heard.messages)  # what is said travels as JSON
    assert heard.summary()["trainable_parameters"] > 0
    assert heard.summary()["reload_difference"] <= 1e-3
    if part.slot != "objective" or part.component in ("sft", "pretrain"):
        assert heard.losses()[0] == pytest.approx(math.log(257), rel=0.15)  # a random model over 257 tokens
