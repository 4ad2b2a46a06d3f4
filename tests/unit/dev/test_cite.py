"""The citation tool: what is in the source becomes a claim with its excerpt, what is not is refused."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TOOL = Path(__file__).parents[3] / "dev/cite.py"
SOURCE = "first line\nQuantization is only\n    compatible with adapters.\nlast line\n"


@pytest.fixture
def repos(tmp_path: Path) -> tuple[Path, str]:
    """A folder of bare clones with one repository, and its commit."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "doc.md").write_text(SOURCE, encoding="utf-8")
    git = ["git", "-C", str(work), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    bare = tmp_path / "repos/acme+docs/repo"
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
    return tmp_path / "repos", commit


def cite(tmp_path: Path, repos: Path, requests: list[dict]) -> tuple[subprocess.CompletedProcess, list[dict]]:
    """Run the tool; return its outcome and the claims it wrote."""
    asked, claims = tmp_path / "requests.yaml", tmp_path / "claims/topic.yaml"
    asked.write_text(yaml.safe_dump(requests), encoding="utf-8")
    command = [
        sys.executable,
        str(TOOL),
        str(asked),
        "--claims",
        str(claims),
        "--excerpts",
        str(tmp_path / "excerpts"),
        "--repos",
        str(repos),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done, yaml.safe_load(claims.read_text(encoding="utf-8")) if claims.exists() else []


def request(commit: str, quote: str) -> dict:
    return {"id": "EV-9001", "quote": quote, "source": f"git:acme/docs@{commit}:doc.md", "kind": "docs", "origin": "acme"}


def test_a_quote_across_lines_is_found_and_pinned(tmp_path, repos):
    folder, commit = repos
    done, claims = cite(tmp_path, folder, [request(commit, "Quantization is only compatible with adapters.")])
    assert done.returncode == 0, done.stdout
    assert claims[0]["url"] == f"https://github.com/acme/docs/blob/{commit}/doc.md"
    excerpt = (tmp_path / "excerpts/EV-9001.txt").read_text(encoding="utf-8")
    assert "compatible with adapters." in excerpt


@pytest.mark.parametrize("quote", ["Quantization is compatible with adapters.", "x" * 301])
def test_what_the_source_does_not_say_is_refused(tmp_path, repos, quote):
    folder, commit = repos
    done, claims = cite(tmp_path, folder, [request(commit, quote)])
    assert done.returncode == 1
    assert claims == []
    assert "EV-9001" in done.stdout


def test_a_file_needs_an_address(tmp_path, repos):
    folder, _ = repos
    local = tmp_path / "local.txt"
    local.write_text(SOURCE, encoding="utf-8")
    asked = {"id": "EV-9002", "quote": "first line", "source": f"file:{local}", "kind": "docs", "origin": "acme"}
    done, claims = cite(tmp_path, folder, [asked])
    assert done.returncode == 1
    assert claims == []
    done, claims = cite(tmp_path, folder, [asked | {"url": "https://example.org/doc"}])
    assert done.returncode == 0
    assert claims[0]["url"] == "https://example.org/doc"
