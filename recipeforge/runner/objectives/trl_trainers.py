"""TRL's trainers, made for a model that is there already.

What they are for here is their data preparation, their collator and their loss. The loop of every other run does the rest, so optimizer,
schedule, number formats, checkpointing, order of rows, checkpoints and resuming are those of the recipe and none of `TrainingArguments`'
own. `train` is never called.
"""

import copy
import importlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from recipeforge.runner.loading import is_adapter, load_base
from recipeforge.runner.plan import Plan
from recipeforge.schemas.recipe import Scalar

os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")


@dataclass(frozen=True)
class Spelled:
    """One objective as TRL spells it."""

    trainer: str
    """Module and class; the configuration's class ends with `Config` where this one ends with `Trainer`."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    knobs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Argument of the configuration → knob of the recipe, where that has a value."""
    reference: bool = False
    """Whether the trainer takes a frozen copy of the model."""

    def options(self, values: Mapping[str, Scalar]) -> dict[str, Any]:
        """Return the arguments of the configuration that the objective itself decides."""
        return {**self.settings, **{name: values[knob] for name, knob in self.knobs.items() if knob in values}}


def reference_for(plan: Plan, device: torch.device) -> Any | None:
    """Return a frozen copy of the model as the recipe names it; `None` for an adapter, which is switched off instead."""
    if is_adapter(plan):
        return None
    model = load_base(plan, device)
    return model.requires_grad_(False).eval()


def trainer_for(
    spelled: Spelled,
    plan: Plan,
    model: Any,
    tokenizer: Any,
    device: torch.device,
    train: Sequence[Mapping[str, Any]],
    held_out: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    **more: Any,
) -> Any:
    """Return TRL's trainer around a model, which it leaves as it was but for a way to score tokens.

    Dropout is on only where the recipe asks for it: TRL's own default switches it off, in adapters too.
    """
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    module, _, name = spelled.trainer.rpartition(".")
    home = importlib.import_module(module)
    v = plan.values
    with tempfile.TemporaryDirectory(prefix="recipeforge-trl-") as folder:
        arguments = getattr(home, name.removesuffix("Trainer") + "Config")(
            output_dir=folder,
            use_cpu=device.type == "cpu",
            bf16=False,  # the loop casts
            gradient_checkpointing=False,  # done to the model already, where the recipe has it
            per_device_train_batch_size=int(v["batch.micro"]),
            per_device_eval_batch_size=int(v["batch.micro"]),
            gradient_accumulation_steps=int(v["batch.accumulate"]),
            disable_dropout=not (v.get("technique.dropout") or v.get("attention.dropout")),
            seed=plan.seed,
            report_to=[],
            disable_tqdm=True,
            **options,
        )
        with _left_alone(model):
            return getattr(home, name)(
                model,
                args=arguments,
                train_dataset=Dataset.from_list([dict(row) for row in train]),
                eval_dataset=Dataset.from_list([dict(row) for row in held_out]) if held_out else None,
                processing_class=copy.deepcopy(tokenizer),
                **more,
            )


@contextmanager
def _left_alone(model: Any) -> Iterator[None]:
    """Undo what trainers do to a model with an adapter: bf16 over a quantized base, and a copy of the adapter as it is now.

    An adapter that begins as nothing is switched off instead of copied; the others are refused in pre-flight.
    """
    weights = {name: (p, p.data, p.requires_grad) for name, p in model.named_parameters()}
    yield
    if "ref" in getattr(model, "peft_config", {}):
        model.delete_adapter("ref")
        model.set_adapter("default")
    for parameter, data, trains in weights.values():
        parameter.data = data
        parameter.requires_grad_(trains)
