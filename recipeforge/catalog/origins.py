"""Who really speaks: claims that repeat each other's words, or cite one document by two addresses, are one origin.

Corroboration counts origins. A sentence copied to five hosts was said once, whatever names the hosts give it. Folded is what
names the same origin, what cites the same document (mirrors of code and model hosts count as the original, and another commit is
the same document), and what says the same words, apart from letter case, markup and damaged characters.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

from recipeforge.schemas.claim import Claim
from recipeforge.schemas.record import record

SHINGLE_WORDS = 3
"""Words of a run that is compared."""
COPY_WORDS = 8
"""Shorter quotes agree by chance, so their words alone prove no copy."""
LONG_WORDS = 12
"""Quotes from this length on may differ in a few words, as damaged copies do; a shorter one has to stand in the other as a whole."""
COPY_SHARE = 0.7
"""Share of the shorter quote's runs that the other one has too, from which it is a copy if it is long."""
_RAW_HOST = "raw.githubusercontent.com"
MIRRORS = {
    _RAW_HOST: "github.com",
    "www.github.com": "github.com",
    "hf-mirror.com": "huggingface.co",
    "www.huggingface.co": "huggingface.co",
    "hf.co": "huggingface.co",
    "export.arxiv.org": "arxiv.org",
    "www.arxiv.org": "arxiv.org",
    "ar5iv.org": "arxiv.org",
    "ar5iv.labs.arxiv.org": "arxiv.org",
}
"""Host that repeats another → that host."""
_WORD = re.compile(r"[a-z0-9]+|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_FILE = re.compile(r"^/([^/]+/[^/]+)/(?:blob|raw|tree|resolve)/(?:refs/heads/)?[^/]+/(.+)$")
_RAW_FILE = re.compile(r"^/([^/]+/[^/]+)/(?:refs/heads/)?[^/]+/(.+)$")
_PAPER = re.compile(r"^/(?:abs|pdf|html)/(.+?)(?:v\d+)?(?:\.pdf)?/?$")


@record
class Origins:
    """The independent origins behind some claims."""

    groups: tuple[tuple[Claim, ...], ...]
    """One group an origin, in the order of its first claim."""

    @property
    def count(self) -> int:
        """How many speak independently."""
        return len(self.groups)

    @property
    def folded(self) -> int:
        """How many origins by name turned out to be another one's copy."""
        return len({claim.origin.casefold() for group in self.groups for claim in group}) - self.count

    @property
    def names(self) -> tuple[str, ...]:
        """The origin of each group, as its first claim names it."""
        return tuple(group[0].origin for group in self.groups)


def origins_of(claims: Iterable[Claim]) -> Origins:
    """Return the independent origins of these claims; withdrawn ones do not count."""
    groups: list[list[Claim]] = []
    for claim in claims:
        if not claim.withdrawn:
            same = [group for group in groups if any(one_origin(claim, other) for other in group)]
            joined = [*(member for group in same for member in group), claim]
            groups = [joined if group is same[0] else group for group in groups if group not in same[1:]] if same else [*groups, joined]
    return Origins(tuple(tuple(group) for group in groups))


def one_origin(first: Claim, second: Claim) -> bool:
    """Return whether two claims are one voice."""
    return (
        first.origin.casefold() == second.origin.casefold()
        or document_of(first.url) == document_of(second.url)
        or same_words(first.quote, second.quote)
    )


def document_of(url: str) -> str:
    """Return the document behind an address: without scheme, mirror, commit, version, query and fragment."""
    parts = urlsplit(url)
    named, path = parts.netloc.casefold(), unquote(parts.path)
    host = MIRRORS.get(named, named)
    if host in ("github.com", "huggingface.co") and (found := (_RAW_FILE if named == _RAW_HOST else _FILE).match(path)):
        return f"{host}/{found[1].casefold()}:{found[2]}"
    if host == "arxiv.org" and (found := _PAPER.match(path)):
        return f"{host}/{found[1]}"
    return f"{host.removeprefix('www.')}{path.rstrip('/')}" + (f"?{parts.query}" if parts.query else "")


def same_words(first: str, second: str) -> bool:
    """Return whether one quote repeats the other."""
    words = sorted((words_of(first), words_of(second)), key=len)
    if len(words[0]) < COPY_WORDS:
        return False
    shorter, longer = (_runs(each) for each in words)
    return len(shorter & longer) >= (COPY_SHARE if len(words[0]) >= LONG_WORDS else 1) * len(shorter)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text without case, accents, markup and what a wrong encoding left; ideographs one by one."""
    bare = "".join(char for char in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(char))
    return tuple(_WORD.findall(unicodedata.normalize("NFC", bare)))


def copies(claims: Sequence[Claim]) -> list[tuple[Claim, Claim]]:
    """Return the pairs of claims under different origins that are one voice nevertheless."""
    standing = [claim for claim in claims if not claim.withdrawn]
    runs: dict[object, list[int]] = {}
    for index, claim in enumerate(standing):
        for key in {document_of(claim.url), *_runs(words_of(claim.quote))}:
            runs.setdefault(key, []).append(index)
    near = {(a, b) for found in runs.values() for i, a in enumerate(found) for b in found[i + 1 :]}
    pairs = [(standing[a], standing[b]) for a, b in sorted(near)]
    return [(a, b) for a, b in pairs if a.origin.casefold() != b.origin.casefold() and one_origin(a, b)]


def _runs(words: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset(words[i : i + SHINGLE_WORDS] for i in range(max(1, len(words) - SHINGLE_WORDS + 1)))
