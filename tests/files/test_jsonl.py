"""JSON and JSON Lines files: reading, errors that name the line, and writing completely or not at all."""

from __future__ import annotations

import json
import sys

import pytest

from utils.files import compressed
from utils.files.jsonl import decode_utf8, encode_json, read_json, read_rows, replace_file, write_json, write_rows
from utils.files.locks import try_lock


def test_rows_have_the_numbers_of_their_lines_and_empty_lines_are_skipped(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n\n   \n{"a": 2}')
    assert list(read_rows(path)) == [(1, {"a": 1}), (4, {"a": 2})]


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x85", "\t", "\r", "\n", "\x0b", '"', "\\", "🙂"])
def test_a_string_may_contain_characters_that_end_a_line_elsewhere(tmp_path, inside):
    rows = [{"answer": f"a{inside}b"}, {"answer": "c"}]
    write_rows(tmp_path / "a.jsonl", rows)
    assert [row for _, row in read_rows(tmp_path / "a.jsonl")] == rows


def test_a_byte_order_mark_and_carriage_returns_are_not_part_of_the_data(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}\r\n')
    assert [row for _, row in read_rows(path)] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": 1', r"a\.jsonl:2: not valid JSON .*expected one JSON object per line"),
        (b"[1, 2]", r"a\.jsonl:2: expected a JSON object, found list"),
        (b"17", r"a\.jsonl:2: expected a JSON object, found int"),
        ("{'北京'}".encode("gb18030"), r"a\.jsonl:2: not UTF-8; convert the file first, .*iconv"),
        (b"[" * 100_000, r"a\.jsonl:2: not valid JSON"),
    ],
)
def test_a_broken_line_is_refused_with_its_file_and_number(tmp_path, line, message):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b"\n")
    with pytest.raises(ValueError, match=message):
        list(read_rows(path))


def test_rows_before_a_broken_line_are_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\nbroken\n')
    assert next(read_rows(path)) == (1, {"a": 1})


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        list(read_rows(tmp_path / "none.jsonl"))


def test_an_object_with_the_same_key_twice_is_refused(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text('{"NOUN": ["n"], "VERB": [], "NOUN": ["名词"]}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"labels\.json: .*'NOUN' occurs twice in one object"):
        read_json(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"anna\0 sees bert\n", r"a:1: contains 1 NUL character, the first after 'anna': remove them"),
        ("他在\0北京。\n".encode(), r"a:1: contains 1 NUL character, the first after '他在': remove .* tr -d"),
        (b"a\0b", "a:1: contains 1 NUL"),
        (bytes(9), "a:1: not UTF-8 text but NUL characters alone"),
        ('{"text": "a"}\n'.encode("utf-16-le"), "a:1: not UTF-8; .* iconv -f UTF-16LE"),
        ('{"text": "北京"}\n'.encode("utf-16-be"), "a:1: not UTF-8; .* iconv -f UTF-16BE"),
        ("北京\n".encode("gb18030"), "a:1: not UTF-8; .* iconv -f GB18030"),
    ],
)
def test_bytes_that_are_not_plain_utf8_are_refused_with_the_cause(data, message):
    with pytest.raises(ValueError, match=message):
        decode_utf8(data, "a:1")


def test_broken_json_is_refused_with_its_file(tmp_path):
    (tmp_path / "labels.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"labels\.json: not valid JSON"):
        read_json(tmp_path / "labels.json")


def test_json_is_written_as_utf8_without_escapes_and_read_back(tmp_path):
    write_json(tmp_path / "deep" / "a.json", {"人名": [1, None]})
    assert "人名" in (tmp_path / "deep" / "a.json").read_text(encoding="utf-8")
    assert read_json(tmp_path / "deep" / "a.json") == {"人名": [1, None]}


def test_a_lone_surrogate_can_be_written_and_read():
    assert json.loads(encode_json({"a": "x\ud83d"})) == {"a": "x\ud83d"}


def test_a_crash_during_writing_leaves_only_the_old_file(tmp_path):
    path = tmp_path / "a.jsonl"
    write_rows(path, [{"a": 1}])

    def rows():
        yield {"a": 2}
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_rows(path, rows())
    assert path.read_bytes() == b'{"a": 1}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_has_its_final_name_only_when_it_is_complete(tmp_path):
    path = tmp_path / "a.jsonl"
    with replace_file(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"half"


def test_a_reader_of_the_old_file_still_reads_all_of_it(tmp_path):
    path = tmp_path / "a.jsonl"
    write_rows(path, [{"a": 1}])
    with path.open("rb") as old:
        write_rows(path, [{"b": 2}, {"b": 3}])
        assert old.read() == b'{"a": 1}\n'
    assert path.read_bytes() == b'{"b": 2}\n{"b": 3}\n'


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
def test_files_of_killed_runs_are_removed_and_those_of_active_runs_stay(tmp_path):
    path = tmp_path / "a [1].jsonl"
    left, other = tmp_path / ".a [1].jsonl.999999.partial", tmp_path / ".b.jsonl.999999.partial"
    written = tmp_path / ".a [1].jsonl.1.partial"
    for file in (left, other):
        file.write_bytes(b"half")
    held = try_lock(written)
    assert held is not None
    with held:
        write_rows(path, [{"a": 1}])
        assert sorted(tmp_path.iterdir()) == sorted([path, other, written])


def test_a_file_is_not_written_by_two_writers_at_the_same_time(tmp_path):
    path = tmp_path / "a.jsonl"
    with (
        replace_file(path) as file,
        pytest.raises(RuntimeError, match="being written by another process"),
        replace_file(path),
    ):
        file.write(b"never")


def test_an_error_without_a_file_name_names_the_written_file(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: .*a\.jsonl"), replace_file(tmp_path / "a.jsonl"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


STRAY = [
    "北京\0".encode(),
    b'{"text": "a\0b\0c\0d\0e\0"}',
    b"\0\0\0\0abc",
    "北京\0\0\0".encode("gb18030"),
    b'{"text": "caf\xe9\0"}',
    ("x" * 40 + "\0").encode() * 8,
]


@pytest.mark.parametrize("data", STRAY, ids=ascii)
def test_stray_nul_characters_are_not_called_utf_16(data):
    with pytest.raises(ValueError, match=r"a\.jsonl:3: contains \d+ NUL characters?, the first after") as raised:
        decode_utf8(data, "a.jsonl:3")
    assert "iconv" not in str(raised.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ['{"text": ["北", "京"], "entities": []}', "Anna Lee lives in Oslo", "O\nPER\nLOC\n"])
def test_utf_16_is_recognised_and_its_remedy_works(encoding, text):
    data = text.encode(encoding)
    with pytest.raises(ValueError, match="not UTF-8; convert") as raised:
        decode_utf8(data, "a")
    named = str(raised.value).split("iconv -f ")[1].split()[0]
    assert data.decode(named) == text


def test_a_line_that_could_fill_the_memory_is_refused_and_the_next_ones_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(compressed, "MAX_LINE", 100)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": "' + b"x" * 1000 + b'"}\n{"a": 3}\n')
    with path.open("rb") as file:
        lines = list(compressed.bounded_lines(file))
    assert [(number, start, len(line)) for number, start, line in lines] == [(1, 0, 9), (2, 9, 101), (3, 1019, 9)]
    with pytest.raises(ValueError, match=r"a\.jsonl:2: the line is longer than"):
        list(read_rows(path))


def test_a_file_that_could_fill_the_memory_is_refused(tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(ValueError, match=r"a\.json: larger than 256 MiB"):
        read_json(path)


def test_a_number_that_no_calculation_can_use_is_refused(tmp_path):
    (tmp_path / "a.json").write_text(f'{{"a": {"9" * 400}}}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.json: not valid JSON \(a number has 400 digits\)"):
        read_json(tmp_path / "a.json")
