"""By which keys a configuration of another tool is known: by content alone, and only where no other tool's has the same.

Light on purpose: folders and editors ask this of every YAML file.
"""

import re
from collections.abc import Collection

HEAD = 1 << 16
"""Keys are looked for in so many characters."""
NATIVE = "recipeforge"

MARKS: dict[str, tuple[frozenset[str], ...]] = {
    "axolotl": (
        frozenset({"base_model"}),
        frozenset({"datasets", "pretraining_dataset", "micro_batch_size", "sequence_len", "adapter", "val_set_size", "num_epochs"}),
    ),
    "llamafactory": (
        frozenset({"model_name_or_path"}),
        frozenset({"stage", "finetuning_type", "cutoff_len", "dataset_dir", "quantization_bit"}),
    ),
    "torchtune": (frozenset({"model"}), frozenset({"tokenizer"}), frozenset({"checkpointer"}), frozenset({"optimizer"})),
    "trl": (
        frozenset({"model_name_or_path"}),
        frozenset({"dataset_name", "datasets", "dataset_mixer"}),
        frozenset({"output_dir", "per_device_train_batch_size", "learning_rate", "use_peft", "num_train_epochs", "max_length"}),
    ),
}
"""Dialect → sets of top-level keys, of each of which one has to be there. The first dialect that fits counts."""

NOT_READ: dict[str, tuple[frozenset[str], ...]] = {
    "LLaMA-Factory's v1": (
        frozenset({"model"}),
        frozenset({"peft_config", "dist_config", "kernel_config", "quant_config", "model_class", "sample_backend"}),
    ),
}
"""What is known to be a configuration of a tool, and not read: another program under the same name, with keys of its own."""

_TOP_LEVEL = re.compile(r"^\ufeff?([A-Za-z_][\w-]*)[ \t]*:(?=[ \t\r\n]|$)", re.MULTILINE)


def dialect_by(keys: Collection[str]) -> str | None:
    """Return the dialect that top-level keys belong to; `None` for a native recipe and for what nobody knows."""
    if NATIVE in keys:
        return None
    present = frozenset(keys)
    return next((name for name, marks in MARKS.items() if all(any_of & present for any_of in marks)), None)


def not_read(keys: Collection[str]) -> str | None:
    """Return the tool that top-level keys belong to, where its configurations are known and not read."""
    present = frozenset(keys)
    return next((name for name, marks in NOT_READ.items() if all(any_of & present for any_of in marks)), None)


def dialect_of_text(text: str) -> str | None:
    """Return the dialect that a text seems to be written in, without parsing it."""
    return dialect_by(_TOP_LEVEL.findall(text, 0, HEAD))
