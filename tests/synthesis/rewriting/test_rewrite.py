"""The styles `rewrite` and `names`: what is asked, asked again, kept, and known about the new sentences."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, bytes_below, call, read_lines, row_of, write_rows
from tests.helpers.workspace import Workspace
from utils.dataset.records import sentence_from_row
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.synthesis.rewriting.mentions import place_mentions, usable_mentions
from utils.synthesis.writing_style import WritingStyle

RESULT = "train_1000_synthetic.jsonl"
JOURNAL = f"{RESULT}.journal.jsonl"


class Recording:
    """A dataset whose LLM gives recorded answers: (id, task, answer), samples in order."""

    def __init__(self, folder, corpus):
        self.work = Workspace(folder, corpus)

    def run(self, answers, **flags):
        """Run s2 with these answers and return the rows of its result."""
        rows = [{"id": id_, "task": task, "answer": answer} for id_, task, answer in answers]
        write_rows(self.work.recording, rows)
        call("s2", **self.work.llm, **flags)
        return self.work.lines(RESULT)

    def asked(self):
        return [(row["id"], row["task"], row["sample"]) for row in self.work.lines(JOURNAL)]


@pytest.fixture
def english(tmp_path):
    return Recording(tmp_path, ENGLISH)


@pytest.fixture
def chinese(tmp_path):
    return Recording(tmp_path, CHINESE)


def sentence(tokens, *names, dense=False):
    row = row_of(tokens, *names)
    return sentence_from_row(row, id="1", tokenisation=CHARACTERS if dense else WORDS)


def style_of(corpus, *, dense=False):
    return WritingStyle.of([row["text"] for row in corpus.rows], tokenisation=CHARACTERS if dense else WORDS)


# --- rewrite


def test_a_sentence_with_its_mentions_has_their_labels(english):
    answers = [("8", "rewrite", "Last week Tom Reid painted the Swift in bright green.")]
    (row,) = english.run(answers, style="rewrite")
    assert list(row) == ["id", "source", "text", "entities", "synthetic", "asked", "mentions", "known"]
    assert (row["id"], row["source"], row["entities"]) == ("8-1", 8, [])
    assert row["asked"] == ["Tom Reid(PERSON)", "Swift(VESSEL)"]
    assert row["mentions"] == ["Tom Reid", "Swift"]
    assert row["known"] == [
        {"start": 2, "end": 4, "entity": "PERSON", "text": ["Tom", "Reid"], "origin": "copied"},
        {"start": 6, "end": 7, "entity": "VESSEL", "text": ["Swift"], "origin": "copied"},
    ]


def test_every_occurrence_of_a_mention_is_known_in_dense_text(chinese):
    (row,) = chinese.run([("5", "rewrite", "邓超和邓超的妹妹都爱唱歌。")], style="rewrite")
    assert [(span["start"], span["end"], span["entity"]) for span in row["known"]] == [
        (0, 2, "PER.NAM"),
        (3, 5, "PER.NAM"),
    ]


def test_an_answer_without_a_mention_is_asked_for_at_most_three_times(english):
    answers = [
        ("8", "rewrite", "Tom Reid never came back to the town."),
        ("8", "rewrite", "The Swift came back without Tom Reid in winter."),
        ("5", "rewrite", "It was a cold winter in the north."),
        ("5", "rewrite", "Nobody had seen such a storm before."),
        ("5", "rewrite", "All boats stayed at home that year."),
        ("5", "rewrite", "The Petrel stayed at home that year."),
    ]
    rows = english.run(answers, style="rewrite", keep_dropped=True)
    assert [(row["id"], " ".join(row["text"])) for row in rows] == [
        ("8-1", "The Swift came back without Tom Reid in winter .")
    ]
    asked = english.asked()
    assert [number for id_, _, number in asked if id_ == "8"] == [0, 1]
    assert [number for id_, _, number in asked if id_ == "5"] == [0, 1, 2]
    dropped = read_lines(english.work.results / "train_1000_synthetic_dropped.jsonl")
    reasons = {row["source"]: row["reason"] for row in dropped}
    assert reasons[5] == "without its mentions"
    assert english.work.json(f"{RESULT}.meta.json")["counts"]["answers"] == len(asked)


def test_a_second_sample_has_its_own_attempts_and_keeps_the_first_sentence(english):
    answers = [("5", "rewrite", f"The Petrel brought {what} to the island.") for what in ("coal", "", "", "seven cows")]
    first = english.run(answers, style="rewrite")
    both = english.run(answers, style="rewrite", num_samples=2)
    assert both[0] == first[0]
    assert {number for id_, _, number in english.asked() if id_ == "5"} >= {0, 3}


def test_a_repeated_run_asks_nothing_and_gives_the_same_bytes(english):
    answers = [("8", "rewrite", "Last week Tom Reid painted the Swift in bright green.")]
    english.run(answers, style="rewrite")
    before = bytes_below(english.work.results)
    english.run(answers, style="rewrite")
    assert bytes_below(english.work.results) == before


def test_a_killed_run_continues_after_its_last_answer(english):
    answers = [("5", "rewrite", "It was cold."), ("5", "rewrite", "The Petrel stayed at home that year.")]
    whole = english.run(answers, style="rewrite")
    before = bytes_below(english.work.results)
    path = english.work.results / JOURNAL
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
    (english.work.results / RESULT).unlink()
    (english.work.results / f"{RESULT}.meta.json").unlink()
    assert english.run(answers, style="rewrite") == whole
    assert bytes_below(english.work.results)[RESULT] == before[RESULT]


@pytest.mark.parametrize(("old", "new"), [("explain", "rewrite"), ("rewrite", "names"), ("names", "explain")])
def test_another_style_does_not_mix_into_a_result(english, old, new):
    english.run([], style=old)
    with pytest.raises(ValueError, match=r"was made with another model, prompt or setting; .* different: "):
        english.run([], style=new)


def test_the_answers_of_different_styles_are_of_different_tasks(english):
    english.run([], style="rewrite")
    assert {task for _, task, _ in english.asked()} == {"rewrite"}
    english.run([], style="names", overwrite=True)
    assert {task for _, task, _ in english.asked()} == {"names"}


def test_the_prompt_shows_sentences_and_mentions_but_not_the_source(english, monkeypatch):
    from utils.llm.backends.scripted import ScriptedLLM

    prompts = {}

    def generate(self, requests):
        prompts.update({request.id: request.prompt for request in requests})
        return iter(())

    monkeypatch.setattr(ScriptedLLM, "generate", generate)
    english.run([], style="rewrite", shots=1)
    prompt = prompts["8"]
    assert "Tom Reid\nSwift" in prompt
    assert "never saw" not in prompt
    assert any(f"{word}" in prompt for word in ("Mary-Ann", "Agnes Muir"))


# --- mentions


def test_inner_mentions_go_with_a_longer_one_and_long_or_short_ones_are_not_used():
    text = "北京大学在北京，他说：" + "长" * 20
    one = sentence(list(text), ("北京大学", "ORG"), ("他", "PER"), ("长" * 20, "X"), dense=True)
    one = replace(one, spans=(*one.spans, *sentence(list(text), ("北京", "LOC"), dense=True).spans))
    (mention,) = usable_mentions(one, style_of(CHINESE, dense=True))
    assert mention.text == "北京大学"
    assert [span.key for span in mention.spans] == [(0, 4, "ORG"), (0, 2, "LOC")]
    placed = place_mentions([mention], list("我爱北京大学！")) or []
    assert [(span.start, span.end, span.label, span.origin) for span in placed] == [
        (2, 4, "LOC", "copied"),
        (2, 6, "ORG", "copied"),
    ]


def test_a_mention_that_is_only_a_part_of_a_word_is_not_in_a_sentence():
    (mention,) = usable_mentions(sentence(["Rome", "fell", "."], ("Rome", "LOC")), style_of(ENGLISH))
    assert place_mentions([mention], ["Jerome", "fell", "."]) is None
    assert place_mentions([mention], ["rome", "fell", "."]) is None
    assert place_mentions([mention], ["Old", "Rome", "fell", "."]) is not None


# --- names


def names_answers(corpus, extra=()):
    lists = {"PERSON": ["Jane Ross", "Agnes Muir", "Lerwick", "Jane Ross"], "VESSEL": ["1. Osprey", "Swift", "Jane-B"]}
    rows = [(f"names {label}", "names", "\n".join(names)) for label, names in lists.items()]
    return [*rows, *extra]


def test_new_names_are_listed_and_written_into_sentences(english, caplog):
    caplog.set_level("INFO")
    answers = names_answers(
        ENGLISH,
        [
            ("6", "rewrite", "Last week Jane Ross painted her old house."),
            ("5", "rewrite", "The Osprey sailed home, and the Jane-B too."),
        ],
    )
    rows = english.run(answers, style="names")
    (person,) = [row for row in rows if row["source"] == 6]
    assert person["asked"] == ["Jane Ross(PERSON)"]
    assert person["known"] == [{"start": 2, "end": 4, "entity": "PERSON", "text": ["Jane", "Ross"], "origin": "copied"}]
    (vessel,) = [row for row in rows if row["source"] == 5]
    assert vessel["asked"][0] in ("Osprey(VESSEL)", "Jane-B(VESSEL)")
    assert "7 mentions listed, 3 of them new (dropped: 1 in dev or test, 2 known, 1 repeated)" in caplog.text


def test_names_are_written_in_the_case_of_the_dataset(tmp_path):
    rows = [row_of(f"tom reid saw ship number {number} .".split(), ("tom reid", "PERSON")) for number in range(60)]
    english = Recording(tmp_path, ENGLISH)
    write_rows(english.work.dataset / "train_1000.jsonl", rows)
    answers = [("names PERSON", "names", "Jane Ross"), ("6", "rewrite", "last week jane ross painted her old house .")]
    (row,) = english.run(answers, style="names")
    assert row["asked"] == ["jane ross(PERSON)"]
    assert [(span["start"], span["end"]) for span in row["known"]] == [(2, 4)]


def test_a_name_under_two_labels_is_not_used(english, caplog):
    caplog.set_level("INFO")
    answers = [("names PERSON", "names", "Osprey"), ("names VESSEL", "names", "Osprey\nHeron")]
    english.run(answers, style="names")
    assert "3 mentions listed, 1 of them new (dropped: 2 under several labels)" in caplog.text


def test_names_are_asked_once_for_each_label_of_the_smallest_size(english):
    english.run(names_answers(ENGLISH), style="names")
    listed = [(id_, number) for id_, task, number in english.asked() if task == "names"]
    assert sorted(listed) == [(f"names {label}", n) for label in ("PERSON", "VESSEL") for n in range(6)]


def test_an_estimate_contains_the_lists_and_the_sentences(english, caplog):
    caplog.set_level("INFO")
    write_rows(english.work.recording, [])
    call("s2", **english.work.llm, style="names", plan=True)
    assert "questions: 19, 0 of them already answered" in caplog.text  # 12 lists, 7 sentences
    assert not (english.work.results / JOURNAL).exists()


def test_rewritten_sentences_go_through_the_other_steps(tmp_path):
    work = Workspace(tmp_path, ENGLISH)
    with work.recording.open("a", encoding="utf-8") as file:
        answer = "Last week Tom Reid painted the Swift in bright green."
        file.write(json.dumps({"id": "8", "task": "rewrite", "answer": answer}) + "\n")
    call("s1", **work.llm)
    call("s2", **work.llm, style="rewrite")
    call("s3", **work.llm)
    call("s4", **work.data)
    call("s7", **work.data, model_from_pretrained=work.models(), n_gpu=-1)
    call("s8", **work.data)
    (row,) = work.lines(RESULT)
    fused = [one for one in work.lines("train_1000_synthetic_fusion.jsonl", "1000") if one.get("synthetic")]
    assert [one["known"] for one in fused] == [row["known"]]
    assert work.lines("train_250_synthetic.jsonl", "250") == []
