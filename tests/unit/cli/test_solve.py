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
    code, _, err = solved(tmp_path, capsys, GOOD, "--within", "power_kw=1")
    assert code == 2
    assert "`power_kw` is no budget that is judged before a run; there is memory_gib, wall_clock, cost_usd" in err


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


TIMED = """recipeforge: 1
model: meta-llama/Llama-3.1-8B
technique: lora
precision: bf16
attention: flash-attention-2
memory: [gradient-checkpointing]
data: {format: text, sequence_length: 2048, packing: true}
batch: {micro: 2, accumulate: 8}
train: {steps: 1000}
hardware: {gpu: a100-80gb}
"""


def test_a_budget_of_time_or_money_is_kept_and_its_repairs_say_what_they_gain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solved(tmp_path, capsys, TIMED, "--within", "wall_clock=3d", "--within", "cost_usd=50")[:2] == (
        0,
        "r.yaml: valid; nothing has to change\n",
    )
    for asked in ("wall_clock=98m", "cost_usd=2.1"):
        code, out, err = solved(tmp_path, capsys, TIMED, "--within", asked, "-n", "1")
        assert (code, err) == (0, "")
        assert "repair 1: Add Liger Kernel\n          safe, cost 100000, " in out
        assert "time about 3.2 h → 2.7 h" in out
    code, _, err = solved(tmp_path, capsys, TIMED, "--within", "wall_clock=2")
    assert code == 2
    assert "`wall_clock=2` has no amount; write it like wall_clock=2h" in err


def test_the_quickest_completion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = solved(tmp_path, capsys, TIMED, "--minimize", "time")
    assert code == 0
    assert out.startswith("repair 1: Add Unsloth\n")
    assert "time about −26 % a token" in out
    quickest = TIMED + "kernels: [unsloth]\n"
    assert "nothing to add: this is the least time" in solved(tmp_path, capsys, quickest, "--minimize", "time")[1]


@pytest.mark.parametrize(
    ("options", "text", "why"),
    [
        (("--within", "wall_clock=1s"), TIMED.replace("steps: 1000", "epochs: 1"), "nobody knows how long the run is: set `train.steps`"),
        (("--within", "cost_usd=0.01"), TIMED.replace("a100-80gb", "a30"), "nobody states a price of this GPU"),
        (("--minimize", "time"), TIMED.replace("hardware: {gpu: a100-80gb}\n", ""), "no GPU is given"),
    ],
)
def test_time_that_was_not_judged_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], text: str, why: str
) -> None:
    assert f"r.yaml: time was not judged, since {why}" in solved(tmp_path, capsys, text, *options)[2]
