"""Measure the peak memory of real training steps on this machine's GPU, for `benchmarks/memory.py` to judge the formula by.

    python benchmarks/measure_memory.py ROWS.jsonl [--model ID ...] [--quick] [--limit-s SECONDS]

Each case is a recipe, built and stepped by the runner's own parts; the weights are random, of the named model's shape, since memory does
not depend on their values. A row is appended as soon as it is measured: the recipe, what torch allocated and reserved at most, what the
device says is used, and the speed. A case that does not fit is a row with `out_of_memory`. With `--quick`, a tiny shape and two cases: a
test of the script, also without a GPU, where nothing but the speed is measured.
"""

import argparse
import dataclasses
import datetime
import gc
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch loads

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.runner.batches import Line, Tokens
from recipeforge.runner.loading import formats_of, load_base
from recipeforge.runner.loop import Bench, Schedule, Stop, optimizer_steps
from recipeforge.runner.parts import PARTS
from recipeforge.runner.plan import Plan, make_plan
from recipeforge.runner.source import ModelSource

Recipe = dict[str, Any]
MODELS = ("Qwen/Qwen2.5-1.5B", "meta-llama/Llama-3.2-1B", "meta-llama/Llama-3.1-8B")
SHAPES = ((1, 512), (2, 1024), (4, 2048), (1, 8192))
METHODS: tuple[Recipe, ...] = (
    {"technique": {"use": "lora", "rank": 16}},
    {"technique": {"use": "qlora", "rank": 16}, "quantization": "bnb-4bit"},
    {"technique": "full"},
    {"technique": "full", "precision": "pure-bf16"},
    {"technique": "full", "optimizer": "adamw-8bit"},
    {"technique": "full", "optimizer": "paged-adamw-8bit"},
    {"technique": {"use": "lora", "rank": 16}, "quantization": "bnb-8bit"},
)
STEPS = 5
WARM_UP = 2


def groups(model: str) -> Iterator[Recipe]:
    """Yield what is loaded once: everything of a recipe but batch and sequence."""
    for method in METHODS:
        full = method["technique"] == "full"
        if full and model.endswith("8B"):
            continue
        plain = (full and set(method) - {"technique"}) or method.get("quantization") == "bnb-8bit"
        attentions, checkpointing = (("sdpa",), (True,)) if plain else (("sdpa", "eager"), (True, False))
        for attention, checkpointed in itertools.product(attentions, checkpointing):
            memory = {"memory": ["gradient-checkpointing"]} if checkpointed else {}
            yield {"model": model, "precision": "bf16", "optimizer": "adamw", **method, "attention": attention, **memory}


def plan_of(recipe: Recipe, folder: Path, device: str) -> Plan:
    """Return the runner's plan for a recipe whose weights lie in `folder`."""
    whole = {"recipeforge": 1, **recipe, "hardware": {"gpu": "cpu"} if device == "cpu" else {}, "train": {"steps": STEPS}}
    text = json.dumps(whole)
    loadout = read(parse(text, "case.yaml"), load()).loadout
    assert loadout is not None, text
    source = ModelSource(recipe["model"], "folder", str(folder))
    return dataclasses.replace(make_plan(load(), loadout, text), model=source)


def save_random(model: str, folder: Path, device: str, tiny: bool) -> int:
    """Write random weights of a model's shape and return the number of its tokens."""
    f: Any = load().models[model].facts
    kind = Qwen2Config if f["family"] == "qwen2" else LlamaConfig
    sizes: dict[str, Any] = {
        "vocab_size": f["vocab"],
        "hidden_size": f["hidden"],
        "intermediate_size": f["intermediate"],
        "num_hidden_layers": f["layers"],
        "num_attention_heads": f["heads"],
        "num_key_value_heads": f["kv_heads"],
    }
    if tiny:
        sizes = dict(zip(sizes, (300, 64, 128, 2, 4, 2), strict=True))
    config = kind(**sizes, tie_word_embeddings=f["tied_embeddings"], max_position_embeddings=131072)
    torch.manual_seed(0)
    with torch.device(device):
        random = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    assert tiny or sum(p.numel() for p in random.parameters()) == f["parameters"], model
    random.save_pretrained(folder)
    return sizes["vocab_size"]


def measured(model: Any, plan: Plan, vocab: int, micro: int, sequence: int, device: torch.device) -> Recipe:
    """Take a few steps on random tokens and return what they took."""
    gpu = device.type == "cuda"
    _forget(model, gpu)
    resting = torch.cuda.memory_allocated() if gpu else 0
    draw = torch.Generator().manual_seed(1)
    rows = torch.randint(3, vocab, (micro * STEPS, sequence), generator=draw).tolist()
    lines = [Line((Tokens(tuple(ids), (-100, *ids[1:])),)) for ids in rows]
    bench = Bench(device, 0, False, formats_of(plan).autocast)
    values = {"optimizer.weight_decay": 0.01, **plan.values, "optimizer.learning_rate": 1e-4}
    optimizers = PARTS[plan.part_in("optimizer")].build(model, values)
    schedulers = [PARTS["constant"].build(o, values, STEPS) for o in optimizers]
    ends = [time.monotonic()]
    try:
        for _ in optimizer_steps(model, bench, lines, optimizers, schedulers, Schedule(micro, 1, STEPS, 0, 1.0), Stop()):
            if gpu:
                torch.cuda.synchronize()
            ends.append(time.monotonic())
    except torch.OutOfMemoryError:
        return {"out_of_memory": True}
    seconds = statistics.median(b - a for a, b in itertools.pairwise(ends[WARM_UP:]))
    row: Recipe = {"seconds_per_step": round(seconds, 4), "tokens_per_second": round(micro * sequence / seconds)}
    if gpu:
        free, total = torch.cuda.mem_get_info()
        row |= {
            "resting_bytes": resting,
            "allocated_bytes": torch.cuda.max_memory_allocated(),
            "reserved_bytes": torch.cuda.max_memory_reserved(),
            "used_bytes": total - free,
        }
    return row


def _forget(model: Any, gpu: bool) -> None:
    """Drop gradients, and let the allocator start anew."""
    model.zero_grad(set_to_none=True)
    gc.collect()
    if gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def machine(device: torch.device) -> Recipe:
    """Return what the rows were measured with."""
    names = ("torch", "transformers", "peft", "bitsandbytes")
    have = {n: metadata.version(n) for n in names if list(metadata.distributions(name=n))}
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {"date": datetime.datetime.now(datetime.UTC).date().isoformat(), "gpu": gpu, "versions": have}


def main() -> None:
    """Measure every case that time allows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--limit-s", type=float, default=540.0)
    wish = parser.parse_args()
    device = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    start, about = time.monotonic(), machine(device)
    no_bnb = "bitsandbytes" not in about["versions"]
    for name in wish.model or MODELS:
        with tempfile.TemporaryDirectory() as folder, wish.rows.open("a", encoding="utf-8") as out:
            vocab = save_random(name, Path(folder), device.type, wish.quick)
            _empty(device)
            cases = itertools.islice(groups(name), 2) if wish.quick else groups(name)
            for base in cases:
                if time.monotonic() - start > wish.limit_s:
                    print("the time is over")
                    return
                if no_bnb and ("quantization" in base or "8bit" in str(base["optimizer"])):
                    continue
                _group(base, Path(folder), vocab, device, about, out, ((2, 64),) if wish.quick else SHAPES)
                _empty(device)


def _group(base: Recipe, folder: Path, vocab: int, device: torch.device, about: Recipe, out: Any, shapes: Any) -> None:
    plan = plan_of(base, folder, device.type)
    model = PARTS[plan.part_in("technique")].build(load_base(plan, device), plan.values, formats_of(plan))
    for saver in plan.parts.get("memory", ()):
        PARTS[saver].build(model, plan.values)
    for micro, sequence in shapes:
        recipe = {**base, "batch": {"micro": micro}, "data": {"sequence_length": sequence}}
        row = {**about, "recipe": recipe, **measured(model, plan, vocab, micro, sequence, device)}
        line = json.dumps(row)
        print(line, file=out, flush=True)
        print(line, flush=True)


def _empty(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
