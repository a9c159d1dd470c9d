"""Annotating sentences with an LLM: the questions, later runs, and the lines of the result."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tests.helpers.builders import ENGLISH, ReplayingLLM, bytes_below, read_lines, sentence, write_json
from tests.helpers.nasty import nasty_sentences
from utils.annotation.annotator import Annotator
from utils.annotation.answers import AnnotationCounts
from utils.annotation.rows import AnnotationRow
from utils.annotation.settings import AnnotationSettings
from utils.annotation.step import annotate, questions
from utils.asking.journal import journal_path
from utils.asking.sampling import SamplingSettings
from utils.asking.step import LLMStep
from utils.cli.annotation.flags import add_annotation_flags
from utils.cli.parser import Parser
from utils.compute.engine import Engine
from utils.dataset.reading import Dataset
from utils.dataset.records import Sentence
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.files.models import model_identity
from utils.llm import LLMOptions
from utils.parsing import Item
from utils.prompts import load_prompt

GOOD = '[{"entity": "Rome", "type": "CITY"}]'


class Model:
    """A model choice whose LLM records what it was asked."""

    backend = "scripted"
    batch = None
    is_served = False

    def __init__(self, path, answers, break_after=None):
        self.path = str(path)
        self.parameters = {}
        self.options = LLMOptions()
        self.llm = ReplayingLLM(answers)
        self.loads = 0
        self.break_after = break_after

    def identity(self):
        return model_identity(self.path)

    def load(self):
        self.loads += 1
        if self.break_after is None:
            return self.llm
        whole, stop = self.llm.generate, self.break_after

        def broken(requests):
            for number, answer in enumerate(whole(requests)):
                if number == stop:
                    raise RuntimeError("the GPU fell off the bus")
                yield answer

        return SimpleNamespace(generate=broken)

    @property
    def asked(self):
        return [request.id for request in self.llm.asked]


@pytest.fixture
def sentences():
    texts = ("He left Rome .", "Paris is old .", " ", "She saw Rome .")
    return [sentence(text.split(" "), id=str(number)) for number, text in enumerate(texts, start=1)]


@pytest.fixture
def annotator():
    return Annotator("entity", load_prompt("entity", "en"), ("CITY", "PERSON"), tokenisation=WORDS)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "model.jsonl"
    path.write_text("weights", encoding="utf-8")
    return path


@pytest.fixture
def make_step(tmp_path):
    source = tmp_path / "train_1000.jsonl"
    source.touch()

    def build(model, annotator, *, overwrite=False):
        return LLMStep(
            name="s1",
            model=model,
            result=tmp_path / "GLM4" / "entity_train_1000.jsonl",
            run_log=tmp_path / "GLM4" / "run.log.jsonl",
            inputs={"train_1000.jsonl": source},
            parameters=annotator.parameters,
            overwrite=overwrite,
        )

    return build


def answers_to(*ids, answer=GOOD):
    return {(id_, "entity"): answer for id_ in ids}


def test_each_sentence_has_a_line_in_order_with_the_documented_keys(sentences, annotator, make_step, weights):
    model = Model(weights, {**answers_to("1", "4"), ("2", "entity"): "I cannot say."})
    step = make_step(model, annotator)
    counts = annotate(sentences, annotator, step)
    rows = read_lines(step.result)
    assert [list(row) for row in rows] == [["id", "text", "mode", "items", "answers", "status"]] * 4
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["status"] for row in rows] == ["ok", "unreadable", "ok", "ok"]
    assert rows[0]["items"] == [{"entity": "Rome", "type": "CITY"}]
    assert rows[0]["answers"] == [GOOD]
    assert rows[1]["answers"] == ["I cannot say."]
    assert rows[1]["items"] == []
    assert (counts.sentences, counts.unreadable, counts.items, counts.lost, counts.skipped) == (4, 1, 2, 0, 0)


def test_sentences_without_text_are_not_asked_about(sentences, annotator):
    assert [one.request.id for one in questions(sentences, annotator, skip=-1)] == ["1", "2", "4"]


@pytest.mark.parametrize(
    ("skip", "asked"), [(-1, ["1", "2", "4"]), (0, ["1", "2", "4"]), (1, ["2", "4"]), (3, ["4"]), (99, [])]
)
def test_skip_leaves_out_the_first_sentences(sentences, annotator, skip, asked):
    assert [one.request.id for one in questions(sentences, annotator, skip=skip)] == asked


@pytest.mark.parametrize(
    ("skip", "limit", "asked"), [(-1, 1, ["1"]), (-1, 3, ["1", "2"]), (1, 2, ["2"]), (0, 99, ["1", "2", "4"])]
)
def test_a_limit_leaves_later_sentences_for_another_run(sentences, annotator, skip, limit, asked):
    assert [one.request.id for one in questions(sentences, annotator, skip=skip, limit=limit)] == asked


def test_a_limited_run_and_a_full_one_write_the_same_bytes_as_one_full_run(sentences, annotator, make_step, weights):
    model = Model(weights, answers_to("1", "2", "4"))
    step = make_step(model, annotator)
    counts = annotate(sentences, annotator, step, limit=2)
    assert counts.skipped == 1
    assert "annotated 4 sentences: 1 not asked (--limit), 0 answers unreadable" in str(counts)
    assert "limit" not in str(counts.as_row())
    assert [row["status"] for row in read_lines(step.result)] == ["ok", "ok", "ok", "skipped"]
    annotate(sentences, annotator, step)
    assert model.asked == ["1", "2", "4"]
    parts = bytes_below(step.result.parent)
    annotate(sentences, annotator, make_step(model, annotator, overwrite=True))
    backup = f"{journal_path(step.result).name}.bak"
    assert {name: data for name, data in bytes_below(step.result.parent).items() if name != backup} == parts


def test_skipped_sentences_have_that_status_and_are_asked_about_later(sentences, annotator, make_step, weights):
    model = Model(weights, answers_to("1", "2", "4"))
    step = make_step(model, annotator)
    assert annotate(sentences, annotator, step, skip=2).skipped == 2
    assert [row["status"] for row in read_lines(step.result)] == ["skipped", "skipped", "ok", "ok"]
    assert annotate(sentences, annotator, step).skipped == 0
    assert model.asked == ["4", "1", "2"]


def test_skipped_sentences_keep_their_recorded_answers(sentences, annotator, make_step, weights):
    step = make_step(Model(weights, answers_to("1", "2", "4")), annotator)
    annotate(sentences, annotator, step)
    before = step.result.read_bytes()
    annotate(sentences, annotator, step, skip=2)
    assert step.result.read_bytes() == before


def test_an_interrupted_step_continues_with_the_missing_answers(sentences, annotator, make_step, weights):
    broken = Model(weights, answers_to("1", "2", "4"), break_after=2)
    step = make_step(broken, annotator)
    with pytest.raises(RuntimeError, match="fell off the bus"):
        annotate(sentences, annotator, step)
    assert not step.result.exists()
    whole = Model(weights, answers_to("4"))
    annotate(sentences, annotator, make_step(whole, annotator))
    assert whole.asked == ["4"]
    assert [row["status"] for row in read_lines(step.result)] == ["ok"] * 4
    assert len(read_lines(journal_path(step.result))) == 3


def test_a_finished_step_loads_no_model_and_writes_the_same_bytes(sentences, annotator, make_step, weights):
    step = make_step(Model(weights, answers_to("1", "2", "4")), annotator)
    annotate(sentences, annotator, step)
    before = {path.name: path.read_bytes() for path in step.result.parent.glob("entity*")}
    again = Model(weights, {})
    annotate(sentences, annotator, make_step(again, annotator))
    assert again.loads == 0
    assert {path.name: path.read_bytes() for path in step.result.parent.glob("entity*")} == before


def test_only_sentences_with_a_changed_text_are_asked_about_again(sentences, annotator, make_step, weights):
    annotate(sentences, annotator, make_step(Model(weights, answers_to("1", "2", "4")), annotator))
    changed = [sentences[0], sentence("Paris is new .", id="2"), *sentences[2:]]
    model = Model(weights, answers_to("2", answer='[{"entity": "Paris", "type": "CITY"}]'))
    step = make_step(model, annotator)
    annotate(changed, annotator, step)
    assert model.asked == ["2"]
    assert read_lines(step.result)[1]["items"] == [{"entity": "Paris", "type": "CITY"}]


@pytest.mark.parametrize("change", ["model", "prompt", "labels", "guided", "budget"])
def test_another_model_prompt_or_setting_stops_the_step(sentences, annotator, make_step, change, weights):
    annotate(sentences, annotator, make_step(Model(weights, answers_to("1", "2", "4")), annotator))
    other = {
        "prompt": Annotator("entity", load_prompt("entity", "zh"), annotator.labels, WORDS),
        "labels": Annotator("entity", annotator.prompt, ("CITY",), WORDS),
        "guided": Annotator("entity", annotator.prompt, annotator.labels, WORDS, "grammar"),
        "budget": Annotator("entity", annotator.prompt, annotator.labels, WORDS, max_new_tokens=5),
    }.get(change, annotator)
    if change == "model":
        weights.write_text("other weights", encoding="utf-8")
    model = Model(weights, answers_to("1", "2", "4"))
    step = make_step(model, other)
    before = step.result.read_bytes()
    with pytest.raises(ValueError, match="--overwrite"):
        annotate(sentences, other, step)
    assert model.loads == 0
    assert step.result.read_bytes() == before
    annotate(sentences, other, make_step(model, other, overwrite=True))
    assert sorted(model.asked) == ["1", "2", "4"]


def test_batch_size_device_and_dtype_do_not_change_the_fingerprint(sentences, annotator, make_step, weights):
    annotate(sentences, annotator, make_step(Model(weights, answers_to("1", "2", "4")), annotator))
    model = Model(weights, {})
    model.options = LLMOptions(gpus=(0, 1), batch_size=1, dtype="float16")
    annotate(sentences, annotator, make_step(model, annotator))
    assert model.loads == 0


def test_each_run_is_logged_with_its_answers_and_tokens(sentences, annotator, make_step, weights):
    step = make_step(Model(weights, answers_to("1", "2", "4")), annotator)
    annotate(sentences, annotator, step)
    annotate(sentences, annotator, step)
    lines = read_lines(step.run_log)
    assert [(line["step"], line["status"], line["answers"], line["prompt_tokens"]) for line in lines] == [
        ("s1", "done", 3, 9),
        ("s1", "done", 0, 0),
    ]
    assert {"started", "host", "seconds", "answer_tokens"} <= lines[0].keys()


def test_an_interrupted_run_is_logged_as_broken_off(sentences, annotator, make_step, weights):
    step = make_step(Model(weights, answers_to("1", "2", "4"), break_after=1), annotator)
    with pytest.raises(RuntimeError, match="fell off"):
        annotate(sentences, annotator, step)
    assert [line["status"] for line in read_lines(step.run_log)] == ["broken off"]


# --- questions


def test_the_prompt_shows_the_sentence_the_labels_and_the_json_format(annotator):
    prompt = annotator.question(sentence('He said {labels} "no" .')).request.prompt
    assert 'Sentence: He said {labels} "no" .' in prompt
    assert "CITY, PERSON" in prompt
    assert '[{"entity":"words copied from the sentence","type":"TYPE"}]' in prompt


@pytest.mark.parametrize("mode", ["entity", "pos"])
def test_answers_are_greedy_and_limited_by_the_length_of_the_sentence(mode):
    annotator = Annotator(mode, load_prompt(mode, "en"), ("A",), tokenisation=WORDS)
    short, long = (annotator.question(sentence("word " * number)).request for number in (3, 30))
    assert short.sampling is None
    assert short.grammar is None
    assert short.max_new_tokens < long.max_new_tokens
    more_labels = Annotator(mode, annotator.prompt, ("A",) * 99, tokenisation=WORDS)
    assert more_labels.question(sentence("word " * 3)).request.max_new_tokens == short.max_new_tokens


def test_a_given_token_limit_is_used():
    annotator = Annotator("pos", load_prompt("pos", "en"), ("A",), WORDS, max_new_tokens=7)
    assert annotator.question(sentence("word " * 30)).request.max_new_tokens == 7


def test_a_temperature_samples_answers_with_a_seed_for_each_sentence():
    annotator = Annotator("pos", load_prompt("pos", "en"), ("A",), WORDS, sampling=SamplingSettings(0.7, 0.8, seed=3))
    first, second = (annotator.question(sentence("zebra crossing", id=id_)).request.sampling for id_ in ("1", "2"))
    assert first is not None
    assert second is not None
    assert (first.temperature, first.top_p) == (0.7, 0.8)
    assert first.seed != second.seed
    assert annotator.parameters["decoding"] == {"temperature": 0.7, "top_p": 0.8, "seed": 3}


def test_the_seed_of_greedy_answers_does_not_change_the_parameters():
    annotator = Annotator("pos", load_prompt("pos", "en"), ("A",), WORDS, sampling=SamplingSettings(0, 0.8, seed=3))
    assert annotator.parameters["decoding"] == "greedy"


@pytest.mark.parametrize(("mode", "start"), [("entity", 'root ::= "[" ("]" | '), ("pos", 'root ::= "[" w0')])
def test_a_guided_request_has_the_grammar_of_its_sentence(mode, start):
    annotator = Annotator(mode, load_prompt(mode, "en"), ("A",), tokenisation=WORDS, guidance="grammar")
    grammar = annotator.question(sentence("zebra crossing")).request.grammar
    assert grammar is not None
    assert grammar.startswith(start)
    assert "zebra" in grammar


@pytest.mark.parametrize(
    ("text", "tokenisation", "label", "word"),
    [
        (["He", "left", "Rome", "."], WORDS, "CITY", "Sentence:"),
        (list("他离开了罗马。"), CHARACTERS, "城市", "句子："),
        (list("彼はローマを去った。"), CHARACTERS, "都市", "文："),
        (["그는", "로마를", "떠났다", "."], WORDS, "도시", "문장:"),
    ],
)
def test_prompts_are_in_the_language_of_the_dataset(tmp_path, text, tokenisation, label, word):
    labels = write_json(tmp_path / "labels.json", {"CITY": ["城市", "都市", "도시", "town"], "BARE": []})
    dataset = Dataset((sentence(text),), ("O", "X"), tokenisation)
    annotator = Annotator.for_dataset(dataset, AnnotationSettings("entity", labels))
    assert annotator.labels == (label, "BARE")
    prompt = annotator.question(dataset.sentences[0]).request.prompt
    assert word in prompt
    assert tokenisation.join(text) in prompt


# --- the result


@pytest.mark.parametrize("votes", [1, 3])
def test_several_processes_write_the_same_bytes(tmp_path, make_step, weights, votes, monkeypatch):
    monkeypatch.setattr("utils.annotation.step.BLOCK", 3)
    sentences = [sentence(f"He saw Rome {number} .".split(), id=str(number)) for number in range(1, 9)]
    labels = write_json(tmp_path / "labels.json", {"CITY": ["town"]})
    dataset = Dataset(tuple(sentences), ("O", "X"), WORDS)
    settings = AnnotationSettings(
        "entity", labels, votes=votes, min_votes=2 if votes > 1 else 1, sampling=SamplingSettings(0.7)
    )
    annotator = Annotator.for_dataset(dataset, settings)
    step = make_step(Model(weights, answers_to(*map(str, range(1, 8)))), annotator)
    alone = annotate(sentences, annotator, step, limit=7), bytes_below(step.result.parent)
    together = annotate(sentences, annotator, step, limit=7, engine=Engine(workers=2))
    assert together == alone[0]
    assert (together.sentences, together.beyond_limit) == (8, 1)
    after = bytes_below(step.result.parent)
    assert {name: after[name] for name in after if "log" not in name} == {
        name: alone[1][name] for name in alone[1] if "log" not in name
    }


def test_a_dataset_without_sentences_has_an_empty_result(annotator, make_step, weights):
    step = make_step(Model(weights, {}), annotator)
    assert annotate([], annotator, step).sentences == 0
    assert step.result.read_bytes() == b""


# --- counts


def test_items_that_are_not_in_their_sentence_are_kept_and_counted(sentences, annotator, make_step, weights):
    answer = '[{"entity": "Rome", "type": "CITY"}, {"entity": "Berlin", "type": "CITY"}]'
    step = make_step(Model(weights, answers_to("1", "2", "4", answer=answer)), annotator)
    counts = annotate(sentences, annotator, step)
    assert (counts.items, counts.lost) == (6, 4)
    assert "4 of 6 items not in their sentence" in str(counts)
    assert AnnotationRow.from_json(read_lines(step.result)[0]).items == [Item("Rome", "CITY"), Item("Berlin", "CITY")]
    manifest = json.loads((step.result.parent / "entity_train_1000.jsonl.meta.json").read_text(encoding="utf-8"))
    assert manifest["counts"] == {"sentences": 4, "skipped": 0, "unreadable": 0, "items": 6, "lost": 4}


@pytest.mark.parametrize(
    ("counts", "advice"),
    [
        (AnnotationCounts(10, 0, 6, 5, 0), "unreadable"),
        (AnnotationCounts(10, 0, 5, 5, 0), None),
        (AnnotationCounts(10, 8, 2, 0, 0), "unreadable"),
        (AnnotationCounts(10, 0, 0, 10, 6), "not in their sentence"),
        (AnnotationCounts(10, 0, 0, 10, 5), None),
        (AnnotationCounts(10, 10, 0, 0, 0), None),
    ],
)
def test_there_is_advice_if_more_than_half_is_lost(counts, advice):
    assert (counts.advice is None) if advice is None else (advice in counts.advice)


def test_every_sentence_of_a_dataset_is_asked_about(annotator):
    rows = [sentence(row["text"], id=str(number)) for number, row in enumerate(ENGLISH.rows, start=1)]
    assert len(questions(rows, annotator, skip=-1)) == 8


@pytest.mark.parametrize(
    ("words", "closed"),
    [("", True), ("--closed_labels", True), ("--closed_labels=1", True), ("--closed_labels=0", False)],
)
def test_labels_of_guided_answers_are_listed_or_free(words, closed):
    parser = Parser("")
    add_annotation_flags(parser)
    assert parser.parse_words(words.split()).closed_labels is closed
    annotator = Annotator(
        "entity", load_prompt("entity", "en"), ("CITY",), tokenisation=WORDS, guidance="grammar", closed_labels=closed
    )
    grammar = annotator.question(sentence("Rome")).request.grammar
    assert grammar is not None
    assert ('"CITY"' in grammar) is closed
    assert annotator.parameters["closed_labels"] is closed


def test_guided_pos_answers_have_enough_tokens_to_end_by_themselves():
    free, guided = (
        Annotator("pos", load_prompt("pos", "zh"), ("名词",), tokenisation=CHARACTERS, guidance=guidance)
        for guidance in ("free", "grammar")
    )
    said = Sentence("1", tuple("👍🏽" * 20))
    assert guided.question(said).request.max_new_tokens > 20 * 2 * (16 + 4)
    assert free.question(said).request.max_new_tokens < guided.question(said).request.max_new_tokens


@pytest.mark.parametrize("tokenisation", [CHARACTERS, WORDS])
def test_guided_entity_answers_have_enough_tokens_for_any_one_item(tokenisation):
    annotator = Annotator(
        "entity", load_prompt("entity", "en"), ("PROPER_NOUN",), tokenisation=tokenisation, guidance="grammar"
    )
    addresses = [("see", f"http://t.cn/{'x' * 500}"), ("x" * 300, "y" * 300)]
    for tokens in [*nasty_sentences(200, tokenisation=tokenisation), *addresses]:
        text = tokenisation.join(tokens)
        longest = json.dumps([{"entity": text, "type": "PROPER_NOUN"}], ensure_ascii=False, separators=(",", ":"))
        assert annotator.question(Sentence("1", tuple(tokens))).request.max_new_tokens > len(longest.encode())
