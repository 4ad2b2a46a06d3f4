"""The memory formula against traces of the runner's own parts, where no measured rows exist.

    python benchmarks/memory_traces.py [--quick]

LoRA, QLoRA, full fine-tuning in mixed and in pure bf16; fused and eager attention; with and without checkpointing. Needs the `train` extra,
bitsandbytes for QLoRA, and about ten minutes on one core; `--quick` traces SmolLM2-135M only, in two minutes.
"""

import argparse
import itertools
import json
from typing import Any

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.runner.plan import make_plan
from recipeforge.runner.trace import trace
from recipeforge.solver.memory import GIB
from recipeforge.solver.memory_budget import moments, state_bytes

CASES = (
    ("meta-llama/Llama-3.2-1B", 2, 1024),
    ("Qwen/Qwen2.5-1.5B", 1, 512),
    ("Qwen/Qwen2.5-1.5B", 4, 2048),
    ("meta-llama/Llama-3.1-8B", 1, 2048),
)
METHODS: dict[str, dict[str, Any]] = {
    "lora": {"technique": {"use": "lora", "rank": 16}},
    "qlora": {"technique": {"use": "qlora", "rank": 16}, "quantization": "bnb-4bit"},
    "full": {"technique": "full"},
    "full, pure bf16": {"technique": "full", "precision": "pure-bf16"},
}


def main() -> None:
    """Print each case, then the range of errors by method, attention and checkpointing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    cases = (("HuggingFaceTB/SmolLM2-135M", 2, 1024),) if parser.parse_args().quick else CASES
    catalog = load()
    errors: dict[str, list[float]] = {}
    for (model, micro, sequence), (method, parts) in itertools.product(cases, METHODS.items()):
        for attention, checkpointed in itertools.product(("sdpa", "eager"), (True, False)):
            if model.endswith("8B") and method.startswith("full"):
                continue
            recipe = {"recipeforge": 1, "model": model, "precision": "bf16", "optimizer": "adamw", **parts, "attention": attention}
            recipe |= {"batch": {"micro": micro}, "data": {"sequence_length": sequence}}
            text = json.dumps(recipe | ({"memory": ["gradient-checkpointing"]} if checkpointed else {}))
            loadout = read(parse(text, "case.yaml"), catalog).loadout
            found = moments(catalog, loadout) if loadout else None
            assert loadout is not None and found is not None, text
            counted = trace(make_plan(catalog, loadout, text), loadout.context.facts, state_bytes(catalog, loadout))
            error = 100 * (found.estimate.total / counted.total - 1)
            group = f"{method} · {attention} · {'checkpointed' if checkpointed else 'all kept'}"
            errors.setdefault(group, []).append(error)
            sizes = f"trace {counted.total / GIB:.2f} GiB, formula {found.estimate.total / GIB:.2f} GiB ({found.worst})"
            print(f"{model} · {group} · {micro}×{sequence}: {sizes}, {error:+.1f} %", flush=True)
    for group, found in errors.items():
        print(f"{group}: {len(found)} cases, {min(found):+.1f} to {max(found):+.1f} %")


if __name__ == "__main__":
    main()
