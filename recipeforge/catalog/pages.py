"""Reference pages as Markdown: one for each rule, their index, and the components.

`recipeforge explain`, the documentation and its site show the same text; where pages can be opened from each other, names are links.
"""

import re

from recipeforge.catalog.families import FAMILIES
from recipeforge.catalog.tiers import tier_of
from recipeforge.catalog.words import change_words, pattern_of, scope_words
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.claim import Claim
from recipeforge.schemas.component import Component
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import FixTemplate, Rule


@record
class Places:
    """Where other pages stand, seen from the page at hand; `None`: they cannot be opened from it."""

    rules: str | None = None
    """Folder of the rules' pages, such as `../rules/`."""
    components: str | None = None

    def rule(self, rule: Rule) -> str:
        """Return a rule's code, as a link where its page can be opened."""
        return rule.code if self.rules is None else f"[{rule.code}]({self.rules}{rule.slug}.md)"

    def linked(self, catalog: Catalog, text: str) -> str:
        """Return a text in which the names of components and slots are links."""
        if self.components is None:
            return text

        def link(found: re.Match[str]) -> str:
            if found[1] in catalog.components:
                return f"[{found[0]}]({self.components}{found[1]}.md)"
            return f"[{found[0]}]({self.components}index.md#{found[1]})" if found[1] in catalog.slots else found[0]

        return _NAME.sub(link, text)


NOWHERE = Places()
_NAME = re.compile(r"`([a-z0-9_-]+)`")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#])")
_SAFETY = {
    "safe": "Safe: the run means the same.",
    "unsafe": "Unsafe: the run means something else afterwards, so look before you apply it.",
    "display": "Display: advice, to be applied by hand.",
}
TIERS = {
    "T1": "the project owner's own note or recorded run",
    "T2": "official documentation, source or paper, or two independent origins",
    "T3": "one unconfirmed origin; such a rule informs and never blocks",
}


def rule_page(catalog: Catalog, rule: Rule, places: Places = NOWHERE) -> str:
    """Return the page of one rule."""
    parts = [f"# {rule.code} `{rule.slug}`", f"**{_severity(rule)}**: {title_of(rule)}"]
    parts += _section("Forbids", places.linked(catalog, _forbids(catalog, rule)))
    parts += _section("Why", rule.why.strip())
    if rule.example is not None:
        parts += _section("Bad", _yaml(rule.example.bad))
        parts += _section("Use instead", _yaml(rule.example.good))
    parts += _section("Fix safety", places.linked(catalog, _fixes(rule)))
    parts += _section("Scope", "\n".join(f"- {limit}" for limit in scope_words(rule)) or "General.")
    parts += _section("Evidence", _evidence(catalog, rule))
    parts += _section("Since", f"{rule.since} ({rule.stage}).")
    parts += _section("Accept it anyway", f"Write `# forge: ignore[{rule.code}]` at the end of the line, or on the line above.")
    return "\n\n".join(parts) + "\n"


def rules_index(catalog: Catalog) -> str:
    """Return the table of all rules, by family."""
    parts = ["# Rules", "Every rule with its reason, an example, and the words of those who say so.", _tier_legend()]
    for family, name in FAMILIES.items():
        rules = [rule for rule in catalog.rules.values() if rule.code.startswith(family)]
        if rules:
            rows = [
                f"| [{rule.code}]({rule.slug}.md) | `{rule.slug}` | {_short_severity(rule)} | {_cell(title_of(rule))} |" for rule in rules
            ]
            parts += [f"## {family}xxx: {name}", "\n".join(["| code | slug | severity | says |", "|---|---|---|---|", *rows])]
    return "\n\n".join(parts) + "\n"


def components_page(catalog: Catalog, places: Places = NOWHERE) -> str:
    """Return the list of all components, by slot; a name leads to the component's page, or to its authors' where there is none."""
    parts = ["# Components", "Everything that a recipe can name, by the key under which it stands."]
    for slot in catalog.slots.values():
        default = f" Default: `{slot.default}`." if slot.default else ""
        many = " Takes several." if slot.cardinality == "many" else ""
        parts += [f"## `{slot.id}`", f"{slot.description}{default}{many}"]
        rows = [_component_row(component, places) for component in catalog.members(slot.id)]
        parts.append("\n".join(["| id | name | what it is | also written | tags | needs |", "|---|---|---|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def title_of(rule: Rule) -> str:
    """Return the rule's message with the names of its values in place of values."""
    return _PLACEHOLDER.sub(lambda found: f"‹{found[1]}›", rule.message.strip())


def _section(title: str, text: str) -> list[str]:
    return [f"## {title}", text]


def _severity(rule: Rule) -> str:
    if rule.effective_severity == rule.severity:
        return rule.severity
    return f"{rule.effective_severity} (claimed as {rule.severity}, but only one unconfirmed origin says so)"


def _short_severity(rule: Rule) -> str:
    return rule.effective_severity if rule.effective_severity == rule.severity else f"{rule.effective_severity} (T3)"


def _forbids(catalog: Catalog, rule: Rule) -> str:
    clauses = pattern_of(catalog, rule)
    if not clauses:
        return "Found while the file is read, before any other rule."
    if len(clauses) == 1:
        return f"A recipe in which {clauses[0]}."
    return "A recipe in which, together:\n\n" + "\n".join(f"- {clause}" for clause in clauses)


def _fixes(rule: Rule) -> str:
    if not rule.fixes and rule.code.startswith("RF0"):
        return "Where the text leaves no doubt, the finding itself offers a correction; otherwise what to change is your decision."
    if not rule.fixes:
        return "No automatic fix: what to change is your decision."
    kinds = dict.fromkeys(fix.safety for fix in rule.fixes)
    return "\n".join(_fix(fix) for fix in rule.fixes) + "\n\n" + " ".join(_SAFETY[kind] for kind in kinds)


def _fix(fix: FixTemplate) -> str:
    steps = "; ".join(change_words(change) for change in fix.changes)
    return f"- **{escaped(fix.title)}** ({fix.safety}): {steps}."


def _evidence(catalog: Catalog, rule: Rule) -> str:
    if rule.code.startswith("RF0"):
        return "The recipe format is this project's own."
    cited = [catalog.claims[id_] for id_ in rule.evidence if id_ in catalog.claims]
    return "\n\n".join([f"Together {rule.tier}: {TIERS[rule.tier]}.", *(_claim(claim) for claim in cited)])


def _claim(claim: Claim) -> str:
    name = escaped(claim.title or claim.origin)
    facts = [claim.id, tier_of([claim]), claim.kind, f"read {claim.retrieved}"]
    if claim.language != "en":
        facts.append(f"language {claim.language}")
    if claim.speaks_for:
        facts.append(f"speaks for {escaped(claim.speaks_for)}")
    source = f"[{name}]({claim.url})" if claim.url.startswith("https://") else name
    withdrawn = f"\n\nWithdrawn: {escaped(claim.withdrawn)}" if claim.withdrawn else ""
    return f"{_quote(claim)}\n\n{source} ({', '.join(facts)}){withdrawn}"


def _quote(claim: Claim) -> str:
    """Return the source's words: code as code, prose as a quotation."""
    lines = claim.quote.strip().splitlines()
    if claim.kind == "source-code":
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", claim.quote)), default=0))
        lines = [f"{fence}text", *lines, fence]
    else:
        lines = [escaped(line) for line in lines]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _component_row(component: Component, places: Places) -> str:
    aliases = ", ".join(f"`{alias}`" for alias in component.aliases)
    needs = ", ".join(f"`{package}`" for package in component.packages)
    cells = (
        f"[`{component.id}`]({component.url if places.components is None else f'{places.components}{component.id}.md'})",
        _cell(component.title),
        _cell(component.description),
        aliases,
        ", ".join(component.tags),
        needs,
    )
    return f"| {' | '.join(cells)} |"


def _tier_legend() -> str:
    return "\n".join(f"- {tier}: {meaning}" for tier, meaning in TIERS.items())


def _yaml(text: str) -> str:
    return f"```yaml\n{text.strip()}\n```"


def escaped(text: str) -> str:
    """Return text as Markdown that reads the same."""
    return _MARKDOWN.sub(r"\\\1", text)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
