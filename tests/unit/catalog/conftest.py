"""A small pack of the shipped vocabulary, and ways to write rules into it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recipeforge.catalog.compile import compile_packs
from recipeforge.catalog.conditions import Vocabulary
from recipeforge.catalog.load import SHIPPED_PACKS, forget
from recipeforge.schemas.catalog import Catalog

CLAIM = """\
- id: EV-0001
  quote: QLoRA freezes a 4-bit base
  url: https://example.org/qlora
  kind: docs
  origin: example
  retrieved: 2026-11-21
  excerpt_sha256: {hash}
"""

RULE = """\
- code: RF1001
  slug: qlora-without-4bit-base
  severity: error
  message: QLoRA needs a 4-bit base, not {quantization}
  why: The base is stored in 4 bits.
  when: {technique: qlora}
  require: {quantization: {tag: 4-bit}}
  evidence: [EV-0001]
  fixes:
    - {title: Add bnb 4-bit, safety: safe, changes: [{add: bnb-4bit}]}
  example:
    bad: |
      recipeforge: 1
      model: m
      technique: qlora
    good: |
      recipeforge: 1
      model: m
      technique: qlora
      quantization: bnb-4bit
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """Keep tests away from the user's cache and from each other's."""
    monkeypatch.setenv("RECIPEFORGE_CACHE", str(tmp_path_factory.mktemp("cache")))
    forget()
    yield
    forget()


@pytest.fixture(scope="session")
def words_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of slots, knobs and components alone."""
    pack = tmp_path_factory.mktemp("pack")
    for name in ("slots.yaml", "knobs.yaml"):
        shutil.copy(SHIPPED_PACKS[0] / name, pack)
    shutil.copytree(SHIPPED_PACKS[0] / "components", pack / "components")
    return pack


@pytest.fixture(scope="session")
def words(words_dir: Path) -> Catalog:
    return compile_packs([words_dir])


@pytest.fixture(scope="session")
def vocabulary(words: Catalog) -> Vocabulary:
    return Vocabulary(words.slots, words.knobs, words.components)


@pytest.fixture
def pack(tmp_path: Path, words_dir: Path) -> Path:
    """A pack that a test may write into."""
    target = tmp_path / "pack"
    shutil.copytree(words_dir, target)
    return target


@pytest.fixture
def write(pack: Path) -> Callable[[str, str], Path]:
    """Write a file of the pack."""

    def write_file(name: str, text: str) -> Path:
        path = pack / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def cited_pack(pack: Path, write: Callable[[str, str], Path]) -> Path:
    """A pack with one rule, its claim and its excerpt, in which nothing is wrong."""
    from recipeforge.catalog.quotes import sha256_of

    excerpt = "Abstract.\nQLoRA freezes a 4-bit\n  base and trains adapters.\n"
    write("excerpts/EV-0001.txt", excerpt)
    write("claims/qlora.yaml", CLAIM.format(hash=sha256_of(excerpt)))
    write("rules/qlora.yaml", RULE)
    return pack
