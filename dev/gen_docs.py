"""Write the generated documentation: rule pages, their index, the components, the recipe's JSON Schema, the commands,
what was measured of schedulers, with its claims,
and what other tools check.

Usage:
    python dev/gen_docs.py            write what differs, remove pages of rules that are gone
    python dev/gen_docs.py --check    write nothing; list what differs and exit 1 if anything does

To generate one more file, add a function to `GENERATORS`.
"""

import argparse
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

from recipeforge.catalog.load import load
from recipeforge.catalog.pages import components_page, rule_page, rules_index
from recipeforge.catalog.recipe_schema import json_schema

ROOT = Path(__file__).resolve().parent.parent
OWNED = "docs/rules/*.md"
"""Files that nobody writes by hand: one without a generator is stale."""

Texts = dict[str, str]
"""Path from the root of the repository → content."""


def rule_pages() -> Texts:
    """Return a page for each rule, and their index."""
    catalog = load()
    pages = {f"docs/rules/{rule.slug}.md": rule_page(catalog, rule) for rule in catalog.rules.values()}
    return pages | {"docs/rules/index.md": rules_index(catalog)}


def components() -> Texts:
    """Return the list of components."""
    return {"docs/components.md": components_page(load())}


def recipe_schema() -> Texts:
    """Return the JSON Schema of the recipe."""
    return {"docs/recipe.schema.json": json.dumps(json_schema(load()), indent=2, ensure_ascii=False) + "\n"}


def command_line() -> Texts:
    """Return the reference of the commands."""
    generate = runpy.run_path(str(Path(__file__).with_name("cli_docs.py")))["generate"]
    return {"docs/cli.md": generate()}


def measured_schedulers() -> Texts:
    """Return the page of the measured schedulers, and the claims that rest on the same results."""
    return runpy.run_path(str(Path(__file__).with_name("measured_schedulers.py")))["generate"]()


def coverage() -> Texts:
    """Return the page of what other tools check; nothing where the list of it is not at hand."""
    return runpy.run_path(str(Path(__file__).with_name("coverage.py")))["generate"]()


GENERATORS: list[Callable[[], Texts]] = [rule_pages, components, recipe_schema, command_line, measured_schedulers, coverage]


def stale_files(texts: Texts, root: Path) -> list[Path]:
    """Return files that differ from what would be written, or that nothing would write."""
    differing = [
        root / name for name, text in texts.items() if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    ]
    return differing + [path for path in sorted(root.glob(OWNED)) if path.relative_to(root).as_posix() not in texts]


def bring_up_to_date(texts: Texts, root: Path) -> list[Path]:
    """Write what differs, remove what nothing would write; return the files touched."""
    stale = stale_files(texts, root)
    for path in stale:
        name = path.relative_to(root).as_posix()
        if name in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[name], encoding="utf-8")
        else:
            path.unlink()
    return stale


def main() -> int:
    """Write or check all generated files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    check = parser.parse_args().check
    texts = {name: text for generate in GENERATORS for name, text in generate().items()}
    stale = stale_files(texts, ROOT) if check else bring_up_to_date(texts, ROOT)
    for path in stale:
        print(path.relative_to(ROOT).as_posix())
    if check and stale:
        print(f"{len(stale)} generated files differ; run: python dev/gen_docs.py", file=sys.stderr)
        return 1
    print(f"{len(texts)} files, {len(stale)} {'differ' if check else 'written'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
