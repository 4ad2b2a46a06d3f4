"""The facts of the context that conditions may speak of, and the kind of value each has.

Slots and knobs are data of the packs; facts are what detection and fact sheets can supply,
so their names are settled here.
"""

from typing import Literal

from recipeforge.schemas.record import record

FactKind = Literal["int", "float", "str", "bool", "list", "version", "any"]

FRAMEWORK = "framework"
"""The fact whose absence says something: a recipe that names no framework has none."""

FRAMEWORKS = ("transformers", "trl", "axolotl", "llama-factory", "torchtune", "unsloth", "ms-swift", "litgpt")
"""Values of the recipe's `framework` key; also the names a scope may use beside packages."""

EXCLUDED = "not"
"""What a scope says of a framework that the rule does not bind: it does the thing another way, or reads it otherwise."""

UNSETTLED = "unsettled"
"""The fact that lists slots and knobs of which nobody said what they hold.

Another tool leaves its trainer, or how many devices there are, to the command line.
"""

REST_AS_LOADED = "rest_as_loaded"
"""The fact that a part of the recipe leaves embeddings and head of a quantized model as they are; of other loaders it is the framework
that says so. A fact, not a choice of the solver: whoever brings such a part in for less memory gets more than was promised.
"""

PACKAGE_PREFIX = "packages."
"""`packages.<name on PyPI>` is a fact for every package; its value is a version."""


CONFIG_PREFIX = "config."
"""`config.<path>` is a fact for every key of another tool's configuration, in its own words; unknown of a recipe.

Its value is the key's, `absent` where the key is not there, null or empty, `list` or `mapping` for what is no single value. With `[]` in
the path it is the list of what the items of a list say.
"""

ABSENT = "absent"


@record
class FactSubject:
    """One fact that a condition may test."""

    name: str
    kind: FactKind
    values: tuple[str, ...] = ()
    """The admitted words, where they are settled."""


_DTYPES = ("fp32", "tf32", "fp16", "bf16", "fp8", "fp4", "int8")

FACT_SUBJECTS: dict[str, FactSubject] = {
    fact.name: fact
    for fact in (
        FactSubject(FRAMEWORK, "str", FRAMEWORKS),
        FactSubject("gpu.id", "str"),
        FactSubject("gpu.title", "str"),
        FactSubject("gpu.vendor", "str", ("nvidia", "amd", "intel", "ascend", "apple", "cpu")),
        FactSubject("gpu.arch", "str"),
        FactSubject("gpu.capability", "float"),
        FactSubject("gpu.memory_gib", "float"),
        FactSubject("gpu.dtypes", "list", _DTYPES),
        FactSubject("gpu.bandwidth_gb_s", "float"),
        FactSubject("gpu.bf16_tflops", "float"),
        FactSubject("gpu.fp16_tflops", "float"),
        FactSubject("gpu.fp32_tflops", "float"),
        FactSubject("model.id", "str"),
        FactSubject("model.title", "str"),
        FactSubject("model.family", "str"),
        FactSubject("model.parameters", "int"),
        FactSubject("model.active_parameters", "int"),
        FactSubject("model.layers", "int"),
        FactSubject("model.hidden", "int"),
        FactSubject("model.heads", "int"),
        FactSubject("model.kv_heads", "int"),
        FactSubject("model.head_dim", "int"),
        FactSubject("model.intermediate", "int"),
        FactSubject("model.vocab", "int"),
        FactSubject("model.context_length", "int"),
        FactSubject("model.experts", "int"),
        FactSubject("model.tied_embeddings", "bool"),
        FactSubject("model.moe", "bool"),
        FactSubject("model.vision", "bool"),
        FactSubject("model.softcap", "bool"),
        FactSubject("model.quantized", "str"),
        FactSubject("model.dtype", "str", ("bf16", "fp16", "fp32", "fp8", "fp4")),
    )
}


def fact_subject(name: str) -> FactSubject | None:
    """Return the fact of this name, or nothing."""
    if name.startswith(PACKAGE_PREFIX) and len(name) > len(PACKAGE_PREFIX):
        return FactSubject(name, "version")
    if name.startswith(CONFIG_PREFIX) and len(name) > len(CONFIG_PREFIX):
        return FactSubject(name, "list" if "[]" in name else "any")
    return FACT_SUBJECTS.get(name)
