"""The header of a .gguf file: damage is found before llama.cpp reads the file, and the file is named."""

from __future__ import annotations

import random
import struct

import pytest

from utils.llm import LLMOptions, load_llm
from utils.llm.backends import llamacpp
from utils.llm.gguf_file import read_chat_template


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def tensor(name, shape, *, kind=0, offset=0):
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def setting(name, kind, value):
    return text(name) + struct.pack("<I", kind) + value


TEMPLATE = setting("tokenizer.chat_template", 8, text("{{ messages }}"))
TOKENS = setting("tokens", 9, struct.pack("<IQ", 8, 2) + text("a") + text("b"))
SCORES = setting("scores", 9, struct.pack("<IQ", 6, 3) + bytes(12))


def gguf(settings=(TOKENS, SCORES, TEMPLATE), tensors=(), data=b"", *, version=3):
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(settings)) + b"".join([*settings, *tensors])
    return head + bytes(-len(head) % 32) + data


def write(tmp_path, content):
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    return path


def test_the_chat_template_is_read(tmp_path):
    assert read_chat_template(write(tmp_path, gguf())) == "{{ messages }}"
    assert read_chat_template(write(tmp_path, gguf([TOKENS]))) is None


def test_a_file_with_all_tensors_is_complete(tmp_path):
    tensors = [tensor("a", (32, 2)), tensor("b", (64,), kind=8, offset=256)]
    assert read_chat_template(write(tmp_path, gguf([], tensors, bytes(256 + 68)))) is None
    with pytest.raises(ValueError, match=r"model.gguf is damaged or incomplete \(1 of its bytes are missing\)"):
        read_chat_template(write(tmp_path, gguf([], tensors, bytes(256 + 67))))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"GGUF", "not a complete GGUF file"),
        (gguf()[:40], "its header ends early"),
        (gguf()[:100], "its header ends early"),
        (gguf(version=1), "its version is 1, not 2 or 3"),
        (gguf([setting("a", 99, b"")]), "unknown type 99"),
        (gguf([setting("a", 9, struct.pack("<IQ", 9, 1))]), "unknown type 9"),
        (gguf([setting("a", 9, struct.pack("<IQ", 0, 2**63))]), "its header ends early"),
        (gguf([setting("tokenizer.chat_template", 4, bytes(4))]), "chat_template is not a text"),
        (gguf([setting("general.alignment", 4, bytes(4))]), "general.alignment is 0"),
        (gguf([], [text("a") + struct.pack("<I", 2**31)]), "2147483648 dimensions"),
        (gguf([], [tensor("a", (2**40, 2**40))]), "of its bytes are missing"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 2**63) + bytes(100), "ends early"),
    ],
)
def test_a_damaged_file_is_named(content, what, tmp_path):
    with pytest.raises(ValueError, match=rf"model.gguf is .*{what}"):
        read_chat_template(write(tmp_path, content))


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_headers_are_read_or_named(count, tmp_path):
    rng = random.Random(20)
    whole = gguf(tensors=[tensor("a", (32, 2))], data=bytes(256))
    for _ in range(count):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 9, 255, rng.randrange(256)))
        try:
            read_chat_template(write(tmp_path, damaged[: rng.choice((len(damaged), rng.randrange(len(damaged))))]))
        except ValueError as error:
            assert "model.gguf is " in str(error)


def test_a_broken_file_is_named_before_it_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(
        llamacpp, "server_parameters", lambda *given, **named: pytest.fail("llama.cpp was asked to load it")
    )
    path = write(tmp_path, gguf()[:100])
    for use in (llamacpp.check, llamacpp.load, llamacpp.load_counter):
        with pytest.raises(ValueError, match=r"model.gguf is damaged or incomplete"):
            use(str(path), LLMOptions())


def test_a_file_that_llama_cpp_refuses_is_named(tmp_path):
    pytest.importorskip("xllamacpp")
    path = write(tmp_path, gguf())
    with pytest.raises(RuntimeError, match=r"model.gguf: llama.cpp cannot load it .*download it again"):
        load_llm(str(path), "llamacpp", LLMOptions())
