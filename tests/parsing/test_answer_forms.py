"""The forms of answers: JSON broken in many ways, lists, tables, tagged text; and prose, which has no items."""

from __future__ import annotations

import json

import pytest

from utils.parsing import read_answer

BEIJING, SHANGHAI = ("北京", "地名"), ("上海", "地名")
BOTH = [BEIJING, SHANGHAI]


def read(answer, mode="entity", sentence=None):
    return [(item.text, item.label) for item in read_answer(answer, mode, sentence) or []]


@pytest.mark.parametrize(
    "answer",
    [
        "[{'entity': '北京', 'type': '地名'}, {'entity': '上海', 'type': '地名'}]",
        "[{entity: '北京', type: '地名'}, {entity: 上海, type: 地名}]",
        '[{"entity": "北京" "type": "地名"} {"entity": "上海",, "type": "地名"},,]',
        '[{"entity": "北京", "type": "地名", {"entity": "上海", "type": "地名"}]',
        '[{"entity": "北京", "type": "地名"}], [{"entity": "上海", "type": "地名"}]]',
        '[{"entity": "北京", "type": "地名"], ["entity": "上海", "type": "地名"]',
        '"entity": "北京", "type": "地名"}, {"entity": "上海", "type": "地名"}]',
        '{"entity": "北京", "type": "地名", "entity": "上海", "type": "地名"}',
        "{'entity': '北京', 'type': '地名', 'entity': '上海', 'type': '地名'}",
        '[{"entity": "北京, "type": "地名"}, {"entity": 上海", "type": "地名"}]',
        '[{"entity"="北京", "type"="地名"}, {"entity" => "上海", "type" => "地名"}]',
        '｛"entity"："北京"，"type"："地名"｝，｛“entity”：“上海”，“type”：“地名”｝',
        "［｛「entity」：「北京」，「type」：「地名」｝，｛「entity」：「上海」，「type」：「地名」｝］",
        '[{\\"entity\\": \\"北京\\", \\"type\\": \\"地名\\"}, {\\"entity\\": \\"上海\\", \\"type\\": \\"地名\\"}]',
        "[{&quot;entity&quot;: &quot;北京&quot;, &quot;type&quot;: &quot;地名&quot;}, {'上海': '地名'}]",
        '\ufeff[{\u200b"entity": "\\u5317\\u4eac", "type": "地名"}, {"entity": "\\u4e0a\\u6d77", "type": "地名"}]',
        '[{"entity": "北京", "type": "地名"}, // the capital\n {"entity": "上海", "type": "地名"}, ...]',
        '[{"entity": "北京", "type": "地名"}, {"entity": "上海", "type": "地名"}, {"entity": "广州", "ty',
        '[{"entity": "北京", "type": "地名"}, {"entity": "上海", "type": "地名"}, {"entity": "广州"',
        '```json\n[{"entity": "北京", "type": "地名"}]\n```\nand\n```json\n[{"entity": "上海", "type": "地名"}]',
        '先想一想 [{"entity": "广州"}]</think>[{"entity": "北京", "type": "地名"}, {"entity": "上海", "type": "地名"}]',
        '实体有：["北京"]。答案：[{"entity": "北京", "type": "地名"}, {"entity": "上海", "type": "地名"}]',
        '[{"北京": "地名"}, {"上海": "地名"}]，即 [{"北京": "地名"}, {"上海": "地名"}]。',
        '{"text": "从北京到上海", "entities": [{"name": "北京", "type": "地名"}, ["上海", "地名"]]}',
        '{"data": {"result": {"entities": [["北京", "地名"], ["上海", "地名", 0.9]]}}}',
        '{"地名": ["北京", "上海"], "人名": []}',
        "{'地名': [{'name': '北京'}, {'name': '上海'}], 'why': None",
        "{'北京': {'type': '地名'}, '上海': {'type': '地名'}}",
        "[('北京', '地名'), ('上海', '地名')]",
        '[["北京","地名"],["上海","地名"],["广州","地',
        '["北京（地名）", "上海: 地名"]',
        '[{"entity": ["北京", "上海"], "type": "地名"}]',
        '[{"text": ["北", "京"], "type": "地名"}, {"span": "上海", "category": "地名"}]',
        '[{"entity": "地名", "word": "北京"}, {"entity": "地名", "text": "上海"}]',
        '[{"単語": "北京", "品詞": "地名"}, {"단어": "上海", "품사": "地名"}]',
        '[{"Entity Name": "北京", "entity_type": "地名"}, {"实体名称": "上海", "实体类型": "地名"}]',
        '"北京": "地名", "上海": "地名"',
        "| 实体 | 类型 |\n|:--|---|\n| 北京 | 地名 |\n| **上海** | 地名 |",
        "类型|实体\n--|--\n地名|北京\n地名|上海",
        "| 1 | 北京 | 地名 |\n| 2 | 上海 | 地名 |",
        "北京\t地名\n上海\t地名\n",
        "entity,type\n北京,地名\n上海,地名",
        "以下是结果：\n\n- 北京: 地名\n- 上海：地名\n\n希望有帮助！",
        "1. **北京** - 地名\n2. “上海”（地名）",
        "* 北京 → 地名\n* `上海` -> 地名",
        "北京（地名）、上海（地名）。",
        "北京：地名，上海：地名",
        "地名：北京、上海",
        "- 地名：北京\n- 地名：上海\n- 人名：无",
        "entity: 北京\ntype: 地名\n\nentity: 上海\ntype: 地名",
        "实体：北京，类型：地名\n实体：上海，类型：地名",
        "北京/地名 上海/地名",
        "北京_地名\n上海_地名",
        "北京 地名\n上海 地名",
        "<地名>北京</地名>到<地名>上海</地名>",
        '<entity type="地名">北京</entity><entity type="地名">上海</entity>',
        "<entity><text>北京</text><type>地名</type></entity><entity><text>上海</text><type>地名</type></entity>",
        "[北京](地名) [上海](地名)",
    ],
)
def test_both_items_are_read_from_every_form(answer):
    assert read(answer) == BOTH


@pytest.mark.parametrize("mark", ['"', "'", "\\", "{", "}", "[", "]", ",", ":", "“", "/", "|", "<"])
def test_a_punctuation_mark_may_be_a_word(mark):
    wanted = [("她", "r"), (mark, "w"), ("们", "k")]
    rows = [{"word": word, "pos": pos} for word, pos in wanted]
    assert read(json.dumps(rows), "pos") == wanted
    assert read(json.dumps(rows)[:-1], "pos") == wanted
    assert read(str(rows), "pos") == wanted
    plain = ", ".join(f'{{"word": "{word}", "pos": "{pos}"}}' for word, pos in wanted)
    assert read(f"[{plain}]", "pos") == wanted


def test_a_quotation_inside_a_text_does_not_end_it():
    assert read("""[{"entity": "他说"你好"", "type": "句"}, {'entity': 'it's', 'type': 'x'}]""") == [
        ('他说"你好"', "句"),
        ("it's", "x"),
    ]


def test_braces_inside_a_text_do_not_split_it():
    assert read("[{'entity': 'f(x) {a} b', 'type': 'code'}, {'entity': 'c', 'type': 'd'}") == [
        ("f(x) {a} b", "code"),
        ("c", "d"),
    ]


@pytest.mark.parametrize(
    ("answer", "sentence", "items"),
    [
        ('{"人名": "邓超", "地名": "北京"}', "邓超在北京", [("邓超", "人名"), ("北京", "地名")]),
        ('{"邓超": "人名", "北京": "地名"}', "邓超在北京", [("邓超", "人名"), ("北京", "地名")]),
        ("人名：邓超\n地名：北京", "邓超在北京", [("邓超", "人名"), ("北京", "地名")]),
        ('{"北京": ["地名", "城市"]}', "邓超在北京", [("北京", "地名"), ("北京", "城市")]),
        ('[["PER", "Ito"], ["LOC", "New York"]]', "Ito in New  York", [("Ito", "PER"), ("New York", "LOC")]),
        ('[{"entity": "地名", "type": "北京"}]', "邓超在北京", [("地名", "北京")]),  # the keys decide
    ],
)
def test_the_sentence_decides_which_part_of_a_pair_is_the_label(answer, sentence, items):
    assert read(answer, sentence=sentence) == items


def test_without_a_sentence_a_repeated_first_part_is_the_label():
    assert read('[{"PER": "Ito"}, {"PER": "Sato"}]') == [("Ito", "PER"), ("Sato", "PER")]


def test_repeated_items_of_one_array_are_kept_and_a_repeated_array_is_not():
    words = '[{"word": "好", "pos": "a"}, {"word": "好", "pos": "a"}]'
    assert read(words, "pos") == [("好", "a")] * 2
    assert read(f"{words}\nFinal answer: {words}", "pos") == [("好", "a")] * 2


def test_words_without_labels_are_read_if_no_item_has_a_label():
    assert read('["女婴", "啼哭", "不休"]', "pos") == [("女婴", ""), ("啼哭", ""), ("不休", "")]


def test_a_key_that_is_a_word_of_the_sentence_does_not_name_a_part():
    assert read('{"My": "PRON", "name": "NOUN", "is": "AUX", "Ito": "PROPN"}', "pos")[1] == ("name", "NOUN")


@pytest.mark.parametrize("cut", range(2, 150))
def test_an_answer_cut_off_anywhere_keeps_its_complete_items_and_no_others(cut):
    items = [{"entity": f"名字{number}", "type": "类型"} for number in range(5)]
    for whole in (json.dumps(items, ensure_ascii=False), str(items)):
        found = read(whole[:cut])
        complete = whole[:cut].count("}")
        assert found[:complete] == [(f"名字{number}", "类型") for number in range(complete)]
        assert set(found) <= {(item["entity"], item["type"]) for item in items}


@pytest.mark.parametrize(
    "answer",
    [
        "抱歉，我无法回答：请提供更多的上下文和详细信息。谢谢您的理解！",
        "攻击者设置近 500 个诱饵站点，企图引诱目标访问这些站点，并进一步实施攻击。",
        "The sentence has no names. Nothing to mark; see [1] and {above}.",
        "见 http://t.cn/zWgOYC8",
    ],
)
def test_prose_is_not_read_as_items(answer):
    assert read_answer(answer, "entity") is None
