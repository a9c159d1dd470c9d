"""The files of a tokenizer in the folder of a checkpoint. Standard library only."""

from __future__ import annotations

from pathlib import Path

TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
)


def has_tokenizer(folder: Path) -> bool:
    """Return whether a folder has the files of a tokenizer."""
    return bool(tokenizer_files(folder))


def tokenizer_files(folder: Path) -> list[Path]:
    """Return the files of the tokenizer in a folder."""
    return [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
