"""Grids, their points, and which rules prune them."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from recipeforge.catalog.load import load
from recipeforge.cli.sweep import command
from recipeforge.runner.sweep import points, read_grid
from recipeforge.schemas.errors import RunError

CATALOG = load()


def grid(folder: Path, text: str, base: str = "recipeforge: 1\nmodel: m\n") -> Path:
    (folder / "base.yaml").write_text(base)
    (folder / "grid.yaml").write_text(text)
    return folder / "grid.yaml"


def recipes(folder: Path, text: str, base: str) -> list[dict]:
    return [yaml.safe_load(p.text) for p in points(read_grid(grid(folder, text, base), CATALOG), CATALOG)]


def test_every_point_is_a_recipe_of_its_own(tmp_path: Path) -> None:
    base = "recipeforge: 1\nmodel: m\noptimizer: {use: adamw, beta1: 0.8}\nmemory: [gradient-checkpointing]\n"
    made = recipes(
        tmp_path,
        "recipe: base.yaml\ngrid: {optimizer.learning_rate: [0.1, 0.2], optimizer: [adamw, sgd], memory: [null, []], seed: [1]}",
        base,
    )
    assert len(made) == 8
    assert [r["name"] for r in made] == [f"grid-{n}" for n in range(1, 9)]
    assert {json.dumps(r["optimizer"]) for r in made} == {
        json.dumps(o)
        for rate in (0.1, 0.2)
        # SGD has no first moment: the knob goes with the component that had it.
        for o in ({"use": "adamw", "beta1": 0.8, "learning_rate": rate}, {"use": "sgd", "learning_rate": rate})
    }
    assert ["memory" in r for r in made] == [False, True] * 4
    assert all(r["seed"] == 1 for r in made)


def test_a_knob_of_a_slot_that_the_recipe_leaves_to_its_default(tmp_path: Path) -> None:
    (made,) = recipes(tmp_path, "recipe: base.yaml\ngrid: {optimizer.learning_rate: [0.1]}", "recipeforge: 1\nmodel: m\n")
    assert made["optimizer"] == {"use": "adamw", "learning_rate": 0.1}
    (made,) = recipes(tmp_path, "recipe: base.yaml\ngrid: {batch.micro: [2]}", "recipeforge: 1\nmodel: m\ntrain: {output: out}\n")
    assert made["batch"] == {"micro": 2}
    assert made["train"] == {"output": "out/grid-1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("grid: {seed: [1]}", "is no grid"),
        ("recipe: base.yaml\ngrid: {seed: 1}", "`seed` wants a list"),
        ("recipe: base.yaml\ngrid: {seed: [1, 1]}", "a value twice"),
        ("recipe: base.yaml\ngrid: {optimiser: [adamw]}", "neither a slot nor a knob"),
        ("recipe: base.yaml\nengine: ray\ngrid: {seed: [1]}", "`engine` is not known"),
        ("recipe: [", "is not YAML"),
        ("recipe: gone.yaml\ngrid: {seed: [1]}", "cannot be read"),
        ("recipe: base.yaml\ngrid: {technique.rank: [4]}", "holds nothing"),
    ],
)
def test_what_is_wrong_with_a_grid_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RunError, match=said):
        list(points(read_grid(grid(tmp_path, text), CATALOG), CATALOG))


def test_what_the_rules_forbid_is_pruned_by_name(tmp_path: Path, tiny_model: Path, rows: Path) -> None:
    base = f"recipeforge: 1\nmodel: {tiny_model}\ndata: {{source: {rows}, format: text}}\ntrain: {{steps: 2}}\nhardware: {{gpu: cpu}}\n"
    path = grid(tmp_path, "recipe: base.yaml\ngrid: {technique: [lora, qlora, adalora], quantization: [null, bnb-4bit]}", base)
    said = CliRunner().invoke(command, [str(path), "--dry-run"]).output
    assert "6 points, 3 of them can run" in said
    assert "1 pruned by the rules:\n     1 × RF1001 qlora-without-4bit-base" in said
    assert "2 cannot run here:\n     2 × part-not-implemented the local engine does not implement technique `adalora`" in said
    told = json.loads(CliRunner().invoke(command, [str(path), "--dry-run", "--format", "json"]).stdout)
    assert [p["state"] for p in told["points"]] == ["not run", "not run", "pruned", "not run", "refused", "refused"]
