"""The journal: no answer is lost or recorded twice, and answers of another model are refused."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import threading

import pytest

from tests.helpers.builders import ROOT, run_python
from utils.asking import entries
from utils.asking.journal import Entry, Journal, journal_path, recorded_settings
from utils.asking.questions import Question, ask
from utils.files import compressed
from utils.llm.base import Answer, Request


def entry(id_="1", *, answer="[]", fingerprint="f", **changes):
    fields = {"task": "entity", "input": "h", "finish": "stop", "prompt_tokens": 3, "answer_tokens": 2, **changes}
    return Entry(id=id_, answer=answer, fingerprint=fingerprint, **fields)


def fill(path, *entries, fingerprint="f"):
    with Journal(path, fingerprint) as journal:
        journal.append(entries)


def answers(path, fingerprint="f"):
    with Journal(path, fingerprint) as journal:
        return [one.answer for one in journal.entries.values()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "GLM4" / "entity_train_1000.jsonl.journal.jsonl"


def test_the_journal_is_in_the_folder_of_its_result(tmp_path):
    assert journal_path(tmp_path / "a.jsonl") == tmp_path / "a.jsonl.journal.jsonl"


def test_answers_are_read_as_they_were_written(path):
    made = [entry("1", answer='a\tb\r\n"\u2028 北京'), entry("2", answer="", finish="length"), entry("1", sample=1)]
    fill(path, *made)
    with Journal(path, "f") as journal:
        assert list(journal.entries.values()) == made


def test_an_answer_is_in_the_file_before_the_next_one_is_asked_for(path):
    with Journal(path, "f") as journal:
        journal.append([entry("1", answer="first")])
        assert json.loads(path.read_text(encoding="utf-8"))["answer"] == "first"


def test_new_answers_follow_the_recorded_ones(path):
    fill(path, entry("1", answer="a"))
    before = path.read_bytes()
    fill(path, entry("2", answer="b"))
    assert path.read_bytes().startswith(before)
    assert answers(path) == ["a", "b"]


@pytest.mark.parametrize("cut", [1, 2, 20, -1])
def test_an_incomplete_last_line_is_dropped_with_a_warning_and_the_rest_is_kept(path, caplog, cut):
    fill(path, entry("1", answer="a"))
    whole = path.read_bytes()
    fill(path, entry("2", answer="b"))
    path.write_bytes(whole + path.read_bytes()[len(whole) :][: cut if cut > 0 else -1])
    assert answers(path) == ["a"]
    assert "is incomplete" in caplog.text
    assert path.read_bytes() == whole


def test_a_new_answer_after_an_incomplete_line_starts_a_new_line(path):
    fill(path, entry("1", answer="a"))
    path.write_bytes(path.read_bytes() + b'{"id": "2", "ans')
    fill(path, entry("2", answer="b"))
    assert answers(path) == ["a", "b"]


def test_a_complete_journal_causes_no_warning(path, caplog):
    fill(path, entry("1"))
    answers(path)
    assert not caplog.text


def test_answers_of_another_model_or_setting_stop_the_step_and_are_kept(path):
    fill(path, entry("1", answer="a"))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"contains answers of another model.*--overwrite"), Journal(path, "other"):
        pass
    assert path.read_bytes() == before


def test_overwrite_starts_an_empty_journal_and_keeps_the_old_answers_in_a_backup(path):
    fill(path, entry("1", answer="a"))
    with Journal(path, "other", overwrite=True) as journal:
        assert journal.entries == {}
        journal.append([entry("1", answer="b", fingerprint="other")])
    assert answers(path, "other") == ["b"]
    assert answers(path.with_name(f"{path.name}.bak")) == ["a"]


def test_overwriting_twice_keeps_all_answers(path):
    fill(path, entry("1", answer="a"))
    for number, answer in enumerate("bc"):
        with Journal(path, f"f{number}", overwrite=True) as journal:
            journal.append([entry("1", answer=answer, fingerprint=f"f{number}")])
    kept = "".join(file.read_text(encoding="utf-8") for file in path.parent.iterdir())
    assert [answer for answer in "abc" if f'"answer": "{answer}"' not in kept] == []


def test_overwriting_without_a_journal_makes_no_backup(path):
    with Journal(path, "f", overwrite=True):
        pass
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_overwrite_works_in_a_notebook_after_a_refused_run(path):
    fill(path, entry("1"))
    with pytest.raises(ValueError, match="--overwrite") as refused, Journal(path, "other"):
        pass
    assert refused.tb is not None  # a notebook keeps the last traceback and the objects in its frames
    with Journal(path, "other", overwrite=True) as journal:
        assert journal.entries == {}


@pytest.mark.parametrize("line", ['{"id": "1", "answer": "x"}', '{"id": "1", "surplus": 3}', "{}"])
def test_the_error_for_a_line_of_another_format_names_file_and_line(path, line):
    path.parent.mkdir()
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(
        ValueError,
        match=r"journal\.jsonl:1: this line is not an answer that was saved here; use "
        "--overwrite",
    ):
        answers(path)


def test_overwrite_replaces_a_file_that_is_not_a_journal(path):
    path.parent.mkdir()
    path.write_text("sentence\tanswer\n", encoding="utf-8")
    with Journal(path, "f", overwrite=True) as journal:
        assert journal.entries == {}


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_second_process_cannot_open_a_journal_that_is_being_written(path, overwrite):
    code = (
        f"from utils.asking.journal import Journal\nwith Journal(Path({str(path)!r}), 'f', overwrite={overwrite}): pass"
    )
    program = f"import sys\nfrom pathlib import Path\nsys.path.insert(0, {str(ROOT)!r})\n{code}"
    with Journal(path, "f") as journal:
        journal.append([entry("1", answer="a")])
        second = run_python("-c", program, cwd=path.parent)
        journal.append([entry("2", answer="b")])
    assert second.returncode == 1
    assert f"is being written by process {os.getpid()} on {platform.node()}, since " in second.stderr
    assert answers(path) == ["a", "b"]
    assert run_python("-c", program, cwd=path.parent).returncode == 0  # it is free again


def test_a_closed_journal_cannot_be_written(path):
    with pytest.raises(RuntimeError, match="is not open"):
        Journal(path, "f").append([entry()])


def test_the_last_answer_to_a_question_is_used(path):
    fill(path, entry("1", answer="a"), entry("1", answer="b"))
    assert answers(path) == ["b"]


# --- after a crash or a deletion, and slow or failing disks


def test_a_line_with_zeros_from_a_power_cut_is_dropped_and_the_rest_is_kept(path, caplog):
    fill(path, entry("1", answer="a"))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"id": "2"' + bytes(300) + b'"sample": 0}\n' + bytes(20) + b"\n" + bytes(5))
    assert answers(path) == ["a"]
    assert "is incomplete" in caplog.text
    assert path.read_bytes() == whole


def test_a_journal_with_only_an_incomplete_line_is_empty(path):
    path.parent.mkdir()
    path.write_bytes(b'{"id": "2", "ans')
    assert answers(path) == []
    assert path.read_bytes() == b""


def test_a_journal_that_is_deleted_during_the_run_is_written_again(path, caplog):
    with Journal(path, "f") as journal:
        journal.append([entry("1", answer="a")])
        shutil.rmtree(path.parent)
        journal.append([entry("2", answer="b")])
        journal.append([entry("3", answer="c")])
        assert [one.answer for one in journal.entries.values()] == ["a", "b", "c"]
    assert answers(path) == ["a", "b", "c"]
    assert caplog.text.count("was deleted during the run") == 1


def test_a_journal_in_the_place_of_a_deleted_one_is_continued(path):
    fill(path, entry("1", answer="a"))
    other = path.with_name("other")
    fill(other, entry("0", answer="another text"))
    with Journal(path, "f") as journal:
        other.replace(path)
        journal.append([entry("2", answer="b")])
        assert [one.answer for one in journal.entries.values()] == ["a", "b"]
    assert answers(path) == ["another text", "a", "b"]


def test_answers_are_read_from_the_file_also_after_the_journal_is_closed(path):
    made = [entry(str(number), answer=f"{number} 北京") for number in range(3)]
    with Journal(path, "f") as journal:
        journal.append(made)
        assert journal.entries[made[1].key] == made[1]
    assert journal.entries[made[1].key] == made[1]
    assert journal.entries.get(entry("9").key) is None
    assert made[2].key in journal.entries
    assert len(journal.entries) == 3


def test_a_journal_that_another_program_changes_stops_the_run(path):
    fill(path, entry("1", answer="a"), entry("2", answer="b"))
    with Journal(path, "f") as journal:
        path.write_bytes(b"\n" + path.read_bytes())
        with pytest.raises(RuntimeError, match="was changed by another program during the run"):
            list(journal.entries.values())


# --- damaged lines: each is set aside, and costs no other answer


def damaged(row, **changes):
    return json.dumps(row | changes).encode() + b"\n"


DAMAGED_LINES = {
    "cut": lambda row: damaged(row)[:50] + b"\n",
    "bad byte": lambda row: damaged(row).replace(b"hello", b"he\xff\xfe"),
    "zeros alone": lambda row: bytes(4096) + b"\n",
    "zeros inside": lambda row: damaged(row).replace(b"hello", bytes(300)),
    "one zero": lambda row: damaged(row).replace(b"hello", b"he\0o"),
    "UTF-16": lambda row: damaged(row).decode().strip().encode("utf-16-le") + b"\n",
    "list": lambda row: b"[1, 2]\n",
    "null": lambda row: b"null\n",
    "number": lambda row: b"17\n",
    "text": lambda row: b'"text"\n',
    "empty object": lambda row: b"{}\n",
    "no JSON": lambda row: b"sentence\tanswer\n",
    "nested": lambda row: b"[" * 100_000 + b"\n",
    "long number": lambda row: b'{"id": ' + b"9" * 5000 + b"}\n",
    "two on one line": lambda row: damaged(row)[:-1] + damaged(row, id="9"),
    "unknown key": lambda row: damaged(row, surplus=1),
    "missing key": lambda row: damaged({key: row[key] for key in row if key != "task"}),
    "fingerprint": lambda row: damaged(row, fingerprint="e" + row["fingerprint"][1:]),
    "fingerprint cut": lambda row: damaged(row, fingerprint=row["fingerprint"][:60]),
    "id": lambda row: damaged(row, id=1),
    "no answer": lambda row: damaged(row, answer=None),
    "list as answer": lambda row: damaged(row, answer=["x"]),
    "text as sample": lambda row: damaged(row, sample="0"),
    "true as sample": lambda row: damaged(row, sample=True),
    "object as input": lambda row: damaged(row, input={}),
}


@pytest.mark.parametrize("kind", DAMAGED_LINES)
@pytest.mark.parametrize("place", [0, 1])
def test_a_damaged_line_is_set_aside_and_costs_no_other_answer(path, caplog, kind, place):
    fill(path, *(entry(id_, answer="hello", fingerprint=OWN) for id_ in "123"), fingerprint=OWN)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[place] = DAMAGED_LINES[kind](json.loads(lines[place]))
    path.write_bytes(b"".join(lines))
    with Journal(path, OWN) as journal:
        assert [one.id for one in journal.entries.values()] == ["123"[n] for n in range(3) if n != place]
        journal.append([entry("4", fingerprint=OWN)])
    backup = path.with_name(f"{path.name}.damaged")
    assert f"line {place + 1}" in caplog.text
    assert f"kept in {backup.name}" in caplog.text
    assert "asked again" in caplog.text
    assert backup.read_bytes() == lines[place]
    caplog.clear()
    assert len(answers(path, OWN)) == 3
    assert not caplog.text


OWN = "0123456789abcdef" * 4  # a fingerprint as real ones are


def test_many_damaged_lines_are_reported_in_one_line(path, caplog):
    fill(path, *(entry(str(number)) for number in range(20)))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line if number % 2 else b"{}\n" for number, line in enumerate(lines)))
    assert len(answers(path)) == 10
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: lines 1, 3, 5, 7, 9 and 5 more are damaged: kept in {path.name}.damaged "
        '("id" is missing); their sentences are asked again'
    ]


def test_two_damaged_journals_lose_no_line(path):
    for _ in range(2):
        fill(path, entry("1"), entry("2"))
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([b"[]\n", *lines]))
        answers(path)
    assert path.with_name(f"{path.name}.damaged").read_bytes() == b"[]\n[]\n"


def test_a_complete_answer_between_zeros_is_kept(path):
    fill(path, entry("1", answer="a"), entry("2", answer="b"))
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + bytes(512) + second)
    assert answers(path) == ["a", "b"]


def test_one_answer_of_other_settings_among_many_still_stops_the_step(path):
    other = "f" * 64
    fill(path, *(entry(id_, fingerprint=OWN) for id_ in "123"), fingerprint=OWN)
    content = path.read_bytes() + damaged(json.loads(path.read_bytes().splitlines()[0]), fingerprint=other)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"contains answers of another model, prompt or setting \(line 4\)"):
        answers(path, OWN)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"not\na journal", b"not a journal", b"# notes\nlast line without an end"])
def test_a_file_that_is_not_a_journal_is_refused_and_not_changed(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ValueError, match="this line is not an answer that was saved here"):
        answers(path)
    assert path.read_bytes() == content


NO_COUNTS = [True, float("inf"), float("nan"), -1, "12", [12], {"total": 12}, None, 10**30, 1.5]


@pytest.mark.parametrize("count", NO_COUNTS, ids=str)
def test_an_answer_with_a_wrong_number_of_tokens_is_kept_without_it(path, caplog, count):
    """Earlier versions recorded these numbers as a server sent them."""
    fill(path, entry("1", answer="a", prompt_tokens=count), entry("2", answer="b", answer_tokens=count))
    with Journal(path, "f") as journal:
        assert [(one.answer, one.prompt_tokens, one.answer_tokens) for one in journal.entries.values()] == [
            ("a", 0, 2),
            ("b", 3, 0),
        ]
    assert not caplog.text


class ServerWithWrongUsage:
    """An LLM whose server reports a wrong number of tokens."""

    def __init__(self, count):
        self.count = count

    def generate(self, requests):
        for request in requests:
            yield Answer(request, "[]", "stop", self.count, self.count)


@pytest.mark.parametrize("count", NO_COUNTS, ids=str)
def test_a_wrong_number_of_tokens_is_not_recorded(path, count):
    questions = [Question(Request(id_, "entity", "prompt", 20), "h") for id_ in "12"]
    with Journal(path, "f") as journal:
        used = list(ask(questions, journal, lambda: ServerWithWrongUsage(count), title="test"))
    assert [(usage.prompt_tokens, usage.answer_tokens) for usage in used] == [(0, 0), (0, 0)]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row["prompt_tokens"], row["answer_tokens"]) for row in rows] == [(0, 0), (0, 0)]


def test_the_settings_are_read_from_a_damaged_journal(path):
    with Journal(path, "f", settings={"parameters": {"temperature": 0}}) as journal:
        journal.append([entry("1"), entry("2")])
    path.write_bytes(path.read_bytes() + b"\xff\n[]\n")
    assert recorded_settings(path) == {"f": {"parameters": {"temperature": 0}}}


def test_all_answers_are_on_disk_when_the_journal_is_closed(path, monkeypatch):
    synced = []
    sync = os.fsync

    def noted_sync(number):
        synced.append(os.fstat(number).st_size)
        sync(number)

    monkeypatch.setattr(os, "fsync", noted_sync)
    fill(path, *[entry(str(number)) for number in range(50)])
    assert synced[-1] == path.stat().st_size


def test_answers_do_not_wait_for_a_slow_disk_and_many_share_one_sync(path, monkeypatch):
    calls, go_on = [], threading.Event()

    def slow_sync(number):
        calls.append(number)
        go_on.wait(60)

    monkeypatch.setattr(os, "fsync", slow_sync)
    with Journal(path, "f") as journal:
        for number in range(100):
            journal.append([entry(str(number))])
        go_on.set()
    assert 1 <= len(calls) <= 3


def test_a_later_disk_error_is_raised_with_the_name_of_the_file(path, monkeypatch):
    def fail(number):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=r"Input/output error.*journal\.jsonl"):
        fill(path, entry("1"))


def test_a_partial_write_is_completed(path, monkeypatch):
    with Journal(path, "f") as journal:
        assert journal._file is not None
        file = journal._file._file

        class InParts:
            def __getattr__(self, name):
                return getattr(file, name)

            def write(self, data):
                return file.write(data[:7])

        monkeypatch.setattr(journal._file, "_file", InParts())
        journal.append([entry("1", answer="a"), entry("2", answer="b")])
    assert answers(path) == ["a", "b"]


def test_a_line_that_could_fill_the_memory_costs_no_other_answer(path, monkeypatch, caplog):
    fill(path, entry("1", answer="a"), entry("2", answer="b"), entry("3", answer="c"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"b"', b'"' + b"b" * 5000 + b'"') + lines[2])
    for module in (compressed, entries):
        monkeypatch.setattr(module, "MAX_LINE", 1000)
    assert answers(path) == ["a", "c"]
    assert "line 2 is damaged: kept in" in caplog.text
    assert path.read_bytes() == lines[0] + lines[2]
