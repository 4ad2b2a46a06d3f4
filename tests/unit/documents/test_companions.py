"""Files that a configuration names: read with it, judged with it, each finding in the file that has to change."""

import json
from pathlib import Path

import pytest
from test_dialects import AXOLOTL, LLAMA_FACTORY, TORCHTUNE, TRL

from recipeforge.api import check
from recipeforge.api.checking import check_document, document_of
from recipeforge.cli.main import outcome
from recipeforge.schemas.report import FileReport

ZERO_3 = {"zero_optimization": {"stage": 3, "offload_param": {"device": "cpu"}}, "train_micro_batch_size_per_gpu": "auto"}
FSDP = {"version": 2, "fsdp_offload_params": True, "activation_checkpointing": True}
LAUNCH = """\
compute_environment: LOCAL_MACHINE
distributed_type: FSDP
num_processes: 4
fsdp_config:
  fsdp_version: 2
  fsdp_offload_params: true
"""


def written(folder: Path, text: str, **others: object) -> FileReport:
    """Check a configuration beside other files."""
    for name, content in others.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    file = folder / "config.yml"
    file.write_text(text)
    return check(file)


def codes(report: FileReport) -> list[str]:
    return [d.code for d in report.diagnostics]


@pytest.mark.parametrize("text", [AXOLOTL, LLAMA_FACTORY, TRL])
def test_a_deepspeed_file_is_read_and_clean(tmp_path: Path, text: str) -> None:
    report = written(tmp_path, text + "deepspeed: ds.json\n", ds_json=ZERO_3)
    assert report.loadout is not None and report.loadout.component_in("distributed") == "zero-3"
    assert report.loadout.value_of("distributed.offload") is True
    assert report.companions == () and "RF0022" not in codes(report)


def test_what_is_wrong_in_a_deepspeed_file_is_said_there(tmp_path: Path) -> None:
    text = '{\n\t"zero_optimization": {"stage": 2, "offload_parm": {}},\n\t"gradient_cliping": 1.0,\n\t"zero_force": false\n}\n'
    report = written(tmp_path, TRL + "deepspeed: ds.json\n", ds_json=text)
    (other,) = report.companions
    assert other.path.endswith("ds.json") and other.text == text and other.verdict.kind == "conflicting"
    found = {(d.code, text.splitlines()[d.primary.span.start.line].strip()[:12]) for d in other.diagnostics}
    assert ("RF0002", '"zero_optimi') in found  # DeepSpeed refuses what it does not know in there
    assert ("RF0023", '"gradient_cl') in found  # and ignores it here
    assert all(not d.fixes and d.help for d in other.diagnostics if d.code == "RF0002")
    assert report.loadout is not None and report.loadout.component_in("distributed") == "zero-2"


@pytest.mark.parametrize(
    ("line", "section", "wrong"),
    [
        ("per_device_train_batch_size: 4", {"train_micro_batch_size_per_gpu": 8}, True),
        ("per_device_train_batch_size: 4", {"train_micro_batch_size_per_gpu": 4}, False),
        ("per_device_train_batch_size: 4", {"train_micro_batch_size_per_gpu": "auto"}, False),
        ("gradient_accumulation_steps: 2", {"gradient_accumulation_steps": 1}, True),
        ("output_dir: x", {"gradient_accumulation_steps": 16}, False),  # the trainer's default is not in the file
        ("learning_rate: 1.0e-4", {"optimizer": {"type": "AdamW", "params": {"lr": 0.0002}}}, True),
        ("learning_rate: 1.0e-4", {"optimizer": {"type": "AdamW", "params": {"lr": 1e-4}}}, False),
        ("bf16: true", {"bf16": {"enabled": False}}, True),
        ("bf16: true", {"bf16": {"enabled": "auto"}}, False),
    ],
)
def test_values_that_stand_in_both_have_to_agree(tmp_path: Path, line: str, section: dict[str, object], wrong: bool) -> None:
    base = "model_name_or_path: HuggingFaceTB/SmolLM2-135M\ndataset_name: a\nnum_train_epochs: 1\n"
    inside = {"zero_optimization": {"stage": 2}, **section}
    report = written(tmp_path, f"{base}{line}\ndeepspeed: ds.json\n", ds_json=inside)
    assert [d.code for other in report.companions for d in other.diagnostics] == (["RF0025"] if wrong else [])
    inline = check(f"{base}{line}\ndeepspeed: {json.dumps(inside)}\n")
    found = [d for d in inline.diagnostics if d.code == "RF0025"]
    assert len(found) == wrong and all(fix.edits for d in found for fix in d.fixes)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{", '{"a": 1', "\x00", "[" * 100_000])
def test_a_broken_deepspeed_file_is_no_crash_and_not_missing(tmp_path: Path, text: str) -> None:
    report = written(tmp_path, TRL + "deepspeed: ds.json\n", ds_json=text)
    assert report.loadout is not None and "RF0022" not in codes(report)
    if text in ("{", '{"a": 1'):
        assert [d.code for d in report.companions[0].diagnostics] == ["RF0001"]


@pytest.mark.parametrize("text", [LLAMA_FACTORY, TRL])
def test_fsdps_settings_may_be_a_file(tmp_path: Path, text: str) -> None:
    report = written(tmp_path, text + "fsdp: full_shard\nfsdp_config: fsdp.json\n", fsdp_json=FSDP)
    assert report.loadout is not None and report.loadout.component_in("distributed") == "fsdp2"
    assert report.loadout.value_of("distributed.offload") is True
    assert report.loadout.value_of("distributed.activation_checkpointing") is True
    assert "RF0022" in codes(check(text + "fsdp: full_shard\nfsdp_config: nowhere.json\n"))


@pytest.mark.parametrize(
    ("value", "part"), [("launch.yaml", "fsdp2"), ("zero3", "zero-3"), ("fsdp1", "fsdp1"), ("multi_gpu", None), ("nowhere.yaml", None)]
)
def test_trl_names_the_file_that_it_is_launched_with(tmp_path: Path, value: str, part: str | None) -> None:
    report = written(tmp_path, f"{TRL}accelerate_config: {value}\n", launch_yaml=LAUNCH)
    assert report.loadout is not None and report.loadout.component_in("distributed") == part
    assert ("RF0022" in codes(report)) == (value == "nowhere.yaml")
    assert report.loadout.value_of("hardware.count") == (4 if value == "launch.yaml" else 2 if part else None)


@pytest.mark.parametrize("text", [AXOLOTL, LLAMA_FACTORY, TRL])
def test_the_file_of_a_launch_can_be_given(tmp_path: Path, text: str) -> None:
    (tmp_path / "launch.yaml").write_text(LAUNCH + "num_machine: 1\n")
    (tmp_path / "config.yml").write_text(text)
    report = check_document(document_of(tmp_path / "config.yml"), {"accelerate": "launch.yaml"})
    assert report.loadout is not None and report.loadout.component_in("distributed") == "fsdp2"
    assert report.loadout.value_of("hardware.count") == 4 and report.loadout.value_of("distributed.offload") is True
    (other,) = report.companions
    assert [(d.code, d.help) for d in other.diagnostics] == [("RF0002", "Rename to `num_machines`.")]
    gone = check_document(document_of(tmp_path / "config.yml"), {"accelerate": "none.yaml"})
    assert "RF0022" in codes(gone)


def test_a_launch_that_leads_to_deepspeed_is_followed(tmp_path: Path) -> None:
    (tmp_path / "ds.json").write_text(json.dumps(ZERO_3))
    for section in ("zero_stage: 3\n  offload_param_device: cpu", f"deepspeed_config_file: {tmp_path / 'ds.json'}"):
        (tmp_path / "launch.yaml").write_text(f"distributed_type: DEEPSPEED\nnum_processes: 8\ndeepspeed_config:\n  {section}\n")
        (tmp_path / "config.yml").write_text(TRL)
        loadout = check_document(document_of(tmp_path / "config.yml"), {"accelerate": "launch.yaml"}).loadout
        assert loadout is not None and loadout.component_in("distributed") == "zero-3"
        assert loadout.value_of("distributed.offload") is True and loadout.value_of("hardware.count") == 8


def test_torchtune_is_not_launched_with_accelerate() -> None:
    assert "RF0022" not in codes(check_document(document_of(TORCHTUNE), {"accelerate": "none.yaml"}))


def test_check_reports_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, TRL + "deepspeed: ds.json\n", ds_json={"zero_optimization": {"stgae": 2}})
    assert outcome(["check", "config.yml", "config.yml", "--format", "json"]) == 1
    files = json.loads(capsys.readouterr().out)["files"]
    assert [file["path"] for file in files if "ds" in file["path"]] == ["ds.json"]
    (tmp_path / "launch.yaml").write_text(LAUNCH.replace("distributed_type", "distributed_typ"))
    assert outcome(["check", "config.yml", "--accelerate", "launch.yaml", "--select", "RF0002"]) == 1
    assert "launch.yaml:2:1" in capsys.readouterr().out


def test_a_file_that_two_configurations_name_is_reported_once_with_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(
        tmp_path, TRL + "deepspeed: ds.json\n", ds_json={"zero_optimization": {"stage": 2}, "train_micro_batch_size_per_gpu": 4, "x_y": 1}
    )
    Path("other.yml").write_text(TRL.replace("batch_size: 4", "batch_size: 8") + "deepspeed: ds.json\n")
    assert outcome(["check", "config.yml", "other.yml", "--format", "json"]) == 1
    (file,) = [file for file in json.loads(capsys.readouterr().out)["files"] if file["path"] == "ds.json"]
    assert [d["code"] for d in file["diagnostics"]] == ["RF0025", "RF0023"]


@pytest.mark.parametrize(
    ("inside", "wrong"),
    [
        ("deepspeed_config: {deepspeed_config_file: ds.json, zero_stage: 3}", ["zero_stage"]),
        ("mixed_precision: bf16\ndeepspeed_config: {deepspeed_config_file: ds.json}", ["mixed_precision"]),
        ("deepspeed_config: {deepspeed_config_file: ds.json, zero3_init_flag: true}", []),
        ("mixed_precision: bf16\ndeepspeed_config: {zero_stage: 3, gradient_clipping: 1.0}", []),
    ],
)
def test_a_launch_file_leaves_to_deepspeeds_file_what_that_says(tmp_path: Path, inside: str, wrong: list[str]) -> None:
    text = f"compute_environment: LOCAL_MACHINE\ndistributed_type: DEEPSPEED\nnum_processes: 2\n{inside}\n"
    report = written(tmp_path, TRL + "accelerate_config: launch.yaml\n", launch_yaml=text, ds_json=ZERO_3)
    said = [d.message.split("`")[1] for other in report.companions for d in other.diagnostics if d.code == "RF0025"]
    assert said == wrong
