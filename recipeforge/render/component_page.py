"""The page of a component, as Markdown: what it is, what it sets, and every rule that speaks about it."""

from collections.abc import Iterator

from recipeforge.catalog.pages import NOWHERE, Places, escaped, title_of
from recipeforge.catalog.tiers import tier_of
from recipeforge.catalog.words import value_words
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.condition import All, AnyOf, Condition, Holds, Not
from recipeforge.schemas.rule import Rule


def component_page(catalog: Catalog, component: Component, places: Places = NOWHERE) -> str:
    """Return the page of one component."""
    slot = catalog.slots[component.slot]
    parts = [f"# {component.title} `{component.id}`", component.description]
    parts.append(places.linked(catalog, f"Goes into `{slot.id}`: {slot.description}"))
    if component.aliases:
        parts.append("Also written " + ", ".join(f"`{alias}`" for alias in component.aliases) + ".")
    if component.packages:
        parts.append("Needs " + ", ".join(f"`{package}`" for package in component.packages) + ".")
    knobs = [k for k in catalog.knobs.values() if k.group == slot.id and (not k.components or component.id in k.components)]
    if knobs:
        rows = [f"- `{k.name}`: {k.description}{'' if k.default is None else f' Default {value_words(k.default)}.'}" for k in knobs]
        parts += ["## Knobs", "\n".join(rows)]
    if measured := catalog.measured(component.id):
        rows = [f"- {escaped(claim.quote)} ({claim.id}, {tier_of([claim])}, {claim.kind}, {claim.retrieved})" for claim in measured]
        parts += ["## Measured", "\n".join(rows)]
    rules = [rule for rule in catalog.rules.values() if component.id in _named(rule)]
    if rules:
        parts += ["## Rules", "\n".join(f"- {places.rule(r)} `{r.slug}` ({r.effective_severity}): {title_of(r)}" for r in rules)]
    return "\n\n".join([*parts, "## Documented by its authors", component.url]) + "\n"


def _named(rule: Rule) -> set[str]:
    return set(_components(rule.violated_when)) if rule.violated_when is not None else set()


def _components(condition: Condition) -> Iterator[str]:
    match condition:
        case Holds(components=components):
            yield from components
        case Not(inner=inner):
            yield from _components(inner)
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _components(part)
        case _:
            return
