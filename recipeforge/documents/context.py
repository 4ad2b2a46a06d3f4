"""What a recipe meets: facts about its GPU, model, packages and framework, from the catalog, a local folder and flags.

A fact that nobody gives stays absent; no rule fires on it.
"""

from collections.abc import Mapping

from recipeforge.catalog.subjects import REST_AS_LOADED
from recipeforge.documents.checkpoint import PLAIN, quantization_by_name
from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.interpretation import Interpretation
from recipeforge.documents.model_folder import FolderFacts, folder_facts
from recipeforge.documents.suggest import Suggestion, normal, suggest
from recipeforge.documents.wording import listed, short
from recipeforge.schemas.catalog import Catalog, FactSheet
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.loadout import Context, Fact
from recipeforge.schemas.place import START_OF_FILE, Span, TextEdit
from recipeforge.schemas.record import slotted

_VENDOR_WORDS = ("nvidia", "geforce", "amd", "intel", "tesla", "quadro", "instinct", "radeon", "graphics")


@slotted
class _Names:
    """Spellings of fact sheets, for one catalog."""

    catalog: Catalog
    gpus: Mapping[str, FactSheet | None]
    """Normal form → sheet; `None` where two sheets share it."""
    models: Mapping[str, FactSheet]


_last: _Names | None = None


def context_of(said: Interpretation, catalog: Catalog, overrides: Mapping[str, Fact], path: str) -> tuple[Context, tuple[Diagnostic, ...]]:
    """Return the context of a recipe, and the findings about names that no fact sheet knows. Overrides win over the file."""
    facts: dict[str, Fact] = {}
    findings: list[Diagnostic] = []
    names = _names(catalog)
    if said.framework is not None:
        facts["framework"] = said.framework
    facts.update({f"packages.{name}": version for name, version in said.packages.items()})
    facts.update(said.facts)
    _gpu(facts, findings, said, names, overrides)
    _model(facts, findings, said, names, overrides, path)
    if any(catalog.components[e.component].effects.get(REST_AS_LOADED) is True for e in said.equipped):
        facts[REST_AS_LOADED] = True
    facts.update({key: value for key, value in overrides.items() if key not in {"gpu.id", "model.id", "dialect"}})
    return Context(facts=facts, spans=dict(said.spans)), tuple(findings)


def gpu_sheet(catalog: Catalog, name: str) -> FactSheet | None:
    """Return the sheet of a GPU by id, alias or the name its driver prints, such as `NVIDIA GeForce RTX 4090`."""
    return _gpu_sheet(_names(catalog), name)


def model_sheet(catalog: Catalog, name: str) -> FactSheet | None:
    """Return the sheet of a model by id or alias; hub ids are compared without case, as the hub does."""
    return _names(catalog).models.get(name.casefold())


def _gpu(facts: dict[str, Fact], findings: list[Diagnostic], said: Interpretation, names: _Names, overrides: Mapping[str, Fact]) -> None:
    flag = overrides.get("gpu.id")
    name = flag if flag is not None else said.value_of("hardware.gpu")
    if not isinstance(name, str):
        return
    sheet = _gpu_sheet(names, name)
    if sheet is not None:
        facts.update(_facts_of("gpu", sheet))
        return
    facts["gpu.id"] = name
    if name.lower() == "cpu":
        facts.update({"gpu.id": "cpu", "gpu.title": "CPU", "gpu.vendor": "cpu"})
    elif flag is not None:
        findings.append(_unknown_gpu(name, START_OF_FILE, names, given=" (asked for by option, environment or configuration)"))
    else:
        findings.append(_unknown_gpu(name, said.spans["gpu"], names))


def _unknown_gpu(name: str, span: Span, names: _Names, given: str = "") -> Diagnostic:
    sheets = names.catalog.gpus
    spellings = {word: sheet.id for sheet in sheets.values() for word in (*sheet.aliases, sheet.id)}
    meant = suggest(name, spellings).renamed(lambda word: spellings[word])
    ids = meant.words[:3] or _sharing_a_word(name, sheets)
    question = Suggestion(ids).question() or "unknown"
    fixes: tuple[Fix, ...] = ()
    if len(ids) > 0 and span != START_OF_FILE:
        fixes = (text_fix(f"Write `{ids[0]}`", TextEdit(span, ids[0]), safety="safe" if meant.clear else "unsafe"),)
    message = f"no facts about a GPU `{short(name)}`{given}, so rules about its memory and abilities are not judged"
    help_text = "" if ids else f"Known are {listed(tuple(sheets), 30)}." if sheets else ""
    return finding("RF0016", message, span, question, help=help_text, fixes=fixes)


def _sharing_a_word(name: str, sheets: Mapping[str, FactSheet]) -> tuple[str, ...]:
    """Return ids that extend a bare family name: `a100` is `a100-40gb` or `a100-80gb`."""
    wanted = _gpu_form(name)
    return tuple(id_ for id_ in sheets if len(wanted) >= 2 and normal(id_).startswith(wanted))[:3]


def _model(
    facts: dict[str, Fact],
    findings: list[Diagnostic],
    said: Interpretation,
    names: _Names,
    overrides: Mapping[str, Fact],
    path: str,
) -> None:
    flag = overrides.get("model.id")
    name = flag if isinstance(flag, str) else said.model
    if name is None:
        return
    sheet = names.models.get(name.casefold())
    if sheet is not None:
        facts.update({"model.quantized": PLAIN} | _facts_of("model", sheet))
        return
    facts["model.id"] = name
    span = said.spans.get("model", START_OF_FILE) if flag is None else START_OF_FILE
    folder = folder_facts(name, path)
    if folder is not None and folder.facts:
        facts.update({"model.quantized": PLAIN} | {f"model.{key}": value for key, value in folder.facts.items()})
    else:
        stored = quantization_by_name(name) if folder is None else None
        facts.update({"model.quantized": stored} if stored else {})
        findings.append(_unknown_model(name, span, names, folder))


def _unknown_model(name: str, span: Span, names: _Names, folder: FolderFacts | None) -> Diagnostic:
    message = f"no facts about the model `{short(name, 80)}`, so rules about its size and shape are not judged, and memory is not estimated"
    if folder is not None:
        return finding("RF0017", message, span, folder.problem, help=folder.help)
    meant = suggest(name, names.catalog.models)
    question = meant.question()
    fixes: tuple[Fix, ...] = ()
    if meant.best and span != START_OF_FILE:
        # Models differ in one character (0.5B, 1.5B) more often than they are misspelt.
        fixes = (text_fix(f"Write `{meant.best}`", TextEdit(span, meant.best), safety="unsafe"),)
    return finding("RF0017", message, span, question, help="" if question else _MODEL_HELP, fixes=fixes)


_MODEL_HELP = "Download it and name the folder (`model: ./folder`): its config.json is read then."


def _facts_of(group: str, sheet: FactSheet) -> dict[str, Fact]:
    return {f"{group}.id": sheet.id, f"{group}.title": sheet.title, **{f"{group}.{key}": value for key, value in sheet.facts.items()}}


def _names(catalog: Catalog) -> _Names:
    global _last
    if _last is None or _last.catalog is not catalog:
        gpus: dict[str, FactSheet | None] = {}
        for sheet in catalog.gpus.values():
            for spelling in {_gpu_form(word) for word in (sheet.id, sheet.title, *sheet.aliases)}:
                gpus[spelling] = sheet if gpus.get(spelling, sheet) is sheet else None
        models = {word.casefold(): sheet for sheet in catalog.models.values() for word in (*sheet.aliases, sheet.id)}
        _last = _Names(catalog, gpus, models)
    return _last


def _gpu_sheet(names: _Names, name: str) -> FactSheet | None:
    return names.catalog.gpus.get(name) or names.gpus.get(_gpu_form(name))


def _gpu_form(name: str) -> str:
    words = name.casefold().replace("_", " ").replace("-", " ").split()
    return normal("".join(word for word in words if word not in _VENDOR_WORDS))
