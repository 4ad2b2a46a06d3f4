"""Whether the hub gives out a model, asked for a few hundred bytes before anything large is fetched."""

import os
import urllib.error
import urllib.request
from pathlib import Path

from recipeforge.runner.source import ModelSource, is_cached

_PATIENCE_S = 10.0


def hub_problem(model: ModelSource) -> tuple[str, str] | None:
    """Return message and help where the hub will not give the model out; `None` where it will, or it is here already."""
    if model.kind != "hub" or is_cached(model.written):
        return None
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    request = urllib.request.Request(f"{endpoint}/{model.written}/resolve/main/config.json", method="HEAD")
    if token := _token():
        request.add_header("Authorization", f"Bearer {token}")
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE_S).close()
    except urllib.error.HTTPError as error:
        return _refusal(model.written, error.code, endpoint, bool(token))
    except OSError as error:
        reason = getattr(error, "reason", error)
        message = f"`{model.written}` is not in the local hub cache, and {endpoint} cannot be reached: {reason}"
        return message, "Mend the connection, or name a folder that holds the model."
    return None


def _refusal(name: str, code: int, endpoint: str, has_token: bool) -> tuple[str, str] | None:
    if code in (401, 403):
        needs = "your token has no access to it" if has_token else "it wants a token, and there is none here"
        return f"{endpoint} does not give `{name}` out: {needs}, or there is no such model", (
            f"Ask for access at {endpoint}/{name}, then `hf auth login`, or set HF_TOKEN."
        )
    if code == 404:
        return f"{endpoint} has no `{name}` with a config.json", "Look at its spelling; GGUF files alone are not fetched."
    return None  # it is there, and may have more luck with a whole download


def _token() -> str:
    if token := os.environ.get("HF_TOKEN"):
        return token
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    try:
        return (home / "token").read_text().strip()
    except OSError:
        return ""
