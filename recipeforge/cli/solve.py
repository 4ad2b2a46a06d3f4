"""`recipeforge solve`: the cheapest recipe that runs."""

from __future__ import annotations

from typing import Literal

import click

from recipeforge.cli.exits import CLEAN, FINDINGS, UNDECIDED
from recipeforge.cli.output import color_option, format_option, look, note, write
from recipeforge.cli.source import document_at
from recipeforge.cli.target import flags_from, overrides_for, target_options
from recipeforge.render.look import ColorChoice
from recipeforge.schemas.report import FileReport, Solution


@click.command("solve")
@click.argument("recipe")
@click.option(
    "--minimize", type=click.Choice(["changes", "memory"]), default="changes", show_default=True, help="What a good answer has least of."
)
@click.option("--within", multiple=True, metavar="KEY=VALUE", help="An extra budget, such as memory_gib=16. May be given several times.")
@click.option("-n", "count", type=click.IntRange(1, 20), default=3, show_default=True, help="Answers wanted.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write the best recipe to FILE; - for standard output.",
)
@format_option("text", "json", "diff")
@target_options
@color_option()
def command(
    recipe: str,
    minimize: Literal["changes", "memory"],
    within: tuple[str, ...],
    count: int,
    output: str | None,
    style: str,
    gpu: str | None,
    gpus: int | None,
    packages: str | None,
    color: ColorChoice,
) -> int:
    """Complete or repair a recipe at the least cost; every answer was checked again.

    RECIPE is a file, or - for standard input. Leaves with 0 when the recipe runs as it is or an answer was found, 1 when
    there is none or the file has errors besides that only a person can cure, 3 when the time ran out.
    """
    from recipeforge.api import check_document, keeps_within, solve_document

    budgets = _budgets(within)
    overrides = overrides_for(recipe, flags_from(gpu, gpus, packages))
    document = document_at(recipe)
    report = check_document(document, overrides)
    solutions = solve_document(document, overrides, minimize=minimize, within=budgets, count=count)
    runs = report.verdict.kind == "valid" and (not budgets or keeps_within(document, overrides, budgets))
    if output == "-":
        write(_best_text(report, solutions))
        note(_headline(report, solutions, runs, within))
    else:
        write(_rendered(report, solutions, runs, within, style, color))
    if output not in (None, "-"):
        _write_best(str(output), report, solutions, runs)
    if runs:
        return CLEAN
    if solutions:
        return FINDINGS if _errors_left(report, solutions) else CLEAN
    return UNDECIDED if report.verdict.kind == "undecided" else FINDINGS


def _errors_left(report: FileReport, solutions: tuple[Solution, ...]) -> int:
    """Say how many errors the best answer leaves in the text, and return their number: no repair cures a key that nobody knows."""
    from recipeforge.api import check_document
    from recipeforge.documents.parse import parse
    from recipeforge.render.summary import plural

    if not any(s.edits for s in solutions):
        if own := sum(d.code.startswith("RF0") and d.severity == "error" for d in report.diagnostics):
            note(f"{report.path}: first cure what is wrong with the file itself: recipeforge check")
        return own
    after = check_document(parse(_best_text(report, solutions), report.path), report.overrides)
    left = [d for d in after.diagnostics if d.severity == "error"]
    if left:
        first = f"line {left[0].primary.span.start.line + 1}: {left[0].message}"
        note(f"{report.path}: {plural(len(left), 'error')} in the file itself would stay; {first} (recipeforge check shows all)")
    return len(left)


def _budgets(within: tuple[str, ...]) -> dict[str, float]:
    """Return extra budgets by name."""
    from recipeforge.api import budgets

    found: dict[str, float] = {}
    for item in within:
        name, _, value = item.partition("=")
        name = name.strip().removeprefix("budget.")
        if name not in budgets():
            told = f"`{name}` is no budget that is judged before a run; there is {', '.join(budgets())}"
            raise click.BadParameter(told, param_hint="--within")
        try:
            amount = float(value)
        except ValueError:
            amount = -1.0
        if not 0 <= amount < float("inf"):
            raise click.BadParameter(f"`{item}` has no amount; write it like {name}=16", param_hint="--within")
        found[name] = amount
    return found


def _headline(report: FileReport, solutions: tuple[Solution, ...], runs: bool, within: tuple[str, ...]) -> str:
    """Return the outcome in one line."""
    kind = report.verdict.kind
    if solutions:
        best = solutions[0].repair
        return f"{report.path}: {kind}; {best.title} ({best.safety})"
    if runs:
        return f"{report.path}: valid; nothing has to change"
    own = sum(d.code.startswith("RF0") and d.severity == "error" for d in report.diagnostics)
    if own:
        return f"{report.path}: {kind}; first cure what is wrong with the file itself: recipeforge check"
    bound = f" that keeps to {', '.join(within)}; recipeforge solve --minimize memory shows how little it can take" if within else ""
    return f"{report.path}: {kind}; no repair was found{bound}"


def _rendered(
    report: FileReport, solutions: tuple[Solution, ...], runs: bool, within: tuple[str, ...], style: str, color: ColorChoice
) -> str:
    if style == "json":
        from recipeforge.render.json import dumped, estimate_json, solution_json

        told = [solution_json(solution) for solution in solutions]
        estimate = estimate_json(report.estimate)
        return dumped(
            {"format": "recipeforge/solve/1", "path": report.path, "verdict": report.verdict.kind, "repairs": told, "estimate": estimate}
        )
    if style == "diff":
        from recipeforge.render.diff import render_diff

        return render_diff(report.path, report.text, _best_text(report, solutions), look(color))
    if not solutions:
        return _headline(report, solutions, runs, within) + "\n"
    from recipeforge.render.repairs import render_repairs

    return render_repairs(report.text, solutions, look(color))


def _best_text(report: FileReport, solutions: tuple[Solution, ...]) -> str:
    """Return the best answer that the text can take; the text itself where there is none."""
    from recipeforge.render.repairs import solved_text

    best = next((s for s in solutions if s.edits), None)
    return solved_text(report.text, best) if best else report.text


def _write_best(output: str, report: FileReport, solutions: tuple[Solution, ...], runs: bool) -> None:
    from recipeforge.cli.writing import replace_text

    if not runs and not any(s.edits for s in solutions):
        note(f"{output} was not written: there is no recipe that runs to put there")
        return
    replace_text(output, _best_text(report, solutions))
    note(f"wrote {output}")
