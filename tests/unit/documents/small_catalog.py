"""A catalog small enough to know by heart, fixed, so that these tests say what the reader does and not what the packs hold."""

from recipeforge.schemas.catalog import Catalog, FactSheet
from recipeforge.schemas.component import Component
from recipeforge.schemas.recipe import Cardinality, Knob, KnobType, Scalar, Slot
from recipeforge.schemas.rule import Rule


def _slot(id_: str, cardinality: Cardinality, default: str | None = None) -> Slot:
    return Slot(id_, id_, f"What {id_} decides.", cardinality, default)


def _component(id_: str, slot: str, *aliases: str) -> Component:
    return Component(id_, slot, id_, f"{id_} in one sentence.", "https://example.org", aliases=aliases)


def _knob(path: str, type_: KnobType, low: float | None = None, high: float | None = None, *, components: tuple[str, ...] = (),
          values: tuple[str, ...] = (), unit: str | None = None, default: Scalar | None = None) -> Knob:  # fmt: skip
    return Knob(path, type_, path, unit, low, high, values, default, components=components)


_SLOTS = (
    _slot("technique", "one"),
    _slot("objective", "at-most-one", "sft"),
    _slot("quantization", "at-most-one"),
    _slot("optimizer", "at-most-one", "adamw"),
    _slot("scheduler", "at-most-one", "linear"),
    _slot("precision", "at-most-one", "fp32"),
    _slot("attention", "at-most-one", "sdpa"),
    _slot("memory", "many"),
    _slot("kernels", "many"),
    _slot("distributed", "many"),
)
_COMPONENTS = (
    _component("full", "technique"),
    _component("lora", "technique"),
    _component("qlora", "technique"),
    _component("dora", "technique"),
    _component("sft", "objective"),
    _component("dpo", "objective"),
    _component("bnb-4bit", "quantization", "nf4"),
    _component("bnb-8bit", "quantization", "llm-int8"),
    _component("gptq", "quantization"),
    _component("adamw", "optimizer", "adamw_torch"),
    _component("adamw-8bit", "optimizer", "adamw_bnb_8bit"),
    _component("muon", "optimizer"),
    _component("adafactor", "optimizer"),
    _component("linear", "scheduler"),
    _component("cosine", "scheduler"),
    _component("wsd", "scheduler"),
    _component("fp32", "precision"),
    _component("bf16", "precision"),
    _component("fp16", "precision"),
    _component("sdpa", "attention"),
    _component("eager", "attention"),
    _component("flash-attention-2", "attention", "flash_attention_2"),
    _component("gradient-checkpointing", "memory"),
    _component("activation-offloading", "memory"),
    _component("liger", "kernels"),
    _component("torch-compile", "kernels"),
    _component("fsdp2", "distributed"),
    _component("context-parallel", "distributed"),
)
_ADAPTERS = ("lora", "qlora", "dora")
_KNOBS = (
    _knob("technique.rank", "int", 1, 4096, components=_ADAPTERS, default=8),
    _knob("technique.alpha", "float", 0, components=_ADAPTERS),
    _knob("technique.dropout", "float", 0, 1, components=_ADAPTERS),
    _knob("technique.targets", "enum", values=("attention", "all-linear"), components=_ADAPTERS),
    _knob("quantization.quant_type", "enum", values=("nf4", "fp4"), components=("bnb-4bit",)),
    _knob("quantization.double_quant", "bool", components=("bnb-4bit",)),
    _knob("optimizer.learning_rate", "float", 0, 10),
    _knob("optimizer.weight_decay", "float", 0, 10),
    _knob("optimizer.momentum", "float", 0, 1, components=("muon",)),
    _knob("optimizer.auxiliary", "enum", values=("adamw", "adamw-8bit"), components=("muon",)),
    _knob("scheduler.warmup_ratio", "float", 0, 1),
    _knob("scheduler.decay_steps", "int", 1, components=("wsd",), unit="steps"),
    _knob("attention.dropout", "float", 0, 1),
    _knob("memory.use_reentrant", "bool", components=("gradient-checkpointing",)),
    _knob("kernels.mode", "enum", values=("default", "max-autotune"), components=("torch-compile",)),
    _knob("distributed.offload", "bool", components=("fsdp2",)),
    _knob("distributed.degree", "int", 2, 4096, components=("context-parallel",)),
    _knob("data.source", "str"),
    _knob("data.format", "enum", values=("text", "chat")),
    _knob("data.sequence_length", "int", 1, 16777216, unit="tokens"),
    _knob("data.packing", "bool"),
    _knob("batch.micro", "int", 1, 65536, unit="sequences"),
    _knob("batch.accumulate", "int", 1, 65536),
    _knob("train.epochs", "float", 0),
    _knob("train.steps", "int", 1, unit="steps"),
    _knob("eval.strategy", "enum", values=("none", "steps", "epoch")),
    _knob("eval.every", "int", 1, unit="steps"),
    _knob("hardware.gpu", "str"),
    _knob("hardware.count", "int", 1, 100000, unit="devices"),
    _knob("budget.memory_gib", "float", 0, unit="GiB"),
    _knob("budget.wall_clock", "duration"),
)


def _gpu(id_: str, title: str, memory: float, capability: float, *aliases: str) -> FactSheet:
    facts = {"vendor": "nvidia", "memory_gib": memory, "capability": capability, "dtypes": ("fp32", "fp16")}
    return FactSheet(id_, title, facts, "https://example.org", "2026-01-01", aliases)


_GPUS = (
    _gpu("t4", "NVIDIA T4", 16.0, 7.5, "Tesla T4"),
    _gpu("rtx-4090", "NVIDIA GeForce RTX 4090", 24.0, 8.9),
    _gpu("a100-40gb", "NVIDIA A100 40 GB", 40.0, 8.0),
    _gpu("a100-80gb", "NVIDIA A100 80 GB", 80.0, 8.0),
)
_TINY = {"family": "llama", "parameters": 100_000_000, "hidden": 512}
_MODELS = (FactSheet("org/tiny-100M", "tiny 100M", _TINY, "https://example.org", "2026-01-01", ("tiny",)),)
_PACKAGES = (
    FactSheet("torch", "PyTorch", {}, "https://example.org", "2026-01-01", ("pytorch",)),
    FactSheet("transformers", "transformers", {}, "https://example.org", "2026-01-01"),
)


def _rule(code: str, slug: str) -> Rule:
    return Rule(code, slug, "error", slug, slug, None, (), "T2")


CATALOG = Catalog(
    hash="small",
    slots={slot.id: slot for slot in _SLOTS},
    knobs={knob.path: knob for knob in _KNOBS},
    components={component.id: component for component in _COMPONENTS},
    rules={rule.code: rule for rule in (_rule("RF1001", "qlora-without-4bit-base"), _rule("RF3104", "in-backward-with-accumulation"))},
    claims={},
    gpus={sheet.id: sheet for sheet in _GPUS},
    models={sheet.id: sheet for sheet in _MODELS},
    packages={sheet.id: sheet for sheet in _PACKAGES},
)
