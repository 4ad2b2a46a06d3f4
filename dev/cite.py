"""Turn requests for citations into claims with stored excerpts, refusing every quote that its source does not contain.

Input: YAML, a list of requests:

    - id: EV-0001
      quote: "Quantization is only compatible with the LoRA or OFT method."
      source: git:hiyouga/LLaMA-Factory@ff6d4d1…:src/llamafactory/hparams/parser.py   # or file:PATH
      url: …            # required for file:, derived for git:
      kind: source-code
      origin: llama-factory
      title: …          # optional, as are language, speaks_for

Usage:
    python dev/cite.py REQUESTS.yaml --claims PACK/claims/TOPIC.yaml --excerpts PACK/excerpts --repos DIR [--date 2026-11-21]

`--repos DIR` holds bare clones as DIR/owner+name/repo. Output files are rewritten whole, sorted by id.
"""

import argparse
import datetime
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from recipeforge.catalog.quotes import MAX_QUOTE_CHARS, excerpt_around, sha256_of


def source_text(source: str, repos: Path) -> tuple[str, str]:
    """Return (text, url) of a `git:` or `file:` source."""
    if source.startswith("file:"):
        return Path(source[5:]).read_text(encoding="utf-8"), ""
    repo, _, rest = source.removeprefix("git:").partition("@")
    commit, _, path = rest.partition(":")
    git_dir = repos / repo.replace("/", "+") / "repo"
    shown = subprocess.run(["git", "--git-dir", str(git_dir), "show", f"{commit}:{path}"], capture_output=True, check=False)
    if shown.returncode:
        sys.exit(f"{source}: {shown.stderr.decode().strip()}")
    return shown.stdout.decode("utf-8", errors="replace"), f"https://github.com/{repo}/blob/{commit}/{path}"


def make_claim(request: dict[str, Any], repos: Path, excerpts: Path, date: str) -> dict[str, Any] | str:
    """Return the claim, its excerpt written; or what is wrong with the request."""
    quote = str(request["quote"])
    if len(quote) > MAX_QUOTE_CHARS:
        return f"{request['id']}: quote has {len(quote)} characters, at most {MAX_QUOTE_CHARS}"
    text, url = source_text(str(request["source"]), repos)
    excerpt = excerpt_around(quote, text)
    if excerpt is None:
        return f"{request['id']}: not found verbatim in {request['source']}: {quote!r}"
    url = str(request.get("url") or url)
    if not url:
        return f"{request['id']}: a file: source needs a url"
    (excerpts / f"{request['id']}.txt").write_text(excerpt, encoding="utf-8")
    claim: dict[str, Any] = {"id": request["id"], "quote": quote, "url": url, "kind": request["kind"], "origin": request["origin"]}
    claim |= {"retrieved": date, "excerpt_sha256": sha256_of(excerpt)}
    claim |= {key: request[key] for key in ("language", "title", "speaks_for") if request.get(key)}
    return claim


def main() -> int:
    """Write the claims file and the excerpts; exit 1 when any quote was refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requests", type=Path)
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--excerpts", type=Path, required=True)
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    args = parser.parse_args()
    args.excerpts.mkdir(parents=True, exist_ok=True)
    args.claims.parent.mkdir(parents=True, exist_ok=True)
    results = [make_claim(r, args.repos, args.excerpts, args.date) for r in yaml.safe_load(args.requests.read_text(encoding="utf-8"))]
    refused = [r for r in results if isinstance(r, str)]
    claims = sorted((r for r in results if not isinstance(r, str)), key=lambda claim: str(claim["id"]))
    args.claims.write_text(yaml.safe_dump(claims, sort_keys=False, allow_unicode=True, width=140), encoding="utf-8")
    print(f"{len(claims)} claims written, {len(refused)} refused", *refused, sep="\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
