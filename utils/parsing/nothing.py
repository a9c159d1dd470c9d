"""What models write when a sentence has no entity: a word in place of a text or a label, or a whole statement."""

from __future__ import annotations

import re
from functools import lru_cache

from utils.parsing.context import Context


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that mean "none", as `_bare` returns them: without spaces, hyphens and punctuation around them.
_NONE = _words(
    "none null nil nothing no empty nolabel notype notapplicable noanswer nonefound nothingfound n/a "
    "noentity noentities noneentity nonentity notanentity notentity nonamedentity nonamedentities noentityfound "
    "noentitiesfound "
    "无 無 没有 沒有 暂无 暫無 空 空值 空列表 无实体 無實體 没有实体 沒有實體 非实体 非實體 不是实体 "
    "无命名实体 没有命名实体 非命名实体 不是命名实体 无标签 无类型 无类别 不适用 "
    "なし 無し 該当なし 実体なし 없음 없다 해당없음 개체없음"
)
_AMBIGUOUS = _words("na o nan 0")  # also chemical symbols, tags of some tag sets, and words
_UNKNOWN = _words(
    "未知 未提及 未提到 未说明 未指明 未提供 不明 不详 不詳 未明确 不明確 記載なし 미상 알수없음 "
    "unknown notmentioned notspecified unspecified notprovided notgiven"
)
_AROUND = " \t\r\n.。,，;；:：!！?？\"'“”‘’「」『』()（）[]【】{}<>《》`*_~-—–"
_JOINTS = re.compile(r"[\s_-]+")
_AROUND = " \t\r\n.。,，;；:：!！?？\"'“”‘’「」『』()（）[]【】{}<>《》`*_~-—–"


# Statements that there is no entity, in English, Chinese, Japanese and Korean.
_WHAT_EN = r"(?:entit(?:y|ies)|spans?|mentions?|matches|items|annotations?|results?)"
_WHAT_ZH = "(?:实体|實體|人名|地名|机构|名词|词语|结果|对象|匹配|此类|这类|该类|符合)"
_FOUND_ZH = "(?:发现|發現|找到|识别|識別|检测|提及|包含|出现|提取|涉及|见)"
_WHAT_JA = "(?:固有表現|エンティティ|実体|用語|該当)"
_STATEMENTS = (
    rf"\b(?:no|zero|0|not\s+any|without(?:\s+any)?)\s+(?:[\w-]+\s+){{0,4}}?{_WHAT_EN}\b",
    rf"\b(?:not|cannot|never|\w+n['’]t)\s[^.!?]{{0,60}}?\b(?:any|an|contain|include|have|find|mention)\s+"
    rf"(?:[\w-]+\s+){{0,3}}?{_WHAT_EN}\b",
    rf"\bnone\s+of\s+(?:them|these|the\s+above|[^.]{{0,60}}\b{_WHAT_EN}\b)",
    r"\b(?:nothing|none)\s+(?:(?:was|were|is)\s+)?(?:found|identified|detected|to\s+(?:extract|annotate|label|tag|report))\b",
    rf"(?:没有|沒有|并无|並無|无|無|找不到|没找到|未能?{_FOUND_ZH}|不(?:包含|含有|含|存在|涉及|包括))"
    rf"[^，,。！!；;\n]{{0,16}}?{_WHAT_ZH}",
    rf"{_WHAT_ZH}[^，,。！!；;\n]{{0,6}}?(?:不存在|为空|為空|为无|没有|沒有)",
    rf"{_WHAT_JA}[^。\n]{{0,16}}?(?:ありません|ない|なし|存在しません|見つかりません|含まれていません|含まれません)",
    r"(?:개체명?|엔티티|해당)[^.\n]{0,16}?(?:없습니다|없음|없다|없어요|않습니다)",
)
_STATEMENT = re.compile("|".join(_STATEMENTS), re.IGNORECASE)
_CONTRAST = re.compile(r"但|然而|除了|仅有|\b(?:but|however|except|only|although|other\s+than)\b|\?|？", re.IGNORECASE)
_CANNOT = re.compile(r"請提供|请提供|无法|無法|\b(?:please|provide|unable)\b|できません|죄송", re.IGNORECASE)
_APOLOGY = re.compile(
    r"^\s*(?:(?:I['’]?m |I am )?sorry,?(?: but)?|(?:很|非常)?(?:抱歉|对不起|遗憾)[，,]?(?:但是?)?)\s*", re.IGNORECASE
)
MAX_STATEMENT = 200  # characters; a longer line says more than that there is nothing
MAX_NONE = 40  # characters of a word that means "none", with punctuation around it


def is_none(text: str, *, ambiguous: bool = True) -> bool:
    """Return whether a text means "none"; `ambiguous` ones, such as "NA" and "O", only if asked for."""
    return len(text) <= MAX_NONE and _means_none(text, ambiguous)


@lru_cache(maxsize=4096)
def _means_none(text: str, ambiguous: bool) -> bool:
    bare = _bare(text)
    return bare in _NONE or (ambiguous and bare in _AMBIGUOUS) or (not bare and text.strip() in ("-", "—", "–", "--"))


def is_unknown(text: str) -> bool:
    """Return whether a text means "not mentioned in the sentence"."""
    return len(text) <= MAX_NONE and _bare(text) in _UNKNOWN


def is_none_label(label: str, context: Context) -> bool:
    """Return whether a label says that its text is no entity. In pos mode, "O" and "NA" are tags."""
    return label != "" and is_none(label, ambiguous=context.mode == "entity") and _bare(label) != "0"


def is_none_text(text: str, context: Context) -> bool:
    """Return whether a text, beside a label, says that the label has no text.

    A word of the sentence counts as a text in pos mode, and in entity mode if it is ambiguous.
    """
    if context.contains(text):
        return context.mode == "entity" and is_none(text, ambiguous=False)
    if context.sentence is None:
        return context.mode == "entity" and states_nothing(text, ambiguous=False)
    return states_nothing(text) or is_unknown(text)


def states_nothing(text: str, *, ambiguous: bool = True) -> bool:
    """Return whether an answer in words says that there is nothing: "None", "没有实体", "No entities were found."."""
    if is_none(text, ambiguous=ambiguous):
        return _bare(text) != "0"
    last = text.rstrip().rpartition("\n")[2]
    return len(last) <= MAX_STATEMENT and _is_statement(last) and not _CANNOT.search(text)


@lru_cache(maxsize=4096)
def _is_statement(line: str) -> bool:
    line = _APOLOGY.sub("", line)
    statement = _STATEMENT.search(line)
    return statement is not None and not _CONTRAST.search(line, statement.end())


def _bare(text: str) -> str:
    return _JOINTS.sub("", text.strip(_AROUND).casefold()).strip(_AROUND)
