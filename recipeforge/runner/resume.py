"""Which run `--resume` means, and whether the recipe still is the one it was."""

from pathlib import Path

from recipeforge.runner.ledger import Ledger
from recipeforge.runner.plan import Plan
from recipeforge.schemas.errors import RunError
from recipeforge.schemas.run import Run

FREE = ("train.save_every", "train.log_every", "train.output", "budget.")
"""Knobs that may change between a run and its going on: they do not touch what is learnt."""
PLAN = "plan.json"


def named(ledger: Ledger, prefix: str) -> Run:
    """Return the run of the ledger that is meant.

    Raises:
        RunError: there is none, or several, or it cannot go on.
    """
    runs = ledger.find(prefix)
    if len(runs) != 1:
        said = f"{len(runs)} runs begin with `{prefix}`; write more of it" if runs else f"no run begins with `{prefix}`"
        raise RunError(f"{said}; `recipeforge runs list` shows them")
    return _able(runs[0])


def newest(ledger: Ledger, plan: Plan) -> Run | None:
    """Return the newest run of this recipe's file, finished or not; `None` where there is none.

    Raises:
        RunError: it is going on right now.
    """
    for run in ledger.runs():
        if not run.smoke and run.name == plan.name and (then := plan_of(run)) is not None and _file(then) == _file(plan):
            return run if run.state == "finished" else _able(run)
    return None


def _able(run: Run) -> Run:
    if run.state == "running":
        raise RunError(f"run {run.id} is going on right now; wait for its end, or interrupt it first")
    if run.smoke:
        raise RunError(f"run {run.id} was a smoke test and kept nothing to go on from")
    return run


def plan_of(run: Run) -> Plan | None:
    """Return the plan that a run was begun with; `None` where its folder is gone, or is another program's."""
    try:
        return Plan.from_json((Path(run.folder) / PLAN).read_text(encoding="utf-8")) if run.folder else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _file(plan: Plan) -> Path:
    return Path(plan.folder) / Path(plan.recipe_path).name


def must_match(run: Run, plan: Plan) -> None:
    """Refuse to go on with another recipe than the run was begun with: it would be neither the one nor the other.

    Raises:
        RunError: it is another, or what it was is not known any more.
    """
    then = plan_of(run)
    if then is None:
        raise RunError(f"run {run.id} cannot go on: its folder {run.folder or run.output} has no {PLAN} any more")
    if changed := differences(then, plan):
        told = "; ".join(f"{name}: {before} then, {now} now" for name, before, now in changed)
        raise RunError(f"the recipe is not the one of run {run.id} ({told}); undo that, or run it anew without --resume")


def differences(then: Plan, now: Plan) -> list[tuple[str, str, str]]:
    """Return what differs in a way that changes the training: name, before, now."""
    pairs = [("model", then.model.written, now.model.written), ("seed", then.seed, now.seed)]
    pairs += [("--engine", then.engine, now.engine), ("--processes", then.processes, now.processes)]
    pairs += [(slot, _listed(then.parts.get(slot)), _listed(now.parts.get(slot))) for slot in {**then.parts, **now.parts}]
    knobs = [knob for knob in {**then.values, **now.values} if not knob.startswith(FREE)]
    # A knob that only a newer program knows, with its default, changes nothing.
    known = [k for k in knobs if k in then.values or k in now.given]
    pairs += [(knob, then.values.get(knob), now.values.get(knob)) for knob in known]
    return [(name, str(a), str(b)) for name, a, b in pairs if a != b]


def _listed(ids: tuple[str, ...] | None) -> str:
    return ", ".join(ids or ()) or "nothing"
