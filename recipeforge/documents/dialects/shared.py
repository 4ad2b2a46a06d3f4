"""What several tools write alike: the keys of Hugging Face's trainer, its names for optimizers and schedulers, adapters, evaluation."""

import json
from typing import Any, cast

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.tree import MappingNode

TRAINER = (
    ("gradient_accumulation_steps", "batch.accumulate"),
    ("max_steps", "train.steps"),
    ("max_grad_norm", "train.gradient_clip"),
    ("save_only_model", "train.save_only_model"),
    ("load_best_model_at_end", "train.keep_best"),
    ("logging_steps", "train.log_every"),
    ("output_dir", "train.output"),
    ("learning_rate", "optimizer.learning_rate"),
    ("weight_decay", "optimizer.weight_decay"),
    ("adam_beta1", "optimizer.beta1"),
    ("adam_beta2", "optimizer.beta2"),
    ("adam_epsilon", "optimizer.epsilon"),
    ("neftune_noise_alpha", "regularization.noise_alpha"),
    ("gradient_checkpointing_kwargs.use_reentrant", "memory.use_reentrant"),
    ("torch_compile_mode", "kernels.mode"),
    ("dataloader_num_workers", "data.workers"),
    ("dataloader_prefetch_factor", "data.prefetch"),
    ("lora_alpha", "technique.alpha"),
    ("lora_dropout", "technique.dropout"),
)
"""Keys of Hugging Face's trainer and of PEFT that every tool on them takes, and their knobs."""
ARGUMENTS = (*TRAINER, ("per_device_train_batch_size", "batch.micro"), ("num_train_epochs", "train.epochs"))
"""The same where the tool hands all keys of `TrainingArguments` on as they are."""
INTERVALS = {"save_steps": "train.save_every", "eval_steps": "eval.every"}
SWITCHES = (("tf32", "tf32"), ("torch_compile", "torch-compile"))
LIGER = {
    "liger-rope": ("rope",),
    "liger-rms-norm": ("rms_norm",),
    "liger-swiglu": ("swiglu", "geglu"),  # which of the two a model has, Liger knows
    "liger-layer-norm": ("layer_norm",),
    "liger-cross-entropy": ("cross_entropy",),
    "liger-fused-linear-cross-entropy": ("fused_linear_cross_entropy",),
}
"""Kernel of Liger → its names in `liger_kernel_config`."""
_LIGER_BY_ITSELF = frozenset({"liger-rope", "liger-rms-norm", "liger-swiglu"})
STRATEGIES = {"no": "none", "steps": "steps", "epoch": "epoch"}
EVALUATIONS = {("eval.strategy", ours): {"eval_strategy": theirs} for theirs, ours in STRATEGIES.items()}
"""When held-out rows are looked at, in the trainer's words."""
NEIGHBOURS = {
    "eval_strategy": ("eval_steps", "load_best_model_at_end", "save_strategy", "save_steps"),
    "eval_steps": ("eval_strategy", "evaluation_strategy"),
    "val_size": ("eval_steps", "eval_strategy"),
}
"""Key → keys behind which it goes where it is new, the best first."""

OPTIMIZERS = {
    "adam": "adamw",
    "adamw": "adamw",
    "adamw_hf": "adamw",
    "adamw_apex_fused": "adamw",
    "adamw_anyprecision": "adamw",
    "paged_adamw": "paged-adamw-8bit",
    "galore_adamw_layerwise": "galore",
    "galore_adamw_8bit": "galore",
    "galore_adamw_8bit_layerwise": "galore",
    "galore_adafactor": "galore",
    "galore_adafactor_layerwise": "galore",
    "apollo_adamw_layerwise": "apollo",
    "q_galore_adamw8bit": "q-galore",
}
"""Names for what the catalog has under another, besides the aliases there."""

OPTIMIZER_WORDS = {
    "adamw": "adamw_torch",
    "adamw-8bit": "adamw_8bit",
    "paged-adamw-8bit": "paged_adamw_8bit",
    "paged-adamw-32bit": "paged_adamw_32bit",
    "adamw-torchao-8bit": "adamw_torch_8bit",
    "adamw-torchao-4bit": "adamw_torch_4bit",
    "lion": "lion_32bit",
    "lion-8bit": "lion_8bit",
    "ademamix": "ademamix",
    "ademamix-8bit": "ademamix_8bit",
    "adafactor": "adafactor",
    "lomo": "lomo",
    "adalomo": "adalomo",
    "grokadamw": "grokadamw",
    "stable-adamw": "stable_adamw",
    "schedule-free-adamw": "schedule_free_adamw",
    "rmsprop": "rmsprop",
    "adagrad": "adagrad",
    "sgd": "sgd",
}
SCHEDULER_WORDS = {
    "constant": "constant",
    "constant-with-warmup": "constant_with_warmup",
    "linear": "linear",
    "cosine": "cosine",
    "cosine-restarts": "cosine_with_restarts",
    "polynomial": "polynomial",
    "inverse-sqrt": "inverse_sqrt",
}
"""Component → what Hugging Face's trainer calls it."""

SCHEDULE_ARGUMENTS = {
    "cosine_with_restarts": {"num_cycles": "scheduler.cycles"},
    "cosine_with_min_lr": {"min_lr": "scheduler.min_lr", "min_lr_rate": "scheduler.min_lr_ratio"},
    "cosine_warmup_with_min_lr": {"min_lr": "scheduler.min_lr", "min_lr_rate": "scheduler.min_lr_ratio"},
    "warmup_stable_decay": {
        "num_decay_steps": "scheduler.decay_steps",
        "num_stable_steps": "scheduler.stable_steps",
        "min_lr_ratio": "scheduler.min_lr_ratio",
    },
    "polynomial": {"power": "scheduler.power", "lr_end": "scheduler.min_lr"},
    "reduce_lr_on_plateau": {"patience": "scheduler.patience", "factor": "scheduler.gamma", "min_lr": "scheduler.min_lr"},
    "greedy": {"patience": "scheduler.patience", "min_lr": "scheduler.min_lr"},
}
"""Schedule → what Hugging Face's trainer passes to it from `lr_scheduler_kwargs`, and the knob that it is."""

LAYERWISE = "_layerwise"
MIXED = (("bf16", "bf16"), ("bfloat16", "bf16"), ("fp16", "fp16"), ("float16", "fp16"))
MLP_MODULES = frozenset({"gate_proj", "up_proj", "down_proj", "mlp"})
ATTENTION_MODULES = frozenset({"q_proj", "k_proj", "v_proj", "o_proj", "output_proj", "qkv_proj"})


def optimizer(config: Config, path: str) -> None:
    """Equip the optimizer that a path names as Hugging Face's trainer does."""
    word = config.text(path)
    if word is None:
        return
    known = OPTIMIZERS.get(word)
    if known is None:
        config.named("optimizer", path)
    else:
        config.equip(known, path)
    if word.endswith(LAYERWISE):
        config.set("optimizer.layerwise", True, path)
    _projected(config, "optim_target_modules")


def _projected(config: Config, path: str) -> None:
    """Say which matrices a low-rank optimizer projects; where the list fits no word of ours, all of them."""
    words = set(config.words(path))
    if words:
        known = [name for name, modules in (("attention", ATTENTION_MODULES), ("mlp", MLP_MODULES)) if words <= modules]
        config.set("optimizer.target_modules", known[0] if known else "all-linear", path)


def scheduler(config: Config, path: str) -> None:
    """Equip the schedule that a path names as Hugging Face's trainer does, with its arguments."""
    if config.text(path) is not None:
        config.named("scheduler", path)
    known = SCHEDULE_ARGUMENTS.get(config.text(path) or "", {})
    config.settings([(f"lr_scheduler_kwargs.{argument}", knob) for argument, knob in known.items()])
    in_json = _json_mapping(config.text("lr_scheduler_kwargs"))
    for argument in sorted(known.keys() & in_json.keys()):
        config.set(known[argument], in_json[argument], "lr_scheduler_kwargs")


def _json_mapping(word: str | None) -> dict[str, Any]:
    """Return the mapping that a word holds in JSON, as command lines have it and the trainer takes it from a file too."""
    try:
        found = json.loads(word or "{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def targets(config: Config, path: str, everything: tuple[str, ...] = ("all-linear", "all")) -> None:
    """Say which layers get an adapter, where a list of modules says it clearly."""
    words = config.words(path)
    if any(word in everything for word in words):
        config.set("technique.targets", "all-linear", path)
    elif words and ATTENTION_MODULES.issuperset(words):
        config.set("technique.targets", "attention", path)


def warmup(config: Config) -> None:
    """Read the warm-up: a share of the run, or a number of steps; below 1 newer trainers take `warmup_steps` for a share."""
    config.settings([("warmup_ratio", "scheduler.warmup_ratio")])
    steps = config.number("warmup_steps")
    if steps is not None and 0 < steps < 1:
        config.set("scheduler.warmup_ratio", steps, "warmup_steps")
    elif steps is not None:
        config.set("scheduler.warmup_steps", steps, "warmup_steps")


def evaluation(config: Config, *paths: str) -> None:
    """Read when held-out rows are looked at, from the first of some paths that says it, and the interval of saving where it counts."""
    path = next((path for path in paths if config.entry(path) is not None), None)
    if path is not None:
        word = "no" if config.value(path) is False else config.text(path)  # a bare `no` is a boolean
        if word in STRATEGIES:
            config.set("eval.strategy", STRATEGIES[word], path)
    config.settings([("eval_steps", INTERVALS["eval_steps"])])
    if config.text("save_strategy") in (None, "steps") and config.value("save_strategy") is not False:
        config.settings([("save_steps", INTERVALS["save_steps"])])


def sampling(config: Config) -> None:
    """Read in which order rows are taken."""
    if config.text("train_sampling_strategy") == "group_by_length":
        config.set("data.group_by_length", True, "train_sampling_strategy")


def liger(config: Config, *, fused: bool) -> None:
    """Equip Liger's kernels: as a whole, or one by one where they are chosen; `fused` tells whether the fused loss is among them."""
    if not config.on("use_liger_kernel"):
        return
    if not isinstance(config.node("liger_kernel_config"), MappingNode):
        config.equip("liger", "use_liger_kernel")
        return
    for component, names in LIGER.items():
        paths = [path for name in names if config.value(path := f"liger_kernel_config.{name}") is not None]
        by_itself = component in _LIGER_BY_ITSELF or (fused and component == "liger-fused-linear-cross-entropy")
        if on := config.on(*paths):
            config.equip(component, on)
        elif by_itself and not paths:
            config.equip(component, "use_liger_kernel")


def attention(config: Config, path: str) -> None:
    """Equip the attention that a path names; an implementation that the catalog lacks is some other than the default."""
    if not config.named("attention", path) and config.text(path) is not None:
        config.out.unsettled |= {"attention"}


def neftune(config: Config) -> None:
    """Equip the noise on embeddings where its strength is not 0."""
    if config.number("neftune_noise_alpha"):
        config.equip("neftune", "neftune_noise_alpha")


def several_devices(config: Config, path: str) -> None:
    """Where work is split, there are devices to split it over: two, until somebody says how many."""
    config.set("hardware.count", 2, path)
