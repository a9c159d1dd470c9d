"""Lines of one file by the ids of another: read along with it in the same order, else found by an index on disk."""

from __future__ import annotations

import json

import pytest

from tests.helpers.builders import write_rows
from utils.files.disk_index import DiskIndex
from utils.files.joining import LineFinder, OrderedLines, read_id, sentence_ids

IDS = ["1", "2", "3", "10"]


def finder(tmp_path, ids, known=IDS):
    """Return the finder of a file with lines of these ids."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"id": one, "place": n}) + "\n" for n, one in enumerate(ids)), encoding="utf-8")
    return LineFinder(path, lambda: known)


def places(finder, ids=IDS):
    return [[json.loads(data)["place"] for _, data in finder.find(one)] for one in ids]


@pytest.mark.parametrize(
    ("ids", "is_ordered", "found"),
    [
        (IDS, True, [[0], [1], [2], [3]]),
        (["2", "10"], True, [[], [0], [], [1]]),
        (["1", "1", "3"], True, [[0, 1], [], [2], []]),
        ([], True, [[], [], [], []]),
        (["10", "3", "2", "1"], False, [[3], [2], [1], [0]]),
        (["1", "2", "1"], False, [[0, 2], [1], [], []]),
        (["1", "of no sentence", "2"], False, [[0], [2], [], []]),
    ],
)
def test_every_line_is_found_in_any_order(tmp_path, ids, is_ordered, found):
    rows = finder(tmp_path, ids)
    assert rows.is_ordered is is_ordered
    assert places(rows) == found


def test_ids_may_be_left_out_and_asked_for_again_or_out_of_order(tmp_path):
    rows = finder(tmp_path, IDS)
    assert places(rows, ["2", "2", "10", "1", "3"]) == [[1], [1], [3], [0], [2]]


def test_line_numbers_count_empty_lines(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('\n{"id": "2"}\n\n{"id": "1"}\n', encoding="utf-8")
    rows = LineFinder(path, lambda: ["1", "2"])
    assert [rows.find(one)[0][0] for one in ("1", "2")] == [4, 2]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"id": "17-2", "text": []}', "17-2"),
        (b'{"text": [], "id": "17-2"}', "17-2"),
        (b'{"id":"17"}', "17"),
        (b'{"id": 17}', "17"),
        (b'{"id": "a\\"b"}', 'a"b'),
    ],
)
def test_an_id_is_read_wherever_it_is_in_the_line(tmp_path, line, expected):
    assert read_id((1, line), tmp_path / "rows.jsonl") == expected


def test_a_line_that_is_not_json_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "1"}\nbroken\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"rows\.jsonl:2: not valid JSON"):
        LineFinder(path, lambda: ["1"])


def test_ids_of_original_sentences_are_their_numbers(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": []}\n\n{"text": [], "id": "x"}\n', encoding="utf-8")
    assert list(sentence_ids(path, from_rows=False)) == ["1", "2"]


def test_an_index_on_disk_keeps_all_positions_of_a_key_and_any_text():
    index = DiskIndex([("a", (1, 0)), ("\ud800", (2, 5)), ("a", (3, 9))])
    assert index.find("a") == [(1, 0), (3, 9)]
    assert index.find("\ud800") == [(2, 5)]
    assert index.find("b") == []


def test_lines_in_a_known_order_are_found_without_reading_the_ids_first(tmp_path):
    path = write_rows(tmp_path / "a.jsonl", [{"id": id_, "n": n} for n, id_ in enumerate(["1", "3", "3", "4"])])
    lines = OrderedLines(path)
    assert [len(lines.find(id_)) for id_ in ("1", "2", "3", "4", "5")] == [1, 0, 2, 1, 0]
    lines.finish()


def test_lines_that_are_not_in_the_known_order_are_an_error(tmp_path):
    path = write_rows(tmp_path / "a.jsonl", [{"id": id_} for id_ in ("2", "1")])
    lines = OrderedLines(path)
    assert [len(lines.find(id_)) for id_ in ("1", "2")] == [0, 1]
    with pytest.raises(ValueError, match=r"a\.jsonl:2: the lines are not in the order of the sentences: run s4 again"):
        lines.finish()
