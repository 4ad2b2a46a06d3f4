"""`catalog stats`, `show` and `new`: counts that add up, one thing in full, and entries that load as they were asked for."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from recipeforge import __version__
from recipeforge.catalog.compile import compile_packs
from recipeforge.catalog.lint import lint
from recipeforge.catalog.load import SHIPPED_PACKS, load
from recipeforge.cli import main

BAD = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: vera\nprecision: bf16\noptimizer: sgd\n"
GOOD = BAD.replace("sgd", "adamw")
SOURCE = "VeRA:\n  its shared matrices\n  do not train with SGD.\nEnd.\n"
QUOTE = "its shared matrices do not train with SGD."
RULE = [
    "--family",
    "RF1",
    "--topic",
    "adapters",
    "--slug",
    "vera-with-sgd",
    "--severity",
    "error",
    "--message",
    "VeRA is not for {optimizer}",
]
RULE += ["--why", "Because: of 'this' and that.", "--when", "{technique: vera}", "--forbid", "{optimizer: sgd}"]

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*args: object) -> tuple[int, str]:
        code = main.outcome(["catalog", *map(str, args)])
        told = capsys.readouterr()
        return code, told.out + told.err

    return command


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED_PACKS[0], tmp_path / "core"))


@pytest.fixture
def claim(tmp_path: Path, pack: Path) -> list[object]:
    (tmp_path / "source.txt").write_text(SOURCE)
    where = ["--source", f"file:{tmp_path / 'source.txt'}", "--url", "https://example.org/vera", "--kind", "docs", "--origin", "example"]
    return ["new", "claim", "--pack", pack, "--topic", "adapters", "--quote", QUOTE, *where]


@pytest.fixture
def example(tmp_path: Path) -> list[object]:
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "good.yaml").write_text(GOOD)
    return ["--bad", tmp_path / "bad.yaml", "--good", tmp_path / "good.yaml"]


def asked(change: Mapping[str, str | None]) -> list[str]:
    """Return the rule's options with some changed, or left out."""
    options = dict(zip(RULE[::2], RULE[1::2], strict=True)) | change
    return [word for name, value in options.items() if value is not None for word in (name, value)]


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_counts_add_up(run: Run) -> None:
    told = json.loads(run("stats", "--format", "json")[1])
    catalog = load()
    for kind in ("components", "rules", "claims", "gpus", "models"):
        assert told[kind] == len(getattr(catalog, kind))
    assert sum(told["by_slot"].values()) == told["components"]
    assert sum(told["by_family"].values()) == sum(told["by_tier"].values()) == told["rules"]
    assert sum(told["by_language"].values()) == sum(told["by_origin"].values()) == told["claims"]
    assert set(told["by_slot"]) == set(catalog.slots) and set(told["by_tier"]) <= {"T1", "T2", "T3"}
    assert 0 < told["rules_with_two_origins"] < told["rules_with_evidence"] < told["rules"]
    assert told["share_with_two_origins"] == round(told["rules_with_two_origins"] / told["rules_with_evidence"], 3)


def test_counts_as_text(run: Run) -> None:
    code, out = run("stats")
    assert code == 0 and "by slot" in out and "two origins" in out
    assert all(len(line) <= 100 for line in out.splitlines())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("RF1001", ("Forbids", "rules/adapters.yaml:", "slug: qlora-without-4bit-base")),
        ("qlora-without-4bit-base", ("- code: RF1001",)),
        ("QLoRA", ("Goes into `technique`", "components/technique.yaml:", "- id: qlora")),
        ("nf4", ("- id: bnb-4bit",)),
        ("EV-0003", ("Cited by RF1001", "Excerpt", "excerpts/EV-0003.txt")),
        ("optimizer", ("slots.yaml:",)),
        ("batch.micro", ("knobs.yaml:",)),
        ("RTX 4090", ("facts/gpus.yaml:", "- id: rtx-4090")),
    ],
)
def test_one_thing_in_full(name: str, says: tuple[str, ...], run: Run) -> None:
    code, out = run("show", name)
    assert code == 0
    for text in says:
        assert text in out


def test_a_list_of_claims(run: Run) -> None:
    assert "EV-0001  axolotl: Require cfg" in run("show", "claims")[1]


def test_a_name_of_nothing(run: Run) -> None:
    code, out = run("show", "qloar")
    assert code == 2 and "did you mean `qlora`" in out


def test_from_a_quote_to_a_rule_that_the_linter_accepts(run: Run, pack: Path, claim: list[object], example: list[object]) -> None:
    code, out = run(*claim)
    id_ = out.split()[0]
    assert code == 0 and f"--evidence {id_}" in out
    fix = "{title: Use AdamW, safety: unsafe, changes: [{replace: {sgd: adamw}}]}"
    code, out = run("new", "rule", "--pack", pack, *RULE, "--evidence", id_, "--fix", fix, *example)
    assert code == 0 and "its example does what it should" in out and "tests/rules -k vera-with-sgd" in out
    catalog = compile_packs([pack])
    rule = catalog.rule_by_slug("vera-with-sgd")
    assert rule is not None and rule.code.startswith("RF10")
    assert (rule.tier, rule.since, rule.why) == ("T2", __version__, "Because: of 'this' and that.")
    assert rule.fixes[0].title == "Use AdamW" and rule.example is not None and rule.example.bad == BAD
    assert [finding for finding in lint(catalog, [pack]) if id_ in finding or rule.code in finding] == []


def test_what_is_not_given_stays_out_and_is_said(run: Run, pack: Path) -> None:
    code, out = run("new", "rule", "--pack", pack, *RULE)
    assert code == 1 and "no example yet" in out and "no evidence yet" in out
    rule = compile_packs([pack]).rule_by_slug("vera-with-sgd")
    assert rule is not None and rule.example is None and rule.fixes == () and rule.scope == {}


def test_codes_follow_the_topic_or_open_a_block(run: Run, pack: Path) -> None:
    taken = set(compile_packs([pack]).rules)
    for number, topic in enumerate(("adapters", "adapters", "vera")):
        run("new", "rule", "--pack", pack, *asked({"--topic": topic, "--slug": f"vera-with-sgd-{number}"}))
        new = sorted(set(compile_packs([pack]).rules) - taken)
        taken |= set(new)
        assert len(new) == 1
        if topic == "vera":
            assert new[0].endswith(("01", "51"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--slug": "qlora-without-4bit-base"}, "the slug is taken by RF1001"),
        ({"--slug": "VeRA"}, "not lower-case words"),
        ({"--when": "{tecnique: vera}"}, "tecnique"),
        ({"--when": "{technique: vera"}, "not valid YAML"),
        ({"--forbid": None}, "exactly one of --require and --forbid"),
        ({"--require": "{optimizer: adamw}"}, "exactly one of --require and --forbid"),
        ({"--evidence": "EV-9999"}, "no claim is called EV-9999"),
        ({"--family": "RF0"}, "RF0"),
        ({"--bad": "bad.yaml"}, "bad"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_written(change: dict[str, str | None], says: str, run: Run, pack: Path) -> None:
    before = files(pack)
    code, out = run("new", "rule", "--pack", pack, *asked(change))
    assert code == 2 and says in out
    assert files(pack) == before


def test_an_example_that_does_not_show_the_rule_is_said(run: Run, pack: Path, example: list[object]) -> None:
    code, out = run("new", "rule", "--pack", pack, *RULE, "--bad", example[3], "--good", example[1])
    assert code == 1
    assert "its bad recipe is not reported by it" in out and "its good recipe is reported by vera-with-sgd" in out


def test_a_quote_that_is_not_there_or_was_cited_before_is_refused(run: Run, pack: Path, claim: list[object]) -> None:
    before = files(pack)
    code, out = run(*(word if word != QUOTE else "It trains with SGD." for word in claim))
    assert code == 2 and "not found verbatim" in out and files(pack) == before
    assert run(*claim)[0] == 0
    code, out = run(*claim)
    assert code == 2 and "quotes these words of this document already" in out


def test_a_claim_from_a_clone(run: Run, pack: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "vera.md").write_text(SOURCE)
    git = ["git", "-C", str(work), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for step in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *step], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(tmp_path / "clones/acme+docs")], check=True)
    asked = ["new", "claim", "--pack", pack, "--topic", "adapters", "--quote", QUOTE, "--kind", "docs", "--origin", "acme"]
    code, out = run(*asked, "--source", f"git:acme/docs@{commit}:vera.md", "--repos", tmp_path / "clones")
    assert code == 0
    made = compile_packs([pack]).claims[out.split()[0]]
    assert (made.url, made.title) == (f"https://github.com/acme/docs/blob/{commit}/vera.md", "vera.md")
    assert run(*asked, "--source", f"git:acme/docs@{commit}:gone.md", "--repos", tmp_path / "clones")[0] == 2


def test_a_component_in_the_file_of_its_slot(run: Run, pack: Path) -> None:
    words = ["--id", "new-adam", "--title", "NewAdam", "--description", "An Adam: newer, of course.", "--url", "https://example.org"]
    code, out = run("new", "component", "--pack", pack, "--slot", "optimizer", *words, "--alias", "new_adam", "--tag", "adam-family")
    assert code == 0 and "components/optimizer.yaml" in out
    made = compile_packs([pack]).components["new-adam"]
    assert (made.slot, made.description, made.aliases) == ("optimizer", "An Adam: newer, of course.", ("new_adam",))
    before = files(pack)
    for wrong, says in (
        (["--slot", "optimizer", *words], "'new-adam' already means new-adam"),
        (["--slot", "optimizer", *words, "--id", "fresh", "--alias", "AdamW"], "'AdamW' already means adamw"),
        (["--slot", "optimiser", *words], "did you mean 'optimizer'"),
    ):
        code, out = run("new", "component", "--pack", pack, *wrong)
        assert code == 2 and says in out
    assert files(pack) == before


def test_a_pack_of_ones_own_may_be_empty(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    run("new", "rule", "--pack", tmp_path / "own", *RULE)
    (made,) = yaml.safe_load((tmp_path / "own/rules/adapters.yaml").read_text())
    assert made["code"] not in load().rules
    assert made["slug"] == "vera-with-sgd"
