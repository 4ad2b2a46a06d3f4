"""A language model small enough to train in a second, with a real tokenizer, and plans made from recipe texts."""

import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.runner.plan import Plan, make_plan
from recipeforge.runner.preflight import problems
from recipeforge.schemas.loadout import Loadout

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch loads: spinning threads starve each other on shared cores

TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
WORDS = ["red", "green", "blue", "one", "two", "three", "four", "five", "cat", "dog", "tree", "house"]


@dataclass(frozen=True)
class Made:
    """A plan with the loadout and the text that it came from."""

    plan: Plan
    loadout: Loadout
    text: str

    def slugs(self) -> list[str]:
        return [d.slug for d in problems(self.plan, self.loadout)]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """Plan a recipe text as if it lay in a file of the test's folder."""

    def planned(text: str) -> Made:
        path = tmp_path / "recipe.yaml"
        path.write_text(text)
        loadout = read(parse(text, str(path)), load()).loadout
        assert loadout is not None, text
        return Made(make_plan(load(), loadout, text), loadout, text)

    return planned


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer Llama over bytes, saved with its tokenizer."""
    pytest.importorskip("torch")
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_ = Tokenizer(models.BPE(vocab={s: i for i, s in enumerate(["</s>", *symbols])}, merges=[]))
    bytes_.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_, eos_token="</s>", pad_token="</s>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=257, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Sixty short rows of text."""
    draw = random.Random(1)
    path = tmp_path / "rows.jsonl"
    lines = [" ".join(draw.choices(WORDS, k=draw.randint(3, 9))) for _ in range(60)]
    path.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    return path


@pytest.fixture
def recipe(tiny_model: Path, rows: Path) -> Callable[..., str]:
    """The text of a runnable recipe, with some of its lines replaced or added."""

    def text(**lines: str) -> str:
        keys = {
            "recipeforge": "1",
            "model": str(tiny_model),
            "technique": "{use: lora, rank: 4}",
            "optimizer": "{use: adamw, learning_rate: 1.0e-2}",
            "scheduler": "constant",
            "data": f"{{source: {rows.name}, format: text, sequence_length: 64, validation: 0.1}}",
            "batch": "{micro: 4}",
            "train": "{steps: 6}",
            "hardware": "{gpu: cpu}",
            "seed": "3",
        }
        return "".join(f"{key}: {value}\n" for key, value in (keys | lines).items() if value)

    return text


class Heard:
    """A channel that remembers."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def say(self, kind: str, **fields: Any) -> None:
        self.messages.append((kind, fields))

    def summary(self) -> dict[str, float]:
        return {f["name"]: f["value"] for kind, f in self.messages if kind == "summary"}

    def losses(self) -> list[float]:
        return [f["value"] for kind, f in self.messages if kind == "metric" and f["name"] == "train_loss"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [fields for k, fields in self.messages if k == kind]


@pytest.fixture
def train(make: Callable[..., Made], recipe: Callable[..., str], tmp_path: Path) -> Callable[..., tuple[Heard, Path, bool]]:
    """Train a recipe in this process; return what it said, its folder, and whether it did all steps."""

    def trained(stop_after: int | None = None, **lines: str) -> tuple[Heard, Path, bool]:
        from recipeforge.runner.loop import Stop
        from recipeforge.runner.train import Training

        made = make(recipe(**lines))
        assert made.slugs() == [], [d.message for d in problems(made.plan, made.loadout)]
        stop, heard = Stop(), Heard()

        def say(kind: str, **fields: Any) -> None:
            heard.messages.append((kind, fields))
            if kind == "step" and fields["step"] == stop_after:
                stop.reason = "the test asked"

        heard.say = say  # type: ignore[method-assign]
        output = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        output.mkdir()
        done = Training(made.plan, output, heard, stop).go()  # type: ignore[arg-type]
        return heard, output, done

    return trained


@pytest.fixture
def heard_of() -> type[Heard]:
    """Make channels that remember."""
    return Heard
