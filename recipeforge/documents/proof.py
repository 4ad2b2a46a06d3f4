"""The proof of an edit: the new text, read back, says what was asked, and all else as before."""

from recipeforge.documents.interpret import interpret
from recipeforge.documents.interpretation import Interpretation
from recipeforge.documents.steps import Step
from recipeforge.documents.surgery import Refusal
from recipeforge.documents.tree import Document
from recipeforge.documents.vocabulary import Vocabulary
from recipeforge.schemas.change import Change


def prove(original: Document, edited: Document, vocabulary: Vocabulary, steps: tuple[Step, ...]) -> None:
    """Refuse an edit that does not do what its steps ask.

    Raises:
        Refusal: saying what would be wrong.
    """
    before, after = interpret(original, vocabulary), interpret(edited, vocabulary)
    _no_new_errors(original, edited, before, after)
    changes = [step for step in steps if isinstance(step, Change)]
    if len(changes) == len(steps):
        touched = {change.slot or (change.knob or "").split(".", 1)[0] for change in changes}
        if _said(before, touched) != _said(after, touched):
            raise Refusal("the edit would change more than was asked")
        if _holders(before, vocabulary, changes) != _holders(after, vocabulary, []):
            raise Refusal("the edit would not leave the components that were asked for")
    for knob, value in {change.knob: change.value for change in changes if change.knob}.items():
        if after.value_of(knob) != value and not _gone_with_its_reader(knob, changes):
            raise Refusal(f"{knob} would not be read back as asked")


def _no_new_errors(original: Document, edited: Document, before: Interpretation, after: Interpretation) -> None:
    had = [d.code for d in (*original.diagnostics, *before.findings.diagnostics) if d.severity == "error"]
    for diagnostic in (*edited.diagnostics, *after.findings.diagnostics):
        # A key that moves to its own slot may leave another empty; that was so before, and is now said.
        if diagnostic.severity != "error" or diagnostic.code == "RF0021":
            continue
        if diagnostic.code not in had:
            raise Refusal(f"the text would then have another problem: {diagnostic.message}")
        had.remove(diagnostic.code)


def _said(said: Interpretation, touched: set[str]) -> tuple[object, ...]:
    """Return everything that a recipe says outside of some groups."""
    equipped = sorted((e.slot, e.component) for e in said.equipped if e.slot not in touched)
    settings = [(s.knob, s.value) for s in said.settings if s.knob.split(".", 1)[0] not in touched]
    return equipped, sorted(settings, key=str), said.name, said.model, said.framework, said.packages, said.seed


def _holders(said: Interpretation, vocabulary: Vocabulary, changes: list[Change]) -> dict[str, frozenset[str]]:
    """Return what each slot holds, defaults included, once `changes` are made."""
    held: dict[str, set[str]] = {slot: set() for slot in vocabulary.slots}
    for equipped in said.equipped:
        held[equipped.slot].add(equipped.component)
    for change in changes:
        if change.slot is None:
            continue
        if change.op == "drop" and change.component:
            held[change.slot].discard(change.component)
        elif change.component:
            held[change.slot].discard(change.previous or "")
            held[change.slot].add(change.component)
    for slot in vocabulary.slots.values():
        if not held[slot.id] and slot.default is not None:
            held[slot.id].add(slot.default)
    return {slot: frozenset(components) for slot, components in held.items()}


def _gone_with_its_reader(knob: str, changes: list[Change]) -> bool:
    """Return whether a later change of the knob's slot may have taken the knob with its component."""
    set_at = max(index for index, change in enumerate(changes) if change.knob == knob)
    group = knob.split(".", 1)[0]
    return any(change.slot == group and change.op in {"drop", "replace"} for change in changes[set_at + 1 :])
