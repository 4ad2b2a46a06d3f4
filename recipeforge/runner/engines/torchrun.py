"""Several processes on this machine, started and watched by torch's own launcher: `python -m recipeforge.runner.engines.torchrun`.

Standard input brings the order, as for a single process; the first process writes messages to standard output. When one of them fails
torchrun ends the others, and the reason is told here, once.
"""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from recipeforge.runner.channel import Channel
from recipeforge.runner.engines import folder
from recipeforge.runner.engines.port import free_port
from recipeforge.runner.plan import Plan


def main() -> int:
    """Start as many processes as the plan says, and wait for them."""
    channel = Channel(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    order = sys.stdin.read()
    plan = Plan.from_json(json.loads(order)["plan"])
    with tempfile.TemporaryDirectory(prefix="recipeforge-together-", ignore_cleanup_errors=True) as name:
        where = Path(name)
        (where / folder.ORDER).write_text(order, encoding="utf-8")
        os.environ[folder.PLACE] = name
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: folder.ask(where, number))
        return _launched(plan, where, channel)


def _launched(plan: Plan, where: Path, channel: Channel) -> int:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    arguments = ["--nproc-per-node", str(plan.processes), "--master-addr", "127.0.0.1", "--master-port", str(plan.port or free_port())]
    # Ctrl-C is passed on to the first process alone; the launcher's own way with it gives them half a minute.
    arguments += ["--signals-to-handle", "SIGHUP,SIGQUIT", "--log-dir", str(where / "logs"), "-m", "recipeforge.runner.engines.rank"]
    try:
        run(parse_args(arguments))
    except ChildFailedError as error:
        print(error, file=sys.stderr)
        told, code = folder.ending(where, {rank: failure.exitcode for rank, failure in error.failures.items()})
        if told is not None:
            channel.say("end", **told)
        elif code is not None:
            channel.say("ended", rank=code[0], code=code[1])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
