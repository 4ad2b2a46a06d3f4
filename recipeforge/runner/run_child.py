"""Start the training process, listen to it, and keep the ledger's row true whatever becomes of it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from recipeforge.runner import channel
from recipeforge.runner.book import Book
from recipeforge.runner.channel import Message
from recipeforge.runner.devices import processor
from recipeforge.runner.engines import MODULES, environment_of
from recipeforge.runner.ledger import Ledger, new_id, now
from recipeforge.runner.plan import Plan
from recipeforge.schemas.errors import RunError
from recipeforge.schemas.run import Run

LOG = "log.txt"


Listener = Callable[[Message], None]


def run(
    plan: Plan,
    recipe_text: str,
    ledger: Ledger,
    estimate_bytes: int | None = None,
    listen: Listener = lambda m: None,
    *,
    earlier: Run | None = None,
    smoke: bool = False,
) -> Run:
    """Carry a plan out in a process of its own and return its ledger row. `listen` hears every message.

    `earlier`: a run of this plan that ended too soon; it goes on from its last checkpoint, in its own row and folder. `smoke`: a few
    steps, saving and loading again, in a folder that is removed; only the row stays.

    SIGINT and SIGTERM are passed on once: the training process then stops after the micro-batch at hand, leaves a checkpoint,
    and the row says `interrupted`. A second one kills it.

    Raises:
        RunError: the output folder cannot be made.
    """
    with contextlib.ExitStack() as leaving:
        book, order = leaving.enter_context(entered(plan, recipe_text, ledger, estimate_bytes, earlier=earlier, smoke=smoke))
        log = leaving.enter_context((Path(order["output"]) / LOG).open("ab"))
        _follow(order, plan, log, book, listen)
    return book.row


@contextlib.contextmanager
def entered(
    plan: Plan, recipe_text: str, ledger: Ledger, estimate_bytes: int | None, *, earlier: Run | None = None, smoke: bool = False
) -> Iterator[tuple[Book, dict[str, Any]]]:
    """Enter a run into the ledger; give its book, and the order for whatever trains it. Behind it the row has an end, come what may."""
    with contextlib.ExitStack() as leaving:
        if smoke:
            row = replace(_new(plan, ledger, estimate_bytes)[0], smoke=True, output="", folder="")
            folder = tempfile.TemporaryDirectory(prefix=f"recipeforge-{row.id}-", ignore_cleanup_errors=True)
            output = Path(leaving.enter_context(folder))
            ledger.begin(row, recipe_text)
        elif earlier is not None:
            row, output = replace(earlier, **_here(plan), state="running", message="", cause=""), Path(earlier.folder)
            ledger.begin_again(row)
        else:
            row, output = _new(plan, ledger, estimate_bytes)
            _lay_out(output, plan, recipe_text)
            ledger.begin(row, recipe_text)
        book = Book(ledger, row)
        try:
            yield book, {"plan": plan.to_json(), "output": str(output), "resume": earlier is not None, "smoke": smoke}
        finally:
            # Also when listening failed: no row may stay `running` behind a process that is gone.
            book.close(output / LOG)


def look(plan: Plan, listen: Listener) -> None:
    """Have a training process look at rows, tokenizer and configuration, and end; `listen` hears what it finds."""
    with tempfile.TemporaryDirectory(prefix="recipeforge-look-") as folder, (Path(folder) / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "recipeforge.runner.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | environment(plan),
            text=True,
            encoding="utf-8",
        )
        order = {"plan": plan.to_json(), "output": folder, "look": True}
        answer, _ = process.communicate(json.dumps(order))
        for line in answer.splitlines():
            listen(channel.parse(line))


def _new(plan: Plan, ledger: Ledger, estimate_bytes: int | None) -> tuple[Run, Path]:
    """Return the row of a run that begins, and its folder."""
    id_ = new_id()
    output = Path(plan.output) if plan.output else (ledger.path.parent / id_).absolute()
    row = Run(
        id=id_,
        name=plan.name,
        state="running",
        recipe_path=plan.recipe_path,
        recipe_sha256=plan.recipe_sha256,
        catalog_hash=plan.catalog_hash,
        seed=plan.seed,
        started=now(),
        estimate_bytes=estimate_bytes,
        output=str(output),
        folder=str(output),
        **_here(plan),
    )
    return row, output


def _here(plan: Plan) -> dict[str, Any]:
    return {"versions": _versions(plan), "hardware": processor()}


def _follow(order: dict[str, Any], plan: Plan, log: IO[bytes], book: Book, listen: Listener) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", MODULES[plan.engine]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=os.environ | environment(plan),
        # A terminal's Ctrl-C goes to its whole process group; in a session of its own the child hears only what is passed on.
        start_new_session=True,
        text=True,
        encoding="utf-8",
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        with _passing_on_signals(process, book):
            with contextlib.suppress(BrokenPipeError), process.stdin as told:
                told.write(json.dumps(order))
            for line in process.stdout:
                message = channel.parse(line)
                book.note(message)
                listen(message)
            code = process.wait()
            book.exit_code = code if book.exit_code is None else book.exit_code
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _passing_on_signals(process: subprocess.Popen[str], book: Book) -> Iterator[None]:
    asked = [0]

    def pass_on(number: int, _: object) -> None:
        asked[0] += 1
        if asked[0] == 1:
            process.send_signal(number)
        else:
            book.killed = True
            process.kill()

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def environment(plan: Plan) -> dict[str, str]:
    """Return what a training process has in its environment besides, set before torch loads."""
    # Idle OpenMP threads that spin make torch 10 to 100 times slower where cores are shared.
    # And the driver's tools and CUDA have to mean the same GPU by a number.
    order = os.environ.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    more = {"CUDA_DEVICE_ORDER": order, "OMP_WAIT_POLICY": "passive", "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}
    if plan.model.kind != "hub":
        more["HF_HUB_OFFLINE"] = "1"
    if str(plan.values.get("hardware.gpu", "")).lower() == "cpu":
        more["CUDA_VISIBLE_DEVICES"] = ""
    return more | environment_of(plan)


def _lay_out(output: Path, plan: Plan, recipe_text: str) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        (output / "recipe.yaml").write_text(recipe_text, encoding="utf-8")
        (output / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    except OSError as error:
        raise RunError(f"the output folder {output} cannot be written: {error.strerror}; name another in `train.output`") from error


def _versions(plan: Plan) -> dict[str, str]:
    versions = {"python": ".".join(str(n) for n in sys.version_info[:3]), "recipeforge": metadata.version("recipeforge")}
    return versions | {need.name: need.installed or "" for need in plan.packages}
