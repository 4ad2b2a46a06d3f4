"""Verdict → diagnostics: every violation with its place, reason, citations and verified fixes."""

from collections.abc import Sequence

from recipeforge.catalog.subjects import CONFIG_PREFIX
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.diagnostic import Diagnostic, Label
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.place import Span
from recipeforge.schemas.rule import Rule
from recipeforge.schemas.verdict import Conflict, Verdict, Violation
from recipeforge.solver.as_written import MISSING, TOO_MANY
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.fixes import fixes_for
from recipeforge.solver.limits import LIKELY, numbers_of
from recipeforge.solver.messages import citations_of, filled, listed, name_of, value_words
from recipeforge.solver.view import View, view_of


def diagnose(catalog: Catalog, loadout: Loadout, verdict: Verdict, *, fixes: bool = True) -> tuple[Diagnostic, ...]:
    """Return one diagnostic a violation, in the order of the file; without `fixes`, which cost most of the time, on request.

    A slot that holds two components is not told twice: where a rule speaks about the very pair, that rule does.
    An empty slot is reported by the reader of the file, which knows where it should have stood.
    """
    if not verdict.violations:
        return ()
    case, view = case_of(catalog, loadout), view_of(catalog, loadout)
    joint = [c for c in verdict.conflicts if len(c.rules) > 1]
    found = [
        _diagnostic(case, view, violation, verdict, joint, fixes)
        for violation in verdict.violations
        if not violation.code.startswith(MISSING) and not _told_better(catalog, violation, verdict.violations)
    ]
    return tuple(sorted(found, key=lambda d: (d.primary.span, d.code)))


def _told_better(catalog: Catalog, violation: Violation, violations: Sequence[Violation]) -> bool:
    """Return whether another violation says the same and more.

    A crowded slot: one that names two of its holders. A limit nearly reached: one that finds it exceeded.
    """
    if not violation.code.startswith(TOO_MANY):
        rule = catalog.rules[violation.code]
        others = (catalog.rules.get(v.code) for v in violations)
        better = LIKELY.get(str(rule.budget))
        return better is not None and any(o and o.budget == better and o.budget_limits == rule.budget_limits for o in others)
    held = set(violation.participants)
    return any(len(held & set(v.participants)) > 1 for v in violations if not v.code.startswith(TOO_MANY))


def _diagnostic(case: Case, view: View, violation: Violation, verdict: Verdict, joint: Sequence[Conflict], with_fixes: bool) -> Diagnostic:
    catalog, loadout = case.world.catalog, case.loadout
    rule = catalog.rules.get(violation.code.split(":")[0])
    spans = _places(loadout, violation)
    notes = tuple(_told_conflict(catalog, c) for c in joint if violation.code in c.rules)
    related = tuple(Label(span, _role(catalog, view, subject)) for subject, span in spans[1:])
    related += tuple(
        Label(loadout.span_of(pick), f"{name_of(catalog, pick)} is part of the conflict")
        for c in joint
        if violation.code in c.rules
        for pick in c.picks
        if pick not in violation.participants
    )
    fixes = fixes_for(case, violation.code, rule) if with_fixes else ()
    severity = rule.effective_severity if rule else "error"
    return Diagnostic(
        code=violation.code.split(":")[0],
        slug=rule.slug if rule else "too-many-in-slot",
        severity=severity,
        message=_message(case, view, violation, rule, verdict),
        primary=Label(spans[0][1], ""),
        related=tuple(dict.fromkeys(related)),
        notes=((" ".join(rule.why.split()),) if rule and rule.why else ()) + notes,
        citations=citations_of(catalog, rule) if rule else (),
        help="" if fixes or not with_fixes or severity != "error" else _help(violation),
        fixes=fixes,
        unread=rule is not None and rule.unread,
    )


def _help(violation: Violation) -> str:
    """Return the next step where no single change cures the violation."""
    if violation.participants and all(p.startswith(CONFIG_PREFIX) for p in violation.participants):
        return "Change or remove one of the keys shown"
    return "`recipeforge solve` ranks the changes after which this recipe runs"


def _places(loadout: Loadout, violation: Violation) -> list[tuple[str, Span]]:
    """Return the participants with their places, the guilty one first.

    Guilty is the last participant that the file itself chose (rules say "given this, not that"); facts, such as the
    GPU, are circumstances. Participants that stand by default have no place of their own.
    """
    chosen = {e.component for e in loadout.equipped} | {s.knob for s in loadout.settings}
    chosen.update(fact for fact in loadout.context.spans if fact.startswith(CONFIG_PREFIX))
    guilty = [p for p in violation.participants if p in chosen]
    primary = guilty[-1] if guilty else next(iter(violation.participants), "")
    others = [p for p in violation.participants if p != primary and (p in chosen or _tells(loadout, p))]
    placed = [(p, loadout.span_of(p)) for p in (primary, *others)]
    return [placed[0], *(pair for pair in placed[1:] if pair[1] != placed[0][1])]


def _tells(loadout: Loadout, fact: str) -> bool:
    """Return whether a fact is worth pointing at: the file names what it is about, and it is something, not nothing."""
    return fact.split(".")[0] in loadout.context.spans and loadout.context.facts.get(fact) not in (None, "none", False)


def _role(catalog: Catalog, view: View, subject: str) -> str:
    """Return what a secondary place contributes."""
    if subject in catalog.components:
        return name_of(catalog, subject)
    return f"{subject} is {value_words(catalog, view, subject)}"


def _message(case: Case, view: View, violation: Violation, rule: Rule | None, verdict: Verdict) -> str:
    catalog = case.world.catalog
    if violation.code.startswith(TOO_MANY):
        slot = catalog.slots[violation.code.split(":")[1]]
        names = " and ".join(name_of(catalog, p) for p in violation.participants)
        return f"{slot.title} takes one component, not {len(violation.participants)}: {names}"
    if rule is None:
        return violation.code
    values = numbers_of(case, rule, verdict.estimate) if rule.budget else {}
    return filled(rule.message, lambda subject: values.get(subject) or value_words(catalog, view, subject))


def _told_conflict(catalog: Catalog, conflict: Conflict) -> str:
    """Return a joint conflict in one sentence."""
    picks = listed([name_of(catalog, p) for p in conflict.picks])
    rules = [code for code in conflict.rules if ":" not in code] or list(conflict.rules)
    proof = "" if conflict.minimal else " (not proved minimal)"
    return f"no addition can reconcile {picks}: {listed(rules)} {'forbids' if len(rules) == 1 else 'together forbid'} it{proof}"
