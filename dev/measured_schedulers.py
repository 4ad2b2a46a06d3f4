"""What `recipeforge bench schedulers` found, as a table in docs/schedulers.md and as claims of the catalog; part of `gen_docs.py`.

Everything comes from the results file; nothing is typed. The page's own words stand outside the two marks.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from recipeforge.catalog.quotes import sha256_of
from recipeforge.render import cohort as words
from recipeforge.runner.cohort.entrants import ENTRANTS
from recipeforge.runner.cohort.results import FILE, Cohort, Result, read
from recipeforge.runner.cohort.statistics import Line, Summary, summary

ROOT = Path(__file__).resolve().parent.parent
RESULTS = f"benchmarks/results/schedulers/{FILE}"
PAGE = "docs/schedulers.md"
PACK = "recipeforge/catalog/packs/core"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
FIRST_ID = 2000


def generate(root: Path = ROOT) -> dict[str, str]:
    """Return the page, the claims and their excerpts by path."""
    cohort = read(root / RESULTS)
    found = summary(cohort)
    return {PAGE: page((root / PAGE).read_text(encoding="utf-8"), cohort, found), **claims(cohort, found)}


def page(text: str, cohort: Cohort, found: Summary) -> str:
    """Return the page with what is between the marks written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    machine = _measured(cohort)[-1].manifest["machine"]
    seconds = sum(result.seconds for result in cohort.results)
    left_out = [name for name in ENTRANTS.names if all(result.scheduler != name for result in cohort.results)]
    versions = ", ".join(f"{name} {version}" for name, version in cohort.versions.items())
    parts = [
        f"**{words.verdict(found)}**",
        words.markdown_table(found).rstrip(),
        words.scale_words(found),
        words.cutoff_words(found),
        words.unranked_words(found),
        f"The command also runs {' and '.join(left_out)}, which this cohort left out." if left_out else "",
        words.conditions(found),
        f"{len(cohort.results)} runs, {seconds / 60:.0f} minutes together, one thread each, on {machine.get('cores')} cores of "
        f"{machine.get('cpu') or 'an unnamed processor'}, {_date(cohort)}. Versions: {versions}.",
        f"What the choice of rates saw, as loss on the tuning sentences:\n\n{words.tuning_table(cohort).rstrip()}"
        if len(cohort.setting.rates) > 1
        else "",
        "What to know about single rows:\n\n" + "\n".join(f"- {note}" for note in words.notes(found)),
    ]
    return f"{before}{BEGIN}\n\n" + "\n\n".join(part for part in parts if part) + f"\n\n{END}{after}"


def claims(cohort: Cohort, found: Summary) -> dict[str, str]:
    """Return the claims file and an excerpt for each claim: the cohort's verdict first, then one a scheduler."""
    ranked = {line.scheduler: line for line in found.lines}
    about = [ENTRANTS[name].component for name in ENTRANTS.names if name in ranked]
    verdict = f"{words.verdict(found)}\n\n{words.cutoff_words(found)}\n\n{words.conditions(found)}\n\n{words.markdown_table(found)}"
    entries = [_claim(FIRST_ID, words.verdict(found), verdict, about, "the whole cohort", cohort)]
    excerpts = {f"{PACK}/excerpts/EV-{FIRST_ID}.txt": verdict}
    for number, name in enumerate(ENTRANTS.names, start=FIRST_ID + 1):
        if name in ranked:
            excerpt = _excerpt(cohort, found, ranked[name])
            entries.append(_claim(number, words.sentence(found, ranked[name]), excerpt, [ENTRANTS[name].component], name, cohort))
            excerpts[f"{PACK}/excerpts/EV-{number}.txt"] = excerpt
    text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=140)
    return {f"{PACK}/claims/schedulers_measured.yaml": text, **excerpts}


def _claim(number: int, quote: str, excerpt: str, about: list[str], title: str, cohort: Cohort) -> dict[str, Any]:
    return {
        "id": f"EV-{number}",
        "quote": quote,
        "url": RESULTS,
        "kind": "run",
        "origin": "recipeforge",
        "retrieved": _date(cohort),
        "excerpt_sha256": sha256_of(excerpt),
        "title": f"bench schedulers: {title}",
        "speaks_for": f"torch {cohort.versions['torch']}, transformers {cohort.versions['transformers']}, one CPU thread",
        "about": about,
    }


def _excerpt(cohort: Cohort, found: Summary, line: Line) -> str:
    """Return a scheduler's sentence, its runs and their manifest."""
    runs = [result for result in _measured(cohort) if result.scheduler == line.scheduler]
    manifest = runs[0].manifest
    recipe = {key: value for key, value in manifest["recipe"].items() if key != "seed"}
    out = [words.sentence(found, line)]
    out += [f"note: {ENTRANTS[line.scheduler].note}"] if ENTRANTS[line.scheduler].note else []
    out += [
        f"seed {r.seed}: val_loss {r.loss}, val_acc {r.accuracy}, {r.steps} steps, {r.seconds} s, {r.manifest['finished']}" for r in runs
    ]
    out += [f"{name}: {json.dumps(value)}" for name, value in (("recipe", recipe), *((n, manifest[n]) for n in ("versions", "machine")))]
    return "\n".join(out) + "\n"


def _measured(cohort: Cohort) -> list[Result]:
    return sorted((result for job, result in cohort.done().items() if job.phase == "measure"), key=lambda result: result.seed)


def _date(cohort: Cohort) -> str:
    return max(result.manifest["finished"] for result in cohort.results)[:10]


if __name__ == "__main__":
    for name, text in generate().items():
        (ROOT / name).write_text(text, encoding="utf-8")
        print(name)
