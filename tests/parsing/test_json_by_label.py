"""JSON that groups texts by label: arrays under a label, parallel arrays, several labels, lists in one string."""

from __future__ import annotations

import pytest

from tests.helpers.read_answers import ALL, ALL_ZH, BOTH, CHINESE, ENGLISH, read


@pytest.mark.parametrize(
    ("answer", "sentence", "mode", "items"),
    [
        (
            '[{"type": "PER", "entities": ["Ann Lee", "Bob"]}, {"type": "LOC", "entities": ["Oslo"]}]',
            ENGLISH,
            "entity",
            ALL,
        ),
        (
            '[{"type": "PER", "entities": [{"text": "Ann Lee"}, {"text": "Bob"}]},'
            ' {"type": "LOC", "entities": [{"text": "Oslo"}]}]',
            ENGLISH,
            "entity",
            ALL,
        ),
        (
            '[{"label": "PER", "mentions": ["Ann Lee", "Bob"]}, {"label": "LOC", "mentions": ["Oslo"]}]',
            ENGLISH,
            "entity",
            ALL,
        ),
        (
            '{"results":[{"category": "PER", "values": ["Ann Lee", "Bob"]}, {"category": "LOC", "values": ["Oslo"]}]}',
            ENGLISH,
            "entity",
            ALL,
        ),
        (
            '[{"类型": "人名", "实体": ["张三", "李四"]}, {"类型": "地名", "实体": ["北京", "上海"]}]',
            CHINESE,
            "entity",
            ALL_ZH,
        ),
        (
            '[{"类型": "人名", "列表": ["张三", "李四"]}, {"类型": "地名", "列表": ["北京", "上海"]}]',
            CHINESE,
            "entity",
            ALL_ZH,
        ),
        ('[{"type": "PER", "found": ["Ann Lee", "Bob"]}, {"type": "LOC", "found": ["Oslo"]}]', ENGLISH, "entity", ALL),
        ('{"type": "PER", "entities": ["Ann Lee", "Bob"]}', ENGLISH, "entity", [("Ann Lee", "PER"), ("Bob", "PER")]),
        ('{"entity": ["Ann Lee", "Bob", "Oslo"], "type": ["PER", "PER", "LOC"]}', ENGLISH, "entity", ALL),
        ('{"entities": ["Ann Lee", "Bob", "Oslo"], "types": ["PER", "PER", "LOC"]}', ENGLISH, "entity", ALL),
        ('{"entities": ["Ann Lee", "Bob", "Oslo"], "labels": ["PER", "PER", "LOC"]}', ENGLISH, "entity", ALL),
        ('{"entity": ["Ann Lee", "Bob"], "type": ["PER"]}', ENGLISH, "entity", [("Ann Lee", "PER"), ("Bob", "PER")]),
        (
            '{"实体": ["张三", "北京"], "类型": ["人名", "地名"]}',
            CHINESE,
            "entity",
            [("张三", "人名"), ("北京", "地名")],
        ),
        (
            '{"tokens": ["Ann", "Lee", "and", "Bob", "flew", "to", "Oslo"],'
            ' "tags": ["B-PER", "I-PER", "O", "B-PER", "O", "O", "B-LOC"]}',
            ENGLISH,
            "entity",
            [("Ann Lee", "B-PER"), ("Bob", "B-PER"), ("Oslo", "B-LOC")],
        ),
        ('{"words": ["Ann", "flew"], "pos": ["NNP", "VBD"]}', ENGLISH, "pos", [("Ann", "NNP"), ("flew", "VBD")]),
        ('[{"text":"Oslo","labels":["LOC"]}]', ENGLISH, "entity", [("Oslo", "LOC")]),
        ('[{"text":"Oslo","labels":["LOC"]}]', None, "entity", [("Oslo", "LOC")]),
        ('[{"text":"Oslo","labels":"LOC"}]', ENGLISH, "entity", [("Oslo", "LOC")]),
        ('[{"span":"Oslo","classes":["LOC"]}]', ENGLISH, "entity", [("Oslo", "LOC")]),
        ('[{"mention":"Oslo","entity_types":["LOC"]}]', ENGLISH, "entity", [("Oslo", "LOC")]),
        (
            '{"地名": "北京、上海", "人名": "张三"}',
            CHINESE,
            "entity",
            [("北京", "地名"), ("上海", "地名"), ("张三", "人名")],
        ),
        ('{"地名": "北京、上海"}', None, "entity", [("北京", "地名"), ("上海", "地名")]),
        (
            '{"地名": "北京，上海", "人名": "张三,李四"}',
            CHINESE,
            "entity",
            [("北京", "地名"), ("上海", "地名"), ("张三", "人名"), ("李四", "人名")],
        ),
        ('{"PER": "Ann Lee, Bob", "LOC": "Oslo"}', ENGLISH, "entity", ALL),
        ('{"PER": "Ann Lee and Bob", "LOC": "Oslo"}', "Ann Lee met Bob in Oslo", "entity", ALL),
        ('[{"entity": "北京、上海", "type": "地名"}]', CHINESE, "entity", [("北京", "地名"), ("上海", "地名")]),
        ('[{"type": "地名", "entity": "北京、上海"}]', CHINESE, "entity", [("北京", "地名"), ("上海", "地名")]),
        ('{"地名": ["北京、上海"]}', CHINESE, "entity", [("北京", "地名"), ("上海", "地名")]),
        (
            '[{"entity": "教育、科学及文化组织", "type": "机构"}]',
            "联合国教育、科学及文化组织",
            "entity",
            [("教育、科学及文化组织", "机构")],
        ),
        ('{"DATE": "July 4, 1776"}', "on July 4, 1776", "entity", [("July 4, 1776", "DATE")]),
        ('{"entities": {"PER": ["Ann Lee", "Bob"], "LOC": ["Oslo"]}}', ENGLISH, "entity", ALL),
        ('{"PER": [["Ann Lee", 0, 7], ["Bob", 12, 15]], "LOC": [["Oslo", 24, 28]]}', ENGLISH, "entity", ALL),
        ('{"PER": {"Ann Lee": [[0, 6]], "Bob": [[12, 14]]}, "LOC": {"Oslo": [[24, 27]]}}', ENGLISH, "entity", ALL),
        ('[{"PER": ["Ann Lee", "Bob"]}, {"LOC": ["Oslo"]}]', ENGLISH, "entity", ALL),
        ('[{"text": ["Ann Lee", "Bob"], "label": "PER"}, {"text": ["Oslo"], "label": "LOC"}]', ENGLISH, "entity", ALL),
        (
            '{"entity": ["Ann Lee", "Bob"], "type": ["PER", "PER", "LOC"]}',
            ENGLISH,
            "entity",
            [("Ann Lee", "PER"), ("Bob", "PER")],
        ),
        ('{"labels": {"PER": ["Ann Lee", "Bob"], "LOC": ["Oslo"]}}', ENGLISH, "entity", ALL),
        ('{"Type": "PER", "Entities": ["Ann Lee", "Bob"]}', ENGLISH, "entity", [("Ann Lee", "PER"), ("Bob", "PER")]),
        (
            '[{"entity_type": "PER", "entity_list": ["Ann Lee", "Bob"]},'
            ' {"entity_type": "LOC", "entity_list": ["Oslo"]}]',
            ENGLISH,
            "entity",
            ALL,
        ),
        (
            '[{"label": "PER", "examples": "Ann Lee, Bob"}, {"label": "LOC", "examples": "Oslo"}]',
            ENGLISH,
            "entity",
            ALL,
        ),
        (
            '[{"type": "PER", "entity": "Ann Lee, Bob"}, {"type": "LOC", "entity": "Oslo"}]',
            "Ann Lee met Bob in Oslo",
            "entity",
            ALL,
        ),
        ('{"PER": ["Ann Lee"], "LOC": [], "ORG": "None"}', ENGLISH, "entity", [("Ann Lee", "PER")]),
        ('{"PER": ["Ann Lee"], "LOC": null}', ENGLISH, "entity", [("Ann Lee", "PER")]),
        ('{"PER": "Ann Lee", "LOC": ""}', ENGLISH, "entity", [("Ann Lee", "PER")]),
        ('[{"type": "PER", "entities": "Ann Lee, Bob"}, {"type": "LOC", "entities": "Oslo"}]', ENGLISH, "entity", ALL),
        (
            '[{"type": "PER", "entities": ["Ann Lee", "Bob"]}, {"type": "LOC", "entities": []}]',
            ENGLISH,
            "entity",
            [("Ann Lee", "PER"), ("Bob", "PER")],
        ),
        ('[{"type": "PER", "entities": []}, {"type": "LOC", "entities": []}]', ENGLISH, "entity", []),
        ('[{"type": "PER", "entity": null}]', ENGLISH, "entity", []),
        ('{"texts": ["Ann Lee","Oslo"], "labels": ["PER","LOC"]}', ENGLISH, "entity", BOTH),
        ('{"mentions": ["Ann Lee","Oslo"], "categories": ["PER","LOC"]}', ENGLISH, "entity", BOTH),
        ('{"result": {"entity": ["Ann Lee","Oslo"], "type": ["PER","LOC"]}}', ENGLISH, "entity", BOTH),
        ('{"实体": ["张三","上海"], "标签": ["人名","地名"]}', CHINESE, "entity", [("张三", "人名"), ("上海", "地名")]),
        ('{"人名": "张三和李四"}', CHINESE, "entity", [("张三和李四", "人名")]),
        ('{"地名": "北京/上海"}', CHINESE, "entity", [("北京", "地名"), ("上海", "地名")]),
        ('{"地名": "北京；上海"}', CHINESE, "entity", [("北京", "地名"), ("上海", "地名")]),
        ('{"地名": "北京\\n上海"}', CHINESE, "entity", [("北京", "地名"), ("上海", "地名")]),
        ('{"地名": "北京 上海"}', CHINESE, "entity", [("北京", "地名"), ("上海", "地名")]),
        ('[{"entity":"Ann Lee","type":"PER"}]\n\nNo other entities found.', ENGLISH, "entity", [("Ann Lee", "PER")]),
        ('[["Ann Lee","PER"]]\n[["Ann Lee","PER"]]', ENGLISH, "entity", [("Ann Lee", "PER"), ("Ann Lee", "PER")]),
        (
            '[{"word":"Ann","label":"B-PER"},{"word":"Lee","label":"I-PER"},'
            '{"word":"and","label":"O"},{"word":"Oslo","label":"B-LOC"}]',
            ENGLISH,
            "entity",
            [("Ann Lee", "B-PER"), ("Oslo", "B-LOC")],
        ),
        (
            '[["张","B-人名"],["三","I-人名"],["和","O"],["上","B-地名"],["海","I-地名"]]',
            CHINESE,
            "entity",
            [("张三", "B-人名"), ("上海", "B-地名")],
        ),
        ("[Ann Lee](PER) and [Bob](PER) flew to [Oslo](LOC)", ENGLISH, "entity", ALL),
        ('{"PER":[{"text":"Ann Lee","start":0},{"text":"Bob"}],"LOC":[{"text":"Oslo"}]}', ENGLISH, "entity", ALL),
        (
            '{"entities":[{"text":"Ann Lee","span":[0,7],"label":"PER"},{"text":"Oslo","span":[24,28],"label":"LOC"}]}',
            ENGLISH,
            "entity",
            BOTH,
        ),
        ('{"entities":[{"span":"0-7","text":"Ann Lee","label":"PER"}]}', ENGLISH, "entity", [("Ann Lee", "PER")]),
        ('[{"entity":"Ann Lee","type":"PER","offset":"0:7"}]', ENGLISH, "entity", [("Ann Lee", "PER")]),
    ],
)
def test_texts_that_json_groups_by_label_are_read(answer, sentence, mode, items):
    assert read(answer, sentence, mode) == items
