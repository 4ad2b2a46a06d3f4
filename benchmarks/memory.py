"""The memory formula against measured peaks.

    python benchmarks/memory.py [ROWS.jsonl]

ROWS: one JSON object a line with model, quant (`nf4` or `none`), batch, seq, lora_r, lora_targets, attn, grad_ckpt and
measured_peak_gib (torch max_memory_allocated); or what `benchmarks/measure_memory.py` writes, which has the whole recipe. Rows
that do not state all of these, or whose model the catalog does not know, are listed apart.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.catalog import Catalog
from recipeforge.solver.memory import LAVISH, THRIFTY, WORKSPACE_BYTES, Practice
from recipeforge.solver.memory_budget import GIB, moments

DEFAULT_ROWS = Path(__file__).parents[2] / "shared/reference/runner/memory_truth.jsonl"
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
        return row | {"group": row.get("attn")}
    recipe = row["recipe"]
    method = recipe["technique"] if isinstance(recipe["technique"], str) else recipe["technique"]["use"]
    checkpointed = "gradient-checkpointing" in recipe.get("memory", ())
    words = (method, recipe["precision"], recipe["optimizer"], recipe["attention"], "checkpointed" if checkpointed else "all kept")
    return row | {
        "model": recipe["model"],
        "quant": {"bnb-4bit": "nf4", "bnb-8bit": "int8"}.get(recipe.get("quantization"), "none"),
        "attn": recipe["attention"],
        "batch": recipe["batch"]["micro"],
        "seq": recipe["data"]["sequence_length"],
        "measured_peak_gib": row.get("allocated_bytes", 0) / GIB,
        "peak_reserved_gib": row.get("reserved_bytes", 0) / GIB,
        "group": " ".join(words),
    }


def predicted_gib(row: dict[str, Any], catalog: Catalog) -> float | str:
    """Return the estimate for one row, GiB; or why there is none."""
    if "recipe" in row:
        told = json.dumps({"recipeforge": 1, **row["recipe"]})
        return _estimated(told, catalog, THRIFTY) if row["measured_peak_gib"] else "it did not fit, or no GPU measured it"
    stated = {"quant", "batch", "seq", "lora_r", "lora_targets", "attn", "grad_ckpt"} <= {k for k, v in row.items() if v is not None}
    if not stated or row["attn"] not in ("sdpa", "eager") or row["quant"] not in ("nf4", "none"):
        return "not stated in full"
    quantized = row["quant"] == "nf4"
    text = RECIPE.format(
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
    return _estimated(text, catalog, LAVISH)


def _estimated(text: str, catalog: Catalog, practice: Practice) -> float | str:
    loadout = read(parse(text, "row.yaml"), catalog).loadout
    found = moments(catalog, loadout, practice=practice) if loadout else None
    return (found.estimate.total + WORKSPACE_BYTES) / GIB if found else "the catalog does not know the model's dimensions"


def main() -> None:
    """Print every judged row, then median and worst error by attention or by method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, nargs="?", default=DEFAULT_ROWS)
    path = parser.parse_args().rows
    if not path.exists():
        sys.exit(f"skipped: no measured rows at {path}")
    catalog = load()
    errors: dict[str, list[float]] = {}
    reserved: dict[str, list[float]] = {}
    apart: dict[str, int] = {}
    print(f"{'model':<40}{'quant':<6}{'attn':<7}{'batch×seq':>10}{'measured':>10}{'estimate':>10}{'error %':>9}")
    for row in map(plain, map(json.loads, path.read_text(encoding="utf-8").splitlines())):
        estimated = predicted_gib(row, catalog)
        if isinstance(estimated, str):
            apart[estimated] = apart.get(estimated, 0) + 1
            continue
        error = 100 * (estimated / row["measured_peak_gib"] - 1)
        errors.setdefault(row["group"], []).append(error)
        if row.get("peak_reserved_gib"):
            reserved.setdefault(row["group"], []).append(row["peak_reserved_gib"] / row["measured_peak_gib"])
        shape = f"{row['batch']}×{row['seq']}"
        measured = row["measured_peak_gib"]
        print(f"{row['model']:<40}{row['quant']:<6}{row['attn']:<7}{shape:>10}{measured:>10.2f}{estimated:>10.2f}{error:>9.1f}")
    for group, found in errors.items():
        worst = max(found, key=abs)
        print(f"{group}: {len(found)} rows, median error {statistics.median(map(abs, found)):.1f} %, worst {worst:+.1f} %")
    for group, ratios in reserved.items():
        print(f"{group}: reserved over allocated {statistics.median(ratios):.2f} in the median, {max(ratios):.2f} at most")
    for reason, count in apart.items():
        print(f"apart: {count} rows, {reason}")


if __name__ == "__main__":
    main()
