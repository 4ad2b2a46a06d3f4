"""What a whole file in a tool's own keys takes, besides the words by which single changes are written.

These words are no fixes: they say a part by several keys at once, or by what the tool calls by another name.
"""

from collections.abc import Mapping
from dataclasses import field

from recipeforge.documents.dialects.marks import NATIVE
from recipeforge.documents.dialects.shared import ATTENTION_MODULES, EVALUATIONS, LIGER
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record

Value = Scalar | tuple[str, ...]
Said = tuple[str, Scalar]
"""A knob and a value of it."""
Keys = Mapping[str, Scalar | None]

_ATTENTION = tuple(name for name in ("q_proj", "k_proj", "v_proj", "o_proj") if name in ATTENTION_MODULES)


@record
class Phrase:
    """Parts and values that a tool says together, by one set of keys."""

    keys: Keys
    parts: frozenset[str] = frozenset()
    """Components that all have to be there."""
    also: frozenset[str] = frozenset()
    """Components that go with them where they are there."""
    gives: frozenset[str] = frozenset()
    """What is read back instead of them, where the tool has other names."""
    values: frozenset[Said] = frozenset()
    """What has to be set."""
    unless: frozenset[Said] = frozenset()
    """What must not be set."""
    alone_in: frozenset[str] = frozenset()
    """Slots in which no other component may be."""
    objectives: frozenset[str] = frozenset()
    """What the loss may reward; empty for anything."""


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
    nearest: Mapping[str, str] = field(default_factory=dict[str, str])
    """Component that the tool does not have → the one that is closest, which is written and said."""
    phrases: tuple[Phrase, ...] = ()
    """What is said together, before anything is said alone."""
    instead: Mapping[str, str] = field(default_factory=dict[str, str])
    """Component or knob that no key says → what to do about it; `{value}` stands for the value."""


_OFF: frozenset[Said] = frozenset(
    (knob, False)
    for knob in (
        "data.packing",
        "data.padding_free",
        "data.group_by_length",
        "data.streaming",
        "distributed.offload",
        "distributed.activation_checkpointing",
    )
)
_APART: frozenset[Said] = frozenset({("data.separate_rows", True)})
FSDP_DETAILS = ("transformer_layer_cls_to_wrap", "reshard_after_forward")
"""Keys in `fsdp_config` that mean no part of a recipe, and the same in every tool on Hugging Face's trainer under FSDP 2."""
BY_ITSELF: Mapping[str, frozenset[Said]] = {
    NATIVE: _OFF | _APART,
    "axolotl": _OFF | _APART,
    "llamafactory": _OFF | {("quantization.quant_storage", "bf16")},  # that of the computation
    "torchtune": _OFF | _APART,
    "trl": _OFF | _APART | {("data.validation", 0.0), ("scheduler.warmup_ratio", 0.0)},
}
"""Values that hold in a tool without a word: rows that are packed are kept apart by all but LLaMA-Factory."""
_STARTS = ("pissa", "loftq", "eva", "olora", "corda", "lora-ga")
"""Techniques that are LoRA but for where it starts."""
_LIGER = frozenset({"liger-rope", "liger-rms-norm", "liger-swiglu"})
_FUSED = frozenset({"liger-fused-linear-cross-entropy"})
_TOKENS = frozenset({"sft", "pretrain"})
"""Objectives that need no logits but those of the loss."""
_AXOLOTL_LIGER: Keys = {"liger_rope": True, "liger_rms_norm": True, "liger_glu_activation": True}
_LIGER_WORDS: Mapping[str, Keys] = {
    component: {"use_liger_kernel": True, **{f"liger_kernel_config.{key}": True for key in keys}} for component, keys in LIGER.items()
}
_LIGER_OFF: Mapping[str, Keys] = {
    component: {f"liger_kernel_config.{key}": False for key in LIGER[component]} for component in sorted(_LIGER | _FUSED)
}
_FSDP_KNOBS = {
    "distributed.activation_checkpointing": "fsdp_config.activation_checkpointing",
    "distributed.use_orig_params": "fsdp_config.use_orig_params",
}
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
            "fp8": {"fp8": True},
            "cosine-min-lr": {"lr_scheduler": "cosine"},  # with the ratio that its knob brings
            "cut-cross-entropy": {"cut_cross_entropy": True},
            "liger-fused-linear-cross-entropy": {"liger_fused_linear_cross_entropy": True},
            "liger-cross-entropy": {"liger_cross_entropy": True},
            "liger-rope": {"liger_rope": True},
            "liger-rms-norm": {"liger_rms_norm": True},
            "liger-layer-norm": {"liger_layer_norm": True},
            "liger-swiglu": {"liger_glu_activation": True},
            "lora-plus": {"loraplus_lr_ratio": 16},  # or what its knob says
            "fsdp2": {"fsdp_version": 2, "fsdp_config.auto_wrap_policy": "TRANSFORMER_BASED_WRAP"},
            **{name: {"adapter": "lora", "peft_init_lora_weights": name} for name in ("eva", "olora", "corda")},
            "activation-offloading-to-disk": {"activation_offloading": "disk"},
            "offloaded-checkpointing": {"gradient_checkpointing": "offload"},
        },
        knobs={
            **_WARMUP,
            "distributed.offload": "fsdp_config.offload_params",
            "distributed.activation_checkpointing": "fsdp_config.activation_checkpointing",
        },
        values={
            **EVALUATIONS,
            ("technique.targets", "all-linear"): {"lora_target_linear": True},
            ("technique.targets", "attention"): {"lora_target_modules": _ATTENTION},
        },
        nearest={"lora-ga": "lora", "oft": "lora"},
        phrases=(
            Phrase(keys={"bf16": True}, parts=frozenset({"pure-bf16", "full"}), gives=frozenset({"bf16"})),  # it loads weights in bf16, too
            Phrase(keys={"bf16": True, "peft_autocast_adapter_dtype": False}, parts=frozenset({"pure-bf16"}), gives=frozenset({"bf16"})),
            Phrase(
                keys={"adapter": "qlora", "load_in_4bit": True, "nf4_backend": "torchao"},
                parts=frozenset({"qlora", "torchao-nf4"}),
                alone_in=frozenset({"distributed"}),
            ),
            Phrase(
                keys={**_AXOLOTL_LIGER, "liger_fused_linear_cross_entropy": True},
                parts=frozenset({"liger"}),
                gives=_LIGER | _FUSED,
                objectives=_TOKENS,
            ),
            Phrase(keys=_AXOLOTL_LIGER, parts=frozenset({"liger"}), gives=_LIGER),
        ),
        instead={
            "hardware.count": "how many is said at launch: `axolotl train FILE --launcher torchrun -- --nproc_per_node={value}`",
            "data.limit": "take a part of each data set: `split: train[:{value}]` under `datasets`",
            "fsdp1": "Axolotl has FSDP2 alone since 0.20: `fsdp_version: 2` with `fsdp_config`",
            "distributed.use_orig_params": "FSDP2, which Axolotl has alone since 0.20, keeps the original parameters always",
            "torchao-nf4": "Axolotl has it for QLoRA alone, on one device or under FSDP2; `load_in_4bit: true` is bitsandbytes' NF4",
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
            "lora-plus": {"loraplus_lr_ratio": 16},  # or what its knob says
            **_LIGER_WORDS,
            "fsdp1": {"fsdp": "full_shard auto_wrap", "fsdp_config.version": 1},
            "fsdp2": {"fsdp": "full_shard auto_wrap", "fsdp_config.version": 2},
        },
        knobs={**_WARMUP, **_FSDP_KNOBS},
        values={
            **EVALUATIONS,
            ("data.group_by_length", False): {"train_sampling_strategy": "random"},
            ("data.group_by_length", True): {"train_sampling_strategy": "group_by_length"},
            ("technique.targets", "all-linear"): {"lora_target": "all"},
            ("technique.targets", "attention"): {"lora_target": _ATTENTION},
        },
        off={"gradient-checkpointing": {"disable_gradient_checkpointing": True}, **_LIGER_OFF},
        alike={"qlora": ("lora", "bnb-4bit")},
        nearest=dict.fromkeys(_STARTS[1:], "lora"),
        phrases=(
            Phrase(
                keys={"packing": True, "neat_packing": True},
                values=frozenset({("data.packing", True)}),
                unless=frozenset({("data.separate_rows", False), ("data.packing_strategy", "wrapped")}),
                objectives=frozenset({"sft"}),
            ),
            *(
                Phrase(
                    keys={"fsdp": "full_shard auto_wrap offload", "fsdp_config.version": version},
                    parts=frozenset({f"fsdp{version}"}),
                    values=frozenset({("distributed.offload", True)}),
                )
                for version in (1, 2)
            ),
            Phrase(
                keys={"enable_liger_kernel": True},
                parts=_LIGER | _FUSED,
                also=frozenset({"liger-layer-norm"}),
                gives=frozenset({"liger"}),
                objectives=_TOKENS,
            ),
        ),
        instead={
            "hardware.count": "how many is said at launch: `FORCE_TORCHRUN=1 NPROC_PER_NODE={value} llamafactory-cli train FILE`",
            "torchao-nf4": "bitsandbytes' NF4 is the nearest: `quantization_bit: 4`",
        },
    ),
    "trl": Whole(
        model="model_name_or_path",
        words={
            "pure-bf16": {"dtype": "bfloat16", "bf16": False},
            "activation-offloading": {"activation_offloading": True},
            "flash-attention-3": {"attn_implementation": "flash_attention_3"},
            "flex-attention": {"attn_implementation": "flex_attention"},
            **{
                component: {**keys, "liger_kernel_config.fused_linear_cross_entropy": False}  # older releases fuse unless told not to
                for component, keys in _LIGER_WORDS.items()
                if component not in _FUSED
            },
            "fsdp1": {"fsdp": True, "fsdp_config.version": 1},
            "fsdp2": {"fsdp": True, "fsdp_config.version": 2},
        },
        knobs={
            **_FSDP_KNOBS,
            "distributed.offload": "fsdp_config.cpu_offload",
            "data.validation": "test_split_size",
            "scheduler.warmup_ratio": "warmup_steps",  # below 1 it is a share
            "scheduler.warmup_steps": "warmup_steps",
            "hardware.count": "num_processes",
        },
        values={
            **EVALUATIONS,
            ("data.validation", 0.0): {},
            ("scheduler.warmup_ratio", 0.0): {},
            ("data.group_by_length", True): {"train_sampling_strategy": "group_by_length"},
            ("data.group_by_length", False): {"train_sampling_strategy": "random"},
            ("technique.targets", "all-linear"): {"lora_target_modules": ("all-linear",)},
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
        off={"gradient-checkpointing": {"gradient_checkpointing": False}, "bf16": {"bf16": False}, **_LIGER_OFF},
        alike={"qlora": ("lora", "bnb-4bit")},
        nearest=dict.fromkeys((*_STARTS, "oft"), "lora"),
        instead={
            "data.limit": "take a part of each data set: `split: train[:{value}]` under `datasets`",
            "objective": "the command says it: `trl {value} --config FILE`",
            "liger-fused-linear-cross-entropy": "TRL refuses it, and computes the loss of its trainers in chunks by itself",
            "fp8": "said at launch: `mixed_precision: fp8` in the file of `accelerate launch`",
            "torchao-nf4": "bitsandbytes' NF4 is the nearest: `load_in_4bit: true`",
        },
    ),
}
"""Dialects that whole files can be written in."""


def same_value(knob: str, said: Scalar | None, says: Scalar | None, source: str, to: str) -> bool:
    """Return whether two files give a knob the same value; what one leaves out may be what its tool does without a word."""
    if said is None or says is None:
        left_out, value = (source, says) if said is None else (to, said)
        return said == says or (value is not None and (knob, value) in BY_ITSELF.get(left_out, ()))
    return said == says


def whole_words(name: str, words: Mapping[str, Keys]) -> dict[str, Keys]:
    """Return all words of a dialect for whole files, its own first."""
    known = WHOLE.get(name)
    return {**(known.words if known else {}), **words}
