"""Every ending has its exit code and a sentence; never a traceback."""

import gc
from pathlib import Path

import pytest

from recipeforge.cli import main
from recipeforge.cli.exits import exit_code
from recipeforge.render.look import look_for
from recipeforge.schemas.diagnostic import Diagnostic, Label
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.report import FileReport
from recipeforge.schemas.rule import Severity
from recipeforge.schemas.verdict import Verdict, VerdictKind


def report(kind: VerdictKind, *severities: Severity, code: str = "RF1001") -> FileReport:
    found = tuple(Diagnostic(code, "slug", severity, "m", Label(START_OF_FILE, "")) for severity in severities)
    return FileReport("r.yaml", "", "recipeforge", Verdict(kind), found)


def test_findings_become_exit_codes() -> None:
    assert exit_code([]) == 0
    assert exit_code([report("valid")]) == 0
    assert exit_code([report("valid", "info")]) == 0
    assert exit_code([report("valid", "warning")]) == 1
    assert exit_code([report("conflicting", "error"), report("valid")]) == 1
    assert exit_code([report("undecided")]) == 3
    assert exit_code([report("undecided", "error")]) == 1
    assert exit_code([report("unreadable", "error", code="RF0001")]) == 1
    assert exit_code([report("unreadable", "error", code="RF0018"), report("conflicting", "error")]) == 2


def test_every_listed_command_can_be_loaded() -> None:
    import click

    context = click.Context(main.command)
    names = main.command.list_commands(context)
    assert {"check", "solve", "status", "explain", "estimate", "schema", "catalog", "evidence"} <= set(names)
    for name in names:
        found = main.command.get_command(context, name)
        assert found is not None
        assert found.name == name
        assert found.help


def test_a_bug_is_one_line_and_a_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import recipeforge.cli.schema as schema
    from recipeforge.catalog import recipe_schema

    def broken(_: object) -> dict[str, object]:
        raise ZeroDivisionError("oops \x1b[31m")

    monkeypatch.setattr(recipe_schema, "json_schema", broken)
    monkeypatch.setenv("RECIPEFORGE_CACHE", str(tmp_path))
    assert schema.command.name == "schema"
    assert main.outcome(["schema"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "a bug in recipeforge (ZeroDivisionError)" in told.err
    (log,) = (tmp_path / "bugs").iterdir()
    assert str(log) in told.err
    assert "Traceback" in log.read_text()
    monkeypatch.setenv("RECIPEFORGE_DEBUG", "1")
    assert main.outcome(["schema"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_interruption_while_an_extension_loads(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from recipeforge.catalog import recipe_schema

    def stopped(_: object) -> dict[str, object]:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as pressed:
            raise ImportError("initialization failed") from pressed

    monkeypatch.setattr(recipe_schema, "json_schema", stopped)
    assert main.outcome(["schema"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_interruption(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from recipeforge.catalog import recipe_schema

    def stopped(_: object) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe_schema, "json_schema", stopped)
    assert main.outcome(["schema"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["chekc"], "did you mean `check`?"),
        (["zzzz"], "there are check, solve"),
        (["check", "--gpus", "0", "x"], "--gpus"),
        (["check", "--select", "RF9876", "x"], "no rule has the code or slug `RF9876`"),
        (["check", "--unsafe-fixes", "x"], "--fix"),
        (["explain", "qlroa"], "did you mean `qlora`"),
        (["explain", "rf1099"], "did you mean `RF"),
        (["solve", "x", "--within", "memory=3"], "there is memory_gib"),
        (["solve", "x", "--within", "memory_gib=nan"], "has no amount"),
        (["status", "x", "--slot", "optimiser"], "did you mean `optimizer`?"),
        (["estimate", "/nope/recipe.yaml"], "there is no file"),
        (["check", "--packages", "torch", "x"], "write it like torch=2.6"),
    ],
)
def test_bad_use_is_2_with_a_next_step(args: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.outcome(args) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.err.startswith("error: ")
    assert told.out == ""


class _Terminal:
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError


@pytest.mark.parametrize(
    ("color", "no_color", "force", "term", "expected"),
    [
        ("auto", "", "", "xterm", True),
        ("auto", "1", "1", "xterm", False),
        ("auto", "", "", "dumb", False),
        ("auto", "", "1", "dumb", True),
        ("auto", "", "0", "dumb", False),
        ("always", "1", "", "dumb", True),
        ("never", "", "1", "xterm", False),
    ],
)
def test_when_there_is_colour(color: str, no_color: str, force: str, term: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("FORCE_COLOR", force)
    monkeypatch.setenv("TERM", term)
    found = look_for(_Terminal(), color)  # type: ignore[arg-type]
    assert found.color == expected
    assert not found.hyperlinks or found.color


def test_help_gives_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    for args in ([], ["catalog"], ["evidence"]):
        main.outcome([*args, "--help"])
        told = " ".join(capsys.readouterr().out.split())
        assert "..." not in told.split("Commands:")[1]
    main.outcome(["--help"])
    assert "why not, and who says so." in " ".join(capsys.readouterr().out.split())


def test_a_folder_without_a_pack_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.outcome(["catalog", "lint", "--pack", str(tmp_path)]) == 2
    assert "is no pack: it holds neither components/ nor rules/" in capsys.readouterr().err


def test_leaving_does_not_look_for_garbage_among_all_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    before = gc.get_threshold()
    monkeypatch.setattr(main, "outcome", lambda args: 0)
    try:
        with pytest.raises(SystemExit):
            main.main([])
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
