"""Heads before a colon, such as "New sentence 1:" or "文风：": layout, unless the dataset writes them itself."""

from __future__ import annotations

import pytest

from tests.synthesis.test_cleaning import clean
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.synthesis.cleaning import Cleaner
from utils.synthesis.habits.heads import kind_of_head, listed_heads, usual_heads
from utils.synthesis.writing_style import WritingStyle

SENTENCES = {
    "zh": "罗马是一座古老的城市。",
    "en": "Rome is an old city.",
    "ja": "東京は日本の首都だと言われている。",
    "ko": "서울은 한국의 수도이고 매우 크다.",
}
HEADS = {
    "zh": (
        "新内容1：|新的内容：|新句子 2：|句子1：|例句：|续写：|续写内容：|第一句：|第2条：|内容：|正文：|文本3：|"
        "**新内容1**：|**句子：**|### 新句子1：|1. 例句：|【新内容1】|【续写】|版本1：|方案一：|新闻1：|"
        "新的句子是：|另一个句子：|最终答案：|新的微博：|片段2：|句子1 - "
    ),
    "en": (
        "New sentence 1: |Sentence 2: |Text 1: |Example: |Continuation: |New content: |**Sentence 1:** |"
        "**Text 1**: |### Text 2: |Here's a new sentence: |Option B: |Version 1: |The new sentence is: |"
        "Generated text: |Another example: |[Sentence 1] |Sentence One: |Neuer Satz 1: |Beispiel: |Fortsetzung: |"
        "Phrase 1 : |Ejemplo: |Sentence 3 - "
    ),
    "ja": ("新しい文1：|文章：|例文：|続き：|新しい内容：|本文：|**文1：**|【例文】|回答：|二つ目の文：|作成した文："),
    "ko": ("새 문장 1: |새로운 문장: |예문 2: |내용: |본문: |**문장 1:** |[예문] |답변: |두 번째 문장: |1번 문장: "),
}
ATTRIBUTES = {
    "zh": (
        "文风：简洁明了，富有感情。|风格：口语化。|**语气**：轻松，愉快。|关键词：罗马，城市。|"
        "涉及的实体：罗马。|【文风】口语，活泼。|（文风：活泼）|字数：二十字。"
    ),
    "en": (
        "Style: formal and concise.|**Tone:** neutral and clear.|Keywords: Rome, city.|Entities: Rome, Oslo.|"
        "(Style: formal)|Stil: sachlich."
    ),
    "ja": ("文体：簡潔で分かりやすい。|**スタイル**：ニュース調で、簡潔。|キーワード：東京、首都。"),
    "ko": ("문체: 간결하고 명확하다.|**스타일**: 친근하고 쉽다.|키워드: 서울, 수도."),
}
TOPICS = {
    "zh": (
        "话题：古老的城市与它的历史|主题：罗马的历史文化与旅游|标题：罗马的历史与文化介绍|"
        "**罗马的历史与文化介绍**|【标题】罗马的历史与文化"
    ),
    "en": (
        "Topic: old cities of the world|Title: The History of Rome|**The History of Rome**|Thema: alte Städte der Welt"
    ),
    "ja": ("話題：日本の首都とその歴史|タイトル：東京の歴史と文化|**東京の歴史とその文化**"),
    "ko": ("주제: 한국의 수도와 그 역사|제목: 서울의 역사와 문화|**서울의 역사와 문화**"),
}
PREAMBLES = {
    "zh": (
        "好的，以下是续写的句子：|当然可以！以下是根据您提供的句子续写的内容：|好的，没问题。|新的句子如下：|"
        "这里有一些新的句子："
    ),
    "en": (
        "Sure! Here's the continuation:|Here’s what I came up with:|Below is the continued text:|"
        "Hier sind drei neue Sätze:|Gerne!"
    ),
    "ja": (
        "はい、以下が続きの文です：|承知しました。以下に新しい文を示します：|以下、新しい文です。|以上が新しい文です。"
    ),
    "ko": ("네, 다음은 새로운 문장입니다:|다음과 같은 문장을 작성했습니다:|알겠습니다. 새로운 문장을 작성하겠습니다:"),
}


def rows(table):
    return [(language, text.strip()) for language, texts in table.items() for text in texts.split("|")]


def heads(table):
    return [(language, text.lstrip()) for language, texts in table.items() for text in texts.split("|")]


def kept(texts, answer, *, tokenisation=CHARACTERS, language="zh"):
    """Return what is kept of an answer, for a dataset with these texts."""
    writing = WritingStyle.of([tokenisation.split(text) for text in texts], tokenisation=tokenisation)
    pieces = Cleaner(language, writing).pieces(answer)
    return [tokenisation.join(piece.tokens) for piece in pieces if not piece.reason]


def plain(language):
    return clean(language, SENTENCES[language])[0]


@pytest.mark.parametrize(("language", "head"), heads(HEADS))
def test_a_head_is_no_part_of_the_sentence_after_it(language, head):
    assert clean(language, head + SENTENCES[language])[0] == plain(language)


@pytest.mark.parametrize(("language", "line"), rows(ATTRIBUTES))
@pytest.mark.parametrize("is_first", [True, False])
def test_a_line_about_the_style_or_the_entities_is_dropped(language, line, is_first):
    lines = [line, SENTENCES[language]] if is_first else [SENTENCES[language], line]
    assert clean(language, "\n".join(lines))[0] == plain(language)


@pytest.mark.parametrize(("language", "line"), rows(TOPICS) + rows(PREAMBLES))
def test_a_topic_a_title_and_a_preamble_are_no_sentences(language, line):
    assert clean(language, f"{line}\n{SENTENCES[language]}")[0] == plain(language)


def test_a_dropped_attribute_has_a_reason():
    assert clean("zh", "文风：简洁明了，富有感情。\n罗马是一座古老的城市。")[1] == ["a heading"]


def test_the_content_of_a_title_is_a_text_where_texts_have_no_full_stop():
    headlines = ["武汉举办心理健康讲座", "北京新开三家图书馆", "上海推出旅游优惠活动"]
    assert kept(headlines, "标题：罗马举办古城摄影比赛") == ["罗马举办古城摄影比赛"]


def test_heads_with_numbers_and_heads_of_all_lines_are_a_list():
    assert listed_heads(["Idea 1: Rome is", "Idea 2: Oslo is"]) == {"Idea 1", "Idea 2"}
    assert listed_heads(["摩擦生热：在", "外星冒险：斯", "依赖队友：斯"]) == {"摩擦生热", "外星冒险", "依赖队友"}
    assert listed_heads(["他说：“好”", "她问：“谁”", "我答：“我”"]) == set()
    assert listed_heads(["Alien: Covenant is old.", "It is a film."]) == set()
    assert kept(["他在北京读书。", "她去了上海。"], "造句1：罗马很大也很老。\n造句2：北京更大也更老。") == [
        "罗马很大也很老。",
        "北京更大也更老。",
    ]


POSTS = ["转发微博：今天天气很好。", "转发微博：我们去北京。", "他在北京读书。", "她去了上海。"]
PROSE = ["Rome is old .", "He left in May ."]
DIALOGUE = ["A : How are you ?", "B : I am fine , thanks .", "A : Where are you ?", "B : At home ."]
TOPICAL = ["Topic : old cities of the south .", "Topic : new films of May .", "Rome is old ."]


@pytest.mark.parametrize(
    "answer",
    [
        "转发微博：罗马是一座古老的城市。",
        "会议于10:30在北京开始，大家都到了。",
        "比分是3:2，主队赢得了比赛。",
        "地址：http://t.cn/8kKz2SC，大家快来。",
        "他说：“明天我们去北京。”",
        "我的看法是：这座城市非常古老。",
        "小明：你今天去罗马吗？",
        "风格多样的建筑让罗马很有名。",
        "主题公园昨天开门了，游客很多。",
        "复仇者联盟4：终局之战昨天在北京上映。",
        "《星球大战：新希望》在北京上映了。",
    ],
)
def test_a_chinese_sentence_with_a_colon_is_kept_whole(answer):
    assert kept(POSTS, answer) == [answer]


@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        (PROSE, "Alien: Covenant is a 2017 film by Ridley Scott."),
        (PROSE, "Terminator 2: Judgment Day was a large success."),
        (PROSE, "They met at 10:30 in Rome."),
        (PROSE, "Text messages: a study of them came out in May."),
        (PROSE, "The style of the house is old and plain."),
        (PROSE, "Gospel of Mark 3:16 is read in Rome."),
        (DIALOGUE, "A: Do you go to Rome?\nB: I go tomorrow, yes."),
        (TOPICAL, "Topic: new bridges of the north."),
    ],
)
def test_an_english_sentence_with_a_colon_is_kept_whole(texts, answer):
    found = kept(texts, answer, tokenisation=WORDS, language="en")
    assert "".join(found).replace(" ", "") == "".join(answer.split())


def test_the_heads_of_a_dataset_are_learnt_from_more_than_one_text():
    assert usual_heads(["转发微博：好", "转发微博：行", "话题：旅游"]) == {"转发微博"}
    assert usual_heads(["Note 1: a", "Note 2: b"]) == {"note"}
    assert (kind_of_head("注：好"), kind_of_head("注：好", {"注"})) == ("text", None)


@pytest.mark.parametrize("text", ["1" * 2000, "一" * 2000, "新的句子" * 500, "a " * 1000, " " * 3000])
def test_a_long_text_without_a_head_is_read_at_once(text):
    assert kind_of_head(text) is None


def test_posts_whose_own_manner_is_a_head_keep_it_in_a_list():
    """Of 50 posts, one in 25 begins with a name and a colon, each with another one."""
    posts = [f"他在第{number}所学校读书。" for number in range(48)] + [
        "小米新品发布：快来看吧。",
        "城南旧书店：今天打折。",
    ]
    answer = "罗马超市大促销：领取优惠券吧。\n罗马超市周末惊喜：限时抢购开始了。\n罗马书店夏季活动：买二送一。"
    assert kept(posts, answer) == answer.split("\n")
    assert kept(posts[:48], answer) == ["领取优惠券吧。", "限时抢购开始了。", "买二送一。"]
