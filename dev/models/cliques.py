"""At-most-one groups among clauses: members of which every two exclude each other."""

from collections import defaultdict
from collections.abc import Sequence

Literals = tuple[int, ...]

WORTH_A_GROUP = 3
"""Members from which a group says more than its clauses."""


def exclusive_groups(clauses: Sequence[Literals]) -> tuple[tuple[Literals, ...], tuple[Literals, ...]]:
    """Return clauses, and groups of variables of which at most one is true, that together say what the clauses say.

    Greedy: a pair that no group covers yet grows by whoever excludes all its members. Which groups are found depends on the order of
    the variables; that they say the same does not.
    """
    rest: list[Literals] = []
    excluded = defaultdict[int, set[int]](set)
    for clause in clauses:
        if len(clause) == 2 and clause[0] < 0 and clause[1] < 0 and clause[0] != clause[1]:
            one, other = ~clause[0], ~clause[1]
            excluded[one].add(other)
            excluded[other].add(one)
        else:
            rest.append(clause)
    uncovered = {v: set(others) for v, others in excluded.items()}
    groups: list[Literals] = []
    for v in sorted(uncovered):
        while uncovered[v]:
            group = _grown(v, min(uncovered[v]), excluded)
            for member in group:
                uncovered[member].difference_update(group)
            if len(group) >= WORTH_A_GROUP:
                groups.append(tuple(group))
            else:
                rest.append((~group[0], ~group[1]))
    return tuple(rest), tuple(groups)


def _grown(first: int, second: int, excluded: defaultdict[int, set[int]]) -> list[int]:
    """Return the two and, one after the other, the least variable that excludes everyone before."""
    group, candidates = [first, second], excluded[first] & excluded[second]
    while candidates:
        nearest = min(candidates)
        group.append(nearest)
        candidates &= excluded[nearest]
    return group
