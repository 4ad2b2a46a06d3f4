"""The plan: everything a run will do, resolved and frozen before anything heavy is loaded."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from recipeforge.runner.packages import Need, distribution_of, merged
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.registry import Wishes
from recipeforge.runner.rows import PACKAGE, package_of
from recipeforge.runner.source import ModelSource, find_model
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.recipe import Scalar

_ALWAYS = (
    Need("torch", "computes, on whatever device there is", minimum="2.11"),
    Need("transformers", "brings the model's code, its tokenizer and the schedules", minimum="5.17"),
)
_GGUF = Need("gguf", "unpacks the model's GGUF weights", minimum="0.17")
DEFAULT_SEED = 0
IN_PROCESS = "in-process"


@dataclass(frozen=True)
class Plan:
    """A run to be. Plain data: it travels to the training process as JSON."""

    name: str
    recipe_path: str
    recipe_sha256: str
    catalog_hash: str
    folder: str
    """Where the recipe lies; relative paths in it start there."""
    seed: int
    model: ModelSource
    parts: Mapping[str, tuple[str, ...]]
    """Slot → component ids, defaults included."""
    values: Mapping[str, Scalar]
    """Knob → value, defaults included."""
    given: tuple[str, ...]
    """Knobs that the recipe itself sets."""
    steps: tuple[tuple[str, str], ...]
    """What will be done, in order: title and sentence."""
    packages: tuple[Need, ...]
    output: str | None
    """Folder the recipe names; `None`: one named after the run, beside the ledger."""
    engine: str = IN_PROCESS
    processes: int = 1
    """How many train together; the micro-batches of a step are dealt out among them."""
    port: int | None = None
    """Where they meet; `None`: any that is free."""

    @property
    def wishes(self) -> Wishes:
        """What the parts may look at."""
        return Wishes(self.parts, self.values, frozenset(self.given), self.folder)

    def part_in(self, slot: str) -> str:
        """The component that stands in a slot which never is empty."""
        return self.parts[slot][0]

    def to_json(self) -> str:
        """Serialise."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        raw["model"] = ModelSource(**raw["model"])
        raw["parts"] = {slot: tuple(ids) for slot, ids in raw["parts"].items()}
        raw["packages"] = tuple(Need(**need) for need in raw["packages"])
        raw["steps"] = tuple((title, sentence) for title, sentence in raw["steps"])
        return cls(**raw | {"given": tuple(raw["given"])})


def make_plan(catalog: Catalog, loadout: Loadout, text: str) -> Plan:
    """Resolve a loadout into a plan. It may still be impossible here: `preflight.problems` says so."""
    folder = Path(loadout.path).resolve().parent if loadout.path != "<text>" else Path.cwd()
    parts = {slot.id: loadout.components_in(slot.id) or ((slot.default,) if slot.default else ()) for slot in catalog.slots.values()}
    parts = {slot: ids for slot, ids in parts.items() if ids}
    values = {path: knob.default for path, knob in catalog.knobs.items() if knob.default is not None}
    values |= {setting.knob: setting.value for setting in loadout.settings}
    model = find_model(loadout.model, folder)
    output = values.get("train.output")
    return Plan(
        name=loadout.name or Path(loadout.path).stem,
        recipe_path=loadout.path,
        recipe_sha256=hashlib.sha256(text.encode()).hexdigest(),
        catalog_hash=catalog.hash,
        folder=str(folder),
        seed=loadout.seed if loadout.seed is not None else DEFAULT_SEED,
        model=model,
        parts=parts,
        values=values,
        given=tuple(setting.knob for setting in loadout.settings),
        steps=_steps(catalog, parts, values, model),
        packages=_packages(parts, values, model),
        output=str(Path(str(output)).absolute()) if output else None,
    )


def saving_every(plan: Plan, steps: int) -> Plan:
    """Return the plan with checkpoints at another interval; what is learnt stays the same."""
    return replace(plan, values={**plan.values, "train.save_every": steps})


def under(plan: Plan, engine: str, processes: int, port: int | None = None) -> Plan:
    """Return the plan carried out by an engine."""
    if engine == IN_PROCESS:
        return plan
    each = f"each takes {plan.values['batch.micro']} × {plan.values['batch.accumulate']} sequences of a step"
    step = ("processes", f"{processes} under {engine}; {each}")
    return replace(plan, engine=engine, processes=processes, port=port, steps=(*plan.steps, step))


def _packages(parts: Mapping[str, tuple[str, ...]], values: Mapping[str, Scalar], model: ModelSource) -> tuple[Need, ...]:
    needs = list(_ALWAYS)
    for component in (c for ids in parts.values() for c in ids):
        part = PARTS.get(component)
        needs += part.needs if part else ()
    if model.written.startswith(PACKAGE):
        needs.append(Need(distribution_of(model.written.removeprefix(PACKAGE)), "holds the model's weights", no_deps=True))
    if model.gguf_file:
        needs.append(_GGUF)
    source = values.get("data.source")
    if isinstance(source, str) and source.startswith(PACKAGE):
        needs.append(Need(distribution_of(package_of(source)[0]), "holds the data"))
    return merged(needs)


def _steps(
    catalog: Catalog, parts: Mapping[str, tuple[str, ...]], values: Mapping[str, Scalar], model: ModelSource
) -> tuple[tuple[str, str], ...]:
    steps = [("data", _data(values)), ("model", model.sentence)]
    for slot, ids in parts.items():
        for component in ids:
            part = PARTS.get(component)
            steps.append((catalog.slots[slot].title, part.does(values) if part else f"{component} (not implemented by the local engine)"))
    return (*steps, ("train", _loop(values)), ("evaluate", _evaluation(values)), ("save", "write the result, load it again, compare"))


def _data(v: Mapping[str, Scalar]) -> str:
    limit = f"{v['data.limit']} rows of " if "data.limit" in v else ""
    packed = "packed, rows kept apart" if v.get("data.packing") else "one row a sequence"
    what = f"{v.get('data.source', '(none named)')} as {v.get('data.format', '(no format)')}"
    return f"{limit}{what}, {v['data.sequence_length']} tokens, {packed}"


def _loop(v: Mapping[str, Scalar]) -> str:
    length = f"{v['train.steps']} steps" if "train.steps" in v else f"{v.get('train.epochs', '?')} epochs"
    clip = f", gradients clipped at {v['train.gradient_clip']:g}" if v.get("train.gradient_clip") else ""
    return f"{length} of {v['batch.micro']} × {v['batch.accumulate']} sequences{clip}"


def _evaluation(v: Mapping[str, Scalar]) -> str:
    share = float(v.get("data.validation", 0))
    if not share:
        return "nothing: no rows are held out (`data.validation`)"
    during = {"none": "", "steps": f", every {v.get('eval.every', '?')} steps", "epoch": ", after every epoch"}[str(v["eval.strategy"])]
    return f"loss on {share:.0%} held-out rows before and after{during}"
