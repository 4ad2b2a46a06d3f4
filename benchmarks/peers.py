"""Other tools' configurations: what we find in them, and how long it takes beside the tools' own validation.

    python benchmarks/peers.py [--reference ../shared/reference/peers] [--axolotl BIN] [--llamafactory PYTHON] [--rounds 9]

Axolotl's own rejected and accepted cases, and the examples with what their tool's validator says, are read from the reference folder;
without it only the speed is measured. `--axolotl` and `--llamafactory` name Python interpreters of virtual environments in which the tools
are installed. Whole processes, warm file caches, medians.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

from recipeforge.api import check

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT.parent / "shared/reference/peers"
AXOLOTL = """\
base_model: HuggingFaceTB/SmolLM2-135M
adapter: lora
lora_r: 16
lora_alpha: 32
lora_target_linear: true
datasets: [{path: ./train.jsonl, type: alpaca}]
sequence_len: 1024
sample_packing: true
attn_implementation: flash_attention_2
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 1
optimizer: adamw_torch
lr_scheduler: cosine
learning_rate: 0.0002
bf16: true
output_dir: ./out
"""
VALIDATE = {
    "axolotl": "from axolotl.cli.config import load_cfg; load_cfg({path!r})",
    "llamafactory": "import sys; sys.argv = ['', {path!r}]; from llamafactory.hparams import get_train_args; get_train_args()",
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, default=REFERENCE)
    parser.add_argument("--axolotl", help="Python of an environment with Axolotl")
    parser.add_argument("--llamafactory", help="Python of an environment with LLaMA-Factory")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    if args.reference.is_dir():
        cases(args.reference)
        examples(args.reference)
        together(args.reference)
    else:
        print(f"no collection of other tools' examples at {args.reference}")
    speed({name: getattr(args, name) for name in VALIDATE}, args.rounds)


def cases(reference: Path) -> None:
    """Print how Axolotl's own test cases come out."""
    for kind in ("invalid", "valid"):
        rows = [json.loads(line) for line in (reference / f"axolotl_{kind}.jsonl").read_text(encoding="utf-8").splitlines()]
        whole = [row for row in rows if row["full_config"]]
        found = {row["id"]: _errors(yaml.safe_dump(row["config"], sort_keys=False)) for row in whole}
        with_errors = [case for case, errors in found.items() if errors]
        verb = "rejected" if kind == "invalid" else "accepted"
        print(f"Axolotl's {verb} whole configurations: {len(with_errors)} of {len(whole)} with an error of ours")
        for case, errors in found.items():
            if bool(errors) != (kind == "invalid"):
                print(f"    {case}: {', '.join(errors) or 'no error'}")


def examples(reference: Path) -> None:
    """Print what we find in examples, beside what their tool's validator says."""
    counts: Counter[tuple[str, str, str]] = Counter()
    with (reference / "INDEX.tsv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            if row["path"].endswith((".yml", ".yaml")) and row["dialect"].split("-")[0] in ("axolotl", "llamafactory", "torchtune", "trl"):
                report = check(reference / "examples" / row["path"])
                errors = sorted({d.code for d in report.diagnostics if d.severity == "error"})
                ours = "not a training run" if report.loadout is None else "errors" if errors else "no error"
                counts[row["dialect"], row["own_validator_status"] or "not asked", ours] += 1
                if ours == "errors" and row["own_validator_status"] == "ok":
                    print(f"    {row['path']}: {', '.join(errors)}")
    print(f"\n{'examples of':22}{'their validator':24}{'ours':22}files")
    for (dialect, theirs, ours), count in sorted(counts.items()):
        print(f"{dialect:22}{theirs:24}{ours:22}{count}")


def together(reference: Path) -> None:
    """Time many files in one process."""
    files = [str(p) for p in sorted((reference / "examples").rglob("*.y*ml"))]
    taken = _median([sys.executable, "-m", "recipeforge", "check", *files], rounds=3)
    print(f"\n{len(files)} files in one process: {taken * 1e3:,.0f} ms, {taken * 1e3 / len(files):.1f} ms a file")


def speed(pythons: dict[str, str | None], rounds: int) -> None:
    """Time whole processes over one Axolotl file, and the tools' own validation of theirs."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yml"
        file.write_text(AXOLOTL, encoding="utf-8")
        ours = _median([sys.executable, "-m", "recipeforge", "check", str(file)], rounds)
        print(f"recipeforge check of one Axolotl file, whole process: {ours * 1e3:.0f} ms")
        for name, python in pythons.items():
            if python:
                code = VALIDATE[name].format(path=str(file))
                theirs = _median([python, "-c", code], 3)
                print(f"{name}'s own validation, whole process: {theirs * 1e3:,.0f} ms, {theirs / ours:.0f}×")


def _errors(text: str) -> list[str]:
    return sorted({d.code for d in check(text).diagnostics if d.severity == "error"})


def _median(command: list[str], rounds: int) -> float:
    """Return the median time of a process in seconds; the first one warms caches and does not count."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times: list[float] = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
