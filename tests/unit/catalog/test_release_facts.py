"""The shipped facts about releases, and how broken ones are refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from recipeforge.catalog.lint_releases import release_findings
from recipeforge.catalog.load import SHIPPED_PACKS, load
from recipeforge.catalog.releases import load_releases
from recipeforge.schemas.errors import CatalogError

GOOD = """\
- id: torch
  source: pkg:pypi/torch
  checked: 2026-11-21
  releases:
    - versions: {"2.10.0": 2026-01-21, "2.9.1": 2025-11-12}
      python: ">=3.10"
      requires: ["torch>=2; python_version < '3.12'"]
"""


def test_every_package_of_the_catalog_has_releases() -> None:
    releases, catalog = load_releases(), load()
    wanted = {*catalog.packages, *(p for c in catalog.components.values() for p in c.packages)}
    assert not wanted - set(releases)
    assert sum(map(len, releases.values())) > 700


def test_every_specifier_parses_and_names_a_known_package() -> None:
    releases = load_releases()
    lines = [line for listed in releases.values() for r in listed for line in r.requires or ()]
    assert len(lines) > 2000
    assert {Requirement(line).name.lower().replace("_", "-") for line in lines} <= set(releases)
    assert all(SpecifierSet(r.python) is not None for listed in releases.values() for r in listed)


def test_releases_are_in_order_dated_and_end_with_the_current_one() -> None:
    for name, listed in load_releases().items():
        versions = [Version(r.version) for r in listed]
        assert versions == sorted(set(versions)), name
        assert all(len(r.date) == 10 and r.date <= r.checked for r in listed), name
        sheet = load().packages.get(name)
        assert sheet is None or Version(str(sheet.facts["current"])) == versions[-1], name


def test_most_requirements_are_known() -> None:
    listed = [r for found in load_releases().values() for r in found]
    assert sum(r.requires is None for r in listed) < len(listed) / 8


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (GOOD.replace('"2.9.1"', "2.9.one"), "'2.9.one' is no version"),
        (GOOD.replace(">=3.10", "3.10 or so"), "python: '3.10 or so' is no version specifier"),
        (GOOD.replace("torch>=2;", "torch>=two and;"), "is no requirement"),
        (GOOD.replace('["torch>', '["triton>'), "torch: requires 'triton>=2; python_version < '3.12'', of which no releases are listed"),
        (GOOD + GOOD, "the releases of this package are listed already"),
        (GOOD.replace('"2.9.1"', '"2.10"'), "is listed twice"),
        (GOOD.replace("checked", "cheked"), "no key is called 'cheked'; did you mean 'checked'?"),
    ],
)
def test_broken_facts_are_refused_with_their_place(tmp_path: Path, wrong: str, says: str) -> None:
    (tmp_path / "facts").mkdir()
    file = tmp_path / "facts" / "releases.yaml"
    file.write_text(GOOD)
    assert [r.version for r in load_releases([tmp_path])["torch"]] == ["2.9.1", "2.10.0"]
    other = tmp_path / "other"
    (other / "facts").mkdir(parents=True)
    (other / "facts" / "releases.yaml").write_text(wrong)
    with pytest.raises(CatalogError) as refused:
        load_releases([other])
    assert says in str(refused.value)
    assert "releases.yaml" in str(refused.value)


def test_a_pack_without_releases_has_none(tmp_path: Path) -> None:
    assert load_releases([tmp_path]) == {}


def test_the_linter_sees_releases_that_fell_behind(tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "releases.yaml").write_text(GOOD)
    torch = replace(load().packages["torch"], facts={"current": "2.11.0"})
    part = replace(load().components["adamw-8bit"], packages=("torch", "bitsandbytes"))
    catalog = replace(load(), packages={"torch": torch}, components={part.id: part})
    assert list(release_findings(catalog, [tmp_path])) == [
        "package torch: `current` is 2.11.0, and the newest release in facts/releases.yaml is 2.10.0",
        "package bitsandbytes: no releases of it are listed in facts/releases.yaml; run dev/releases.py",
    ]
    assert list(release_findings(catalog, [tmp_path / "nothing"])) == []
    assert list(release_findings(load(), SHIPPED_PACKS)) == []
