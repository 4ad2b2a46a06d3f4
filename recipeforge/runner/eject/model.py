"""Tokenizer, base model, technique."""

import json
from pathlib import Path

from recipeforge.runner.eject.pieces import Piece, Wanted, Writer, call, source
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.quantization import _STORAGE as STORAGE
from recipeforge.runner.parts.technique import _ATTENTION_LAYERS as ATTENTION_LAYERS
from recipeforge.runner.parts.technique import _BIAS as BIAS
from recipeforge.runner.rows import PACKAGE

TORCH = "import torch"


def loading(wanted: Wanted) -> Piece:
    """`load_tokenizer()` and `load_base()`."""
    plan = wanted.plan
    imports = [TORCH, f"from transformers import {_class(wanted)}", "from transformers import AutoTokenizer"]
    if plan.model.kind == "package":
        module = plan.model.written.removeprefix(PACKAGE)
        model = f'find_spec("{module}").submodule_search_locations[0]'
        imports.append("from importlib.util import find_spec")
    else:
        model = f'"{plan.model.location}"' if plan.model.kind == "hub" else wanted.path(Path(plan.model.location))
        imports += ["from pathlib import Path"] if plan.model.kind == "folder" else []
    gguf = f', gguf_file="{plan.model.gguf_file}"' if plan.model.gguf_file else ""
    tokenizer = source(
        """
        def load_tokenizer():
            tokenizer = AutoTokenizer.from_pretrained(MODEL<gguf>)
            if tokenizer.pad_token_id is None:
                tokenizer.pad_token = tokenizer.eos_token
            return tokenizer
        """,
        gguf=gguf,
    )
    base, more = _base(wanted, gguf)
    return Piece((tokenizer, base), (*imports, *more), (("MODEL", model),))


def _base(wanted: Wanted, gguf: str) -> tuple[str, tuple[str, ...]]:
    formats, plan = wanted.formats, wanted.plan
    dtype = f"dtype=torch.{formats.frozen if wanted.adapter else formats.trained}"
    options = (dtype, f'attn_implementation="{PARTS[plan.part_in("attention")].build()}"')
    head = ("num_labels=len(LABELS)", "id2label=dict(enumerate(LABELS))", "pad_token_id=load_tokenizer().pad_token_id")
    options = (*options, *head) if wanted.scores else options
    file = (gguf.removeprefix(", "),) if gguf else ()
    load_from = f"{_class(wanted)}.from_pretrained"
    if "quantization" not in plan.parts:
        return source(
            """
            def load_base():
                model = <load>.to(DEVICE)
                <plain>
                <dropout>
                return model
            """,
            load=call(load_from, "MODEL", *file, *options),
            plain=_PLAIN if gguf else "",
            dropout=_dropout(wanted),
        ), ()
    more = ("quantization_config=quantization", 'device_map={"": DEVICE}')
    load = f"model = {call(load_from, 'MODEL', *options, *more)}"
    imports = ["from transformers import BitsAndBytesConfig"]
    if gguf:
        lines = [
            f"plain = {call(load_from, 'MODEL', *file, dtype)}",
            _PLAIN.replace("model", "plain"),
            "plain.save_pretrained(folder)",
            f"model = {call(load_from, 'folder', *options, *more)}",
        ]
        inside = "\n".join(f"    {line}" for line in "\n".join(lines).split("\n"))
        load = f"with tempfile.TemporaryDirectory() as folder:  # transformers quantizes no GGUF file: unpack it first\n{inside}"
        imports.append("import tempfile")
    return source(
        """
        def load_base():
            quantization = <config>
            <load>
            for module in model.modules():
                # On some CPUs the first pass in evaluation mode would repack the weights for a kernel that passes no gradient.
                if hasattr(module, "support_avx512bf16_for_cpu"):
                    module.support_avx512bf16_for_cpu = False
            <dropout>
            return model
        """,
        config=_QUANTIZED[plan.parts["quantization"][0]](wanted),
        load=load,
        dropout=_dropout(wanted),
    ), tuple(imports)


def _class(wanted: Wanted) -> str:
    return "AutoModelForSequenceClassification" if wanted.scores else "AutoModelForCausalLM"


_PLAIN = (
    'for owner, name in ((model, "hf_quantizer"), (model, "is_quantized"), (model.config, "quantization_config")):\n'
    "    delattr(owner, name)  # the weights are plain tensors now"
)


def _dropout(wanted: Wanted) -> str:
    if "attention.dropout" not in wanted.plan.given:
        return ""
    rate = wanted.number("attention.dropout")
    return f'for module in model.modules():\n    if hasattr(module, "attention_dropout"):\n        module.attention_dropout = {rate}'


def _four_bits(wanted: Wanted) -> str:
    v = wanted.plan.values
    return (
        "BitsAndBytesConfig(\n    load_in_4bit=True,\n"
        f'    bnb_4bit_quant_type="{v["quantization.quant_type"]}",\n'
        f"    bnb_4bit_use_double_quant={v['quantization.double_quant']},\n"
        f"    bnb_4bit_compute_dtype=torch.{wanted.formats.compute},\n"
        f"    bnb_4bit_quant_storage=torch.{STORAGE[str(v['quantization.quant_storage'])]},\n)"
    )


_QUANTIZED = {"bnb-4bit": _four_bits, "bnb-8bit": lambda wanted: "BitsAndBytesConfig(load_in_8bit=True)"}
QUANTIZATIONS = tuple(_QUANTIZED)


def everything(wanted: Wanted) -> Piece:
    """`build_model()` for full fine-tuning."""
    return Piece((_build("model.requires_grad_(True)", wanted),))


def _build(how: str, wanted: Wanted) -> str:
    return source(
        """
        def build_model():
            model = load_base()
            set_seed(SEED)
            <how>
            <memory>
            return model
        """,
        how=how,
        memory=_memory(wanted),
    )


def _memory(wanted: Wanted) -> str:
    if "gradient-checkpointing" not in wanted.plan.parts.get("memory", ()):
        return ""
    base = "model.get_base_model()" if wanted.adapter else "model"
    return (
        f"base = {base}\n"
        f'base.activation_checkpointing_enable(activation_checkpointing_kwargs={{"use_reentrant": {wanted.has("memory.use_reentrant")}}})\n'
        "base.enable_input_require_grads()  # a frozen base would give the first recomputed layer an input without gradient\n"
        "base.config.use_cache = False"
    )


def _lora(**flags: bool) -> Writer:
    def write(wanted: Wanted) -> Piece:
        v = wanted.plan.values
        options = [
            f'task_type="{"SEQ_CLS" if wanted.scores else "CAUSAL_LM"}"',
            f"r={int(v['technique.rank'])}",
            f"lora_alpha={v['technique.alpha']!r}",
            f"lora_dropout={float(v['technique.dropout'])!r}",
            f"target_modules={_targets(wanted)}",
            f'bias="{BIAS[str(v["technique.bias"])]}"',
            *(f"{name}={on}" for name, on in flags.items()),
        ]
        lines = [*(_EMBEDDINGS.split("\n") if wanted.has("technique.train_embeddings") else ())]
        if wanted.has("technique.train_embeddings"):
            options += ["modules_to_save=embeddings", "ensure_weight_tying=bool(model.config.get_text_config().tie_word_embeddings)"]
        imports = ["from peft import LoraConfig", "from peft import get_peft_model"]
        if "quantization" in wanted.plan.parts:
            lines.append(
                "model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)  # norms, embeddings and head in fp32"
            )
            imports.append("from peft import prepare_model_for_kbit_training")
        lines += ["config = LoraConfig(", *(f"    {option}," for option in options), ")"]
        lines.append(f"model = get_peft_model(model, config, autocast_adapter_dtype={wanted.formats.trained == 'float32'})")
        return Piece((_build("\n".join(lines), wanted),), tuple(imports), _names(wanted))

    return write


_EMBEDDINGS = (
    "ends = {id(model.get_input_embeddings()), id(model.get_output_embeddings())}\n"
    'embeddings = [name.rsplit(".", 1)[-1] for name, module in model.named_modules() if id(module) in ends]'
)


def _targets(wanted: Wanted) -> str:
    if str(wanted.plan.values["technique.targets"]) == "all-linear":
        return '"all-linear"'
    return '[name for name in ATTENTION if any(n.endswith("." + name) for n, _ in model.named_modules())]'


def _names(wanted: Wanted) -> tuple[tuple[str, str], ...]:
    if str(wanted.plan.values["technique.targets"]) == "all-linear":
        return ()
    return (("ATTENTION", json.dumps(list(ATTENTION_LAYERS))),)


TECHNIQUES: dict[str, Writer] = {
    "full": everything,
    "lora": _lora(),
    "qlora": _lora(),
    "rslora": _lora(use_rslora=True),
    "dora": _lora(use_dora=True),
}
