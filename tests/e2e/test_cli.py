"""The command line as people run it: a process of its own, its output and its exit code."""

import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "hostile"))
from cases import CASES, Case

ROOT = Path(__file__).parents[2]
BROKEN = ROOT / "examples" / "broken-qlora.yaml"
GOOD = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\nprecision: bf16\nhardware: {gpu: a100-80gb}\n"
MAX_SECONDS = 2.0
MAX_BYTES = 500_000_000


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("RECIPEFORGE_")}
    env |= {"RECIPEFORGE_CACHE": str(tmp_path_factory.mktemp("cache")), "NO_COLOR": "", "FORCE_COLOR": ""}
    run("schema", env=env)  # the first process compiles the catalog
    return env


def run(
    *args: str, env: Mapping[str, str], cwd: Path | None = None, text: str | None = None, limit: bool = False
) -> subprocess.CompletedProcess[str]:
    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))

    return subprocess.run(
        [sys.executable, "-m", "recipeforge", *args],
        check=False,
        capture_output=True,
        encoding="utf-8",
        env=env,
        cwd=cwd,
        input=text,
        timeout=60,
        preexec_fn=limits if limit else None,
    )


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    shutil.copy(BROKEN, path)
    return path


def test_all_problems_at_once_each_with_place_quote_source_and_fix(recipe: Path, environment: dict[str, str]) -> None:
    done = run("check", "recipe.yaml", env=environment, cwd=recipe.parent)
    assert done.returncode == 1
    assert done.stderr == ""
    blocks = done.stdout.split("\n\n")
    findings = [block for block in blocks if block.startswith(("error[", "warning["))]
    assert len(findings) >= 4
    for block in findings:
        assert "--> recipe.yaml:" in block
        assert "^" in block
        assert "note: [T" in block
        assert "“" in block
        assert "://" in block
        assert "help: " in block
    assert "recipe.yaml: conflicting — " in blocks[-1]
    assert "\x1b" not in done.stdout


def test_json_is_one_object_of_the_documented_format(recipe: Path, environment: dict[str, str]) -> None:
    done = run("check", "--format", "json", str(recipe), env=environment)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert told["format"] == "recipeforge/check/1"
    assert told["files"][0]["verdict"] == "conflicting"
    lines = BROKEN.read_text().splitlines()
    first = next(d for d in told["files"][0]["diagnostics"] if d["code"] == "RF1001")
    start, end = first["range"]["start"], first["range"]["end"]
    assert lines[start["line"] - 1][start["column"] - 1 : end["column"] - 1] == "qlora"


@pytest.mark.parametrize(("style", "begins"), [("sarif", "{"), ("github", "::")])
def test_other_formats(style: str, begins: str, recipe: Path, environment: dict[str, str]) -> None:
    done = run("check", "--format", style, str(recipe), env=environment)
    assert done.returncode == 1
    assert done.stdout.startswith(begins)


def test_a_diff_writes_nothing_and_patches(recipe: Path, environment: dict[str, str]) -> None:
    before = recipe.read_bytes()
    done = run("check", "--fix", "--unsafe-fixes", "--diff", "recipe.yaml", env=environment, cwd=recipe.parent)
    assert recipe.read_bytes() == before
    assert done.stdout.startswith("--- a/recipe.yaml\n+++ b/recipe.yaml\n@@ ")
    subprocess.run(["patch", "-p1"], input=done.stdout, text=True, cwd=recipe.parent, check=True, capture_output=True)
    assert run("check", "recipe.yaml", env=environment, cwd=recipe.parent).returncode == 0


def test_fix_cures_keeps_the_mode_and_is_done_the_second_time(recipe: Path, environment: dict[str, str]) -> None:
    recipe.chmod(0o600)
    done = run("check", "--fix", "--unsafe-fixes", str(recipe), env=environment)
    assert done.returncode == 0, done.stdout
    assert "valid — about " in done.stdout
    assert "cured 5 of 5 findings" in done.stderr
    assert recipe.stat().st_mode & 0o777 == 0o600
    after = recipe.read_bytes()
    assert run("check", "--fix", "--unsafe-fixes", str(recipe), env=environment).returncode == 0
    assert recipe.read_bytes() == after


def test_safe_fixes_alone_leave_the_rest_and_say_so(recipe: Path, environment: dict[str, str]) -> None:
    done = run("check", "--fix", str(recipe), env=environment)
    assert done.returncode == 1
    assert "warning[RF2051]" in done.stdout
    assert done.stdout.count("error[") == done.stdout.count("error[RF5218]") == 1, "to evaluate takes rows from the training"


def test_standard_input_is_fixed_to_standard_output(environment: dict[str, str]) -> None:
    done = run("check", "--fix", "-", env=environment, text=GOOD.replace("lora", "qlora"))
    assert done.returncode == 0
    assert done.stdout == GOOD.replace("lora", "qlora\nquantization: bnb-4bit")
    assert "valid" in done.stderr


def test_select_and_ignore(recipe: Path, environment: dict[str, str]) -> None:
    done = run("check", "--select", "RF2", str(recipe), env=environment)
    assert "RF2051" in done.stdout
    assert "RF1001" not in done.stdout
    assert "not selected" in done.stdout
    assert run("check", "--ignore", "RF", str(recipe), env=environment).returncode == 0


def test_the_project_file_names_the_target(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "recipe.yaml").write_text(GOOD.replace("hardware: {gpu: a100-80gb}\n", ""))
    (tmp_path / "recipeforge.toml").write_text('gpu = "t4"\n')
    assert "RF2051" in run("check", env=environment, cwd=tmp_path).stdout
    assert "RF2051" not in run("check", "--gpu", "l4", env=environment, cwd=tmp_path).stdout
    assert run("check", env=environment | {"RECIPEFORGE_GPU": "a100-80gb"}, cwd=tmp_path).returncode == 0


def test_a_folder_of_recipes_ends_with_a_summary(recipe: Path, environment: dict[str, str]) -> None:
    (recipe.parent / "good.recipe.yaml").write_text(GOOD)
    (recipe.parent / "docker-compose.yaml").write_text("services: [")
    done = run("check", env=environment, cwd=recipe.parent)
    assert done.returncode == 1
    assert "good.recipe.yaml: valid" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("2 files: 1 valid, 1 conflicting — ")
    assert "compose" not in done.stdout


def test_solve_writes_a_recipe_that_checks_clean(recipe: Path, environment: dict[str, str]) -> None:
    out = recipe.parent / "solved.yaml"
    done = run("solve", str(recipe), "-o", str(out), env=environment)
    assert done.returncode == 0
    assert done.stdout.startswith("repair 1: ")
    assert "error[" not in run("check", str(out), env=environment).stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("status", "FILE", "--slot", "optimizer"), "in place of adamw-8bit"),
        (("estimate", "FILE"), "total"),
        (("explain", "RF1001"), "Evidence"),
        (("explain", "muon"), "Goes into"),
        (("schema",), '"$schema"'),
        (("catalog", "stats"), "rules"),
        (("catalog", "show", "gpus"), "rtx-4090"),
        (("--version",), "recipeforge "),
        (("--help",), "check "),
        (("status", "FILE", "--format", "json"), '"recipeforge/status/1"'),
        (("estimate", "FILE", "--format", "json"), '"recipeforge/estimate/1"'),
        (("solve", "FILE", "--format", "json"), '"recipeforge/solve/1"'),
    ],
)
def test_the_other_commands(args: tuple[str, ...], says: str, recipe: Path, environment: dict[str, str]) -> None:
    done = run(*(str(recipe) if arg == "FILE" else arg for arg in args), env=environment)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
    if "json" in args or args == ("schema",):
        json.loads(done.stdout)


def test_a_reader_that_leaves_is_no_error(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "recipeforge", "catalog", "show", "rules"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 0


def test_ctrl_c_is_130(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "recipeforge", "check", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        process.stdin.write(b"recipeforge: 1\n" * 10)
        process.stdin.flush()
        deadline = time.monotonic() + 20
        # It waits for the end of its input once nothing of the start-up is left to read.
        while time.monotonic() < deadline and Path(f"/proc/{process.pid}/wchan").exists() and not _waits(process.pid):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.decode().strip() == "interrupted"


def _waits(pid: int) -> bool:
    """Return whether a process sleeps in a read of its standard input."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    maps = Path(f"/proc/{pid}/maps").read_text()
    return stat[0] == "S" and "_yaml" in maps


def test_a_terminal_gets_colour_and_links(environment: dict[str, str]) -> None:
    told = _on_a_terminal(["check", str(BROKEN)], environment | {"TERM": "xterm-256color"})
    assert "\x1b[1;31merror[" in told
    assert "\x1b]8;;https://" in told
    assert "\x1b" not in _on_a_terminal(["check", str(BROKEN)], environment | {"TERM": "xterm-256color", "NO_COLOR": "1"})


def _on_a_terminal(args: list[str], env: dict[str, str]) -> str:
    parent, child = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "recipeforge", *args], stdout=child, stderr=child, env=env) as process:
        os.close(child)
        parts: list[bytes] = []
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:  # Linux says EIO when the other end is closed
                break
            if not part:
                break
            parts.append(part)
        process.wait(20)
    os.close(parent)
    return b"".join(parts).decode()


def test_a_terminal_without_unicode_gets_plain_words(environment: dict[str, str]) -> None:
    done = run("check", str(BROKEN), env=environment | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert done.stdout.isascii()
    assert "conflicting - 4 errors" in done.stdout


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_hostile_file(case: Case, tmp_path: Path, environment: dict[str, str]) -> None:
    path = case.write(tmp_path)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run("check", str(path), env=environment, limit=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime  # the process's own: the machine may be busy
    assert done.returncode == case.exit_code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout
    if path.is_dir():  # a folder is searched, and holds no recipe
        assert done.stderr.startswith("error: no recipe under ")
    else:
        assert done.stderr == ""
        assert all(f"[{code}]" in done.stdout for code in case.codes)
    assert len(done.stdout) < 200_000
    assert seconds < MAX_SECONDS
