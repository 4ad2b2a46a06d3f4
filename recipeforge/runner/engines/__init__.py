"""How a plan becomes processes: one here, or several under torchrun (docs/decisions/0012-engines.md). Imports no torch."""

import os
from collections.abc import Mapping
from pathlib import Path

from recipeforge.runner.plan import IN_PROCESS, Plan

TORCHRUN = "torchrun"
MODULES: Mapping[str, str] = {IN_PROCESS: "recipeforge.runner.child", TORCHRUN: "recipeforge.runner.engines.torchrun"}
"""Engine → what to start; it reads the order from standard input."""


def environment_of(plan: Plan) -> dict[str, str]:
    """Return what several processes on one machine need in their environment."""
    if plan.engine == IN_PROCESS:
        return {}
    threads = max(1, (os.cpu_count() or 1) // plan.processes)
    found = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}
    if Path("/sys/class/net/lo").exists():
        # They all are on this machine: gloo need not ask a name server what it is called.
        found["GLOO_SOCKET_IFNAME"] = os.environ.get("GLOO_SOCKET_IFNAME", "lo")
    return found
