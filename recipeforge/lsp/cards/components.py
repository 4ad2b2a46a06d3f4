"""The card of a component: what it is, how it stands here, what it does to memory, and what it can break."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from pygls.uris import from_fs_path

from recipeforge.catalog.cache import cache_dir
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.cards.evidence import quote_block, rules_section
from recipeforge.lsp.markdown import escaped, link, prose
from recipeforge.lsp.memory import component_words
from recipeforge.render.component_page import component_page
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.component import Component
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.verdict import Status

_URL = re.compile(r"https://[^\s:]+(?::(?=\S)[^\s:]+)*")
_SHARDED = {"optimizer": "optimizer states", "gradients": "gradients and optimizer states", "weights": "weights, gradients and states"}


def component_card(known: Analysis, component: Component, untold: Collection[str] = ()) -> str:
    """Return what is known about a component, seen from the recipe; `untold`: codes of rules that are told elsewhere."""
    slot = known.catalog.slots[component.slot]
    documentation = link("its authors' page", component.url)
    parts = [f"**{escaped(component.title)}** `{component.id}` · {slot.title} · {documentation}", prose(component.description)]
    parts.append(" ".join(_standing(known, component)))
    parts.append(_effects(component))
    parts += [quote_block(claim) for claim in known.catalog.measured(component.id)]
    more = link(f"the page of {component.title}", component_uri(known.catalog, component))
    parts += rules_section(known, component.id, heading="What it can break", untold=untold, more=more, quotes=0 if untold else 2)
    return "\n\n".join(part for part in parts if part)


def component_uri(catalog: Catalog, component: Component) -> str | None:
    """Return the address of a component's page, a file written when it is first asked for; `None` without a place to write to."""
    file = cache_dir() / "pages" / catalog.hash[:12] / f"{component.id}.md"
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(component_page(catalog, component), encoding="utf-8")
    except OSError:
        return None
    return from_fs_path(str(file))


def _standing(known: Analysis, component: Component) -> Iterator[str]:
    """Yield how a component stands in the recipe, in short sentences."""
    loadout = known.report.loadout
    if loadout is not None:
        equipped = any(e.component == component.id for e in loadout.equipped)
        yield "Equipped." if equipped else status_words(known, known.statuses.get(component.id))
    if component.packages:
        yield f"Needs the package{'s' if len(component.packages) > 1 else ''} {', '.join(f'`{name}`' for name in component.packages)}."
    if memory := component_words(known, component):
        yield f"Memory: {memory}."


def status_words(known: Analysis, status: Status | None) -> str:
    """Return what equipping a component would mean, in one sentence."""
    if status is None:
        return ""
    titles = [known.catalog.components[id_].title if id_ in known.catalog.components else f"`{id_}`" for id_ in status.blockers]
    rules = ", ".join(dict.fromkeys(code.split(":")[0] for code in status.rules if code.split(":")[0] in known.catalog.rules))
    needs = " and ".join(_change_words(known.catalog, change) for change in status.needs)
    match status.kind:
        case "equipped":
            return "Equipped."
        case "available":
            return "Available: it fits as things stand."
        case "conditional":
            return f"Available with {needs}{f' ({rules})' if rules else ''}."
        case "swap":
            return f"Available in place of {' and '.join(titles)}{f', with {needs}' if needs else ''}."
        case _:
            way = f"{' or '.join(titles)} would have to leave" if titles else "it is ruled out here"
            return f"Blocked: {way}{f' ({rules})' if rules else ''}."


def _change_words(catalog: Catalog, change: Change) -> str:
    if change.knob is not None:
        value = str(change.value).lower() if isinstance(change.value, bool) else change.value
        return f"`{change.knob}: {value}`" if change.op == "set" else f"no `{change.knob}`"
    title = catalog.components[change.component].title if change.component else ""
    previous = catalog.components[change.previous].title if change.previous else ""
    return {"add": title, "drop": f"no {title}"}.get(change.op, f"{title} for {previous}")


# -- what the memory formula reads ---------------------------------------------------------------------------


def _effects(component: Component) -> str:
    """Return the component's numbers with their source; empty where it has none worth a line."""
    told = component.effects_source.strip()
    if told.startswith("measured:"):
        return f"Measured: {escaped(told.removeprefix('measured:'))}."
    words = [word for name, value in component.effects.items() if (word := _effect(name, value))]
    if not words:
        return ""
    url = _URL.match(told)
    origin = escaped(told.rstrip(".")).replace("By definition", "by definition")
    if url is not None:
        rest = told[url.end() :].lstrip(": ")
        origin = f"{link(url[0].removeprefix('https://'), url[0])}{f': {escaped(rest)}' if rest else ''}"
    return f"Counted as {', '.join(words)} ({origin})."


def _effect(name: str, value: Scalar) -> str:
    match name, value:
        case "weight_bytes_per_param", _:
            return f"{value:g} bytes a weight"
        case "rest_in_fp32", True:
            return "the other weights in fp32"
        case "rest_as_loaded", True:
            return "embeddings and head of a quantized model in 16 bits"
        case "state_bytes_per_param", _:
            return f"{value:g} bytes of state a trained parameter"
        case "rows_per_example", int() if value > 1:
            return f"{value} rows an example"
        case "reference_model", True:
            return "a reference model beside"
        case "compute_bytes", _:
            return f"{value} bytes a number computed"
        case "trainable_weight_bytes", _:
            return f"{value} a weight that trains"
        case "frozen_weight_bytes", _:
            return f"{value} a frozen one"
        case "frees_gradients", True:
            return "gradients of one layer at a time"
        case "keeps_scores", True:
            return "attention scores kept, which grow with the square of the length"
        case "recomputes_layers", True:
            return "one layer's activations at a time"
        case "offloads_activations", True:
            return "activations in host memory"
        case "shards", str():
            return f"{_SHARDED.get(value, value)} divided over the devices"
        case "splits_layers", True:
            return "every layer divided over the devices"
        case _:
            return ""
