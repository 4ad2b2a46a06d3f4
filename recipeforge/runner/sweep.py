"""A grid over one recipe: its points as recipes of their own, and what of them was run already. Imports no torch.

A grid is YAML:

    recipe: base.yaml              # relative to the grid's file
    grid:
      technique: [lora, dora]      # a slot: another component
      optimizer.learning_rate: [1.0e-4, 2.0e-4]
      seed: [1, 2]
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from recipeforge.runner.ledger import Ledger
from recipeforge.runner.plan import Plan
from recipeforge.runner.resume import differences, plan_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.errors import RunError
from recipeforge.schemas.run import Run

_WHOLE = ("model", "seed", "framework")
"""Keys of a recipe, besides slots, that are values and no groups of knobs."""
Axes = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Point:
    """One recipe of a grid."""

    name: str
    values: Mapping[str, Any]
    """Axis → value."""
    text: str
    path: str
    """Where the recipe would lie, beside the one that it is made from: files that it names are looked up from there."""


@dataclass(frozen=True)
class Grid:
    """What a grid's file says."""

    name: str
    recipe: Path
    axes: Axes

    @property
    def size(self) -> int:
        """How many points it has."""
        size = 1
        for values in self.axes.values():
            size *= len(values)
        return size


def read_grid(path: Path, catalog: Catalog) -> Grid:
    """Read a grid.

    Raises:
        RunError: it is none; the message says where.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("recipe"), str) or not isinstance(raw.get("grid"), dict):
        raise RunError(f"{path} is no grid; it wants `recipe: FILE` and `grid:` with a list of values for each axis")
    if odd := sorted(str(key) for key in raw.keys() - {"recipe", "grid"}):
        raise RunError(f"{path}: `{odd[0]}` is not known; a grid has `recipe` and `grid`")
    axes: dict[str, Sequence[Any]] = {}
    for axis, values in raw["grid"].items():
        if axis not in catalog.slots and axis not in catalog.knobs and axis not in _WHOLE:
            raise RunError(f"{path}: `{axis}` is neither a slot nor a knob of a recipe")
        if not isinstance(values, list) or not values:
            raise RunError(f"{path}: `{axis}` wants a list of values")
        if len({yaml.safe_dump(value) for value in values}) < len(values):
            raise RunError(f"{path}: `{axis}` has a value twice")
        axes[axis] = values
    return Grid(path.stem, path.parent / raw["recipe"], axes)


def points(grid: Grid, catalog: Catalog) -> Iterator[Point]:
    """Yield every point of a grid, in the order of its axes.

    Raises:
        RunError: the recipe cannot be read.
    """
    try:
        base = yaml.safe_load(grid.recipe.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{grid.recipe} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunError(f"{grid.recipe} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(base, dict) or "recipeforge" not in base:
        raise RunError(f"{grid.recipe} is no recipe of our own; `recipeforge convert` makes one of another tool's file")
    for number, chosen in enumerate(itertools.product(*grid.axes.values()), start=1):
        values = dict(zip(grid.axes, chosen, strict=True))
        recipe = {key: dict(value) if isinstance(value, dict) else value for key, value in base.items()}
        # Components first: a knob belongs to the one that is there afterwards.
        for axis in sorted(values, key=lambda a: "." in a):
            _set(recipe, axis, values[axis], catalog)
        name = f"{grid.name}-{number:0{len(str(grid.size))}}"
        recipe["name"] = name
        if isinstance(train := recipe.get("train"), dict) and train.get("output"):
            recipe["train"] = {**train, "output": str(Path(str(train["output"])) / name)}  # a folder of its own
        text = yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)
        yield Point(name, values, text, str(grid.recipe.parent / f"{name}.yaml"))


def _set(recipe: dict[str, Any], axis: str, value: Any, catalog: Catalog) -> None:
    group, _, knob = axis.partition(".")
    if not knob:
        kept = _knobs_that_stay(recipe.get(group), group, value, catalog) if isinstance(value, str) else {}
        if value is None:
            recipe.pop(group, None)
        else:
            recipe[group] = {"use": value, **kept} if kept else value
        return
    there = recipe.get(group)
    if group in catalog.slots:
        held = there if there is not None else catalog.slots[group].default
        if held is None or isinstance(held, list):
            raise RunError(f"`{axis}`: {group} holds {'several components' if held else 'nothing'}; give its components as an axis instead")
        there = dict(held) if isinstance(held, dict) else {"use": held}
    recipe[group] = {**(there or {}), knob: value}


def _knobs_that_stay(there: Any, slot: str, component: str, catalog: Catalog) -> dict[str, Any]:
    """Return the knobs in a slot that the component which comes into it has, too."""
    if not isinstance(there, dict) or slot not in catalog.slots:
        return {}
    known = {name: catalog.knobs.get(f"{slot}.{name}") for name in there if name != "use"}
    return {n: there[n] for n, knob in known.items() if knob is not None and (not knob.components or component in knob.components)}


def earlier_run(ledger: Ledger, plan: Plan) -> Run | None:
    """Return the newest run of a point, of this very recipe; `None`: it was never begun.

    Raises:
        RunError: it is going on right now.
    """
    for run in ledger.runs():
        if run.smoke or run.name != plan.name or (then := plan_of(run)) is None:
            continue
        if then.folder != plan.folder or differences(then, plan):
            continue
        if run.state == "running":
            raise RunError(f"run {run.id} of {plan.name} is going on right now; wait for its end, or interrupt it first")
        return run
    return None
