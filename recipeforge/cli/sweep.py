"""`recipeforge sweep`: the points of a grid that can run, one after the other."""

from __future__ import annotations

import collections
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recipeforge.cli.exits import CLEAN, FINDINGS, INTERRUPTED
from recipeforge.cli.output import format_option, note, write

if TYPE_CHECKING:
    from recipeforge.api import Report
    from recipeforge.runner.ledger import Ledger
    from recipeforge.runner.plan import Plan
    from recipeforge.runner.sweep import Point
    from recipeforge.schemas.run import Run


@dataclasses.dataclass(frozen=True)
class Judged:
    """A point, and whether it will be run."""

    point: Point
    report: Report
    plan: Plan | None
    """`None`: it is not run."""
    reasons: tuple[tuple[str, str], ...] = ()
    """Why not: rules as code and slug, or what this machine lacks as slug and message."""
    pruned: bool = False
    """By the rules, and not only here."""


@click.command("sweep")
@click.argument("grid", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say which points would run, and stop.")
@click.option("--smoke", is_flag=True, help="Two steps of each point, nothing kept but rows of the ledger.")
@click.option("--retry", is_flag=True, help="Run points again that failed before.")
@click.option(
    "--engine", type=click.Choice(("in-process", "ray")), default="in-process", help="One after the other here, or a Ray cluster."
)
@click.option("--address", metavar="HOST:PORT", help="With --engine ray: a cluster that is there [one is started here, and stopped].")
@click.option("--cpus", type=click.IntRange(1), default=1, show_default=True, help="With --engine ray: cores that each run takes.")
@click.option("--ledger", type=click.Path(path_type=Path), help="SQLite file for the runs' rows [RECIPEFORGE_LEDGER, runs/ledger.sqlite3].")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@format_option("text", "json")
def command(
    grid: Path,
    dry_run: bool,
    smoke: bool,
    retry: bool,
    engine: str,
    address: str | None,
    cpus: int,
    ledger: Path | None,
    quiet: bool,
    style: str,
) -> int:
    """Run the points of GRID that satisfy the rules, and compare them.

    GRID is YAML: `recipe:` names a recipe, `grid:` gives lists of values to slots (`technique`), knobs (`optimizer.learning_rate`) or
    `seed`. What the rules forbid is pruned before anything starts, with the rules' names.

    A sweep that ended early goes on where it was: points that finished are not run again, and one that was interrupted goes on from its
    last checkpoint.

    --engine ray runs as many at once as the cluster has room for, one that fails leaves the others alone, and all rows come to this
    ledger. Machines of a cluster need recipe, data and output at the same paths.

    Leaves with 0 when every point that can run finished, 1 when one failed or none can run, 130 when it was interrupted.
    """
    from recipeforge.catalog.load import load
    from recipeforge.runner.sweep import points, read_grid

    if address is not None and engine != "ray":
        raise click.UsageError("--address goes with --engine ray")
    catalog = load()
    read = read_grid(grid, catalog)
    judged = [_judge(point, elsewhere=address is not None) for point in points(read, catalog)]
    able = [j for j in judged if j.plan is not None]
    write(_counts(judged) + "\n", aside=style == "json")
    ended: dict[str, Run] = {}
    interrupted = False
    if engine == "ray" and able and not dry_run:
        ended, interrupted = _on_cluster(able, ledger, address, cpus, quiet=quiet, smoke=smoke, retry=retry)
        if interrupted:
            note(f"interrupted; `recipeforge sweep {grid} --engine ray` goes on from here")
    elif not dry_run:
        for number, one in enumerate(able, start=1):
            if not quiet:
                note(f"{one.point.name} ({number} of {len(able)}): {_values(one.point)}")
            ended[one.point.name] = run = _run(one, ledger, quiet=quiet, smoke=smoke, retry=retry)
            if run.state == "interrupted":
                interrupted = True
                note(f"interrupted; `recipeforge sweep {grid}` goes on from here")
                break
    if style == "json":
        write(json.dumps({"format": "recipeforge/sweep/1", "points": [_told(j, ended) for j in judged]}, ensure_ascii=False) + "\n")
    elif ended:
        write("\n" + _table([one for one in able if one.point.name in ended], ended) + "\n")
    if interrupted:
        return INTERRUPTED
    return CLEAN if able and all(run.state == "finished" for run in ended.values()) else FINDINGS


def _judge(point: Point, *, elsewhere: bool = False) -> Judged:
    from recipeforge.api.running import judged_here
    from recipeforge.catalog.load import load
    from recipeforge.documents.parse import parse
    from recipeforge.runner.plan import make_plan
    from recipeforge.runner.preflight import OF_THIS_MACHINE, problems

    report = judged_here(parse(point.text, point.path))
    if report.loadout is None or report.verdict.kind != "valid":
        errors = tuple((d.code, d.slug) for d in report.diagnostics if d.severity == "error")
        return Judged(point, report, None, errors or ((report.verdict.kind, report.verdict.spent),), pruned=True)
    plan = make_plan(load(), report.loadout, report.text)
    found = problems(plan, report.loadout, goes_on=True)
    if elsewhere:
        found = tuple(d for d in found if d.slug not in OF_THIS_MACHINE)
    return Judged(point, report, None if found else plan, tuple((d.slug, d.message) for d in found))


def _counts(judged: Sequence[Judged]) -> str:
    """Say how many points run, and what keeps the others."""
    lines = [f"{len(judged)} points, {sum(j.plan is not None for j in judged)} of them can run"]
    for pruned, what in ((True, "pruned by the rules"), (False, "cannot run here")):
        some = [j for j in judged if j.plan is None and j.pruned == pruned]
        if some:
            lines.append(f"{len(some)} {what}:")
            why = collections.Counter(reason for j in some for reason in dict.fromkeys(j.reasons))
            lines += [f"  {count:>4} × {name} {text}" for (name, text), count in why.most_common()]
    return "\n".join(lines)


def _on_cluster(
    able: Sequence[Judged], ledger: Path | None, address: str | None, cpus: int, *, quiet: bool, smoke: bool, retry: bool
) -> tuple[dict[str, Run], bool]:
    """Run points on a Ray cluster; return the rows by point, and whether someone asked for the end."""
    from recipeforge.cli.progress import Progress
    from recipeforge.runner.engines.ray_cluster import Cluster, Work
    from recipeforge.runner.ledger import Ledger

    ended: dict[str, Run] = {}
    works: dict[str, Work] = {}
    with Ledger(ledger) as book:
        book.close_lost()
        for one in able:
            assert one.plan is not None
            earlier = None if smoke else _earlier(book, one.plan, retry)
            if earlier is not None and earlier.state != "interrupted":
                note(f"{one.point.name}: {earlier.state} before, as run {earlier.id}")
                ended[one.point.name] = earlier
            else:
                estimate = one.report.estimate.total if one.report.estimate else None
                works[one.point.name] = Work(one.plan, one.point.text, estimate, earlier, smoke)
        if not works:
            return ended, False
        told = {name: Progress(sys.stderr, quiet, name) for name in works}
        with Cluster(address, cpus).entered() as cluster:
            rows = cluster.run(list(works.values()), book, lambda work, message: told[work.plan.name](message))
    return ended | {row.name: row for row in rows}, cluster.interrupted


def _run(one: Judged, ledger: Path | None, *, quiet: bool, smoke: bool, retry: bool) -> Run:
    from recipeforge.cli.progress import Progress
    from recipeforge.runner.ledger import Ledger
    from recipeforge.runner.run_child import run

    assert one.plan is not None
    estimate = one.report.estimate.total if one.report.estimate else None
    with Ledger(ledger) as book:
        book.close_lost()
        earlier = None if smoke else _earlier(book, one.plan, retry)
        if earlier is not None and earlier.state != "interrupted":
            note(f"  {earlier.state} before, as run {earlier.id}")
            return earlier
        return run(one.plan, one.point.text, book, estimate, Progress(sys.stderr, quiet), earlier=earlier, smoke=smoke)


def _earlier(book: Ledger, plan: Plan, retry: bool) -> Run | None:
    from recipeforge.runner.sweep import earlier_run

    run = earlier_run(book, plan)
    return None if run is not None and run.state == "failed" and (retry or run.cause == "killed") else run


def _told(one: Judged, ended: dict[str, Run]) -> dict[str, object]:
    run = ended.get(one.point.name)
    reasons = [{"name": name, "text": text} for name, text in one.reasons]
    state = run.state if run else "pruned" if one.pruned else "refused" if one.plan is None else "not run"
    told: dict[str, object] = {"name": one.point.name, "values": dict(one.point.values), "state": state, "reasons": reasons}
    return told | {"run": dataclasses.asdict(run) if run else None}


def _values(point: Point) -> str:
    return ", ".join(f"{axis} {_shown(value)}" for axis, value in point.values.items())


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(v) for v in value) or "-"
    return "-" if value is None else str(value)


def _table(able: Sequence[Judged], ended: dict[str, Run]) -> str:
    """Return the runs, best first: by held-out loss, else by the last training loss."""
    axes = list(able[0].point.values)
    ordered = sorted(able, key=lambda one: _rank(ended[one.point.name]))
    rows: list[tuple[str, ...]] = [("", *axes, "state", "held-out loss", "last loss", "tokens/s", "seconds", "run")]
    for one in ordered:
        run = ended[one.point.name]
        numbers = [
            _number(run, name, form)
            for name, form in (("heldout_loss_after", ".4f"), ("train_loss_last", ".4f"), ("tokens_per_second", ".0f"))
        ]
        rows.append((one.point.name, *(_shown(v) for v in one.point.values.values()), run.state, *numbers, f"{run.seconds:.1f}", run.id))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _rank(run: Run) -> tuple[bool, float]:
    loss = run.metrics.get("heldout_loss_after", run.metrics.get("train_loss_last"))
    return (run.state != "finished" or loss is None, loss or 0.0)


def _number(run: Run, name: str, form: str) -> str:
    value = run.metrics.get(name)
    return "" if value is None else format(value, form)
