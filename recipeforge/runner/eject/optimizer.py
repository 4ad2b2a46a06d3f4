"""Optimizers and schedules."""

import json
import math

from recipeforge.runner.eject.pieces import Piece, Wanted, Writer, call, source

TORCH = "import torch"


def _build(how: str) -> str:
    return source(
        """
        def build_optimizers(model):
            <how>
        """,
        how=how,
    )


_GROUPS = source(
    """
    def with_decay_on_matrices(parameters):
        \"\"\"Weight decay for matrices alone, not for biases, norms or other vectors.\"\"\"
        trained = [p for p in parameters if p.requires_grad]
        groups = ([p for p in trained if p.ndim >= 2], WEIGHT_DECAY), ([p for p in trained if p.ndim < 2], 0.0)
        return [{"params": params, "weight_decay": decay} for params, decay in groups if params]
    """
)


def _constants(wanted: Wanted) -> tuple[tuple[str, str], ...]:
    return (("LEARNING_RATE", wanted.number("optimizer.learning_rate")), ("WEIGHT_DECAY", wanted.number("optimizer.weight_decay")))


def _one(name: str, *options: str) -> str:
    """Return `build_optimizers` with one optimizer in it."""
    return _build(f"groups = with_decay_on_matrices(model.parameters())\nreturn [{call(name, 'groups', *options)}]")


def _options(wanted: Wanted, betas: tuple[float, ...], epsilon: bool) -> list[str]:
    v, told = wanted.plan.values, list[str]()
    if betas and ("optimizer.beta1" in v or "optimizer.beta2" in v):
        first, second, *more = betas
        told.append(f"betas={(float(v.get('optimizer.beta1', first)), float(v.get('optimizer.beta2', second)), *more)!r}")
    if epsilon and "optimizer.epsilon" in v:
        told.append(f"eps={float(v['optimizer.epsilon'])!r}")
    return told


def _adam_like(name: str, imports: tuple[str, ...], betas: tuple[float, ...], epsilon: bool = True, more: tuple[str, ...] = ()) -> Writer:
    def write(wanted: Wanted) -> Piece:
        options = (*_options(wanted, betas, epsilon), *more)
        return Piece((_GROUPS, _one(name, "lr=LEARNING_RATE", *options)), imports, _constants(wanted))

    return write


_FUSED = 'fused=DEVICE == "cuda"'


def sgd(wanted: Wanted) -> Piece:
    """torch's SGD."""
    momentum = float(wanted.plan.values.get("optimizer.momentum", 0.0))
    body = _one("torch.optim.SGD", "lr=LEARNING_RATE", f"momentum={momentum!r}")
    return Piece((_GROUPS, body), (TORCH,), _constants(wanted))


def adafactor(wanted: Wanted) -> Piece:
    """transformers' Adafactor at one learning rate."""
    beta = [f"beta1={float(wanted.plan.values['optimizer.beta1'])!r}"] if "optimizer.beta1" in wanted.plan.values else []
    body = _one("Adafactor", "lr=LEARNING_RATE", "scale_parameter=False", "relative_step=False", "warmup_init=False", *beta)
    return Piece((_GROUPS, body), ("from transformers.optimization import Adafactor",), _constants(wanted))


def muon(wanted: Wanted) -> Piece:
    """torch's Muon for hidden matrices, another for the rest."""
    momentum = float(wanted.plan.values.get("optimizer.momentum", 0.95))
    small = wanted.plan.values.get("optimizer.auxiliary") == "adamw-8bit"
    other = "AdamW8bit(rest, lr=LEARNING_RATE)" if small else f"torch.optim.AdamW(rest, lr=LEARNING_RATE, {_FUSED})"
    body = _build(
        "ends = {id(m.weight) for m in (model.get_input_embeddings(), model.get_output_embeddings()) if m is not None}\n"
        "trained = [(p, p.ndim == 2 and id(p) not in ends) for p in model.parameters() if p.requires_grad]\n"
        "hidden, rest = [p for p, ours in trained if ours], [p for p, ours in trained if not ours]\n"
        "optimizers = []\n"
        "if hidden:  # updates as large as AdamW's, so that one learning rate serves both\n"
        f"    options = dict(weight_decay=WEIGHT_DECAY, momentum={momentum!r}, adjust_lr_fn='match_rms_adamw')\n".replace("'", '"')
        + "    optimizers.append(torch.optim.Muon(hidden, lr=LEARNING_RATE, **options))\n"
        "if rest:\n"
        "    rest = with_decay_on_matrices(rest)\n"
        f"    optimizers.append({other})\n"
        "return optimizers"
    )
    imports = (TORCH, "from bitsandbytes.optim.adamw import AdamW8bit") if small else (TORCH,)
    return Piece((_GROUPS, body), imports, _constants(wanted))


def schedule_free(wanted: Wanted) -> Piece:
    """schedulefree's AdamW, in training mode."""
    options = _options(wanted, (0.9, 0.999), epsilon=True)
    body = _build(
        "groups = with_decay_on_matrices(model.parameters())\n"
        f"optimizer = {call('AdamWScheduleFree', 'groups', 'lr=LEARNING_RATE', *options)}\n"
        "optimizer.train()  # before measuring and saving it is put into evaluation mode, which averages the weights\n"
        "return [optimizer]"
    )
    return Piece((_GROUPS, body), ("from schedulefree import AdamWScheduleFree",), _constants(wanted))


def _bitsandbytes(name: str, betas: tuple[float, ...], epsilon: bool = True) -> Writer:
    return _adam_like(f"bitsandbytes.optim.{name}", ("import bitsandbytes",), betas, epsilon)


OPTIMIZERS: dict[str, Writer] = {
    "adamw": _adam_like("torch.optim.AdamW", (TORCH,), (0.9, 0.999), more=(_FUSED,)),
    "sgd": sgd,
    "adafactor": adafactor,
    "adamw-8bit": _bitsandbytes("AdamW8bit", (0.9, 0.999)),
    "paged-adamw-8bit": _bitsandbytes("PagedAdamW8bit", (0.9, 0.999)),
    "lion-8bit": _bitsandbytes("Lion8bit", (0.9, 0.99), epsilon=False),
    "ademamix-8bit": _bitsandbytes("AdEMAMix8bit", (0.9, 0.999, 0.9999)),
    "schedule-free-adamw": schedule_free,
    "muon": muon,
}


def _schedule(name: str) -> Writer:
    def write(wanted: Wanted) -> Piece:
        v = wanted.plan.values
        if "scheduler.warmup_steps" in v:
            warmup = repr(int(v["scheduler.warmup_steps"]))
        else:
            ratio = float(v.get("scheduler.warmup_ratio", 0.0))
            warmup = f"math.ceil({ratio!r} * steps)" if ratio else "0"
        kind = "constant_with_warmup" if name == "constant" and warmup != "0" else name
        more = [f"scheduler_specific_kwargs={json.dumps(_SPECIFIC[name](wanted))}"] if name in _SPECIFIC else []
        told = call("get_scheduler", f'"{kind}"', "optimizer", f"num_warmup_steps={warmup}", "num_training_steps=steps", *more)
        imports = ("from transformers import get_scheduler", *(["import math"] if "math." in warmup else []))
        return Piece((_scheduler(f"return {told}"),), imports)

    return write


def _scheduler(how: str) -> str:
    return source(
        """
        def build_scheduler(optimizer, steps):
            <how>
        """,
        how=how,
    )


def _floor(wanted: Wanted) -> dict[str, float]:
    v = wanted.plan.values
    return {"min_lr": float(v["scheduler.min_lr"])} if "scheduler.min_lr" in v else {"min_lr_rate": float(v["scheduler.min_lr_ratio"])}


def _phases(wanted: Wanted) -> dict[str, int]:
    names = {"num_decay_steps": "scheduler.decay_steps", "num_stable_steps": "scheduler.stable_steps"}
    return {theirs: int(wanted.plan.values[ours]) for theirs, ours in names.items() if ours in wanted.plan.values}


_SPECIFIC = {
    "cosine_with_restarts": lambda wanted: {"num_cycles": int(wanted.plan.values["scheduler.cycles"])},
    "cosine_with_min_lr": _floor,
    "warmup_stable_decay": _phases,
}


def one_cycle(wanted: Wanted) -> Piece:
    """torch's OneCycleLR with its own defaults."""
    how = "return OneCycleLR(optimizer, max_lr=[group['lr'] for group in optimizer.param_groups], total_steps=steps)".replace("'", '"')
    return Piece((_scheduler(how),), ("from torch.optim.lr_scheduler import OneCycleLR",))


SCHEDULERS: dict[str, Writer] = {
    "constant": _schedule("constant"),
    "constant-with-warmup": _schedule("constant"),
    "linear": _schedule("linear"),
    "cosine": _schedule("cosine"),
    "cosine-restarts": _schedule("cosine_with_restarts"),
    "cosine-min-lr": _schedule("cosine_with_min_lr"),
    "polynomial": _schedule("polynomial"),
    "inverse-sqrt": _schedule("inverse_sqrt"),
    "wsd": _schedule("warmup_stable_decay"),
    "one-cycle": one_cycle,
}


def steps_of(wanted: Wanted) -> str:
    """Return the expression for the number of optimizer steps, where `lines` are the sequences."""
    v = wanted.plan.values
    if "train.steps" in v:
        return repr(int(v["train.steps"]))
    epochs = float(v.get("train.epochs", 0.0))
    whole = math.ceil(epochs) == epochs
    told = f"{int(epochs)}" if whole else repr(epochs)
    return f"max(1, math.ceil(math.ceil(len(lines) / MICRO) * {told} / ACCUMULATE))"
