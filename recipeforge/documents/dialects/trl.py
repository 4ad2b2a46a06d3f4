"""The YAML that TRL's commands and scripts take (`trl sft --config`)."""

from recipeforge.documents.dialects import shared
from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.dialect import Dialect
from recipeforge.documents.dialects.sharding import deepspeed, fsdp
from recipeforge.documents.dialects.trainers import objective

_SETTINGS = (
    *shared.ARGUMENTS,
    ("lora_r", "technique.rank"),
    ("use_bnb_nested_quant", "quantization.double_quant"),
    ("bnb_4bit_quant_type", "quantization.quant_type"),
    ("packing", "data.packing"),
    ("dataset_streaming", "data.streaming"),
    ("streaming", "data.streaming"),
    ("padding_free", "data.padding_free"),
    ("num_generations", "objective.generations"),
    ("steps_per_generation", "objective.steps_per_generation"),
    ("beta", "objective.beta"),
    ("completion_only_loss", "objective.completion_only"),
    ("assistant_only_loss", "objective.assistant_only"),
)
_WORDS = (
    ("truncation_mode", "data.truncation", {"keep_start": "keep-start", "keep_end": "keep-end"}),
    (
        "packing_strategy",
        "data.packing_strategy",
        {"bfd": "bfd", "bfd_split": "bfd-split", "bfd-requeue": "bfd-split", "wrapped": "wrapped"},
    ),
    (
        "bnb_4bit_quant_storage",
        "quantization.quant_storage",
        {"uint8": "uint8", "bfloat16": "bf16", "float16": "fp16", "float32": "fp32"},
    ),
)
"""Paths whose words are other words here."""


def _read(config: Config) -> None:
    config.model("model_name_or_path")
    if path := config.on("use_peft"):
        switch = config.on("use_dora", "use_rslora")
        config.equip({"use_dora": "dora", "use_rslora": "rslora"}.get(switch or "", "lora"), switch or path)
        shared.targets(config, "lora_target_modules")
    else:
        config.equip("full", "model_name_or_path")
    objective(config)
    config.each((("load_in_4bit", "bnb-4bit"), ("load_in_8bit", "bnb-8bit")))
    shared.optimizer(config, "optim")
    shared.scheduler(config, "lr_scheduler_type")
    shared.warmup(config)
    if config.value("bf16") is not False and config.value("fp16") is not True:
        config.equip("bf16", "bf16" if config.value("bf16") else "model_name_or_path")  # TRL's own default
    elif config.text("dtype") == "bfloat16" and config.value("fp16") is not True:
        config.equip("pure-bf16", "dtype")
    config.each((("fp16", "fp16"), *shared.SWITCHES))
    shared.liger(config, fused=False)  # its trainers turn that off, since they compute the loss in chunks
    shared.attention(config, "attn_implementation")
    if config.value("gradient_checkpointing") is not False:
        path = "gradient_checkpointing" if config.value("gradient_checkpointing") else "model_name_or_path"
        config.equip("gradient-checkpointing", path)  # on by default in TRL's trainers
    config.each((("activation_offloading", "activation-offloading"),))
    if (length := config.number("max_length") or config.number("max_seq_length")) is not None:
        config.set("data.sequence_length", length, "max_length" if config.number("max_length") else "max_seq_length")
    elif config.entry("max_length") is not None:
        config.set("data.truncation", "none", "max_length")  # `max_length: null` cuts nothing
    for path, knob, words in _WORDS:
        if (word := words.get(config.text(path) or "")) is not None:
            config.set(knob, word, path)
    if config.entry("datasets") is not None or config.entry("dataset_name") is None:  # of one that is named, nothing is held out
        config.settings([("test_split_size", "data.validation")])
    config.settings([("num_processes", "hardware.count")])  # the `trl` command hands it on
    deepspeed(config, "deepspeed")
    version = config.number("fsdp_config.fsdp_version") or config.number("fsdp_config.version")
    fsdp(config, "fsdp", "fsdp_config", version or 2)  # transformers, since 5.10
    shared.evaluation(config, "eval_strategy", "evaluation_strategy")
    shared.sampling(config)
    config.settings(_SETTINGS)
    if config.entry("generation_batch_size") is not None:
        config.out.unsettled |= {"objective.steps_per_generation"}  # said by the product
    shared.neftune(config)


TRL = Dialect(
    name="trl",
    title="TRL",
    framework="trl",
    refuses=False,
    read=_read,
    words={
        "full": {"use_peft": None},
        "lora": {"use_peft": True},
        "dora": {"use_peft": True, "use_dora": True},
        "rslora": {"use_peft": True, "use_rslora": True},
        "bnb-4bit": {"load_in_4bit": True},
        "bnb-8bit": {"load_in_8bit": True},
        "bf16": {"bf16": True},
        "fp16": {"fp16": True},
        "tf32": {"tf32": True},
        "torch-compile": {"torch_compile": True},
        "liger": {"use_liger_kernel": True},
        "gradient-checkpointing": {"gradient_checkpointing": True},
        "eager": {"attn_implementation": "eager"},
        "sdpa": {"attn_implementation": "sdpa"},
        "flash-attention-2": {"attn_implementation": "flash_attention_2"},
        **{component: {"optim": word} for component, word in shared.OPTIMIZER_WORDS.items()},
        **{component: {"lr_scheduler_type": word} for component, word in shared.SCHEDULER_WORDS.items()},
    },
    knobs={knob: path for path, knob in reversed(_SETTINGS)}
    | {knob: path for path, knob in shared.INTERVALS.items()}
    | {"data.sequence_length": "max_length", "eval.strategy": "eval_strategy"},
    default_places=frozenset({"model_name_or_path"}),
    neighbours={
        **shared.NEIGHBOURS,
        "load_in_4bit": ("use_peft", "model_name_or_path"),
        "load_in_8bit": ("use_peft", "model_name_or_path"),
        "attn_implementation": ("model_name_or_path",),
        "gradient_accumulation_steps": ("per_device_train_batch_size",),
    },
)
