"""The JSON of an answer that lists items, for servers that hold answers to a JSON schema or to a JSON object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

JsonGuidance = Literal["json_schema", "json_object"]

MAX_LABELS, MAX_WORDS = 500, 300  # longer lists exceed the limits of hosted services; they are not in a schema


@dataclass(frozen=True, slots=True)
class ItemForm:
    """The keys of the items, and the texts that their values may have. The items are part of an object.

    Most services refuse a schema of an array. With `words`, the object has one part per word, so that the model can
    leave none out: an array cannot be held to different words at each index everywhere.
    """

    guidance: JsonGuidance
    keys: tuple[str, str]  # of an item's text and of its label
    labels: tuple[str, ...] | None  # None: any label
    words: tuple[str, ...] | None = None  # the texts of all items, in order; None: the model chooses them

    def response_format(self) -> dict[str, Any]:
        """Return the value of OpenAI's field `response_format`."""
        if self.guidance == "json_object":
            return {"type": "json_object"}
        return {"type": "json_schema", "json_schema": {"name": "items", "strict": True, "schema": self.json_schema()}}

    def json_schema(self) -> dict[str, Any]:
        """Return a schema of the keywords that the services share: no `const`, no `prefixItems`, no array as root."""
        if self.words and len(self.words) <= MAX_WORDS:
            return self._definitions({f"w{number}": self._item(word) for number, word in enumerate(self.words, 1)})
        return self._definitions({"items": {"type": "array", "items": self._item(None)}})

    def instruction(self) -> str:
        """Return what a prompt must add for `json_object`, in no language: services require the word JSON in it.

        >>> ItemForm("json_object", ("entity", "type"), None).instruction()
        'JSON: {"items":[{"entity":"…","type":"…"}]}'
        """
        example = {"items": [dict.fromkeys(self.keys, "…")]}
        return f"JSON: {json.dumps(example, ensure_ascii=False, separators=(',', ':'))}"

    def _definitions(self, properties: dict[str, Any]) -> dict[str, Any]:
        label: dict[str, Any] = {"type": "string"}
        if self.labels and len(self.labels) <= MAX_LABELS:
            label["enum"] = list(dict.fromkeys(self.labels))
        return {**_object(properties), "$defs": {"label": label}}  # once: services limit the values of all enums

    def _item(self, word: str | None) -> dict[str, Any]:
        text = {"type": "string"} if word is None else {"type": "string", "enum": [word]}
        return _object({self.keys[0]: text, self.keys[1]: {"$ref": "#/$defs/label"}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
