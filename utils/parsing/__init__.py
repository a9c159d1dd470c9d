"""Parsing: the items that an LLM's answer lists, whatever form the answer has."""

from utils.parsing.answer import parse_items, read_answer
from utils.parsing.item import ITEM_KEYS, Item
from utils.parsing.json_forms.values import as_text

__all__ = ["ITEM_KEYS", "Item", "as_text", "parse_items", "read_answer"]
