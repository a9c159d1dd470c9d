"""The table that compares a span model and an LLM as annotators of the target labels."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.agreement import agreement_table, main
from tests.helpers.builders import ENGLISH, call, read_lines, write_rows
from tests.helpers.workspace import Workspace
from utils.dataset.scores import Scores


def test_the_table_has_the_scores_of_each_annotator_and_of_their_combinations():
    gold = {(0, number, number + 1, "X") for number in range(5)}
    model = {(0, 0, 1, "X"), (0, 1, 2, "X"), (0, 7, 8, "X")}
    llm = {(0, 1, 2, "X"), (0, 2, 3, "X"), (0, 2, 3, "Y"), (0, 7, 8, "X")}
    assert agreement_table(model, llm, gold) == {
        "span model": Scores(2, 3, 5),
        "LLM": Scores(2, 4, 5),
        "both": Scores(1, 2, 5),
        "either": Scores(3, 5, 5),
        "span model only": Scores(1, 1, 5),
        "LLM only": Scores(1, 2, 5),
    }


@pytest.fixture
def work(tmp_path):
    made = Workspace(tmp_path, ENGLISH)
    answers = [
        {"id": str(number), "task": "target", "answer": json.dumps([{"entity": "Swift", "type": "vessel"}])}
        for number in range(1, 9)
    ]
    write_rows(made.recording, [*read_lines(made.recording), *answers])
    call("s1", **made.llm, mode="target", limit=7)
    return made


def test_a_model_and_an_llm_are_compared_on_the_sentences_that_were_asked_about(work, capsys):
    model = work.models().format(size="250")
    main(model, work.results / "target_train_1000.jsonl", work.dataset / "train_1000.jsonl")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "7 sentences, 6 gold spans"
    table = {re.split("  +", line)[0]: re.findall(r"[\d.]+", line) for line in lines[2:]}
    assert table["LLM"] == ["1", "100.0", "16.7", "28.6"]
    assert list(table) == ["span model", "LLM", "both", "either", "span model only", "LLM only"]
    assert int(table["either"][0]) == int(table["both"][0]) + sum(
        int(table[f"{one} only"][0]) for one in list(table)[:2]
    )


def test_a_file_of_other_sentences_is_refused(work):
    with pytest.raises(ValueError, match=r"target_train_1000\.jsonl: sentence 1 is not that of .*dev\.jsonl"):
        main(work.folder, work.results / "target_train_1000.jsonl", work.dataset / "dev.jsonl")
