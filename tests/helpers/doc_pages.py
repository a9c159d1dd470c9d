"""The READMEs and the pages of docs/: their headings, links, code blocks and the commands in them."""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.helpers.builders import ROOT, SCRIPTS

NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
CHINESE_ENDING = ".zh-CN.md"


@dataclass(frozen=True)
class Block:
    """A code block: its language ("" for an indented one or none), its text, and why it is not run, if it is marked."""

    language: str
    text: str
    line: int
    not_run: str | None

    @property
    def is_command(self) -> bool:
        return self.language in ("bash", "python") or (not self.language and self.text.startswith("python "))


@dataclass(frozen=True)
class Page:
    """A page of the documentation."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def translation(self) -> Page:
        """The same page in the other language."""
        name = self.path.name
        other = name.replace(CHINESE_ENDING, ".md") if name.endswith(CHINESE_ENDING) else name[:-3] + CHINESE_ENDING
        return Page(self.path.with_name(other))

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return re.sub(r"^ *```.*?^ *```$", "", self.text, flags=re.MULTILINE | re.DOTALL)

    @property
    def headings(self) -> list[tuple[int, str]]:
        """The headings as (level, text)."""
        found = re.findall(r"^(#+) (.+)$", self.prose, re.MULTILINE)
        return [(len(marks), text) for marks, text in found]

    @property
    def anchors(self) -> set[str]:
        """The anchors that links to headings use, as GitHub makes them."""
        return {_anchor(text) for _, text in self.headings}

    @property
    def links(self) -> list[str]:
        return re.findall(r"\]\(([^)\s]+)\)", self.prose) + re.findall(r"(?:src|srcset)=\"([^\"]+)\"", self.prose)

    def blocks(self) -> Iterator[Block]:
        """Yield the code blocks: those in fences, also inside lists, and those indented by four spaces."""
        lines = self.text.splitlines()
        number = 0
        while number < len(lines):
            start = number
            fence = re.match(r"^( *)```(\w*)$", lines[number])
            if fence:
                number = next(at for at in range(number + 1, len(lines)) if lines[at].strip() == "```")
                body = [line.removeprefix(fence[1]) for line in lines[start + 1 : number]]
                yield Block(fence[2], "\n".join(body), start + 1, _mark_before(lines, start))
            elif lines[number].startswith("    python ") and not lines[number - 1].strip():
                while number + 1 < len(lines) and lines[number + 1].startswith("    "):
                    number += 1
                body = [line.strip() for line in lines[start : number + 1]]
                yield Block("", "\n".join(body), start + 1, _mark_before(lines, start))
            number += 1


def pages() -> list[Page]:
    """Return the READMEs and all pages of docs/, in both languages."""
    return [Page(path) for path in sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")])]


def english_pages() -> list[Page]:
    return [page for page in pages() if not page.name.endswith(CHINESE_ENDING)]


@cache
def flags_of(script: str) -> frozenset[str]:
    """Return the flags of a script, such as `s1_predict_data`."""
    return frozenset(importlib.import_module(script).build_parser()._option_string_actions)


@cache
def all_flags() -> frozenset[str]:
    scripts = (path.stem for path in SCRIPTS.glob("[!_]*.py"))
    return frozenset().union(*map(flags_of, scripts))


def _mark_before(lines: list[str], start: int) -> str | None:
    """Return the reason in the comment above a block, with at most an empty line between them."""
    above = [line.strip() for line in lines[max(start - 2, 0) : start] if line.strip()]
    marked = NOT_RUN.fullmatch(above[-1]) if above else None
    return marked[1] if marked else None


def _anchor(heading: str) -> str:
    kept = (c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LN")
    return "".join(kept).replace(" ", "-")
