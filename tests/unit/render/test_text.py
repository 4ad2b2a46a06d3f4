"""Findings for people."""

import re
from collections.abc import Callable
from dataclasses import replace

import sample_report as sample

from recipeforge.render.look import Look
from recipeforge.render.repairs import render_repairs, solved_text
from recipeforge.render.text import render_report, render_summary, shortened
from recipeforge.schemas.diagnostic import Diagnostic, Label
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.verdict import Verdict

_ANSI = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;.*?\x1b\\\\")
Golden = Callable[[str, str], None]


def test_a_report_in_plain_text(golden: Golden) -> None:
    golden("report.txt", render_report(sample.REPORT))


def test_a_report_in_colour_with_links(golden: Golden) -> None:
    golden("report.ansi", render_report(sample.REPORT, Look(color=True, hyperlinks=True)))


def test_a_narrow_terminal(golden: Golden) -> None:
    golden("report-narrow.txt", render_report(sample.REPORT, Look(width=48)))


def test_colour_changes_no_word() -> None:
    colored = _ANSI.sub("", render_report(sample.REPORT, Look(color=True)))
    assert re.sub(r"note:  (T\d)  ", r"note: [\1] ", colored) == render_report(sample.REPORT)


def test_a_clean_file_is_one_quiet_line() -> None:
    assert render_report(sample.CLEAN) == "clean.yaml: valid — about 3.5 GiB of 16 GiB on NVIDIA T4\n"


def test_no_escape_of_the_file_reaches_the_terminal() -> None:
    assert "\x1b" not in render_report(sample.REPORT)
    assert "␛[31mcats" in render_report(sample.REPORT)


def test_a_long_quote_is_cut_only_for_display() -> None:
    cut = shortened(sample.LONG_QUOTE)
    assert cut.endswith(" …")
    assert sample.LONG_QUOTE.startswith(cut.removesuffix(" …"))
    assert shortened("x " * 100) == ("x " * 100).strip()


def test_a_finding_about_the_whole_file_has_no_frame() -> None:
    whole = Diagnostic("RF0009", "not-a-recipe", "error", "this is no recipe", Label(START_OF_FILE, ""))
    report = replace(sample.CLEAN, diagnostics=(whole,), verdict=Verdict("unreadable"))
    assert render_report(report) == "error[RF0009]: this is no recipe\n  --> clean.yaml:1:1\n\nclean.yaml: unreadable — 1 error\n"


def test_the_fix_command_says_when_it_needs_leave() -> None:
    unsafe = replace(sample.QLORA, fixes=sample.QLORA.fixes[1:2])
    assert "1 fix, none safe: recipeforge check --fix --unsafe-fixes clean.yaml" in render_report(
        replace(sample.CLEAN, diagnostics=(unsafe,))
    )
    safe = replace(sample.QLORA, fixes=sample.QLORA.fixes[:1])
    assert "; 1 fix: recipeforge check --fix clean.yaml" in render_report(replace(sample.CLEAN, diagnostics=(safe,)))


def test_undecided_says_what_ran_out() -> None:
    report = replace(sample.CLEAN, verdict=Verdict("undecided", spent="5 s were not enough for RF8001"))
    assert render_report(report) == "clean.yaml: undecided — 5 s were not enough for RF8001\n"


def test_the_summary_counts_files_and_findings() -> None:
    assert render_summary([sample.REPORT]) == ""
    told = render_summary([sample.REPORT, sample.CLEAN, sample.CLEAN])
    assert told == "3 files: 1 conflicting, 2 valid — 2 errors, 1 warning, 1 note\n"


def test_repairs_show_the_lines_they_change(golden: Golden) -> None:
    golden("repairs.txt", render_repairs(sample.TEXT, [sample.SOLUTION, replace(sample.SOLUTION, edits=())]))
    solved = solved_text(sample.TEXT, sample.SOLUTION)
    assert "quantization: bnb-4bit\noptimizer:" in solved
    assert "optimizer-in-backward" not in solved


def test_what_is_not_judged_is_what_could_still_be_said() -> None:
    from recipeforge.api import check
    from recipeforge.render.look import Look
    from recipeforge.render.summary import report_line

    text = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\nprecision: bf16\nattention: flash-attention-2\n"
    assert "not judged: the GPU (--gpu)" in report_line(check(text), Look())
    assert "the GPU" not in report_line(check(text, gpu="cpu"), Look())
    assert "package versions (--packages)" in report_line(check(text, gpu="t4"), Look())
    some = report_line(
        check(text, gpu="t4", packages={"torch": "2.6", "transformers": "5.0", "peft": "0.19", "flash-attn": "2.8", "gptqmodel": "5.0"}),
        Look(),
    )
    assert "[not judged: the version of torchao (--packages)]" in some
