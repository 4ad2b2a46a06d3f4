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
    there is none, 3 when the time ran out.
    """
    from recipeforge.api import check_document, solve_document

    budgets = _budgets(within)
    overrides = overrides_for(recipe, flags_from(gpu, gpus, packages))
    document = document_at(recipe)
    report = check_document(document, overrides)
    solutions = solve_document(document, overrides, minimize=minimize, within=budgets, count=count)
    if output == "-":
        write(_best_text(report, solutions))
        note(_headline(report, solutions, minimize))
    else:
        write(_rendered(report, solutions, minimize, style, color))
    if output not in (None, "-"):
        _write_best(str(output), report, solutions)
    if solutions or (report.verdict.kind == "valid" and not budgets):
        return CLEAN
    if report.verdict.kind == "valid":
        return CLEAN if minimize == "changes" else FINDINGS
    return UNDECIDED if report.verdict.kind == "undecided" else FINDINGS


def _budgets(within: tuple[str, ...]) -> dict[str, float]:
    """Return extra budgets by name."""
    from recipeforge.catalog.load import load

    known = [knob.name for knob in load().knobs.values() if knob.group == "budget" and knob.type in ("int", "float")]
    found: dict[str, float] = {}
    for item in within:
        name, _, value = item.partition("=")
        name = name.strip().removeprefix("budget.")
        if name not in known:
            raise click.BadParameter(f"`{name}` is no budget; there are {', '.join(known)}", param_hint="--within")
        try:
            amount = float(value)
        except ValueError:
            amount = -1.0
        if not 0 <= amount < float("inf"):
            raise click.BadParameter(f"`{item}` has no amount; write it like {name}=16", param_hint="--within")
        found[name] = amount
    return found


def _headline(report: FileReport, solutions: tuple[Solution, ...], minimize: str) -> str:
    """Return the outcome in one line."""
    kind = report.verdict.kind
    if solutions:
        best = solutions[0].repair
        return f"{report.path}: {kind}; {best.title} ({best.safety})"
    if kind == "valid":
        return f"{report.path}: valid; nothing has to change"
    own = sum(d.code.startswith("RF0") and d.severity == "error" for d in report.diagnostics)
    if own:
        return f"{report.path}: {kind}; first cure what is wrong with the file itself: recipeforge check"
    return f"{report.path}: {kind}; no repair was found{' that also keeps to the budget' if minimize == 'memory' else ''}"


def _rendered(report: FileReport, solutions: tuple[Solution, ...], minimize: str, style: str, color: ColorChoice) -> str:
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
        return _headline(report, solutions, minimize) + "\n"
    from recipeforge.render.repairs import render_repairs

    return render_repairs(report.text, solutions, look(color))


def _best_text(report: FileReport, solutions: tuple[Solution, ...]) -> str:
    """Return the best answer that the text can take; the text itself where there is none."""
    from recipeforge.render.repairs import solved_text

    best = next((s for s in solutions if s.edits), None)
    return solved_text(report.text, best) if best else report.text


def _write_best(output: str, report: FileReport, solutions: tuple[Solution, ...]) -> None:
    from recipeforge.cli.writing import replace_text

    if report.verdict.kind != "valid" and not any(s.edits for s in solutions):
        note(f"{output} was not written: there is no recipe that runs to put there")
        return
    replace_text(output, _best_text(report, solutions))
    note(f"wrote {output}")
