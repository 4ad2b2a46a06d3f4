"""What was measured of one machine."""

from collections.abc import Mapping
from dataclasses import field

from recipeforge.schemas.record import record


@record
class Machine:
    """One device of one machine, measured."""

    host: str
    kind: str
    """`cuda` or `cpu`."""
    device: str
    """As its driver, or the system, calls it."""
    tflops: Mapping[str, float]
    """Number format → 10¹² operations a second of a product of large matrices."""
    bandwidth_gb_s: float
    """Bytes read and written a second, copying inside its memory."""
    to_device_gb_s: float | None
    """From pinned main memory; `None` for a CPU."""
    from_device_gb_s: float | None
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    at: str = ""
    """When; ISO time with zone."""
