"""What is looked at before the model is loaded: rows by the model's tokenizer, room, and whether the hub gives the model out."""

import http.server
import json
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from recipeforge.runner import preflight, reach, room
from recipeforge.runner.preflight import lookable, problems, told_by_the_child
from recipeforge.runner.source import ModelSource
from recipeforge.schemas.errors import RunError

GIB = 2**30
ADAPTER = {"weights": 4 * GIB, "adapter": GIB, "optimizer": 2 * GIB}


def write(path: Path, *records: dict[str, str]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


# -- rows and tokenizer ---------------------------------------------------------------------------------------------


def test_rows_without_anything_to_learn_stop_it_before_the_model_is_loaded(train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr("recipeforge.runner.train.load_base", lambda *a: pytest.fail("the model was loaded"))
    write(tmp_path / "talk.jsonl", *[{"prompt": "long " * 30, "completion": "yes"}] * 9, {"prompt": "short", "completion": "yes"})
    data = "{source: talk.jsonl, format: instruct, sequence_length: 64}"
    with pytest.raises(RunError, match="9 of 10 rows have nothing to learn from within 64 tokens: their prompts alone are longer"):
        train(data=data, objective="{use: sft, completion_only: true}")
    (tmp_path / "talk.jsonl").write_text(json.dumps({"prompt": "long " * 30, "completion": "yes"}) + "\n")
    with pytest.raises(RunError, match="none of 1 rows has a token to learn from"):
        train(data=data, objective="{use: sft, completion_only: true}")


def test_a_tokenizer_of_another_model_is_told(train, tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from transformers import LlamaForCausalLM

    folder = tmp_path / "small"
    shutil.copytree(tiny_model, folder)
    model = LlamaForCausalLM.from_pretrained(folder)
    model.resize_token_embeddings(50)
    model.save_pretrained(folder)
    with pytest.raises(RunError, match=r"makes token \d+, and the model knows 50 tokens \(0 to 49\)"):
        train(model=str(folder))


def test_much_that_is_cut_and_little_data_are_noted(train) -> None:
    pytest.importorskip("torch")
    heard, _, _ = train(data="{source: rows.jsonl, format: text, sequence_length: 16}", batch="{micro: 100}", train="{steps: 1}")
    notes = [f["text"] for f in heard.of("note")]
    assert any("rows are longer than 16 tokens and were cut; the longest has" in note for note in notes), notes
    assert "all rows together make 60 sequences, fewer than one micro-batch of 100" in notes


def test_positions_that_a_model_has_not(train, tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path / "gpt"
    shutil.copytree(tiny_model, folder, ignore=shutil.ignore_patterns("*.safetensors", "config.json"))
    GPT2LMHeadModel(GPT2Config(vocab_size=257, n_positions=20, n_embd=32, n_layer=1, n_head=2)).save_pretrained(folder)
    with pytest.raises(RunError, match=r"rows have up to \d+ tokens, and .* was made for 20"):
        train(model=str(folder))


def test_a_process_of_its_own_looks_for_a_dry_run(make, recipe, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from recipeforge.runner.run_child import look

    write(tmp_path / "talk.jsonl", {"prompt": "long " * 30, "completion": "yes"})
    data = "{source: talk.jsonl, format: instruct, sequence_length: 64}"
    made = make(recipe(data=data, objective="{use: sft, completion_only: true}"))
    heard = []
    look(made.plan, heard.append)
    (found,) = [told_by_the_child(m.fields, made.loadout) for m in heard if m.kind == "problem"]
    assert found.slug == "nothing-to-learn"
    assert made.text.splitlines()[found.primary.span.start.line].startswith("data:")
    assert heard[-1].kind == "end"


def test_only_what_is_here_is_looked_at(make, recipe) -> None:
    made = make(recipe())
    assert lookable(made.plan, ())
    gone = make(recipe(data="{source: gone.jsonl, format: text}"))
    assert not lookable(gone.plan, problems(gone.plan, gone.loadout))
    odd = make(recipe(hardware="{gpu: cpu, count: 2}"))
    assert lookable(odd.plan, problems(odd.plan, odd.loadout))


# -- room -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("train", "wanted"),
    [("{steps: 100, save_every: 10}", 11), ("{steps: 5, save_every: 10}", 2), ("{steps: 100}", 3), ("{epochs: 2, save_every: 5}", 3)],
)
def test_how_many_checkpoints_lie_there_at_once(make, recipe, train: str, wanted: int) -> None:
    files = room.files_of(make(recipe(train=train)).plan, ADAPTER)
    assert files is not None
    assert (files.result, files.checkpoint, files.checkpoints) == (GIB, 4 * GIB, wanted)
    whole = room.files_of(make(recipe(technique="full", train=train)).plan, ADAPTER)
    assert whole is not None
    assert (whole.result, whole.checkpoint) == (4 * GIB, 6 * GIB)


def test_a_disk_without_room_is_told(make, recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(recipe(train="{steps: 100, save_every: 10}"))
    monkeypatch.setattr(room.shutil, "disk_usage", lambda place: SimpleNamespace(free=10 * GIB))
    (found,) = problems(made.plan, made.loadout, terms=ADAPTER)
    assert found.slug == "disk-too-full"
    assert "about 45.1 GiB (the result 1.0, 11 checkpoints of 4.0 each), and 10.0 GiB are free" in found.message
    assert "--save-every" in found.help
    assert problems(made.plan, made.loadout) == ()  # where sizes are not known there is nothing to say


def test_main_memory_that_others_fill_is_told(make, recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_memory", lambda: 3 * GIB)
    made = make(recipe())
    assert [d.slug for d in problems(made.plan, made.loadout, 4 * GIB)] == ["memory-in-use"]
    assert problems(made.plan, made.loadout, 2 * GIB) == ()
    monkeypatch.setattr(room, "free_memory", lambda: None)
    assert problems(made.plan, made.loadout, 4 * GIB) == ()


def test_the_systems_free_memory_is_read() -> None:
    free = room.free_memory()
    assert free is None or 2**20 < free < 2**50


# -- the hub --------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A hub of our own on this machine, which answers by the owner's name and remembers what it was asked."""
    asked: list[tuple[str, str]] = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append((self.path, self.headers.get("Authorization", "")))
            owner = self.path.split("/")[1]
            self.send_response(int(owner) if owner.isdigit() else 200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("HF_TOKEN", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("open/model", None),
        ("401/model", "it wants a token, and there is none here"),
        ("403/model", "it wants a token"),
        ("404/model", "has no `404/model`"),
        ("500/model", None),
    ],
)
def test_the_hub_is_asked_before_anything_is_fetched(hub, name: str, said: str | None) -> None:
    found = reach.hub_problem(ModelSource(name, "hub", name))
    assert found is None if said is None else found is not None and said in found[0]
    assert hub == [(f"/{name}/resolve/main/config.json", "")]


def test_it_is_asked_with_the_token_and_not_for_what_is_here(hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    found = reach.hub_problem(ModelSource("403/model", "hub", "403/model"))
    assert found is not None
    assert "your token has no access" in found[0]
    assert hub[0][1] == "Bearer hf_x"
    (tmp_path / "hf" / "hub" / "models--403--model" / "snapshots").mkdir(parents=True)
    assert reach.hub_problem(ModelSource("403/model", "hub", "403/model")) is None
    assert len(hub) == 1


def test_no_way_to_the_hub_is_told_at_the_models_place(make, recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    made = make(recipe(model="owner/model"))
    (found,) = preflight.problems(made.plan, made.loadout)
    assert found.slug == "model-out-of-reach"
    assert "cannot be reached" in found.message
    assert made.text.splitlines()[found.primary.span.start.line].startswith("model:")


def test_a_peak_that_was_counted_is_held_against_what_is_free(make, recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_memory", lambda: 3 * GIB)
    made = make(recipe())
    (found,) = problems(made.plan, made.loadout, 2 * GIB, peak_bytes=4 * GIB)
    assert found.message == "a step takes 4.0 GiB, and 3.0 GiB of main memory are free"
