"""Evidence is verified against stored texts, and against the sources themselves where clones are at hand."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from recipeforge.catalog.load import forget
from recipeforge.catalog.quotes import sha256_of
from recipeforge.catalog.sources import Clones, FileAt, file_as_written, file_of_url
from recipeforge.cli import main

SOURCE = "Abstract.\nQLoRA freezes a 4-bit\n  base and trains adapters.\nThe end.\n"


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Path, str]:
    """A folder of bare clones with one repository, and its commit."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "a doc.md").write_text(SOURCE, encoding="utf-8")
    git = ["git", "-C", str(work), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for step in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *step], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(tmp_path / "clones/acme+docs")], check=True)
    return tmp_path / "clones", commit


@pytest.fixture
def pinned(cited_pack: Path, clones: tuple[Path, str]) -> Path:
    """The cited pack, its claim pinned to the clone."""
    file = cited_pack / "claims/qlora.yaml"
    file.write_text(file.read_text().replace("https://example.org/qlora", FileAt("acme/docs", clones[1], "a doc.md").url))
    return cited_pack


def verify(*args: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    forget()
    code = main.outcome(["evidence", "verify", *map(str, args)])
    told = capsys.readouterr()
    assert not told.err
    return code, told.out


def told_json(*args: object, capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(verify(*args, "--format", "json", capsys=capsys)[1])


def test_a_sound_pack(cited_pack, capsys):
    code, out = verify("--pack", cited_pack, "--catalog", "--rules", capsys=capsys)
    assert code == 0
    for text in ("1 of 1 found", "1 excerpts as they were cited", "T2 1", "0 pairs of claims folded", "0 of 1 rules (0 %)"):
        assert text in out
    assert "RF1001  T2  1 origin   example" in out


def test_a_quote_that_is_not_in_its_excerpt(cited_pack, capsys):
    text = "QLoRA freezes an 8-bit base.\n"
    (cited_pack / "excerpts/EV-0001.txt").write_text(text)
    told = told_json("--pack", cited_pack, capsys=capsys)
    assert (told["quotes_found"], told["hashes_right"]) == (0, 0) and len(told["problems"]) == 2
    claims = cited_pack / "claims/qlora.yaml"
    claims.write_text(
        "\n".join(line if "sha256" not in line else f"  excerpt_sha256: {sha256_of(text)}" for line in claims.read_text().splitlines())
    )
    told = told_json("--pack", cited_pack, capsys=capsys)
    assert (told["quotes_found"], told["hashes_right"]) == (0, 1)
    assert verify("--pack", cited_pack, capsys=capsys)[0] == 1


def test_an_id_that_nobody_wrote(cited_pack, capsys):
    rules = cited_pack / "rules/qlora.yaml"
    rules.write_text(rules.read_text().replace("[EV-0001]", "[EV-0001, EV-0404]"))
    told = told_json("--pack", cited_pack, capsys=capsys)
    assert told["dangling"] == 1 and told["problems"] == ["RF1001: evidence EV-0404 is no claim"]


def test_mirrors_are_folded_and_counted(cited_pack, capsys):
    claims, rules = cited_pack / "claims/qlora.yaml", cited_pack / "rules/qlora.yaml"
    mirrored = claims.read_text().replace("EV-0001", "EV-0002").replace("origin: example", "origin: farm")
    claims.write_text(claims.read_text() + mirrored.replace("example.org", "www.example.org"))
    rules.write_text(rules.read_text().replace("[EV-0001]", "[EV-0001, EV-0002]"))
    shutil.copy(cited_pack / "excerpts/EV-0001.txt", cited_pack / "excerpts/EV-0002.txt")
    told = told_json("--pack", cited_pack, capsys=capsys)
    assert told["problems"] == []
    assert (told["origins"], told["folded"], told["rules_with_two_origins"]) == (2, 1, 0)
    assert told["rules"]["RF1001"] == {"tier": "T2", "origins": ["example"], "folded": 1}


def test_the_source_itself_is_asked(pinned, clones, capsys):
    (pinned / "excerpts/EV-0001.txt").read_text()
    code, out = verify("--pack", pinned, "--refetch", clones[0], capsys=capsys)
    assert code == 0
    assert "1 say quote and excerpt at the commit cited, 0 do not" in out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda pack: _quote(pack, "QLoRA freezes an 8-bit base"), "the source does not contain the quote"),
        (lambda pack: _excerpt(pack, "They say: QLoRA freezes a 4-bit base.\n"), "the source does not contain the stored excerpt"),
    ],
)
def test_what_the_source_does_not_say_is_found(change, says, pinned, clones, capsys):
    change(pinned)
    told = told_json("--pack", pinned, "--refetch", clones[0], capsys=capsys)["refetched"]
    assert told["same"] == 0 and says in told["problems"][0]
    assert verify("--pack", pinned, "--refetch", clones[0], capsys=capsys)[0] == 1


def _quote(pack: Path, text: str) -> None:
    file = pack / "claims/qlora.yaml"
    file.write_text(file.read_text().replace("QLoRA freezes a 4-bit base", text))


def _excerpt(pack: Path, text: str) -> None:
    (pack / "excerpts/EV-0001.txt").write_text(text)


def test_what_cannot_be_looked_up_is_counted_and_no_finding(cited_pack, pinned, clones, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert told_json("--pack", pinned, "--refetch", tmp_path / "empty", capsys=capsys)["refetched"]["no_clone"] == 1
    file = cited_pack / "claims/qlora.yaml"
    file.write_text(file.read_text().replace(clones[1], "0" * 40))
    assert told_json("--pack", pinned, "--refetch", clones[0], capsys=capsys)["refetched"]["no_clone"] == 1
    file.write_text(file.read_text().replace("github.com", "example.org"))
    assert told_json("--pack", pinned, "--refetch", clones[0], capsys=capsys)["refetched"]["elsewhere"] == 1


def test_clones_answer_one_file_after_another(clones):
    folder, commit = clones
    with Clones(folder) as held:
        assert held.holds("acme/docs") and not held.holds("acme/other")
        assert held.text(FileAt("acme/docs", commit, "gone.md")) is None
        assert held.text(FileAt("acme/docs", commit, "")) is None  # a folder
        assert held.text(FileAt("acme/docs", commit, "a doc.md")) == SOURCE
        assert held.text(FileAt("acme/other", commit, "a doc.md")) is None


def test_addresses_and_notations_of_files():
    commit = "a" * 40
    assert file_of_url(f"https://github.com/a/b/blob/{commit}/x%20y.md#L3") == FileAt("a/b", commit, "x y.md")
    assert file_of_url("https://github.com/a/b/blob/main/x.md") is None
    assert file_as_written(f"git:a/b@{commit}:docs/x.md") == FileAt("a/b", commit, "docs/x.md")
    assert file_as_written("file:x.md") is None
