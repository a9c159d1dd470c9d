"""Parsing: the items that an LLM's answer lists, in any form that models write.

Start with `read_answer` in answer.py. json_forms/ and text_forms/ find candidates of items in JSON, valid or broken,
and in other text.
"""

from utils.parsing.answer import parse_items, read_answer
from utils.parsing.item import ITEM_KEYS, Item
from utils.parsing.json_forms.values import as_text

__all__ = ["ITEM_KEYS", "Item", "as_text", "parse_items", "read_answer"]
