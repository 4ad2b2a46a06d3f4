"""Exit codes, and how findings become one."""

from collections.abc import Iterable

from recipeforge.schemas.report import FileReport

CLEAN = 0
FINDINGS = 1
BAD_USE = 2
UNDECIDED = 3
INTERRUPTED = 130

UNREADABLE_FILE = "RF0018"


def exit_code(reports: Iterable[FileReport]) -> int:
    """Return the exit code for reports: errors and warnings are findings, notes (`info`) alone are not.

    A file that cannot be read at all (missing, a folder, no permission) is bad input, whatever the others hold.
    """
    reports = list(reports)
    found = [d for report in reports for d in report.diagnostics]
    if any(d.code == UNREADABLE_FILE for d in found):
        return BAD_USE
    if any(d.severity in ("error", "warning") for d in found):
        return FINDINGS
    return UNDECIDED if any(report.verdict.kind == "undecided" for report in reports) else CLEAN
