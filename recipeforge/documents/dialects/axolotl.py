"""Axolotl's YAML."""

from recipeforge.documents.dialects import shared
from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.dialect import Dialect
from recipeforge.documents.dialects.sharding import deepspeed, fsdp
from recipeforge.documents.tree import MappingNode

_SETTINGS = (
    *shared.TRAINER,
    ("lora_r", "technique.rank"),
    ("micro_batch_size", "batch.micro"),
    ("sequence_len", "data.sequence_length"),
    ("num_epochs", "train.epochs"),
    ("save_steps", "train.save_every"),
    ("eval_steps", "eval.every"),
    ("val_set_size", "data.validation"),
    ("cosine_min_lr_ratio", "scheduler.min_lr_ratio"),
    ("bnb_config_kwargs.bnb_4bit_use_double_quant", "quantization.double_quant"),
    ("bnb_config_kwargs.bnb_4bit_quant_type", "quantization.quant_type"),
    ("group_by_length", "data.group_by_length"),
    ("streaming", "data.streaming"),
    ("loraplus_lr_ratio", "lr_groups.ratio"),
    ("rl_beta", "objective.beta"),
)
_GENERATIONS = ("trl.num_generations", "objective.generations")
_LEGACY_ATTENTION = (
    ("flash_attention", "flash-attention-2"),
    ("sdp_attention", "sdpa"),
    ("xformers_attention", "xformers"),
    ("flex_attention", "flex-attention"),
    ("sage_attention", "sage-attention"),
    ("s2_attention", "s2-attention"),
    ("eager_attention", "eager"),
)
_SWITCHES = (
    ("tf32", "tf32"),
    ("cut_cross_entropy", "cut-cross-entropy"),
    ("liger_fused_linear_cross_entropy", "liger-fused-linear-cross-entropy"),
    ("liger_cross_entropy", "liger-cross-entropy"),
    ("liger_rope", "liger-rope"),
    ("liger_rms_norm", "liger-rms-norm"),
    ("liger_layer_norm", "liger-layer-norm"),
    ("liger_glu_activation", "liger-swiglu"),
    ("chunked_cross_entropy", "fused-cross-entropy"),
    ("lora_mlp_kernel", "lora-kernels"),
    ("lora_qkv_kernel", "lora-kernels"),
    ("lora_o_kernel", "lora-kernels"),
    ("torch_compile", "torch-compile"),
    ("torch_compile_options.triton.cudagraphs", "cuda-graphs"),
)
_ATTENTION_WORDS = {
    "eager": "eager",
    "sdpa": "sdpa",
    "flash-attention-2": "flash_attention_2",
    "flash-attention-3": "flash_attention_3",
    "flex-attention": "flex_attention",
    "xformers": "xformers",
    "sage-attention": "sage",
}
_OBJECTIVES = {"dpo": "dpo", "ipo": "ipo", "kto": "kto", "orpo": "orpo", "simpo": "simpo", "grpo": "grpo"}


def _read(config: Config) -> None:
    config.model("base_model")
    _technique(config)
    _quantization(config)
    shared.optimizer(config, "optimizer")
    if config.text("optimizer") == "muon":
        config.set("optimizer.auxiliary", "adamw", "optimizer")  # its Muon gives AdamW what it does not take
    _scheduler(config)
    _precision(config)
    _attention(config)
    _memory(config)
    config.each(_SWITCHES)
    _data(config)
    _objective(config)
    deepspeed(config, "deepspeed")
    version = config.number("fsdp_version") or config.number("fsdp_config.fsdp_version")
    fsdp(config, "fsdp", "fsdp_config", version or (1 if config.node("fsdp") else 2))  # since 0.20; the list is FSDP1's way
    _storage(config)
    _parallel(config)
    _evaluation(config)
    config.settings(_SETTINGS)
    shared.neftune(config)
    if config.number("loraplus_lr_ratio"):
        config.equip("lora-plus", "loraplus_lr_ratio")


def _technique(config: Config) -> None:
    adapter = config.text("adapter")
    if adapter is None:
        config.equip("full", "base_model")
    elif adapter not in ("lora", "qlora"):
        config.named("technique", "adapter")
    elif config.on("relora"):
        config.equip("relora", "relora")
    elif adapter == "qlora":
        config.equip("qlora", "adapter")
    elif path := config.on("peft_use_dora"):
        config.equip("dora", path)
    elif path := config.on("peft_use_rslora"):
        config.equip("rslora", path)
    elif config.text("peft_init_lora_weights") in ("pissa", "loftq", "eva", "olora", "corda"):
        config.named("technique", "peft_init_lora_weights")
    else:
        config.equip("lora", "adapter")
    if config.on("lora_target_linear"):
        config.set("technique.targets", "all-linear", "lora_target_linear")
    else:
        shared.targets(config, "lora_target_modules")
    if {"embed_tokens", "lm_head"} & set(config.words("lora_modules_to_save")):
        config.set("technique.train_embeddings", True, "lora_modules_to_save")


def _quantization(config: Config) -> None:
    nf4 = "torchao-nf4" if config.text("nf4_backend") == "torchao" else "bnb-4bit"
    config.each((("load_in_4bit", nf4), ("load_in_8bit", "bnb-8bit"), ("gptq", "gptq")))
    if isinstance(config.node("qat"), MappingNode):
        config.equip("qat", "qat")
    kind = config.text("model_quantization_config")
    if config.on("model_quantization_config_kwargs.dequantize"):
        return
    if kind in ("Mxfp4Config", "FineGrainedFP8Config"):
        config.equip("mxfp4" if kind == "Mxfp4Config" else "fp8-base", "model_quantization_config")


def _storage(config: Config) -> None:
    """Where FSDP shards 4-bit weights, it counts what they are packed in: bf16, unless Axolotl is told otherwise."""
    held = {equipped.component for equipped in config.out.equipped}
    if {"bnb-4bit", "qlora"} <= held and held & {"fsdp1", "fsdp2"} and config.entry("bnb_config_kwargs.bnb_4bit_quant_storage") is None:
        config.set("quantization.quant_storage", "bf16", "load_in_4bit")
        config.said_by.pop("quantization.quant_storage", None)  # what would change it is another key


def _scheduler(config: Config) -> None:
    if config.number("cosine_min_lr_ratio") is not None and config.text("lr_scheduler") in (None, "cosine"):
        config.equip("cosine-min-lr", "cosine_min_lr_ratio")
    elif config.text("lr_scheduler") is not None:
        shared.scheduler(config, "lr_scheduler")
    else:
        config.equip("cosine", "base_model")  # what Axolotl falls back to
    shared.warmup(config)


def _precision(config: Config) -> None:
    if config.on("fp8"):
        config.equip("fp8", "fp8")
    for path, component in shared.MIXED:
        # `full` keeps the weights in that format too; `auto` takes bf16 where the GPU has it, else fp16.
        value = config.value(path)
        dtypes = config.gpu.get("dtypes")
        if value == "auto" and isinstance(dtypes, tuple) and "bf16" not in dtypes:
            config.equip("fp16", path)
        elif value == "full" and component == "bf16":
            config.equip("pure-bf16", path)
        elif value is True or value in ("auto", "full"):
            config.equip(component, path)


def _attention(config: Config) -> None:
    if config.text("attn_implementation") is not None:
        if config.text("attn_implementation") == "sage":
            config.equip("sage-attention", "attn_implementation")
        elif config.text("attn_implementation") == "fp8":
            config.equip("fp8-attention", "attn_implementation")
        else:
            shared.attention(config, "attn_implementation")
    config.each(_LEGACY_ATTENTION)


def _memory(config: Config) -> None:
    checkpointing = config.value("gradient_checkpointing")
    if checkpointing is True or checkpointing in ("offload", "offload_disk", "unsloth"):
        config.equip("gradient-checkpointing", "gradient_checkpointing")
    if checkpointing in ("offload", "unsloth"):
        config.equip("offloaded-checkpointing", "gradient_checkpointing")
    offloading = config.value("activation_offloading")
    if offloading == "disk" or checkpointing == "offload_disk":
        config.equip("activation-offloading-to-disk", "activation_offloading" if offloading else "gradient_checkpointing")
    elif offloading is True or offloading == "legacy":
        config.equip("activation-offloading", "activation_offloading")
    elif offloading == "hidden_states":  # the inputs of layers alone, inside checkpointing
        config.equip("offloaded-checkpointing", "activation_offloading")
    if config.node("selective_checkpointing") is not None and config.value("selective_checkpointing") is not False:
        config.equip("selective-checkpointing", "selective_checkpointing")


def _data(config: Config) -> None:
    if config.node("pretraining_dataset") is not None:
        config.set("data.streaming", True, "pretraining_dataset")
    if path := config.on("sample_packing"):
        config.set("data.packing", True, path)
    elif config.value("sample_packing") is False:
        config.set("data.packing", False, "sample_packing")
    if not path and (path := config.on("batch_flattening")):  # `auto` turns itself off where the attention cannot
        config.set("data.padding_free", True, path)


def _evaluation(config: Config) -> None:
    """Without held-out rows there is none; an interval means steps, else the strategy counts."""
    if not config.number("val_set_size") and config.node("test_datasets") is None:
        if config.entry("val_set_size") is not None:
            config.set("eval.strategy", "none", "val_set_size")
            config.said_by.pop("eval.strategy", None)  # what would change it is another key
    elif path := next((path for path in ("eval_steps", "evals_per_epoch") if config.number(path)), None):
        config.set("eval.strategy", "steps", path)
    else:
        word = "no" if config.value("eval_strategy") is False else config.text("eval_strategy")
        if word in shared.STRATEGIES:
            config.set("eval.strategy", shared.STRATEGIES[word], "eval_strategy")


def _objective(config: Config) -> None:
    rl = config.text("rl")
    if rl is not None:
        if rl in _OBJECTIVES:
            config.equip(_OBJECTIVES[rl], "rl")
        else:
            config.named("objective", "rl")
        if rl == "grpo":  # other trainers that sample are no objectives of ours
            config.settings((_GENERATIONS,))
    elif path := config.on("process_reward_model"):
        config.equip("process-reward", path)
    elif path := config.on("reward_model"):
        config.equip("reward", path)
    elif config.node("pretraining_dataset") is not None:
        config.equip("pretrain", "pretraining_dataset")


def _parallel(config: Config) -> None:
    for path, component in (
        ("tensor_parallel_size", "tensor-parallel"),
        ("context_parallel_size", "context-parallel"),
        ("sequence_parallel_degree", "context-parallel"),
        ("expert_parallel_size", "expert-parallel"),
    ):
        if (degree := config.number(path) or 1) > 1 and not config.on("use_glm_dsa_kernels"):  # those split for themselves
            config.equip(component, path)
            config.set("hardware.count", degree, path)


AXOLOTL = Dialect(
    name="axolotl",
    title="Axolotl",
    framework="axolotl",
    refuses=False,
    read=_read,
    words={
        "full": {"adapter": None},
        "lora": {"adapter": "lora"},
        "qlora": {"adapter": "qlora"},
        "dora": {"adapter": "lora", "peft_use_dora": True},
        "rslora": {"adapter": "lora", "peft_use_rslora": True},
        "bnb-4bit": {"load_in_4bit": True},
        "bnb-8bit": {"load_in_8bit": True},
        "bf16": {"bf16": True},
        "fp16": {"fp16": True},
        **{component: {"attn_implementation": word} for component, word in _ATTENTION_WORDS.items()},
        **{component: {"optimizer": word} for component, word in shared.OPTIMIZER_WORDS.items()},
        **{component: {"lr_scheduler": word} for component, word in shared.SCHEDULER_WORDS.items()},
        "gradient-checkpointing": {"gradient_checkpointing": True},
        "activation-offloading": {"activation_offloading": True},
        "tf32": {"tf32": True},
        "torch-compile": {"torch_compile": True},
    },
    knobs={knob: path for path, knob in reversed(_SETTINGS)}
    | {_GENERATIONS[1]: _GENERATIONS[0]}
    | {"data.packing": "sample_packing", "data.padding_free": "batch_flattening", "scheduler.warmup_ratio": "warmup_ratio"},
    default_places=frozenset({"base_model"}),
    neighbours={
        "adapter": ("load_in_4bit", "load_in_8bit", "sequence_len", "base_model"),
        "load_in_4bit": ("adapter", "base_model"),
        "load_in_8bit": ("adapter", "base_model"),
        "peft_use_dora": ("adapter",),
        "peft_use_rslora": ("adapter",),
        "attn_implementation": ("gradient_checkpointing", "tf32", "bf16"),
        "gradient_checkpointing": ("tf32", "bf16", "fp16", "learning_rate"),
        "activation_offloading": ("gradient_checkpointing",),
        "optimizer": ("micro_batch_size", "num_epochs"),
        "bf16": ("fp16", "learning_rate"),
        "fp16": ("bf16", "learning_rate"),
        "tf32": ("bf16", "fp16"),
    },
)
