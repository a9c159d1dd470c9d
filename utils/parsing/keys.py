"""Names that models give to the parts of an item, in English, Chinese, Japanese and Korean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Names of an item's text and of its label, the most reliable first, in the form that `plain_key` returns.
TEXT_KEYS = _words(
    "entity word mention token name term text span phrase surface entityname entitytext entitymention morpheme lemma "
    "实体 实体名 实体名称 实体文本 词 词语 单词 字 名称 名字 文本 原文 片段 實體 詞 詞語 單詞 "
    "単語 語 語句 形態素 表層 表層形 固有表現 エンティティ テキスト 名前 名称 用語 "
    "개체 개체명 단어 형태소 텍스트 이름 엔티티 어절 토큰 표면형 value content 内容 值 値 값 내용"
)
LABEL_KEYS = _words(
    "type pos label tag category class postag partofspeech entitytype entitylabel entitycategory entitygroup ner "
    "nertag kind upos xpos 类型 词性 标签 类别 种类 词类 分类 实体类型 实体类别 实体标签 标注 標籤 類型 類別 詞性 "
    "品詞 種類 種別 タイプ ラベル カテゴリ カテゴリー 分類 タグ "
    "품사 유형 타입 라벨 레이블 태그 종류 범주 분류 카테고리 개체유형"
)
# Names of the list that contains the items. They are not labels.
WRAPPERS = frozenset(
    _words(
        "entities items result results data output answer answers words tokens list ner pos annotations labels tags "
        "json namedentities response extractions mentions spans predictions finalanswer outputlist entitylist "
        "实体 实体列表 结果 词语 词 答案 输出 列表 数据 標註 实体识别结果 标注结果 命名实体 最终答案 输出结果 识别结果 "
        "結果 エンティティ 単語 出力 固有表現 결과 개체 단어 출력 답변"
    )
)
KNOWN = frozenset((*TEXT_KEYS, *LABEL_KEYS))
_WITHOUT_LABEL = WRAPPERS | KNOWN

# Words of longer keys (`extraction_class`, `textChunk`) that say which part the key names. The first group decides.
_META_WORDS = frozenset(
    _words(
        "attribute attributes attrs metadata meta properties position positions offset offsets confidence score scores "
        "probability explanation reason reasoning description definition note notes comment evidence context sentence "
        "start end begin index idx id char count length input source language"
    )
)
_META_ENDS = ("解释", "说明", "理由", "置信度", "上下文", "备注", "起始位置", "结束位置", "开始位置", "句子")
_LABEL_WORDS = frozenset(
    _words("type types class classes label labels category categories tag tags kind kinds ner upos xpos postag group")
)
_TEXT_WORDS = frozenset(
    _words(
        "text texts mention mentions span spans chunk chunks surface phrase phrases string value values name names "
        "entity entities word words token tokens term terms form keyword"
    )
)
_LABEL_ENDS = ("类型", "类别", "标签", "种类", "词性", "类", "類型", "類別", "標籤")
_TEXT_ENDS = ("文本", "内容", "片段", "原文", "词语", "单词")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")
_INTRODUCING_WORDS = frozenset(
    _words(
        "a all and annotated annotation annotations answer answers are as below entities entity extracted final follow "
        "following follows for found from given here i identified in is json labels list mentioned my named of output "
        "recognised recognized response result results sentence tags text the their these this types with"
    )
)
_INTRODUCTION = re.compile(
    r"(?:^|的|命名|识别|識別|提取|抽取|所有|以下|出|到|标注|标记)(?:命名)?(?:实体|實體)(?:列表|有|为|是|如下|包括|包含)*$"
    r"|(?:如下|以下|包括|回答|答案|列表)(?:有|为|是|：)*$|(?:识别|输出|标注|抽取|提取|最终|分析)(?:的)?结果(?:为|是)?$|^(?:因此|所以|输出|回答)"
    r"|エンティティ|固有表現|出力|개체|출력|답변"
)

KeyRole = Literal["text", "label", "meta"]


def plain_key(key: Any) -> str:
    """Return a key in lower case, without spaces and punctuation."""
    return _plain_name(str(key))


@lru_cache(maxsize=4096)
def _plain_name(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def is_wrapper(key: str) -> bool:
    """Return whether a name only introduces items and is not their label."""
    return plain_key(key) in _WITHOUT_LABEL


def introduces(words: str) -> bool:
    """Return whether words before a list say that items follow ("Here are the entities") and are not a label."""
    if is_wrapper(words) or _INTRODUCTION.search(words):
        return True
    return words.isascii() and _INTRODUCING_WORDS.issuperset(re.findall(r"[a-z]+", words.casefold()))


def column_of(names: Sequence[str], keys: tuple[str, ...]) -> int | None:
    """Return the first column of a table whose name is one of the keys, or the plural of one."""
    plain = [plain_key(name) for name in names]
    return next((column for column, name in enumerate(plain) if name in keys or singular(name) in keys), None)


def singular(name: str) -> str:
    """Return a name without the ending of its English plural."""
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


@lru_cache(maxsize=4096)
def role_of(key: str) -> KeyRole | None:
    """Return which part of an item a longer key names, judged by its words; None if they do not say.

    >>> role_of("extraction_class"), role_of("textChunk"), role_of("PERSON_attributes"), role_of("Ito")
    ('label', 'text', 'meta', None)
    """
    words = [word.casefold() for word in _WORD.findall(key)]
    if key.endswith(_META_ENDS) or (words and words[-1] in _META_WORDS):
        return "meta"
    if _LABEL_WORDS.intersection(words) or key.endswith(_LABEL_ENDS):
        return "label"
    if _TEXT_WORDS.intersection(words) or key.endswith(_TEXT_ENDS):
        return "text"
    return None
