"""A rule as packs write it → the rule that the solver reads."""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import cast

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from recipeforge.catalog.conditions import Vocabulary, parse_condition
from recipeforge.catalog.cues import cues_of
from recipeforge.catalog.entries import Entry
from recipeforge.catalog.fixes import parse_changes
from recipeforge.catalog.spelling import did_you_mean
from recipeforge.catalog.subject_walk import atoms, subjects_of
from recipeforge.catalog.subjects import EXCLUDED, FRAMEWORKS, fact_subject
from recipeforge.catalog.tiers import tier_of
from recipeforge.catalog.validate import build
from recipeforge.schemas.change import Safety
from recipeforge.schemas.claim import Claim, Tier
from recipeforge.schemas.condition import All, Compare, Condition, Holds, IsSet, Not
from recipeforge.schemas.errors import CatalogError
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Example, FixTemplate, Rule, Severity, Stage

_CODE = re.compile(r"RF\d{4}")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FILE_FAMILY = "RF0"
"""Codes that the reader of the file reports; no condition or evidence stands behind them."""
BUDGETS = ("memory", "memory-tight", "time", "time-likely", "cost", "cost-likely")


@record
class FixSource:
    """A fix as written."""

    title: str
    safety: Safety
    changes: list[dict[str, object]]


@record
class RuleSource:
    """A rule as written."""

    code: str
    slug: str
    severity: Severity
    message: str
    why: str
    when: dict[str, object] | None = None
    require: dict[str, object] | None = None
    forbid: dict[str, object] | None = None
    budget: str | None = None
    limits: tuple[str, ...] = ()
    scope: dict[str, str] = field(default_factory=dict[str, str])
    evidence: tuple[str, ...] = ()
    fixes: tuple[FixSource, ...] = ()
    example: Example | None = None
    since: str = "0.1.0"
    stage: Stage = "preview"
    unread: bool = False


def rule_from(entry: Entry, vocabulary: Vocabulary, claims: Mapping[str, Claim]) -> Rule:
    """Return the rule that the entry writes.

    Raises:
        CatalogError: naming file, line, rule and the guilty key.
    """
    name = str(entry.data.get("code", "rule without a code"))
    where = f"{entry.place}: {name}"
    written = build(RuleSource, entry, name)
    _check_names(written, where)
    _check_scope(written.scope, where)
    pattern = _pattern(written, where, vocabulary)
    return Rule(
        code=written.code,
        slug=written.slug,
        severity=written.severity,
        message=written.message,
        why=written.why,
        violated_when=pattern,
        evidence=written.evidence,
        tier=_tier(written, claims),
        cues=None if pattern is None else cues_of(pattern),
        excepted=_excepted(written, where, vocabulary),
        subjects=() if pattern is None else subjects_of(pattern),
        fixes=tuple(_fix(fix, f"{where}: fixes[{index}]", vocabulary) for index, fix in enumerate(written.fixes)),
        example=written.example,
        scope=written.scope,
        budget=written.budget,
        budget_limits=_limits(written, where, vocabulary),
        since=written.since,
        stage=written.stage,
        unread=written.unread,
    )


def _check_names(written: RuleSource, where: str) -> None:
    if not _CODE.fullmatch(written.code):
        raise CatalogError(f"{where}: a code is RF and four digits, such as RF1001")
    if not _SLUG.fullmatch(written.slug):
        raise CatalogError(f"{where}: slug: '{written.slug}' is not lower-case words joined by hyphens")
    if "\n" in written.message.strip():
        raise CatalogError(f"{where}: message: one line, please; the mechanism belongs in `why`")


def _check_scope(scope: Mapping[str, str], where: str) -> None:
    for name, specifier in scope.items():
        if specifier == EXCLUDED:
            if name not in FRAMEWORKS:
                raise CatalogError(f"{where}: scope.{name}: `{EXCLUDED}` excludes a framework; {', '.join(FRAMEWORKS)} are known")
            continue
        try:
            SpecifierSet(specifier)
        except InvalidSpecifier:
            raise CatalogError(
                f'{where}: scope.{name}: \'{specifier}\' is no version specifier; write one such as ">=0.10,<0.18", or ""'
            ) from None


def past_names(scope: Mapping[str, str], current: Mapping[str, str]) -> frozenset[str]:
    """Return the names in a scope whose current release it does not admit."""
    bounded = ((name, specifier) for name, specifier in scope.items() if specifier and specifier != EXCLUDED and name in current)
    return frozenset(name for name, specifier in bounded if not SpecifierSet(specifier).contains(current[name], prereleases=True))


def _pattern(written: RuleSource, where: str, vocabulary: Vocabulary) -> Condition | None:
    """Return when the rule is violated: `when` and not `require`, or `when` and `forbid`."""
    stated = [key for key in ("require", "forbid", "budget") if getattr(written, key) is not None]
    if written.code.startswith(FILE_FAMILY):
        if stated or written.when:
            raise CatalogError(f"{where}: a rule of the RF0 family is reported by the reader of the file; it has no condition")
        return None
    if len(stated) != 1:
        raise CatalogError(f"{where}: needs exactly one of `require`, `forbid` and `budget`, has {' and '.join(stated) or 'none'}")
    when = [parse_condition(written.when, f"{where}: when", vocabulary)] if written.when is not None else []
    if written.budget is not None:
        if when:
            raise CatalogError(f"{where}: a budget rule has `limits`, not `when`")
        return None
    if written.require is not None:
        guilty: Condition = Not(parse_condition(written.require, f"{where}: require", vocabulary))
    else:
        guilty = parse_condition(written.forbid, f"{where}: forbid", vocabulary)
    return All((*when, guilty)) if when else guilty


def _excepted(written: RuleSource, where: str, vocabulary: Vocabulary) -> frozenset[str]:
    """Return what `when` sets aside by `not`: whoever has it is not spoken of, which makes it no way out for those who are."""
    when = parse_condition(written.when, f"{where}: when", vocabulary) if written.when is not None else All(())
    aside = [atom for part in (when.parts if isinstance(when, All) else (when,)) if isinstance(part, Not) for atom in atoms(part)]
    held = (component for atom in aside if isinstance(atom, Holds) for component in atom.components)
    return frozenset(held) | {atom.subject for atom in aside if isinstance(atom, Compare | IsSet)}


def _limits(written: RuleSource, where: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    if written.budget is None:
        if written.limits:
            raise CatalogError(f"{where}: `limits` belongs to a rule with `budget`")
        return ()
    if written.budget not in BUDGETS:
        raise CatalogError(f"{where}: budget: '{written.budget}' is not one of {', '.join(BUDGETS)}{did_you_mean(written.budget, BUDGETS)}")
    if not written.limits:
        raise CatalogError(f"{where}: `budget` needs `limits`: the subjects whose smallest known value bounds it")
    for subject in written.limits:
        if subject not in vocabulary.knobs and fact_subject(subject) is None:
            raise CatalogError(f"{where}: limits: no knob or fact is called '{subject}'{did_you_mean(subject, vocabulary.subjects)}")
    return written.limits


def _fix(written: FixSource, where: str, vocabulary: Vocabulary) -> FixTemplate:
    changes = parse_changes(cast("list[Mapping[str, object]]", written.changes), where, vocabulary)
    return FixTemplate(written.title, changes, written.safety)


def _tier(written: RuleSource, claims: Mapping[str, Claim]) -> Tier:
    if written.code.startswith(FILE_FAMILY):
        return "T1"  # the file format is our own: nobody else can speak for it
    return tier_of(claims[id_] for id_ in written.evidence if id_ in claims)
