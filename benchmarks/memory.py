"""The memory formula against measured peaks, and against traces.

    python benchmarks/memory.py [ROWS.jsonl] [--trace]

ROWS: one JSON object a line with model, quant (`nf4` or `none`), batch, seq, lora_r, lora_targets, attn, grad_ckpt and
measured_peak_gib (torch max_memory_allocated); or what `benchmarks/measure_memory.py` writes, which has the whole recipe. Every row
is printed. Rows that do not state all that the formula needs are printed apart and not judged. With `--trace`, fully stated
rows are traced, too (seconds each). Where fitcheck-llm is installed, what it predicts stands beside.

The published rows come from training loops that do not say how they are written. Those of fitcheck-llm are its own loop: fp16
without autocast, outputs held, unfused AdamW, fp32 adapters. litgpt has layers and a loop of its own: `memory_litgpt.py`.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from memory_litgpt import litgpt_gib

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.solver.memory import GIB, LAVISH, THRIFTY, WORKSPACE_BYTES, Practice
from recipeforge.solver.memory_budget import moments

DEFAULT_ROWS = Path(__file__).parents[2] / "shared/reference/runner/memory_truth.jsonl"
NEEDED = ("quant", "batch", "seq", "lora_r", "lora_targets", "attn", "grad_ckpt")
RECIPE = """recipeforge: 1
model: {model}
technique: {{use: {technique}, rank: {rank}, targets: {targets}}}
{quantization}
precision: pure-bf16
attention: {attention}
memory: [{memory}]
data: {{sequence_length: {sequence}}}
batch: {{micro: {micro}}}
"""


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of `benchmarks/measure_memory.py` with the columns that the other rows have; those as they are."""
    if "recipe" not in row:
        return row
    recipe = row["recipe"]
    checkpointed = "gradient-checkpointing" in recipe.get("memory", ())
    return row | {
        "model": recipe["model"],
        "method": recipe["technique"] if isinstance(recipe["technique"], str) else recipe["technique"]["use"],
        "precision": f"{recipe['precision']} {recipe['optimizer']} {'checkpointed' if checkpointed else 'all kept'}",
        "source_url": "measured here",
        "quant": {"bnb-4bit": "nf4", "bnb-8bit": "int8"}.get(recipe.get("quantization"), "none"),
        "attn": recipe["attention"],
        "batch": recipe["batch"]["micro"],
        "seq": recipe["data"]["sequence_length"],
        "measured_peak_gib": row.get("allocated_bytes", 0) / GIB,
        "peak_reserved_gib": row.get("reserved_bytes", 0) / GIB,
    }


def unstated(row: dict[str, Any]) -> str:
    """Return what a published row does not say, or says of something that the formula does not know; empty if nothing."""
    adapters = row["method"] in ("lora", "qlora")
    missing = [name for name in NEEDED if row.get(name) is None and (adapters or not name.startswith("lora"))]
    if missing:
        return f"not stated: {', '.join(missing)}"
    if not adapters:
        return f"{row['method']} is not told in a recipe"
    if row["attn"] not in ("sdpa", "eager"):
        return f"attention {row['attn']} is not known"
    return "" if row["quant"] in ("nf4", "none") else f"quantization {row['quant']} is not known"


def recipe_of(row: dict[str, Any]) -> str | None:
    """Return the recipe that a row measured, or `None` when it does not say enough."""
    if "recipe" in row:
        return json.dumps({"recipeforge": 1, **row["recipe"]})
    if unstated(row):
        return None
    quantized = row["quant"] == "nf4"
    return RECIPE.format(
        model=row["model"],
        technique="qlora" if quantized else "lora",
        rank=row["lora_r"],
        targets="attention" if len(row["lora_targets"]) == 4 else "all-linear",
        quantization="quantization: bnb-4bit" if quantized else "",
        attention=row["attn"],
        memory="gradient-checkpointing" if row["grad_ckpt"] else "",
        sequence=row["seq"],
        micro=row["batch"],
    )


def practice_of(row: dict[str, Any]) -> Practice:
    """Return how the training loop that a row measured is written."""
    return THRIFTY if "recipe" in row else LAVISH


def predicted_gib(row: dict[str, Any], catalog: Catalog) -> float | str:
    """Return the estimate for one row, GiB; or why there is none."""
    if not row["measured_peak_gib"]:
        return "it did not fit, or no GPU measured it"
    if "litgpt" in row.get("source_url", ""):
        return litgpt_gib(row)
    text = recipe_of(row)
    if text is None:
        return unstated(row)
    loadout = read(parse(text, "row.yaml"), catalog).loadout
    found = moments(catalog, loadout, practice=practice_of(row)) if loadout else None
    return (found.estimate.total + WORKSPACE_BYTES) / GIB if found else "the catalog does not know the model's dimensions"


def traced_gib(row: dict[str, Any], catalog: Catalog) -> float | None:
    """Return what a trace counts for a fully stated row, GiB; `None` where it cannot be traced."""
    from recipeforge.runner.parts.precision import Formats
    from recipeforge.runner.plan import make_plan
    from recipeforge.runner.trace import trace
    from recipeforge.schemas.errors import RunError
    from recipeforge.solver.memory_budget import state_bytes

    text = recipe_of(row)
    loadout: Loadout | None = read(parse(text, "row.yaml"), catalog).loadout if text else None
    if text is None or loadout is None:
        return None
    published = "recipe" not in row
    formats = Formats("float16", "float32", None) if published else None
    states = 8.0 if published else state_bytes(catalog, loadout)
    try:
        found = trace(make_plan(catalog, loadout, text), loadout.context.facts, states, formats, holds_outputs=published)
    except (RunError, KeyError):
        return None
    return (found.total + WORKSPACE_BYTES) / GIB


def peer_gib(row: dict[str, Any], catalog: Catalog) -> float | None:
    """Return what fitcheck-llm predicts for tensors on a T4, GiB; `None` without it, or for rows that it does not speak of."""
    try:
        from fitcheck.config_parser import ModelConfig  # pyright: ignore[reportMissingImports]
        from fitcheck.estimator import TrainingConfig, estimate  # pyright: ignore[reportMissingImports]
        from fitcheck.gpu_db import get_gpu  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    if "T4" not in str(row.get("gpu")) or row["model"] not in catalog.models:
        return None
    f = catalog.models[row["model"]].facts
    names = ("parameters", "hidden", "layers", "heads", "kv_heads", "intermediate", "vocab", "head_dim", "tied_embeddings")
    training = TrainingConfig(
        precision=row["precision"],
        quantization=row["quant"],
        batch_size=row["batch"],
        seq_len=row["seq"],
        lora_rank=row["lora_r"],
        lora_targets=row["lora_targets"],
        grad_checkpoint=row["grad_ckpt"],
        flash_attn=row["attn"] == "sdpa",
    )
    found = estimate(ModelConfig(row["model"], *(f[n] for n in names)), training, get_gpu("t4"))
    return (found.weight_mib + found.lora_mib + found.optimizer_mib + found.gradient_mib + found.activation_mib) / 1024


def source_of(row: dict[str, Any]) -> str:
    """Return a short name of where a row was published."""
    url = row.get("source_url", "?")
    names = {"fitcheck": "fitcheck-llm", "litgpt": "litgpt", "torchtune": "torchtune", "peft": "peft", "QwenLM": "Qwen"}
    return next((name for part, name in names.items() if part in url), "LLaMA-Factory" if "LLaMA-Factory" in url else url)


def told(errors: Iterable[float]) -> str:
    """Return median, mean and worst of some errors."""
    found = list(errors)
    sizes = [abs(e) for e in found]
    return f"median {statistics.median(sizes):.1f} %, mean {statistics.mean(sizes):.1f} %, worst {max(found, key=abs):+.1f} %"


def main() -> None:
    """Print every row, then median and worst error by method, source and attention."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, nargs="?", default=DEFAULT_ROWS)
    parser.add_argument("--trace", action="store_true")
    wish = parser.parse_args()
    if not wish.rows.exists():
        sys.exit(f"skipped: no measured rows at {wish.rows}")
    catalog = load()
    errors: dict[tuple[str, ...], list[float]] = {}
    traces: dict[tuple[str, ...], list[float]] = {}
    peers: dict[tuple[str, ...], list[float]] = {}
    reserved: dict[str, list[float]] = {}
    wide_norms: list[float] = []
    apart: list[tuple[str, dict[str, Any]]] = []
    columns = f"{'source':<14}{'method':<7}{'model':<40}{'quant':<7}{'attn':<19}{'batch×seq':>12}{'measured':>9}"
    print(f"{columns}{'formula':>9}{'%':>7}{'trace %':>9}{'fitcheck %':>11}")
    for row in map(plain, map(json.loads, wish.rows.read_text(encoding="utf-8").splitlines())):
        estimated = predicted_gib(row, catalog)
        if isinstance(estimated, str):
            apart.append((estimated, row))
            continue
        measured = row["measured_peak_gib"]
        group = (str(row["method"]), source_of(row), str(row["attn"]), str(row["precision"]))
        errors.setdefault(group, []).append(100 * (estimated / measured - 1))
        if source_of(row) == "litgpt" and isinstance(wide := litgpt_gib(row, wide_norms=True), float):
            wide_norms.append(100 * (wide / measured - 1))
        counted = traced_gib(row, catalog) if wish.trace else None
        if counted:
            traces.setdefault(group, []).append(100 * (counted / measured - 1))
        peer = peer_gib(row, catalog)
        if peer:
            peers.setdefault(group, []).append(100 * (peer / measured - 1))
        if row.get("peak_reserved_gib"):
            reserved.setdefault(str(row["attn"]), []).append(row["peak_reserved_gib"] / measured)
        print(
            f"{source_of(row):<14}{row['method']:<7}{row['model']:<40}{row['quant']:<7}{row['attn']:<19}{row['batch']!s:>6}×{row['seq']:<5}"
            f"{measured:>9.2f}{estimated:>9.2f}{errors[group][-1]:>7.1f}"
            + (f"{traces[group][-1]:>9.1f}" if counted else f"{'':>9}")
            + (f"{peers[group][-1]:>11.1f}" if peer else ""),
            flush=True,
        )
    for group, found in errors.items():
        print(f"{' · '.join(group)}: {len(found)} rows, formula {told(found)}")
        if group in traces:
            print(f"{' · '.join(group)}: {len(traces[group])} rows, trace {told(traces[group])}")
        if group in peers:
            print(f"{' · '.join(group)}: {len(peers[group])} rows, fitcheck-llm {told(peers[group])}")
    if wide_norms:
        print(f"litgpt with norms in fp32, as its code had them when the table appeared: {told(wide_norms)}")
    for attention, ratios in reserved.items():
        print(f"{attention}: reserved over allocated {min(ratios):.2f} to {max(ratios):.2f}, {statistics.median(ratios):.2f} in the median")
    print("\napart, not judged:")
    for reason, row in apart:
        shape = f"{row.get('batch', '?')}×{row.get('seq', '?')}"
        what = (source_of(row), row.get("method"), row.get("model"), row.get("quant"), row.get("attn"), shape)
        print(f"  {' · '.join(map(str, what))}: {row['measured_peak_gib']:.2f} GiB; {reason}")


if __name__ == "__main__":
    main()
