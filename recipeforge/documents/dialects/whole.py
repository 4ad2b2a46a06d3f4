"""What a whole file in a tool's own keys takes, besides the words by which single changes are written.

These words are no fixes: they say a part by several keys at once, or by what the tool calls by another name.
"""

from collections.abc import Mapping
from dataclasses import field

from recipeforge.documents.dialects.shared import ATTENTION_MODULES, EVALUATIONS
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record

Value = Scalar | tuple[str, ...]
Keys = Mapping[str, Scalar | None]

_ATTENTION = tuple(name for name in ("q_proj", "k_proj", "v_proj", "o_proj") if name in ATTENTION_MODULES)


@record
class Whole:
    """One tool's words for whole files."""

    model: str
    """The key that names the model."""
    words: Mapping[str, Keys] = field(default_factory=dict[str, Keys])
    """Component → the keys that say it, besides the dialect's own."""
    knobs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Knob → its key, besides the dialect's own."""
    values: Mapping[tuple[str, Scalar], Mapping[str, Value]] = field(default_factory=dict[tuple[str, Scalar], Mapping[str, Value]])
    """Knob and value → the keys that say it, where the tool has other words for it."""
    off: Mapping[str, Keys] = field(default_factory=dict[str, Keys])
    """Component that is there unless it is turned off → the keys that turn it off."""
    alike: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Component that the tool has no name for → the one that is the same run here, and what has to stand beside it for that."""


_WARMUP = {"scheduler.warmup_ratio": "warmup_ratio", "scheduler.warmup_steps": "warmup_steps"}

WHOLE: Mapping[str, Whole] = {
    "axolotl": Whole(
        model="base_model",
        words={
            **{name: {"rl": name} for name in ("dpo", "ipo", "kto", "orpo", "simpo", "grpo")},
            "reward": {"reward_model": True},
            "process-reward": {"process_reward_model": True},
            "relora": {"adapter": "lora", "relora": True},
            "pissa": {"adapter": "lora", "peft_init_lora_weights": "pissa"},
            "loftq": {"adapter": "lora", "peft_init_lora_weights": "loftq"},
            "pure-bf16": {"bf16": "full"},
            "fp8": {"fp8": True},
            "cosine-min-lr": {"lr_scheduler": "cosine"},  # with the ratio that its knob brings
            "cut-cross-entropy": {"cut_cross_entropy": True},
            "liger-fused-linear-cross-entropy": {"liger_fused_linear_cross_entropy": True},
            "liger-cross-entropy": {"liger_cross_entropy": True},
            "liger-rope": {"liger_rope": True},
            "liger-rms-norm": {"liger_rms_norm": True},
            "liger-layer-norm": {"liger_layer_norm": True},
            "liger-swiglu": {"liger_glu_activation": True},
            "activation-offloading-to-disk": {"activation_offloading": "disk"},
            "offloaded-checkpointing": {"gradient_checkpointing": "offload"},
        },
        knobs=_WARMUP,
        values={
            **EVALUATIONS,
            ("technique.targets", "all-linear"): {"lora_target_linear": True},
            ("technique.targets", "attention"): {"lora_target_modules": _ATTENTION},
        },
    ),
    "llamafactory": Whole(
        model="model_name_or_path",
        words={
            **{name: {"stage": stage} for stage, name in (("sft", "sft"), ("pt", "pretrain"), ("rm", "reward"), ("ppo", "ppo"))},
            **{name: {"stage": name} for name in ("dpo", "kto")},
            **{name: {"stage": "dpo", "pref_loss": name} for name in ("ipo", "orpo", "simpo")},
            "pissa": {"finetuning_type": "lora", "pissa_init": True},
            "oft": {"finetuning_type": "oft"},
            "llama-pro": {"finetuning_type": "full", "use_llama_pro": True},
            "galore": {"use_galore": True},
            "apollo": {"use_apollo": True},
            "badam": {"use_badam": True},
            "adam-mini": {"use_adam_mini": True},
            "muon": {"use_muon": True},
            "eetq": {"quantization_method": "eetq", "quantization_bit": 8},
            "fp8": {"fp8": True},
            "s2-attention": {"shift_attn": True},
            "unsloth": {"use_unsloth": True},
            "offloaded-checkpointing": {"use_unsloth_gc": True},
        },
        knobs=_WARMUP,
        values={
            **EVALUATIONS,
            ("data.group_by_length", True): {"train_sampling_strategy": "group_by_length"},
            ("technique.targets", "all-linear"): {"lora_target": "all"},
            ("technique.targets", "attention"): {"lora_target": _ATTENTION},
        },
        off={"gradient-checkpointing": {"disable_gradient_checkpointing": True}},
        alike={"qlora": ("lora", "bnb-4bit")},
    ),
    "trl": Whole(
        model="model_name_or_path",
        knobs=_WARMUP,
        values={
            **EVALUATIONS,
            ("data.group_by_length", True): {"train_sampling_strategy": "group_by_length"},
            ("technique.targets", "all-linear"): {"lora_target_modules": "all-linear"},
            ("technique.targets", "attention"): {"lora_target_modules": _ATTENTION},
            ("data.truncation", "keep-start"): {"truncation_mode": "keep_start"},
            ("data.truncation", "keep-end"): {"truncation_mode": "keep_end"},
            ("data.packing_strategy", "bfd"): {"packing_strategy": "bfd"},
            ("data.packing_strategy", "bfd-split"): {"packing_strategy": "bfd_split"},
            ("data.packing_strategy", "wrapped"): {"packing_strategy": "wrapped"},
            ("quantization.quant_storage", "uint8"): {"bnb_4bit_quant_storage": "uint8"},
            ("quantization.quant_storage", "bf16"): {"bnb_4bit_quant_storage": "bfloat16"},
            ("quantization.quant_storage", "fp16"): {"bnb_4bit_quant_storage": "float16"},
            ("quantization.quant_storage", "fp32"): {"bnb_4bit_quant_storage": "float32"},
        },
        off={"gradient-checkpointing": {"gradient_checkpointing": False}, "bf16": {"bf16": False}},
        alike={"qlora": ("lora", "bnb-4bit")},
    ),
}
"""Dialects that whole files can be written in."""


def whole_words(name: str, words: Mapping[str, Keys]) -> dict[str, Keys]:
    """Return all words of a dialect for whole files, its own first."""
    known = WHOLE.get(name)
    return {**(known.words if known else {}), **words}
