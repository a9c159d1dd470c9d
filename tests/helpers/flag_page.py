"""Writes docs/flags.md and docs/flags.zh-CN.md from the parsers of the scripts: python -m tests.helpers.flag_page"""

from __future__ import annotations

import importlib
import sys
from argparse import Action
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "syn_pipelines"
OF_ALL = {"--help", "--debug", "--version"}
INTRODUCTION = {
    "flags.md": """# Flags

[中文](flags.zh-CN.md)

All flags of all scripts, as `--help` shows them. Every script has `--help`, `--debug` (show the full traceback of an
error) and `--version`, too. This page is made from the parsers by `python -m tests.helpers.flag_page`.
""",
    "flags.zh-CN.md": """# 参数

[English](flags.md)

所有脚本的所有参数，说明与 `--help` 相同（英文）。每个脚本还有 `--help`、`--version` 和
`--debug`（显示完整的 traceback）。本页由 `python -m tests.helpers.flag_page` 根据各脚本的 parser 生成。
""",
}
HEADER = {"flags.md": ("flag", "meaning", "required"), "flags.zh-CN.md": ("参数", "含义", "必需")}


def page(name: str) -> str:
    """Return the text of docs/flags.md or docs/flags.zh-CN.md."""
    scripts = sorted(path.stem for path in SCRIPTS.glob("[!_]*.py"))
    return INTRODUCTION[name] + "".join(_section(script, HEADER[name]) for script in scripts)


def _section(script: str, header: tuple[str, str, str]) -> str:
    parser = importlib.import_module(script).build_parser()
    formatter = parser._get_formatter()
    first, meaning, required = header
    lines = [f"\n## {script}.py\n"]
    for group in parser._action_groups:
        actions = [one for one in group._group_actions if not OF_ALL & set(one.option_strings)]
        if actions:
            lines.append(f"\n| {first} | {meaning} ({group.title}) |\n| --- | --- |\n")
            lines += [_row(formatter, action, required) for action in actions]
    return "".join(lines)


def _row(formatter: Any, action: Action, required: str) -> str:
    text = formatter._expand_help(action) if action.help else ""
    text = f"**{required}** {text}" if action.required else text
    return f"| `{_in_table(formatter._format_action_invocation(action))}` | {_in_table(text)} |\n"


def _in_table(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    sys.path[:0] = [str(ROOT), str(SCRIPTS)]
    for name in INTRODUCTION:
        (ROOT / "docs" / name).write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    main()
