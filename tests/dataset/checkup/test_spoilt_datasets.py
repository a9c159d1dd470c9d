"""Datasets that are spoilt in one way: check.py names that fault, and invents no other one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.builders import SCRIPTS, call, read_lines, row_of, run_python, write_rows
from utils.dataset.checkup.checkup import check_dataset

NAMES = ["赵明", "钱芳", "孙磊", "李娜", "周强", "吴静", "郑洋", "王丽", "冯涛", "陈雪"]
CITIES = ["北京", "上海", "广州", "成都", "杭州", "西安", "武汉", "重庆"]
THINGS = ["茶叶", "电脑", "雨伞", "手机", "苹果", "面包", "衣服"]
PEOPLE = ["Anna Lee", "Tom Reid", "Agnes Muir", "Peter Strand", "Hannah Pryce", "Carl Jonas"]
TOWNS = ["Rome", "New York", "Lerwick", "Oban", "Bergen"]
GOODS = ["lamps", "boats", "books", "bread", "stamps", "wool", "glass"]
SIZES = {"train_1000": 40, "dev": 24, "test": 24}


def chinese(number):
    name, city, thing = NAMES[number % 10], CITIES[number % 8], THINGS[number % 7]
    return row_of(list(f"{name}昨天在{city}买了{thing}，花了{number + 11}元。"), (name, "PER"), (city, "LOC"))


def english(number):
    name, town, goods = PEOPLE[number % 6], TOWNS[number % 5], GOODS[number % 7]
    text = f"{name} sold {number + 11} {goods} to a man in {town} ."
    return row_of(text.split(), (name, "PER"), (town, "LOC"))


def write(folder, make):
    """Write a dataset without a fault."""
    start = 0
    for file, number in SIZES.items():
        write_rows(folder / f"{file}.jsonl", [make(start + index) for index in range(number)])
        start += number
    (folder / "labels.txt").write_text("O\nPER\nLOC\n", encoding="utf-8")
    return folder


def faults(folder):
    """Return the kinds of errors and warnings."""
    return {finding.kind for finding in check_dataset(folder).findings if finding.level != "note"}


@pytest.mark.parametrize("make", [chinese, english])
def test_a_dataset_without_a_fault_has_none(tmp_path, make):
    checkup = check_dataset(write(tmp_path / "data", make))
    assert checkup.findings == ()
    assert checkup.tokenisation.is_dense == (make is chinese)


# --- one fault each: its kind, the script of the dataset, and the change

SPOILT: dict[str, tuple[str, Callable[[int], dict], Callable[[Path], None]]] = {}


def spoilt(kind, make):
    """Register a function that spoils a dataset, by its name."""

    def register(function):
        SPOILT[function.__name__] = kind, make, function
        return function

    return register


def change(folder, function, file="train_1000"):
    """Replace the rows of a file by what a function makes of them."""
    path = folder / f"{file}.jsonl"
    rows = read_lines(path)
    made = function(rows)
    write_rows(path, rows if made is None else made)


def each_span(function):
    """Return a change of every span of every row."""

    def changed(rows):
        for row in rows:
            row["entities"] = [function(span, row) for span in row["entities"]]

    return changed


@spoilt("offsets", chinese)
def inclusive_ends_with_texts(folder):
    for file in SIZES:
        change(folder, each_span(lambda span, _: {**span, "end": span["end"] - 1}), file)


@spoilt("inclusive ends", english)
def inclusive_ends_without_texts(folder):
    def shortened(span, _):
        return {"start": span["start"], "end": max(span["start"] + 1, span["end"] - 1), "entity": span["entity"]}

    change(folder, each_span(shortened))


@spoilt("offsets", english)
def offsets_from_one(folder):
    change(folder, each_span(lambda span, _: {**span, "start": span["start"] + 1, "end": span["end"] + 1}))


@spoilt("offsets", english)
def offsets_in_characters(folder):
    def moved(span, row):
        start = len(" ".join(row["text"][: span["start"]])) + (span["start"] > 0)
        return {**span, "start": start, "end": start + len(" ".join(span["text"]))}

    change(folder, each_span(moved))


@spoilt("text", chinese)
def a_text_that_is_elsewhere(folder):
    change(folder, lambda rows: rows[3]["entities"][0].update(text=["张", "三"]))


@spoilt("span", english)
def a_span_outside_its_sentence(folder):
    change(folder, lambda rows: rows[5]["entities"][0].update(start=4, end=99))


@spoilt("line", chinese)
def a_truncated_line(folder):
    path = folder / "train_1000.jsonl"
    path.write_bytes(path.read_bytes()[:-20])


@spoilt("line", chinese)
def a_line_in_another_encoding(folder):
    path = folder / "dev.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = json.dumps(chinese(500), ensure_ascii=False).encode("gb18030") + b"\n"
    path.write_bytes(b"".join(lines))


@spoilt("line", english)
def an_export_of_another_tool(folder):
    change(folder, lambda rows: [*rows, {"text": "Anna saw Rome", "label": [[0, 4, "PER"]]}])


@spoilt("labels file", english)
def labels_without_o(folder):
    (folder / "labels.txt").write_text("PER\nLOC\n", encoding="utf-8")


@spoilt("labels file", chinese)
def no_labels(folder):
    (folder / "labels.txt").unlink()


@spoilt("unlisted label", chinese)
def a_label_that_is_not_listed(folder):
    (folder / "labels.txt").write_text("O\nPER\n", encoding="utf-8")


@spoilt("unused label", english)
def a_label_without_spans(folder):
    (folder / "labels.txt").write_text("O\nPER\nLOC\nORG\n", encoding="utf-8")


@spoilt("rare label", chinese)
def a_label_with_two_spans(folder):
    def add(rows):
        for number, row in enumerate(rows[:2]):
            start = "".join(row["text"]).index("买了") + 2
            thing = row["text"][start : start + 2]
            row["entities"].append({"start": start, "end": start + 2, "entity": "THING", "text": thing})
            assert number < 2

    change(folder, add)
    (folder / "labels.txt").write_text("O\nPER\nLOC\nTHING\n", encoding="utf-8")


@spoilt("similar labels", english)
def labels_that_differ_in_case(folder):
    def renamed(rows):
        for row in rows[::2]:
            row["entities"][1]["entity"] = "loc"

    change(folder, lambda rows: [english(200 + 5 * number) for number in range(40)])
    for file in SIZES:
        change(
            folder,
            each_span(lambda span, _: {**span, "entity": "Per" if span["text"] == ["Tom", "Reid"] else span["entity"]}),
            file,
        )
    (folder / "labels.txt").write_text("O\nPER\nLOC\nPer\n", encoding="utf-8")


@spoilt("duplicate", chinese)
def a_sentence_twice(folder):
    change(folder, lambda rows: [*rows, rows[7]])


@spoilt("duplicate, contradiction", english)
def a_sentence_twice_with_other_spans(folder):
    change(folder, lambda rows: [*rows, {**rows[7], "entities": rows[7]["entities"][:1]}])


@spoilt("leak", english)
def a_test_sentence_in_train(folder):
    row = read_lines(folder / "test.jsonl")[2]
    change(folder, lambda rows: [*rows, {**row, "text": [token.upper() for token in row["text"]], "entities": []}])


@spoilt("leak in part", chinese)
def a_dev_sentence_within_a_train_sentence(folder):
    row = read_lines(folder / "dev.jsonl")[2]
    change(folder, lambda rows: [*rows, {**row, "text": [*row["text"][:-1], *"，很高兴。"]}])


@spoilt("label noise", chinese)
def labels_at_random(folder):
    def flip(rows):
        for row in rows[::6]:
            row["entities"][0]["entity"] = "LOC"

    for file in SIZES:
        change(folder, flip, file)


@spoilt("missing spans", chinese)
def half_of_the_spans_missing(folder):
    def forget(rows):
        for index, row in enumerate(rows):
            row["entities"] = row["entities"][:1] if (index // 10 + index) % 2 else row["entities"][1:]

    for file in SIZES:
        change(folder, forget, file)


@spoilt("crossing", english)
def crossing_spans(folder):
    def add(rows):
        rows[1]["entities"].append({"start": 1, "end": 4, "entity": "PER", "text": rows[1]["text"][1:4]})

    change(folder, add)


@spoilt("repeated span", english)
def a_span_twice(folder):
    change(folder, lambda rows: rows[1]["entities"].append(rows[1]["entities"][0]))


@spoilt("tokenisation", chinese)
def sentences_of_words_among_characters(folder):
    change(folder, lambda rows: [*rows, row_of(["昨天", "林红", "在", "长沙", "看", "电影"])])


@spoilt("tokenisation", english)
def a_sentence_of_characters_among_words(folder):
    change(folder, lambda rows: [*rows, row_of(list("nobodyknew"))])


@spoilt("space in token", english)
def tokens_with_spaces(folder):
    change(folder, lambda rows: [*rows, row_of(["Nobody", "knew", "of it", "at", "all", "."])])


@spoilt("script", chinese)
def sentences_in_another_script(folder):
    change(folder, lambda rows: [*rows, row_of(list("Не знаю, что это такое."))])


@spoilt("hanzi", chinese)
def traditional_among_simplified(folder):
    extra = row_of(list("這個國家的經濟發展與環境問題讓許多學者覺得擔憂。"))
    usual = [
        row_of(list(f"这个国家的经济发展与环境问题让{one}学者觉得担忧。"))
        for one in "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
    ]
    change(folder, lambda rows: [*rows, *usual, extra])


@spoilt("encoding", chinese)
def replaced_characters(folder):
    change(folder, lambda rows: rows[9]["text"].insert(15, "\ufffd"))


@spoilt("encoding", english)
def wrongly_decoded_text(folder):
    change(folder, lambda rows: [*rows, row_of(["Nobody", "ate", "at", "the", "cafÃ©", "."])])


@spoilt("invisible", english)
def zero_width_spaces(folder):
    change(folder, lambda rows: [*rows, row_of(["Nobody", "ate", "\u200bbread", "here", "."])])


@spoilt("markup", english)
def remains_of_html(folder):
    change(folder, lambda rows: [*rows, row_of(["Fish", "&amp;", "chips", "for", "all", "."])])


@spoilt("empty sentence", chinese)
def an_empty_sentence(folder):
    change(folder, lambda rows: [*rows, {"text": [], "entities": []}])


@spoilt("empty token", english)
def an_empty_token(folder):
    change(folder, lambda rows: [*rows, row_of(["Nobody", "", "knew", "."])])


@spoilt("sorted", english)
def sentences_sorted_by_label(folder):
    def sort(rows):
        for row in rows[:20]:
            row["entities"] = [span for span in row["entities"] if span["entity"] == "PER"]
            start = row["entities"][0]["end"]
            row["text"] = [*row["text"][:start], "slept", "until", "late", "on", "day", row["text"][start + 1], "."]

    change(folder, sort)


@spoilt("space at end", english)
def a_span_that_begins_with_a_space(folder):
    row = {"text": ["So", " ", "Rome", "fell", "again", "."]}
    change(folder, lambda rows: [*rows, {**row, "entities": [{"start": 1, "end": 3, "entity": "LOC"}]}])


@spoilt("empty file", chinese)
def an_empty_dev_file(folder):
    (folder / "dev.jsonl").write_text("", encoding="utf-8")


@spoilt("few sentences", english)
def a_test_file_of_three_sentences(folder):
    change(folder, lambda rows: rows[:3], "test")


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_dataset_has_its_fault_named_and_no_other(tmp_path, name):
    kind, make, spoil = SPOILT[name]
    folder = write(tmp_path / "data", make)
    spoil(folder)
    assert faults(folder) == set(kind.split(", "))


# --- the script


def test_the_script_shows_one_screen_and_its_exit_code_says_whether_it_is_fit(tmp_path):
    folder = write(tmp_path / "data", english)
    done = run_python(SCRIPTS / "check.py", "data", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "fit for use, 0 warnings -> data\n"
    lines = done.stdout.splitlines()
    assert lines[0] == "data: a token is a word"
    assert lines[2].split() == ["train", "40", "448", "12", "80", "0", "0"]
    assert any(line.startswith("PER") and "Anna Lee" in line for line in lines)
    a_span_outside_its_sentence(folder)
    done = run_python(SCRIPTS / "check.py", "data", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "check.py: error: data is not fit for use: 1 error, 0 warnings\n"
    assert "error   1 span cannot be read (train_1000.jsonl:6: entity 1 ends at 99, but" in done.stdout
    done = run_python(SCRIPTS / "check.py", "nothing", cwd=tmp_path)
    assert done.returncode == 2
    assert "nothing is missing: name the folder of a dataset" in done.stderr


def test_json_has_the_numbers_and_the_findings(tmp_path, capsys):
    write(tmp_path / "data", english)
    call("check", file_dir=tmp_path, file_name="data", json=True)
    report = json.loads(capsys.readouterr().out)
    assert report["fit"] is True
    assert report["splits"]["dev"]["sentences"] == 24
    assert report["labels"]["PER"]["spans"] == {"train": 40, "dev": 24, "test": 24}
    assert report["findings"] == []


def test_json_stays_valid_whatever_a_label_contains(tmp_path, capsys):
    folder, label = write(tmp_path / "data", english), "P\x7f\x9b31mR"
    for file in (*folder.glob("*.jsonl"), folder / "labels.txt"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("PER", label), encoding="utf-8", newline="\n")
    call("check", file_dir=tmp_path, file_name="data", json=True)
    printed = capsys.readouterr().out
    assert label in json.loads(printed)["labels"]
    assert not any(character in printed for character in "\x7f\x9b")


def test_the_dataset_is_named_once(tmp_path):
    write(tmp_path / "data", english)
    call("check", folder=tmp_path / "data")
    with pytest.raises(ValueError, match="name the dataset once"):
        call("check")
    with pytest.raises(ValueError, match="name the dataset once"):
        call("check", folder=tmp_path / "data", file_name="data")


def test_a_folder_in_another_format_is_named_with_the_command(tmp_path):
    (tmp_path / "train.bio").write_text("Rome B-LOC\n", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match=r"look like bio: run convert\.py --input="):
        call("check", folder=tmp_path)
