"""A worker process (`python -m recipeforge.runner.cohort.worker`): runs, one after another, as they are asked for.

Standard input: one line with the setting, then one line a run. Standard output: one line `{}` when it is ready, then one a run.
"""

import contextlib
import json
import os
import sys
from dataclasses import asdict

from recipeforge.runner.cohort.setting import Job, Setting
from recipeforge.schemas.errors import RunError


def main() -> int:
    """Work until standard input ends."""
    # Libraries print to standard output as they like: give them standard error, and keep the pipe for answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(record: dict[str, object]) -> None:
        answers.write(json.dumps(record) + "\n")
        answers.flush()

    order = json.loads(sys.stdin.readline())
    setting = Setting(**order | {"rates": tuple(order["rates"])})
    import torch

    torch.set_num_threads(1)
    from recipeforge.runner.cohort.encoder import Encoder

    try:
        encoder = Encoder(setting)
    except RunError as error:
        say({"refused": str(error)})
        return 1
    say({})
    for line in sys.stdin:
        try:
            say(encoder.run(Job(**json.loads(line))))
        except RunError as error:
            say({"failed": str(error)})
    return 0


def order_of(setting: Setting) -> str:
    """Return the first line that a worker reads."""
    return json.dumps(asdict(setting))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # whoever asked is gone
        sys.exit(main())
