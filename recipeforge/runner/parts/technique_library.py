"""The other adapters of peft, and layers that train alone: each mapped to the library's own configuration."""

from collections.abc import Callable, Iterable
from math import gcd
from typing import Any

from recipeforge.runner.packages import Need
from recipeforge.runner.parts.precision import Formats
from recipeforge.runner.parts.quantization import BITSANDBYTES
from recipeforge.runner.parts.registry import Objection, Part, Values, Wishes, reads
from recipeforge.runner.parts.technique import PEFT, family_member, lora, ready_for_training, targets_in, task_of
from recipeforge.schemas.errors import RunError

Settings = Callable[[Any, Values], dict[str, Any]]
"""(model, values) → arguments of a peft configuration."""
SCIPY = Need("scipy", "makes LoftQ's number format")
_LARGEST_BLOCK = 256


def _adapter(config: str, settings: Settings, targets: bool = True) -> Callable[..., Any]:
    def build(model: Any, values: Values, formats: Formats) -> Any:
        import peft

        model = ready_for_training(model)
        options = settings(model, values)
        if targets:
            options["target_modules"] = targets_in(model, str(values["technique.targets"]))
        made = getattr(peft, config)(task_type=task_of(model), **options)
        return peft.get_peft_model(model, made, autocast_adapter_dtype=formats.trained == "float32")

    return build


def _ranked(rank: str = "r", dropout: str = "", **fixed: Any) -> Settings:
    def settings(model: Any, values: Values) -> dict[str, Any]:
        drops = {dropout: float(values["technique.dropout"])} if dropout else {}
        return {rank: int(values["technique.rank"]), **drops, **fixed}

    return settings


def _scaled(model: Any, values: Values) -> dict[str, Any]:
    return {"r": int(values["technique.rank"]), "alpha": values["technique.alpha"]}


def _oft(model: Any, values: Values) -> dict[str, Any]:
    """Blocks of the size that is asked for, or as many blocks as the rank says."""
    size = int(values.get("technique.block_size", 0))
    return {"r": 0 if size else int(values["technique.rank"]), "oft_block_size": size, "module_dropout": float(values["technique.dropout"])}


def _boft(model: Any, values: Values) -> dict[str, Any]:
    count = int(values.get("technique.block_count", 0))
    size = 0 if count else int(values.get("technique.block_size", 4))
    return {"boft_block_size": size, "boft_block_num": count, "boft_dropout": float(values["technique.dropout"])}


def _common_divisor(model: Any, wish: str, largest: int = _LARGEST_BLOCK) -> int:
    """Return the largest number up to `largest` that divides every side of every target matrix."""
    import torch

    chosen = targets_in(model, wish)
    end = model.get_output_embeddings()
    sides = [
        side
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not end and (chosen == "all-linear" or name.rsplit(".", 1)[-1] in chosen)
        for side in (module.in_features, module.out_features)
    ]
    whole = gcd(*sides)
    return max(d for d in range(1, min(whole, largest) + 1) if whole % d == 0)


def _vb_lora(model: Any, values: Values) -> dict[str, Any]:
    length = _common_divisor(model, str(values["technique.targets"]))
    return {"r": int(values["technique.rank"]), "vector_length": length, "vblora_dropout": float(values["technique.dropout"])}


def _c3a(model: Any, values: Values) -> dict[str, Any]:
    size = values.get("technique.block_size")
    return {"block_size": int(size) if size is not None else _common_divisor(model, str(values["technique.targets"]))}


def _norms(model: Any, values: Values) -> dict[str, Any]:
    names = {name.rsplit(".", 1)[-1] for name, module in model.named_modules() if "norm" in type(module).__name__.lower()}
    if not names:
        raise RunError("ln-tuning: this model has no normalization layers that could be told by their class; use another technique")
    return {"target_modules": sorted(names)}


def _prompt(model: Any, values: Values) -> dict[str, Any]:
    return {"num_virtual_tokens": int(values["technique.virtual_tokens"])}


def _p_tuning(model: Any, values: Values) -> dict[str, Any]:
    return _prompt(model, values) | {"encoder_hidden_size": model.config.get_text_config().hidden_size}


def _loftq(model: Any, values: Values, formats: Formats) -> Any:
    from peft import LoftQConfig

    return lora(init_lora_weights="loftq", loftq_config=LoftQConfig(loftq_bits=4))(model, values, formats)


def _frozen_a(model: Any, values: Values, formats: Formats) -> Any:
    """LoRA with its A matrices left at their random start."""
    wrapped = lora()(model, values, formats)
    for name, parameter in wrapped.named_parameters():
        if ".lora_A." in name or ".lora_embedding_A." in name:
            parameter.requires_grad_(False)
    return wrapped


def last_layers(model: Any, values: Values, formats: Formats) -> Any:
    """Train the last transformer layers in full and freeze the rest, embeddings and head included.

    Raises:
        RunError: the model's layers are not where its class usually has them, or are fewer.
    """
    import torch

    many = int(values["technique.trainable_layers"])
    depth = model.config.get_text_config().num_hidden_layers
    stacks = [m for _, m in model.named_modules() if isinstance(m, torch.nn.ModuleList) and len(m) == depth]
    if not stacks or many > depth:
        raise RunError(f"technique.trainable_layers: {many} layers cannot be chosen from this model's {depth}")
    model.requires_grad_(False)
    for layer in list(stacks[0])[-many:]:
        layer.requires_grad_(True)
    return model


def _one_size(wishes: Wishes) -> Iterable[Objection]:
    if {"technique.block_size", "technique.block_count"} <= wishes.given:
        yield Objection("technique.block_count", "blocks are given twice, by size and by number", "keep one of the two")


def _rows_alone(wishes: Wishes) -> Iterable[Objection]:
    """A learned prompt stands before one row; packed rows behind it would have to share it."""
    if wishes.values.get("data.packing"):
        subject = wishes.parts["technique"][0]
        yield Objection(subject, "a learned prompt stands before one row, not before each of several packed ones", "turn `packing` off")


def _no_cache_dropped(wishes: Wishes) -> Iterable[Objection]:
    yield from _rows_alone(wishes)
    if "gradient-checkpointing" in wishes.parts.get("memory", ()):
        message = "its prefix is keys and values of earlier tokens, which checkpointed layers do not take"
        yield Objection("gradient-checkpointing", message, "drop it")


def _weights_as_they_are(wishes: Wishes) -> Iterable[Objection]:
    if wishes.parts.get("quantization"):
        subject = wishes.parts["technique"][0]
        yield Objection(subject, "it needs the base's weights as numbers, and these are quantized", "drop `quantization`")


def _on_a_gpu(wishes: Wishes) -> Iterable[Objection]:
    yield from _weights_as_they_are(wishes)
    if str(wishes.values.get("hardware.gpu", "")).lower() == "cpu":
        yield Objection("loftq", "peft computes its start with bitsandbytes on a GPU only", "use `technique: pissa` or `lora`")


def _part(
    component: str,
    name: str,
    build: Any,
    *knobs: str,
    needs: tuple[Need, ...] = (),
    objections: Any = lambda wishes: (),
    adapter: bool = True,
) -> Part:
    def does(v: Values) -> str:
        told = [f"{knob.replace('_', ' ')} {v[f'technique.{knob}']}" for knob in knobs if f"technique.{knob}" in v]
        return f"{name}{', ' if told else ''}{', '.join(told)}"

    return Part(
        component,
        "technique",
        build,
        does,
        reads("technique", *knobs, resize_embeddings=(False,)),
        (PEFT, *needs) if adapter else needs,
        frozenset({"adapter"}) if adapter else frozenset(),
        objections,
    )


_UNSCALED = ("rank", "targets")
_DROPS = ("rank", "dropout", "targets")
PARTS = (
    family_member("pissa", "LoRA from principal singular vectors (PiSSA)", lora(init_lora_weights="pissa"), _weights_as_they_are),
    family_member("olora", "LoRA from a QR decomposition (OLoRA)", lora(init_lora_weights="olora")),
    family_member(
        "loftq",
        "LoRA over a base rounded to 4-bit values (LoftQ)",
        _loftq,
        _on_a_gpu,
        (PEFT, SCIPY, BITSANDBYTES),
        untested="peft computes its start on a GPU, and tests have none",
    ),
    family_member("lora-fa", "LoRA whose A matrices stay frozen", _frozen_a),
    _part("vera", "VeRA", _adapter("VeraConfig", _ranked(dropout="vera_dropout")), *_DROPS),
    _part("loha", "LoHa", _adapter("LoHaConfig", _scaled), "rank", "alpha", "targets"),
    _part("lokr", "LoKr", _adapter("LoKrConfig", _scaled), "rank", "alpha", "targets"),
    _part("delora", "DeLoRA", _adapter("DeloraConfig", _ranked()), *_UNSCALED),
    _part("miss", "MiSS", _adapter("MissConfig", _ranked(dropout="miss_dropout")), *_DROPS),
    _part("hra", "Householder reflections", _adapter("HRAConfig", _ranked()), *_UNSCALED),
    _part("vb-lora", "VB-LoRA", _adapter("VBLoRAConfig", _vb_lora), *_DROPS),
    _part("oft", "OFT", _adapter("OFTConfig", _oft), *_DROPS, "block_size"),
    _part("boft", "BOFT", _adapter("BOFTConfig", _boft), "dropout", "targets", "block_size", "block_count", objections=_one_size),
    _part("c3a", "C3A", _adapter("C3AConfig", _c3a), "targets", "block_size"),
    _part(
        "fourierft",
        "FourierFT",
        _adapter("FourierFTConfig", lambda model, v: {"n_frequency": int(v["technique.frequencies"])}),
        "frequencies",
        "targets",
    ),
    _part("ia3", "IA³ on keys, values and the MLP", _adapter("IA3Config", lambda model, v: {}, targets=False)),
    _part("ln-tuning", "only normalization layers train", _adapter("LNTuningConfig", _norms, targets=False)),
    _part(
        "prompt-tuning",
        "learned embeddings before every row",
        _adapter("PromptTuningConfig", _prompt, targets=False),
        "virtual_tokens",
        objections=_rows_alone,
    ),
    _part(
        "p-tuning",
        "a learned prompt from a small encoder before every row",
        _adapter("PromptEncoderConfig", _p_tuning, targets=False),
        "virtual_tokens",
        objections=_rows_alone,
    ),
    _part(
        "prefix-tuning",
        "learned keys and values before every row",
        _adapter("PrefixTuningConfig", _prompt, targets=False),
        "virtual_tokens",
        objections=_no_cache_dropped,
    ),
    _part(
        "freeze",
        "the last layers train in full",
        last_layers,
        "trainable_layers",
        objections=_weights_as_they_are,
        adapter=False,
    ),
)
