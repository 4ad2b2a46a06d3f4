"""`recipeforge convert`: where the text goes, what is said beside it, and the exit code."""

from pathlib import Path

import pytest

from recipeforge.cli.main import outcome

RECIPE = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: {use: lora, rank: 8}\nbatch: {micro: 2}\n"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(RECIPE)
    return Path("r.yaml")


def test_everything_has_words(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["convert", "r.yaml", "--to", "axolotl", "-o", "a.yml"]) == 0
    assert capsys.readouterr() == ("", "")
    assert Path("a.yml").read_text().startswith("base_model: HuggingFaceTB/SmolLM2-135M\nadapter: lora\n")
    assert outcome(["check", "a.yml", "--select", "RF00"]) == 0
    assert recipe.read_text() == RECIPE


def test_what_is_left_out_is_told_with_its_place(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe.write_text(RECIPE + "hardware: {gpu: t4}\n")
    assert outcome(["convert", "r.yaml", "--to", "llamafactory"]) == 1
    out, err = capsys.readouterr()
    assert out.endswith("# Left out, or not as in r.yaml:\n# - line 5, `hardware.gpu: t4`: LLaMA-Factory has no key for it\n")
    assert err == "left out, or not as in r.yaml:\nr.yaml:5:17: `hardware.gpu: t4`: LLaMA-Factory has no key for it\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["compose.yaml", "--to", "trl"], "this is no recipe"),
        (["missing.yaml", "--to", "trl"], "there is no file missing.yaml"),
        (["r.yaml", "--to", "trl", "-o", "./r.yaml"], "is the file that is read"),
        (["r.yaml", "--to", "torchtune"], "torchtune"),
        (["r.yaml"], "--to"),
    ],
)
@pytest.mark.usefixtures("recipe")
def test_bad_use(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("compose.yaml").write_text("services: {}\n")
    assert outcome(["convert", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err


@pytest.mark.usefixtures("recipe")
def test_the_dialect_can_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bare.yml").write_text("model_name_or_path: x/y\nlearning_rate: 1e-4\n")
    assert outcome(["convert", "bare.yml", "--to", "recipeforge", "--dialect", "trl"]) == 0
    assert "memory: [gradient-checkpointing]\n" in capsys.readouterr().out


def test_the_targets_are_those_that_there_are_words_for() -> None:
    from recipeforge.cli.convert import TARGETS
    from recipeforge.documents.dialects.converting import TARGETS as ALL

    assert TARGETS == ALL
