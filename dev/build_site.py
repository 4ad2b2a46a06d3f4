"""Build the documentation site: the pages of `docs/`, a page for each rule and component, the matrix, search.

Usage:
    python dev/build_site.py            write the sources to build/site, build them strictly, check every link and anchor
    python dev/build_site.py --sources  write the sources only

The pages of rules and components are the ones that `recipeforge explain` shows, with links between them. The site is written
to build/site/html; it needs no network, neither to be built nor to be read.
"""

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import compatibility
import yaml

from recipeforge.catalog.load import load
from recipeforge.catalog.pages import Places, components_page, rule_page, rules_index
from recipeforge.render.component_page import component_page
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component

ROOT = Path(__file__).resolve().parent.parent
CONFIG = "mkdocs.yml"
GENERATED = ("rules", "components.md")
"""What of `docs/` the site writes anew, with links."""
BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md")
"""Pages that stand beside `docs/`."""
WITHOUT_SIDEBAR = "---\nhide:\n  - navigation\n---\n\n"
"""Head of a page that no sidebar lists."""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)")
_UNSOUGHT = re.compile(r"^## (?:Scope|Since|Accept it anyway)$", re.MULTILINE)
"""Sections that say much the same on every rule's page: the search passes them over."""
_HREF = re.compile(r"""<(a|link|img|script)\b[^>]*?\s(?:href|src)=("[^"]*"|[^\s>"]+)""")
_ID = re.compile(r"""\s(?:id|name)=("[^"]*"|[^\s>"]+)""")


def write_sources(target: Path) -> int:
    """Write the site's sources; return how many pages there are."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "docs", target, ignore=shutil.ignore_patterns(*GENERATED))
    for name in BESIDE:
        shutil.copy(ROOT / name, target / name.lower())
    for page in target.rglob("*.md"):
        page.write_text(_within(page, target), encoding="utf-8")
    for name, text in pages(load()):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if text.startswith("---") else f"{WITHOUT_SIDEBAR}{text}", encoding="utf-8")
    return sum(1 for _ in target.rglob("*.md"))


def pages(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield the generated pages: path below the sources, and text."""
    about = compatibility.Compatibility(catalog)
    yield "rules/index.md", rules_index(catalog)
    for rule in catalog.rules.values():
        page = rule_page(catalog, rule, Places(rules="", components="../components/"))
        yield f"rules/{rule.slug}.md", _UNSOUGHT.sub(r"\g<0> { data-search-exclude }", page)
    yield "components/index.md", components_page(catalog, Places(rules="../rules/", components=""))
    for component in catalog.components.values():
        page = component_page(catalog, component, Places(rules="../rules/", components=""))
        yield f"components/{component.id}.md", page + _beside(about, component)
    yield "matrix/index.md", compatibility.matrix_index(about)
    for pair in about.pairs:
        yield f"matrix/{pair.name}.md", compatibility.pair_page(about, pair)


def _beside(about: compatibility.Compatibility, component: Component) -> str:
    """Return what the engine says of a component and those of other slots."""
    parts: list[str] = []
    for tone, title in (("blocked", "Conflicts with"), ("needs", "Needs more beside it")):
        found = about.trouble(component)[tone]
        rows = [f"- [{slot}](index.md#{slot}): {', '.join(f'[`{one}`]({one}.md)' for one in names)}" for slot, names in found.items()]
        parts += [f"### {title}", "\n".join(rows)] if rows else []
    links = [
        f"[{about.subjects[pair.second if pair.first == component.slot else pair.first]}](../matrix/{pair.name}.md)"
        for pair in about.pairs
        if component.slot in (pair.first, pair.second)
    ]
    intro = "What the engine says of a recipe that names this component and nothing else, where another one is to join it."
    return (
        "\n\n".join(["\n## Beside other components", intro, *parts, f"All of it, by slot: {', '.join(links)}." if links else ""]).rstrip()
        + "\n"
    )


def _within(page: Path, target: Path) -> str:
    """Return a page whose links lead to pages of the site; what only the repository has is named, not linked."""
    moved = {"components.md": "components/index.md", **{name: name.lower() for name in BESIDE}}

    def resolved(found: re.Match[str]) -> str:
        picture, words, link, anchor = found[1], found[2], found[3], found[4] or ""
        base = ROOT if page.name in {name.lower() for name in BESIDE} else ROOT / "docs" / page.parent.relative_to(target)
        wanted = (base / link).resolve()
        inside = wanted.relative_to(ROOT).as_posix() if wanted.is_relative_to(ROOT) else link
        name = inside.removeprefix("docs/")
        name = moved.get(name, name)
        if picture and not (target / name).exists() and wanted.is_file():
            name = f"images/{wanted.name}"
            shutil.copy(wanted, target / name)
        if not (target / name).exists() and not name.startswith(("rules/", "components/", "matrix/")):
            return f"{words} (`{inside}`)" if inside not in words else words
        up = "../" * len(page.parent.relative_to(target).parts)
        return f"{picture}[{words}]({up}{name}{anchor})"

    return _LINK.sub(resolved, page.read_text(encoding="utf-8"))


def write_config(place: Path) -> Path:
    """Write the generator's configuration: that of the project, and every page of `docs/` that it does not list."""
    config = yaml.safe_load((ROOT / CONFIG).read_text(encoding="utf-8")) | {"docs_dir": "sources", "site_dir": "html"}
    sections: dict[str, list[dict[str, str]]] = dict(_sections(config["nav"]))
    listed = {page for section in sections.values() for entry in section for page in entry.values() if isinstance(page, str)}
    for page in sorted((place / "sources").glob("*.md")) + sorted((place / "sources" / "decisions").glob("*.md")):
        name = page.relative_to(place / "sources").as_posix()
        if name not in listed:
            title = page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
            sections["Decisions" if name.startswith("decisions/") else "Guides"].append({title: name})
    path = place / CONFIG
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def _sections(nav: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield every list of the navigation with its title."""
    yield "", nav
    for entry in nav:
        for title, inner in entry.items():
            if isinstance(inner, list):
                yield title, inner
                yield from ((name, section) for name, section in _sections(inner) if name)


def build(config: Path) -> int:
    """Run the site generator strictly; return its exit code."""
    if importlib.util.find_spec("zensical") is None:
        print("the site generator is missing: pip install -e '.[docs]'", file=sys.stderr)
        return 2
    return subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "--clean", "-f", str(config)], check=False).returncode


def dead_links(site: Path) -> list[str]:
    """Return the links of the built pages that lead to no file or anchor of the site, or would load from elsewhere."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}
    anchors = {path: {unquote(found.strip('"')) for found in _ID.findall(text)} for path, text in texts.items()}
    problems: list[str] = []
    for path, text in texts.items():
        for tag, link in dict.fromkeys((found[0], unescape(found[1].strip('"'))) for found in _HREF.findall(text)):
            loaded = tag in ("img", "script")
            parts = urlsplit(link)
            if loaded and parts.netloc:
                problems.append(f"{path.relative_to(site)}: {link} would be loaded from elsewhere")
            if parts.scheme or parts.netloc or not (parts.path or parts.fragment) or path.name == "404.html":
                continue
            aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            aim = aim / "index.html" if aim.is_dir() else aim
            if not aim.is_file():
                problems.append(f"{path.relative_to(site)}: {link} leads nowhere")
            elif parts.fragment and aim in anchors and unquote(parts.fragment) not in anchors[aim]:
                problems.append(f"{path.relative_to(site)}: {link} has no such anchor")
    return problems


def main() -> int:
    """Write, build, check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", action="store_true", help="write the sources only")
    args = parser.parse_args()
    place = ROOT / "build" / "site"
    count = write_sources(place / "sources")
    if args.sources:
        return 0
    if code := build(write_config(place)):
        return code
    problems = dead_links(place / "html")
    print("".join(f"{problem}\n" for problem in problems), end="")
    print(f"{count} pages in {place / 'html'}, {len(problems)} dead links", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
