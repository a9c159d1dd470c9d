"""Marking sentences with an LLM: what is asked, what is asked again, and the lines that come out."""

from __future__ import annotations

import json

import pytest

from tests.helpers.builders import ENGLISH, ReplayingLLM, bytes_below, read_lines, sentence, write_json
from tests.helpers.nasty import nasty_sentences
from utils.annotation.annotator import Annotator
from utils.annotation.rows import AnnotationRow
from utils.annotation.step import AnnotationCounts, annotate, questions
from utils.asking.journal import journal_path
from utils.asking.sampling import SamplingSettings
from utils.asking.step import LLMStep
from utils.cli import question_flags
from utils.cli.script import Parser
from utils.dataset.reading import Dataset
from utils.dataset.records import Sentence
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.files.manifest import model_identity
from utils.llm import LLMOptions
from utils.parsing import Item
from utils.prompts import load_prompt

GOOD = '[{"entity": "Rome", "type": "CITY"}]'


class Model:
    """A model's choice, which hands out one LLM that can be asked what it was asked."""

    backend = "scripted"

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

        self.llm.generate = broken
        return self.llm

    @property
    def asked(self):
        return [request.id for request in self.llm.asked]


@pytest.fixture
def sentences():
    texts = ("He left Rome .", "Paris is old .", " ", "She saw Rome .")
    return [sentence(text.split(" "), id=str(number)) for number, text in enumerate(texts, start=1)]


@pytest.fixture
def annotator():
    return Annotator("entity", load_prompt("entity", "en"), ("CITY", "PERSON"), tokenisation=WORDS, guided=False)


@pytest.fixture
def make_step(tmp_path):
    weights = tmp_path / "model.jsonl"
    weights.write_text("weights", encoding="utf-8")
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

    build.weights = weights
    return build


def answers_to(*ids, answer=GOOD):
    return {(id_, "entity"): answer for id_ in ids}


def test_there_is_a_line_for_every_sentence_in_order_with_the_keys_of_the_contract(sentences, annotator, make_step):
    model = Model(make_step.weights, {**answers_to("1", "4"), ("2", "entity"): "I cannot say."})
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


def test_a_sentence_without_text_is_not_asked_about(sentences, annotator):
    assert [one.request.id for one in questions(sentences, annotator, skip=-1)] == ["1", "2", "4"]


@pytest.mark.parametrize(
    ("skip", "asked"), [(-1, ["1", "2", "4"]), (0, ["1", "2", "4"]), (1, ["2", "4"]), (3, ["4"]), (99, [])]
)
def test_skip_passes_over_the_first_sentences(sentences, annotator, skip, asked):
    assert [one.request.id for one in questions(sentences, annotator, skip=skip)] == asked


@pytest.mark.parametrize(
    ("skip", "limit", "asked"), [(-1, 1, ["1"]), (-1, 3, ["1", "2"]), (1, 2, ["2"]), (0, 99, ["1", "2", "4"])]
)
def test_a_limit_leaves_the_later_sentences_for_another_run(sentences, annotator, skip, limit, asked):
    assert [one.request.id for one in questions(sentences, annotator, skip=skip, limit=limit)] == asked


def test_a_limited_run_and_a_whole_one_behind_it_give_the_bytes_of_one_whole_run(sentences, annotator, make_step):
    model = Model(make_step.weights, answers_to("1", "2", "4"))
    step = make_step(model, annotator)
    assert annotate(sentences, annotator, step, limit=2).skipped == 1
    assert [row["status"] for row in read_lines(step.result)] == ["ok", "ok", "ok", "skipped"]
    annotate(sentences, annotator, step)
    assert model.asked == ["1", "2", "4"]
    parts = bytes_below(step.result.parent)
    annotate(sentences, annotator, make_step(model, annotator, overwrite=True))
    backup = f"{journal_path(step.result).name}.bak"
    assert {name: data for name, data in bytes_below(step.result.parent).items() if name != backup} == parts


def test_sentences_passed_over_are_skipped_in_the_result_and_asked_later(sentences, annotator, make_step):
    model = Model(make_step.weights, answers_to("1", "2", "4"))
    step = make_step(model, annotator)
    assert annotate(sentences, annotator, step, skip=2).skipped == 2
    assert [row["status"] for row in read_lines(step.result)] == ["skipped", "skipped", "ok", "ok"]
    assert annotate(sentences, annotator, step).skipped == 0
    assert model.asked == ["4", "1", "2"]


def test_sentences_passed_over_keep_the_answers_that_they_have(sentences, annotator, make_step):
    step = make_step(Model(make_step.weights, answers_to("1", "2", "4")), annotator)
    annotate(sentences, annotator, step)
    before = step.result.read_bytes()
    annotate(sentences, annotator, step, skip=2)
    assert step.result.read_bytes() == before


def test_a_step_that_broke_off_asks_only_for_what_is_missing(sentences, annotator, make_step):
    broken = Model(make_step.weights, answers_to("1", "2", "4"), break_after=2)
    step = make_step(broken, annotator)
    with pytest.raises(RuntimeError, match="fell off the bus"):
        annotate(sentences, annotator, step)
    assert not step.result.exists()
    whole = Model(make_step.weights, answers_to("4"))
    annotate(sentences, annotator, make_step(whole, annotator))
    assert whole.asked == ["4"]
    assert [row["status"] for row in read_lines(step.result)] == ["ok"] * 4
    assert len(read_lines(journal_path(step.result))) == 3


def test_a_finished_step_loads_no_model_and_gives_the_same_bytes(sentences, annotator, make_step):
    step = make_step(Model(make_step.weights, answers_to("1", "2", "4")), annotator)
    annotate(sentences, annotator, step)
    before = {path.name: path.read_bytes() for path in step.result.parent.glob("entity*")}
    again = Model(make_step.weights, {})
    annotate(sentences, annotator, make_step(again, annotator))
    assert again.loads == 0
    assert {path.name: path.read_bytes() for path in step.result.parent.glob("entity*")} == before


def test_a_sentence_whose_text_has_changed_is_asked_again_alone(sentences, annotator, make_step):
    annotate(sentences, annotator, make_step(Model(make_step.weights, answers_to("1", "2", "4")), annotator))
    changed = [sentences[0], sentence("Paris is new .", id="2"), *sentences[2:]]
    model = Model(make_step.weights, answers_to("2", answer='[{"entity": "Paris", "type": "CITY"}]'))
    step = make_step(model, annotator)
    annotate(changed, annotator, step)
    assert model.asked == ["2"]
    assert read_lines(step.result)[1]["items"] == [{"entity": "Paris", "type": "CITY"}]


@pytest.mark.parametrize("change", ["model", "prompt", "labels", "guided", "budget"])
def test_another_model_prompt_or_parameter_stops_the_step(sentences, annotator, make_step, change, tmp_path):
    annotate(sentences, annotator, make_step(Model(make_step.weights, answers_to("1", "2", "4")), annotator))
    other = {
        "prompt": Annotator("entity", load_prompt("entity", "zh"), annotator.labels, WORDS, False),
        "labels": Annotator("entity", annotator.prompt, ("CITY",), WORDS, False),
        "guided": Annotator("entity", annotator.prompt, annotator.labels, WORDS, True),
        "budget": Annotator("entity", annotator.prompt, annotator.labels, WORDS, False, 5),
    }.get(change, annotator)
    if change == "model":
        make_step.weights.write_text("other weights", encoding="utf-8")
    model = Model(make_step.weights, answers_to("1", "2", "4"))
    step = make_step(model, other)
    before = step.result.read_bytes()
    with pytest.raises(ValueError, match="--overwrite"):
        annotate(sentences, other, step)
    assert model.loads == 0
    assert step.result.read_bytes() == before
    annotate(sentences, other, make_step(model, other, overwrite=True))
    assert sorted(model.asked) == ["1", "2", "4"]


def test_the_batch_size_and_the_device_do_not_make_it_another_result(sentences, annotator, make_step):
    annotate(sentences, annotator, make_step(Model(make_step.weights, answers_to("1", "2", "4")), annotator))
    model = Model(make_step.weights, {})
    model.options = LLMOptions(gpus=(0, 1), batch_size=1, dtype="float16")
    annotate(sentences, annotator, make_step(model, annotator))
    assert model.loads == 0


def test_each_run_is_logged_with_what_it_asked_for(sentences, annotator, make_step):
    step = make_step(Model(make_step.weights, answers_to("1", "2", "4")), annotator)
    annotate(sentences, annotator, step)
    annotate(sentences, annotator, step)
    lines = read_lines(step.run_log)
    assert [(line["step"], line["status"], line["answers"], line["prompt_tokens"]) for line in lines] == [
        ("s1", "done", 3, 9),
        ("s1", "done", 0, 0),
    ]
    assert {"started", "host", "seconds", "answer_tokens"} <= lines[0].keys()


def test_a_run_that_broke_off_is_logged_as_such(sentences, annotator, make_step):
    step = make_step(Model(make_step.weights, answers_to("1", "2", "4"), break_after=1), annotator)
    with pytest.raises(RuntimeError, match="fell off"):
        annotate(sentences, annotator, step)
    assert [line["status"] for line in read_lines(step.run_log)] == ["broken off"]


# --- what is asked


def test_the_prompt_shows_sentence_and_labels_and_json_as_it_must_be_answered(annotator):
    prompt = annotator.question(sentence('He said {labels} "no" .')).request.prompt
    assert 'Sentence: He said {labels} "no" .' in prompt
    assert "CITY, PERSON" in prompt
    assert '[{"entity":"words copied from the sentence","type":"TYPE"}]' in prompt


@pytest.mark.parametrize("mode", ["entity", "pos"])
def test_answers_are_greedy_and_their_budget_comes_from_the_sentence_alone(mode):
    asker = Annotator(mode, load_prompt(mode, "en"), ("A",), tokenisation=WORDS, guided=False)
    short, long = (asker.question(sentence("word " * number)).request for number in (3, 30))
    assert short.sampling is None
    assert short.grammar is None
    assert short.max_new_tokens < long.max_new_tokens
    more_labels = Annotator(mode, asker.prompt, ("A",) * 99, tokenisation=WORDS, guided=False)
    assert more_labels.question(sentence("word " * 3)).request.max_new_tokens == short.max_new_tokens


def test_a_budget_that_is_given_is_used():
    asker = Annotator("pos", load_prompt("pos", "en"), ("A",), WORDS, False, max_new_tokens=7)
    assert asker.question(sentence("word " * 30)).request.max_new_tokens == 7


def test_annotation_draws_where_a_temperature_is_given_each_sentence_with_a_seed_of_its_own():
    asker = Annotator(
        "pos", load_prompt("pos", "en"), ("A",), WORDS, False, sampling=SamplingSettings(0.7, 0.8, seed=3)
    )
    first, second = (asker.question(sentence("zebra crossing", id=id_)).request.sampling for id_ in ("1", "2"))
    assert (first.temperature, first.top_p) == (0.7, 0.8)
    assert first.seed != second.seed
    assert asker.parameters["decoding"] == {"temperature": 0.7, "top_p": 0.8, "seed": 3}


def test_the_seed_of_a_greedy_annotation_does_not_make_it_another_result():
    asker = Annotator("pos", load_prompt("pos", "en"), ("A",), WORDS, False, sampling=SamplingSettings(0, 0.8, seed=3))
    assert asker.parameters["decoding"] == "greedy"


@pytest.mark.parametrize(("mode", "start"), [("entity", 'root ::= "[" ("]" | '), ("pos", 'root ::= "[" w0')])
def test_a_guided_request_carries_the_grammar_of_its_sentence(mode, start):
    asker = Annotator(mode, load_prompt(mode, "en"), ("A",), tokenisation=WORDS, guided=True)
    grammar = asker.question(sentence("zebra crossing")).request.grammar
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
def test_a_dataset_is_asked_about_in_its_own_language(tmp_path, text, tokenisation, label, word):
    labels = write_json(tmp_path / "labels.json", {"CITY": ["城市", "都市", "도시", "town"], "BARE": []})
    dataset = Dataset((sentence(text),), ("O", "X"), tokenisation)
    asker = Annotator.for_dataset("entity", dataset, labels)
    assert asker.labels == (label, "BARE")
    prompt = asker.question(dataset.sentences[0]).request.prompt
    assert word in prompt
    assert tokenisation.join(text) in prompt


# --- what is counted


def test_an_item_that_stands_elsewhere_is_kept_and_counted(sentences, annotator, make_step):
    answer = '[{"entity": "Rome", "type": "CITY"}, {"entity": "Berlin", "type": "CITY"}]'
    step = make_step(Model(make_step.weights, answers_to("1", "2", "4", answer=answer)), annotator)
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
def test_where_more_than_half_is_lost_there_is_advice(counts, advice):
    assert (counts.advice is None) if advice is None else (advice in counts.advice)


def test_a_recording_of_a_whole_dataset_is_asked_for_every_sentence(annotator):
    rows = [sentence(row["text"], id=str(number)) for number, row in enumerate(ENGLISH.rows, start=1)]
    assert len(questions(rows, annotator, skip=-1)) == 8


@pytest.mark.parametrize(
    ("words", "closed"),
    [("", True), ("--closed_labels", True), ("--closed_labels=1", True), ("--closed_labels=0", False)],
)
def test_a_guided_answers_labels_are_those_of_the_file_or_the_models_own(words, closed):
    parser = Parser("")
    question_flags.add_annotation_flags(parser)
    assert parser.parse_words(words.split()).closed_labels is closed
    asker = Annotator(
        "entity", load_prompt("entity", "en"), ("CITY",), tokenisation=WORDS, guided=True, closed_labels=closed
    )
    assert ('"CITY"' in asker.question(sentence("Rome")).request.grammar) is closed
    assert asker.parameters["closed_labels"] is closed


def test_a_guided_answer_about_parts_of_speech_has_room_to_end_by_itself():
    free, guided = (
        Annotator("pos", load_prompt("pos", "zh"), ("名词",), tokenisation=CHARACTERS, guided=guided)
        for guided in (False, True)
    )
    said = Sentence("1", tuple("👍🏽" * 20))
    assert guided.question(said).request.max_new_tokens > 20 * 2 * (16 + 4)
    assert free.question(said).request.max_new_tokens < guided.question(said).request.max_new_tokens


@pytest.mark.parametrize("tokenisation", [CHARACTERS, WORDS])
def test_a_guided_answer_about_entities_has_room_for_any_one_item(tokenisation):
    asker = Annotator("entity", load_prompt("entity", "en"), ("PROPER_NOUN",), tokenisation=tokenisation, guided=True)
    addresses = [("see", f"http://t.cn/{'x' * 500}"), ("x" * 300, "y" * 300)]
    for tokens in [*nasty_sentences(200, tokenisation=tokenisation), *addresses]:
        text = tokenisation.join(tokens)
        longest = json.dumps([{"entity": text, "type": "PROPER_NOUN"}], ensure_ascii=False, separators=(",", ":"))
        assert asker.question(Sentence("1", tuple(tokens))).request.max_new_tokens > len(longest.encode())
