"""A peer in a process of its own: some answers take minutes, and nothing else can end a solver in the middle of one."""

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from scale_timing import CLOCK, Table, Times

from dev.models.peers import Peer, Statuses
from recipeforge.solver.formula import Formula

FIRST_S = 60.0
"""A first answer may take this long, whatever the others may."""
CONTEXT = multiprocessing.get_context("fork")


def timed_peer(
    kind: type[Peer], formula: Formula, known: int, questions: Sequence[Sequence[int]], most_s: float, table: Table, rows: tuple[str, str]
) -> list[Statuses]:
    """Record what a peer needs to learn a formula and to answer, under the two names in `rows`; return its answers, as many as it had
    within the time."""
    here, there = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_asked, args=(kind, formula, known, questions, there), daemon=True)
    deadline = time.monotonic() + most_s
    process.start()
    there.close()
    learning: list[float] = []
    answering: list[float] = []
    said: list[Statuses] = []
    try:
        while here.poll(max(deadline - time.monotonic(), 0 if said else FIRST_S)):
            ms, statuses = here.recv()
            if statuses is None:
                learning.append(ms)
            else:
                answering.append(ms)
                said.append(statuses)
    except EOFError:
        pass  # it has answered everything
    process.kill()
    process.join()
    table.record(rows[0], kind.name, Times(tuple(learning)) if learning else None)
    if answering:
        table.record(rows[1], kind.name, Times(tuple(sorted(answering))))
    else:
        print(f"  {rows[1]:<40} {kind.name:<26} no answer within {FIRST_S:g} s", flush=True)
    return said


def _asked(kind: type[Peer], formula: Formula, known: int, questions: Sequence[Sequence[int]], answers: Connection) -> None:
    """Answer in the child. Turning an answer into statuses is not timed."""
    clock = CLOCK[0]
    start = clock()
    peer = kind(formula, known)
    answers.send(((clock() - start) * 1e3, None))
    for picks in questions:
        start = clock()
        answer = peer.ask(picks)
        answers.send(((clock() - start) * 1e3, peer.read(answer)))
