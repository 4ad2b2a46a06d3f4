"""Reference pages as Markdown: one for each rule, their index, and the components.

`recipeforge explain` and the documentation show the same text.
"""

import re

from recipeforge.catalog.families import FAMILIES
from recipeforge.catalog.tiers import tier_of
from recipeforge.catalog.words import change_words, pattern_of, scope_words
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.claim import Claim
from recipeforge.schemas.component import Component
from recipeforge.schemas.rule import FixTemplate, Rule

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


def rule_page(catalog: Catalog, rule: Rule) -> str:
    """Return the page of one rule."""
    parts = [f"# {rule.code} `{rule.slug}`", f"**{_severity(rule)}**: {title_of(rule)}"]
    parts += _section("Forbids", _forbids(catalog, rule))
    parts += _section("Why", rule.why.strip())
    if rule.example is not None:
        parts += _section("Bad", _yaml(rule.example.bad))
        parts += _section("Use instead", _yaml(rule.example.good))
    parts += _section("Fix safety", _fixes(rule))
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


def components_page(catalog: Catalog) -> str:
    """Return the list of all components, by slot."""
    parts = ["# Components", "Everything that a recipe can name, by the key under which it stands."]
    for slot in catalog.slots.values():
        default = f" Default: `{slot.default}`." if slot.default else ""
        many = " Takes several." if slot.cardinality == "many" else ""
        parts += [f"## `{slot.id}`", f"{slot.description}{default}{many}"]
        rows = [_component_row(component) for component in catalog.members(slot.id)]
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
    return f"- **{_text(fix.title)}** ({fix.safety}): {steps}."


def _evidence(catalog: Catalog, rule: Rule) -> str:
    if rule.code.startswith("RF0"):
        return "The recipe format is this project's own."
    cited = [catalog.claims[id_] for id_ in rule.evidence if id_ in catalog.claims]
    return "\n\n".join([f"Together {rule.tier}: {TIERS[rule.tier]}.", *(_claim(claim) for claim in cited)])


def _claim(claim: Claim) -> str:
    name = _text(claim.title or claim.origin)
    facts = [claim.id, tier_of([claim]), claim.kind, f"read {claim.retrieved}"]
    if claim.language != "en":
        facts.append(f"language {claim.language}")
    if claim.speaks_for:
        facts.append(f"speaks for {_text(claim.speaks_for)}")
    source = f"[{name}]({claim.url})" if claim.url.startswith("https://") else name
    withdrawn = f"\n\nWithdrawn: {_text(claim.withdrawn)}" if claim.withdrawn else ""
    return f"{_quote(claim)}\n\n{source} ({', '.join(facts)}){withdrawn}"


def _quote(claim: Claim) -> str:
    """Return the source's words: code as code, prose as a quotation."""
    lines = claim.quote.strip().splitlines()
    if claim.kind == "source-code":
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", claim.quote)), default=0))
        lines = [f"{fence}text", *lines, fence]
    else:
        lines = [_text(line) for line in lines]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _component_row(component: Component) -> str:
    aliases = ", ".join(f"`{alias}`" for alias in component.aliases)
    needs = ", ".join(f"`{package}`" for package in component.packages)
    cells = (
        f"[`{component.id}`]({component.url})",
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


def _text(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
