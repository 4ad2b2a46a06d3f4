"""Forms of the result that every run writes by itself. `build() -> None`."""

from collections.abc import Iterable

from recipeforge.runner.parts.registry import Objection, Part, Wishes

_WHOLE = ("full", "freeze")


def _has_an_adapter(wishes: Wishes) -> Iterable[Objection]:
    if set(wishes.parts.get("technique", ())) & set(_WHOLE):
        yield Objection("adapter-only", "this technique makes no adapter", "drop it: the whole model is saved")


PARTS = (
    Part("adapter-only", "export", lambda: None, lambda v: "the adapter's files alone, as peft loads them", objections=_has_an_adapter),
    Part("safetensors", "export", lambda: None, lambda v: "weights as safetensors"),
)
