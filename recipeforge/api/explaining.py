"""The page of a rule or component."""

from recipeforge.catalog.load import load as load_catalog


def explain(name: str) -> str | None:
    """Return the page, as Markdown, of a rule (code or slug) or a component (id or alias); `None` where nothing has that name."""
    from recipeforge.catalog.pages import rule_page
    from recipeforge.render.component_page import component_page

    catalog = load_catalog()
    wanted = name.strip().casefold()
    rule = catalog.rules.get(wanted.upper()) or catalog.rule_by_slug(wanted)
    if rule is not None:
        return rule_page(catalog, rule)
    for component in catalog.components.values():
        if wanted in (component.id, *(alias.casefold() for alias in component.aliases)):
            return component_page(catalog, component)
    return None
