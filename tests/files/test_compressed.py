"""Compressed files: they are read as if they were not compressed, and damaged ones are named."""

from __future__ import annotations

import gzip
import json
import sys
import tracemalloc

import pytest

from tests.helpers.builders import CHINESE, call, read_lines
from tests.helpers.workspace import Workspace
from utils.dataset.layout import SIZES, Layout
from utils.files.compressed import INSTALL, find_input, open_input, open_seekable
from utils.files.jsonl import read_rows
from utils.files.manifest import hash_file

LINES = "".join(json.dumps({"text": f"sentence {number}"}) + "\n" for number in range(5000)).encode()


def zstd(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard")
    return zstandard.ZstdCompressor().compress(data)


PACKED = {".gz": gzip.compress, ".zst": zstd}


@pytest.fixture(params=PACKED)
def packed(request, tmp_path):
    """Return a function that writes a compressed file."""

    def write(data: bytes, name: str = "train.jsonl"):
        path = tmp_path / (name + request.param)
        path.write_bytes(PACKED[request.param](data))
        return path

    return write


def test_a_compressed_file_has_the_lines_and_the_hash_of_its_content(packed, tmp_path):
    plain = tmp_path / "train.jsonl"
    plain.write_bytes(LINES)
    path = packed(LINES)
    assert list(read_rows(path)) == list(read_rows(plain))
    assert hash_file(path) == hash_file(plain)
    with open_seekable(path) as file:
        file.seek(len(LINES) - 26)
        assert file.read() == LINES[-26:]


def test_parts_that_were_compressed_one_after_the_other_are_read_together(packed):
    path = packed(LINES)
    path.write_bytes(path.read_bytes() * 2)
    with open_input(path) as file:
        assert file.read() == LINES * 2


@pytest.mark.parametrize("keep", [0, 1, 3, 20, -1])
def test_a_file_that_is_cut_off_is_named(packed, keep):
    path = packed(LINES)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"{path.name}: the \w+ file is damaged or cut off .*: copy or download it"):
        list(read_rows(path))


@pytest.mark.parametrize("place", [0, 30, -5])
def test_a_damaged_file_is_named(packed, place):
    path = packed(LINES)
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    data[place + 1] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(ValueError, match=f"{path.name}: the .* file is damaged or cut off"):
        list(read_rows(path))


def test_a_file_that_is_not_compressed_but_named_so_is_refused(tmp_path):
    path = tmp_path / "train.jsonl.gz"
    path.write_bytes(LINES)
    with pytest.raises(ValueError, match="the gzip file is damaged or cut off"):
        list(read_rows(path))


def test_a_compressed_file_without_the_ending_is_refused(packed, tmp_path):
    path = packed(LINES)
    other = path.rename(tmp_path / "train.jsonl")
    with pytest.raises(ValueError, match=rf"not text but compressed data: .* a name that ends in {path.suffix}"):
        list(read_rows(other))


def test_much_content_of_a_small_file_is_refused_and_never_in_memory_at_once(packed):
    path = packed(b"\n" * (64 << 20))
    tracemalloc.start()
    with open_input(path) as file, pytest.raises(ValueError, match=r"train.jsonl.* unpacks to more than 200 times"):
        while file.read(1 << 20):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size < 1 << 20
    assert peak < 32 << 20


def test_a_missing_package_is_one_line_with_its_installation(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression", None)
    path = tmp_path / "train.jsonl.zst"
    path.write_bytes(b"anything")
    with pytest.raises(ImportError, match=f"train.jsonl.zst is compressed with Zstandard, .*: {INSTALL}"):
        open_input(path).read()


def test_a_file_and_its_compressed_form_are_not_both_there(tmp_path):
    path = tmp_path / "dev.jsonl"
    assert find_input(path) == path
    (tmp_path / "dev.jsonl.gz").touch()
    assert find_input(path).name == "dev.jsonl.gz"
    path.touch()
    with pytest.raises(ValueError, match=r"dev\.jsonl and dev\.jsonl\.gz, .*: keep one of them"):
        find_input(path)


def test_steps_give_the_same_bytes_for_a_compressed_dataset(tmp_path):
    work = Workspace(tmp_path, CHINESE)
    results = []
    for name in ("plain", "packed"):
        if name == "packed":
            train = work.dataset / "train_1000.jsonl"
            (work.dataset / "train_1000.jsonl.gz").write_bytes(gzip.compress(train.read_bytes()))
            train.unlink()
        call("s1", **work.llm)
        call("s4", **work.data)
        call("s5", **work.data)
        files = [path for size in SIZES for path in (work.results / size).iterdir()]
        results.append({path: path.read_bytes() for path in files})
    assert results[0] == results[1]
    assert len(results[0]) > 10
    call("check", folder=work.dataset)
    call("convert", input=work.dataset, output=tmp_path / "out")
    written = read_lines(tmp_path / "out" / "train_1000.jsonl")
    assert [row["text"] for row in written] == [row["text"] for row in CHINESE.rows]
    assert Layout(work.file_dir, "tiny").train.name == "train_1000.jsonl.gz"
