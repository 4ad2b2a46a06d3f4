"""Other tools' files there and back: every fix that is offered changes its lines alone and cures its finding; conversions keep the run.

Our own configurations lie in `tests/golden/dialects`, each beside the diff of every fix. The tools' own examples are read where they are,
and the second half skips where there are none.
"""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_converting import CATALOG, differing, loadout_of

from recipeforge.api.checking import check_document, document_of, target
from recipeforge.documents.dialects.converting import TARGETS, convert
from recipeforge.documents.dialects.dialect import dialects
from recipeforge.documents.edit import apply_edits
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.report import FileReport

ROOT = Path(__file__).parents[3]
OWN = sorted((ROOT / "tests/golden/dialects").glob("*.yml"))
PEERS = ROOT.parent / "shared/reference/peers/examples"
THEIRS = sorted(path for path in PEERS.rglob("*") if path.suffix in (".yml", ".yaml"))
TARGETED = {"axolotl-t4.yml": {"gpu": "t4"}}
"""Configurations that are judged for one machine."""
COMMENT = re.compile(r"(?:^|[ \t])(#[^\r\n]*)", re.MULTILINE)


def report_on(path: Path) -> FileReport:
    text = path.read_bytes().decode("utf-8")
    return check_document(parse(text, path.name), target(**TARGETED.get(path.name, {})))


def offered(report: FileReport) -> Iterator[tuple[Diagnostic, Fix]]:
    for diagnostic in report.diagnostics:
        for fix in diagnostic.fixes:
            if fix.edits:
                yield diagnostic, fix


def holds(report: FileReport, diagnostic: Diagnostic, fix: Fix) -> str:
    """Apply a fix; return the new text, after every promise about it was looked at."""
    new = apply_edits(report.text, fix.edits)
    again = check_document(parse(new, report.path), report.overrides)
    same = [(d.code, d.message) for d in again.diagnostics].count((diagnostic.code, diagnostic.message))
    had = [(d.code, d.message) for d in report.diagnostics].count((diagnostic.code, diagnostic.message))
    assert same < had, f"{report.path}: {diagnostic.code} is still there after: {fix.title}"
    gone = Counter(COMMENT.findall(report.text)) - Counter(COMMENT.findall(new))
    lines = report.text.splitlines()
    taken = Counter(
        comment
        for edit in fix.edits
        for comment in COMMENT.findall("\n".join(lines[edit.span.start.line : edit.span.end.line]))
        if not edit.text
    )
    assert gone <= taken, f"{report.path}: {fix.title} loses {gone}"  # a comment goes with the key that it is about, and else stays
    touched = {line for edit in fix.edits for line in range(edit.span.start.line, edit.span.end.line + 1)}
    kept = Counter(line for index, line in enumerate(lines) if index not in touched)
    assert kept <= Counter(new.splitlines()), f"{report.path}: {fix.title} changes a line elsewhere"
    return new


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_fixes_of_our_configurations(path: Path, golden: Callable[[str, str], None]) -> None:
    report = report_on(path)
    out: list[str] = []
    for diagnostic, fix in offered(report):
        new = holds(report, diagnostic, fix)
        out.append(f"{diagnostic.code}: {fix.title} ({fix.safety})\n")
        difference = difflib.unified_diff(report.text.splitlines(), new.splitlines(), n=0, lineterm="")
        out += [f"{line}\n" for line in list(difference)[2:]]
        assert new.count("\r\n") in (0, new.count("\n")), "line ends are mixed"
    assert report.dialect == path.stem.split("-")[0]
    assert any(True for _ in offered(report)), "nothing to fix there"
    golden(f"dialects/{path.stem}.fixes.txt", "".join(out))


def test_our_configurations_are_of_every_dialect() -> None:
    assert len(OWN) >= 12
    assert {path.stem.split("-")[0] for path in OWN} == set(dialects())


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_our_configurations_in_other_words(path: Path) -> None:
    assert_conversions_keep(path, Counter())


needs_theirs = pytest.mark.skipif(not THEIRS, reason=f"the collection of other tools' examples is not at {PEERS}")


@needs_theirs
@pytest.mark.parametrize("gpu", [None, "t4"])
def test_fixes_of_the_tools_own_examples(gpu: str | None, saw: Callable[[str], None]) -> None:
    files, fixes = Counter[str](), Counter[str]()
    findings = safe = 0
    for path in THEIRS:
        report = check_document(document_of(path), target(gpu=gpu))
        if report.dialect not in dialects():
            continue
        files[report.dialect] += 1
        findings += len(report.diagnostics)
        for diagnostic, fix in offered(report):
            new = holds(report, diagnostic, fix)
            fixes[report.dialect] += 1
            safe += fix.safety == "safe"
            same = sum(a == b for a, b in zip(report.text.splitlines(), new.splitlines(), strict=False))
            assert same > 0 or report.text.count("\n") < 3
    counted = f"{sum(files.values())} files, {findings} findings, {sum(fixes.values())} fixes applied ({safe} safe)"
    saw(f"the tools' own examples for {gpu or 'no GPU in particular'}: {counted}: {dict(fixes)}")
    assert sum(files.values()) > 150 and sum(fixes.values()) > 40


@needs_theirs
def test_the_tools_own_examples_in_other_words(saw: Callable[[str], None]) -> None:
    seen: Counter[str] = Counter()
    for path in THEIRS:
        assert_conversions_keep(path, seen)
    whole = {name: f"{seen[name]} of {seen[name.replace('whole', 'all')]}" for name in sorted(seen) if name.startswith("whole")}
    saw(f"converted with every part and value: {whole}; nothing was lost without a word")
    assert seen["all axolotl → recipeforge"] > 90


def assert_conversions_keep(path: Path, seen: Counter[str]) -> None:
    """Look at what comes back from a file in each tool's words: the same loadout, or what differs is named."""
    document = document_of(path)
    found = read(document, CATALOG)
    before = found.loadout
    if before is None or before.dialect not in dialects():
        return
    for to in TARGETS:
        there = convert(document, before, CATALOG, to, found.diagnostics)
        if to == before.dialect:
            assert there.text == document.text and not there.left
            continue
        after = loadout_of(there.text, to)
        named = " ".join(item.what for item in there.left)
        differences = list(differing(before, after, to))
        assert [item for item in differences if item not in named] == [], f"{path.name} → {to}"
        assert (after.model, after.seed) == (before.model, before.seed)
        seen[f"all {before.dialect} → {to}"] += 1
        seen[f"whole {before.dialect} → {to}"] += not differences
