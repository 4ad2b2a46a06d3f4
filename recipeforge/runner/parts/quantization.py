"""Quantization parts. `build(values, compute_dtype) -> quantization config` for `from_pretrained`."""

from typing import Any

from recipeforge.runner.packages import Need
from recipeforge.runner.parts.registry import Part, Values, reads

BITSANDBYTES = Need("bitsandbytes", "stores the base model's weights in 4 or 8 bits, or the optimizer's states in 8", minimum="0.46")
_STORAGE = {"uint8": "uint8", "bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}


def four_bit(values: Values, compute_dtype: Any) -> Any:
    """bitsandbytes NF4 or FP4."""
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=str(values["quantization.quant_type"]),
        bnb_4bit_use_double_quant=bool(values["quantization.double_quant"]),
        bnb_4bit_compute_dtype=compute_dtype,
        bnb_4bit_quant_storage=getattr(torch, _STORAGE[str(values["quantization.quant_storage"])]),
    )


def eight_bit(values: Values, compute_dtype: Any) -> Any:
    """bitsandbytes LLM.int8()."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(load_in_8bit=True)


PARTS = (
    Part(
        "bnb-4bit",
        "quantization",
        build=four_bit,
        does=lambda v: (
            f"base weights in 4 bits ({v['quantization.quant_type']}{', double quantization' if v['quantization.double_quant'] else ''})"
        ),
        reads=reads("quantization", "quant_type", "double_quant", "quant_storage", device_map_cpu=(False,)),
        needs=(BITSANDBYTES,),
    ),
    Part(
        "bnb-8bit",
        "quantization",
        build=eight_bit,
        does=lambda v: "base weights in 8 bits",
        reads=reads("quantization", device_map_cpu=(False,)),
        needs=(BITSANDBYTES,),
    ),
)
