"""Preference data: what its rows may be, and that each objective over it learns to tell good answers from bad ones."""

import json
import math
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.objective import OTHER_START

pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(Need("trl", "").installed is None, reason="needs trl")
WORDS = ["red", "green", "blue", "one", "two", "three", "four", "five", "cat", "dog", "tree", "house"]
DATA = "{source: pairs.jsonl, format: preference, sequence_length: 64, validation: 0.2}"


@pytest.fixture(autouse=True)
def pairs(tmp_path: Path) -> None:
    """Sixty questions; the good answer says yes."""
    lines = [{"prompt": f"{a} {b}?", "chosen": f" yes {a}", "rejected": f" no {b}"} for a in WORDS for b in WORDS if a < b]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines[:60]))


@pytest.mark.parametrize("technique", ["{use: lora, rank: 4}", "full"])
def test_dpo_learns_which_answer_is_better(train, technique: str) -> None:
    rate = "{use: adamw, learning_rate: 3.0e-3}"
    heard, output, done = train(objective="dpo", technique=technique, data=DATA, train="{steps: 12}", optimizer=rate)
    seen = heard.summary()
    assert done
    assert heard.losses()[0] == pytest.approx(math.log(2), abs=1e-6)  # the model is its own reference
    assert heard.losses()[-1] < 0.6
    assert seen["heldout_reward_margin_before"] == pytest.approx(0, abs=1e-6)
    assert seen["heldout_reward_margin_after"] > 0.2
    assert seen["heldout_reward_accuracy_after"] > 0.9
    assert seen["heldout_loss_after"] < seen["heldout_loss_before"] - 0.05
    assert seen["reload_difference"] <= 1e-3
    assert not any("ref" in p.name for p in output.rglob("*"))


ADAPTERS = [p for p in PARTS if p.slot == "technique" and not p.untested and "adapter" in p.traits and p.component not in OTHER_START]


@pytest.mark.parametrize("technique", [part.component for part in ADAPTERS if part.component != "qlora"])
def test_an_adapter_switched_off_is_the_reference(train, technique: str) -> None:
    heard, _, done = train(objective="dpo", technique=technique, data=DATA, smoke=True)
    assert done
    assert heard.losses()[0] == pytest.approx(math.log(2), abs=1e-6)
    assert heard.losses()[1] != heard.losses()[0]


LEARNT = {
    "ipo": {},
    "robust-dpo": {"objective": "{use: robust-dpo, label_smoothing: 0.1}"},
    "kto": {"batch": "{micro: 8}"},
    "orpo": {},
    "cpo": {},
    "simpo": {},
    "reward": {},
}


@pytest.mark.parametrize("objective", LEARNT)
def test_others_learn_it_too(train, objective: str) -> None:
    lines = {"objective": objective, "data": DATA, "train": "{steps: 12}", "optimizer": "{use: adamw, learning_rate: 5.0e-3}"}
    heard, _, done = train(**lines | LEARNT[objective])
    seen = heard.summary()
    assert done
    assert seen["heldout_loss_after"] < seen["heldout_loss_before"]
    assert seen["heldout_reward_margin_after"] > seen["heldout_reward_margin_before"] + 0.02
    assert objective == "kto" or seen["heldout_reward_accuracy_after"] > 0.9
    assert seen["reload_difference"] <= 1e-3


@pytest.mark.parametrize("technique", ["{use: lora, rank: 4}", "full"])
def test_a_reward_models_head_is_saved_and_goes_on(train, technique: str) -> None:
    lines = {"objective": "reward", "technique": technique, "data": DATA, "train": "{steps: 5, save_every: 2}"}
    whole, output, _ = train(**lines)
    saved = next(output.glob("*/adapter_model.safetensors"), None) or output / "model" / "model.safetensors"
    from safetensors import safe_open

    with safe_open(saved, "pt") as file:
        assert any("score" in name for name in file.keys())  # noqa: SIM118 (it is no mapping)
    _, folder, _ = train(stop_after=3, **lines)
    rest, _, done = train(go_on_in=folder, **lines)
    assert done
    assert rest.summary()["heldout_loss_after"] == whole.summary()["heldout_loss_after"]


def test_judged_answers_need_no_pairs(train, tmp_path: Path) -> None:
    rows = [{"prompt": f"{w}?", "completion": answer, "label": answer == " yes"} for w in WORDS for answer in (" yes", " no")]
    (tmp_path / "judged.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    data = "{source: judged.jsonl, format: unpaired-preference, sequence_length: 64}"
    heard, _, done = train(objective="kto", data=data, batch="{micro: 8}", optimizer="{use: adamw, learning_rate: 5.0e-3}")
    assert done
    assert heard.losses()[-1] < heard.losses()[0]


def test_the_steps_are_those_of_trls_own_trainer(train, tiny_model: Path, tmp_path: Path) -> None:
    """The same rows in the same order, by `DPOTrainer.train()`, with its optimizer and schedule."""
    from datasets import Dataset
    from torch.utils.data import SequentialSampler
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    from recipeforge.runner.batches import groups
    from recipeforge.runner.rows import load_rows

    lines = {"technique": "full", "data": DATA.replace(", validation: 0.2", ""), "batch": "{micro: 4, accumulate: 2}"}
    ours = train(objective="dpo", train="{steps: 5, gradient_clip: 1.0}", optimizer="{use: adamw, learning_rate: 1.0e-3}", **lines)[0]

    class InOrder(DPOTrainer):
        def _get_train_sampler(self, *_: object) -> SequentialSampler:
            return SequentialSampler(self.train_dataset)

    rows = load_rows("pairs.jsonl", "preference", tmp_path, 3, None)
    ordered = [row.record for group in groups(rows, 4, 3, 0) for row in group]
    config = DPOConfig(
        output_dir=str(tmp_path / "trl"), use_cpu=True, bf16=False, gradient_checkpointing=False, max_length=64, beta=0.1, max_steps=5,
        per_device_train_batch_size=4, gradient_accumulation_steps=2, learning_rate=1.0e-3, lr_scheduler_type="constant",
        optim="adamw_torch", max_grad_norm=1.0, logging_steps=1, report_to=[], save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    trainer = InOrder(model, args=config, train_dataset=Dataset.from_list([dict(r) for r in ordered]), processing_class=tokenizer)
    trainer.train()
    theirs = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert ours.losses() == pytest.approx(theirs, abs=2e-4)
    assert ours.losses()[-1] < 0.65


@pytest.mark.parametrize(
    "lines",
    [
        {"memory": "[gradient-checkpointing]", "precision": "bf16"},
        {"technique": "{use: lora, rank: 4, dropout: 0.1}", "averaging": "lawa", "batch": "{micro: 2, accumulate: 2}"},
        {"technique": "full", "precision": "pure-bf16"},
    ],
    ids=lambda lines: next(iter(lines)),
)
def test_it_goes_on_to_the_same_bits(train, lines: dict[str, str]) -> None:
    lines = {"objective": "dpo", "data": DATA, "train": "{steps: 5, save_every: 2}"} | lines
    whole, _, _ = train(**lines)
    _, folder, done = train(stop_after=3, **lines)
    assert not done
    rest, _, done = train(go_on_in=folder, **lines)
    assert done
    assert rest.losses()[-1] == whole.losses()[-1]
    for name in ("heldout_loss_after", "heldout_reward_margin_after", "train_reward_margin_last"):
        assert rest.summary()[name] == whole.summary()[name]


@pytest.mark.skipif(Need("bitsandbytes", "").installed is None, reason="needs bitsandbytes")
def test_adapters_over_a_quantized_base_stay_in_their_own_format(train) -> None:
    """TRL would train them in bf16."""
    lines = {"technique": "qlora", "quantization": "bnb-4bit", "objective": "dpo", "data": DATA, "train": "{steps: 4}"}
    heard, _, done = train(**lines)
    assert done
    assert [c["good"] for c in heard.of("check") if c["name"] in ("precision", "quantization")] == [True, True]
    assert heard.losses()[0] == pytest.approx(math.log(2), abs=1e-6)
    assert heard.losses()[-1] < heard.losses()[0]


def test_conversations_go_through_the_chat_template(train, tmp_path: Path) -> None:
    def said(role: str, text: str) -> list[dict[str, str]]:
        return [{"role": role, "content": text}]

    rows = [{"prompt": said("user", w), "chosen": said("assistant", f"yes {w}"), "rejected": said("assistant", "no")} for w in WORDS]
    joined = [{"chosen": r["prompt"] + r["chosen"], "rejected": r["prompt"] + r["rejected"]} for r in rows]
    lines = {"objective": "dpo", "train": "{steps: 2}", "data": "{source: talk.jsonl, format: preference, sequence_length: 64}"}
    found = []
    for form in (rows, joined):
        (tmp_path / "talk.jsonl").write_text("".join(json.dumps(r) + "\n" for r in form))
        found.append(train(**lines)[0].losses())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "a", "chosen": "b"},
        {"prompt": "a", "chosen": "b", "rejected": [{"role": "assistant", "content": "c"}]},
        {"chosen": "b", "rejected": "c"},
        {"prompt": "", "chosen": "b", "rejected": "c"},
    ],
)
def test_a_row_that_is_no_pair_is_named(make, recipe, tmp_path: Path, row: dict[str, object]) -> None:
    (tmp_path / "odd.jsonl").write_text(json.dumps({"prompt": "a", "chosen": "b", "rejected": "c"}) + "\n" + json.dumps(row) + "\n")
    made = make(recipe(objective="dpo", data="{source: odd.jsonl, format: preference, sequence_length: 64}"))
    assert made.slugs() == ["data-unreadable"]


def test_rows_whose_prompt_fills_the_length_are_left_out_and_said(train, tmp_path: Path) -> None:
    good = {"prompt": "say", "chosen": " yes", "rejected": " no"}
    rows = [good] * 8 + [good | {"prompt": "long " * 30}] * 2
    (tmp_path / "mixed.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    heard = train(objective="dpo", train="{steps: 2}", data="{source: mixed.jsonl, format: preference, sequence_length: 64}")[0]
    assert any("longer than 64 tokens" in note["text"] for note in heard.of("note"))
