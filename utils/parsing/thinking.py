"""The thoughts that a reasoning model writes before, inside or after its answer, found by the marks around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_STRONG = "think|thinking|thought|reasoning|reflection|scratchpad|longcat_think|ant_?thinking|internal_reasoning"
_WEAK = (
    "thoughts|reason|analysis|inner_monologue|思考|思考过程|思维链|推理过程"  # an answer may have a heading like these
)


@dataclass(frozen=True)
class _Form:
    """The marks around the thoughts of some models, as regular expressions."""

    opening: str
    closing: str
    closes_alone: bool = True  # without an opening mark, all text before the closing mark is a thought
    runs_on: bool = True  # without a closing mark, all text after the opening mark is a thought


def _tags(names: str) -> tuple[str, str]:
    """Return the opening and the closing tag; a tag may have a namespace, as <seed:think>, and attributes."""
    tag, start, end = rf"(?:\w{{1,20}}:)?(?:{names})", r"(?:[<\[◁【]|&lt;)", r"(?:[>\]▷】]|&gt;)"
    return rf"{start}{tag}(?:\s[\w-]{{1,20}}=[^<>\[\]]{{0,60}})?\s?{end}", rf"{start}/{tag}\s?{end}"


_FORMS = (
    # gpt-oss: channels. With its control tokens removed: `analysisWe need …assistantfinalRome is …`.
    _Form(
        r"(?:<\|start\|>assistant)?<\|channel\|>(?!final)[^<>]{0,80}(?:<\|constrain\|>[^<>]{0,40})?<\|message\|>",
        r"(?:<\|end\|>)?(?:<\|start\|>assistant)?<\|channel\|>final[^<>]{0,80}"
        r"(?:<\|constrain\|>[^<>]{0,40})?<\|message\|>",
    ),
    _Form(r"(?-i:\A\s*analysis(?=[A-Z\"'\u3040-\u9fff]))", r"(?-i:assistant(?:commentary[^\n]{0,80})?final)"),
    _Form(r"<\|channel>(?:thought\b)?", r"<channel\|>"),  # Gemma 4
    _Form(r"<unused94>(?:thought\b)?", r"<unused95>"),  # MedGemma
    _Form(r"\[unused16\]", r"\[unused17\]"),  # Pangu
    _Form(r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Command A
    _Form(r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),  # Apertus
    _Form(r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),  # Sky-T1, OpenThinker
    _Form(r"<\|plamo:begin_think:plamo\|>", r"<\|plamo:end_think:plamo\|>"),
    _Form(r"<\|open\|>\s?think\s?<\|sep\|>", r"<\|close\|>\s?think\s?<\|sep\|>"),  # Kimi K3
    _Form(r"<[|｜]think(?:ing)?[|｜]>", r"<[|｜]/think(?:ing)?[|｜]>|<\|content\|>"),  # Solar Open
    # DeepSeek, Qwen, GLM, Hunyuan, Seed, MiniMax, EXAONE, Magistral ([THINK]), Kimi-VL (◁think▷) and many others.
    _Form(*_tags(_STRONG)),
    _Form(*_tags(_WEAK), closes_alone=False, runs_on=False),
    _Form(r"\A\s*Here(?:'s| is) my thought process:", r"Here(?:'s| is) my response:", closes_alone=False),  # Granite
    # Copied from Ollama's terminal, from Open WebUI, and as a block of Markdown.
    _Form(r"\A\s*Thinking\.\.\.\s*\n", r"\n\s{0,4}\.\.\.done thinking\.", closes_alone=False, runs_on=False),
    _Form(r"<details\s[^<>]{0,80}type=\"reasoning\"[^<>]{0,80}>", r"</details>", closes_alone=False, runs_on=False),
    _Form(r"```(?:think|thinking|thought|reasoning)\s*\n", r"\n```(?!\w)", closes_alone=False, runs_on=False),
)
_MARKS = "|".join(f"(?P<o{number}>{form.opening})|(?P<c{number}>{form.closing})" for number, form in enumerate(_FORMS))
_MARK = re.compile(_MARKS, re.IGNORECASE)
_CLOSINGS = [re.compile(form.closing, re.IGNORECASE) for form in _FORMS]
# In an answer that begins as JSON, a mark inside a string is a part of the sentence.
_MARK_OR_STRING = re.compile(rf'"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|{_MARKS}', re.IGNORECASE)
_JSON_START = re.compile(r"\s*(?:```\w*\s*)?[\[{]")
_OPENING_AT_END = re.compile(
    rf"(?:{'|'.join(form.opening for form in _FORMS if form.closes_alone)})\s*\Z", re.IGNORECASE
)
_EMPTY_THOUGHT = re.compile(r"\A\s*thought\n")  # Gemma 4, with its control tokens removed
# Around the answer that follows a thought.
_ANSWER_MARKS = (
    r"<\|(?:START_RESPONSE|END_RESPONSE|START_TEXT|END_TEXT|begin_of_solution|end_of_solution|begin_of_box|end_of_box)\|>"
    r"|<\|(?:start|begin)\|>assistant|<\|(?:content|return|end)\|>|<\|(?:open|close)\|>\s?\w{1,20}\s?<\|sep\|>"
)
_ANSWER_MARK_FIRST = re.compile(rf"\s*(?:{_ANSWER_MARKS})")
_ANSWER_MARK_LAST = re.compile(rf"(?:{_ANSWER_MARKS})\s*\Z")
_ANSWER_TAGS = re.compile(
    r"\s*<(answer|response|output|solution|final_answer)>(.*?)(?:</\1>\s*)?", re.DOTALL | re.IGNORECASE
)
ANSWER_ENDS = ("<|end|>", "<|return|>")
# Control tokens that are marks, or parts of marks.
MARK_TOKENS = (
    *(f"<|{name}|>" for name in ("channel", "message", "constrain", "start", "end", "return", "begin", "content")),
    *(f"<|{name}|>" for name in ("open", "close", "sep", "think", "/think", "inner_prefix", "inner_suffix")),
    *(f"<|{side}_{name}|>" for side in ("START", "END") for name in ("THINKING", "RESPONSE", "TEXT")),
    *(f"<|{side}_of_{name}|>" for side in ("begin", "end") for name in ("thought", "solution", "box")),
    *("<|channel>", "<channel|>", "<unused94>", "<unused95>", "[unused16]", "[unused17]", "[THINK]", "[/THINK]"),
    *("<think>", "</think>", "<seed:think>", "</seed:think>", "<longcat_think>", "</longcat_think>"),
    *("◁think▷", "◁/think▷", "<thought>", "</thought>", "<mm:think>", "</mm:think>"),
)
_QUOTES = "\"'`“”‘’「」『』"


@dataclass(frozen=True)
class _Mark:
    """A mark in an answer."""

    start: int
    end: int
    form: int  # its position in _FORMS
    is_opening: bool


def split_thoughts(answer: str, *, replacement: str = "") -> tuple[str, str]:
    """Return an answer without its thoughts, and the thoughts.

    A thought that is never closed runs to the end. Some chat templates end the prompt with the opening mark. Then the
    answer has only the closing mark, and all text before it is a thought, too. `replacement` is put in place of a
    thought between two parts of an answer.

        >>> split_thoughts("Is it a city? Yes.</think>Rome is old.")
        ('Rome is old.', 'Is it a city? Yes.')
    """
    kept: list[str] = []
    thoughts: list[str] = []
    end = 0  # of the last mark
    is_open = False
    for mark in _find_marks(answer):
        part = answer[end : mark.start]
        if is_open:
            thoughts.append(part)
        elif mark.is_opening:
            kept.append(part)
        else:  # the thought began in the prompt
            thoughts += [*kept, part]
            kept = []
        is_open, end = mark.is_opening, mark.end
    if not end:
        label = _EMPTY_THOUGHT.match(answer)
        return answer[label.end() if label else 0 :], ""
    (thoughts if is_open else kept).append(answer[end:])
    return _unwrapped(replacement.join(kept)), "".join(thoughts)


def without_thoughts(answer: str, *, replacement: str = "") -> str:
    """Return an answer with `replacement` in place of each thought.

    >>> without_thoughts('<think>Rome is a city.</think>[{"entity": "Rome"}]')
    '[{"entity": "Rome"}]'
    >>> without_thoughts("Rome is a city.</think>[]")
    '[]'
    """
    return split_thoughts(answer, replacement=replacement)[0]


def begun_thought(prompt: str) -> str:
    """Return the mark at the end of a prompt that opens a thought, which the answer then continues; "" if none does.

    >>> begun_thought("<|user|>Hello.<|assistant|><think>\\n")
    '<think>'
    """
    found = _OPENING_AT_END.search(prompt[-200:])
    return found[0].strip() if found else ""


def continue_thought(mark: str, answer: str) -> str:
    """Return an answer with the opening mark of its thought, if the prompt ended with that `mark`.

    An answer that is held to a grammar has no thought: it is a JSON value from its first character.
    """
    return answer if answer.startswith(("[", "{")) else mark + answer


def is_mark_token(token: str) -> bool:
    """Return whether a token of a vocabulary may be a mark of thoughts, or a part of one."""
    return token in MARK_TOKENS or bool(_MARK.fullmatch(token))


def _find_marks(answer: str) -> Iterator[_Mark]:
    """Yield the marks that open a thought, each followed by the mark that closes it, and marks that close alone."""
    position = 0
    never_closed: set[int] = set()
    while found := _next_mark(answer, position):
        mark = _Mark(found.start(), found.end(), int(str(found.lastgroup)[1:]), str(found.lastgroup)[0] == "o")
        position = mark.end
        form = _FORMS[mark.form]
        if not mark.is_opening:
            if form.closes_alone:
                yield mark
            continue
        closing = None if mark.form in never_closed else _CLOSINGS[mark.form].search(answer, mark.end)
        if closing:
            position = closing.end()
            yield mark
            yield _Mark(closing.start(), closing.end(), mark.form, is_opening=False)
        elif form.runs_on:
            yield mark
            return
        else:
            never_closed.add(mark.form)


def _next_mark(answer: str, start: int) -> re.Match[str] | None:
    """Return the first mark from a position on that does not belong to a text in quotation marks."""
    pattern = _MARK_OR_STRING if _JSON_START.match(answer, start) else _MARK
    for found in pattern.finditer(answer, start):
        around = answer[max(0, found.start() - 1) : found.start()] + answer[found.end() : found.end() + 1]
        is_quoted = len(around) == 2 and all(character in _QUOTES for character in around)
        if found.lastgroup is not None and not is_quoted:
            return found
    return None


def _unwrapped(answer: str) -> str:
    """Return the answer that followed a thought, without the marks around it."""
    while first := _ANSWER_MARK_FIRST.match(answer):
        answer = answer[first.end() :]
    while last := _ANSWER_MARK_LAST.search(answer, max(0, len(answer) - 100)):
        answer = answer[: last.start()]
    tagged = _ANSWER_TAGS.fullmatch(answer)
    return tagged[2] if tagged else answer
