"""Heads before a colon that name a part of an answer: "New sentence 1: ", "话题：", "Stil: ".

Such a head is layout unless the dataset's own texts begin with it: "Note: ", "转发微博：".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Literal

HeadKind = Literal["text", "title", "topic", "attribute"]


def _any_of(*lines: str) -> str:
    """Return a pattern of alternatives, which are separated by spaces; `_` is a space inside one."""
    return f"(?:{'|'.join(' '.join(lines).split())})".replace("_", " ")


# A number of two digits, a letter, or a number word after or in a head: "Text 2", "方案一", "Option B".
_NUMBER = (
    r"(?:\s?[#(（]?(?:\d{1,2}|[A-Ha-h](?![a-z])|[一二三四五六七八九十]{1,2}|[①-⑳]|I{1,3}(?![a-z])|IV|V"
    r"|one|two|three|four|five|eins|zwei|drei|vier|fünf)[)）]?)"
)

# Words that describe a new text, and names of texts: a head that consists of them precedes a text of the answer.
# "NUMBERED" names only do so after such a word, or before a number.
_ZH_NEW = _any_of(
    r"新闻 文章 微博 句子 文本 对话 故事 内容 示例 例子 短 长 新增 新写 新造 新编 新生成 新 另外? 其他 其它 更多",
    r"续写 扩展 扩写 改写 仿写 生成 补充 原创 类似 相关 相似 同类 以下 下面 上述 完整 参考 推荐 最终 合成 创作",
    r"模仿 输出 虚构 示范 延伸 后续 接续 接下来 第?[一二三四五六七八九十\d]{1,2} 一 每",
)
_ZH_TEXT = _any_of(
    r"句子 语句 例句 内容 文本 文字 段落 正文 例子 示例 样例 实例 范例 续写 续文 接续 延续 扩写 改写 仿写 造句",
    r"创作 答案 回答 答复 回复 输出 解释 解析 说明 注释 备注 附注 注 提示 新闻 微博 对话 译文 用户 助手",
)
_ZH_NUMBERED = _any_of(
    r"句 条 段 篇 文 文章 文段 博文 帖子 推文 评论 消息 故事 情节 场景 版本 方案 选项 总结 描述 结果 片段 文案",
    r"短文 短句 作品 版 问题 资讯 报道 话",
)
_EN_NEW = _any_of(
    r"a an the my your new another next additional extra more synthetic generated examples? sample possible",
    r"similar related rewritten revised extended continued continuing alternative final first second third fourth",
    r"fifth sixth following complete resulting suggested newly created written original full news short longer?",
    r"brief last third one simple unique different further",
)
_EN_TEXT = _any_of(
    r"sentences? continuations? continued contents? texts? examples? explanations? answers? outputs? responses?",
    r"paragraphs? passages? notes? dialogues? conversations? news user assistant speaker narrator posts? tweets?",
    r"query excerpts? snippets? follow-?ups? results? samples?",
)
_EN_NUMBERED = _any_of(
    r"versions? variations? options? items? lines? drafts? parts? entr(?:y|ies) numbers? stor(?:y|ies)",
    r"quer(?:y|ies) questions? reviews? descriptions? articles? messages? comments? statements? facts? ideas?",
    r"titles? headlines? topics?",
)
_DE_NEW = _any_of(
    r"ein(?:e[nrs]?)? der die das neue[nrs]? weitere[nrs]? nächste[rs]? erste[rs]? zweite[rs]? dritte[rs]?",
    r"fortgesetzter? möglicher?",
)
_DE_TEXT = _any_of(
    r"sätze satz beispiel(?:e|satz|sätze)? text inhalt fortsetzung erklärung antwort ausgabe absatz hinweis",
    r"anmerkung dialog",
)
_FR_ES_NEW = _any_of(
    r"une? la le nouvelle nouveau autre una? el nuev[ao] otr[ao]",
)
_FR_ES_TEXT = _any_of(
    r"phrase exemple texte suite réponse explication frase oración ejemplo texto continuación respuesta",
    r"explicación nota",
)
_JA_NEW = _any_of(
    r"新しい 新たな? 新 次の 別の 追加の 続きの (?:生成|作成)(?:された|した) 生成 新規 短い 以下の もう一つの",
    r"第?[一二三四五六七八九十\d]{1,2}(?:つ目の|番目の)?",
)
_JA_TEXT = _any_of(
    r"文章 例文 文例 短文 センテンス 文 内容 テキスト 本文 続き 説明文? 解説 回答 答え 出力 会話 対話 ニュース",
    r"投稿 ツイート 注記? 補足 備考 例",
)
_KO_NEW = _any_of(
    r"새로운 새 다음 다른 추가 이어지는 생성된 추가된 연속된 예시 \d{1,2}번 첫_?번째 두_?번째 세_?번째 네_?번째",
    r"다섯_?번째",
)
_KO_TEXT = _any_of(
    r"문장 내용 텍스트 본문 글 문구 구절 예문 예제 예시 설명 답변 대답 응답 출력 대화 뉴스 참고 이어쓰기",
    r"이어지는_글 게시글 트윗",
)
# What an attribute head precedes describes the texts, or repeats the prompt.
_ATTRIBUTE_HEAD = _any_of(
    r"文风 (?:写作|语言)?风格 语气 语调 文体 体裁 关键词 关键字 标签",
    r"(?:涉及|包含|其中|文中|句中|主要|相关)?的?实体(?:列表|类型)? 情感(?:色彩|倾向)? 要求 任务 输入 指令 原文",
    r"原句 原文本 提示词 字数 (?:writing_|text_)?style tone mood sentiment genre category format key_?words? tags?",
    r"labels? (?:entity_)?types? entities(?:_in_it|_mentioned|_used)? named_entities task instructions? prompt",
    r"input (?:the_)?original(?:_text|_sentence)? source(?:_text|_sentence)? word_count stil tonfall ton",
    r"schlüsselwörter stichwörter entitäten aufgabe eingabe original(?:satz|text)? wortzahl estilo tono",
    r"palabras_clave entidades style_d'écriture mots[-_]clés entités 文体 スタイル 口調 トーン ジャンル キーワード",
    r"タグ エンティティ 固有表現 タスク 指示 入力 元の文章? 原文 文字数 문체 스타일 어조 톤 장르 키워드 태그",
    r"개체명? 엔티티 지시 작업 입력 원문 원래_문장 글자_수",
)
_ZH = rf"(?:{_ZH_NEW}[的个条句段则篇种]?)"
_EN = rf"(?:{_EN_NEW}\s+)"
_TEXT_HEAD = "|".join(
    [
        rf"{_ZH}{{0,4}}{_ZH_TEXT}(?:部分|内容|如下)?",
        rf"{_ZH}{{1,4}}{_ZH_NUMBERED}(?:部分|如下)?",
        rf"{_ZH_NUMBERED}(?={_NUMBER})",
        r"第[一二三四五六七八九十\d]{1,2}[个句条段则篇]?(?:话|句)?",
        rf"{_EN}{{0,4}}{_EN_TEXT}",
        rf"{_EN}{{1,4}}{_EN_NUMBERED}",
        rf"{_EN_NUMBERED}(?={_NUMBER})",
        rf"(?:{_DE_NEW}\s+){{0,3}}{_DE_TEXT}",
        rf"(?:{_FR_ES_NEW}\s+){{0,3}}{_FR_ES_TEXT}s?",
        rf"{_JA_NEW}{{0,3}}{_JA_TEXT}",
        rf"(?:{_KO_NEW}\s?){{0,3}}{_KO_TEXT}",
    ]
)
# What a title or a topic head precedes is a phrase, unless it ends like a sentence. Titles are the texts of some
# datasets.
_TITLE_HEAD = (
    rf"{_ZH}{{0,4}}(?:标题|题目)|{_EN}{{0,4}}(?:titles?|headlines?|subject line|headings?)"
    r"|titel|überschrift|betreff|titre|título|(?:新しい)?(?:タイトル|題名|見出し)|(?:새로운 |새 )?(?:제목|헤드라인)"
)
_TOPIC_HEAD = (
    rf"{_ZH}{{0,4}}(?:话题|主题)|{_EN}{{0,4}}(?:topics?|themes?|subjects?)|thema|sujet|thème|tema"
    r"|(?:新しい)?(?:話題|トピック|テーマ)|(?:새로운 |새 )?(?:주제|토픽|테마)"
)
_OPEN, _CLOSE = r"(?:[【\[<《(（「]\s?)?", r"(?:\s?[】\]>》)）」])?"
_IS = r"(?:\s(?:is|are|reads|follows|lautet|ist)|是|为|は)?"
_COLON = r"\s?[:：](?!//)\s*"


def _pattern(heads: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:{_OPEN}(?P<head>(?:{heads}){_NUMBER}?){_CLOSE}{_IS}{_COLON}"
        rf"|[【\[](?P<boxed>(?:{heads}){_NUMBER}?)[】\]]\s*)",
        re.IGNORECASE,
    )


_KINDS: dict[HeadKind, re.Pattern[str]] = {
    "attribute": _pattern(_ATTRIBUTE_HEAD),
    "title": _pattern(_TITLE_HEAD),
    "topic": _pattern(_TOPIC_HEAD),
    "text": _pattern(_TEXT_HEAD),
}
_LETTER_SPEAKER = re.compile(r"[A-D甲乙丙丁]\s*[:：]\s*")
_LETTERS = frozenset("abcd甲乙丙丁")
_NUMBERED_DASH = re.compile(rf"(?:{_TEXT_HEAD})\s?\d{{1,2}}\s*(?:[.)]|[-–—])\s+", re.IGNORECASE)
_IN_BRACKETS = re.compile(rf"\s?[(（\[【](?:{_ATTRIBUTE_HEAD})\s*[:：][^()（）\[\]【】]*[)）\]】]", re.IGNORECASE)
_NO_HEAD = r":：，。,.!?！？；;“”\"「」/@#【】"  # characters that no head contains
_ANY_HEAD = re.compile(rf"([^\s{_NO_HEAD}][^{_NO_HEAD}]{{0,30}}?)\s?(?:(?<!\d)[:：]|[:：](?!\d))(?!//)\s*(?=\S)")
_SPEECH = re.compile(r"(?:[说说道問问喊叫答写示称]|said|says|asked|wrote|と|고|다)$|^[“\"「『]")
_DIGITS = re.compile(r"(?<=\S)\s?(?:\d+|[一二三四五六七八九十]+|[A-H])$")
MIN_LINES = 3  # of an answer that all begin with a head: from here on, they are a list of headings and texts


def head_key(text: str) -> str | None:
    """Return the head before a colon at the beginning of a text, without its number; None if there is none."""
    found = _ANY_HEAD.match(text.lstrip())
    return _DIGITS.sub("", found[1]).strip().casefold() if found else None


def usual_heads(texts: Sequence[str]) -> frozenset[str]:
    """Return the heads that at least two texts of a dataset begin with, without their numbers."""
    counts = Counter(key for text in texts for key in {head_key(text), _known_key(text)} if key)
    return frozenset(key for key, number in counts.items() if number > 1)


def kind_of_head(text: str, usual: Collection[str] = ()) -> HeadKind | None:
    """Return what kind of head a text begins with; None if it begins with none, or with a head in `usual`."""
    for kind, pattern in _KINDS.items():
        found = pattern.match(text.lstrip())
        if found:
            return None if _key(found) in usual else kind
    return None


def without_head(text: str, usual: Collection[str] = ()) -> str:
    """Return a text without the head of a text, title or topic at its beginning, and without spaces before it."""
    text = text.lstrip()
    if _LETTER_SPEAKER.match(text):
        return text if _LETTERS & set(usual) else _LETTER_SPEAKER.sub("", text)
    for pattern in (_KINDS["title"], _KINDS["topic"], _KINDS["text"]):
        found = pattern.match(text)
        if found:
            return text if _key(found) in usual else text[found.end() :]
    return _NUMBERED_DASH.sub("", text)


def without_attributes(text: str) -> str:
    """Return a text without attributes in brackets: `罗马很大。（文风：活泼）` becomes `罗马很大。`."""
    return _IN_BRACKETS.sub("", text)


def listed_heads(lines: Sequence[str], usual: Collection[str] = ()) -> frozenset[str]:
    """Return the heads of the lines of an answer that are headings because they come as a list.

    These are heads with the same words and different numbers (`Idea 1:`, `Idea 2:`), and the heads of an answer of
    several lines that all begin with one (`摩擦生热：…`). Before direct speech, a name and a colon are text.
    """
    filled = [line.strip() for line in lines if line.strip()]
    found = {line: match[1] for line in filled if (match := _ANY_HEAD.match(line)) and not _is_speech(line, match)}
    heads = {head for head in found.values() if _DIGITS.sub("", head).strip().casefold() not in usual}
    stems = Counter(_DIGITS.sub("", head).strip() for head in heads if _DIGITS.search(head))
    numbered = {head for head in heads if _DIGITS.search(head) and stems[_DIGITS.sub("", head).strip()] > 1}
    is_list = len(filled) >= MIN_LINES and len(found) == len(filled)
    return frozenset(heads if is_list else numbered)


def without_listed(line: str, heads: Collection[str]) -> str:
    """Return a line without spaces at its beginning, and without its head if that is one of `heads`."""
    line = line.lstrip()
    found = _ANY_HEAD.match(line)
    return line[found.end() :] if found and found[1] in heads else line


def _is_speech(line: str, head: re.Match[str]) -> bool:
    return bool(_SPEECH.search(head[1]) or _SPEECH.search(line[head.end() : head.end() + 1]))


def _key(found: re.Match[str]) -> str:
    return _DIGITS.sub("", found["head"] or found["boxed"]).strip().casefold()


def _known_key(text: str) -> str | None:
    return next((_key(found) for pattern in _KINDS.values() if (found := pattern.match(text.lstrip()))), None)
