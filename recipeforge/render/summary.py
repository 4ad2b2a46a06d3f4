"""The last lines about a file: verdict, counts, what a fix would do, and what could not be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from recipeforge.render.cells import visible
from recipeforge.render.look import Look
from recipeforge.schemas.change import Safety
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.report import FileReport
from recipeforge.schemas.verdict import VerdictKind

GIB = 1 << 30

_STYLE: dict[VerdictKind, str] = {
    "valid": "good",
    "incomplete": "warning",
    "conflicting": "error",
    "undecided": "warning",
    "unreadable": "error",
}


def report_line(report: FileReport, look: Look) -> str:
    """Return the verdict in one line, such as "recipe.yaml: conflicting — 4 errors; 3 fixes, 2 safe: recipeforge check --fix"."""
    verdict = report.verdict
    head = f"{visible(report.path)}: {look.paint(_STYLE[verdict.kind], verdict.kind)}"
    told = [counted(report.diagnostics)] if report.diagnostics else []
    if verdict.kind == "undecided":
        told.append(visible(verdict.spent) or "the time given was not enough")
    if (memory := memory_words(report)) and verdict.kind in ("valid", "incomplete") and not told:
        told.append(memory)
    if report.silenced:
        told.append(f"{plural(report.silenced, 'finding')} not selected")
    if report.ignored:
        told.append(f"{plural(report.ignored, 'finding')} ignored by comments")
    if fixing := _fixing(report):
        told.append(fixing)
    return f"{head}{' — ' + '; '.join(told) if told else ''}{unjudged(report, look)}\n"


def unjudged(report: FileReport, look: Look) -> str:
    """Return what nobody said though some rule asks for it; unknown is never taken for fine."""
    groups = {fact.split(".", 1)[0] for fact in report.verdict.unknown}
    facts = report.loadout.context.facts if report.loadout else {}
    if "gpu.title" in facts:  # a GPU that is known, and of which some fact does not exist: a CPU has no compute capability
        groups.discard("gpu")
    words = {
        "gpu": "the GPU (--gpu)",
        "hardware": "the number of devices (--gpus)",
        "model": "the model's shape",
        "packages": f"{_unversioned(report, facts)} (--packages)",
    }
    asked = [words[group] for group in words if group in groups]
    return look.paint("quiet", f" [not judged: {', '.join(asked)}]") if asked else ""


def _unversioned(report: FileReport, facts: Mapping[str, Fact]) -> str:
    """Return the packages whose versions some rule asks for; by name where some version was given, so that the rest is asked for."""
    names = [fact.removeprefix("packages.") for fact in report.verdict.unknown if fact.startswith("packages.")]
    given = any(fact.startswith("packages.") for fact in facts)
    return (
        f"the {'version' if len(names) == 1 else 'versions'} of {' and '.join(names)}" if given and len(names) <= 2 else "package versions"
    )


def memory_words(report: FileReport) -> str:
    """Return the memory estimate in words, against the device where it is known; empty without one."""
    if report.estimate is None:
        return ""
    total = f"about {gib(report.estimate.total)} GiB"
    facts = report.loadout.context.facts if report.loadout else {}
    device = facts.get("gpu.memory_gib")
    title = facts.get("gpu.title") or facts.get("gpu.id")
    if isinstance(device, int | float) and not isinstance(device, bool):
        return f"{total} of {device:g} GiB on {visible(str(title))}"
    return f"{total} on each device"


def gib(amount: int) -> str:
    """Return bytes in GiB, with as many digits as one can trust."""
    value = amount / GIB
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    if noun.endswith("x"):
        return f"{count:,} {noun}{'' if count == 1 else 'es'}"
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def usable(diagnostic: Diagnostic, *safeties: Safety) -> bool:
    """Return whether `--fix` would cure a finding: advice is left to people, and some fixes the text cannot take."""
    return diagnostic.severity != "info" and any(fix.edits and fix.safety in safeties for fix in diagnostic.fixes)


def counted(diagnostics: Iterable[Diagnostic]) -> str:
    """Return how many findings of each severity there are, such as "4 errors, 1 warning"."""
    counts = Counter(d.severity for d in diagnostics)
    names = (("error", "error"), ("warning", "warning"), ("info", "note"))
    return ", ".join(plural(counts[severity], name) for severity, name in names if counts[severity])


def _fixing(report: FileReport) -> str:
    safe = sum(usable(d, "safe") for d in report.diagnostics)
    fixable = sum(usable(d, "safe", "unsafe") for d in report.diagnostics)
    if not fixable:
        return ""
    path = "-" if report.path.startswith("<") else visible(report.path)
    command = f"recipeforge check --fix{'' if safe else ' --unsafe-fixes'} {path}"
    share = "" if safe == fixable else ", none safe" if not safe else f", {safe} safe"
    return f"{plural(fixable, 'fix')}{share or ('' if fixable == 1 else ', all safe')}: {command}"
