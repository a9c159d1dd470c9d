"""The target labels of an LLM: s1 and s3 with --mode=target, and what s4, status.py and audit.py do with them."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, call, read_lines, sentence, write_rows
from tests.helpers.workspace import SIZES, Workspace
from utils.annotation.annotator import Annotator
from utils.annotation.settings import AnnotationSettings
from utils.cli.exits import UsageError
from utils.dataset.layout import ENTITY_LABELS
from utils.dataset.reading import read_dataset
from utils.prompts import Prompt


class TargetWorkspace(Workspace):
    """A workspace whose recording also has answers about target labels: all gold spans, and one mistake."""

    def __init__(self, folder, corpus, mistake):
        super().__init__(folder, corpus)
        join = "" if corpus is CHINESE else " "
        answers = {
            str(number): [(join.join(span["text"]), span["entity"]) for span in row["entities"]]
            for number, row in enumerate(corpus.rows, start=1)
        }
        label = corpus.labels[0]
        answers |= {
            f"{source}-{place}": [mistake, ("nowhere", label)]
            for source, texts in corpus.synthetic.items()
            for place in range(1, len(texts) + 1)
        }
        answers["1"] = [mistake, *answers["1"], ("nowhere", label)]
        rows = [
            {
                "id": id_,
                "task": "target",
                "answer": json.dumps([{"entity": text, "type": label} for text, label in items]),
            }
            for id_, items in answers.items()
        ]
        write_rows(self.recording, [*read_lines(self.recording), *rows])

    def annotate_targets(self):
        """Run s1 and s3 for target labels."""
        call("s1", **self.llm, mode="target")
        call("s3", **self.llm, mode="target")


@pytest.fixture(params=["chinese", "english"])
def work(request, tmp_path):
    corpus, mistake = (CHINESE, ("大学", "学校")) if request.param == "chinese" else (ENGLISH, ("sank", "verb"))
    made = TargetWorkspace(tmp_path, corpus, mistake)
    call("s1", **made.llm)
    call("s2", **made.llm)
    call("s3", **made.llm)
    return made


def test_s1_and_s3_write_a_line_for_each_sentence_with_labels_of_the_dataset(work):
    work.annotate_targets()
    rows = work.lines("target_train_1000.jsonl")
    assert [list(row) for row in rows] == [["id", "text", "mode", "items", "answers", "status"]] * 8
    assert {row["mode"] for row in rows} == {"target"}
    assert {item["type"] for row in rows for item in row["items"]} == set(work.corpus.labels)
    assert rows[0]["items"][-1]["entity"] == "nowhere"  # as in the other modes, found out where items are placed
    synthetic = work.lines("target_train_1000_synthetic.jsonl")
    assert [row["id"] for row in synthetic] == [row["id"] for row in work.lines("train_1000_synthetic.jsonl")]
    assert len(read_lines(work.results / "target_train_1000_synthetic.jsonl.journal.jsonl")) == len(synthetic)


def test_the_last_line_of_s1_scores_the_llm_and_the_manifest_has_the_counts(work, caplog):
    gold = sum(len(row["entities"]) for row in work.corpus.rows)
    repeated = work.corpus is ENGLISH  # its fifth sentence has a mention that is a gold span only the first time
    scores = r"P 88\.9, R 100\.0, F1 94\.1" if repeated else r"P 100\.0, R 100\.0, F1 100\.0"
    with caplog.at_level(logging.INFO):
        work.annotate_targets()
    lines = [one for one in caplog.messages if "annotated" in one]
    assert re.search(
        r"annotated 8 sentences: 0 answers unreadable, 1 of \d+ items not in their sentence, 1 without a target label; "
        rf"as an annotator of the target labels: {scores} on 8 gold sentences -> ",
        lines[0],
    )
    assert "as an annotator" not in lines[1]
    counts = work.json("target_train_1000.jsonl.meta.json")["counts"]
    assert (counts["unknown"], counts["scored"]) == (1, 8)
    assert counts["scores"] == {"correct": gold, "predicted": gold + repeated, "gold": gold}
    assert "scores" not in work.json("target_train_1000_synthetic.jsonl.meta.json")["counts"]


def test_s4_splits_target_labels_as_it_splits_the_others_and_is_silent_without_them(work, caplog):
    call("s4", **work.data)
    assert "target" not in caplog.text
    assert not list(work.results.rglob("target_*"))
    work.annotate_targets()
    call("s4", **work.data)
    for size, number in SIZES.items():
        rows = work.lines(f"target_train_{size}.jsonl", size)
        assert rows == work.lines("target_train_1000.jsonl")[:number]
        made = [row["id"] for row in work.lines(f"train_{size}_synthetic.jsonl", size)]
        assert [row["id"] for row in work.lines(f"target_train_{size}_synthetic.jsonl", size)] == made


def test_s4_needs_one_file_of_s1_which_may_be_that_of_the_target_labels(tmp_path):
    work = TargetWorkspace(tmp_path, CHINESE, ("大学", "学校"))
    call("s1", **work.llm, mode="target")
    call("s4", **work.data)
    assert len(work.lines("target_train_250.jsonl", "250")) == 2
    with pytest.raises(FileNotFoundError, match=r"entity_train_250\.jsonl is missing: run s1 and then s4 first"):
        call("s5", **work.data)


def test_merges_do_not_read_target_labels(work):
    work.merge()
    before = {path.name: path.read_bytes() for path in work.results.rglob("*fusion*")}
    work.annotate_targets()
    call("s4", **work.data)
    call("s5", **work.data)
    call("s6", **work.data)
    assert {path.name: path.read_bytes() for path in work.results.rglob("*fusion*")} == before


def test_status_lists_the_target_labels_only_where_they_were_asked_for(work, capsys):
    call("status", **work.data)
    assert "--mode=target" not in capsys.readouterr().out
    call("s1", **work.llm, mode="target", limit=3)
    call("status", **work.data)
    shown = [line for line in capsys.readouterr().out.splitlines() if "target" in line]
    assert [line.split()[:4] for line in shown][:1] == [["s1", "--mode=target", "all", "partial"]]


def test_the_audit_finds_no_leak_in_target_labels_and_sees_one(work, capsys):
    work.annotate_targets()
    work.merge()
    call("audit", **work.data)
    file = work.results / "250" / "target_train_250.jsonl"
    write_rows(file, work.lines("target_train_1000.jsonl")[:3])
    with pytest.raises(RuntimeError, match="2 problems"):
        call("audit", **work.data)
    assert "annotates sentence 3, which is not in size 250" in capsys.readouterr().out


# --- dev and test


def test_dev_and_test_measure_the_llm_and_no_other_step_reads_them(work, caplog):
    caplog.set_level(logging.INFO)
    call("s1", **work.llm, mode="target", split="dev")
    (row,) = work.lines("target_dev.jsonl")
    assert row["text"] == work.corpus.dev[0]["text"]
    assert "on 1 gold sentence -> " in caplog.messages[-1]
    manifest = work.json("target_dev.jsonl.meta.json")
    assert sorted(manifest["inputs"]) == ["dev.jsonl", "train_1000.jsonl"]
    call("s4", **work.data)
    assert {path.parent for path in work.results.rglob("target*")} == {work.results}
    with pytest.raises(FileNotFoundError, match=r"test\.jsonl is missing: it must contain annotated sentences"):
        call("s1", **work.llm, mode="target", split="test")


def test_held_out_sentences_need_the_mode_of_the_target_labels(work):
    with pytest.raises(UsageError, match="--split=dev needs --mode=target"):
        call("s1", **work.llm, split="dev")


# --- questions


@pytest.fixture
def dataset(tmp_path):
    folder = CHINESE.write(tmp_path)
    return read_dataset(folder / "train_1000.jsonl", folder / "labels.txt")


def annotator_of(dataset, **settings):
    return Annotator.for_dataset(dataset, AnnotationSettings("target", ENTITY_LABELS, **settings))


def test_the_prompt_shows_the_labels_with_gold_mentions_and_similar_sentences(dataset):
    request = annotator_of(dataset, num_similar_shots=1).question(dataset.sentences[0]).request
    system, example, answer = request.earlier
    assert '- PER.NAM: ("邓超", "李明")\n- LOC.NAM: ("北京", "上海")' in system.text
    assert (example.role, example.text) == ("user", "句子：李明去上海出差了。")
    shown = '[{"entity":"李明","type":"PER.NAM"},{"entity":"上海","type":"LOC.NAM"}]'
    assert (answer.role, answer.text) == ("assistant", shown)
    assert request.prompt == "句子：邓超在北京大学读书。"


def test_fixed_shots_come_before_similar_ones_and_are_not_repeated(dataset):
    both = annotator_of(dataset, num_shots=1, num_similar_shots=8)
    request = both.question(dataset.sentences[7]).request
    sentences = [message.text.removeprefix("句子：") for message in request.earlier if message.role == "user"]
    fixed = [shot.sentence for shot in both.shots.shown_for(dataset.sentences[7])] if both.shots else []
    assert sentences[:1] == fixed
    assert len(sentences) == len(set(sentences)) == 7
    assert both.parameters["shots"]["number"] == 1


def test_the_grammar_holds_answers_to_the_sentence_and_the_labels_of_the_dataset(dataset):
    grammar = replace(annotator_of(dataset), guidance="grammar").question(dataset.sentences[0]).request.grammar
    assert grammar is not None
    assert '"PER.NAM" | "LOC.NAM"' in grammar
    assert "邓" in grammar


def test_a_changed_shot_changes_the_question_but_not_the_fingerprint(dataset):
    one = annotator_of(dataset, num_similar_shots=1)
    changed = list(dataset.sentences)
    changed[7] = sentence(list("王芳明天要去上海市。"), (0, 2, "PER.NAM"), id="8")
    other = annotator_of(replace(dataset, sentences=tuple(changed)), num_similar_shots=1)
    assert one.parameters == other.parameters
    hashes = [one.input_hash(s) == other.input_hash(s) for s in dataset.sentences]
    assert hashes[:4] == [True] * 4  # sizes 250 and 500 do not contain sentence 8
    assert not all(hashes)


def test_a_prompt_that_is_one_message_shows_the_examples_in_its_text(dataset):
    prompt = Prompt("标签：\n{guide}{examples}\n\n句子：{sentence}")
    request = annotator_of(dataset, num_similar_shots=1, prompt=prompt).question(dataset.sentences[0]).request
    assert request.earlier == ()
    assert '- PER.NAM: ("邓超", "李明")' in request.prompt
    assert "示例句子：李明去上海出差了。" in request.prompt


def test_a_chat_prompt_of_the_user_has_fixed_messages_before_the_examples(dataset):
    text = "[user]\n标签是什么？\n[assistant]\n{labels}\n[user]\n{sentence}\n[assistant]\n答：{answer}"
    request = annotator_of(dataset, num_similar_shots=1, prompt=Prompt(text)).question(dataset.sentences[0]).request
    assert [message.role for message in request.messages] == ["user", "assistant"] * 2 + ["user"]
    assert [message.text for message in request.messages][:2] == ["标签是什么？", "PER.NAM, LOC.NAM"]
    assert request.messages[3].text.startswith('答：[{"entity":')


@pytest.mark.parametrize("change", ["similar_shots", "label_guide"])
def test_another_number_of_shots_or_another_guide_stops_the_step(work, change, tmp_path):
    call("s1", **work.llm, mode="target")
    guide = tmp_path / "guide.json"
    guide.write_text(json.dumps({work.corpus.labels[0]: "persons"}), encoding="utf-8")
    values = {"similar_shots": 2, "label_guide": guide}
    with pytest.raises(ValueError, match=f"--overwrite.*different: .*{change}"):
        call("s1", **work.llm, mode="target", **{change: values[change]})


def test_a_later_run_asks_nothing_again_and_writes_the_same_bytes(work):
    work.annotate_targets()
    names = ("target_train_1000.jsonl", "target_train_1000_synthetic.jsonl")
    before = [(work.results / name).read_bytes() for name in names]
    work.annotate_targets()
    assert [(work.results / name).read_bytes() for name in names] == before
    assert [run["answers"] for run in work.runs("s1")][-1] == 0
    assert [run["answers"] for run in work.runs("s3")][-1] == 0
