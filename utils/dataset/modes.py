"""The tasks of an LLM: to find entities, parts of speech or target labels, or to write new sentences."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["system", "user", "assistant"]  # whose message it is, in a chat with an LLM
Mode = Literal["entity", "pos", "target"]  # target: entities with the labels of the dataset
# explain: new sentences, in most styles; rewrite: a sentence with given mentions; names: a list of new mentions
Task = Literal["entity", "pos", "target", "explain", "rewrite", "names"]
PromptStyle = Literal["explain", "continue", "dialogue", "news"]  # of new sentences
MentionStyle = Literal["rewrite", "names"]  # sentences that must contain given mentions
Style = Literal[PromptStyle, MentionStyle]
MODES: tuple[Mode, ...] = get_args(Mode)
EXTENSION_MODES: tuple[Mode, ...] = ("entity", "pos")  # those that give extension labels
