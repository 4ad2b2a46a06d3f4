"""Where a rule's page can be opened: a file written from the catalog when its address is first sent. No network is needed."""

from __future__ import annotations

from functools import cache

from pygls.uris import from_fs_path

from recipeforge.catalog.cache import cache_dir
from recipeforge.catalog.load import load
from recipeforge.catalog.pages import rule_page


@cache
def page_uri(code: str) -> str | None:
    """Return the address of a rule's page; `None` where there is no such rule or no place to write to."""
    catalog = load()
    rule = catalog.rules.get(code)
    if rule is None:
        return None
    file = cache_dir() / "pages" / catalog.hash[:12] / f"{rule.code}-{rule.slug}.md"
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(rule_page(catalog, rule), encoding="utf-8")
    except OSError:
        return None
    return from_fs_path(str(file))
