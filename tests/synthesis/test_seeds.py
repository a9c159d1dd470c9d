"""New sentences of a tiny random model in float32 depend on the seed and the sentence alone."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.helpers.builders import call, read_lines, row_of, write_rows
from tests.helpers.families import FAMILIES, WORDS, make_checkpoint
from utils.llm import load_llm

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", "4.34", reason="transformers 4.30 fills no chat templates")

ANSWERED = ["keeper", "lamp", "harbour", "rope", "stone", "winter", "letter", "boat", "gull", "north", "hill", "bread"]
NAMES = ["agnes", "tom", "ellen", "gustav", "nora", "oskar"]
RESULT = "train_1000_synthetic.jsonl"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A random model that writes lines of words with a full stop at the end."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("checkpoint")
    answers = [*(f"{word} " for word in ANSWERED), ".\n", "?\n"]
    make_checkpoint(folder, replace(FAMILIES["gemma"], model="Llama", shape={}, words=(*WORDS, *answers)))
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32)
    with torch.no_grad():  # single characters and other tokens become unlikely
        model.lm_head.weight[: -len(answers)] = 0
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def make(checkpoint, tmp_path):
    """Run s2 on a dataset; return the lines that it wrote."""

    def run(name="plain", *, names=NAMES, **flags):
        texts = [f"{who} saw the light of the north" for who in names]
        rows = [row_of(text.split(), (text.split()[0], "PER")) for text in texts]
        write_rows(tmp_path / "tiny" / "train_1000.jsonl", rows)
        (tmp_path / "tiny" / "labels.txt").write_text("O\nPER\n", encoding="utf-8")
        given = {
            "num_samples": 2,
            "shots": 0,
            "max_new_tokens": 40,
            "dtype": "float32",
            "n_gpu": -1,
            "temperature": 1.2,
            **flags,
        }
        data = {"file_dir": tmp_path, "file_name": "tiny", "save_type_name": name}
        call("s2", **data, model_from_pretrained=checkpoint, **given)
        return read_lines(tmp_path / "tiny" / name / RESULT)

    return run


def test_the_model_makes_different_sentences(make):
    rows = make()
    assert len(rows) >= 8
    assert len({row["source"] for row in rows}) >= 4
    assert len({tuple(row["text"]) for row in rows}) == len(rows)


@pytest.mark.parametrize("batch_size", [1, 5, 12])
def test_the_batch_size_changes_no_sentence(make, batch_size):
    assert make("other", batch_size=batch_size) == make(batch_size=3)


def test_another_seed_gives_other_sentences_and_the_same_one_the_same(make):
    first = make(seed=1)
    assert make("again", seed=1) == first
    assert make("other", seed=2) != first


def test_other_sentences_do_not_change_the_answers_to_a_sentence(make):
    whole = make()
    few = make("few", names=NAMES[:3])
    assert few == [row for row in whole if row["source"] <= 3]
    assert {row["source"] for row in few} > {1}


@pytest.mark.parametrize("order", [0, 1])
def test_the_order_of_asking_changes_nothing(make, monkeypatch, order):
    straight = make()
    monkeypatch.setattr("utils.asking.model.load_llm", lambda *choice: Shuffled(load_llm(*choice), order))
    assert make("shuffled") == straight


@pytest.mark.parametrize("answers", [1, 5, 9])
def test_an_interrupted_run_continues_to_the_same_sentences(make, monkeypatch, answers, tmp_path):
    straight = make()
    with monkeypatch.context() as patch:
        patch.setattr("utils.asking.model.load_llm", lambda *choice: Interrupted(load_llm(*choice), answers))
        with pytest.raises(KeyboardInterrupt):
            make("stopped")
    journal = tmp_path / "tiny" / "stopped" / f"{RESULT}.journal.jsonl"
    assert len(read_lines(journal)) == answers
    journal.write_bytes(journal.read_bytes()[:-30] if answers > 1 else journal.read_bytes())  # and torn
    assert make("stopped", batch_size=2) == straight
    assert (tmp_path / "tiny" / "stopped" / RESULT).read_bytes() == (tmp_path / "tiny" / "plain" / RESULT).read_bytes()
    assert len({(row["id"], row["sample"]) for row in read_lines(journal)}) == len(read_lines(journal)) == 12


def test_more_samples_keep_the_answers_and_the_sentences_of_fewer(make, tmp_path):
    few = make(num_samples=1)
    more = {row["id"]: row for row in make(num_samples=3)}
    assert all(more[row["id"]] == row for row in few)
    assert len(more) > len(few)
    assert len(read_lines(tmp_path / "tiny" / "plain" / f"{RESULT}.journal.jsonl")) == 18


class Shuffled:
    """Asks in another order."""

    def __init__(self, llm, seed):
        self.llm, self.chance = llm, random.Random(seed)

    def generate(self, requests):
        for request in self.chance.sample(requests, len(requests)):
            yield from self.llm.generate([request])


class Interrupted:
    """Ends the run after some answers, as Ctrl-C does."""

    def __init__(self, llm, answers):
        self.llm, self.left = llm, answers

    def generate(self, requests):
        for answer in self.llm.generate(requests):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield answer
