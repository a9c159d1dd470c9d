"""Answers that are no JSON, as readings: tables, bullet lists, `word: POS` lines, tagged words, tagged text.

Every pattern is bounded, so that the time is linear in the answer's length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from utils.parsing.item import NOTHING, Reading
from utils.parsing.keys import LABEL_KEYS, TEXT_KEYS, WRAPPERS, plain_key

LONGEST_LINE = 2000  # a longer one is prose, or one line of tagged words
LONGEST_PART = 120  # characters of a text or label
LONGEST_LABEL = 40

_BULLET = re.compile(r"\s{0,20}(?:[-*•·+–○●◦▪]\s|[•·●▪]|\(?\d{1,3}[.)、．](?!\d)|（\d{1,3}）|[①-⑳])\s{0,20}")
_DECORATION = re.compile(r"\*\*|__|`+|^#{1,6}\s|^>\s")
_NOISE = re.compile(r"\s*(?:[`~]{3}.{0,20}|[-=*_|:+\s]{3,})?\s*$")  # fences, rulers
_QUOTES = "\"'“”‘’「」『』《》【】[]"
_PARENS = re.compile(r"(.{1,120}?)\s{0,4}[（(【\[]([^（()）【】\[\]]{1,40})[)）】\]]\s{0,4}[，,;；、。.]?$")
_JOINTS = ("\t", "→", "->", "=>", "：", ":", " — ", " – ", " - ", "——", " = ", "=")
_TAGGED = re.compile(
    r"(\S{1,60})[/_|\\]([A-Za-z][\w.$*-]{0,19}|-\w{2,4}-|[^\w\s/]{1,2}|[\u3040-\u9fff\uac00-\ud7a3]{1,8})[,，、]?$"
)
_TAGGED_PARENS = re.compile(r"([^\s()（）]{1,60})[（(]([\w.$-]{1,20})[)）][,，、]?$")
_ELEMENT = re.compile(r"<([^\W\d][\w.-]{0,40})((?:\s[^<>]{0,120})?)>([^<>]{1,200})</\1\s{0,4}>")
_ATTRIBUTE = re.compile(r"""=\s{0,4}["']([^"'<>]{1,60})["']""")
_ENDS_SENTENCE = re.compile(r"[。！？!?；;]\s*\S|\w{4}\.\s+\S")
_RULER = re.compile(r"\s*[|｜]?[\s:]*-{2,}[\s:]*[|｜][-\s:|｜]*$")
_SHORT_PAIR = re.compile(r"([^：:]{1,30})[：:]([^：:]{1,30})$")
_LIST = re.compile(r"\s*[、，,;；]\s*")
_FIELD = re.compile(r"\s*[，,;；\t]\s*(?=[^，,;；：:]{1,20}[：:])")


def read_lines(text: str) -> list[Reading]:
    """Return the readings of a text without JSON; none where it does not look like a list of items."""
    elements = list(_elements(text))
    if elements:
        return elements
    lines = [line for line in text.splitlines() if not _NOISE.match(line[:LONGEST_LINE])]
    bullets = [line for line in lines if _BULLET.match(line[:60])]
    ruled = any(_RULER.match(line[:LONGEST_LINE]) for line in text.splitlines())
    found = _read_rows(lines, fewest_bars=1 if ruled else 2) or _read_named(lines)
    return found or _read_each(bullets) or _read_each(lines) or _read_columns(lines)


def read_line(line: str) -> list[Reading]:
    """Return the readings of one line or string: tagged words, or one text and its label (or a label's texts)."""
    plain = _plain(line)
    tagged = _read_tagged(plain)
    if tagged or len(plain) > LONGEST_LINE:
        return tagged
    return _read_fields(plain) or _read_listed(plain) or _read_pair(plain)


def _read_each(lines: Sequence[str]) -> list[Reading]:
    """Return the readings of the lines if at least half of those that could be items are."""
    candidates = [line for line in lines if not line.rstrip().endswith((":", "："))]
    found = [readings for line in candidates if (readings := read_line(line)) or _says_nothing(line)]
    if 2 * len(found) < len(candidates):
        return []
    if any(len(readings) != 1 and all(one.kind == "pair" for one in readings) for readings in found):
        found = [[one.turned() for one in pair] if len(pair) == 1 else pair for pair in found]  # all are `label: texts`
    return [reading for readings in found for reading in readings]


def _read_named(lines: Sequence[str]) -> list[Reading]:
    """Return the items of lines that name the parts: `entity: 北京`, and then `type: 地名`."""
    readings: list[Reading] = []
    text = ""
    for line in lines:
        name, value = _split_field(_plain(line[:LONGEST_LINE]))
        if plain_key(name) in TEXT_KEYS:
            text = value
        elif plain_key(name) in LABEL_KEYS and text and value:
            readings.append(Reading(text, value))
            text = ""
    return readings


def _read_tagged(line: str) -> list[Reading]:
    """Return the words of `北京/ns 大学/n` if most of the line's words have a tag."""
    words = (line[1:-1] if line[:1] == "[" and line[-1:] == "]" else line).split()
    matches = [match for word in words if (match := _TAGGED.match(word) or _TAGGED_PARENS.match(word))]
    if "://" in line and len(words) == 1:
        return []
    readings = [Reading(_unquoted(match[1]), match[2]) for match in matches]
    return readings if 2 * len(matches) > len(words) else []


def _read_fields(line: str) -> list[Reading]:
    """Return the item of `实体：北京，类型：地名`."""
    fields = dict(_split_field(field) for field in _FIELD.split(line))
    named = {plain_key(key): value for key, value in fields.items() if value}
    text = next((named[key] for key in TEXT_KEYS if key in named), None)
    label = next((named[key] for key in LABEL_KEYS if key in named), None)
    return [Reading(text, label)] if text and label else []


def _read_listed(line: str) -> list[Reading]:
    """Return the readings of `北京（地名）、上海（地名）` and of `北京：地名，上海：地名`."""
    parts = _LIST.split(line)
    matches = [_PARENS.match(part) or _SHORT_PAIR.match(part) for part in parts]
    if len(parts) < 2 or not all(matches):
        return []
    return [reading for match in matches if match for reading in _pair(match[1], match[2])]


def _split_field(field: str) -> tuple[str, str]:
    key, _, value = field.replace("：", ":").partition(":")
    return key, _unquoted(value)


def _read_pair(line: str) -> list[Reading]:
    """Return the reading of `北京: 地名`, `北京（地名）`, or those of `地名: 北京、上海`."""
    parens = _PARENS.match(line)
    if parens and not any(joint in line for joint in ("：", ": ", "\t")):
        return _pair(*parens.groups())
    for joint in _JOINTS:
        text, found, label = line.rpartition(joint)
        if found and text.strip() and label.strip() and not label.startswith("//"):
            return _pair(text, label)
    return []


def _pair(left: str, right: str) -> list[Reading]:
    left, right = _unquoted(left), _unquoted(right)
    if not left or not right or right.casefold() in NOTHING:
        return []
    if max(len(left), len(right)) > LONGEST_PART or min(len(left), len(right)) > LONGEST_LABEL:
        return []
    if _ENDS_SENTENCE.search(left) or _ENDS_SENTENCE.search(right):
        return []
    if plain_key(left) in TEXT_KEYS and plain_key(right) in LABEL_KEYS:  # a table's head
        return []
    parts = [part for part in map(_unquoted, _LIST.split(right)) if part]
    if len(parts) > 1:
        return [Reading(part, left, kind="pair") for part in parts]
    return [Reading(left, right, kind="pair")]


def _read_rows(lines: Sequence[str], *, fewest_bars: int) -> list[Reading]:
    """Return the readings of a table's rows: `| 北京 | 地名 |`, or columns parted by tabs."""
    readings: list[Reading] = []
    columns: tuple[int, int] | None = None
    for line in lines:
        cells = _cells(line, fewest_bars)
        if len(cells) < 2:
            continue
        names = [plain_key(cell) for cell in cells]
        texts = [index for index, name in enumerate(names) if name in TEXT_KEYS]
        labels = [index for index, name in enumerate(names) if name in LABEL_KEYS]
        if not readings and texts and labels:
            columns = texts[0], labels[0]
            continue
        first = 1 if len(cells) > 2 and cells[0].rstrip(".").isdigit() else 0
        text, label = columns or (first, first + 1)
        if max(text, label) < len(cells) and cells[text]:
            readings.append(Reading(cells[text], cells[label], "pair" if columns is None else "item"))
    return readings


def _cells(line: str, fewest_bars: int) -> list[str]:
    if len(line) > LONGEST_LINE:
        return []
    if "\t" in line.strip():
        return [_unquoted(_plain(cell)) for cell in line.strip("\r\n ").split("\t")]
    if line.count("|") + line.count("｜") < fewest_bars:
        return []
    row = line.replace("｜", "|").strip()
    return [_unquoted(_plain(cell)) for cell in row.removeprefix("|").removesuffix("|").split("|")]


def _read_columns(lines: Sequence[str]) -> list[Reading]:
    """Return the readings of `word POS` lines, parted by blanks, or by one comma; all lines must be such."""
    for separator in (None, ",", "，"):
        rows = [line.strip().split(separator) for line in lines if len(line) <= LONGEST_LINE]
        if len(rows) > 1 and len(rows) == len(lines) and all(len(row) == 2 and all(row) for row in rows):
            return [reading for row in rows for reading in _pair(*row)]
    return []


def _elements(text: str) -> Iterator[Reading]:
    """Yield the readings of `<地名>北京</地名>`, `<entity type="地名">北京</entity>`, `<word>…</word><pos>…</pos>`."""
    waiting: str | None = None
    for match in _ELEMENT.finditer(text):
        name, attributes, content = match[1], match[2], match[3].strip()
        key = plain_key(name)
        attribute = _ATTRIBUTE.search(attributes)
        if attribute and content:
            yield Reading(content, attribute[1].strip())
        elif key in LABEL_KEYS and waiting:
            yield Reading(waiting, content)
            waiting = None
        elif key in TEXT_KEYS:
            waiting = content
        elif content and key not in WRAPPERS:
            yield Reading(content, name)


def _says_nothing(line: str) -> bool:
    """Tell whether a line is `地点：无`."""
    return any(_unquoted(_plain(line).rpartition(joint)[2]).casefold() in NOTHING for joint in ("：", ":"))


def _plain(line: str) -> str:
    """Return a line without its bullet and its markdown decoration."""
    line = line.strip()
    bullet = _BULLET.match(line)
    rest = line[bullet.end() :] if bullet else line
    return _DECORATION.sub("", rest if rest.strip() else line).strip()


def _unquoted(text: str) -> str:
    """Return a text without the quotation marks around it; a lone mark stays, it may be a word."""
    text = text.strip()
    while len(text) > 2 and text[0] in _QUOTES and text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text
