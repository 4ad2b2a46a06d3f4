"""The training process: `python -m recipeforge.runner.child`, started by `run_child`.

Standard input brings the plan, standard output takes messages, standard error is the run's log.
SIGINT and SIGTERM ask it to stop after the micro-batch at hand.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipeforge.runner.channel import Channel
from recipeforge.runner.checkpoints import only_writer
from recipeforge.runner.plan import Plan
from recipeforge.schemas.errors import RunError

if TYPE_CHECKING:
    from recipeforge.runner.engines.ranks import Ranks


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
        if order.get("look"):
            _look(plan, output, channel)
        else:
            _run(plan, output, channel, reason, resume=order["resume"], smoke=order["smoke"])
    except BrokenPipeError:
        return 1
    return 0


def _look(plan: Plan, output: Path, channel: Channel) -> None:
    from recipeforge.runner.endings import told
    from recipeforge.runner.loop import Stop
    from recipeforge.runner.train import Training

    training = Training(plan, output, channel, Stop())
    try:
        training.look()
    except Exception as error:  # as in a run
        channel.say("end", state="failed", message=told(error, training.doing, "cpu")[1], cause="", steps=0, seconds=0.0)


def _run(plan: Plan, output: Path, channel: Channel, reason: list[str], *, resume: bool = False, smoke: bool = False) -> None:
    fields, _ = carried_out(plan, output, channel, reason, resume=resume, smoke=smoke)
    channel.say("end", **fields)


@contextmanager
def _alone(output: Path) -> Iterator[Ranks]:
    from recipeforge.runner.engines.ranks import ALONE

    with only_writer(output):
        yield ALONE


def carried_out(
    plan: Plan,
    output: Path,
    channel: Channel,
    reason: list[str],
    *,
    resume: bool = False,
    smoke: bool = False,
    joined: Callable[[Path], AbstractContextManager[Ranks]] = _alone,
) -> tuple[dict[str, Any], Exception | None]:
    """Train, and return the last message's fields, and the error behind a failure.

    `reason`: who asked for the end, as soon as someone did; `joined`: how this process joins the others that train with it.
    """
    from recipeforge.runner.loop import Stop

    class Asked(Stop):
        """Stops on signals as well as on budgets."""

        def __bool__(self) -> bool:
            self.reason = self.reason or reason[0]
            return bool(self.reason)

    stop = Asked()
    training = failure = None
    state, message, cause = "finished", "", ""
    try:
        from recipeforge.runner.train import Training

        with joined(output) as ranks:
            training = Training(plan, output, channel, stop, resume=resume, smoke=smoke, ranks=ranks)
            if not training.go():
                state, message = "interrupted", stop.reason
    except BrokenPipeError:
        raise
    except Exception as error:  # whatever a library raises ends the run, and the ledger says so
        from recipeforge.runner.endings import told

        if not isinstance(error, RunError):
            traceback.print_exc()
        state, failure = "failed", error
        cause, message = told(error, training.doing if training else "getting ready", training.device.type if training else "cpu")
    steps, seconds = (training.steps, training.seconds) if training else (0, 0.0)
    return {"state": state, "message": message, "cause": cause, "steps": steps, "seconds": seconds}, failure


if __name__ == "__main__":
    sys.exit(main())
