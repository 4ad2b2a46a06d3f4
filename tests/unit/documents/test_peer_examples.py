"""Examples and test cases of other tools, with what their own validators say. Read where they are, never part of this project."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from recipeforge.api import check
from recipeforge.schemas.report import FileReport

PEERS = Path(__file__).parents[3].parent / "shared/reference/peers"
pytestmark = pytest.mark.skipif(not PEERS.is_dir(), reason=f"the collection of other tools' examples is not at {PEERS}")

ARGUED = {
    # transformers' trainer raises where both are on (EV-0514), and Axolotl hands both over: setup_fsdp_envs sets FSDP's, and
    # _configure_gradient_checkpointing the trainer's.
    "axolotl_examples/examples/qwen3.5/122b-a10b-moe-qlora-fsdp.yaml": {"RF6023"},
    "axolotl_examples/examples/qwen3.5/27b-fft.yaml": {"RF6023"},
    "axolotl_examples/examples/qwen3.5/27b-qlora-fsdp.yaml": {"RF6023"},
    "axolotl_examples/examples/qwen3.5/35b-a3b-moe-qlora-fsdp.yaml": {"RF6023"},
    # A unit test of something else: no plugin brings this adapter, and Axolotl refuses it outside of the test, which patches that away.
    "axolotl_valid-0031": {"RF0006"},
    # `save_strategy: test`, accepted by the schema and refused by transformers' TrainingArguments.
    "axolotl_valid-0082": {"RF0006"},
    # Nine attention heads over two devices, and a head that is the embedding: its validator does not look into the model.
    "axolotl_valid-0211": {"RF6012", "RF6014"},
}
"""Accepted by the peer's own validator, and wrong all the same: file or case → codes, each with its argument above."""


def errors(report: FileReport) -> set[str]:
    return {d.code for d in report.diagnostics if d.severity == "error"}


def cases(kind: str) -> list[dict]:
    with (PEERS / f"axolotl_{kind}.jsonl").open(encoding="utf-8") as lines:
        return [case for case in map(json.loads, lines) if case["full_config"]]


def test_examples_that_their_tool_accepts_have_no_error(saw: Callable[[str], None]) -> None:
    seen: Counter[str] = Counter()
    wrong: dict[str, set[str]] = {}
    with (PEERS / "INDEX.tsv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            if row["own_validator_status"] != "ok" or not row["path"].endswith((".yml", ".yaml")):
                continue
            report = check(PEERS / "examples" / row["path"])
            if report.loadout is None:  # an evaluation, a conversion: nothing there trains
                seen[f"{row['dialect']}: does not train"] += 1
                continue
            seen[row["dialect"]] += 1
            assert report.dialect == row["dialect"].removesuffix("-train")
            if found := errors(report) - ARGUED.get(row["path"], set()):
                wrong[row["path"]] = found
    saw(f"other tools' examples without an error of ours: {dict(seen)}")
    assert not wrong


def test_axolotls_own_cases_are_judged_as_it_judges_them(saw: Callable[[str], None]) -> None:
    refused = {case["id"] for case in cases("invalid") if not errors(check(yaml.safe_dump(case["config"], sort_keys=False)))}
    alarmed = {
        case["id"]: found
        for case in cases("valid")
        if (found := errors(check(yaml.safe_dump(case["config"], sort_keys=False))) - ARGUED.get(case["id"], set()))
    }
    count = len(cases("invalid"))
    saw(f"Axolotl's own cases: {count - len(refused)} of {count} refused ones found, {len(cases('valid'))} accepted ones clean")
    assert not refused
    assert not alarmed
