"""One of several training processes: `python -m recipeforge.runner.engines.rank`, started by torchrun.

A file names the order, the first process tells the parent how it goes, and each that fails leaves a note about it beside the order.
"""

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

from recipeforge.runner.channel import Channel
from recipeforge.runner.checkpoints import only_writer
from recipeforge.runner.child import carried_out
from recipeforge.runner.engines import folder
from recipeforge.runner.engines.ranks import Ranks
from recipeforge.runner.plan import Plan

WAITING = timedelta(hours=2)
"""How long processes wait for one another: one of them writes checkpoints meanwhile."""
_LOST = ("Connection closed by peer", "Connection reset by peer", "gloo", "NCCL", "Broken pipe")
"""Words of errors that say that another process is gone."""


class Silent(Channel):
    """The channel of a process that nobody listens to."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def say(self, kind: str, **fields: Any) -> None:
        """Say nothing."""


def main() -> int:
    """Train together with the others; return 1 where this process could not go on."""
    rank, where = int(os.environ["RANK"]), Path(os.environ[folder.PLACE])
    channel = Channel(os.fdopen(os.dup(1), "w", encoding="utf-8")) if rank == 0 else Silent()
    os.dup2(2, 1)
    _end_with_parent()
    reason = [""]

    def asked(number: int, _: object) -> None:
        reason[0] = f"stopped by {signal.Signals(number).name}"

    signal.signal(signal.SIGINT, asked)
    signal.signal(signal.SIGTERM, asked)
    folder.here(where, rank)
    if name := folder.asked(where):
        reason[0] = f"stopped by {name}"
    order = json.loads((where / folder.ORDER).read_text(encoding="utf-8"))
    plan, output = Plan.from_json(order["plan"]), Path(order["output"])
    channel.say("stage", text=f"importing torch and transformers in {plan.processes} processes")
    try:
        fields, error = carried_out(plan, output, channel, reason, resume=order["resume"], smoke=order["smoke"], joined=_joined(plan))
    except BrokenPipeError:
        return 1
    if error is None:
        channel.say("end", **fields)
        return 0
    folder.failed(where, rank, fields, lost=_lost(error))
    sys.stderr.flush()
    os._exit(1)  # leaving in order would wait for the others


def _joined(plan: Plan):
    @contextmanager
    def joined(output: Path) -> Iterator[Ranks]:
        import torch
        import torch.distributed as dist

        from recipeforge.runner.engines.together import Copies, Shards

        rank, on_gpu = int(os.environ["RANK"]), torch.cuda.is_available()
        if on_gpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        # The first process holds the folder before the others join it: of a run that was killed, some process may still be at work.
        with only_writer(output) if rank == 0 else nullcontext():
            began = time.monotonic()
            dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=WAITING)
            print(f"joined after {time.monotonic() - began:.1f} s", file=sys.stderr)
            yield (Shards if "fsdp2" in plan.parts.get("distributed", ()) else Copies)()
            dist.destroy_process_group()

    return joined


def _lost(error: Exception) -> bool:
    """Return whether an error only says that another process is gone."""
    import torch.distributed as dist

    return isinstance(error, dist.DistError) or any(words in str(error) for words in _LOST)


def _end_with_parent() -> None:
    """Where the system offers it, have it end this process with the one that started it: a kill of that one reaches no other."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() == 1:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
