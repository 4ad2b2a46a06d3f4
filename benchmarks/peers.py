"""Other tools' configurations: what we find in them, and how long it takes beside the tools' own validation.

    python benchmarks/peers.py [--reference ../shared/reference/peers] [--rounds 9]
                               [--axolotl PYTHON] [--llamafactory PYTHON] [--torchtune PYTHON]

Axolotl's own rejected and accepted cases, and the examples with what their tool's validator says, are read from the reference folder;
without it only the speed is measured. `--axolotl` and so on name the Python interpreters of virtual environments in which the tools are
installed. Of each tool the least of its own code that validates a file is timed, without a command line around it where it can be had
without, and with its network and telemetry off. Whole processes, warm file caches, medians; each round times ours and theirs in turn.
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
FILES = {
    "axolotl": """\
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
""",
    "llamafactory": """\
model_name_or_path: HuggingFaceTB/SmolLM2-135M
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 16
lora_target: all
dataset: identity
template: default
cutoff_len: 1024
per_device_train_batch_size: 2
gradient_accumulation_steps: 4
num_train_epochs: 1.0
learning_rate: 2.0e-4
lr_scheduler_type: cosine
output_dir: ./out
""",
    "torchtune": """\
output_dir: ./out
model:
  _component_: torchtune.models.llama3_2.lora_llama3_2_1b
  lora_attn_modules: [q_proj, v_proj]
  apply_lora_to_mlp: true
  lora_rank: 16
  lora_alpha: 32
tokenizer:
  _component_: torchtune.models.llama3.llama3_tokenizer
  path: ./tokenizer.model
  max_seq_len: 1024
checkpointer:
  _component_: torchtune.training.FullModelHFCheckpointer
  checkpoint_dir: ./model
  checkpoint_files: [model.safetensors]
  output_dir: ${output_dir}
  model_type: LLAMA3_2
dataset:
  _component_: torchtune.datasets.alpaca_dataset
  packed: true
seed: null
batch_size: 2
epochs: 1
optimizer:
  _component_: torch.optim.AdamW
  lr: 2.0e-4
loss:
  _component_: torchtune.modules.loss.CEWithChunkedOutputLoss
gradient_accumulation_steps: 4
device: cpu
dtype: bf16
""",
}
VALIDATE = {
    "axolotl": """
import sys, yaml
from axolotl.utils.config import validate_config
from axolotl.utils.dict import DictDefault
with open(sys.argv[1]) as file:
    cfg = DictDefault(yaml.safe_load(file))
machine = {"bf16": True, "n_gpu": 1, "compute_capability": "sm_90"}
validate_config(cfg, capabilities=machine, env_capabilities={"torch_version": "2.11.0"})
""",
    "llamafactory": "from llamafactory.hparams import get_train_args; get_train_args()",
    "torchtune": "import sys; sys.argv[1:1] = ['validate']; from torchtune._cli.tune import main; main()",
}
QUIET = {"HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1", "DO_NOT_TRACK": "1"}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, default=REFERENCE)
    for name in VALIDATE:
        parser.add_argument(f"--{name}", metavar="PYTHON", help=f"Python of an environment with {name}")
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
    """Time whole processes over one file of each tool, ours and the tool's own in turn."""
    print(f"\n{'one file of':14}{'its own validation':>20}{'recipeforge check':>20}{'times faster':>14}")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            file = Path(folder) / f"{name}.yml"
            file.write_text(text, encoding="utf-8")
            ours, theirs = [sys.executable, "-m", "recipeforge", "check", str(file)], [pythons[name] or "", "-c", VALIDATE[name], str(file)]
            if pythons[name]:
                mine, own = _medians([ours, theirs], rounds)
                print(f"{name:14}{own * 1e3:17,.0f} ms{mine * 1e3:17,.0f} ms{own / mine:13.0f}×")
            else:
                (mine,) = _medians([ours], rounds)
                print(f"{name:14}{'not asked':>20}{mine * 1e3:17,.0f} ms")


def _errors(text: str) -> list[str]:
    return sorted({d.code for d in check(text).diagnostics if d.severity == "error"})


def _median(command: list[str], rounds: int) -> float:
    """Return the median time of a process in seconds."""
    return _medians([command], rounds)[0]


def _medians(commands: list[list[str]], rounds: int) -> list[float]:
    """Return the median times of processes in seconds, run in turn; the first round warms caches and does not count.

    Raises:
        SystemExit: one of them did not come through, so that what it took means nothing.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | QUIET
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(rounds + 1):
        for command, taken in zip(commands, times, strict=True):
            start = time.perf_counter()
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            taken.append(time.perf_counter() - start)
            if done.returncode not in (0, 1 if command[1] == "-m" else 0):
                raise SystemExit(f"{' '.join(command)[:200]} left with {done.returncode}:\n{done.stderr[-2000:]}")
    return [statistics.median(taken[1:]) for taken in times]


if __name__ == "__main__":
    main()
