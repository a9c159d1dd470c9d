"""A parser with the flags of s1, for several tests."""

from __future__ import annotations

import pytest

from utils.cli.annotation.flags import add_annotation_flags
from utils.cli.data_flags import add_dataset_flags
from utils.cli.llm_flags import add_llm_flags
from utils.cli.parser import Parser


@pytest.fixture
def parser():
    made = Parser("What it does.")
    add_dataset_flags(made)
    add_llm_flags(made, batch_size=20)
    add_annotation_flags(made)
    return made


@pytest.fixture
def parse(parser):
    """Parse words, after the flags that s1 requires."""
    return lambda *words: parser.parse_words(["--file_name=weibo", "--model_from_pretrained=m", *words])
