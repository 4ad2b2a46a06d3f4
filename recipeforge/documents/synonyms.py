"""What other tools call the keys of a recipe. A key that is unknown here but known there is answered with its place here.

A target `group.name` is a knob, a target without a dot a key of the recipe.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switch:
    """A boolean elsewhere that is a component here."""

    slot: str
    component: str


KEYS: dict[str, str | Switch] = {
    # the recipe itself
    "base_model": "model",
    "base_model_name": "model",
    "model_id": "model",
    "model_name": "model",
    "model_name_or_path": "model",
    "model_path": "model",
    "pretrained_model_name_or_path": "model",
    "version": "recipeforge",
    "forge": "recipeforge",
    "title": "name",
    "run_name": "name",
    "random_seed": "seed",
    "random_state": "seed",
    "versions": "packages",
    "requirements": "packages",
    "library": "framework",
    # slots
    "adapter": "technique",
    "finetuning_type": "technique",
    "method": "technique",
    "peft": "technique",
    "peft_type": "technique",
    "loss": "objective",
    "rl": "objective",
    "stage": "objective",
    "task": "objective",
    "quant": "quantization",
    "quantization_config": "quantization",
    "quantization_method": "quantization",
    "optim": "optimizer",
    "lr_scheduler": "scheduler",
    "lr_scheduler_type": "scheduler",
    "dtype": "precision",
    "torch_dtype": "precision",
    "mixed_precision": "precision",
    "attn_implementation": "attention",
    "attn": "attention",
    "kernel": "kernels",
    "parallelism": "distributed",
    "regularisation": "regularization",
    "quantisation": "quantization",
    "optimiser": "optimizer",
    "inference": "export",
    "serving": "export",
    "serve": "export",
    "generation": "rollout",
    "benchmarks": "evaluation",
    "metrics": "evaluation",
    # groups
    "dataset": "data",
    "datasets": "data",
    "training": "train",
    "trainer": "train",
    "trainer_args": "train",
    "training_args": "train",
    "limits": "budget",
    # technique
    "r": "technique.rank",
    "lora_r": "technique.rank",
    "lora_rank": "technique.rank",
    "lora_alpha": "technique.alpha",
    "lora_dropout": "technique.dropout",
    "lora_target": "technique.targets",
    "lora_target_modules": "technique.targets",
    "target_modules": "technique.targets",
    "lora_bias": "technique.bias",
    "num_virtual_tokens": "technique.virtual_tokens",
    "freeze_trainable_layers": "technique.trainable_layers",
    # objective
    "num_generations": "objective.generations",
    "kl_coef": "objective.beta",
    "precompute_ref_log_probs": "objective.precompute_reference",
    "sync_ref_model": "objective.sync_reference",
    "completion_only_loss": "objective.completion_only",
    "train_on_completions_only": "objective.completion_only",
    # quantization
    "bnb_4bit_quant_type": "quantization.quant_type",
    "bnb_4bit_use_double_quant": "quantization.double_quant",
    "use_double_quant": "quantization.double_quant",
    "bnb_4bit_quant_storage": "quantization.quant_storage",
    "quantization_bit": "quantization.bits",
    "load_in_4bit": Switch("quantization", "bnb-4bit"),
    "load_in_8bit": Switch("quantization", "bnb-8bit"),
    # optimizer
    "lr": "optimizer.learning_rate",
    "learning_rate": "optimizer.learning_rate",
    "max_lr": "optimizer.learning_rate",
    "wd": "optimizer.weight_decay",
    "weight_decay": "optimizer.weight_decay",
    "adam_beta1": "optimizer.beta1",
    "adam_beta2": "optimizer.beta2",
    "adam_epsilon": "optimizer.epsilon",
    "eps": "optimizer.epsilon",
    "optim_target_modules": "optimizer.target_modules",
    # scheduler
    "warmup": "scheduler.warmup_steps",
    "num_warmup_steps": "scheduler.warmup_steps",
    "warmup_steps": "scheduler.warmup_steps",
    "warmup_ratio": "scheduler.warmup_ratio",
    "min_learning_rate": "scheduler.min_lr",
    "num_cycles": "scheduler.cycles",
    # precision
    "bf16": Switch("precision", "bf16"),
    "fp16": Switch("precision", "fp16"),
    "fp8": Switch("precision", "fp8"),
    # attention
    "flash_attention": Switch("attention", "flash-attention-2"),
    "flash_attn": Switch("attention", "flash-attention-2"),
    "use_flash_attention": Switch("attention", "flash-attention-2"),
    "use_flash_attention_2": Switch("attention", "flash-attention-2"),
    "sdp_attention": Switch("attention", "sdpa"),
    "xformers_attention": Switch("attention", "xformers"),
    # memory savers and kernels
    "gradient_checkpointing": Switch("memory", "gradient-checkpointing"),
    "activation_checkpointing": Switch("memory", "gradient-checkpointing"),
    "enable_activation_checkpointing": Switch("memory", "gradient-checkpointing"),
    "activation_offloading": Switch("memory", "activation-offloading"),
    "optimizer_in_bwd": Switch("memory", "optimizer-in-backward"),
    "use_reentrant": "memory.use_reentrant",
    "use_liger_kernel": Switch("kernels", "liger"),
    "liger_kernel": Switch("kernels", "liger"),
    "use_unsloth": Switch("kernels", "unsloth"),
    "torch_compile": Switch("kernels", "torch-compile"),
    "compile": Switch("kernels", "torch-compile"),
    "tf32": Switch("kernels", "tf32"),
    # distribution
    "fsdp": "distributed",
    "deepspeed": "distributed",
    "strategy": "distributed",
    # rollout engine, evaluation and export
    "use_vllm": Switch("rollout", "vllm-colocate"),
    "vllm_tensor_parallel_size": "rollout.tensor_parallel",
    "early_stopping_patience": "evaluation.patience",
    "predict_with_generate": Switch("evaluation", "generated-answers"),
    "merge_lora": Switch("export", "merge-adapter"),
    "push_to_hub": Switch("export", "hub-push"),
    "max_lora_rank": "export.max_rank",
    "save_only_model": "train.save_only_model",
    # regularization and learning-rate groups
    "neftune_noise_alpha": "regularization.noise_alpha",
    "noisy_embedding_alpha": "regularization.noise_alpha",
    "label_smoothing_factor": "regularization.smoothing",
    "loraplus_lr_ratio": "lr_groups.ratio",
    # data
    "dataset_path": "data.source",
    "dataset_name": "data.source",
    "path": "data.source",
    "file": "data.source",
    "train_file": "data.source",
    "template": "data.format",
    "type": "data.format",
    "cutoff_len": "data.sequence_length",
    "max_len": "data.sequence_length",
    "max_length": "data.sequence_length",
    "max_seq_len": "data.sequence_length",
    "max_seq_length": "data.sequence_length",
    "seq_len": "data.sequence_length",
    "seq_length": "data.sequence_length",
    "seqlen": "data.sequence_length",
    "sequence_len": "data.sequence_length",
    "context_length": "data.sequence_length",
    "sample_packing": "data.packing",
    "packing": "data.packing",
    "padding_free": "data.padding_free",
    "streaming": "data.streaming",
    "max_samples": "data.limit",
    "val_size": "data.validation",
    "val_set_size": "data.validation",
    "validation_split": "data.validation",
    # batch
    "batch_size": "batch.micro",
    "micro_batch_size": "batch.micro",
    "per_device_train_batch_size": "batch.micro",
    "per_device_batch_size": "batch.micro",
    "size": "batch.micro",
    "grad_accum": "batch.accumulate",
    "gradient_accumulation": "batch.accumulate",
    "gradient_accumulation_steps": "batch.accumulate",
    "accumulation_steps": "batch.accumulate",
    # train and eval
    "epoch": "train.epochs",
    "epochs": "train.epochs",
    "num_epochs": "train.epochs",
    "num_train_epochs": "train.epochs",
    "max_steps": "train.steps",
    "num_steps": "train.steps",
    "max_steps_per_epoch": "train.steps",
    "max_grad_norm": "train.gradient_clip",
    "clip_grad_norm": "train.gradient_clip",
    "gradient_clipping": "train.gradient_clip",
    "save_steps": "train.save_every",
    "logging_steps": "train.log_every",
    "log_every_n_steps": "train.log_every",
    "load_best_model_at_end": "train.keep_best",
    "output_dir": "train.output",
    "save_dir": "train.output",
    "eval_steps": "eval.every",
    "eval_strategy": "eval.strategy",
    "evaluation_strategy": "eval.strategy",
    # hardware and budget
    "gpu": "hardware.gpu",
    "device": "hardware.gpu",
    "gpu_type": "hardware.gpu",
    "gpus": "hardware.count",
    "num_gpus": "hardware.count",
    "n_gpus": "hardware.count",
    "world_size": "hardware.count",
    "memory_gb": "budget.memory_gib",
    "vram": "budget.memory_gib",
    "vram_gb": "budget.memory_gib",
    "time": "budget.wall_clock",
    "max_time": "budget.wall_clock",
    "cost": "budget.cost_usd",
    "price": "budget.cost_usd",
}
"""Spelling elsewhere (lower case, underscores) → target here. A target that the catalog lacks is passed over."""

FOREIGN = (
    ("Axolotl", frozenset({"base_model", "adapter", "micro_batch_size", "datasets", "sequence_len", "val_set_size"})),
    ("LLaMA-Factory", frozenset({"model_name_or_path", "finetuning_type", "stage", "do_train", "cutoff_len", "template"})),
    ("TRL", frozenset({"model_name_or_path", "per_device_train_batch_size", "use_peft", "lora_r", "dataset_name", "num_train_epochs"})),
    ("torchtune", frozenset({"tokenizer", "checkpointer", "metric_logger", "loss", "resume_from_checkpoint", "lr_scheduler"})),
)
"""Keys by which a file of another tool is recognised: two of them are enough."""


def synonym(key: str) -> str | Switch | None:
    """Return what another tool's key is called here."""
    return KEYS.get(key.strip().lower().replace("-", "_"))


def foreign_tool(keys: frozenset[str]) -> str | None:
    """Return the tool whose configuration these top-level keys look like."""
    scored = [(len(keys & known), name) for name, known in FOREIGN]
    score, name = max(scored, key=lambda pair: pair[0])
    return name if score >= 2 else None
