"""`recipeforge run`: check the recipe, say what will be done, do it, and write the ledger's row."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recipeforge.cli.exits import BAD_USE, CLEAN, FINDINGS, INTERRUPTED, UNDECIDED
from recipeforge.cli.output import color_option, format_option, look, note, write
from recipeforge.cli.source import document_at
from recipeforge.render.look import ColorChoice, Look

if TYPE_CHECKING:
    from recipeforge.api import Report
    from recipeforge.documents.tree import Document
    from recipeforge.runner.channel import Message
    from recipeforge.runner.plan import Plan
    from recipeforge.schemas.diagnostic import Diagnostic
    from recipeforge.schemas.loadout import Loadout
    from recipeforge.schemas.run import Run, RunState

LATEST = "the newest"
"""`--resume` without an id."""
_SAID_BY_ENGINE = "several-devices-without-distribution"
"""The rule that asks how devices share the work: torchrun takes DDP where the recipe does not say."""
ENDINGS: dict[RunState, int] = {"finished": CLEAN, "failed": FINDINGS, "interrupted": INTERRUPTED, "running": BAD_USE}


@click.command("run")
@click.argument("recipe", required=False)
@click.option("--resume", is_flag=False, flag_value=LATEST, metavar="[ID]", help="Go on with run ID, or with the newest one of RECIPE.")
@click.option("--save-every", type=click.IntRange(min=1), metavar="STEPS", help="Steps between checkpoints, instead of the recipe's.")
@click.option("--smoke", is_flag=True, help="Do two steps, save, load again and keep nothing but a row of the ledger.")
@click.option(
    "--engine", type=click.Choice(("in-process", "torchrun", "ray")), help="One process, several here, or a cluster's task [in-process]."
)
@click.option("--processes", type=click.IntRange(1), metavar="N", help="With --engine torchrun: how many [hardware.count].")
@click.option("--port", type=click.IntRange(1, 65535), help="With --engine torchrun: where the processes meet [any that is free].")
@click.option("--address", metavar="HOST:PORT", help="With --engine ray: a cluster that is there [one is started here, and stopped].")
@click.option("--force", is_flag=True, help="With --smoke: try a recipe though it is judged not to run.")
@click.option("--trace", "traced", is_flag=True, help="Count a step on fake tensors first, and hold its peak against free memory.")
@click.option("--dry-run", is_flag=True, help="Show the plan and the memory estimate, and stop.")
@click.option("--ledger", type=click.Path(path_type=Path), help="SQLite file for the run's row [RECIPEFORGE_LEDGER, runs/ledger.sqlite3].")
@click.option("--quiet", is_flag=True, help="No plan and no progress on standard error.")
@format_option("text", "json")
@color_option()
def command(
    recipe: str | None,
    resume: str | None,
    save_every: int | None,
    smoke: bool,
    engine: str | None,
    processes: int | None,
    port: int | None,
    address: str | None,
    force: bool,
    traced: bool,
    dry_run: bool,
    ledger: Path | None,
    quiet: bool,
    style: str,
    color: ColorChoice,
) -> int:
    """Train what RECIPE says, on this machine.

    A recipe that is not valid is refused, with the reasons and the cheapest repair; so is one that asks for something this engine
    does not implement or this machine does not have. Ctrl-C stops after the micro-batch at hand and leaves a checkpoint; a second
    one kills.

    Checkpoints come every `train.save_every` steps, or else about every ten minutes. However a run ended, --resume goes on from its newest
    whole checkpoint, in the same folder and the same row of the ledger, as if it had not been ended. Where RECIPE was never run, it begins.

    --engine torchrun trains in several processes of this machine: DDP, or FSDP2 where the recipe says so. Each takes `batch.micro` ×
    `batch.accumulate` rows of a step, so the effective batch is that times --processes; where the recipe names no `hardware.count`, it is
    judged for as many devices. --engine ray trains in one process of some machine of a Ray cluster.

    Leaves with 0 when the run finished, 1 when it was refused or failed, 2 when the file cannot be read or the command line makes
    no sense, 3 when the verdict is undecided, and 130 when it was interrupted.
    """
    from recipeforge.api.running import judged_here
    from recipeforge.catalog.load import load as load_catalog
    from recipeforge.runner.plan import make_plan, saving_every, under
    from recipeforge.runner.preflight import OF_THIS_MACHINE, lookable, problems

    if force and not smoke:
        raise click.UsageError("--force goes with --smoke only: a whole run of a recipe that does not run is worth nobody's time")
    if smoke and resume is not None:
        raise click.UsageError("--smoke keeps nothing, so there is nothing to --resume")
    if recipe is None and resume not in (None, LATEST) and Path(resume).is_file():
        recipe, resume = resume, LATEST  # `run --resume recipe.yaml`
    document = document_at(recipe) if recipe is not None else _of_earlier(resume, ledger)
    if (other := _of_another_tool(document)) is not None:
        note(f"{document.path}: not run, because it is a configuration of {other}; this command trains recipes")
        note(f"write it as one, and look at what is left out: recipeforge convert --to recipeforge {recipe} -o run.recipe.yaml")
        return BAD_USE
    if address is not None and engine != "ray":
        raise click.UsageError("--address goes with --engine ray")
    engine, processes = _engine(engine, processes, port, resume, ledger)
    report = judged_here(document, repairs=True, devices=processes)
    if report.loadout is None or (report.verdict.kind != "valid" and not force):
        return _refused(report, look(color))
    plan = make_plan(load_catalog(), report.loadout, report.text)
    plan = plan if engine == "ray" else under(plan, engine, processes or int(plan.values["hardware.count"]), port)
    plan = saving_every(plan, save_every) if save_every else plan
    earlier = _earlier(resume, plan, ledger) if resume is not None else None
    if earlier is not None and earlier.state == "finished":
        note(f"{report.path}: run {earlier.id} is finished; there is nothing to go on with")
        return CLEAN
    terms = report.estimate.terms if report.estimate else None
    peak = _counted(report) if traced else None
    found = problems(plan, report.loadout, _resting(report), terms=terms, peak_bytes=peak, goes_on=earlier is not None)
    if address is not None:
        found = tuple(d for d in found if d.slug not in OF_THIS_MACHINE)
    if (dry_run or found) and lookable(plan, found):
        found = (*found, *_looked(plan, report.loadout))
    if dry_run and style == "json":
        told = [{"slug": d.slug, "message": d.message, "help": d.help} for d in found]
        write(json.dumps({"format": "recipeforge/plan/1", "plan": json.loads(plan.to_json()), "problems": told}) + "\n")
        return FINDINGS if found else CLEAN
    told = [d for d in report.diagnostics if d.severity == "warning" or (force and d.severity == "error")]
    told = [d for d in told if d.slug != _SAID_BY_ENGINE or engine != "torchrun"]
    _show((*told, *found), report, look(color), aside=not found)
    if dry_run or not (quiet or found):
        write(_plan_text(plan, report, look(color)), aside=not dry_run)
        _say_if_tight(plan, report)
    if found:
        note(f"{report.path}: cannot run here, for {len(found)} {'reason' if len(found) == 1 else 'reasons'}")
        return FINDINGS
    on_ray = (address,) if engine == "ray" else None
    return CLEAN if dry_run else _carry_out(plan, report, ledger, style, quiet, earlier, smoke, on_ray)


def _engine(engine: str | None, processes: int | None, port: int | None, resume: str | None, ledger: Path | None) -> tuple[str, int | None]:
    """Return engine and number of processes: those that are asked for, or those of the run, named by its id, that goes on."""
    if engine != "torchrun" and (processes is not None or port is not None):
        raise click.UsageError("--processes and --port go with --engine torchrun: elsewhere one process trains")
    if engine is None and resume not in (None, LATEST):
        from recipeforge.runner.ledger import Ledger
        from recipeforge.runner.resume import named, plan_of

        with Ledger(ledger) as book:
            book.close_lost()
            then = plan_of(named(book, resume))
        if then is not None and then.engine != "in-process":
            return then.engine, then.processes
    return engine or "in-process", processes


def _say_if_tight(plan: Plan, report: Report) -> None:
    """Say where main memory has less room than the estimate; no refusal, since it is made for a GPU's allocator."""
    from recipeforge.runner.room import free_memory

    free = free_memory() if str(plan.values.get("hardware.gpu", "")).lower() == "cpu" else None
    if free is not None and report.estimate is not None and report.estimate.total > free:
        note(f"note: the estimate of the peak is {_gib(report.estimate.total)} GiB, and {_gib(free)} GiB of main memory are free")


def _counted(report: Report) -> int | None:
    """Return the peak of a step by counting it; what stands in the way of that is said on standard error."""
    from recipeforge.api import loaded
    from recipeforge.cli.estimate import traced

    _, loadout, catalog = loaded(report.text, {})
    counted = traced(report.path, report.text, loadout, catalog)
    if counted is not None:
        note(f"{report.path}: a step of the model's own code takes {_gib(counted.total)} GiB at its peak")
    return counted.total if counted is not None else None


def _looked(plan: Plan, loadout: Loadout) -> list[Diagnostic]:
    """Return what stands in the way by the model's own tokenizer; a run itself looks at that before it loads the model."""
    from recipeforge.runner.preflight import told_by_the_child
    from recipeforge.runner.run_child import look as look_at

    found: list[Diagnostic] = []

    def hear(message: Message) -> None:
        if message.kind == "problem":
            found.append(told_by_the_child(message.fields, loadout))
        elif message.kind == "note":
            note(f"note: {message['text']}")

    look_at(plan, hear)
    return found


def _of_earlier(resume: str | None, ledger: Path | None) -> Document:
    """Return the recipe of an earlier run, as it was."""
    from recipeforge.documents.parse import parse
    from recipeforge.runner.ledger import Ledger
    from recipeforge.runner.resume import named, plan_of

    if resume is None:
        raise click.UsageError("name a recipe, or with --resume ID a run to go on with")
    with Ledger(ledger) as book:
        book.close_lost()
        run = named(book, "last" if resume == LATEST else resume)
        text = book.recipe_text(run.id)
    plan = plan_of(run)
    return parse(text, str(Path(plan.folder) / Path(run.recipe_path).name) if plan else run.recipe_path)


def _earlier(resume: str, plan: Plan, ledger: Path | None) -> Run | None:
    """Return the run to go on with; `None` where there is none and none was named: then it begins."""
    from recipeforge.runner.ledger import Ledger
    from recipeforge.runner.resume import differences, must_match, named, newest, plan_of

    with Ledger(ledger) as book:
        book.close_lost()
        run = newest(book, plan) if resume == LATEST else named(book, resume)
    if run is not None and run.state == "finished" and resume == LATEST and differences(plan_of(run) or plan, plan):
        run = None  # what was finished was another recipe
    if run is None:
        note(f"{plan.recipe_path}: there is no earlier run to go on with, so this is the first one")
    else:
        must_match(run, plan)
    return run


def _of_another_tool(document: Document) -> str | None:
    """Return the name of the tool whose configuration a document is; `None` for a recipe."""
    from recipeforge.documents.dialects.dialect import dialect_of

    dialect = dialect_of(document)
    return dialect.title if dialect is not None else None


def _resting(report: Report) -> int:
    """Return what the run holds on its device from first step to last, bytes; 0 without an estimate."""
    terms = report.estimate.terms if report.estimate else {}
    return sum(terms.get(name, 0) for name in ("weights", "adapter", "optimizer"))


def _refused(report: Report, screen: Look) -> int:
    """Say why the recipe is not run, and the cheapest way out."""
    from recipeforge.cli.exits import exit_code
    from recipeforge.render.repairs import render_repairs
    from recipeforge.render.text import render_report

    write(render_report(report, screen))
    if report.repairs:
        write("\nThe cheapest repair:\n\n" + render_repairs(report.text, report.repairs[:1], screen))
    note(f"{report.path}: not run, because it is {report.verdict.kind}")
    return UNDECIDED if report.verdict.kind == "undecided" else exit_code([report]) or FINDINGS


def _show(found: Sequence[Diagnostic], report: Report, screen: Look, *, aside: bool) -> None:
    from recipeforge.documents.lines import LineIndex
    from recipeforge.render.text import render_diagnostic

    lines = LineIndex(report.text)
    for diagnostic in found:
        write(render_diagnostic(diagnostic, report, lines, screen) + "\n", aside=aside)


def _plan_text(plan: Plan, report: Report, screen: Look) -> str:
    """Return what will be done, with what, and how much memory it should take."""
    out = [screen.paint("message", f"{plan.name}: plan")]
    out += [f"  {title:<13} {sentence}" for title, sentence in plan.steps]
    out += [f"  {'seed':<13} {plan.seed}", f"  {'output':<13} {plan.output or 'a folder of the run beside the ledger'}"]
    have = [f"{need.name} {need.installed or screen.paint('error', 'missing')}" for need in plan.packages]
    out.append(f"  {'packages':<13} {', '.join(have)}")
    if report.estimate is not None:
        terms = ", ".join(f"{name} {_gib(size)}" for name, size in report.estimate.terms.items() if size)
        out.append(f"  {'memory':<13} about {_gib(report.estimate.total)} GiB at the peak: {terms}")
    return "\n".join([*out, ""])


def _carry_out(
    plan: Plan,
    report: Report,
    ledger: Path | None,
    style: str,
    quiet: bool,
    earlier: Run | None,
    smoke: bool,
    on_ray: tuple[str | None] | None,
) -> int:
    """Train, tell how it ended, and return the exit code. `on_ray`: the address of a Ray cluster; `(None,)` starts one."""
    from recipeforge.cli.progress import Progress
    from recipeforge.runner.ledger import Ledger
    from recipeforge.runner.run_child import run

    estimate = report.estimate.total if report.estimate else None
    with Ledger(ledger) as book:
        book.close_lost()
        hear = Progress(sys.stderr, quiet)
        if on_ray is not None:
            from recipeforge.runner.engines.ray_cluster import Cluster, Work

            with Cluster(*on_ray).entered() as cluster:
                (row,) = cluster.run([Work(plan, report.text, estimate, earlier, smoke)], book, lambda _, message: hear(message))
        else:
            row = run(plan, report.text, book, estimate, hear, earlier=earlier, smoke=smoke)
    if style == "json":
        write(json.dumps({"format": "recipeforge/run/1", "run": dataclasses.asdict(row)}) + "\n")
    else:
        write(_row_text(row) + "\n")
    if row.state == "finished" and not row.smoke and (said := _speed_said(report, row)):
        note(said)
    if row.cause == "out-of-memory":
        _ways_out(report)
    elif row.state != "finished" and row.cause not in ("not-finite", "data") and row.folder and not quiet:
        note(f"`recipeforge run --resume {row.id}` goes on from its last checkpoint, or from the beginning where there is none")
    return ENDINGS[row.state]


def _ways_out(report: Report) -> None:
    """After a run went out of memory, say what would take less: by the solver where it knows how much the run takes."""
    from recipeforge.api.running import lighter
    from recipeforge.render.repairs import render_repairs

    found = lighter(report)
    if found:
        note(f"The cheapest change that takes a fifth less memory:\n\n{render_repairs(report.text, found)}")
    else:
        note("Take a smaller `batch.micro` with more `batch.accumulate`, `memory: gradient-checkpointing`, or shorter rows.")


def _speed_said(report: Report, row: Run) -> str:
    """Return in words that a run was much slower or faster than published runs of its kind; empty where it was not, or nobody knows."""
    from recipeforge.api import speed

    told, got = speed(report.text, gpu=None), row.metrics.get("tokens_per_second")
    if told is None or not got or row.hardware.get("device") == "cpu":
        return ""
    low, high = min(told.tokens_per_s), max(told.tokens_per_s)
    if low <= got <= high:
        return ""
    way = "slower" if got < low else "faster"
    return f"post-flight: {got:,.0f} tokens/s, {way} than the {low:,.0f} to {high:,.0f} that `recipeforge estimate` expects"


def _row_text(row: Run) -> str:
    from recipeforge.cli.runs import run_text

    return run_text(row)


def _gib(size: int) -> str:
    from recipeforge.render.summary import gib

    return gib(size)
