import pytest

pytest.importorskip("torch")
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from recipeforge.runner.batches import IGNORED, Line, Tokens, collate, groups, pack, tokenise
from recipeforge.runner.loop import Bench, check_packing, counted, held_out_loss
from recipeforge.runner.rows import Row

CPU = torch.device("cpu")


def row(*ids: int) -> Tokens:
    return Tokens(ids, (IGNORED, *ids[1:]))


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return AutoTokenizer.from_pretrained(tiny_model)


@pytest.fixture(scope="module")
def model(tiny_model):
    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).eval()


def test_text_rows_end_and_are_cut(tokenizer) -> None:
    done = tokenise([Row("abc"), Row("abcdefgh"), Row("")], tokenizer, 5, False)
    assert [tokenizer.decode(r.ids) for r in done.rows] == ["abc</s>", "abcde"]
    assert done.cut == 1
    assert done.rows[0].labels == (IGNORED, *done.rows[0].ids[1:])


def test_only_answers_are_learned_where_the_recipe_says_so(tokenizer) -> None:
    talk = Row(messages=(("user", "hi"), ("assistant", "yes"), ("user", "and"), ("assistant", "no")))
    (whole,) = tokenise([talk], tokenizer, 500, False).rows
    (answers,) = tokenise([talk], tokenizer, 500, True).rows
    assert whole.ids == answers.ids
    assert tokenizer.decode(whole.ids) == "<user>hi</s><assistant>yes</s><user>and</s><assistant>no</s>"
    assert tokenizer.decode([i for i in answers.labels if i != IGNORED]) == "yes</s>no</s>"


def test_a_row_cut_before_its_answer_is_left_out(tokenizer) -> None:
    talk = Row(messages=(("user", "a long question"), ("assistant", "yes")))
    assert tokenise([talk], tokenizer, 10, True).rows == ()


def test_a_template_that_rewrites_history_is_refused(tokenizer, tiny_model) -> None:
    other = AutoTokenizer.from_pretrained(tiny_model)
    other.chat_template = "{{ messages | length }}{% for m in messages %}{{ m['content'] }}{% endfor %}"
    with pytest.raises(Exception, match="completion_only"):
        tokenise([Row(messages=(("user", "a"), ("assistant", "b")))], other, 50, True)
    other.chat_template = None
    with pytest.raises(Exception, match="no chat template"):
        tokenise([Row(messages=(("user", "a"),))], other, 50, False)


def test_packing_loses_nothing_and_overfills_nothing() -> None:
    rows = [row(*range(1, 2 + n % 7)) for n in range(500)]
    lines = pack(rows, 12)
    assert sorted(r.ids for line in lines for r in line.rows) == sorted(r.ids for r in rows)
    assert max(len(line) for line in lines) <= 12
    assert len(lines) < 1.1 * sum(len(r.ids) for r in rows) / 12


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_rows_do_not_see_one_another(tiny_model, attention: str) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32, attn_implementation=attention).eval()
    first, second = row(5, 6, 7, 8), row(9, 10, 11)
    alone = collate([Line((second,))], 0, False, CPU)
    together = collate([Line((first, second)), Line((second,))], 0, True, CPU)
    with torch.no_grad():
        wanted = model(input_ids=alone["input_ids"]).logits[0]
        logits = model(input_ids=together["input_ids"], position_ids=together["position_ids"], use_cache=False).logits
    assert torch.allclose(logits[0, 4:], wanted, atol=1e-5)
    assert torch.allclose(logits[1, :3], wanted, atol=1e-5)


def test_held_out_loss_is_the_same_however_rows_are_laid_out(model) -> None:
    rows = [row(*range(3, 5 + n)) for n in range(1, 9)]
    packed = held_out_loss(model, Bench(CPU, 0, True, None), pack(rows, 16), 3)
    one_by_one = held_out_loss(model, Bench(CPU, 0, False, None), [Line((r,)) for r in rows], 1)
    padded = held_out_loss(model, Bench(CPU, 0, False, None), [Line((r,)) for r in rows], 8)
    assert packed == pytest.approx(one_by_one, abs=1e-5)
    assert padded == pytest.approx(one_by_one, abs=1e-5)


def test_code_that_leaks_between_packed_rows_is_refused(model) -> None:
    bench = Bench(CPU, 0, True, None)
    check_packing(model, bench)

    class Leaky:
        training = False
        get_input_embeddings = model.get_input_embeddings

        def eval(self): ...

        def train(self, mode): ...

        def __call__(self, **arguments):
            # With a cache transformers takes the row for one conversation going on, and forgets the restarts.
            return model(**arguments | {"use_cache": True})

    with pytest.raises(Exception, match="see one another"):
        check_packing(Leaky(), bench)


def test_order_is_the_seeds(model) -> None:
    lines = [Line((row(1, n),)) for n in range(10)]
    epochs = [list(groups(lines, 4, seed, epoch)) for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0))]
    assert epochs[0] == epochs[1]
    assert epochs[0] != epochs[2] != epochs[3] != epochs[0]
    assert [len(g) for g in epochs[0]] == [4, 4, 2]
    assert counted(epochs[0][0]) == 4
