"""Tokenizer and base model, from wherever the plan found them. Runs in the training process."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.precision import Formats
from recipeforge.runner.plan import Plan
from recipeforge.schemas.errors import RunError


def formats_of(plan: Plan) -> Formats:
    """Return the number formats that the plan's precision means."""
    return PARTS[plan.part_in("precision")].build()


def is_adapter(plan: Plan) -> bool:
    """Whether the base model stays frozen."""
    return "adapter" in PARTS[plan.part_in("technique")].traits


def load_tokenizer(plan: Plan) -> Any:
    """Return the model's tokenizer, with a padding token."""
    where = {"gguf_file": plan.model.gguf_file} if plan.model.gguf_file else {}
    tokenizer = AutoTokenizer.from_pretrained(plan.model.location, **where)
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token is None:
            raise RunError(f"the tokenizer of {plan.model.written} has neither a padding nor an end token")
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_config(plan: Plan) -> Any | None:
    """Return the model's configuration; `None` for a GGUF file, of which only reading it all would tell."""
    return None if plan.model.gguf_file else AutoConfig.from_pretrained(plan.model.location)


@dataclass(frozen=True)
class Head:
    """A head that gives scores of a whole text instead of a next token."""

    labels: tuple[str, ...]
    """What each score is of; one alone is a number of its own."""
    pad: int
    """The padding token: a score is taken at the last token before it."""


def class_for(head: Head | None) -> Any:
    """Return the class of transformers that loads a model with such a head."""
    return AutoModelForCausalLM if head is None else AutoModelForSequenceClassification


def _of_head(head: Head | None) -> dict[str, Any]:
    if head is None:
        return {}
    names = {"id2label": dict(enumerate(head.labels)), "label2id": {label: i for i, label in enumerate(head.labels)}}
    return {"num_labels": len(head.labels), "pad_token_id": head.pad, **names}


def load_base(plan: Plan, device: torch.device, weights: Path | None = None, head: Head | None = None) -> Any:
    """Return the base model on the device, in its frozen or trained number format, quantized if the plan says so.

    `weights`: a folder with the model as it was after some step, to go on from. `head`: one of the model's own making takes the place of
    the one for next tokens; its weights are drawn by torch's random numbers, unless they lie with the others.
    """
    if weights is not None:
        plan = replace(plan, model=replace(plan.model, location=str(weights), gguf_file=""))
    formats = formats_of(plan)
    dtype = getattr(torch, formats.frozen if is_adapter(plan) else formats.trained)
    options: dict[str, Any] = {"dtype": dtype, "attn_implementation": PARTS[plan.part_in("attention")].build(), **_of_head(head)}
    quantization = plan.parts.get("quantization")
    if quantization is None:
        model = _plain(plan, options, head).to(device)
    else:
        config = PARTS[quantization[0]].build(plan.values, getattr(torch, formats.compute))
        model = _quantized(plan, options | {"quantization_config": config, "device_map": {"": str(device)}}, dtype, head)
        _keep_trainable(model)
    _attention_dropout(model, plan)
    return model


def _plain(plan: Plan, options: dict[str, Any], head: Head | None = None) -> Any:
    if not plan.model.gguf_file:
        return class_for(head).from_pretrained(plan.model.location, **options)
    model = class_for(head).from_pretrained(plan.model.location, gguf_file=plan.model.gguf_file, **options)
    # The weights are plain tensors now; left in place, these make transformers and peft take the model for a quantized one.
    for owner, name in ((model, "hf_quantizer"), (model, "is_quantized"), (model.config, "quantization_config")):
        delattr(owner, name)
    return model


def _quantized(plan: Plan, options: dict[str, Any], dtype: torch.dtype, head: Head | None = None) -> Any:
    if not plan.model.gguf_file:
        return class_for(head).from_pretrained(plan.model.location, **options)
    # transformers quantizes no GGUF file: unpack it first.
    with tempfile.TemporaryDirectory(prefix="recipeforge-") as folder:
        _plain(plan, {"dtype": dtype}).save_pretrained(folder)
        return class_for(head).from_pretrained(folder, **options)


def _keep_trainable(model: Any) -> None:
    """Keep bitsandbytes from repacking 4-bit weights for inference.

    On CPUs with AVX512-BF16 the first forward pass in evaluation mode repacks them for good, and the packed kernel passes no
    gradient: everything below the layer would silently stop learning after the first held-out measurement.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _attention_dropout(model: Any, plan: Plan) -> None:
    """Set dropout on attention weights where the recipe itself names it; the model's own setting stands otherwise."""
    if "attention.dropout" not in plan.given:
        return
    wanted = float(plan.values["attention.dropout"])
    modules = [m for m in model.modules() if hasattr(m, "attention_dropout")]
    if not modules and wanted:
        raise RunError(f"attention.dropout: the code of {plan.model.written} has no such setting; remove it from the recipe")
    for module in modules:
        module.attention_dropout = wanted
