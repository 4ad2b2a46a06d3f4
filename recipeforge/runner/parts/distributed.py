"""Distribution parts: how the processes that an engine starts share the work. `build() -> None`: see `engines/together.py`."""

from collections.abc import Iterable, Mapping

from recipeforge.runner.parts.registry import Objection, Part, Wishes, reads

_SPLITTABLE: Mapping[str, tuple[str, ...]] = {
    "technique": ("full", "lora", "rslora"),
    "optimizer": ("adamw", "sgd"),
    "quantization": (),
    "averaging": (),
    "regularization": ("label-smoothing",),
    "lr_groups": (),
}
"""Slot → components that work on parts of a weight; a slot that is not named does not touch weights."""


def _whole_weights_only(wishes: Wishes) -> Iterable[Objection]:
    for slot, able in _SPLITTABLE.items():
        for component in wishes.parts.get(slot, ()):
            if component not in able:
                instead = f"FSDP2 here goes with {', '.join(able)}; " if able else ""
                yield Objection(component, f"{slot} `{component}` wants whole weights, and FSDP2 splits them", f"{instead}use `ddp`")


PARTS = (
    Part("ddp", "distributed", build=lambda: None, does=lambda v: "every process holds the whole model, and gradients are averaged"),
    Part(
        "fsdp2",
        "distributed",
        build=lambda: None,
        does=lambda v: "weights, gradients and optimizer states are split over the processes, layer by layer",
        reads=reads("distributed", offload=(False,), state_dict=("full",), activation_checkpointing=(False,)),
        objections=_whole_weights_only,
    ),
)
