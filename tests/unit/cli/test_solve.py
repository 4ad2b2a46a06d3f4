"""`solve` says whether its answer keeps what was asked for, and whether the text it leads to is free of errors."""

from pathlib import Path

import pytest

from recipeforge.cli import main

GOOD = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\nprecision: bf16\nhardware: {gpu: a100-80gb}\n"


def solved(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> tuple[int, str, str]:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    code = main.outcome(["solve", str(path), *options])
    told = capsys.readouterr()
    return code, told.out.replace(str(path), "r.yaml"), told.err.replace(str(path), "r.yaml")


def test_a_valid_recipe_that_no_change_brings_within_a_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for minimize in ("changes", "memory"):
        code, out, _ = solved(tmp_path, capsys, GOOD, "--within", "memory_gib=0.01", "--minimize", minimize)
        assert code == 1
        assert out.startswith("r.yaml: valid; no repair was found that keeps to memory_gib=0.01; ")
    assert solved(tmp_path, capsys, GOOD, "--within", "memory_gib=60")[:2] == (0, "r.yaml: valid; nothing has to change\n")


def test_a_budget_that_nothing_judges_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = solved(tmp_path, capsys, GOOD, "--within", "cost_usd=1")
    assert code == 2
    assert "`cost_usd` is no budget that is judged before a run; there is memory_gib" in err


def test_errors_of_the_file_itself_are_not_solved_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = GOOD.replace("a100-80gb", "t4") + "attention: flash-attention-2\n"
    assert solved(tmp_path, capsys, broken)[0] == 0
    code, out, err = solved(tmp_path, capsys, broken + "attentive: sdpa\n")
    assert "attention: sdpa" in out
    assert "r.yaml: 1 error in the file itself would stay; line 7: `attentive` is no key of a recipe" in err
    assert code == 1


def test_a_new_file_that_cannot_be_written_has_no_old_content(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = solved(tmp_path, capsys, GOOD, "-o", str(tmp_path / "none" / "x.yaml"))
    assert code == 2
    assert "was not written" in err
    assert "old content" not in err


def test_the_front_and_what_a_project_prefers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = solved(tmp_path, capsys, GOOD, "--pareto", "-n", "3")
    assert code == 0
    assert "as written, safe" in out.splitlines()[1]
    code, out, _ = solved(tmp_path, capsys, GOOD, "--pareto", "--format", "json")
    assert '"format": "recipeforge/pareto/1"' in out
    assert solved(tmp_path, capsys, GOOD, "--pareto", "-o", "x.yaml")[0] == 2
    broken = GOOD.replace("technique: lora", "technique: qlora")
    assert "Add bnb 4-bit" in solved(tmp_path, capsys, broken)[1].splitlines()[0]
    (tmp_path / "recipeforge.toml").write_text('[prefer]\navoid = ["quantization"]\n')
    assert "bnb" not in solved(tmp_path, capsys, broken, "-n", "1")[1].splitlines()[0]
