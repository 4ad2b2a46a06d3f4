"""Feature models of real systems: reading, compiling, dead and core features, and all statuses under ten picks."""

import json
import random
import subprocess
import sys
from pathlib import Path

from scale_peers import timed_peer
from scale_timing import OURS, Table, Times, differences, heading, timed

from dev.models import dimacs, uvl
from dev.models.model import Model
from dev.models.peers import PEERS, Peer, PythonSatPlain, importable
from recipeforge.solver.consequences import Consequences, Engine, Undecided

FOLDER = Path(__file__).parents[2] / "shared/reference/feature-models"
MODELS = ("windows8", "busybox118", "ecos", "erp", "automotive01", "cnn_full", "linux26333", "automotive02_1", "freebsd", "linux_nieke")
QUESTIONS, PICKS = 12, 10
PEER_S = 20.0
FLAMAPY_S = 60
BUDGET_S = 5.0
"""What one question may take before its answer says what is undecided."""
READ, COMPILE, ROOT, STATUSES = "read", "compile", "dead and core features", "all statuses, ten picks"
GOALS = {"automotive02_1": "goal 80, 150× python-sat", "linux26333": "goal 300", "freebsd": "within 5,000", "linux_nieke": "within 5,000"}


def measure_model(name: str) -> None:
    """Print the table of one model."""
    path = next((p for kind in ("uvl", "dimacs") if (p := FOLDER / f"{name}.{kind}").is_file()), None)
    if path is None:
        print(f"\n{name}: not at {FOLDER}, left out")
        return
    load = uvl.load if path.suffix == ".uvl" else dimacs.load
    model = load(path)
    heading(f"{path.name}, {len(model.names):,} features")
    table = Table()
    table.record(READ, OURS, timed(load, [path] * 5))
    table.record(COMPILE, OURS, timed(compiled, [model] * 2))
    engine = compiled(model)
    questions = consistent_picks(engine, model)
    table.record(ROOT, OURS, timed(lambda _: engine.consequences(()), range(5)))
    table.record(STATUSES, OURS, timed(lambda p: engine.consequences(p, BUDGET_S), questions, rounds=1), GOALS.get(name, ""))
    undecided = [len(found.undecided) if found else len(model.names) for found in answers(engine, questions)]
    if any(undecided):
        print(f"  undecided within {BUDGET_S:g} s: at most {max(undecided):,} of {len(model.names):,} features")
    flamapy(path, engine, model, table)
    for kind in (*PEERS, PythonSatPlain):
        if not importable(kind.module):
            continue
        beside(kind, model, engine, questions, table)


def compiled(model: Model) -> Engine:
    """Return the engine for the features of a model."""
    return Engine(model.formula, among=range(len(model.names)))


def beside(kind: type[Peer], model: Model, engine: Engine, questions: list[list[int]], table: Table) -> None:
    """Time a peer at the same questions, and compare what it says."""
    said = timed_peer(kind, model.formula, len(model.names), questions, PEER_S, table, (COMPILE, STATUSES))
    for ours, theirs, picks in zip(answers(engine, questions[: len(said)]), said, questions, strict=False):
        wrong = ours and differences(ours, theirs, len(model.names))
        if wrong:
            print(f"  MISMATCH with {kind.name}: {[model.names[v] for v in wrong[:5]]} under {picks}")


def answers(engine: Engine, questions: list[list[int]]) -> list[Consequences | None]:
    """Return our answers; `None` where the time did not even allow to say whether the picks can hold together."""
    found: list[Consequences | None] = []
    for picks in questions:
        try:
            found.append(engine.consequences(picks, BUDGET_S))
        except Undecided:
            found.append(None)
    return found


def consistent_picks(engine: Engine, model: Model) -> list[list[int]]:
    """Return features that can be there together: drawn one by one, kept if they still fit."""
    rng = random.Random(f"picks of {model.name}")
    dead = engine.root.blocked if engine.root else frozenset[int]()
    found: list[list[int]] = []
    for _ in range(QUESTIONS):
        picks: list[int] = []
        for v in rng.sample(range(len(model.names)), min(len(model.names), 400)):
            if len(picks) < PICKS and v not in dead and engine.model([*picks, v]) is not None:
                picks.append(v)
        found.append(picks)
    return found


def flamapy(path: Path, engine: Engine, model: Model, table: Table) -> None:
    """Time flamapy's reader and its dead and core features, and compare the counts."""
    if path.suffix != ".uvl" or not importable("flamapy.metamodels.pysat_metamodel"):
        return
    command = [sys.executable, str(Path(__file__).with_name("scale_flamapy.py")), str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FLAMAPY_S)
    except subprocess.TimeoutExpired:
        print(f"  {READ:<40} {'flamapy':<26} not done after {FLAMAPY_S} s")
        return
    if done.returncode:
        print(f"  {READ:<40} {'flamapy':<26} fails: {(done.stderr.strip().splitlines() or ['no message'])[-1][:80]}")
        return
    found = json.loads(done.stdout.splitlines()[-1])
    table.record(READ, "flamapy", Times((found["read_ms"],)))
    table.record(ROOT, "flamapy", Times((found["backbone_ms"],)))
    known, root = range(len(model.names)), engine.root
    counts = root and (sum(v in root.forced for v in known), sum(v in root.blocked for v in known))
    if counts != (found["core"], found["dead"]):
        print(f"  MISMATCH with flamapy: core and dead are {counts} here, {found['core'], found['dead']} there")
