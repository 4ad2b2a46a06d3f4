"""Learning rates of their own for some weights. `build(model, values, optimizers)`: split groups before they are scheduled."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from recipeforge.runner.parts.ends import weights_at_ends
from recipeforge.runner.parts.registry import Objection, Part, Values, Wishes, reads

_LAYER = re.compile(r"\.(?:layers|h|blocks)\.(\d+)\.")
_WITH_B_MATRICES = ("lora", "qlora", "rslora", "dora", "pissa", "olora", "loftq", "lora-fa")


def split(optimizers: Sequence[Any], factor: Callable[[Any], float]) -> None:
    """Give each weight the rate of its group times `factor(weight)`."""
    for optimizer in optimizers:
        for group in list(optimizer.param_groups):
            by: dict[float, list[Any]] = {}
            for parameter in group["params"]:
                by.setdefault(factor(parameter), []).append(parameter)
            rate = group["lr"]  # a tensor stays one: torchao asks for it
            first, *rest = sorted(by, key=lambda f: abs(f - 1))
            group["params"], group["lr"] = by[first], rate * first
            for other in rest:
                settings = {name: value for name, value in group.items() if name not in ("params", "lr")}
                optimizer.add_param_group({**settings, "params": by[other], "lr": rate * other})


def faster_b(model: Any, values: Values, optimizers: Sequence[Any]) -> None:
    """LoRA+: the B matrices at `ratio` times the rate."""
    ratio = float(values["lr_groups.ratio"])
    ids = {id(p) for name, p in model.named_parameters() if ".lora_B." in name or ".lora_embedding_B." in name}
    split(optimizers, lambda p: ratio if id(p) in ids else 1.0)


def embedding_rate(model: Any, values: Values, optimizers: Sequence[Any]) -> None:
    """Embeddings and head at a rate of their own."""
    factor = float(values["lr_groups.embedding_rate"]) / float(values["optimizer.learning_rate"])
    ids = weights_at_ends(model)
    split(optimizers, lambda p: factor if id(p) in ids else 1.0)


def slower_below(model: Any, values: Values, optimizers: Sequence[Any]) -> None:
    """Each layer at `decay` times the rate of the one above it; embeddings are below the lowest, the head above the highest."""
    decay = float(values["lr_groups.decay"])
    embeddings = model.get_input_embeddings()
    lowest = {id(p) for p in embeddings.parameters()} if embeddings is not None else set()
    found = {id(p): int(m[1]) for name, p in model.named_parameters() if (m := _LAYER.search(name))}
    depth = 1 + max(found.values(), default=-1)
    split(optimizers, lambda p: decay ** (depth - found[id(p)]) if id(p) in found else decay ** (depth + 1) if id(p) in lowest else 1.0)


def _has_b_matrices(wishes: Wishes) -> Iterable[Objection]:
    if not set(wishes.parts.get("technique", ())) & set(_WITH_B_MATRICES):
        yield Objection("lora-plus", "there are no A and B matrices to tell apart", "drop it, or use `technique: lora`")


def _embeddings_train(wishes: Wishes) -> Iterable[Objection]:
    if "lr_groups.embedding_rate" not in wishes.values:
        yield Objection("embedding-lr", "it does not say at which rate embeddings learn", "add `embedding_rate`")
    if wishes.parts.get("technique") != ("full",) and not wishes.values.get("technique.train_embeddings"):
        yield Objection("embedding-lr", "embeddings do not train", "drop it, or add `train_embeddings: true` under `technique`")


def _learns_at_a_rate(objections: Callable[[Wishes], Iterable[Objection]]) -> Callable[[Wishes], Iterable[Objection]]:
    def also(wishes: Wishes) -> Iterable[Objection]:
        yield from objections(wishes)
        if set(wishes.parts.get("optimizer", ())) & {"prodigy", "dadapt-adam"}:
            subject = wishes.parts["lr_groups"][0]
            yield Objection(subject, "this optimizer estimates one rate for all weights and takes no two", "drop it, or use AdamW")

    return also


def _part(component: str, build: Any, does: Callable[[Values], str], knob: str, objections: Any = lambda wishes: ()) -> Part:
    return Part(component, "lr_groups", build, does, reads("lr_groups", knob), objections=_learns_at_a_rate(objections))


PARTS = (
    _part(
        "lora-plus", faster_b, lambda v: f"B matrices at {float(v['lr_groups.ratio']):g} times the rate (LoRA+)", "ratio", _has_b_matrices
    ),
    _part(
        "embedding-lr",
        embedding_rate,
        lambda v: f"embeddings and head at a rate of {v.get('lr_groups.embedding_rate')}",
        "embedding_rate",
        _embeddings_train,
    ),
    _part("layer-wise-decay", slower_below, lambda v: f"each layer at {float(v['lr_groups.decay']):g} times the rate of the next", "decay"),
)
