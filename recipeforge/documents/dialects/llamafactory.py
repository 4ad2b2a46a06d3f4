"""LLaMA-Factory's YAML."""

from recipeforge.documents.dialects import shared
from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.dialect import Dialect
from recipeforge.documents.dialects.sharding import deepspeed, fsdp

_SETTINGS = (
    *shared.ARGUMENTS,
    ("lora_rank", "technique.rank"),
    ("freeze_trainable_layers", "technique.trainable_layers"),
    ("val_size", "data.validation"),
    ("max_samples", "data.limit"),
    ("double_quantization", "quantization.double_quant"),
    ("quantization_type", "quantization.quant_type"),
    ("use_reentrant_gc", "memory.use_reentrant"),
    ("streaming", "data.streaming"),
    ("pref_beta", "objective.beta"),
    ("galore_layerwise", "optimizer.layerwise"),
    ("apollo_layerwise", "optimizer.layerwise"),
    ("loraplus_lr_ratio", "lr_groups.ratio"),
)
_STAGES = {"pt": "pretrain", "sft": "sft", "rm": "reward", "ppo": "ppo", "dpo": "dpo", "kto": "kto"}
_PREFERENCE_LOSSES = {"ipo": "ipo", "orpo": "orpo", "simpo": "simpo"}
_OPTIMIZERS = (
    ("use_galore", "galore"),
    ("use_apollo", "apollo"),
    ("use_badam", "badam"),
    ("use_adam_mini", "adam-mini"),
    ("use_muon", "muon"),
)
_QUANTIZERS = {("bnb", 4): "bnb-4bit", ("bnb", 8): "bnb-8bit", ("eetq", 8): "eetq"}
_ATTENTION = {"disabled": "eager", "sdpa": "sdpa", "fa2": "flash-attention-2", "fa3": "flash-attention-3"}


def _read(config: Config) -> None:
    config.model("model_name_or_path")
    _technique(config)
    _quantization(config)
    config.each(_OPTIMIZERS)
    if path := config.on("use_galore", "use_apollo"):
        config.set("optimizer.target_modules", "all-linear", path)  # unless it is told otherwise
    shared.optimizer(config, "optim")
    shared.scheduler(config, "lr_scheduler_type")
    shared.warmup(config)
    fp8 = "fp8-te" if config.text("fp8_backend") == "te" else "fp8"  # accelerate is not told of any other, and looks what is there
    config.each((("pure_bf16", "pure-bf16"), ("fp8", fp8), ("bf16", "bf16"), ("fp16", "fp16")))
    if (word := config.text("flash_attn")) in _ATTENTION:
        config.equip(_ATTENTION[word or ""], "flash_attn")
    config.each((("shift_attn", "s2-attention"), ("enable_liger_kernel", "liger"), ("use_unsloth", "unsloth"), ("use_kt", "ktransformers")))
    if config.value("disable_gradient_checkpointing") is not True:
        config.equip("gradient-checkpointing", "model_name_or_path")  # on unless it is turned off
    config.each((("use_unsloth_gc", "offloaded-checkpointing"),))
    if path := config.on("neat_packing", "packing"):
        config.set("data.packing", True, path)
    elif config.value("packing") is False:
        config.set("data.packing", False, "packing")
    _separation(config)
    if (length := config.number("cutoff_len")) is not None:
        config.set("data.sequence_length", length, "cutoff_len")
    _objective(config)
    deepspeed(config, "deepspeed")
    version = config.number("fsdp_config.fsdp_version") or config.number("fsdp_config.version")
    fsdp(config, "fsdp", "fsdp_config", version or 1)  # it takes transformers up to 5.8
    config.each(shared.SWITCHES)
    shared.liger(config, fused=True)
    shared.evaluation(config, "eval_strategy", "evaluation_strategy")
    shared.sampling(config)
    config.settings(_SETTINGS)
    shared.neftune(config)
    if config.number("loraplus_lr_ratio"):
        config.equip("lora-plus", "loraplus_lr_ratio")


def _technique(config: Config) -> None:
    kind = config.text("finetuning_type") or "lora"  # its default
    path = "finetuning_type" if config.text("finetuning_type") else "model_name_or_path"
    if kind == "lora" and (switch := config.on("use_dora", "use_rslora", "pissa_init")):
        config.equip({"use_dora": "dora", "use_rslora": "rslora", "pissa_init": "pissa"}[switch], switch)
    elif kind == "full" and config.on("use_llama_pro"):
        config.equip("llama-pro", "use_llama_pro")
    elif kind in ("lora", "full", "freeze", "oft"):
        config.equip(kind, path)
    shared.targets(config, "lora_target")
    if {"embed_tokens", "lm_head"} & set(config.words("additional_target")):
        config.set("technique.train_embeddings", True, "additional_target")


def _quantization(config: Config) -> None:
    bits = config.number("quantization_bit")
    if bits is None:
        return
    method = config.text("quantization_method") or "bnb"
    method = {"bitsandbytes": "bnb"}.get(method, method)
    if method == "hqq":
        config.equip("hqq", "quantization_bit")
        config.set("quantization.bits", bits, "quantization_bit")
    elif known := _QUANTIZERS.get((method, int(bits))):
        config.equip(known, "quantization_bit")


def _separation(config: Config) -> None:
    """Packed rows are kept apart by `neat_packing` alone, which is off unless it is written; of other rows it says nothing."""
    if not config.on("packing", "neat_packing"):
        return
    if config.entry("neat_packing") is not None:
        config.set("data.separate_rows", config.value("neat_packing") is True, "neat_packing")
    else:
        config.set("data.separate_rows", False, "packing")
        config.said_by.pop("data.separate_rows", None)  # what would change it is another key


def _objective(config: Config) -> None:
    stage = config.text("stage")
    loss = config.text("pref_loss")
    if stage == "dpo" and loss in _PREFERENCE_LOSSES:
        config.equip(_PREFERENCE_LOSSES[loss or ""], "pref_loss")
    elif stage in _STAGES:
        config.equip(_STAGES[stage or ""], "stage")


LLAMA_FACTORY = Dialect(
    name="llamafactory",
    title="LLaMA-Factory",
    framework="llama-factory",
    refuses=True,
    read=_read,
    words={
        "full": {"finetuning_type": "full"},
        "freeze": {"finetuning_type": "freeze"},
        "lora": {"finetuning_type": "lora"},
        "dora": {"finetuning_type": "lora", "use_dora": True},
        "rslora": {"finetuning_type": "lora", "use_rslora": True},
        "bnb-4bit": {"quantization_bit": 4},
        "bnb-8bit": {"quantization_bit": 8},
        "bf16": {"bf16": True},
        "fp16": {"fp16": True},
        "pure-bf16": {"pure_bf16": True},
        "gradient-checkpointing": {"disable_gradient_checkpointing": None},
        "liger": {"enable_liger_kernel": True},
        "tf32": {"tf32": True},
        "torch-compile": {"torch_compile": True},
        **{component: {"flash_attn": word} for word, component in _ATTENTION.items()},
        **{component: {"optim": word} for component, word in shared.OPTIMIZER_WORDS.items()},
        **{component: {"lr_scheduler_type": word} for component, word in shared.SCHEDULER_WORDS.items()},
    },
    knobs={knob: path for path, knob in reversed(_SETTINGS)}
    | {knob: path for path, knob in shared.INTERVALS.items()}
    | {"eval.strategy": "eval_strategy"}
    | {"data.packing": "packing", "data.separate_rows": "neat_packing", "data.sequence_length": "cutoff_len"},
    default_places=frozenset({"model_name_or_path"}),
    neighbours={
        **shared.NEIGHBOURS,
        "quantization_bit": ("model_name_or_path",),
        "flash_attn": ("quantization_bit", "trust_remote_code", "model_name_or_path"),
        "optim": ("learning_rate",),
        "bf16": ("fp16", "learning_rate"),
        "fp16": ("bf16", "learning_rate"),
        "pure_bf16": ("bf16", "learning_rate"),
        "gradient_accumulation_steps": ("per_device_train_batch_size",),
    },
)
