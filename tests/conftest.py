"""Golden files: `golden(name, text)` compares, `--update-golden` writes; then read the diff. And something small enough to train."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch loads: spinning threads starve each other on shared cores

pytest_plugins = ("telling",)

GOLDEN = Path(__file__).parent / "golden"
TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
WORDS = ["red", "green", "blue", "one", "two", "three", "four", "five", "cat", "dog", "tree", "house"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing with them")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what trains: a parallel run that came to its longest files last would wait for one process."""
    items.sort(key=lambda item: not {"runner", "e2e"} & set(item.path.parts))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert path.is_file(), f"{path} is missing; write it with --update-golden and read it"
        assert text == path.read_bytes().decode("utf-8")

    return compare


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
