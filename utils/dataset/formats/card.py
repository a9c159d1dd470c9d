"""A dataset card: a README.md with the metadata of the Hugging Face Hub, and what the manifests say about the data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.dataset.formats.collection import Collection
from utils.dataset.tokens import language_of
from utils.files.jsonl import replace_file
from utils.files.manifest import Manifest, read_manifest
from utils.wording import counted

CARD = "README.md"
EXAMPLES = 3  # mentions of each label
CITATION = """@inproceedings{lai-etal-2025-improving,
    title = "Improving Low-Resource Sequence Labeling with Knowledge Fusion and Contextual Label Explanations",
    author = "Lai, Peichao and Gan, Jiaxin and Ye, Feiyang and Zhang, Wentao and
        Fu, Fangcheng and Wang, Yilei and Cui, Bin",
    booktitle = "Proceedings of the 2025 Conference on Empirical Methods in Natural Language Processing",
    year = "2025",
    pages = "5666--5685",
    url = "https://aclanthology.org/2025.emnlp-main.288"
}"""


@dataclass(frozen=True)
class CardFacts:
    """What a card says besides the sentences themselves."""

    name: str
    license: str
    source: Path
    from_format: str
    files: Sequence[Path]
    losses: Sequence[str]


def write_card(folder: Path, collection: Collection, facts: CardFacts) -> Path:
    """Write README.md in a folder; return its path."""
    with replace_file(folder / CARD) as file:
        file.write(card_text(collection, facts).encode())
    return folder / CARD


def card_text(collection: Collection, facts: CardFacts) -> str:
    """Return the text of a card in Markdown."""
    manifests = provenance(facts.source)
    parts = [
        *_header(collection, facts),
        f"# {_plain(facts.name)}",
        _summary(collection),
        "## Sizes",
        *_sizes(collection),
        "## Labels",
        *_labels(collection),
        "## Where it comes from",
        *_origin(facts, manifests),
        "## What was left out or changed",
        *(_bullets([*_filtered(manifests), *map(_plain, facts.losses)]) or ["Nothing that was counted."]),
        "## Licence",
        _licence(facts.license),
        "## How to cite",
        "Cite the dataset that the sentences come from, and the method that extended it:",
        f"```bibtex\n{CITATION}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def provenance(source: Path) -> dict[str, Manifest]:
    """Return the manifests that a file goes back to, by the name of the result; its own is the first.

    An input is looked for in the folder of the result and in the two above it, where the earlier steps write.
    """
    found: dict[str, Manifest] = {}
    waiting = [source.resolve()] if source.is_file() else []
    seen = set(waiting)
    while waiting:
        file = waiting.pop(0)
        manifest = read_manifest(file)
        if manifest is None:
            continue
        found[f"{file.parent.name}/{file.name}"] = manifest
        for name in manifest.inputs:
            places = (folder / name for folder in (file.parent, *file.parents[1:4]))
            inputs = [place for place in places if place.is_file()][:1]
            waiting += [place for place in inputs if place not in seen]
            seen.update(inputs)
    return found


def _header(collection: Collection, facts: CardFacts) -> Iterator[str]:
    """Yield the metadata of the hub. Values from outside are written as JSON strings, which YAML reads as strings."""
    number = len(collection.sentences)
    texts = (collection.tokenisation.join(sentence.tokens) for sentence in collection.sentences)
    lines = ["---", f"pretty_name: {_quoted(facts.name)}", f"license: {_quoted(facts.license)}"]
    lines += [f"language:\n- {language_of(texts)}", "task_categories:\n- token-classification"]
    lines += ["task_ids:\n- named-entity-recognition", f"size_categories:\n- {_size_category(number)}"]
    found = {split: _file_of(split, facts.files) for split in collection.splits}
    files = {split: file for split, file in found.items() if file is not None}
    if len(files) == len(found):
        lines += ["configs:\n- config_name: default\n  data_files:"]
        lines += [f"  - split: {split}\n    path: {_quoted(name)}" for split, name in files.items()]
    yield "\n".join([*lines, "---"])


def _file_of(split: str, files: Iterable[Path]) -> str | None:
    return next((file.name for file in files if file.is_file() and file.name.startswith(split)), None)


def _size_category(number: int) -> str:
    """Return the hub's name of a number of sentences."""
    bounds = ((1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for bound, name in bounds if number < bound), "n>1M")


def _summary(collection: Collection) -> str:
    token = "a character" if collection.tokenisation.is_dense else "a word"
    nested = sum(sentence.has_nested_spans for sentence in collection.sentences)
    return (
        f"Named entities as spans of tokens; a token is {token}. Spans are nested in {nested} of "
        f"{counted(len(collection.sentences), 'sentence')}."
    )


def _sizes(collection: Collection) -> Iterator[str]:
    rows = ["| split | sentences | synthetic | tokens | spans |", "| --- | --- | --- | --- | --- |"]
    for split, sentences in collection.splits.items():
        synthetic = sum(sentence.is_synthetic for sentence in sentences)
        tokens, spans = sum(len(one.tokens) for one in sentences), sum(len(one.spans) for one in sentences)
        rows.append(f"| {split} | {len(sentences)} | {synthetic} | {tokens} | {spans} |")
    yield "\n".join(rows)


def _labels(collection: Collection) -> Iterator[str]:
    """Yield a table of labels: whether a span is from the dataset, an LLM or a model, and some mentions."""
    counts: Counter[tuple[str, str]] = Counter()
    mentions: dict[tuple[str, str], Counter[str]] = {}
    for sentence in collection.sentences:
        for span in sentence.spans:
            key = span.label, _ORIGINS.get(span.origin or "", "dataset")
            counts[key] += 1
            text = collection.tokenisation.join(sentence.tokens[span.start : span.end])
            mentions.setdefault(key, Counter())[text] += 1
    rows = ["| label | from | spans | examples |", "| --- | --- | --- | --- |"]
    for (label, origin), number in sorted(counts.items(), key=lambda pair: (pair[0][1], -pair[1])):
        examples = ", ".join(_plain(text) for text, _ in mentions[label, origin].most_common(EXAMPLES))
        rows.append(f"| {_plain(label)} | {origin} | {number} | {examples} |")
    yield "\n".join(rows)


_ORIGINS = {"entity": "LLM (entities)", "pos": "LLM (parts of speech)", "ner": "span model"}
_SHOWN = ("task", "style", "decoding", "votes", "guided", "closed_labels", "label_prefix")  # of the parameters


def _origin(facts: CardFacts, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    lines = [f"Converted from `{facts.source.name}` ({facts.from_format})."]
    if not manifests:
        lines.append("The file has no manifest: how it was made is not recorded.")
    for name, manifest in manifests.items():
        shown = {key: value for key, value in manifest.parameters.items() if _is_shown(key)}
        values = ", ".join(f"{key}: {_short(value)}" for key, value in shown.items())
        lines.append(f"- `{name}`: step {manifest.step}, version {manifest.version}{'; ' + values if values else ''}")
    yield "\n".join([lines[0], "", *lines[1:]])


def _is_shown(key: str) -> bool:
    """Return whether a parameter of a manifest belongs in the card: the LLM, and the hashes of its prompts."""
    return key in _SHOWN or "prompt" in key or "model" in key


def _filtered(manifests: Mapping[str, Manifest]) -> list[str]:
    """Return the counts of each step that are not 0."""
    lines = []
    for name, manifest in manifests.items():
        dropped = manifest.counts.get("dropped")  # by reason (s2)
        reasons = (
            {f"dropped, {reason}": number for reason, number in dropped.items()} if isinstance(dropped, dict) else {}
        )
        counts = {**manifest.counts, **reasons}
        numbers = {key: value for key, value in counts.items() if isinstance(value, (int, float)) and value}
        if numbers:
            shown = ", ".join(f"{_plain(key)} {number}" for key, number in numbers.items())
            lines.append(f"`{name}` ({manifest.step}): {shown}")
    return lines


def _licence(name: str) -> str:
    if name == "unknown":
        return "Not stated. Write the licence of the source sentences here and in the header before you share the data."
    return _plain(name)


def _bullets(lines: Iterable[str]) -> list[str]:
    text = "\n".join(f"- {line}" for line in lines)
    return [text] if text else []


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _plain(text if len(text) <= 100 else f"{text[:97]}…")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line, also in a table."""
    one_line = " ".join(text.split())
    for character in "\\`*_|<>[]#":
        one_line = one_line.replace(character, f"\\{character}" if character != "<" else "&lt;")
    return one_line
