"""The GPU that a run will get, as its driver describes it, and the processor; asking needs no torch."""

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

_FIELDS = ("index", "uuid", "name", "memory.total", "memory.free", "compute_cap", "driver_version")


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU; `None` where the driver does not say, as it does for memory that CPU and GPU share."""

    name: str
    memory_gib: float | None
    free_gib: float | None
    capability: float | None
    driver: str = ""


def visible_gpu() -> Gpu | None:
    """Return the GPU that the training process will use; `None` where it will see none.

    That is the first one that `CUDA_VISIBLE_DEVICES` names, in the driver's own order, or the first of all.
    """
    told = _told()
    order = os.environ.get("CUDA_VISIBLE_DEVICES")
    if order is None:
        return _gpu(told[0]) if told else None
    first = order.split(",", 1)[0].strip()
    if first.startswith("MIG-"):  # a slice of some GPU: how much of it, these fields do not say
        return replace(_gpu(told[0]), memory_gib=None, free_gib=None) if told else None
    chosen = [row for row in told if row["index"] == first or (first.startswith("GPU-") and row["uuid"].startswith(first))]
    return _gpu(chosen[0]) if chosen else None


def visible_gpus() -> int:
    """Return how many GPUs training processes can use."""
    told = _told()
    order = os.environ.get("CUDA_VISIBLE_DEVICES")
    return len(told) if order is None else len([name for name in order.split(",") if name.strip()]) if told else 0


def _told() -> list[dict[str, str]]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, f"--query-gpu={','.join(_FIELDS)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    return [dict(zip(_FIELDS, row, strict=True)) for row in rows if len(row) == len(_FIELDS)]


def _gpu(row: dict[str, str]) -> Gpu:
    total, free, capability = (_number(row[field]) for field in ("memory.total", "memory.free", "compute_cap"))
    return Gpu(row["name"], total and total / 1024, None if free is None else free / 1024, capability, row["driver_version"])


def _number(cell: str) -> float | None:
    """A cell may read `[N/A]`."""
    try:
        return float(cell)
    except ValueError:
        return None


def processor() -> dict[str, str]:
    """Return cores, and where the system tells them the processor's name and the memory."""
    names = {"cores": str(os.cpu_count() or 0)}
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names["cpu"] = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
        total = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
        names["memory_gib"] = f"{int(total.split()[1]) / 2**20:.1f}"
    return names
