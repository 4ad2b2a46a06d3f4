"""Configuration: the nearest file counts alone, mistakes are told with what was meant, flags win."""

from pathlib import Path

import pytest

from recipeforge.api.config import Config, ConfigError, codes_from, config_for, environment, named, packages_from
from recipeforge.cli.target import settings_for
from recipeforge.schemas.preferences import Preferences


def test_no_file_no_settings(tmp_path: Path) -> None:
    assert config_for(tmp_path) == Config()


def test_the_nearest_file_wins_and_nothing_is_merged(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "recipeforge.toml").write_text('gpu = "t4"\nignore = ["RF2051"]\n')
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.recipeforge]\ngpus = 2\npackages = {Torch = "2.6"}\n')
    found = config_for(inner)
    assert (found.gpu, found.gpus, found.ignore, dict(found.packages)) == (None, 2, (), {"torch": "2.6"})


def test_a_project_file_without_our_table_is_passed_by(tmp_path: Path) -> None:
    inner = tmp_path / "a"
    inner.mkdir()
    (tmp_path / "recipeforge.toml").write_text('gpu = "t4"\n')
    (inner / "pyproject.toml").write_text('[project]\nname = "recipeforge-user"\n')
    assert config_for(inner).gpu == "t4"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('gpus = "two"', "`gpus` is not a number of devices"),
        ("gpus = 0", "`gpus` is not a number of devices"),
        ("gpu = 4", "`gpu` is not the id of a GPU"),
        ('ingore = ["RF1001"]', "unknown key `ingore`; did you mean `ignore`?"),
        ('ignore = ["RF10011"]', "no rule has the code or slug `RF10011`; did you mean `RF1"),
        ('select = "RF1001"', "`select` is not a list of codes"),
        ("packages = 3", "`packages` is not a table"),
        ("packages = {torch = 2.6}", "`packages.torch` is not a version; write it in quotes"),
        ('packages = {torch = "new"}', "`new` is not a version"),
        ('packages = {tourch = "2.6"}', "no rule knows a package `tourch`; did you mean `torch`?"),
        ("prefer = 3", "`prefer` is not a table"),
        ('[prefer]\nkep = ["technique"]', "unknown key `prefer.kep`; did you mean `keep`?"),
        ('[prefer]\nkeep = "technique"', "`prefer.keep` is not a list of names"),
        ('[prefer]\nkeep = ["technik"]', "`prefer.keep`: no slot, component or parameter is called `technik`; did you mean `technique`?"),
        ('[prefer]\navoid = ["data.sequence_lenght"]', "did you mean `data.sequence_length`?"),
        ("gpu = ", "is not valid TOML"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "recipeforge.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"recipeforge\.toml") as told:
        config_for(tmp_path)
    assert says in str(told.value)


def test_flag_over_environment_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recipeforge.toml").write_text('gpu = "t4"\ngpus = 1\npackages = {torch = "2.1", peft = "0.1"}\n')
    monkeypatch.setenv("RECIPEFORGE_GPUS", "2")
    monkeypatch.setenv("RECIPEFORGE_PACKAGES", "torch=2.5")
    found = settings_for(str(tmp_path / "recipe.yaml"), Config(packages={"torch": "2.6"}))
    assert (found.gpu, found.gpus, dict(found.packages)) == ("t4", 2, {"torch": "2.6", "peft": "0.1"})


def test_a_broken_environment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECIPEFORGE_GPUS", "many")
    with pytest.raises(ConfigError, match="RECIPEFORGE_GPUS"):
        environment()


def test_package_versions_on_the_command_line() -> None:
    assert packages_from("torch=2.6, Flash_Attn==2.7.1,") == {"torch": "2.6", "flash-attn": "2.7.1"}
    for text in ("torch", "=2", "torch=", "torch=x"):
        with pytest.raises(ConfigError):
            packages_from(text)


def test_codes_slugs_and_families() -> None:
    assert codes_from(" RF1001,rf2 ,") == ("RF1001", "rf2")
    assert named("RF1001", "qlora-without-4bit-base", ("rf1",))
    assert named("RF1001", "qlora-without-4bit-base", ("qlora-without-4bit-base",))
    assert not named("RF1001", "qlora-without-4bit-base", ("RF2", "qlora"))


def test_a_code_that_the_environment_misspells_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECIPEFORGE_SELECT", "RF4O01")
    with pytest.raises(ConfigError, match="RECIPEFORGE_SELECT: no rule has the code or slug `RF4O01`"):
        environment()
    monkeypatch.setenv("RECIPEFORGE_SELECT", "RF4001")
    monkeypatch.setenv("RECIPEFORGE_GPUS", "0")
    with pytest.raises(ConfigError, match="not a number of devices"):
        environment()


def test_preferences_come_from_the_file_whatever_the_flags_say(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.recipeforge.prefer]\nkeep = ["technique", "batch"]\navoid = ["quantization", "liger"]\n'
    )
    found = settings_for(str(tmp_path / "recipe.yaml"), Config(gpu="t4"))
    assert found.prefer == Preferences(("technique", "batch"), ("quantization", "liger"))
