"""Technique parts. `build(model, values, formats) -> model` with exactly the wished weights trainable."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from recipeforge.runner.packages import Need
from recipeforge.runner.parts.ends import scores
from recipeforge.runner.parts.precision import Formats
from recipeforge.runner.parts.registry import Objection, Part, Values, Wishes, reads
from recipeforge.schemas.errors import RunError

PEFT = Need("peft", "puts the adapter into the model", minimum="0.20")
_BIAS = {"none": "none", "all": "all", "adapter-only": "lora_only"}
_ATTENTION_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj", "query_key_value", "c_attn", "Wqkv", "out_proj")


def train_everything(model: Any, values: Values, formats: Formats) -> Any:
    """Full fine-tuning: every weight trains."""
    model.requires_grad_(True)
    return model


def targets_in(model: Any, wish: str) -> str | list[str]:
    """Return the layers that a recipe's `targets` means in this model, as peft takes them.

    Raises:
        RunError: its attention layers have unknown names.
    """
    if wish == "all-linear":
        return wish
    present = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    chosen = [name for name in _ATTENTION_LAYERS if name in present]
    if not chosen:
        raise RunError(
            "technique.targets: attention: this model's attention layers have names the engine does not know; use `targets: all-linear`"
        )
    return chosen


def task_of(model: Any) -> str:
    """Return what peft calls the model's task: with one of scores, the head trains and is saved in full."""
    return "SEQ_CLS" if scores(model) else "CAUSAL_LM"


def _embedding_names(model: Any) -> list[str]:
    wanted = {id(m) for m in (model.get_input_embeddings(), model.get_output_embeddings()) if m is not None}
    return [name.rsplit(".", 1)[-1] for name, module in model.named_modules() if id(module) in wanted]


def lora(**flags: Any):
    """Return the builder of a LoRA adapter with these settings of peft's configuration besides the recipe's."""

    def build(model: Any, values: Values, formats: Formats) -> Any:
        from peft import LoraConfig, get_peft_model

        model = ready_for_training(model)
        embeddings = bool(values["technique.train_embeddings"])
        options: dict[str, Any] = {
            "r": int(values["technique.rank"]),
            "lora_alpha": values["technique.alpha"],
            "lora_dropout": float(values["technique.dropout"]),
            "target_modules": targets_in(model, str(values["technique.targets"])),
            "bias": _BIAS[str(values["technique.bias"])],
            "modules_to_save": _embedding_names(model) if embeddings else None,
            "lora_bias": bool(values.get("technique.lora_bias", False)),
            "ensure_weight_tying": embeddings and bool(model.config.get_text_config().tie_word_embeddings),
        }
        config = LoraConfig(task_type=task_of(model), **options, **flags)
        return get_peft_model(model, config, autocast_adapter_dtype=formats.trained == "float32")

    return build


def ready_for_training(model: Any) -> Any:
    """Over a quantized base, norms, embeddings and the head go to fp32, as peft advises for training."""
    from peft import prepare_model_for_kbit_training

    return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False) if getattr(model, "is_quantized", False) else model


def restore_adapter(base: Any, folder: Path, formats: Formats) -> Any:
    """Put a saved adapter on a base model."""
    from peft import PeftModel

    return PeftModel.from_pretrained(ready_for_training(base), str(folder), autocast_adapter_dtype=formats.trained == "float32")


def _four_bit_base(wishes: Wishes) -> Iterable[Objection]:
    if "bnb-4bit" not in wishes.parts.get("quantization", ()):
        yield Objection("qlora", "QLoRA needs a base stored in 4 bits", "add `quantization: bnb-4bit`, or use `technique: lora`")


def _unquantized_base(wishes: Wishes) -> Iterable[Objection]:
    if wishes.parts.get("quantization"):
        yield Objection("full", "quantized weights cannot train", "drop `quantization`, or use `technique: lora`")


def _sentence(name: str):
    def does(v: Values) -> str:
        extra = "; embeddings and head train in full" if v["technique.train_embeddings"] else ""
        return f"{name} of rank {v['technique.rank']}, alpha {v['technique.alpha']:g}, on {v['technique.targets']} layers{extra}"

    return does


_LORA_KNOBS = reads("technique", "rank", "alpha", "dropout", "targets", "bias", "train_embeddings", "lora_bias", resize_embeddings=(False,))


def family_member(
    component: str,
    name: str,
    build: Any,
    objections: Any = lambda wishes: (),
    needs: tuple[Need, ...] = (PEFT,),
    untested: str = "",
) -> Part:
    """Return the part of an adapter that takes LoRA's knobs."""
    return Part(component, "technique", build, _sentence(name), _LORA_KNOBS, needs, frozenset({"adapter"}), objections, untested)


PARTS = (
    Part(
        "full",
        "technique",
        build=train_everything,
        does=lambda v: "every weight trains",
        reads=reads("technique", resize_embeddings=(False,)),
        objections=_unquantized_base,
    ),
    family_member("lora", "LoRA", lora()),
    family_member("qlora", "LoRA over the 4-bit base", lora(), _four_bit_base),
    family_member("rslora", "rank-stabilised LoRA", lora(use_rslora=True)),
    family_member("dora", "DoRA", lora(use_dora=True)),
)
