"""What rules learn of the keys in files that a configuration names."""

import json
from pathlib import Path

import pytest
from test_dialects import TRL

from recipeforge.catalog.load import load
from recipeforge.documents.dialects import facts
from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.facts import config_facts
from recipeforge.documents.dialects.sharding import deepspeed, launched
from recipeforge.documents.parse import parse
from recipeforge.documents.vocabulary import vocabulary_of

STAGE, REDUCE, CLIP = (
    "deepspeed.zero_optimization.stage",
    "deepspeed.zero_optimization.reduce_scatter",
    "accelerate_config.deepspeed_config.clip",
)
ZERO_2 = {"zero_optimization": {"stage": 2}}


@pytest.fixture(autouse=True)
def _asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tuple((f"config.{path}", path, path.split(".")[0]) for path in (STAGE, REDUCE, CLIP))
    monkeypatch.setattr(facts, "_asked", lambda _catalog: asked)


def told(folder: Path, text: str, launch: str | None = None) -> tuple[dict[str, object], dict[str, object]]:
    (folder / "config.yml").write_text(text)
    config = Config(parse(text, str(folder / "config.yml")), vocabulary_of(load()), {})
    deepspeed(config, "deepspeed")
    launched(config, launch)
    found, spans = config_facts(config, load())
    return {key.removeprefix("config."): value for key, value in found.items()}, dict(spans)


def test_keys_of_a_named_file_count_like_inline_ones(tmp_path: Path) -> None:
    (tmp_path / "ds.json").write_text(json.dumps(ZERO_2))
    named, spans = told(tmp_path, f"{TRL}deepspeed: ds.json\n")
    inline, _ = told(tmp_path, f"{TRL}deepspeed: {json.dumps(ZERO_2)}\n")
    assert named == inline == {STAGE: 2, REDUCE: "absent", CLIP: "absent"}
    assert list(spans) == [f"config.{STAGE}"]  # shown where the file is named


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    found, _ = told(tmp_path, f"{TRL}deepspeed: gone.json\naccelerate_config: zero3\n")
    assert found == {}  # `zero3` is TRL's own, and nobody has it here


@pytest.mark.parametrize("named", ["accelerate_config: launch.yaml\n", "config_file: launch.yaml\n", ""])
def test_the_launch_file_has_one_name(tmp_path: Path, named: str) -> None:
    (tmp_path / "ds.json").write_text(json.dumps(ZERO_2))
    inside = {"clip": 1.0, "deepspeed_config_file": str(tmp_path / "ds.json")}
    (tmp_path / "launch.yaml").write_text(json.dumps({"distributed_type": "DEEPSPEED", "deepspeed_config": inside}))
    found, _ = told(tmp_path, TRL + named, None if named else str(tmp_path / "launch.yaml"))
    assert found == {STAGE: 2, REDUCE: "absent", CLIP: 1.0}
