"""Budgets of worlds that differ in nothing that their amounts depend on share what is remembered about the amounts.

While someone types a limit, a learning rate or a package's version, and over a batch of recipes for one model, memory and time are
computed once for each choice of parts.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock

from recipeforge.schemas.rule import Rule
from recipeforge.solver.budgets import Budget
from recipeforge.solver.variables import Variables

SHAPES_KEPT = 64
_shapes: OrderedDict[object, Budget | None] = OrderedDict()
_keeping = Lock()


def shared(over: Variables, rule: Rule, knobs: Iterable[str], limit: int, build: Callable[[], Budget | None]) -> Budget | None:
    """Return the budget of a rule under this limit, from one built earlier if that had the same amounts.

    `build` returns it for a limit of 0; it reads of `over` nothing but domains, these knobs, and facts other than packages.
    """
    key = (
        over.catalog.hash,
        rule.budget,
        tuple(sorted((name, value.__class__, value) for name, value in over.facts.items() if not name.startswith("packages."))),
        tuple(over.domains.items()),
        tuple([(knob, value.__class__, value) for knob in sorted(knobs) if (value := over.constants.get(knob)) is not None]),
    )
    with _keeping:
        known = key in _shapes
        shape = _shapes.get(key)
    if not known:
        shape = build()
    with _keeping:
        _shapes[key] = shape
        _shapes.move_to_end(key)
        if len(_shapes) > SHAPES_KEPT:
            _shapes.popitem(last=False)
    return shape.within(rule.code, rule.effective_severity == "error", shape.limit + limit) if shape else None
