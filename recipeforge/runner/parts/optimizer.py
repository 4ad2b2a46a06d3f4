"""Optimizer parts. `build(model, values) -> tuple of torch optimizers`, stepped together, each with the same schedule.

Weight decay is applied to matrices only, never to biases, norms or other vectors.
"""

from collections.abc import Iterable
from typing import Any

from recipeforge.runner.packages import Need
from recipeforge.runner.parts.ends import weights_at_ends
from recipeforge.runner.parts.quantization import BITSANDBYTES
from recipeforge.runner.parts.registry import Objection, Part, Values, Wishes, reads
from recipeforge.schemas.errors import RunError

SCHEDULE_FREE = Need("schedulefree", "brings schedule-free AdamW", minimum="1.4")
TORCH_WITH_MUON = Need("torch", "has the Muon optimizer", minimum="2.9")


def decayed_groups(parameters: Iterable[Any], values: Values) -> list[dict[str, Any]]:
    """Two groups: matrices with weight decay, the rest without."""
    trainable = [p for p in parameters if p.requires_grad]
    decay = float(values["optimizer.weight_decay"])
    parts = ([p for p in trainable if p.ndim >= 2], decay), ([p for p in trainable if p.ndim < 2], 0.0)
    return [{"params": list(params), "weight_decay": wd} for params, wd in parts if params]


def rate_of(values: Values) -> float:
    """Return the recipe's learning rate."""
    return float(values["optimizer.learning_rate"])


def options_of(values: Values, betas: tuple[float, ...] | None = None, epsilon: bool = False) -> dict[str, Any]:
    """Betas and epsilon that the recipe sets; what it leaves open stays the library's default."""
    options: dict[str, Any] = {}
    if betas and ("optimizer.beta1" in values or "optimizer.beta2" in values):
        first, second, *more = betas
        options["betas"] = (float(values.get("optimizer.beta1", first)), float(values.get("optimizer.beta2", second)), *more)
    if epsilon and "optimizer.epsilon" in values:
        options["eps"] = float(values["optimizer.epsilon"])
    return options


def adamw(model: Any, values: Values) -> tuple[Any, ...]:
    """torch's AdamW."""
    groups = decayed_groups(model.parameters(), values)
    return (_adamw(groups, lr=rate_of(values), **options_of(values, (0.9, 0.999), epsilon=True)),)


def _adamw(groups: list[dict[str, Any]], **options: Any) -> Any:
    """On a GPU the fused kernel: the default one holds one more number a weight during its step."""
    import torch

    if all(p.is_cuda for group in groups for p in group["params"]):
        options["fused"] = True
    return torch.optim.AdamW(groups, **options)


def sgd(model: Any, values: Values) -> tuple[Any, ...]:
    """torch's SGD, with momentum where the recipe asks for it."""
    import torch

    momentum = float(values.get("optimizer.momentum", 0.0))
    return (torch.optim.SGD(decayed_groups(model.parameters(), values), lr=rate_of(values), momentum=momentum),)


def adafactor(model: Any, values: Values) -> tuple[Any, ...]:
    """transformers' Adafactor at the recipe's learning rate: no relative step, no parameter scaling."""
    from transformers.optimization import Adafactor

    options: dict[str, Any] = {"beta1": float(values["optimizer.beta1"])} if "optimizer.beta1" in values else {}
    groups = decayed_groups(model.parameters(), values)
    return (Adafactor(groups, lr=rate_of(values), scale_parameter=False, relative_step=False, warmup_init=False, **options),)


def _bitsandbytes(class_name: str, betas: tuple[float, ...], epsilon: bool = True):
    def build(model: Any, values: Values) -> tuple[Any, ...]:
        import bitsandbytes

        kind = getattr(bitsandbytes.optim, class_name)
        return (kind(decayed_groups(model.parameters(), values), lr=rate_of(values), **options_of(values, betas, epsilon)),)

    return build


def muon(model: Any, values: Values) -> tuple[Any, ...]:
    """torch's Muon for hidden matrices, the auxiliary optimizer for everything else.

    Muon's update is rescaled to AdamW's size (`match_rms_adamw`), so that both take the recipe's one learning rate.
    """
    import torch

    ends = weights_at_ends(model)
    trainable = [(p, p.ndim == 2 and id(p) not in ends) for p in model.parameters() if p.requires_grad]
    hidden, rest = [p for p, ours in trainable if ours], [p for p, ours in trainable if not ours]
    momentum = float(values.get("optimizer.momentum", 0.95))
    decay = float(values["optimizer.weight_decay"])
    built: list[Any] = []
    if hidden:
        built.append(torch.optim.Muon(hidden, lr=rate_of(values), weight_decay=decay, momentum=momentum, adjust_lr_fn="match_rms_adamw"))
    if rest:
        auxiliary = values.get("optimizer.auxiliary")
        if auxiliary is None:
            raise RunError(f"Muon cannot take {len(rest)} embeddings, norms or biases; say `auxiliary: adamw` under `optimizer`")
        built.append(_auxiliary(str(auxiliary), decayed_groups(rest, values), rate_of(values)))
    return tuple(built)


def schedule_free(model: Any, values: Values) -> tuple[Any, ...]:
    """schedulefree's AdamW, in training mode; the loop switches it to the averaged weights for measuring and saving."""
    from schedulefree import AdamWScheduleFree

    optimizer = AdamWScheduleFree(
        decayed_groups(model.parameters(), values), lr=rate_of(values), **options_of(values, (0.9, 0.999), epsilon=True)
    )
    optimizer.train()
    return (optimizer,)


def _auxiliary(name: str, groups: list[dict[str, Any]], rate: float) -> Any:
    if name == "adamw-8bit":
        from bitsandbytes.optim.adamw import AdamW8bit

        return AdamW8bit(groups, lr=rate)
    return _adamw(groups, lr=rate)


def _auxiliary_is_there(wishes: Wishes) -> Iterable[Objection]:
    if wishes.parts.get("technique") == ("full",) and "optimizer.auxiliary" not in wishes.values:
        yield Objection("muon", "Muon takes only hidden matrices; embeddings, norms and biases have no optimizer", "add `auxiliary: adamw`")
    if wishes.values.get("optimizer.auxiliary") == "adamw-8bit" and BITSANDBYTES.installed is None:
        yield Objection("optimizer.auxiliary", "AdamW 8-bit needs bitsandbytes, which is not installed", BITSANDBYTES.pip)


def _sentence(name: str):
    return lambda v: f"{name}, learning rate {float(v['optimizer.learning_rate']):g}, weight decay {float(v['optimizer.weight_decay']):g}"


def optimizer_part(
    component: str,
    name: str,
    build: Any,
    *knobs: str,
    needs: tuple[Need, ...] = (),
    objections: Any = lambda wishes: (),
    untested: str = "",
) -> Part:
    """Return an optimizer's part: its rate and weight decay, and the `knobs` of its own."""
    honoured = reads("optimizer", "learning_rate", "weight_decay", *knobs, own_param_groups=(False,))
    return Part(component, "optimizer", build, _sentence(name), honoured, needs, objections=objections, untested=untested)


_ADAM = ("beta1", "beta2", "epsilon")
_BNB = (BITSANDBYTES,)
PARTS = (
    optimizer_part("adamw", "AdamW", adamw, *_ADAM),
    optimizer_part("sgd", "SGD", sgd, "momentum"),
    optimizer_part("adafactor", "Adafactor without relative steps", adafactor, "beta1"),
    optimizer_part("adamw-8bit", "AdamW with 8-bit states", _bitsandbytes("AdamW8bit", (0.9, 0.999)), *_ADAM, needs=_BNB),
    optimizer_part("paged-adamw-8bit", "AdamW with paged 8-bit states", _bitsandbytes("PagedAdamW8bit", (0.9, 0.999)), *_ADAM, needs=_BNB),
    optimizer_part(
        "lion-8bit", "Lion with 8-bit states", _bitsandbytes("Lion8bit", (0.9, 0.99), epsilon=False), "beta1", "beta2", needs=_BNB
    ),
    optimizer_part("ademamix-8bit", "AdEMAMix with 8-bit states", _bitsandbytes("AdEMAMix8bit", (0.9, 0.999, 0.9999)), *_ADAM, needs=_BNB),
    optimizer_part("schedule-free-adamw", "schedule-free AdamW", schedule_free, *_ADAM, needs=(SCHEDULE_FREE,)),
    optimizer_part("muon", "Muon", muon, "momentum", "auxiliary", needs=(TORCH_WITH_MUON,), objections=_auxiliary_is_there),
)
