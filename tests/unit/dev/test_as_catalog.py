"""Synthetic catalogs as real ones: two ways to the same answers, the statuses of the commands and the engine over sparse clauses."""

from dataclasses import replace

from dev.models.as_catalog import as_catalog, as_loadout
from dev.models.synthetic import loadouts, synthetic
from recipeforge.solver.consequences import Engine
from recipeforge.solver.resolve import resolve
from recipeforge.solver.statuses import statuses


def test_commands_and_engine_agree_on_what_is_blocked() -> None:
    drawn = synthetic(50, seed=3, budgets=0)
    catalog, engine = as_catalog(drawn), Engine(drawn.model.formula, range(drawn.components))
    asked = blocked = 0
    for picks in loadouts(drawn, 40):
        recipe = as_loadout(catalog, picks)
        found = engine.consequences(picks)
        assert (resolve(catalog, recipe).kind != "conflicting") == (found is not None)
        if found is None:
            continue
        taken = {catalog.components[f"c{v}"].slot for v in picks if catalog.slots[catalog.components[f"c{v}"].slot].cardinality != "many"}
        for status in statuses(catalog, recipe):
            if catalog.components[status.component].slot not in taken:  # else it is judged without the one that sits there
                asked += 1
                blocked += status.kind == "blocked"
                assert (status.kind == "blocked") == (int(status.component[1:]) in found.blocked), status
    assert asked > 300 and blocked > 50, (asked, blocked)


def test_the_sheets_of_a_catalog_say_what_its_clauses_say() -> None:
    drawn = synthetic(50, seed=4, budgets=0)
    catalog = as_catalog(drawn)
    assert len(catalog.components) == 50
    assert {s.cardinality for s in catalog.slots.values()} == {"one", "at-most-one", "many"}
    for held in drawn.planted:
        recipe = as_loadout(catalog, sorted(v for v in held if v < 50))
        assert resolve(catalog, replace(recipe)).kind in ("valid", "incomplete")  # the environment's knobs may still have to move
