"""Copies and mirrors are one origin; independent voices are not folded."""

import dataclasses

import pytest

from recipeforge.catalog.compile import compile_packs
from recipeforge.catalog.load import SHIPPED_PACKS
from recipeforge.catalog.origins import copies, document_of, origins_of, same_words
from recipeforge.catalog.tiers import tier_of
from recipeforge.schemas.claim import Claim

LONG = "Quantized training only works together with an adapter, since the frozen weights cannot take a gradient step."


def claim(origin: str, quote: str = "q", url: str = "", kind: str = "blog", id_: str = "EV-0001") -> Claim:
    return Claim(id_, quote, url or f"https://{origin}.example/{id_}", kind, origin, "2026-11-21", "0")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://github.com/a/b/blob/0123/docs/x.md", "https://raw.githubusercontent.com/A/b/main/docs/x.md"),
        ("https://github.com/a/b/blob/0123/docs/x.md#L7", "https://github.com/a/b/blob/4567/docs/x.md"),
        ("https://huggingface.co/q/m/resolve/main/README.md", "https://hf-mirror.com/q/m/blob/abc/README.md"),
        ("https://arxiv.org/abs/2305.14314", "https://www.arxiv.org/pdf/2305.14314v2"),
        ("https://www.example.org/page/", "http://example.org/page"),
    ],
)
def test_addresses_of_one_document(first, second):
    assert document_of(first) == document_of(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://github.com/a/b/blob/0123/docs/x.md", "https://github.com/a/c/blob/0123/docs/x.md"),
        ("https://huggingface.co/docs/trl/training/x", "https://huggingface.co/docs/trl/inference/x"),
        ("https://github.com/a/b/issues/1", "https://github.com/a/b/issues/2"),
        ("https://example.org/?p=1", "https://example.org/?p=2"),
    ],
)
def test_addresses_of_two_documents(first, second):
    assert document_of(first) != document_of(second)


@pytest.mark.parametrize(
    "copy",
    [
        LONG.upper(),
        LONG.replace("adapter", "**adapter**").replace(" ", "\n"),
        LONG.replace(", since", "â€™ since"),
        f"As we know: {LONG} So beware!",
        LONG.rsplit(",", 1)[0],
    ],
)
def test_the_same_words_are_a_copy_whatever_markup_and_encoding_did(copy):
    assert same_words(LONG, copy)


@pytest.mark.parametrize("other", ["Adapters are what a quantized base needs, because its own weights stay frozen all the time.", "q", ""])
def test_other_words_are_no_copy(other):
    assert not same_words(LONG, other)


def test_short_words_agree_by_chance():
    assert not same_words("bf16 is not supported", "bf16 is not supported")
    said = "generation_batch_size ({self.generation_batch_size}) must be divisible by num_generations"
    assert not same_words("GRPO: generation batch size must be divisible by", said)


def test_a_short_quote_that_stands_in_another_as_a_whole_is_a_copy():
    said = "Triton only supports devices of CUDA Capability >= 7.0, but your device is of CUDA capability 6.0"
    assert same_words("Triton only supports devices of CUDA Capability >= 7.0, ", said)


def test_ideographs_count_one_by_one():
    quote = "该方法使用4比特量化模型以及分页注意力等技术实现更小的显存开销"
    assert same_words(quote, f"注意：{quote}。") and not same_words(quote, "量化模型的显存开销更小")


def test_origins_fold_and_say_how_many():
    found = origins_of([claim("a", LONG), claim("b", "Something else entirely, in words of its own."), claim("c", LONG)])
    assert (found.count, found.folded, found.names) == (2, 1, ("a", "b"))


def test_a_claim_between_two_groups_joins_them():
    first, second = claim("a", url="https://x.org/1"), claim("b", url="https://x.org/2")
    found = origins_of([first, second, claim("a", url="https://x.org/2")])
    assert (found.count, found.folded) == (1, 1)


def test_withdrawn_claims_are_no_origin():
    assert origins_of([dataclasses.replace(claim("a"), withdrawn="gone"), claim("b")]).names == ("b",)


def test_a_copy_at_another_host_does_not_lift_the_tier():
    assert tier_of([claim("a", LONG), claim("farm", LONG.replace("adapter", "Adapter"))]) == "T3"
    assert tier_of([claim("a", LONG), claim("b", "Gradients do not flow into four-bit blocks, so something small trains beside.")]) == "T2"


def test_copies_lists_each_pair_once():
    pairs = copies([claim("a", LONG), claim("b", "z"), claim("c", LONG, id_="EV-0003"), claim("a", LONG, id_="EV-0004")])
    assert [(x.origin, y.origin) for x, y in pairs] == [("a", "c"), ("c", "a")]


def test_shipped_origins_that_repeat_each_other_are_few():
    claims = list(compile_packs(SHIPPED_PACKS).claims.values())
    assert len(claims) >= 300
    assert len(copies(claims)) <= len(claims) // 100
