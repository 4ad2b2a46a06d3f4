"""Which versions satisfy a recipe: the most recent ones that keep all demands; or why there are none, and what could give way."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.record import record
from recipeforge.schemas.release import Releases
from recipeforge.schemas.verdict import Conflict
from recipeforge.schemas.versions import Bound, Chosen, Versions
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.conflicts import Minimal, minimal_conflicts
from recipeforge.solver.cpsat import Model
from recipeforge.solver.engine import Undecided, find_model, minimal_subset
from recipeforge.solver.packages_check import broken
from recipeforge.solver.packages_demands import puzzle_of
from recipeforge.solver.packages_proof import refute
from recipeforge.solver.packages_tell import tell
from recipeforge.solver.packages_words import Words, asked, joined
from recipeforge.solver.packages_world import GIVEN, NEED, PREFIX, PYTHON, Demand, Puzzle, Values, public
from recipeforge.solver.view import view_of

LIMIT_S = 10.0
NAMED = 10
"""How much a day of age counts more for a package that the recipe needs by itself than for one that only another requires."""
MOST_CONFLICTS = 4


@record
class Choice:
    """Versions that keep all hard demands, one bit of its values a package."""

    values: Mapping[str, int]
    proved: bool


def versions_for(catalog: Catalog, releases: Releases, loadout: Loadout, limit_s: float = LIMIT_S) -> Versions:
    """Return the most recent versions with which the recipe keeps every rule about versions and every release what it requires.

    Versions that the recipe or an option gives stay as they are. Where that leaves none, the answer says why, and `chosen` are
    versions that change the fewest given ones, if there are any. "Recent" is days behind each package's newest release, in sum.
    """
    deadline = time.monotonic() + limit_s
    puzzle = puzzle_of(catalog, releases, loadout)
    words = Words(puzzle, loadout, view_of(catalog, loadout))
    try:
        choice = choose(puzzle, limit_s)
        if choice is not None:
            return _found(puzzle, words, choice)
        nearest = choose(puzzle, max(0.1, deadline - time.monotonic()), keep_given=False)
        answer = _found(puzzle, words, nearest) if nearest else Versions("none", unjudged=puzzle.unjudged)
        return replace(_why(puzzle, words), chosen=answer.chosen, proved=answer.proved, warnings=answer.warnings)
    except Undecided:
        return Versions("undecided", unjudged=puzzle.unjudged)


def choose(puzzle: Puzzle, limit_s: float, *, keep_given: bool = True) -> Choice | None:
    """Return the most recent versions; without `keep_given`, those that change the fewest given ones; `None` if there are none.

    Fewer changes come first, fewer broken warnings second.

    Raises:
        Undecided: the time was over before any were found.
    """
    model, costs = Model(), _ages(puzzle)
    warned = 1 + sum(max((costs.get(v, 0) for v in bits(group.members)), default=0) for group in puzzle.world.groups)
    moved = warned * (1 + len({d.key for d in puzzle.demands if not d.hard}))
    for v in _unknown(puzzle):
        costs[v] += warned  # like a broken warning: what nobody can say is taken where nothing else is left
    moved *= 1 + len(puzzle.values)
    for _ in range(puzzle.world.size):
        model.new_variable()
    for group in puzzle.world.groups:
        model.add_at_most_one(bits(group.members))
    spared: dict[str, int] = {}
    for clause in puzzle.world.clauses:
        price = _price(clause, keep_given, warned, moved)
        if price and clause.rule not in spared:
            spared[clause.rule] = model.new_variable()
            costs[spared[clause.rule]] = price
        model.add_or([*bits(clause.positive), *([spared[clause.rule]] if price else [])])
    answer = model.solve([], costs, limit_s)
    if answer.status == "unknown":
        raise Undecided("the time was over")
    return Choice(puzzle.chosen(answer.true), answer.proved) if answer.status == "sat" else None


def _unknown(puzzle: Puzzle) -> list[int]:
    """Return the versions of which nobody knows what they require, of packages that have others."""
    found: list[int] = []
    for package, values in puzzle.values.items():
        known = [release is not None and release.requires is not None for release in values.releases]
        found += [puzzle.offsets[package] + i for i, told in enumerate(known, 1) if not told] if any(known) else []
    return found


def _price(clause: Clause, keep_given: bool, warned: int, moved: int) -> int:
    """Return what breaking a clause costs; 0 where it must not be broken."""
    if not clause.hard:
        return warned
    return moved if not keep_given and clause.rule.startswith(GIVEN) else 0


def _ages(puzzle: Puzzle) -> dict[int, int]:
    """Return the price of each version: its age against the newest, and a trifle for being there at all."""
    named = {package for d in puzzle.demands if d.key.startswith((NEED, GIVEN)) for package in d.packages}
    found: dict[int, int] = {}
    for package, values in puzzle.values.items():
        weight = NAMED if package in named and package != PYTHON else 1
        for i in range(1, len(values.versions) + 1):
            found[puzzle.offsets[package] + i] = weight * _behind(values, i) + 1
    return found


def _behind(values: Values, index: int) -> int:
    """Return how many days a version is older than the newest release; for Python, how many versions."""
    listed = [r for r in values.releases if r is not None]
    release = values.releases[index - 1]
    if values.package == PYTHON or release is None or not listed:
        return len(values.versions) - index
    return max(0, (date.fromisoformat(listed[-1].date) - date.fromisoformat(release.date)).days)


def _found(puzzle: Puzzle, words: Words, choice: Choice) -> Versions:
    """Return versions as an answer, after judging them anew."""
    installed = {p: values.of(choice.values[p])[0] for p, values in puzzle.values.items() if values.of(choice.values[p])}
    hard, milder = broken(puzzle.catalog, words.loadout, puzzle.values, installed)
    assert not hard, f"the versions chosen break {hard}"
    chosen = [_chosen(puzzle, words, choice.values, package, version) for package, version in installed.items()]
    gone = [p for p in puzzle.values if p not in installed and PREFIX + p in puzzle.facts]
    chosen += [Chosen(p, "", puzzle.values[p].versions[-1], str(puzzle.facts[PREFIX + p])) for p in gone]
    releases = [puzzle.values[p].releases[puzzle.values[p].versions.index(v)] for p, v in installed.items() if p != PYTHON]
    unjudged = dict.fromkeys([*puzzle.unjudged, *(r.purl for r in releases if r is not None and r.requires is None)])
    return Versions("found", tuple(chosen), choice.proved, tuple(milder), unjudged=tuple(unjudged), checked=_checked(puzzle))


def _checked(puzzle: Puzzle) -> str:
    return max((r.checked for values in puzzle.values.values() for r in values.releases if r is not None), default="")


def _chosen(puzzle: Puzzle, words: Words, at: Mapping[str, int], package: str, version: str) -> Chosen:
    values, said = puzzle.values[package], puzzle.facts.get(PREFIX + package)
    listed = [r.version for r in values.releases if r is not None] or list(values.versions)
    given = str(said) if said is not None else ""
    kept = given if given and (_same_python(given, version) if package == PYTHON else public(given) == public(version)) else version
    direct = any(d.key.startswith(f"{NEED}{package}:") for d in puzzle.demands)
    needed_by = _needed_by(puzzle, words, at, package)
    return Chosen(package, kept, listed[-1], given, needed_by, direct, tuple(bounds(puzzle, words, at, package)))


def _same_python(given: str, version: str) -> bool:
    return given.split(".")[:2] == version.split(".")[:2]


def _needed_by(puzzle: Puzzle, words: Words, at: Mapping[str, int], package: str) -> str:
    """Return what needs a package: parts of the recipe, else packages; nothing for Python, which all need."""
    if package == PYTHON:
        return ""
    needs = [d for d in puzzle.demands if d.key.startswith(f"{NEED}{package}:")]
    picks = [words.pick(pick) for d in needs for pick in d.picks]
    if needs:
        return ", ".join(picks) or "training"
    ask = [d for d in puzzle.demands if d.key.startswith("requires:") and package in d.packages and d.of != package and not at[d.of] & 1]
    requiring = [d.of for d in ask if any(mask & at[d.of] for mask, _, _ in d.lines)]
    return ", ".join(requiring)


def bounds(puzzle: Puzzle, words: Words, at: Mapping[str, int], package: str) -> list[Bound]:
    """Return what keeps a package from being older, and from being newer, with the others as they are: the tightest of each."""
    values = puzzle.values[package]
    lowest: tuple[int, Bound] | None = None
    highest: tuple[int, Bound] | None = None
    for demand, number in _about(puzzle, package):
        clause = demand.clauses[number]
        left = clause[package] & values.installed
        met = any(at[other] & mask for other, mask in clause.items() if other != package)
        if met or left == values.installed or not left & at[package]:
            continue
        first, last = bits(left)[0], bits(left)[-1]
        if demand.of == package and puzzle.kept(package, at):
            continue  # what its other versions would require matters to nobody
        # What other versions of it would require says nothing about older ones: those others could be older too.
        if first > 1 and demand.of != package and (lowest is None or first > lowest[0]):
            lowest = first, _bound(words, demand, number, package, at, left)
        if last < len(values.versions) and (highest is None or last < highest[0]):
            highest = last, _bound(words, demand, number, package, at, left)
    return list(dict.fromkeys(bound for _, bound in filter(None, (lowest, highest))))


def _about(puzzle: Puzzle, package: str) -> list[tuple[Demand, int]]:
    """Return the clauses about a package as (demand, position): those of rules first, then those of other packages' releases."""
    about = [d for d in puzzle.demands if package in d.packages and not d.key.startswith((NEED, GIVEN))]
    ranked = sorted(about, key=lambda d: (d.rule is None, d.of == package))
    return [(demand, i) for demand in ranked for i, clause in enumerate(demand.clauses) if package in clause]


def _bound(words: Words, demand: Demand, number: int, package: str, at: Mapping[str, int], left: int) -> Bound:
    """Return one bound in words."""
    text, gone = words.versions(package, left), words.puzzle.values[package].installed & ~left
    if demand.rule is not None:
        return Bound(text, words.rule(demand.rule, {**at, package: gone}), demand.rule.code, words.citation(demand))
    mask, said, _ = demand.lines[number]
    newer = gone & ~((1 << at[package].bit_length()) - 1)
    asking = ((newer & -newer) or gone) if demand.of == package else at[demand.of]
    line = words.line(replace(demand, clauses=(demand.clauses[number],), lines=(demand.lines[number],)), asking & mask or mask)
    assert line is not None, said
    others = [other for other in demand.clauses[number] if other != package] if demand.of == package else []
    chosen = f", but {joined([words.with_versions(other, at[other]) for other in others], 'and')} is chosen" if others else ""
    return Bound(text, f"{line[1].package} {line[1].version} {asked(line[0])}{chosen}", line[1].purl, words.citation(demand, line))


def _why(puzzle: Puzzle, words: Words) -> Versions:
    """Return why no versions satisfy the recipe: minimal sets of what it asks for, with the steps, and what could give way."""
    found = clashes(puzzle)
    told = tuple(_conflict(puzzle, words, picks, proved) for picks, proved in zip(found.conflicts, found.proved, strict=True))
    order = {pick: i for i, pick in enumerate(puzzle.picks)}
    corrections = [tuple(sorted(c, key=lambda p: order[p])) for c in found.corrections]
    ranked = tuple(sorted(corrections, key=lambda c: (len(c), [order[p] for p in c])))
    by_size = tuple(sorted(told, key=lambda c: (len(c.picks), c.picks)))
    return Versions("none", (), True, (), by_size, ranked, found.complete, puzzle.unjudged, _checked(puzzle))


def clashes(puzzle: Puzzle) -> Minimal[str]:
    """Return the minimal sets of a recipe's parts and given versions that leave no versions, and what could give way."""

    def clash(part: Sequence[str]) -> bool:
        return find_model(puzzle.world, puzzle.newest, 0, puzzle.ignoring(part)) is None

    return minimal_conflicts(puzzle.picks, clash, MOST_CONFLICTS)


def _conflict(puzzle: Puzzle, words: Words, picks: frozenset[str], proved: bool) -> Conflict:
    """Return a conflict with a minimal set of demands behind it, told step by step."""
    binding = [d for d in puzzle.demands if d.hard and d.picks <= picks and not d.plain]

    def clash(part: Sequence[Demand]) -> bool:
        return find_model(puzzle.world, puzzle.newest, 0, puzzle.ignoring(puzzle.picks, [d.key for d in part])) is None

    ordered = tuple(p for p in puzzle.picks if p in picks)
    try:
        demands = minimal_subset(binding, clash)
        refutation = refute(puzzle, demands)
        steps = tell(words, refutation) if refutation else ()
    except Undecided:
        demands, steps, proved = binding, (), False
    rules = tuple(dict.fromkeys(d.rule.code for d in demands if d.rule is not None))
    return Conflict(ordered, rules, proved, steps)
