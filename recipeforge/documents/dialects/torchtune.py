"""torchtune's YAML: what a part is stands in its `_component_`, the dotted name of what builds it."""

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.dialect import Dialect

_PART = "_component_"
_OPTIMIZERS = {
    "torch.optim.AdamW": "adamw",
    "torch.optim.Adam": "adamw",
    "torch.optim.SGD": "sgd",
    "bitsandbytes.optim.PagedAdamW8bit": "paged-adamw-8bit",
    "bitsandbytes.optim.AdamW8bit": "adamw-8bit",
    "bitsandbytes.optim.PagedAdamW": "paged-adamw-8bit",
}
_SCHEDULERS = {"get_cosine_schedule_with_warmup": "cosine", "get_rex_scheduler": "rex"}
_DTYPES = {"bf16": "pure-bf16", "fp16": "fp16", "fp32": "fp32"}
_SETTINGS = (
    ("model.lora_rank", "technique.rank"),
    ("model.lora_alpha", "technique.alpha"),
    ("model.lora_dropout", "technique.dropout"),
    ("tokenizer.max_seq_len", "data.sequence_length"),
    ("dataset.packed", "data.packing"),
    ("batch_size", "batch.micro"),
    ("gradient_accumulation_steps", "batch.accumulate"),
    ("epochs", "train.epochs"),
    ("max_steps_per_epoch", "train.steps"),
    ("clip_grad_norm", "train.gradient_clip"),
    ("output_dir", "train.output"),
    ("optimizer.lr", "optimizer.learning_rate"),
    ("optimizer.weight_decay", "optimizer.weight_decay"),
    ("lr_scheduler.num_warmup_steps", "scheduler.warmup_steps"),
)


def _read(config: Config) -> None:
    part = config.text(f"model.{_PART}") or ""
    builder = part.rsplit(".", 1)[-1]
    path = f"model.{_PART}"
    if builder.startswith("qlora_"):
        config.equip("qlora", path)
        config.equip("torchao-nf4", path)
    elif builder.startswith("lora_"):
        switch = config.on("model.use_dora")
        config.equip("dora" if switch else "lora", switch or path)
    else:
        config.equip("full", path)
    config.equip(_OPTIMIZERS.get(config.text(f"optimizer.{_PART}") or "", ""), f"optimizer.{_PART}")
    scheduler = (config.text(f"lr_scheduler.{_PART}") or "").rsplit(".", 1)[-1]
    config.equip(_SCHEDULERS.get(scheduler, "constant"), f"lr_scheduler.{_PART}" if scheduler else "optimizer")
    config.equip(_DTYPES.get(config.text("dtype") or "", ""), "dtype")
    config.each(
        (
            ("enable_activation_checkpointing", "gradient-checkpointing"),
            ("enable_activation_offloading", "activation-offloading"),
            ("optimizer_in_bwd", "optimizer-in-backward"),
            ("compile", "torch-compile"),
        )
    )
    if config.on("fsdp_cpu_offload"):
        config.equip("fsdp2", "fsdp_cpu_offload")
        config.set("hardware.count", 2, "fsdp_cpu_offload")
        config.set("distributed.offload", True, "fsdp_cpu_offload")
    if (degree := config.number("tensor_parallel_dim") or 1) > 1:
        config.equip("tensor-parallel", "tensor_parallel_dim")
        config.set("hardware.count", degree, "tensor_parallel_dim")
    config.settings(_SETTINGS)


TORCHTUNE = Dialect(
    name="torchtune",
    title="torchtune",
    framework="torchtune",
    refuses=False,
    read=_read,
    words={
        "adamw": {"optimizer._component_": "torch.optim.AdamW"},
        "paged-adamw-8bit": {"optimizer._component_": "bitsandbytes.optim.PagedAdamW8bit"},
        "pure-bf16": {"dtype": "bf16"},
        "fp32": {"dtype": "fp32"},
        "gradient-checkpointing": {"enable_activation_checkpointing": True},
        "activation-offloading": {"enable_activation_offloading": True},
        "optimizer-in-backward": {"optimizer_in_bwd": True},
        "torch-compile": {"compile": True},
    },
    knobs={knob: path for path, knob in reversed(_SETTINGS)},
    default_places=frozenset({"optimizer"}),
    neighbours={
        "enable_activation_offloading": ("enable_activation_checkpointing",),
        "enable_activation_checkpointing": ("dtype", "device"),
        "gradient_accumulation_steps": ("batch_size",),
    },
)
