"""What this machine does at best: products of matrices by number format, memory bandwidth, the link between host and device."""

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from recipeforge.runner.devices import processor
from recipeforge.schemas.errors import RunError
from recipeforge.schemas.machine import Machine

_ROUNDS = 5
"""The best of so many counts: what else a machine does only takes away."""


@dataclass(frozen=True)
class Sizes:
    """How large what is measured is: enough to fill the device, and no more than a moment's work."""

    edge: int
    """Of a square matrix."""
    bytes: int
    """That are copied."""


SIZES = {"cuda": Sizes(8192, 2**30), "cpu": Sizes(512, 2**27)}


def measure(device: str | None = None, seconds: float = 0.5, sizes: Sizes | None = None) -> Machine:
    """Measure the GPU, or where there is none the CPU; `seconds` for each number.

    Raises:
        RunError: torch sees no such device.
    """
    import torch

    kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if kind not in SIZES or (kind == "cuda" and not torch.cuda.is_available()):
        raise RunError(f"torch {torch.__version__} sees no device `{kind}`; there is {'cuda and ' if torch.cuda.is_available() else ''}cpu")
    size = sizes or SIZES[kind]
    name = torch.cuda.get_device_name() if kind == "cuda" else processor().get("cpu") or platform.machine()
    wait: Callable[[], object] = torch.cuda.synchronize if kind == "cuda" else lambda: None
    products = dict(_products(torch, kind, size.edge, seconds, wait))
    there = torch.empty(size.bytes, dtype=torch.uint8, device=kind)
    here = torch.empty_like(there)
    copied = 2 * size.bytes / _best(lambda: here.copy_(there), seconds, wait) / 1e9
    up = down = None
    if kind == "cuda":
        host = torch.empty(size.bytes, dtype=torch.uint8, pin_memory=True)
        up = size.bytes / _best(lambda: there.copy_(host, non_blocking=True), seconds, wait) / 1e9
        down = size.bytes / _best(lambda: host.copy_(there, non_blocking=True), seconds, wait) / 1e9
    versions = {"torch": torch.__version__, "threads": str(torch.get_num_threads())}
    return Machine(platform.node(), kind, name, products, copied, up, down, versions)


def _products(torch: Any, kind: str, edge: int, seconds: float, wait: Callable[[], object]) -> Iterator[tuple[str, float]]:
    formats = [("fp32", torch.float32, False), ("bf16", torch.bfloat16, False), ("fp16", torch.float16, False)]
    if kind == "cuda":
        formats.insert(1, ("tf32", torch.float32, True))
    for name, dtype, tf32 in formats:
        left, right = (torch.randn(edge, edge, device=kind).to(dtype) for _ in range(2))
        out = torch.empty_like(left)
        with _tf32(torch, tf32):
            yield name, 2 * edge**3 / _best(lambda a=left, b=right, c=out: torch.mm(a, b, out=c), seconds, wait) / 1e12


@contextmanager
def _tf32(torch: Any, on: bool) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if on else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _best(act: Callable[[], object], seconds: float, wait: Callable[[], object]) -> float:
    """Return the seconds of one act in the best of a few rounds, after one that warms up."""
    act()
    wait()
    once = _timed(act, 1, wait)
    times = max(1, int(seconds / _ROUNDS / max(once, 1e-7)))
    return min(_timed(act, times, wait) / times for _ in range(_ROUNDS if once < seconds else 1))


def _timed(act: Callable[[], object], times: int, wait: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(times):
        act()
    wait()
    return time.perf_counter() - began
