"""Synthetic sentences of an earlier implementation, without id and source: their sources are found by text."""

from __future__ import annotations

import json
import logging

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, call, read_lines, row_of, write_rows
from tests.helpers.workspace import SYNTHETIC, Workspace
from utils.dataset.legacy_synthetic import add_sources
from utils.dataset.reading import read_synthetic
from utils.dataset.records import Sentence, sentence_from_row
from utils.dataset.tokens import CHARACTERS, WORDS

CHINESE_ROWS = [
    (list("周小舟住在苏州城"), ("周小舟", "PER"), ("苏州", "LOC")),
    (list("他明天去上海玩耍"), ("上海", "LOC")),
    (list("何青回家看望父母"), ("何青", "PER")),
    (list("上海人何青今天很冷"), ("上海", "LOC"), ("何青", "PER")),
    (list("苏州今天没有下雨")),
]
ENGLISH_ROWS = [
    (["Agnes", "Muir", "saw", "Rome", "."], ("Agnes Muir", "PER"), ("Rome", "LOC")),
    (["Rome", "fell", "in", "the", "U.S.", "press", "."], ("Rome", "LOC"), ("U.S.", "LOC")),
    (["Nobody", "came", "."],),
]


def sources(rows, tokenisation):
    rows = [row if isinstance(row, tuple) else (row,) for row in rows]
    made = [row_of(tokens, *names) for tokens, *names in rows]
    return [sentence_from_row(row, id=str(n), tokenisation=tokenisation) for n, row in enumerate(made, start=1)]


def found(texts, rows, tokenisation):
    """Return the ids that sentences with these texts get."""
    cut = list if tokenisation is CHARACTERS else str.split
    made = [Sentence(str(n), tuple(cut(text)), (), {"synthetic": True}) for n, text in enumerate(texts, start=1)]
    numbered = add_sources(made, sources(rows, tokenisation), tokenisation=tokenisation)
    assert [one.tokens for one in numbered] == [one.tokens for one in made]
    assert all(one.row == {"id": one.id, "source": one.source, "synthetic": True} for one in numbered)
    return [one.id for one in numbered]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("苏州是一座有名的园林城市", "1"),  # the fifth sentence contains the name, but s2 did not ask about it
        ("周小舟是一名学生", "1"),
        ("上海是中国最大的城市之一", "0"),  # from 2 or from 4
        ("上海人何青爱喝茶", "4"),  # the only one with both names
        ("周小舟喜欢何青", "0"),  # no sentence has both
        ("今天天气真好", "0"),
    ],
)
def test_the_source_is_the_only_sentence_that_contains_all_mentions(text, source):
    assert found([text], CHINESE_ROWS, CHARACTERS) == [f"{source}-1"]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Agnes Muir was born in Rome .", "1"),
        ("Agnes Muir was a painter", "1"),
        ("Rome is old .", "0"),
        ("The U . S . is large .", "2"),  # the earlier implementation split words differently
        ("Romeo is a name .", "0"),
    ],
)
def test_in_word_based_text_a_mention_is_whole_words(text, source):
    assert found([text], ENGLISH_ROWS, WORDS) == [f"{source}-1"]


def test_the_sentences_of_a_source_are_numbered():
    texts = ["周小舟是学生", "天气很好", "苏州很大", "天气不好"]
    assert found(texts, CHINESE_ROWS, CHARACTERS) == ["1-1", "0-1", "1-2", "0-2"]


def test_a_match_out_of_order_is_a_chance_mention_where_all_others_are_in_order():
    rows = [(list(f"甲{name}乙"), (name, "PER")) for name in ("邓超", "李明", "王芳", "何青", "周舟", "孙立")]
    names = ["邓超", "李明", "王芳", "何青", "周舟", "邓超", "孙立"]
    assert found([f"{name}好" for name in names], rows, CHARACTERS) == [
        *("1-1", "2-1", "3-1", "4-1", "5-1"),
        "0-1",
        "6-1",
    ]
    assert found([f"{name}好" for name in reversed(names)], rows, CHARACTERS) == [
        *("6-1", "1-1", "5-1", "4-1", "3-1", "2-1"),
        "1-2",
    ]


def test_rows_with_an_id_or_a_source_are_not_legacy_rows(tmp_path):
    row = {"text": list("苏州很大"), "entities": [], "synthetic": True}
    path = write_rows(tmp_path / "s.jsonl", [row, {**row, "source": 1, "id": "1-1"}])
    with pytest.raises(ValueError, match=r's\.jsonl:1: "source" must be the number'):
        read_synthetic(path, tokenisation=CHARACTERS)
    write_rows(path, [row])
    assert [one.id for one in read_synthetic(path, tokenisation=CHARACTERS)] == ["0-1"]


def test_the_number_of_matches_is_reported_and_few_are_a_warning(tmp_path, caplog):
    rows = [{"text": list(text), "entities": []} for text in ("苏州很大", "天气很好", "上海很大")]
    path = write_rows(tmp_path / "s.jsonl", rows)
    with caplog.at_level(logging.INFO):
        read_synthetic(path, tokenisation=CHARACTERS, sources=sources(CHINESE_ROWS, CHARACTERS))
    assert caplog.records[-1].levelname == "WARNING"
    assert "1 of 3 are matched to their source" in caplog.messages[-1]
    assert "run s2" in caplog.messages[-1]


@pytest.mark.parametrize("corpus", [CHINESE, ENGLISH], ids=["chinese", "english"])
def test_a_whole_legacy_folder_passes_all_steps_without_a_leak(tmp_path, corpus):
    work = Workspace(tmp_path, corpus)
    work.annotate()
    new = read_lines(work.results / "train_1000_synthetic.jsonl")
    source = {" ".join(row["text"]): row["source"] for row in new}
    answers = {name: read_lines(work.results / name) for name in SYNTHETIC}
    for file in work.results.iterdir():
        file.unlink()
    for mode in ("entity", "pos"):  # the original side, as s1 of today makes it
        call("s1", **work.llm, mode=mode)
    more = {"synthetic": True} if corpus is CHINESE else {}  # some versions wrote it, others did not
    plain = [{"text": row["text"], "entities": [], **more} for row in new]
    write_rows(work.results / "train_1000_synthetic.jsonl", plain)
    space = "" if corpus is CHINESE else " "
    for name, rows in answers.items():
        lines = [f"{space.join(row['text'])}\t{json.dumps(row['items'], ensure_ascii=False)}" for row in rows]
        (work.results / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    work.merge()
    call("s7", **work.data, model_from_pretrained=work.models(), n_gpu=-1)
    call("s8", **work.data)
    call("audit", **work.data, models=work.folder / "save_model")
    assert len(work.lines("train_1000_synthetic.jsonl", "1000")) == len(new)
    assert len(work.lines("entity_train_1000_synthetic.jsonl", "1000")) == len(new)
    whole = work.lines("train_1000_synthetic.jsonl", "1000")
    assert any(row["source"] for row in whole)
    assert all(row["source"] in (0, source[" ".join(row["text"])]) for row in whole)
    small = work.lines("train_500_synthetic.jsonl", "500")
    assert all(source[" ".join(row["text"])] <= 4 for row in small)
    assert len(small) < len(whole)
