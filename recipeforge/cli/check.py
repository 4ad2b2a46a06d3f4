"""`recipeforge check`: will it run as written?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from recipeforge.api.config import Config, codes_from, known_codes
from recipeforge.cli.discover import recipe_paths
from recipeforge.cli.exits import exit_code
from recipeforge.cli.output import color_option, format_option, look, note, write
from recipeforge.cli.source import document_at
from recipeforge.cli.target import flags_from, settings_for, target_options
from recipeforge.documents.dialects.marks import MARKS, NATIVE
from recipeforge.render.look import ColorChoice
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.record import record
from recipeforge.schemas.report import FileReport

if TYPE_CHECKING:
    from recipeforge.documents.tree import Document


DIALECTS = (NATIVE, *MARKS)


@record
class _Fixing:
    """What to do about findings besides showing them."""

    wanted: bool
    unsafe: bool
    diff: bool


@click.command("check")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("--fix", is_flag=True, help="Make all safe fixes in the files.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix: also those after which the run means something else.")
@click.option("--diff", is_flag=True, help="With --fix: show what would change, and write nothing.")
@format_option("text", "json", "sarif", "github")
@target_options
@click.option("--select", metavar="CODES", help="Report only these rules: codes, beginnings of codes, or slugs, with commas.")
@click.option("--ignore", metavar="CODES", help="Do not report these rules.")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Read the files as this tool's, whatever they look like.")
@click.option("--accelerate", metavar="FILE", help="Judge for a run that is started with `accelerate launch --config_file FILE`.")
@click.option("--only-recipes", is_flag=True, help="Pass over files named that are no recipes, as in folders; for hooks. --dialect wins.")
@click.option("--repairs", is_flag=True, help="Also search for the cheapest changes that make the whole recipe run.")
@color_option()
def command(
    paths: tuple[str, ...],
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    style: str,
    gpu: str | None,
    gpus: int | None,
    packages: str | None,
    select: str | None,
    ignore: str | None,
    dialect: str | None,
    accelerate: str | None,
    only_recipes: bool,
    repairs: bool,
    color: ColorChoice,
) -> int:
    """Say whether recipes will run as written, why not, and who says so.

    PATHS are files, folders to search for recipes, or - for standard input; the current folder by default.

    Leaves with 0 when nothing was found (notes alone count as nothing), 1 when there are errors or warnings, 2 when a file
    cannot be read or the command line makes no sense, and 3 when the verdict is undecided.
    """
    fixing = _Fixing(fix or diff, unsafe_fixes, diff)
    if unsafe_fixes and not fixing.wanted:
        raise click.UsageError("--unsafe-fixes says which fixes --fix may make; give both")
    flags = replace(
        flags_from(gpu, gpus, packages),
        select=known_codes(codes_from(select or ""), "--select"),
        ignore=known_codes(codes_from(ignore or ""), "--ignore"),
    )
    chosen = recipe_paths(paths or (".",), only_recipes=only_recipes and dialect is None)
    given: dict[str, Fact] = {name: value for name, value in (("dialect", dialect), ("accelerate", accelerate)) if value}
    judged = [_report(path, flags, fixing, repairs, given, color) for path in chosen]
    reports = [*judged, *_companions(judged)]
    shown = [r for r in reports if not diff or r.verdict.kind == "unreadable"]
    if shown or not diff:
        # Where standard output carries the fixed text or a diff, the report steps aside.
        write(_rendered(shown, style, color), aside=diff or (fix and "-" in paths))
    return exit_code(reports)


def _report(path: str, flags: Config, fixing: _Fixing, repairs: bool, given: Mapping[str, Fact], color: ColorChoice) -> FileReport:
    """Return the report on one file; with fixes wanted, on the file as it is after them."""
    from recipeforge.api import check_document, target

    settings = settings_for(path, flags)
    document = document_at(path)
    overrides = target(settings.gpu, settings.gpus, settings.packages) | dict(given)
    report = check_document(document, overrides, repairs=repairs and not fixing.wanted, prefer=settings.prefer)
    if fixing.wanted:
        report = _fixed(report, document, path, settings, fixing, color)
    return _selected(report, settings)


def _companions(reports: Sequence[FileReport]) -> list[FileReport]:
    """Return the reports on files that others name, each file once, with what all of those say of it."""
    found: dict[str, FileReport] = {}
    for other in (other for report in reports for other in report.companions if other.diagnostics):
        held = found.get(other.path, other)
        told = sorted({*held.diagnostics, *other.diagnostics}, key=lambda d: (d.primary.span, d.code, d.message))
        found[other.path] = replace(held, diagnostics=tuple(told))
    return list(found.values())


def _fixed(report: FileReport, document: Document, path: str, settings: Config, fixing: _Fixing, color: ColorChoice) -> FileReport:
    from recipeforge.api import apply_fixes, check_document
    from recipeforge.documents.parse import parse
    from recipeforge.render.summary import plural

    def wanted(diagnostic: Diagnostic) -> bool:
        chosen = settings.wants(diagnostic.code, diagnostic.slug)
        return chosen and (diagnostic.severity != "info" or bool(settings.select))

    text = apply_fixes(report, unsafe=fixing.unsafe, wanted=wanted)
    if fixing.diff:
        from recipeforge.render.diff import render_diff

        write(render_diff(report.path, document.text, text, look(color)))
    elif path == "-":
        write(text)
    elif text != document.text:
        from recipeforge.cli.writing import replace_text

        replace_text(path, text)
    if text == document.text:
        return report
    after = check_document(parse(text, report.path), report.overrides)
    cured = len(report.diagnostics) - len(after.diagnostics)
    note(f"{report.path}: {'would cure' if fixing.diff else 'cured'} {cured} of {plural(len(report.diagnostics), 'finding')}")
    return after


def _selected(report: FileReport, settings: Config) -> FileReport:
    """Return the report with the findings that were asked for."""
    kept = tuple(d for d in report.diagnostics if settings.wants(d.code, d.slug))
    others = tuple(_selected(other, settings) for other in report.companions)
    return replace(report, diagnostics=kept, silenced=len(report.diagnostics) - len(kept), companions=others)


def _rendered(reports: Sequence[FileReport], style: str, color: ColorChoice) -> str:
    from recipeforge.catalog.load import load

    match style:
        case "json":
            from recipeforge.render.json import render_json

            return render_json(reports, load().hash)
        case "sarif":
            from recipeforge import __version__
            from recipeforge.render.sarif import render_sarif

            return render_sarif(reports, load(), __version__)
        case "github":
            from recipeforge.render.github import render_github

            return render_github(reports)
        case _:
            return _text(reports, color)


def _text(reports: Sequence[FileReport], color: ColorChoice) -> str:
    from recipeforge.render.text import render_report, render_summary

    screen = look(color)
    parts = [render_report(report, screen) for report in reports]
    for index, report in enumerate(reports):
        if report.repairs:
            from recipeforge.render.repairs import render_repairs

            parts[index] += "\n" + render_repairs(report.text, report.repairs, screen)
    return "".join(parts) + render_summary(reports, screen)
