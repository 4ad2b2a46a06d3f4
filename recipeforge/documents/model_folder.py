"""Facts about a model in a local folder, from its config.json (and the index of its weights, for the size)."""

from dataclasses import field
from pathlib import Path
from typing import Any, cast

from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.record import slotted

MAX_CONFIG_BYTES = 1_000_000
MAX_INDEX_BYTES = 20_000_000

# Families whose layer is attention with separate projections, a gated MLP of three matrices, and two RMS norms.
_GATED = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3", "granite", "ministral"})
_QKV_BIAS = frozenset({"qwen2"})
_QK_NORM = frozenset({"qwen3"})
_INTS = {
    "num_hidden_layers": "layers",
    "hidden_size": "hidden",
    "num_attention_heads": "heads",
    "num_key_value_heads": "kv_heads",
    "head_dim": "head_dim",
    "intermediate_size": "intermediate",
    "vocab_size": "vocab",
    "max_position_embeddings": "context_length",
}
_OLDER_NAMES = {"n_layer": "layers", "n_embd": "hidden", "n_head": "heads", "n_positions": "context_length", "n_inner": "intermediate"}
_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")


@slotted
class FolderFacts:
    """What a folder says, or why it says nothing."""

    facts: dict[str, Fact] = field(default_factory=dict[str, Fact])
    problem: str = ""
    help: str = ""


def folder_facts(model: str, recipe_path: str) -> FolderFacts | None:
    """Return the facts of a model folder, taken relative to the recipe; `None` where `model` names no folder."""
    explicit = model.startswith(("./", "../", "/", "~", ".\\", "..\\")) or model in {".", ".."}
    try:
        folder = Path(recipe_path).parent / Path(model).expanduser()
        config_path = folder / "config.json"
        if not folder.is_dir():
            return FolderFacts(problem="no such folder", help=f"There is no folder {folder} on this machine.") if explicit else None
        if not config_path.is_file():
            return FolderFacts(problem="no config.json in it", help=f"{folder} is a folder, but no model that transformers saved.")
        if config_path.stat().st_size > MAX_CONFIG_BYTES:
            return FolderFacts(problem="its config.json is too large", help="It should be a page of text.")
        import json

        loaded: object = json.loads(config_path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError, RecursionError) as error:
        return FolderFacts(problem="it cannot be read", help=f"{type(error).__name__}: {error}") if explicit else None
    if not isinstance(loaded, dict):
        return FolderFacts(problem="its config.json is no mapping", help="It should be what transformers saved.")
    facts = config_facts(cast("dict[str, Any]", loaded))
    if "quantized" not in facts and (size := _indexed_parameters(folder, facts.get("dtype"))):
        facts["parameters"] = size
    return FolderFacts(facts) if facts else FolderFacts(problem="its config.json has no known field", help="Is it a language model?")


def config_facts(config: dict[str, Any]) -> dict[str, Fact]:
    """Return the facts that a transformers configuration states or implies."""
    inner = config.get("text_config")
    text: dict[str, Any] = {**config, **cast("dict[str, Any]", inner)} if isinstance(inner, dict) else config
    facts: dict[str, Fact] = {}
    family = config.get("model_type")
    if isinstance(family, str):
        facts["family"] = family
    for names in (_OLDER_NAMES, _INTS):
        facts.update({fact: value for name, fact in names.items() if (value := _positive(text.get(name))) is not None})
    heads, hidden = facts.get("heads"), facts.get("hidden")
    if isinstance(heads, int) and isinstance(hidden, int):
        facts.setdefault("kv_heads", heads)
        facts.setdefault("head_dim", hidden // heads)
    if not facts.keys() - {"family"}:
        return facts
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    # transformers saves it where it differs from its base class, where it is true.
    facts["tied_embeddings"] = tied if isinstance(tied, bool) else True
    facts["vision"] = "vision_config" in config
    facts["softcap"] = any(_number(text.get(name)) for name in ("attn_logit_softcapping", "final_logit_softcapping"))
    experts = next((count for name in _EXPERTS if (count := _positive(text.get(name))) is not None), None)
    facts["moe"] = experts is not None and experts > 1
    if experts is not None and experts > 1:
        facts["experts"] = experts
    dtype = text.get("dtype", text.get("torch_dtype", config.get("torch_dtype")))
    if isinstance(dtype, str) and (short := _DTYPES.get(dtype.removeprefix("torch."))):
        facts["dtype"] = short
    _quantization(facts, config)
    parameters = _parameters(facts)
    if parameters is not None and "quantized" not in facts:
        facts["parameters"] = parameters
    return facts


def _quantization(facts: dict[str, Fact], config: dict[str, Any]) -> None:
    quantization = config.get("quantization_config")
    if not isinstance(quantization, dict):
        return
    stated = cast("dict[str, Any]", quantization)
    method = stated.get("quant_method")
    if method in {"bitsandbytes", "bitsandbytes_4bit", "bitsandbytes_8bit"}:
        facts["quantized"] = "bnb-8bit" if stated.get("load_in_8bit") or method == "bitsandbytes_8bit" else "bnb-4bit"
    elif isinstance(method, str):
        facts["quantized"] = method


def _parameters(facts: dict[str, Fact]) -> int | None:
    """Return the parameters of a dense model with a gated MLP; `None` for shapes this does not describe."""
    family = facts.get("family")
    sizes = [facts.get(name) for name in ("layers", "hidden", "heads", "kv_heads", "head_dim", "intermediate", "vocab")]
    if family not in _GATED or facts.get("moe") or not all(isinstance(size, int) for size in sizes):
        return None
    layers, hidden, heads, kv_heads, head_dim, intermediate, vocab = cast("list[int]", sizes)
    query, key_value = heads * head_dim, kv_heads * head_dim
    layer = 2 * hidden * query + 2 * hidden * key_value + 3 * hidden * intermediate + 2 * hidden
    if family in _QKV_BIAS:
        layer += query + 2 * key_value
    if family in _QK_NORM:
        layer += 2 * head_dim
    embeddings = vocab * hidden * (1 if facts.get("tied_embeddings") else 2)
    return layers * layer + embeddings + hidden


def _indexed_parameters(folder: Path, dtype: Fact | None) -> int | None:
    """Return the parameters that the index of sharded weights counts."""
    index = folder / "model.safetensors.index.json"
    try:
        if not index.is_file() or index.stat().st_size > MAX_INDEX_BYTES:
            return None
        import json

        loaded: object = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    metadata: object = cast("dict[str, object]", loaded).get("metadata") if isinstance(loaded, dict) else None
    if not isinstance(metadata, dict):
        return None
    stated = cast("dict[str, object]", metadata)
    if (count := _positive(stated.get("total_parameters"))) is not None:
        return count
    total = _positive(stated.get("total_size"))
    width = {"bf16": 2, "fp16": 2, "fp32": 4}.get(str(dtype))
    return total // width if total is not None and width is not None else None


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
