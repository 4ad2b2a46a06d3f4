"""The training process: `python -m recipeforge.runner.child`, started by `run_child`.

Standard input brings the plan, standard output takes messages, standard error is the run's log.
SIGINT and SIGTERM ask it to stop after the micro-batch at hand.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path

from recipeforge.runner.channel import Channel
from recipeforge.runner.checkpoints import only_writer
from recipeforge.runner.plan import Plan
from recipeforge.schemas.errors import RunError


def main() -> int:
    """Run the plan on standard input; the last message says how it ended."""
    # Libraries print to standard output as they like: give them standard error, and keep the pipe for messages.
    channel = Channel(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    reason = [""]

    def asked(number: int, _: object) -> None:
        reason[0] = f"stopped by {signal.Signals(number).name}"

    signal.signal(signal.SIGINT, asked)
    signal.signal(signal.SIGTERM, asked)
    order = json.loads(sys.stdin.read())
    plan, output = Plan.from_json(order["plan"]), Path(order["output"])
    channel.say("stage", text="importing torch and transformers")
    try:
        _run(plan, output, channel, reason, resume=order["resume"], smoke=order["smoke"])
    except BrokenPipeError:
        return 1
    return 0


def _run(plan: Plan, output: Path, channel: Channel, reason: list[str], *, resume: bool = False, smoke: bool = False) -> None:
    from recipeforge.runner.loop import Stop

    class Asked(Stop):
        """Stops on signals as well as on budgets."""

        def __bool__(self) -> bool:
            self.reason = self.reason or reason[0]
            return bool(self.reason)

    stop = Asked()
    training = None
    state, message = "finished", ""
    try:
        from recipeforge.runner.train import Training

        with only_writer(output):
            training = Training(plan, output, channel, stop, resume=resume, smoke=smoke)
            if not training.go():
                state, message = "interrupted", stop.reason
    except BrokenPipeError:
        raise
    except RunError as error:
        state, message = "failed", str(error)
    except Exception as error:  # whatever a library raises ends the run, and the ledger says so
        traceback.print_exc()
        state, message = "failed", _told(error)
    channel.say("end", state=state, message=message, steps=training.steps if training else 0, seconds=training.seconds if training else 0.0)


def _told(error: Exception) -> str:
    import torch

    # The driver and cuBLAS take memory past torch's allocator, and say in their own words when there is none.
    words = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
    if isinstance(error, torch.OutOfMemoryError) or any(w in str(error) for w in words):
        return f"out of memory on the GPU{_others()}; `recipeforge solve --minimize memory` proposes what to change"
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _others() -> str:
    """Say how much of the GPU other processes hold, where that is much."""
    import torch

    from recipeforge.runner.devices import visible_gpu

    gpu = visible_gpu() if torch.cuda.is_available() else None
    if gpu is None or gpu.memory_gib is None or gpu.free_gib is None:
        return ""
    held = gpu.memory_gib - gpu.free_gib - torch.cuda.memory_reserved() / 2**30
    return f", of whose {gpu.memory_gib:.1f} GiB other processes hold about {held:.1f}" if held > 0.1 * gpu.memory_gib else ""


if __name__ == "__main__":
    sys.exit(main())
