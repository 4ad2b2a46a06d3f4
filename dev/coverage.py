"""Write docs/coverage.md: each rule that other tools have, and the rule of ours that covers it, or why none does.

Read are a reference list of those rules (JSON Lines, kept beside the repository), the catalog, and the decisions in
dev/coverage/*.yaml. A rule is covered by evidence if a claim quotes the same sentence of the same file and a rule cites
that claim; where no claim does, somebody looked at both and decided. Without the reference the page stays as it is.

Usage:
    python dev/coverage.py            write docs/coverage.md
    python dev/coverage.py --check    write nothing; exit 1 if the page differs
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from recipeforge.catalog.load import load
from recipeforge.schemas.catalog import Catalog

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT.parent / "shared/reference/peers/rules.jsonl"
DECISIONS = ROOT / "dev/coverage"
PAGE = ROOT / "docs/coverage.md"

REASONS = {
    "model": "needs the loaded model",
    "data": "needs the data",
    "machine": "needs the machine at run time",
    "code": "asks for an argument that is passed in Python",
    "inference": "another command than training, or inference only",
    "plugin": "plugin of one experiment",
    "log": "log message without consequence",
    "moot": "without consequence in practice",
    "unreleased": "in no release",
    "past": "of past releases alone",
    "unread": "in a configuration that is not read",
    "not-yet": "not yet",
}
RELATIONS = {
    "conflicts": "not with",
    "requires": "needs",
    "warns": "warns about",
    "needs_version": "needs version",
    "needs_hardware": "needs hardware",
    "implies": "sets",
}
SHORTEST_QUOTE = 15
"""Below this, a sentence within another proves nothing."""

Row = dict[str, Any]


def folded(text: str) -> str:
    """Return the words of a quote, without the quotation marks and line breaks of the source."""
    return " ".join(re.findall(r"\w+", text.lower()))


def by_evidence(rows: Iterable[Row], catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Return row id → codes of the rules that cite the same sentence of the same file."""
    citing: defaultdict[str, set[str]] = defaultdict(set)
    for rule in catalog.rules.values():
        for claim in rule.evidence:
            citing[claim].add(rule.code)
    quotes: defaultdict[tuple[str, str], list[tuple[str, set[str]]]] = defaultdict(list)
    for claim in catalog.claims.values():
        place = re.match(r"https://github\.com/([^/]+/[^/]+)/blob/[^/]+/([^#]+)", claim.url)
        if place and claim.id in citing:
            quotes[place[1].lower(), place[2]].append((folded(claim.quote), citing[claim.id]))
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        sentence = folded(row["quote"])
        codes: set[str] = set()
        for quote, rules in quotes[row["repo"].lower(), row["path"]]:
            shorter, longer = sorted((quote, sentence), key=len)
            if shorter in longer and len(shorter) >= SHORTEST_QUOTE:
                codes |= rules
        if codes:
            found[row["id"]] = tuple(sorted(codes))
    return found


def decided(folder: Path = DECISIONS) -> dict[str, tuple[str, ...] | str]:
    """Return row id → codes, or the word of a reason."""
    found: dict[str, tuple[str, ...] | str] = {}
    for path in sorted(folder.glob("*.yaml")):
        for row, decision in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if row in found:
                sys.exit(f"{path.name}: {row} is decided twice")
            found[row] = tuple(decision) if isinstance(decision, list) else decision
    return found


def faults(rows: Iterable[Row], decisions: Mapping[str, tuple[str, ...] | str], catalog: Catalog) -> list[str]:
    """Return what is wrong with the decisions: unknown rows, codes and reasons."""
    ids, codes = {row["id"] for row in rows}, {rule.code for rule in catalog.rules.values()}
    wrong = [f"{row}: no such row" for row in decisions if row not in ids]
    for row, decision in decisions.items():
        if isinstance(decision, str):
            wrong += [] if decision in REASONS else [f"{row}: no such reason: {decision}"]
        else:
            wrong += [f"{row}: no such rule: {code}" for code in decision if code not in codes]
    return wrong


def outcomes(rows: list[Row], catalog: Catalog) -> dict[str, tuple[str, ...] | str]:
    """Return row id → codes or a reason; evidence goes before a decision, and what nobody looked at is not yet covered."""
    decisions = decided()
    if wrong := faults(rows, decisions, catalog):
        sys.exit("\n".join(wrong))
    proved = by_evidence(rows, catalog)
    return {row["id"]: proved.get(row["id"]) or decisions.get(row["id"], "not-yet") for row in rows}


def page(rows: list[Row], catalog: Catalog) -> str:
    """Return docs/coverage.md."""
    results = outcomes(rows, catalog)
    tools: dict[str, list[Row]] = {}
    for row in rows:
        tools.setdefault(row["id"].rsplit("-", 1)[0], []).append(row)
    parts = [HEAD, totals(tools, results)]
    slugs = {rule.code: rule.slug for rule in catalog.rules.values()}
    for tool, own in tools.items():
        parts.append(f"\n## {tool}\n\nFrom `{own[0]['repo']}` at `{own[0]['commit'][:12]}`.\n")
        parts.append("| rule | what it is about | covered by, or why not |\n|---|---|---|")
        parts += [f"| [{row['id']}]({row['url']}) | {subject(row)} | {shown(results[row['id']], slugs)} |" for row in own]
    return "\n".join(parts) + "\n"


HEAD = """<!-- Generated by dev/coverage.py; not to be edited. -->

# What other tools check, and what covers it

Other tools' sources and documentation state rules of their own: what they refuse, what they warn about, what they need.
Here is each one that was collected, and the rule that covers it. *Covered* means that a rule cites the same sentence, or that
somebody compared the two; a rule may be wider than the check that it covers.
"""


def totals(tools: Mapping[str, list[Row]], results: Mapping[str, tuple[str, ...] | str]) -> str:
    """Return the table of counts, a line for each tool."""
    lines = [f"| tool | rules | covered | {' | '.join(REASONS.values())} |", "|---" + "|--:" * (len(REASONS) + 2) + "|"]
    total: Counter[str] = Counter()
    for tool, own in tools.items():
        counts = Counter(result if isinstance(result := results[row["id"]], str) else "covered" for row in own)
        total += counts
        lines.append(_count_line(tool, len(own), counts))
    lines.append(_count_line("**all**", sum(total.values()), total))
    return "\n".join(lines) + "\n"


def _count_line(name: str, rows: int, counts: Counter[str]) -> str:
    return f"| {name} | {rows} | {counts['covered']} | {' | '.join(str(counts[reason] or '') for reason in REASONS)} |"


def subject(row: Row) -> str:
    """Return the settings that a row is about, and how they stand to each other."""
    a, b = (str(row[side] or "").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*") for side in "ab")
    return f"{a} *{RELATIONS[row['relation']]}* {b}".strip()


def shown(result: tuple[str, ...] | str, slugs: Mapping[str, str]) -> str:
    """Return links to the rules, or the reason."""
    if isinstance(result, str):
        return REASONS[result]
    return ", ".join(f"[{code}](rules/{slugs[code]}.md)" for code in result)


def generate() -> dict[str, str]:
    """Return the page by its path from the root; nothing where the reference is absent."""
    if not REFERENCE.exists():
        return {}
    rows = [json.loads(line) for line in REFERENCE.read_text(encoding="utf-8").splitlines()]
    return {str(PAGE.relative_to(ROOT)): page(rows, load())}


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page differs")
    check = parser.parse_args().check
    made = generate()
    if not made:
        print("there is no reference here; docs/coverage.md stays as it is")
        return 0
    text = made[str(PAGE.relative_to(ROOT))]
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    print("docs/coverage.md differs" if check else "docs/coverage.md written")
    return int(check)


if __name__ == "__main__":
    sys.exit(main())
