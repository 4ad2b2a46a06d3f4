"""`recipeforge runs`: read the ledger."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recipeforge.cli.output import Listing, format_option, write
from recipeforge.cli.progress import HELD_OUT

if TYPE_CHECKING:
    from recipeforge.runner.ledger import Ledger
    from recipeforge.schemas.run import Run

_FORMAT = format_option("text", "json")
_LEDGER = click.option(
    "--ledger", type=click.Path(path_type=Path), help="SQLite file with the runs [RECIPEFORGE_LEDGER, runs/ledger.sqlite3]."
)


@click.group("runs", cls=Listing, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List, show and compare what was run."""
    if context.invoked_subcommand is None:
        context.invoke(list_runs, ledger=None, limit=20, style="text")


@command.command("list")
@_LEDGER
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Rows at most.")
@_FORMAT
def list_runs(ledger: Path | None, limit: int, style: str) -> None:
    """List runs, newest first."""
    with _opened(ledger) as book:
        runs = book.runs(limit)
    if style == "json":
        _print_json("recipeforge/runs/1", runs=[dataclasses.asdict(run) for run in runs])
        return
    if not runs:
        _print("no runs yet; `recipeforge run RECIPE` makes one")
        return
    header = ("id", "name", "state", "steps", "seconds", "held-out loss", "peak")
    rows = [
        (r.id, r.name, r.state + (" (smoke)" if r.smoke else ""), str(r.steps), f"{r.seconds:.1f}", _held_out(r, "heldout_loss"), _peak(r))
        for r in runs
    ]
    _print(_table([header, *rows]))


@command.command("show")
@click.argument("run_id", metavar="ID")
@_LEDGER
@_FORMAT
def show(run_id: str, ledger: Path | None, style: str) -> None:
    """Show one run. ID may be the beginning of one, or `last`."""
    with _opened(ledger) as book:
        run = _one(book, run_id)
        series, events, recipe = book.series(run.id), book.events(run.id), book.recipe_text(run.id)
    if style == "json":
        told = [dataclasses.asdict(event) for event in events]
        _print_json("recipeforge/run/1", run=dataclasses.asdict(run), series=series, events=told, recipe=recipe)
        return
    _print(run_text(run))
    losses = [f"{step}:{value:.3f}" for step, value in series.get("train_loss", ()) if value is not None]
    if losses:
        _print(f"  {'loss by step':<13} {' '.join(losses[-20:])}")
    for event in events:
        _print(f"  {event.at}  {event.kind:<10} {event.detail}")


@command.command("compare")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@_LEDGER
@_FORMAT
def compare(first: str, second: str, ledger: Path | None, style: str) -> None:
    """Show where two runs differ: recipes line by line, then versions, hardware and numbers."""
    with _opened(ledger) as book:
        a, b = _one(book, first), _one(book, second)
        recipes = book.recipe_text(a.id), book.recipe_text(b.id)
    facts = [(name, x, y) for name, x, y in _paired(a, b) if x != y]
    if style == "json":
        _print_json("recipeforge/compare/1", a=a.id, b=b.id, recipe=_diff(*recipes), differs={n: [x, y] for n, x, y in facts})
        return
    if not facts and recipes[0] == recipes[1]:
        _print(f"{a.id} and {b.id}: the same recipe, versions, hardware and numbers")
        return
    for line in _diff(*recipes):
        _print(line)
    _print(_table([("", a.id, b.id), *((name, x, y) for name, x, y in facts)]))


def run_text(run: Run) -> str:
    """Return one ledger row in words, the memory estimate next to what was measured."""
    fields = [
        ("state", run.state + (", a smoke test" if run.smoke else "") + (f": {run.message}" if run.message else "")),
        ("recipe", f"{run.recipe_path} (sha256 {run.recipe_sha256[:12]}), catalog {run.catalog_hash[:12]}, seed {run.seed}"),
        ("started", run.started),
        ("steps", f"{run.steps} in {run.seconds:.1f} s" + _speed(run)),
        *((f"held-out {words}", _held_out(run, name)) for name, words in HELD_OUT.items()),
        ("peak memory", _measured(run)),
        ("output", run.output),
        ("hardware", ", ".join(f"{name} {value}" for name, value in run.hardware.items())),
        ("versions", ", ".join(f"{name} {value}" for name, value in run.versions.items())),
    ]
    shown = [(name, value) for name, value in fields if value]
    width = max(13, *(len(name) for name, _ in shown))
    return "\n".join([f"{run.id}  {run.name}", *(f"  {name:<{width}} {value}" for name, value in shown)])


def _measured(run: Run) -> str:
    estimate = f"estimated {_gib(run.estimate_bytes)}" if run.estimate_bytes is not None else "no estimate"
    if run.peak_memory_bytes is None:
        return f"{estimate}, not measured"
    reserved = run.metrics.get("peak_reserved_bytes")
    kept = f" and {_gib(round(reserved))} reserved" if reserved else ""
    measured = f"{_gib(run.peak_memory_bytes)} measured ({run.peak_memory_kind}){kept}, {estimate}"
    return f"{measured}: {run.peak_memory_bytes / run.estimate_bytes:.2f} ×" if run.estimate_bytes else measured


def _held_out(run: Run, name: str) -> str:
    numbers = (run.metrics.get(f"{name}_before"), run.metrics.get(f"{name}_after"))
    return " → ".join(f"{number:.4f}" for number in numbers if number is not None)


def _speed(run: Run) -> str:
    speed = run.metrics.get("tokens_per_second")
    return f", {speed:.0f} tokens/s" if speed else ""


def _peak(run: Run) -> str:
    return _gib(run.peak_memory_bytes) if run.peak_memory_bytes is not None else ""


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"


def _paired(a: Run, b: Run) -> Iterable[tuple[str, str, str]]:
    """Yield every field of two runs side by side, nested ones by their own names."""
    ones, others = dataclasses.asdict(a), dataclasses.asdict(b)
    for name in ones:
        if name in ("id", "started", "output", "recipe_path"):
            continue
        if isinstance(ones[name], dict):
            for key in dict.fromkeys([*ones[name], *others[name]]):
                yield f"{name}.{key}", _shown(ones[name].get(key)), _shown(others[name].get(key))
        else:
            yield name, _shown(ones[name]), _shown(others[name])


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _diff(one: str, other: str) -> list[str]:
    import difflib

    return [line for line in difflib.ndiff(one.splitlines(), other.splitlines()) if line[0] in "+-"]


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _opened(path: Path | None) -> Ledger:
    """Open the ledger for reading; runs whose process is gone are closed first, so that no row claims to be running."""
    from recipeforge.runner.ledger import Ledger, default_path

    place = path or default_path()
    if not place.exists():
        raise click.ClickException(
            f"there is no ledger {place}; `recipeforge run` begins one, --ledger or RECIPEFORGE_LEDGER names another"
        )
    book = Ledger(place)
    book.close_lost()
    return book


def _one(book: Ledger, prefix: str) -> Run:
    found = book.find(prefix)
    if len(found) == 1:
        return found[0]
    if not found:
        raise click.ClickException(f"no run begins with `{prefix}`; `recipeforge runs list` shows them")
    raise click.ClickException(f"`{prefix}` begins {len(found)} runs: {', '.join(run.id for run in found[:5])}; write more of it")


def _print(text: str) -> None:
    write(text + "\n")


def _print_json(kind: str, **fields: Any) -> None:
    _print(json.dumps({"format": kind, **fields}, ensure_ascii=False))
