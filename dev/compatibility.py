"""The matrix pages of the site: which subjects rules bring together, and what the engine says of every two components.

Every cell between components is the engine's own answer (`recipeforge.solver.statuses`): a recipe names the row's component and
nothing else, nothing is known of GPU and packages, and the column's component is to join. The model's weights are stored as they
were trained, unless one of the two needs a checkpoint that was quantized before: then nothing is known of the model either.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import combinations, combinations_with_replacement

from recipeforge.catalog.pages import title_of
from recipeforge.catalog.predicates import PREDICATES
from recipeforge.catalog.subject_walk import atoms
from recipeforge.catalog.words import change_words
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.condition import Compare, Holds, IsSet, Predicate
from recipeforge.schemas.loadout import Context, Equipped, Loadout
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.rule import Rule
from recipeforge.schemas.verdict import Status
from recipeforge.solver.statuses import statuses

OTHER_SUBJECTS = {
    "data": "data",
    "batch": "batch",
    "train": "training settings",
    "eval": "evaluation settings",
    "hardware": "hardware",
    "model": "model",
    "framework": "framework",
    "packages": "package versions",
    "budget": "budget",
    "config": "other tools' keys",
}
"""What rules speak of beside slots: group of knobs or facts → its name."""
PLAIN, UNKNOWN = Context({"model.quantized": "none"}), Context()
"""What is known of the model: that its weights are stored as they were trained, or nothing."""
_SAME = {"gpu": "hardware"}
SIGNS = {"available": "", "conditional": "+", "swap": "+", "blocked": "×", "equipped": "–"}
"""Status → what a cell shows; an empty one gets a dot from the style sheet."""


@dataclass(frozen=True)
class Pair:
    """Two subjects, and what there is to say of them."""

    first: str
    second: str
    rules: tuple[Rule, ...]

    @property
    def name(self) -> str:
        """The page's file name, without its ending."""
        return f"{self.first}--{self.second}"


class Compatibility:
    """All pairs of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.subjects: dict[str, str] = {slot.id: slot.id.replace("_", " ") for slot in catalog.slots.values()} | OTHER_SUBJECTS
        """Slot or group → its name. A group that is new here goes by its own."""
        read = sorted({subject for rule in catalog.rules.values() for subject in subjects_of(rule)})
        self.subjects |= {group: group for group in read if group not in self.subjects}
        self._beside: dict[str, Mapping[str, Status]] = {}

    @cached_property
    def prepared(self) -> frozenset[str]:
        """The components that need a checkpoint quantized before: they fit no plain model."""
        plain, any_ = ({s.component: s for s in statuses(self.catalog, _loadout(context))} for context in (PLAIN, UNKNOWN))
        return frozenset(id_ for id_, status in plain.items() if status.kind == "blocked" and any_[id_].kind != "blocked")

    @cached_property
    def alone(self) -> Mapping[str, Status]:
        """The status of every component for a recipe that names nothing."""
        return self._statuses()

    def beside(self, component: Component) -> Mapping[str, Status]:
        """Return the status of every component for a recipe that names this one."""
        if component.id not in self._beside:
            self._beside[component.id] = self._statuses(component)
        return self._beside[component.id]

    def _statuses(self, *named: Component) -> Mapping[str, Status]:
        """Return what the engine says of every component, for a recipe that names these."""
        unknown = {status.component: status for status in statuses(self.catalog, _loadout(UNKNOWN, *named))} if self.prepared else {}
        if any(component.id in self.prepared for component in named):
            return unknown
        plain = {status.component: status for status in statuses(self.catalog, _loadout(PLAIN, *named))}
        return {id_: unknown[id_] if id_ in self.prepared else status for id_, status in plain.items()}

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs of subjects that have rules, or components that do not simply stand beside each other."""
        rules: dict[tuple[str, str], list[Rule]] = {}
        for rule in self.catalog.rules.values():
            named = [subject for subject in self.subjects if subject in subjects_of(rule)]
            for a, b in combinations(named, 2) if len(named) > 1 else ((one, one) for one in named):
                rules.setdefault((a, b), []).append(rule)
        found = (Pair(a, b, tuple(rules.get((a, b), ()))) for a, b in combinations_with_replacement(self.subjects, 2))
        return tuple(pair for pair in found if pair.rules or self.told(pair))

    def told(self, pair: Pair) -> bool:
        """Return whether the components of two slots have anything to do with each other."""
        slots = self.catalog.slots
        if pair.first not in slots or pair.second not in slots or (pair.first == pair.second and slots[pair.first].cardinality != "many"):
            return False
        members = self.catalog.members(pair.second)
        return any(self.tone(a, b) in ("blocked", "needs") for a in self.catalog.members(pair.first) for b in members)

    def tone(self, row: Component, column: Component) -> str:
        """Return how a cell looks: `blocked`, `needs`, `available`, or `alone` where the column is in the same trouble without the row."""
        status = self.beside(row)[column.id]
        if status.kind in ("available", "equipped"):
            return "available"
        alone = self.alone[column.id]
        if (alone.kind, alone.rules, alone.needs) == (status.kind, status.rules, status.needs):
            return "alone"
        return "blocked" if status.kind == "blocked" else "needs"

    def trouble(self, component: Component) -> dict[str, dict[str, list[str]]]:
        """Return tone → slot → the components that cannot simply join this one."""
        found: dict[str, dict[str, list[str]]] = {"blocked": {}, "needs": {}}
        for other in self.catalog.components.values():
            tone = self.tone(component, other)
            if tone in found and other.slot != component.slot:
                found[tone].setdefault(other.slot, []).append(other.id)
        return found


def subjects_of(rule: Rule) -> set[str]:
    """Return the slots and groups that a rule reads."""
    read = set(rule.budget_limits)
    for atom in atoms(rule.violated_when) if rule.violated_when is not None else ():
        match atom:
            case Holds(slot=slot):
                read.add(slot)
            case Compare(subject=subject) | IsSet(subject=subject):
                read.add(subject)
            case Predicate(name=name):
                read.update(PREDICATES[name].subjects)
    return {_SAME.get(group, group) for group in (subject.split(".", 1)[0] for subject in read)}


def matrix_index(about: Compatibility) -> str:
    """Return the page of subjects × subjects."""
    pairs = {(pair.first, pair.second): pair for pair in about.pairs}
    most = max((len(pair.rules) for pair in about.pairs), default=1)
    named = {subject for pair in about.pairs for subject in (pair.first, pair.second)}
    subjects = {subject: title for subject, title in about.subjects.items() if subject in named}
    head = "".join(f'<th scope="col"><div><span>{escape(title)}</span></div></th>' for title in subjects.values())
    rows: list[str] = []
    for row, title in subjects.items():
        cells: list[str] = []
        for column in subjects:
            pair = pairs.get((row, column)) or pairs.get((column, row))
            if pair is None:
                cells.append("<td></td>")
                continue
            shade = min(4, 1 + 4 * len(pair.rules) // (most + 1)) if pair.rules else 0
            label = f"{subjects[pair.first]} and {subjects[pair.second]}: {len(pair.rules)} rules"
            cells.append(f'<td class="n{shade}"><a href="{pair.name}.md" title="{escape(label)}">{len(pair.rules)}</a></td>')
        rows.append(f'<tr><th scope="row">{escape(title)}</th>{"".join(cells)}</tr>')
    rules = [rule for rule in about.catalog.rules.values() if subjects_of(rule)]
    return f"""{_head("Matrix")}

Which parts of a recipe rules bring together: {len(rules)} rules over {len(subjects)} subjects. A number counts the rules that read both;
on the diagonal, those that read this subject alone. 0 stands where components meet through a third. Choose a number to see the rules,
and what the engine says of every two components.

{_table(head, rows)}
"""


def pair_page(about: Compatibility, pair: Pair) -> str:
    """Return the page of two subjects: their rules, and their components × components."""
    catalog = about.catalog
    first, second = about.subjects[pair.first], about.subjects[pair.second]
    parts = [_head(first if first == second else f"{first} × {second}")]
    if about.told(pair):
        parts += [_legend(first, second), _components(about, pair)]
    parts.append("## Rules")
    rows = [
        f"| [{rule.code}](../rules/{rule.slug}.md) | {rule.effective_severity} | {title_of(rule).replace('|', chr(92) + '|')} |"
        for rule in pair.rules
    ]
    parts.append(
        "\n".join(["| code | severity | says |", "|---|---|---|", *rows]) if rows else "No rule reads both; they meet through a third."
    )
    parts.append(f"[All pairs](index.md) · {' · '.join(_slot_links(catalog, pair))}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _components(about: Compatibility, pair: Pair) -> str:
    columns = about.catalog.members(pair.second)
    head = "".join(
        f'<th scope="col"><div><a href="../components/{c.id}.md" title="{escape(c.title)}">{escape(c.id)}</a></div></th>' for c in columns
    )
    rows = [
        f'<tr><th scope="row"><a href="../components/{row.id}.md" title="{escape(row.title)}">{escape(row.id)}</a></th>'
        f"{''.join(_cell(about, row, column) for column in columns)}</tr>"
        for row in about.catalog.members(pair.first)
    ]
    return _table(head, rows)


def _cell(about: Compatibility, row: Component, column: Component) -> str:
    status, tone = about.beside(row)[column.id], about.tone(row, column)
    if tone == "available":
        return "<td>–</td>" if row.id == column.id else "<td></td>"
    rules = [about.catalog.rules[code] for code in status.rules if code in about.catalog.rules]
    told = [f"{rule.code}: {title_of(rule)}" for rule in rules]
    if status.needs:
        told.insert(0, "; ".join(change_words(change).replace("`", "") for change in status.needs))
    label = escape(f"{row.id}, {column.id}: {'; '.join(told) or status.kind}")
    kind = "blocked" if status.kind == "blocked" else "needs"
    page = f' href="../rules/{rules[0].slug}.md"' if rules else ""
    return f'<td class="{kind}{" alone" if tone == "alone" else ""}"><a{page} title="{label}">{SIGNS[status.kind]}</a></td>'


def _legend(first: str, second: str) -> str:
    return (
        f"A recipe names one of the rows ({first}) and nothing else, on an unknown GPU; may one of the columns ({second}) join it?\n\n"
        '<p class="legend"><span class="cell"></span> available <span class="cell needs">+</span> only together with more '
        '<span class="cell blocked">×</span> conflict <span class="cell blocked alone">×</span> '
        "so by itself, with any row. Point at a cell to read why; it leads to the rule.</p>\n\n"
        "The model is one whose weights are stored as they were trained, except beside what needs a checkpoint quantized before."
    )


def _slot_links(catalog: Catalog, pair: Pair) -> Iterator[str]:
    for subject in dict.fromkeys((pair.first, pair.second)):
        if subject in catalog.slots:
            yield f"[{subject}](../components/index.md#{subject})"


def _head(title: str) -> str:
    return f"---\nsearch:\n  exclude: true\nhide:\n  - navigation\n  - toc\n---\n\n# {title}"


def _table(head: str, rows: list[str]) -> str:
    body = "\n".join(rows)
    return f'<div class="matrix"><table class="cells">\n<thead><tr><td></td>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def _loadout(context: Context, *components: Component) -> Loadout:
    equipped = tuple(Equipped(component.id, component.slot, START_OF_FILE) for component in components)
    return Loadout("<matrix>", "recipeforge", equipped, (), context)
