"""Find preambles, refusals and remarks about the task, in four languages. None of them is a new sentence."""

from __future__ import annotations

import re
from typing import Literal

Remark = Literal["a preamble", "a refusal", "a remark"]

# An announcement up to its colon: "Sure, here is a continuation:", "好的，以下是续写的句子："
_PREAMBLE = re.compile(
    r"^(?:(?:sure|certainly|of course|okay|ok|absolutely|great|yes)\b[^:：]{0,80}\bhere(?: is| are| you|['’]s)\b"
    r"|here(?: is| are| you|['’]s)\b"
    r"|(?:below|the following|following) (?:is|are)\b|(?:the )?(?:new|continued|continuing) sentences?\b"
    r"|(?:好的?|当然|没问题|可以|明白了|收到)[，,。！!\s][^:：]*(?:以下|下面|如下|续写|句子)"
    r"|(?:以下|下面)(?:是|为|就是)|(?:续写|句子|内容|答案|解释)如下"
    r"|(?:はい|承知|かしこまり|もちろん)[^:：]*(?:以下|続き|文)|以下(?:は|に|が|の)"
    r"|(?:네|물론|알겠습니다)[^:：]*(?:다음|문장|이어)|다음은|아래는"
    r"|(?:natürlich|gerne|selbstverständlich|klar|sicher|okay|gut)\b[^:：]{0,80}\b(?:hier|nachfolgend|folgend)"
    r"|(?:hier|nachfolgend|im folgenden) (?:ist|sind|finde|ein)"
    r"|(?:voici|bien sûr|d'accord|claro|aquí tienes|por supuesto)\b)"
    r"[^:：]{0,80}[:：]\s*",
    re.IGNORECASE,
)
# Each pattern is a rule of its own: a dataset whose own sentences match one is cleaned without it.
_ANNOUNCEMENTS = (
    r"^(?:sure|certainly|of course|okay|absolutely)\b(?:[,.! ]*$|.*\bhere (?:is|are|you go)\b)",
    r"^here(?: is| are|['’]s) .*\b(?:sentences?|continuations?|examples?|explanations?)\b|^here you (?:go|are)\b",
    r"^(?:好的|当然|没问题|明白了?|收到|可以)(?:[，,。！!]*(?:没问题|当然|可以)?[，,。！!]*$"
    r"|[，,。！!].*(?:以下|下面|续写|句子))",
    r"^(?:以下|下面)(?:是|为).*(?:续写|句子|解释|例子|内容)",
    r"^(?:はい|承知(?:しま|いたしま)した|かしこまりました|もちろん(?:です)?)(?:[、。！!]*$|[、。].*(?:続き|文))",
    r"^以下(?:は|に|が).*(?:続き|文)",
    r"^(?:natürlich|gerne|selbstverständlich)(?:[,.! ]*$|[,.!].*\b(?:hier (?:ist|sind)|sätze|fortsetzung)\b)",
    r"^(?:네|물론(?:입니다|이죠)?|알겠습니다)(?:[,.! ]*$|[,.].*(?:문장|이어))|^(?:다음은|아래는) .*(?:문장|글)",
)
_REFUSALS = (
    r"\bas an? (?:AI|artificial|large language|language model|assistant)\b",
    r"\bI(?: am|['’]m) (?:just )?an? (?:AI|language model)\b",
    r"\b(?:large )?language models?,? (?:like me|I)\b",
    r"^(?:I(?: am|['’]m) (?:very |so |really )?sorry\b|sorry,|I apologi[sz]e|my apologies|unfortunately, I)",
    r"\bI (?:can(?:not|['’]t| not)|(?:am|['’]m) (?:unable|not able) to|won['’]t be able to)"
    r" (?:help|assist|fulfil|comply|continue|provide|do that|generate|create|complete|answer|write)",
    r"^(?:es tut mir (?:sehr )?leid|entschuldigung|leider kann ich)\b|\bals (?:eine? )?(?:KI|Sprachmodell)\b",
    r"^(?:非常|很|十分)?(?:抱歉|对不起|对不住|不好意思)[，,。！!]",
    r"作为(?:一个|一名|一款)?(?:AI|人工智能|大?语言模型|大模型|智能助手)",
    r"我(?:是|只是)(?:一个|一名|一款)?(?:AI|人工智能|大?语言模型)",
    r"(?:无法|不能|没有办法)(?:为您|帮您|继续)?"
    r"(?:完成|满足|回答|提供|生成|续写)(?:这个|这些|该|您的|相关|此类|出|$)",
    r"^(?:大変)?申し訳(?:ありません|ございません)|^すみませんが",
    r"(?:AI|人工知能|言語モデル)(?:アシスタント)?(?:として|なので|ですので)",
    r"^(?:정말 )?(?:죄송합니다|죄송하지만|미안하지만)",
    r"(?:AI|인공지능|언어 모델)(?: ?어시스턴트)?(?:로서|이므로|이기 때문에)",
)
_REMARKS = (
    r"\b(?:this|the|your|each|that|first|original|given|above|second|last)"
    r" (?:original |given |first |new |following )?sentences?\b",
    r"\b(?:the|this|above|given|following|original)"
    r" (?:entit(?:y|ies)|continuation|prompt|passage|instructions?|word count)\b",
    r"\bthe (?:text|paragraph) (?:above|given|provided|continues)\b",
    r"\bin (?:this|the) (?:context|example|sentence|text|passage)\b[, ].*\b(?:refers?|means?|is used|represents?)\b",
    r"\b(?:I hope (?:this|that|these)|let me know|feel free to|please (?:provide|let|note that|tell|give))\b",
    r"\b(?:this|your) task\b|\b(?:do|complete|fulfil|perform) the task\b",
    r"\byour (?:text|request|prompt|instructions?)\b",
    r"\bI (?:will|shall|won['’]t|can) (?:only |not |now )?(?:write|copy|continue|generate|provide|rewrite)\b"
    r"[^.!?]*\b(?:texts?|sentences?|paragraphs?|continuations?)\b",
    r"(?:这个|该|本|此)任务(?=[，。！的是要])",
    r"\b(?:in the same style|same style and)\b|\bif you (?:have any|need any|would like)\b",
    r"(?:这|该|此|上述|以上|原|本|两|三|每|各|上面的?|给定的?|下一?)"
    r"(?:句话|个句子|句子|句(?=[，,中的])|句文本|段话|段文字|段文本)|续写",
    r"(?:^在?|了|根据)文本?中(?=[的所提，])",
    r"(?:这[些个]|上述|以上|其中的?|[两二三四]个|每个|各个|该|所有|给定的?)实体(?!店|经济|企业|书|行业)",
    r"希望(?:这些?|以上|能?对[您你]|能?帮)",
    r"如果[您你](?:有|需要|还|想|能)|请(?:告诉我|提供|注意|您|问您|随时)|[您你](?:提供|给出)的|根据[您你]|同样的文风",
    r"(?:この|上記の|元の|以下の|その|与えられた)(?:文章?(?=[はがをのに、])|エンティティ|例文|固有表現)|エンティティ",
    r"\b(?:ich hoffe,? (?:das|dies|diese)|lass(?:en Sie)? mich wissen|lassen Sie es mich wissen|bitte beachten Sie)\b",
    r"^以上(?:が|は|の).*(?:文|例)|^(?:以下|では)、.*(?:文|続き)|これは(?:架空|フィクション)|フィクションです",
    r"(?:お役に立|ご質問|お知らせください|教えてください)",
    r"(?:이|위|위의|해당|주어진|원래|다음) (?:문장|개체|엔티티|텍스트)|개체명",
    r"(?:도움이 되|궁금한 점|알려 ?주세요|말씀해 ?주세요)",
)
_KINDS: tuple[tuple[Remark, tuple[str, ...]], ...] = (
    ("a preamble", _ANNOUNCEMENTS),
    ("a refusal", _REFUSALS),
    ("a remark", _REMARKS),
)
REMARKS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, patterns in _KINDS for pattern in patterns)


def without_preamble(paragraph: str) -> tuple[str, bool]:
    """Return a paragraph without the announcement at its beginning, and whether there was one."""
    rest = _PREAMBLE.sub("", paragraph)
    return rest, rest != paragraph


def remark_of(sentence: str) -> Remark | None:
    """Return the kind of remark that a sentence is, or None."""
    return next((kind for kind, pattern in REMARKS if pattern.search(sentence)), None)
