"""The keys of a recipe that hold plain values: name, model, framework, packages, seed."""

import re

from recipeforge.catalog.subjects import FRAMEWORKS
from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.interpretation import Interpretation, misfit_finding
from recipeforge.documents.scalars import Misfit, value_for
from recipeforge.documents.suggest import suggest
from recipeforge.documents.tree import Entry, MappingNode, ScalarNode, effective_entries, key_text, target_of
from recipeforge.documents.vocabulary import Vocabulary
from recipeforge.documents.wording import short
from recipeforge.schemas.diagnostic import Fix
from recipeforge.schemas.place import TextEdit
from recipeforge.schemas.recipe import Knob

PLAIN_KEYS = ("name", "model", "framework", "packages", "seed")
MAX_SEED = 2**32 - 1
"""The largest that numpy takes, and so every trainer."""

_VERSION = re.compile(r"v?\d+(?:\.\d+)*(?:[._-]?(?:a|b|c|rc|alpha|beta|pre|preview|post|dev)[._-]?\d*)*(?:\+[a-z0-9.]+)?", re.IGNORECASE)
_SEED = Knob(path="run.seed", type="int", description="", minimum=0, maximum=MAX_SEED)
_FORMS = {
    "name": "a name",
    "model": "a hub id, a local folder or a preset",
    "framework": "the framework that runs it",
    "seed": "a whole number",
}


def read_plain_key(key: str, entry: Entry, out: Interpretation, vocabulary: Vocabulary) -> None:
    """Read one of `PLAIN_KEYS` into `out`."""
    if key == "packages":
        return _packages(entry, out, vocabulary)
    node = target_of(entry.value)
    if not isinstance(node, ScalarNode) or node.null:
        where = node.span if node.end > node.start else entry.key.span
        state = "is empty" if isinstance(node, ScalarNode) else "is one value, not a list or a mapping"
        return out.findings.add(finding("RF0004", f"`{key}` {state}", where, help=f"Write {_FORMS[key]}, or remove the key."))
    if key == "name":
        out.name = node.text
    elif key == "model":
        out.model = node.text
        out.spans["model"] = node.span
    elif key == "framework":
        _framework(node, out)
    else:
        _seed(node, out)
    return None


def _framework(node: ScalarNode, out: Interpretation) -> None:
    if node.text in FRAMEWORKS:
        out.framework = node.text
        out.spans["framework"] = node.span
        return
    meant = suggest(node.text, FRAMEWORKS)
    fixes: tuple[Fix, ...] = ()
    if meant.best:
        edit = TextEdit(node.span, meant.best)
        fixes = (text_fix(f"Write `{meant.best}`", edit, safety="safe" if meant.clear else "unsafe"),)
    message = f"`framework` is one of {', '.join(FRAMEWORKS)}, not `{short(node.text)}`"
    out.findings.add(finding("RF0006", message, node.span, meant.question() or "not one of them", fixes=fixes))


def _seed(node: ScalarNode, out: Interpretation) -> None:
    value = value_for(_SEED, node)
    if isinstance(value, Misfit):
        said = Misfit(value.code, value.message.replace("run.seed", "seed"), value.label, value.help, value.replacement, value.safety)
        out.findings.add(misfit_finding(said, node.span, node))
    else:
        out.seed = int(value)


def _packages(entry: Entry, out: Interpretation, vocabulary: Vocabulary) -> None:
    node = target_of(entry.value)
    if not isinstance(node, MappingNode):
        where = node.span if node.end > node.start else entry.key.span
        message = "`packages` is a mapping of package names to versions"
        out.findings.add(finding("RF0004", message, where, help='Write `packages: {torch: "2.6"}`.'))
        return
    for inner in effective_entries(node):
        key = key_text(inner)
        if key is not None:
            present = {key_text(other) for other in node.entries}
            _package(key, inner, out, vocabulary, present)


def _package(key: str, entry: Entry, out: Interpretation, vocabulary: Vocabulary, present: set[str | None]) -> None:
    name = re.sub(r"[-_.]+", "-", key).lower()
    known = vocabulary.catalog.packages
    if known and name not in known and not out.findings.full:
        aliases = {alias: sheet.id for sheet in known.values() for alias in sheet.aliases}
        meant = suggest(name, (*known, *aliases))
        best = aliases.get(meant.best, meant.best) if meant.best else None
        # Any package may be named; only a likely typing error is worth a word.
        if best is not None and (meant.clear or name in aliases):
            fixes = () if best in present else (text_fix(f"Write `{best}`", TextEdit(entry.key.span, best)),)
            message = f"no rule knows a package `{short(key)}`"
            out.findings.add(finding("RF0002", message, entry.key.span, f"did you mean `{best}`?", fixes=fixes))
    node = target_of(entry.value)
    where = node.span if node.end > node.start else entry.key.span
    # The text, not a number: 2.10 is not 2.1.
    if isinstance(node, ScalarNode) and _VERSION.fullmatch(node.text) and len(node.text) <= 64:
        out.packages[name] = node.text.lower().removeprefix("v")
        out.spans[f"packages.{name}"] = node.span
        return
    help_text = f'Write the version that runs, such as `{name}: "2.6.0"`.'
    written = f", and `{short(node.text)}` is none" if isinstance(node, ScalarNode) and node.text else ""
    out.findings.add(finding("RF0004", f"`packages.{short(key)}` is a version{written}", where, "no version", help=help_text))
