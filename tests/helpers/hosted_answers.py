"""Answers of the servers in `hosted_server.py`: free ones, and those that a JSON schema or a grammar allows."""

from __future__ import annotations

import json
import random
import re
from typing import Any

Body = dict[str, Any]
WORDS = (
    "kept sold found lost the old new grey small lamp rope mast tower harbour winter spring letter brother "
    "gale tide north south keeper stores fish oil glass door stair and with under near before after during without"
)
CHARACTERS = "山水桥路人家风雨早晚春秋旧新长短来去上下左右看听写说走停大小高低东西南北"


def prompt_of(body: Body) -> str:
    return str(body["messages"][-1]["content"])


def is_question(body: Body) -> bool:
    """Return whether a request is about a sentence of s1 or s3."""
    return sentence_of(prompt_of(body)) != ""


def sentence_of(prompt: str) -> str:
    """Return the sentence that a prompt of s1 or s3 asks about; "" for other prompts."""
    found = re.findall(r"(?:\nSentence: |\n句子：)(.*)", prompt)
    return found[-1] if found else ""


def items_of(prompt: str) -> list[dict[str, str]]:
    """Return the right number of items for a sentence: its capitalised words, or all of its words."""
    sentence = sentence_of(prompt)
    words = sentence.split() if " " in sentence else re.findall(r"\w{2}|\w|[^\w\s]", sentence)
    if '"pos":' in prompt:
        return [{"word": word, "pos": "NOUN"} for word in words]
    named = [word for word in words if word[0].isupper()] if " " in sentence else words[:1]
    return [{"entity": word, "type": "LOCATION"} for word in named]


def free_text(prompt: str) -> str:
    """Return an unconstrained answer: items in a code block, new sentences, or a greeting."""
    if sentence_of(prompt):
        return f"Here is the list:\n```json\n{json.dumps(items_of(prompt), ensure_ascii=False)}\n```"
    text = re.search(r"^(?:Text: |文本：)(.*)", prompt, re.MULTILINE)
    if text is None:
        return "Hello! How can I help you today?"
    entities = re.search(r"^(?:Entities in it: |其中的实体：)(.*)", prompt, re.MULTILINE)
    names = re.findall(r"([^, ][^,]*?)\(", entities[1] if entities else "") or ["She"]
    draw = random.Random(text[1])
    if re.search(r"[\u4e00-\u9fff]", text[1]):
        return names[0] + "".join(draw.sample(list(CHARACTERS), 14)) + "。"
    return f"{names[0]} {' '.join(draw.sample(WORDS.split(), 10))} ."


def objects_of(schema: Any) -> list[dict[str, Any]]:
    """Return all schemas of objects inside a schema."""
    if isinstance(schema, list):
        return [found for part in schema for found in objects_of(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if isinstance(schema.get("properties"), dict) else []
    return own + [found for part in schema.values() for found in objects_of(part)]


def from_schema(schema: Body, prompt: str) -> str:
    """Return an answer that a schema allows, with the items of the prompt where it leaves a choice."""
    labels = schema["$defs"]["label"].get("enum", ["LOCATION"])
    if "items" in schema["properties"]:
        items = [dict(zip(item, (*item.values(),), strict=True)) for item in items_of(prompt)]
        held = [{key: labels[0] if key in ("type", "pos") else value for key, value in item.items()} for item in items]
        return json.dumps({"items": held}, ensure_ascii=False)
    words = {}
    for name, part in schema["properties"].items():
        text_key, label_key = part["properties"]
        words[name] = {text_key: part["properties"][text_key]["enum"][0], label_key: labels[0]}
    return json.dumps(words, ensure_ascii=False)


def from_grammar(grammar: str) -> str:
    """Return an answer that a grammar of this project allows: the first alternative of each rule, but no empty list."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.split("\n"))
    return _expand(rules["root"].replace('("]" | ', "("), rules)


def _expand(body: str, rules: dict[str, str]) -> str:
    token = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|[()|]')
    depth, out, skipping = 0, "", 0
    for part in token.findall(body):
        depth += (part == "(") - (part == ")")
        if part == "|":
            skipping = skipping if skipping else depth + 1
        elif skipping and depth < skipping - 1:
            skipping = 0
        if skipping or part in "()|":
            continue
        out += json.loads(part) if part.startswith('"') else _expand(rules[part], rules)
    return out
