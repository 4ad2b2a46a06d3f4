"""`recipeforge eject`: a recipe as a plain training script."""

from __future__ import annotations

from pathlib import Path

import click

from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import color_option, look, note, write
from recipeforge.cli.source import document_at
from recipeforge.render.look import ColorChoice

OF_THE_RECIPE = {
    "part-not-implemented",
    "knob-not-honoured",
    "value-not-honoured",
    "part-objects",
    "several-devices",
    "no-length",
    "no-interval",
    "nothing-held-out",
    "no-data",
    "model-missing",
}
"""What pre-flight may find that a script could not do either; the rest is about this machine, and the script may run on another."""


@click.command("eject")
@click.argument("recipe")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the script there, and NAME-requirements.txt beside it."
)
@click.option("--overwrite", is_flag=True, help="Also where these files exist already.")
@color_option()
def command(recipe: str, output: Path | None, overwrite: bool, color: ColorChoice) -> int:
    """Write RECIPE as a plain training script that imports nothing of this program.

    It takes the same steps over the same rows as `recipeforge run` and comes to the same loss; for you to read, change and keep. It
    leaves out checkpoints to go on from, pre-flight and post-flight, the ledger, budgets. Without -o it goes to standard output.

    Leaves with 1 when the recipe is not valid, or asks for something that no script is written for.
    """
    from recipeforge.api.running import judged_here
    from recipeforge.catalog.load import load as load_catalog
    from recipeforge.documents.lines import LineIndex
    from recipeforge.render.text import render_diagnostic, render_report
    from recipeforge.runner.eject.script import unwritable
    from recipeforge.runner.eject.script import write as write_script
    from recipeforge.runner.plan import make_plan
    from recipeforge.runner.preflight import problems

    report = judged_here(document_at(recipe))
    if report.verdict.kind != "valid" or report.loadout is None:
        write(render_report(report, look(color)))
        note(f"{report.path}: no script written, because it is {report.verdict.kind}")
        return FINDINGS
    plan = make_plan(load_catalog(), report.loadout, report.text)
    found = [d for d in problems(plan, report.loadout) if d.slug in OF_THE_RECIPE]
    if found:
        for diagnostic in found:
            write(render_diagnostic(diagnostic, report, LineIndex(report.text), look(color)) + "\n")
        return FINDINGS
    if missing := unwritable(plan):
        for slot, part in missing:
            line = report.loadout.span_of(part).start.line + 1
            note(f"{report.path}:{line}: no script is written for {slot} `{part}` yet; `recipeforge run` trains it")
        return FINDINGS
    script = write_script(plan, output.resolve().parent if output else None)
    if output is None:
        write(script.text)
        return CLEAN
    needs = output.with_name(f"{output.stem}-requirements.txt")
    if taken := [path for path in (output, needs) if path.exists() and not overwrite]:
        raise click.ClickException(f"{taken[0]} exists; name another file, or say --overwrite")
    output.write_text(script.text, encoding="utf-8")
    needs.write_text("".join(f"{line}\n" for line in script.requirements), encoding="utf-8")
    note(f"wrote {output} and {needs}")
    return CLEAN
