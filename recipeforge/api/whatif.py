"""What if? Pure questions about recipes that nobody has written yet, about other catalogs, and about many recipes at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from recipeforge.api.checking import Report, Source, catalog_for, check_document, read_loadout, solution_of, target
from recipeforge.api.checking import document_of as parsed
from recipeforge.api.errors import WrongArgumentError
from recipeforge.api.solving import loaded
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.record import record
from recipeforge.schemas.report import Solution
from recipeforge.schemas.verdict import VerdictKind

if TYPE_CHECKING:
    from recipeforge.schemas.catalog import Catalog

ALONE = 64
"""So many recipes are judged faster here than by processes that have to start first."""


def neighbours(
    source: Source, *, gpu: str | None = None, gpus: int | None = None, packages: Mapping[str, str] | None = None
) -> tuple[Solution, ...]:
    """Return every recipe that runs and is one swap away: one part added, dropped or replaced, or one value set.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    from recipeforge.solver.neighbours import neighbours as one_step_away

    document, loadout, catalog = loaded(source, target(gpu, gpus, packages))
    return tuple(solution_of(document, loadout, catalog, repair) for repair in one_step_away(catalog, loadout))


@record
class Difference:
    """A recipe that two catalogs judge differently."""

    path: str
    before: VerdictKind
    after: VerdictKind
    gained: tuple[str, ...]
    """Rules that it breaks under the later catalog only, in its order."""
    lost: tuple[str, ...]
    """Rules that it breaks under the earlier one only."""


def diff(before: Catalog, after: Catalog, sources: Iterable[Source]) -> tuple[Difference, ...]:
    """Return the recipes on which two catalogs differ, in verdict or in broken rules: what a claim would change if it were accepted.

    Catalogs come from `recipeforge.catalog.load`. Texts that hold no recipe are `unreadable` under both, and so no difference.
    """
    found: list[Difference] = []
    for source in sources:
        (was, broke), (now, breaks) = _judged(before, source), _judged(after, source)
        gained, lost = tuple(c for c in breaks if c not in broke), tuple(c for c in broke if c not in breaks)
        if was != now or gained or lost:
            found.append(Difference(parsed(source).path, was, now, gained, lost))
    return tuple(found)


def _judged(catalog: Catalog, source: Source) -> tuple[VerdictKind, list[str]]:
    """Return the verdict of one catalog, and the rules broken."""
    from recipeforge.solver.resolve import resolve

    loadout, _ = read_loadout(parsed(source), catalog, {}, fixes=False)
    if loadout is None:
        return "unreadable", []
    verdict = resolve(catalog_for(catalog, loadout), loadout)
    return verdict.kind, [violation.code for violation in verdict.violations]


def batch(
    sources: Iterable[Source],
    *,
    jobs: int | None = None,
    fixes: bool = False,
    gpu: str | None = None,
    gpus: int | None = None,
    packages: Mapping[str, str] | None = None,
) -> Iterator[Report]:
    """Yield the report on each recipe, in order, judged by `jobs` processes: as many as there are cores, where nothing is said.

    Findings carry their verified fixes only where `fixes` are wanted, since those take most of the time. A script that calls
    this keeps its own work under `if __name__ == "__main__"`, since the processes import it.

    Raises:
        WrongArgumentError: `jobs` is below 1.
    """
    if jobs is not None and jobs < 1:
        raise WrongArgumentError(f"jobs={jobs} is no number of processes; it is at least 1")
    overrides = target(gpu, gpus, packages)
    asked = [(source, overrides, fixes) for source in sources]
    wanted = min(jobs or (_cores() if len(asked) > ALONE else 1), max(len(asked), 1))
    return map(_checked, asked) if wanted == 1 else _spread(asked, wanted)


_Asked = tuple[Source, Mapping[str, Fact], bool]


def _spread(asked: Sequence[_Asked], jobs: int) -> Iterator[Report]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_checked, asked, chunksize=max(1, min(64, len(asked) // (4 * jobs))))


def _checked(asked: _Asked) -> Report:
    source, overrides, fixes = asked
    return check_document(parsed(source), overrides, fixes=fixes)


def _cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
