"""The cards of what a recipe meets: its model, its GPU, its packages, and the recipe as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from recipeforge.documents.context import gpu_sheet, model_sheet
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.cards.evidence import rules_section
from recipeforge.lsp.markdown import escaped, link
from recipeforge.lsp.memory import terms_table, told
from recipeforge.lsp.verdicts import verdict_words
from recipeforge.schemas.catalog import FactSheet
from recipeforge.schemas.loadout import Fact

_MISSING = {"gpu": "the GPU (`hardware: {gpu: …}`)", "model": "the model's shape", "packages": "package versions (`packages: {…}`)"}


def model_card(known: Analysis, name: str) -> str:
    """Return the facts about a model; for one that the catalog does not list, those that its folder gave."""
    sheet = model_sheet(known.catalog, name)
    facts = sheet.facts if sheet is not None else _of_context(known, "model", name)
    title = sheet.title if sheet is not None else name
    lines = [_head(title, sheet.id if sheet is not None else None, "model")]
    lines += [line for line in (_size(facts), _shape(facts), _nature(facts)) if line]
    if len(lines) == 1:
        lines.append("Nothing is known about this model, so rules about its size and shape are not judged.")
    lines.append(_origin(sheet) if sheet is not None else "Read from its config.json." if facts else "")
    return "\n\n".join(line for line in lines if line)


def gpu_card(known: Analysis, name: str) -> str:
    """Return the facts about a GPU."""
    sheet = gpu_sheet(known.catalog, name)
    if sheet is None:
        if name.lower() == "cpu":
            return "**CPU**\n\nTraining runs in main memory."
        return f"**{escaped(name)}** · GPU\n\nNothing is known about this GPU, so rules about its memory and abilities are not judged."
    facts = sheet.facts
    speed = [f"{_number(facts['bandwidth_gb_s'])} GB/s"] if "bandwidth_gb_s" in facts else []
    speed += [f"{_number(facts['bf16_tflops'])} TFLOPS in bf16"] if "bf16_tflops" in facts else []
    size = [f"{_number(facts['memory_gib'])} GiB"] if "memory_gib" in facts else []
    size += [str(facts["arch"])] if "arch" in facts else []
    size += [f"compute capability {facts['capability']}"] if "capability" in facts else []
    dtypes = facts.get("dtypes")
    lines = [_head(sheet.title, sheet.id, "GPU"), ", ".join([*size, *speed]) + "."]
    lines += [f"Computes in {', '.join(dtypes)}."] if isinstance(dtypes, tuple) else []
    lines += [f"This recipe: {words}."] if (words := told(known)) else []
    return "\n\n".join([*lines, _origin(sheet)])


def package_card(known: Analysis, name: str) -> str:
    """Return the facts about a package."""
    sheet = known.catalog.packages.get(name)
    if sheet is None:
        return f"**{escaped(name)}** · package\n\nNo rule names it."
    lines = [_head(sheet.title, sheet.id, "package")]
    current, python = sheet.facts.get("current"), sheet.facts.get("requires_python")
    if current:
        lines.append(f"Newest release {current}{f', for Python {escaped(str(python))}' if python else ''}.")
    rules = rules_section(known, f"packages.{sheet.id}", heading="Rules that read its version")
    return "\n\n".join([*lines, _origin(sheet), *rules])


def recipe_card(known: Analysis) -> str:
    """Return the verdict on the whole recipe, and its memory term by term."""
    parts = [f"**{verdict_words(known)}**"]
    groups = {fact.split(".")[0] for fact in known.report.verdict.unknown}
    if missing := [words for group, words in _MISSING.items() if group in groups]:
        parts.append(f"Not judged: what hangs on {', '.join(missing)}.")
    found = known.report.estimate
    if found is not None:
        parts += [told(known), terms_table(found)]
    return "\n\n".join(parts)


def _of_context(known: Analysis, group: str, name: str) -> Mapping[str, Fact]:
    """Return what the context says about a group, if it is this one that the context is about."""
    context = known.report.loadout.context.facts if known.report.loadout is not None else {}
    if context.get(f"{group}.id") != name:
        return {}
    return {key.removeprefix(f"{group}."): value for key, value in context.items() if key.startswith(f"{group}.")}


def _head(title: str, id_: str | None, what: str) -> str:
    shown = f" `{id_}`" if id_ is not None and id_ != title else ""
    return f"**{escaped(title)}**{shown} · {what}"


def _size(facts: Mapping[str, Fact]) -> str:
    count, active = facts.get("parameters"), facts.get("active_parameters")
    if not isinstance(count, int):
        return ""
    of_them = f", {_count(active)} of them active for a token" if isinstance(active, int) else ""
    dtype = f", stored in {facts['dtype']}" if "dtype" in facts else ""
    return f"{_count(count)} parameters{of_them}{dtype}."


def _shape(facts: Mapping[str, Fact]) -> str:
    named = (
        ("layers", "{} layers"),
        ("hidden", "{} wide"),
        ("heads", "{} heads"),
        ("kv_heads", "{} key-value heads"),
        ("vocab", "vocabulary {}"),
        ("context_length", "context {} tokens"),
    )
    words = ", ".join(text.format(_number(facts[name])) for name, text in named if name in facts)
    return f"{words}." if words else ""


def _nature(facts: Mapping[str, Fact]) -> str:
    words = [
        "a mixture of experts" if facts.get("moe") is True else "",
        "embeddings tied to the head" if facts.get("tied_embeddings") is True else "",
        "sees images" if facts.get("vision") is True else "",
        "attention logits soft-capped" if facts.get("softcap") is True else "",
        f"stored as {facts['quantized']}" if facts.get("quantized") not in (None, "none") else "",
    ]
    told_words = ", ".join(word for word in words if word)
    return f"{told_words[:1].upper()}{told_words[1:]}." if told_words else ""


def _origin(sheet: FactSheet) -> str:
    words = sheet.source.removeprefix("https://").split("/")
    name = "/".join(words[:3]) if sheet.source.startswith("https://") else f"`{sheet.source}`"
    return f"From {link(name, sheet.source)}, read {sheet.checked}."


def _count(number: int) -> str:
    return f"{number / 1e9:.3g} billion" if number >= 1e9 else f"{number / 1e6:.3g} million"


def _number(value: Fact) -> str:
    return f"{value:,.10g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
