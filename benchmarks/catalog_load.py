"""The catalog's ways into a process: from its compiled cache, compiled afresh, and rebuilt after one file changed.

    python benchmarks/catalog_load.py [--rounds 11] [--rules 420 --components 230 --models 130 --claims 900]

Measured for the shipped pack, and for a copy of it in a temporary folder that is grown to the size asked for: entries are
repeated under new codes, ids and slugs. Every figure is of a fresh process with its bytecode compiled beforehand, as after an
installation: by the clock, and the processor's time, which a busy machine distorts less. Nothing is asserted.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from recipeforge.catalog.entries import read_entries
from recipeforge.catalog.load import SHIPPED_PACKS

ROOT = Path(__file__).resolve().parent.parent
RECIPES = {"check, a valid recipe": "smollm2-lora.yaml", "check, a broken recipe": "broken-qlora.yaml"}
GOALS = {"from the cache": 30, "compiled afresh": 2000, "rebuilt after a change": 2000} | dict.fromkeys(RECIPES, 200)
KINDS = ("rules", "components", "models", "claims")
PROBE = """
import json, sys, time
from pathlib import Path
from recipeforge.catalog.load import load
clock, processor = time.perf_counter(), time.process_time()
catalog = load([Path(sys.argv[1])])
spent = 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - processor)
sizes = {kind: len(getattr(catalog, kind)) for kind in sys.argv[2:]}
print(json.dumps({"spent": spent, "compiled": "yaml" in sys.modules, "sizes": sizes}))
"""
CHECK = """
import sys
from pathlib import Path
from recipeforge.catalog import load
load.SHIPPED_PACKS = (Path(sys.argv[1]),)
from recipeforge.cli.main import main
main(["check", sys.argv[2]])
"""
Entry = dict[str, Any]
Times = tuple[float, float]
"""Milliseconds by the clock, and of the processor."""


def grown(pack: Path, target: Path, sizes: dict[str, int]) -> Path:
    """Return a copy of the pack in which the entries of each kind were repeated until there are this many."""
    shutil.copytree(pack, target)
    repeat(target, "components/*.yaml", sizes["components"], renamed_component)
    repeat(target, "rules/*.yaml", sizes["rules"], renamed_rule)
    repeat(target, "claims/*.yaml", sizes["claims"], renamed_claim)
    repeat(target, "facts/models*.yaml", sizes["models"], renamed_sheet)
    return target


def repeat(pack: Path, pattern: str, wanted: int, renamed: Callable[[Entry, int], Entry]) -> None:
    """Append renamed copies, file by file and round by round, until `wanted` entries exist."""
    files = {path: [entry.data for entry in read_entries(path)] for path in sorted(pack.glob(pattern))}
    missing = wanted - sum(len(entries) for entries in files.values())
    extra: dict[Path, list[Entry]] = {path: [] for path in files}
    number = 0
    while missing > 0:
        number += 1
        for path, entries in files.items():
            new = [renamed(entry, number) for entry in entries][: max(missing, 0)]
            extra[path] += new
            missing -= len(new)
    for path, new in extra.items():
        if new:
            with path.open("a", encoding="utf-8") as file:
                file.write("\n" + yaml.safe_dump(new, sort_keys=False, allow_unicode=True, width=140))


def renamed_component(entry: Entry, number: int) -> Entry:
    return entry | {"id": f"{entry['id']}-copy{number}", "aliases": [f"{alias}-copy{number}" for alias in entry.get("aliases", ())]}


def renamed_rule(entry: Entry, number: int) -> Entry:
    shifted = int(str(entry["code"])[3:]) + 300 * number
    return entry | {"code": f"{entry['code'][:3]}{shifted % 1000:03}", "slug": f"{entry['slug']}-copy{number}"}


def renamed_claim(entry: Entry, number: int) -> Entry:
    return entry | {"id": f"{entry['id']}{number}"}


def renamed_sheet(entry: Entry, number: int) -> Entry:
    return entry | {"id": f"{entry['id']}-copy{number}", "aliases": [f"{alias}-copy{number}" for alias in entry.get("aliases", ())]}


def process(code: str, arguments: Iterable[str], env: dict[str, str]) -> tuple[Times, str]:
    """Return the milliseconds of a process, by the clock and of the processor, and what it printed."""
    clock, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    clock, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return (1000 * clock, 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)), done.stdout


def measured(pack: Path, env: dict[str, str], cache: Path, rounds: int) -> dict[str, list[Times]]:
    """Return the times of each way in."""
    times: dict[str, list[Times]] = {name: [] for name in GOALS}
    touched = min((pack / "rules").glob("*.yaml"))
    loaded(pack, env)  # the first process writes bytecode and does not count
    for _ in range(max(3, rounds // 3)):
        for file in cache.glob("catalog-*"):
            file.unlink()
        times["compiled afresh"].append(loaded(pack, env)["spent"])
        touched.write_bytes(touched.read_bytes() + b"\n")
        changed = loaded(pack, env)
        assert changed["compiled"], "the change was not seen"
        times["rebuilt after a change"].append(changed["spent"])
    for _ in range(rounds):
        kept = loaded(pack, env)
        assert not kept["compiled"], "the cache was not used"
        times["from the cache"].append(kept["spent"])
    for name, recipe in RECIPES.items():
        arguments = [str(pack), str(ROOT / "examples" / recipe)]
        process(CHECK, arguments, env)
        times[name] = [process(CHECK, arguments, env)[0] for _ in range(rounds)]
    return times


def loaded(pack: Path, env: dict[str, str]) -> dict[str, Any]:
    """Return what a fresh process says after loading."""
    return json.loads(process(PROBE, [str(pack), *KINDS], env)[1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    for kind, size in {"rules": 420, "components": 230, "models": 130, "claims": 900}.items():
        parser.add_argument(f"--{kind}", type=int, default=size)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env |= {"PYTHONPYCACHEPREFIX": str(base / "bytecode"), "RECIPEFORGE_CACHE": str(base / "cache"), "PYTHONPATH": str(ROOT)}
        today = Path(shutil.copytree(SHIPPED_PACKS[0], base / "today"))
        for pack in (today, grown(SHIPPED_PACKS[0], base / "grown", vars(args))):
            times = measured(pack, env, base / "cache", args.rounds)
            print(f"{pack.name}: " + ", ".join(f"{size} {kind}" for kind, size in loaded(pack, env)["sizes"].items()))
            for name, values in times.items():
                clock, processor = ([value[side] for value in values] for side in (0, 1))
                told = f"median {statistics.median(clock):>7.1f} ms   best {min(clock):>7.1f} ms"
                print(f"  {name:<24} {told}   processor {statistics.median(processor):>7.1f} ms   goal {GOALS[name]} ms")


if __name__ == "__main__":
    main()
