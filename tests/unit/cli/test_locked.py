"""`--packages` from the files that a project has: requirements, constraints and lock files."""

import json
from pathlib import Path

import pytest

from recipeforge.api.config import ConfigError, config_for, packages_from
from recipeforge.api.locked import LockedError, locked_versions
from recipeforge.cli.main import outcome

REQUIREMENTS = """\
# what we train with
--index-url https://example.invalid/simple
torch==2.6.0+cu124 ; python_version >= "3.8" \\
    --hash=sha256:00 --hash=sha256:11
transformers == 4.56.1  # pinned
trl>=0.20
peft~=0.12.0
accelerate==1.*
bitsandbytes==0.43.0 ; sys_platform == "no-such"
-r more.in
-e .
git+https://example.invalid/x.git
Flash_Attn==2.7.4.post1
"""
UV = """\
version = 1
[[package]]
name = "torch"
version = "2.6.0"
[[package]]
name = "numpy"
version = "1.26.4"
[[package]]
name = "numpy"
version = "2.0.1"
[[package]]
name = "ours"
source = { editable = "." }
"""
FILES = {
    "requirements.txt": (
        REQUIREMENTS,
        {"torch": "2.6.0+cu124", "transformers": "4.56.1", "datasets": "3.0", "flash-attn": "2.7.4.post1"},
    ),
    "uv.lock": (UV, {"torch": "2.6.0"}),
    "pylock.toml": (UV.replace("[[package]]", "[[packages]]"), {"torch": "2.6.0"}),
    "Pipfile.lock": (json.dumps({"default": {"torch": {"version": "==2.6.0"}, "x": {"git": "y"}}, "develop": {}}), {"torch": "2.6.0"}),
}


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_settles(name: str, tmp_path: Path) -> None:
    text, versions = FILES[name]
    (tmp_path / name).write_text(text)
    (tmp_path / "more.in").write_text("datasets==3.0\n-r requirements.txt\n")  # names the first again
    assert locked_versions(tmp_path / name) == versions


@pytest.mark.parametrize(("name", "text"), [("uv.lock", "["), ("pylock.toml", "a = 1"), ("Pipfile.lock", "[]"), ("requirements.txt", None)])
def test_what_is_no_such_file_is_said_so(name: str, text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(LockedError, match=name):
        locked_versions(tmp_path / name)


def test_what_is_given_beside_a_file_wins(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.6\ntransformers==4.56\nno-rule-knows-this==1\n")
    assert packages_from(f"{tmp_path}/requirements.txt,torch=2.8") == {"torch": "2.8", "transformers": "4.56"}
    with pytest.raises(ConfigError, match="there is no file"):
        packages_from("nowhere/uv.lock")


def test_a_project_names_its_lock_file(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text(UV)
    (tmp_path / "recipeforge.toml").write_text('packages = "uv.lock"\n')
    assert config_for(tmp_path).packages == {"torch": "2.6.0"}


def test_a_check_for_locked_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("requirements.txt").write_text("torch==2.4.0\n")
    Path("config.yml").write_text(
        "base_model: HuggingFaceTB/SmolLM2-135M\nadapter: lora\ndatasets: [{path: a, type: alpaca}]\nmicro_batch_size: 1\n"
        "gradient_accumulation_steps: 1\nattn_implementation: flex_attention\n"
    )
    assert outcome(["check", "config.yml", "--select", "RF4012"]) == 0
    assert outcome(["check", "config.yml", "--select", "RF4012", "--packages", "requirements.txt"]) == 1
    assert "2.4" in capsys.readouterr().out


@pytest.mark.parametrize(("options", "precision"), [([], "bf16"), (["--gpu", "t4"], "fp16"), (["--gpu", "a100-80gb"], "bf16")])
def test_a_conversion_carries_auto_over_as_the_gpu_has_it(
    options: list[str], precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yml").write_text("base_model: x/y\nadapter: lora\ndatasets: [{path: a}]\nmicro_batch_size: 1\nbf16: auto\n")
    outcome(["convert", "config.yml", "--to", "recipeforge", *options])
    out, err = capsys.readouterr()
    assert f"precision: {precision}\n" in out
    assert f"carried over as `{precision}`" in err
