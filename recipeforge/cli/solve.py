"""`recipeforge solve`: the cheapest recipe that runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import click

from recipeforge.cli.exits import CLEAN, FINDINGS, UNDECIDED
from recipeforge.cli.output import color_option, format_option, look, note, write
from recipeforge.cli.source import document_at
from recipeforge.cli.target import ASKED, flags_from, settings_for, target_options_and_question
from recipeforge.render.look import ColorChoice
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.preferences import Preferences
from recipeforge.schemas.report import FileReport, Solution

if TYPE_CHECKING:
    from recipeforge.documents.tree import Document


@click.command("solve")
@click.argument("recipe")
@click.option(
    "--minimize",
    type=click.Choice(["changes", "memory", "time"]),
    default="changes",
    show_default=True,
    help="What a good answer has least of.",
)
@click.option(
    "--within",
    multiple=True,
    metavar="KEY=VALUE",
    help="An extra budget, such as memory_gib=16, wall_clock=2h or cost_usd=5. May be given several times.",
)
@click.option("-n", "count", type=click.IntRange(1, 20), default=None, help="Answers wanted: 3, with --pareto 8.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write the best recipe to FILE; - for standard output.",
)
@click.option("--pareto", is_flag=True, help="Show the choices between memory, speed and changes: the cheapest recipe for each step.")
@click.option(
    "--limit", "limit_s", type=click.FloatRange(0, min_open=True), default=5.0, show_default=True, metavar="SECONDS", help="Time to search."
)
@format_option("text", "json", "diff")
@target_options_and_question
@color_option()
def command(
    recipe: str,
    minimize: Literal["changes", "memory", "time"],
    within: tuple[str, ...],
    count: int | None,
    output: str | None,
    pareto: bool,
    limit_s: float,
    style: str,
    gpu: str | None,
    gpus: int | None,
    packages: str | None,
    color: ColorChoice,
) -> int:
    """Complete or repair a recipe at the least cost; every answer was checked again.

    RECIPE is a file, or - for standard input. Leaves with 0 when the recipe runs as it is or an answer was found, 1 when
    there is none or the file has errors besides that only a person can cure, 3 when the time ran out. What the project's
    configuration prefers to keep or to avoid is honoured. With --packages alone it answers with package versions instead.
    """
    from recipeforge.api import check_document, keeps_within, solve_document, target, time_unjudged

    budgets = _budgets(within)
    asked = packages == ASKED
    settings = settings_for(recipe, flags_from(gpu, gpus, None if asked else packages))
    overrides = target(settings.gpu, settings.gpus, settings.packages)
    document = document_at(recipe)
    if asked:
        if style == "diff" or pareto or within:
            raise click.UsageError("--packages alone asks for versions; it takes -o, --limit, --format text or json, and no other question")
        from recipeforge.cli.packages import answer

        return answer(document, overrides, output, limit_s, style, color)
    if pareto:
        if style == "diff" or output:
            raise click.UsageError("--pareto shows many recipes; write one with --within and -o")
        return _pareto(document, overrides, budgets, count or 8, limit_s, settings.prefer, style, color)
    report = check_document(document, overrides)
    found = solve_document(
        document, overrides, minimize=minimize, within=budgets, count=count or 3, prefer=settings.prefer, limit_s=limit_s
    )
    solutions = found.solutions
    runs = report.verdict.kind == "valid" and (not budgets or keeps_within(document, overrides, budgets))
    if output == "-":
        write(_best_text(report, solutions))
        note(_headline(report, solutions, runs, within))
    else:
        write(_rendered(report, solutions, runs, within, style, color))
    if why := time_unjudged(document, overrides, minimize, budgets):
        note(f"{report.path}: time was not judged, since {why}")
    if not found.complete:
        maybe = "better answers" if solutions else "an answer all the same"
        note(f"{report.path}: the time ran out after {limit_s:g} s; there may be {maybe}")
    if output not in (None, "-"):
        _write_best(str(output), report, solutions, runs)
    if runs:
        return CLEAN
    if solutions:
        return FINDINGS if _errors_left(report, solutions) else CLEAN
    return UNDECIDED if report.verdict.kind == "undecided" or not found.complete else FINDINGS


def _pareto(
    document: Document,
    overrides: Mapping[str, Fact],
    within: Mapping[str, float],
    count: int,
    limit_s: float,
    prefer: Preferences,
    style: str,
    color: ColorChoice,
) -> int:
    """Show the choices between memory, speed and changes."""
    from recipeforge.api import check_document, pareto_document

    report = check_document(document, overrides)
    found = pareto_document(document, overrides, within=within, count=count, prefer=prefer, limit_s=limit_s)
    if style == "json":
        from recipeforge.render.json import dumped, solution_json

        told: dict[str, object] = {"format": "recipeforge/pareto/1", "path": report.path, "verdict": report.verdict.kind}
        write(dumped({**told, "complete": found.complete, "points": [solution_json(point) for point in found.solutions]}))
    elif found.solutions:
        from recipeforge.render.repairs import render_front

        write(render_front(found.solutions, look(color)))
    else:
        why = "memory cannot be told, since the model's dimensions or the technique are not known"
        write(f"{report.path}: {why if report.estimate is None else 'no recipe was found that runs'}\n")
    if not found.complete:
        note(f"{report.path}: the time ran out after {limit_s:g} s; there may be more")
    return CLEAN if found.solutions else FINDINGS if found.complete else UNDECIDED


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
        amount = _amount(name, value)
        if amount is None:
            like = "2h" if name == "wall_clock" else "16"
            raise click.BadParameter(f"`{item}` has no amount; write it like {name}={like}", param_hint="--within")
        found[name] = amount
    return found


def _amount(name: str, value: str) -> float | None:
    """Return the amount of a budget, a duration in seconds; `None` for what is none."""
    from recipeforge.documents.scalars import seconds

    if name == "wall_clock":
        length = seconds(value.strip().lower())
        return float(length) if length else None
    try:
        amount = float(value)
    except ValueError:
        return None
    return amount if 0 <= amount < float("inf") else None


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
