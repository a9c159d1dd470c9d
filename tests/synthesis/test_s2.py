"""s2 and s7 as scripts: held-out sentences, repeated runs, flags, and files for review."""

from __future__ import annotations

import json
import random

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, ROOT, call, read_lines, row_of, write_rows
from tests.helpers.span_models import make_encoder, make_model, words_of
from utils.synthesis.copies.near_duplicates import text_key

RESULT = "train_1000_synthetic.jsonl"

FRESH = {False: "{name} once wrote a long book on whales.", True: "{name}曾经写过一本关于鲸鱼的书。"}


class Dataset:
    """A dataset in a folder, and the recorded answers of its LLM."""

    def __init__(self, folder, rows, dense, **held_out):
        self.folder, self.dense = folder, dense
        self.rows = [row for row in rows if row["entities"]]
        self.texts = {name: [row["text"] for row in lines] for name, lines in held_out.items()}
        write_rows(folder / "data" / "train_1000.jsonl", self.rows)
        for name, lines in held_out.items():
            write_rows(folder / "data" / f"{name}.jsonl", lines)
        labels = sorted({span["entity"] for row in rows for span in row["entities"]})
        (folder / "data" / "labels.txt").write_text("\n".join(["O", *labels]), encoding="utf-8")

    def answer(self, answers):
        """Record the answers of the LLM: pairs (sentence number, answer), samples in order."""
        lines = [{"id": str(number), "task": "explain", "answer": answer} for number, answer in answers]
        write_rows(self.folder / "answers.jsonl", lines)

    def run(self, **flags):
        """Run s2 and return the rows of its result."""
        data = {"file_dir": self.folder, "file_name": "data", "dense_lang": int(self.dense), "backend": "scripted"}
        call("s2", **data, model_from_pretrained=self.folder / "answers.jsonl", **flags)
        return read_lines(self.results / RESULT)

    @property
    def results(self):
        return self.folder / "data" / "GLM4"

    @property
    def manifest(self):
        return json.loads((self.results / f"{RESULT}.meta.json").read_text(encoding="utf-8"))

    def journal(self):
        return read_lines(self.results / f"{RESULT}.journal.jsonl")


def edits(text, dense, chance):
    """Yield small edits of a text, as an LLM that has seen it might write them."""
    joint = "" if dense else " "
    words = [token for token in text if token.strip()]
    yield joint.join(words)
    yield joint.join(words).upper()
    yield joint.join(words).replace(" ", "  ").replace("，", ", ")
    place = chance.randrange(len(words))
    yield joint.join([*words[:place], "鲸" if dense else "whale", *words[place + 1 :]])
    yield joint.join([*words[:place], *words[place + 1 :]])
    yield joint.join([*words[:place], "鲸" if dense else "whale", *words[place:]])
    yield joint.join(["据说" if dense else "They say", *words])


def held_out_texts(name):
    """Return rows of dev and test that are long enough to be recognised, and whether they are dense."""
    parts = [read_lines(ROOT / "data" / "few_shot" / name / f"{part}.jsonl") for part in ("dev", "test")]
    return [[row for row in part if len("".join(row["text"])) >= 12] for part in parts], name == "demo_zh"


@pytest.mark.parametrize("name", ["demo", "demo_zh"])
def test_sentences_of_dev_and_test_are_never_kept_exact_or_edited(tmp_path, name):
    (dev, test), dense = held_out_texts(name)
    names = [f"甲{chr(0x4E00 + 31 * number)}" if dense else f"Name{number}" for number in range(40)]
    sources = [row_of(list(f"{who}来了。") if dense else f"{who} came .".split(), (who, "PER")) for who in names]
    data = Dataset(tmp_path, sources, dense, dev=dev, test=test)
    chance = random.Random(1)
    injected = [edit for part in (dev, test) for row in part for edit in edits(row["text"], dense, chance)]
    end = "。" if dense else "."
    answers = []
    for number, who in enumerate(names, start=1):
        told = [one if one[-1] in "。.!?！？" else one + end for one in injected[number - 1 :: len(names)]]
        answers.append((number, "\n\n".join([*told, FRESH[dense].format(name=who)])))
    data.answer(answers)
    rows = data.run(keep_dropped=True)
    # Only the new sentences are left. They differ in one name, so the first of them is kept.
    fresh = {FRESH[dense].format(name=who).replace(" ", "") for who in names}
    kept = {"".join(row["text"]).replace(" ", "") for row in rows}
    assert [text for text in kept - fresh if len(text_key(text)) > 5] == []  # shorter texts are no evidence of a copy
    assert kept & fresh
    assert data.manifest["counts"]["made"] > len(injected)


def made_up(chance):
    """Return a random word."""
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6))


@pytest.fixture
def english(tmp_path):
    """A dataset with four answers for each sentence, all of them new."""
    data = Dataset(tmp_path, ENGLISH.rows, False, dev=ENGLISH.dev)
    chance = random.Random(0)
    answers = [
        (number, f"{row['entities'][0]['text'][0]} {' '.join(made_up(chance) for _ in range(6))}.")
        for _ in range(4)
        for number, row in enumerate(data.rows, start=1)
    ]
    data.answer(answers)
    return data


def test_more_samples_ask_only_for_missing_answers(english):
    few = english.run()
    assert {row["sample"] for row in english.journal()} == {0}
    more = english.run(num_samples=3)
    assert [(row["id"], row["sample"]) for row in english.journal()] == [
        (str(number), sample) for sample in range(3) for number in range(1, len(english.rows) + 1)
    ]
    assert [row for row in more if row in few] == few
    assert english.run(num_samples=1) == few  # fewer samples give the same rows as before
    assert len(english.journal()) == 3 * len(english.rows)


def test_filters_may_change_without_asking_again(english):
    english.run(num_samples=2)
    print_ = english.manifest["fingerprint"]
    before = english.journal()
    for flags in ({"require_mention": True}, {"max_tokens": 6}, {"target_sentences": 3}, {"min_tokens": 2}):
        english.run(num_samples=2, **flags)
        assert english.manifest["fingerprint"] == print_
        assert english.manifest["parameters"] | flags == english.manifest["parameters"]
    assert english.journal() == before


def test_a_target_stops_the_asking(english):
    rows = english.run(target_sentences=9)
    assert len(rows) == 9
    assert english.manifest["counts"]["rounds"] == 2
    assert len(english.journal()) == 2 * len(english.rows)


def test_dropped_sentences_are_written_with_keep_dropped_and_always_counted(english, caplog):
    refusal = "I'm sorry, but I can't help with that."
    english.answer([(1, "Sure! The Swift sells lamps to sailors. And so"), (2, refusal)])
    english.run(limit=2, keep_dropped=True)
    dropped = read_lines(english.results / "train_1000_synthetic_dropped.jsonl")
    assert [(row["source"], row["reason"]) for row in dropped] == [
        (1, "a preamble"),
        (1, "unfinished"),
        (2, "a refusal"),
    ]
    assert english.manifest["counts"]["dropped"] == {"a preamble": 1, "a refusal": 1, "unfinished": 1}
    assert "dropped 3 (1 a preamble, 1 a refusal, 1 unfinished)" in caplog.text


def test_rare_first_asks_about_rare_labels_first_and_more_often(tmp_path):
    names = [("Tom", "PER")] * 6 + [("Oslo", "LOC")]
    rows = [row_of(f"{name} is number {number} .".split(), (name, label)) for number, (name, label) in enumerate(names)]
    data = Dataset(tmp_path, rows, False)
    data.answer([(number, "") for number in range(1, 8)])
    data.run(rare_first=True)
    assert [row["id"] for row in data.journal()] == ["7", "7", *"123456"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"temperature": 0, "num_samples": 2}, "gives the same answer each time"),
        ({"temperature": 0, "target_sentences": 9}, "gives the same answer each time"),
        ({"min_tokens": 9, "max_tokens": 8}, "no sentence could be kept"),
        ({"style": "news", "prompt": "own.txt"}, "and --prompt both choose a prompt"),
        ({"style": "poem"}, "invalid choice"),
        ({"num_samples": 0}, "must be at least 1"),
        ({"stop_below": 2}, "stop_below"),
    ],
)
def test_contradictory_flags_are_refused_before_anything_is_asked(english, monkeypatch, flags, message):
    monkeypatch.chdir(english.folder)
    (english.folder / "own.txt").write_text("{sentence} {entities}", encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        english.run(**flags)
    assert not (english.results / f"{RESULT}.journal.jsonl").exists()


@pytest.mark.parametrize("style", ["explain", "continue", "dialogue", "news"])
def test_another_style_is_another_prompt_and_does_not_mix(english, style):
    english.run()
    if style == "explain":
        english.run(style=style)
        return
    with pytest.raises(ValueError, match="another model, prompt or setting"):
        english.run(style=style)
    english.run(style=style, overwrite=True)
    assert english.manifest["parameters"]["style"] == style


@pytest.mark.parametrize("corpus", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_step_7_writes_a_review_file_and_drops_disagreeing_rows_if_asked(tmp_path, corpus):
    corpus.write(tmp_path)
    data = {"file_dir": tmp_path, "file_name": "tiny"}
    call("s2", **data, backend="scripted", model_from_pretrained=corpus.record(tmp_path / "answers.jsonl"))
    call("s1", **data, backend="scripted", model_from_pretrained=tmp_path / "answers.jsonl")
    call("s3", **data, backend="scripted", model_from_pretrained=tmp_path / "answers.jsonl")
    call("s4", **data)
    encoder = make_encoder(tmp_path / "encoder", words_of(corpus.rows))
    make_model(tmp_path / "model", encoder, corpus.labels, corpus.rows)
    folder = tmp_path / "tiny" / "GLM4" / "1000"
    call("s7", **data, model_from_pretrained=tmp_path / "model", n_gpu=-1)
    whole, doubtful = (read_lines(folder / f"train_1000_synthetic_{kind}.jsonl") for kind in ("target", "review"))
    assert doubtful
    for one in doubtful:
        assert one["mention"] == one["text"][one["start"] : one["end"]]
        assert one["predicted"] not in one["asked"]
    wrong = {one["id"] for one in doubtful if one["predicted"] is not None}
    call("s7", **data, model_from_pretrained=tmp_path / "model", n_gpu=-1, drop_disagreeing=True)
    assert read_lines(folder / "train_1000_synthetic_target.jsonl") == [row for row in whole if row["id"] not in wrong]
    assert read_lines(folder / "train_1000_synthetic_review.jsonl") == doubtful
    counts = json.loads((folder / "train_1000_synthetic_target.jsonl.meta.json").read_text(encoding="utf-8"))["counts"]
    assert counts["dropped"] == len(wrong)
    call("s8", **data)
    fused = read_lines(folder / "train_1000_synthetic_fusion.jsonl")
    assert len(fused) == len(whole) - len(wrong) + len(corpus.rows)
