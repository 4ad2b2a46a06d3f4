"""Measured peak memory, said together with how it was measured."""

import gc
import sys
from pathlib import Path
from typing import Any


class PeakMeter:
    """Peak of the device's memory, or on a CPU of this process's resident memory above a baseline.

    Make it after the imports and before the model is loaded; call `start` when the model is loaded, so that what
    loading itself took for a moment does not count as training's.
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self._baseline = 0 if device.type == "cuda" else _resident("VmRSS")
        self._was_reset = False

    def start(self) -> None:
        """Forget the peak so far."""
        gc.collect()
        if self._device.type == "cuda":
            import torch

            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            _return_freed_memory()
            self._was_reset = _reset_high_water()

    def read(self) -> tuple[int, str]:
        """Return the peak in bytes and how it was measured."""
        if self._device.type == "cuda":
            import torch

            return torch.cuda.max_memory_allocated(self._device), "cuda-max-allocated"
        peak = max(0, _resident("VmHWM") - self._baseline)
        return peak, "rss-delta" if self._was_reset else "rss-delta-with-loading"

    def reserved(self) -> int | None:
        """Return the most bytes that the allocator held on the device, handed out or not; `None` on a CPU."""
        if self._device.type != "cuda":
            return None
        import torch

        return torch.cuda.max_memory_reserved(self._device)


def _resident(field: str) -> int:
    """`VmRSS` (now) or `VmHWM` (the most so far), bytes."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _reset_high_water() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _return_freed_memory() -> None:
    """glibc keeps freed memory resident; give back what unpacking the weights left, or it would count as training's."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
