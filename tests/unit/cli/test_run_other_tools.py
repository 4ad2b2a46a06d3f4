"""`recipeforge run` on a configuration of another tool: refused in its own words, with the next step; nothing is trained."""

from pathlib import Path

import pytest

from recipeforge.cli.main import outcome

AXOLOTL = "base_model: HuggingFaceTB/SmolLM2-135M\nadapter: lora\ndatasets: [{path: a, type: alpaca}]\nmicro_batch_size: 1\n"
TRL = "model_name_or_path: HuggingFaceTB/SmolLM2-135M\ndataset_name: a\nlearning_rate: 1.0e-4\n"


@pytest.mark.parametrize(("text", "title"), [(AXOLOTL, "Axolotl"), (TRL, "TRL")])
@pytest.mark.parametrize("options", [[], ["--dry-run"], ["--smoke"]])
def test_another_tools_configuration_is_not_run(
    text: str, title: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yml").write_text(text)
    assert outcome(["run", "config.yml", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"config.yml: not run, because it is a configuration of {title}" in err
    assert "recipeforge convert --to recipeforge config.yml -o run.recipe.yaml" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yml"]
    outcome(["convert", "config.yml", "--to", "recipeforge", "-o", "run.recipe.yaml"])
    outcome(["run", "run.recipe.yaml", "--dry-run"])
    assert "not run, because it is a configuration" not in capsys.readouterr().err  # what comes of it is a recipe
