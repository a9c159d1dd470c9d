"""Difficult answers of LLMs: which sentences are kept, and why the others are dropped."""

from __future__ import annotations

import pytest

from utils.dataset.tokens import Tokenisation
from utils.prompts import load_prompt
from utils.synthesis.cleaning import Cleaner, entities_line, template_sentences
from utils.synthesis.copies.near_duplicates import KnownTexts
from utils.synthesis.writing_style import WritingStyle

WRITTEN = {
    "en": ["Agnes", "Muir", "left", "Rome", "in", "May", ",", "and", "didn't", "return", "."],
    "zh": list("邓超在北京读书，喜欢iPhone手机。"),
    "ja": list("東京は日本の首都で、とても大きい。"),
    "ko": list("서울은 한국의 수도이고 매우 크다."),
}


def cleaner(language, **settings):
    tokenisation = Tokenisation(is_dense=language != "en")
    prompt = load_prompt("explain", language).text
    return Cleaner(
        language,
        WritingStyle.of([WRITTEN[language]], tokenisation=tokenisation),
        labels=("PER.NAM", "LOC"),
        template=KnownTexts(template_sentences(prompt), tokenisation=tokenisation),
        entities_line=entities_line(prompt),
        **settings,
    )


def clean(language, answer, **settings):
    """Return the kept sentences, with spaces between words, and the reasons of the dropped pieces."""
    pieces = list(cleaner(language, **settings).pieces(answer))
    joint = " " if language == "en" else ""
    return [joint.join(piece.tokens) for piece in pieces if not piece.reason], [p.reason for p in pieces if p.reason]


NASTY = [
    # --- where English sentences end
    ("en", "U.S. GDP grew 3.14 percent. It fell later again.", "U.S. GDP grew 3.14 percent .|It fell later again ."),
    ("en", "Dr. Muir met J. Carver. They left for St. Ives.", "Dr. Muir met J. Carver .|They left for St. Ives ."),
    ("en", "They met at 5 p.m. Monday in Rome.", "They met at 5 p.m. Monday in Rome ."),
    ("en", 'He asked: "Why so late?" She left in May.', 'He asked : " Why so late ? "|She left in May .'),
    ("en", '"Why so late?" he asked. She left in May.', '" Why so late ? " he asked .|She left in May .'),
    ("en", "Apple Inc. grew, i.e. sold. Rome did not grow.", "Apple Inc. grew , i.e. sold .|Rome did not grow ."),
    ("en", "No... it is really true! Is it so, then?", "No . . . it is really true !|Is it so , then ?"),
    ("en", "See www.a-b.com for more of it. It is open now.", "See www.a-b.com for more of it .|It is open now ."),
    ("en", "Rome is old,\nolder than\nall. It is so big.", "Rome is old , older than all .|It is so big ."),
    ("en", "The lights of the old\nharbour went out.", "The lights of the old harbour went out ."),
    ("en", "Tom (born 1950) is old. He turned 70 in May.", "Tom ( born 1950 ) is old .|He turned 70 in May ."),
    # --- where Chinese sentences end, and sentences of two languages
    ("zh", "他来了罗马！？真的吗!?这太好了；我们走吧。", "他来了罗马！？|真的吗!?|这太好了；|我们走吧。"),
    ("zh", "增长了3.14个百分点。很快就停了。", "增长了3.14个百分点。|很快就停了。"),
    ("zh", "他说：“今天很好。”然后就走了。", "他说：“今天很好。”|然后就走了。"),
    ("zh", "“快走吧！”他说。大家都跑了。", "“快走吧！”他说。|大家都跑了。"),
    ("zh", "他等了很久很久……后来她终于来了。", "他等了很久很久……|后来她终于来了。"),
    ("zh", "我……我真的不知道。", "我……我真的不知道。"),
    ("zh", "他住在St. Louis很久。她是Dr. Smith的学生。", "他住在St. Louis很久。|她是Dr. Smith的学生。"),
    ("zh", "他在U.S. Steel上班。薪水很高。", "他在U.S. Steel上班。|薪水很高。"),
    ("zh", "他说：“好；行。”然后走了。", "他说：“好；行。”|然后走了。"),
    ("zh", "罗马是一座古老的\n城市。它非常大。", "罗马是一座古老的城市。|它非常大。"),
    ("zh", "他 在 New York 住 了 很 久 。", "他在New York住了很久。"),
    ("zh", "《你好。再见》是一本书。", "《你好。再见》是一本书。"),
    ("ja", "彼は「行こう。」と言った。そして去った。", "彼は「行こう。」と言った。|そして去った。"),
    ("ja", "円周率は3.14だという。すごい！本当ですか？", "円周率は3.14だという。|本当ですか？", "too short"),
    ("ko", "그는 3.14를 말했다. 그리고 갔다.", "그는 3.14를 말했다.|그리고 갔다."),
    ("ko", '"가자."라고 그는 말했다. 우리는 갔다.', '"가자."라고 그는 말했다.|우리는 갔다.'),
    # --- unfinished sentences and fragments
    ("en", "Rome is a very old city. It is also very", "Rome is a very old city .", "unfinished"),
    ("en", "and then he left the old city.", "", "a fragment"),
    ("en", "Rome is an old city (in the south.", "", "unfinished"),
    ("en", "eBay is a big market for it.", "eBay is a big market for it ."),
    ("zh", "罗马是一座古老的城市。它也非常", "罗马是一座古老的城市。", "unfinished"),
    ("zh", "，罗马是一座古老的城市。", "", "a fragment"),
    ("zh", "app里有很多古老的城市。", "app里有很多古老的城市。"),
    ("zh", "“罗马是一座古老的城市。”", "罗马是一座古老的城市。"),
    ("zh", "他说“罗马是一座古老的城市。", "", "unfinished"),
    # --- preambles
    ("en", "Sure, here is a continuation: Rome is an old city.", "Rome is an old city .", "a preamble"),
    ("en", "Sure! Here are two sentences:\n\nRome is an old city.", "Rome is an old city .", "a preamble"),
    ("zh", "好的，以下是续写的句子：\n罗马是一座城市。", "罗马是一座城市。", "a preamble"),
    ("zh", "好的，以下是续写：罗马是一座城市。", "罗马是一座城市。", "a preamble"),
    ("ja", "はい、以下が続きの文です。\n東京は日本の首都です。", "東京は日本の首都です。", "a preamble"),
    ("ko", "물론입니다. 다음은 문장입니다:\n서울은 크고 넓다.", "서울은 크고 넓다.", "a preamble"),
    # --- markdown, lists, headings
    ("en", "**Rome** is `an` *old* __city__.", "Rome is an old city ."),
    ("en", "## Rome\n1. Rome is a city.\n2. So is Oslo too.", "Rome is a city .|So is Oslo too .", "a heading"),
    ("en", "1. Rome is an old city. 2. Oslo is a new one.", "Rome is an old city .|Oslo is a new one ."),
    ("en", "- Rome is an old city.\n• Oslo is a new one.", "Rome is an old city .|Oslo is a new one ."),
    ("en", "```\nRome is an old city.\n```\n---", "Rome is an old city ."),
    ("en", "| a | b |\n|---|---|\nRome is an old city.", "Rome is an old city .", "a heading"),
    ("en", "Sentence 1: Rome is an old city. Sentence 2: So is Oslo too.", "Rome is an old city .|So is Oslo too ."),
    ("zh", "①罗马是一座城市。\n②他来自罗马。", "罗马是一座城市。|他来自罗马。"),
    ("zh", "**罗马**：罗马是一座城市。", "罗马是一座城市。"),
    ("zh", "续写：\n句子1：邓超是一名演员。", "邓超是一名演员。", ),
    ("zh", "A：你今天去罗马吗？\nB：我明天才去罗马。", "你今天去罗马吗？|我明天才去罗马。"),
    # --- refusals and remarks
    ("en", "I'm sorry, but I can't help with that.", "", "a refusal"),
    ("en", "As an AI language model, I cannot continue this text.", "", "a refusal"),
    ("en", "In this sentence, Rome refers to a city.", "", "a remark"),
    ("en", "<think>They want Rome. Fine.</think>\nRome is an old city.", "Rome is an old city ."),
    ("en", "They want Rome. Fine.</think>\nRome is an old city.", "Rome is an old city ."),
    ("en", "Rome is an old city. I hope this helps!", "Rome is an old city .", "a remark"),
    ("en", "No, I will not copy your text. We need to complete the task.", "", "a remark", "a remark"),
    ("en", "I will write a long letter to Rome.", "I will write a long letter to Rome ."),
    ("en", "She was given the task of her life.", "She was given the task of her life ."),
    ("zh", "抱歉，我无法完成这个任务。", "", "a refusal"),
    ("zh", "作为一个AI语言模型，我没有个人经历。", "", "a refusal"),
    ("zh", "这句话的意思是罗马很古老。", "", "a remark"),
    ("zh", "这个实体是罗马，但它也可能指的是一个平台。", "", "a remark"),
    ("zh", "这句文本描绘了一个没有时间的男人。", "", "a remark"),
    ("zh", "文中的地点是罗马。", "", "a remark"),
    ("zh", "文本中提到的老同学去了罗马。", "", "a remark"),
    ("zh", "写出了文中的信息：我开车去了罗马。", "", "a remark"),
    ("zh", "他在论文中的观点很古老。", "他在论文中的观点很古老。"),
    ("zh", "这个实体店在罗马开了很久。", "这个实体店在罗马开了很久。"),
    ("ja", "申し訳ありませんが、お答えできません。", "", "a refusal"),
    ("ko", "죄송하지만 도와드릴 수 없습니다.", "", "a refusal"),
    # --- echoes of the prompt
    ("en", "Entities in it: Rome(LOC)\nRome is an old city.", "Rome is an old city .", "an echo of the prompt"),
    ("en", "Write plain sentences only: no list, no heading, no remark about the task.", "", "an echo of the prompt"),
    ("en", "Rome (LOC) is an old city.", "Rome is an old city ."),
    ("zh", "邓超（PER.NAM）是一名演员。", "邓超是一名演员。"),
    ("zh", "邓超是一名PER.NAM演员。", "", "an echo of the prompt"),
    ("zh", "邓超(SONG.NAM)在罗马唱了很久。", "", "an echo of the prompt"),
    ("zh", "他买了(CD-ROM)和(USB)很久。", "他买了(CD-ROM)和(USB)很久。"),
    # --- other scripts
    ("en", "这是一座古老的城市。", "", "another script"),
    ("en", "Moscow, or Москва, is a large city.", "", "another script"),
    ("zh", "Rome is a very old city.", "", "another script"),
    ("zh", "羅馬是一座古老的城市，歷史悠久。", "", "another script"),
    ("zh", "罗马是一座让我捨不得，也让我喜歡的城市。", "", "another script"),
    ("zh", "游锡堃在罗马住了很久。", "游锡堃在罗马住了很久。"),
    ("zh", "罗马（ローマ）是一座古老的城市。", "", "another script"),
    ("ja", "北京是中国的首都和政治中心。", "", "another script"),
]  # fmt: skip


def test_there_are_more_than_sixty_nasty_texts():
    assert len({answer for _, answer, *_ in NASTY}) == len(NASTY) > 60


@pytest.mark.parametrize("row", NASTY, ids=[f"{row[0]}-{row[1][:24]}" for row in NASTY])
def test_a_nasty_text_gives_its_sentences_and_the_reasons_for_the_rest(row):
    language, answer, kept, *reasons = row
    assert clean(language, answer) == ([one for one in kept.split("|") if one], reasons)


@pytest.mark.parametrize(
    ("answer", "reason"), [("Rome is old.", "too short"), ("Rome is a very old city of the south.", "too long")]
)
def test_a_sentence_has_a_minimum_and_a_maximum_number_of_tokens(answer, reason):
    assert clean("en", answer, shortest=5, longest=8) == ([], [reason])


@pytest.mark.parametrize(("is_cut", "reasons"), [(True, ["unfinished"]), (False, [])])
def test_a_number_cut_by_the_token_budget_does_not_end_a_sentence(is_cut, reasons):
    pieces = cleaner("en").pieces("Rome grew last year by 3.", is_cut=is_cut)
    assert [piece.reason for piece in pieces if piece.reason] == reasons


def test_every_character_of_a_plain_answer_is_in_one_of_its_pieces():
    answer = "Rome is old. It is large, and it is in the south. Is it? And so"
    pieces = cleaner("en").pieces(answer)
    assert "".join(piece.text for piece in pieces).replace(" ", "") == answer.replace(" ", "")


@pytest.mark.parametrize("answer", ["", "   \n ", "\n\n```\n```", "…", "***", "。"])
def test_an_answer_without_words_gives_no_sentence(answer):
    assert clean("en", answer)[0] == []


@pytest.mark.parametrize("language", ["en", "zh", "ja", "ko"])
@pytest.mark.parametrize("style", ["explain", "continue", "dialogue", "news"])
def test_every_style_has_a_prompt_in_every_language_and_its_lines_are_not_kept(language, style):
    prompt = load_prompt(style, language)
    assert prompt.placeholders == {"sentence", "entities"}
    assert entities_line(prompt.text)
    known = Cleaner(
        language,
        WritingStyle.of([WRITTEN[language]], tokenisation=Tokenisation(is_dense=language != "en")),
        template=KnownTexts(template_sentences(prompt.text), tokenisation=Tokenisation(is_dense=language != "en")),
        entities_line=entities_line(prompt.text),
    )
    pieces = list(known.pieces(prompt.fill({"sentence": "", "entities": "x"})))
    assert pieces
    assert all(piece.reason for piece in pieces)
