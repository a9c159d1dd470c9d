"""Names that models give to the parts of an item, in English, Chinese, Japanese and Korean."""

from __future__ import annotations

from typing import Any


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Names of an item's text and of its label, the most reliable first, in the form that `plain_key` returns.
TEXT_KEYS = _words(
    "entity word mention token name term text span phrase surface entityname entitytext entitymention morpheme lemma "
    "实体 实体名 实体名称 实体文本 词 词语 单词 字 名称 名字 文本 原文 片段 實體 詞 詞語 單詞 "
    "単語 語 語句 形態素 表層 表層形 固有表現 エンティティ テキスト 名前 名称 用語 "
    "개체 개체명 단어 형태소 텍스트 이름 엔티티 어절 토큰 표면형 value content 内容 值 值 값 내용"
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
        "json namedentities response 实体 实体列表 结果 词语 词 答案 输出 列表 数据 標註 实体识别结果 标注结果 "
        "結果 エンティティ 単語 出力 固有表現 결과 개체 단어 출력"
    )
)
KNOWN = frozenset((*TEXT_KEYS, *LABEL_KEYS))


def plain_key(key: Any) -> str:
    """Return a key in lower case, without spaces and punctuation."""
    return "".join(character for character in str(key).casefold() if character.isalnum())


def is_wrapper(key: str) -> bool:
    """Return whether a name only introduces items and is not their label."""
    return plain_key(key) in WRAPPERS | KNOWN
