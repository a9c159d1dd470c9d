"""Answers about datasets of titles, queries and posts, which do not write like edited prose."""

from __future__ import annotations

import pytest

from tests.helpers.genres import texts
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.synthesis.cleaning import Cleaner
from utils.synthesis.writing_style import WritingStyle

PROSE = [f"{name} went to the harbour in May and came back." for name in ("Agnes", "Tom", "Ellen")] * 20


def cleaner(given, language, **settings):
    tokenisation = WORDS if language == "en" else CHARACTERS
    style = WritingStyle.of([tokenisation.split(text) for text in given], tokenisation=tokenisation)
    return Cleaner(language, style, **settings)


ZH_TITLES = cleaner(texts("zh", "title"), "zh")
ZH_POSTS = cleaner(texts("zh", "post"), "zh")
EN_QUERIES = cleaner(texts("en", "query"), "en")
EN_PROSE = cleaner(PROSE, "en")


def clean(of_dataset, answer, **settings):
    """Return the texts that are kept, and the reasons of the others."""
    pieces = list(of_dataset.pieces(answer, **settings))
    join = of_dataset.writing.tokenisation.join
    return [join(piece.tokens) for piece in pieces if not piece.reason], [p.reason for p in pieces if p.reason]


def test_several_titles_in_one_answer_are_cut_at_line_breaks():
    answer = "1. 邓超最新手机曝光\n2. 【北京】赵丽测试火锅！3分钟看完\n3. 电池怎么维修？孙杰教你3招"
    kept, dropped = clean(ZH_TITLES, answer)
    assert kept == ["邓超最新手机曝光", "【北京】赵丽测试火锅！3分钟看完", "电池怎么维修？孙杰教你3招"]
    assert dropped == []


def test_markdown_headings_may_be_titles():
    assert clean(ZH_TITLES, "## 邓超最新手机在北京曝光\n\n## 火锅在成都直播的背后") == (
        ["邓超最新手机在北京曝光", "火锅在成都直播的背后"],
        [],
    )
    assert clean(EN_PROSE, "## A walk\nAgnes left the old town.") == (["Agnes left the old town."], ["a heading"])


@pytest.mark.parametrize(
    ("answer", "kept", "dropped"),
    [
        ("邓超最新手机曝光\n孙杰在北京的电池测试方法公", ["邓超最新手机曝光"], ["unfinished"]),
        ("邓超最新手机曝光了！\n电池怎么维修？", ["邓超最新手机曝光了！", "电池怎么维修？"], []),
    ],
)
def test_the_last_title_of_an_answer_that_the_token_budget_cut_is_unfinished(answer, kept, dropped):
    assert clean(ZH_TITLES, answer, is_cut=True) == (kept, dropped)


def test_an_open_bracket_and_a_comma_at_the_end_show_an_unfinished_title():
    assert clean(ZH_TITLES, "邓超（知名演员测试手机")[1] == ["unfinished"]
    assert clean(ZH_TITLES, "邓超最新手机曝光，")[1] == ["unfinished"]


def test_refusals_and_remarks_are_no_titles():
    assert clean(ZH_TITLES, "抱歉，我无法完成这个任务。\n以下是续写的句子：")[0] == []
    assert clean(EN_QUERIES, "Sure, here are three sentences:\nI'm sorry, but I can't help with that.")[0] == []


def test_a_post_of_several_sentences_is_one_text():
    assert ZH_POSTS.writing.lines.whole_up_to
    post = "今天好开心！和小明去北京吃火锅。不敢相信这一切"
    assert clean(ZH_POSTS, post) == ([post], [])
    cut = "今天好开心！和小明去北京吃火锅。不敢相信这"
    assert clean(ZH_POSTS, cut, is_cut=True) == (["今天好开心！和小明去北京吃火锅。"], ["unfinished"])


def test_hashtags_and_stars_that_are_no_markup_stay():
    post = "#火锅#今天和小明去北京测试f**k火锅 5*6哈哈"
    assert clean(ZH_POSTS, post)[0] == [post]


def test_a_query_in_a_dataset_without_capitals_and_marks_has_none():
    queries = cleaner([text.lower() for text in texts("en", "query")], "en")
    assert clean(queries, "What is the best phone, in Rome?")[0] == ["what is the best phone in rome"]


def test_prose_still_needs_a_full_stop_and_a_capital():
    assert clean(EN_PROSE, "Agnes left the old town of Rome. And so it")[1] == ["unfinished"]
    assert clean(EN_PROSE, "and then Tom left the town.")[1] == ["a fragment"]
    assert clean(EN_PROSE, "Harbour life")[1] == ["a heading"]


def test_a_label_that_is_a_word_of_the_dataset_is_no_echo_of_the_prompt():
    genes = [f"The {at}th gene binds DNA in T cells." for at in range(30)]
    of_genes = cleaner(genes, "en", labels=("DNA", "RNA"))
    assert clean(of_genes, "The factor is a DNA (DNA) binding protein.")[1] == []
    assert clean(of_genes, "The factor is a RNA binding protein.")[1] == ["an echo of the prompt"]
    assert clean(of_genes, "The factor IL-2(DNA) binds it.")[0] == ["The factor IL-2 binds it."]


@pytest.mark.parametrize(("language", "shortest"), [("zh", 4), ("ko", 3)])
def test_queries_may_be_short(language, shortest):
    queries = cleaner(texts(language, "query"), language)
    assert queries.min_tokens <= 5
    assert clean(queries, texts(language, "query", 400)[-1])[1] == []
    assert shortest <= queries.max_tokens
