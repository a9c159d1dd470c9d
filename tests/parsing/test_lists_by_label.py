"""Answers that list texts by label: bullets under headings, a label and its texts a line, labels with arrays."""

from __future__ import annotations

import pytest

from utils.parsing import read_answer

ENGLISH = "Ann Lee and Bob flew to Oslo"
CHINESE = "张三和李四从北京去上海"
BOTH = [("Ann Lee", "PER"), ("Oslo", "LOC")]
ALL = [("Ann Lee", "PER"), ("Bob", "PER"), ("Oslo", "LOC")]
ALL_ZH = [("张三", "人名"), ("李四", "人名"), ("北京", "地名"), ("上海", "地名")]


def read(answer, sentence, mode="entity"):
    found = read_answer(answer, mode, sentence)
    return None if found is None else [(item.text, item.label) for item in found]


@pytest.mark.parametrize(
    ("answer", "sentence", "mode", "items"),
    [
        ("PER:\n- Ann Lee\n- Bob\nLOC:\n- Oslo", ENGLISH, "entity", ALL),
        ("* PER:\n  * Ann Lee\n  * Bob\n* LOC:\n  * Oslo", ENGLISH, "entity", ALL),
        ("PER\n- Ann Lee\n- Bob\n\nLOC\n- Oslo", ENGLISH, "entity", ALL),
        ("PER:\nAnn Lee\nBob\n\nLOC:\nOslo", ENGLISH, "entity", ALL),
        ("PER:\n- Ann Lee\n- Bob\n\nORG:\n- None\n\nLOC:\n- Oslo", ENGLISH, "entity", ALL),
        (
            "Here are the entities:\n\n**PER**\n- Ann Lee\n- Bob\n\n**LOC**\n- Oslo\n\nLet me know if you need more!",
            ENGLISH,
            "entity",
            ALL,
        ),
        ("1. PER\n   - Ann Lee\n   - Bob\n2. LOC\n   - Oslo", ENGLISH, "entity", ALL),
        ("1. **PER:**\n   - Ann Lee\n   - Bob\n2. **LOC:**\n   - Oslo", ENGLISH, "entity", ALL),
        ("PER (2):\n- Ann Lee\n- Bob\nLOC (1):\n- Oslo", ENGLISH, "entity", ALL),
        ("PER:\n- Ann Lee (a traveller)\n- Bob (her friend)\nLOC:\n- Oslo (a city)", ENGLISH, "entity", ALL),
        ("人名：\n1. 张三\n2. 李四\n地名：\n1. 北京\n2. 上海", CHINESE, "entity", ALL_ZH),
        ("【人名】\n张三\n李四\n【地名】\n北京\n上海", CHINESE, "entity", ALL_ZH),
        ("**人名**：\n- 张三\n- 李四\n\n**地名**：\n- 北京\n- 上海", CHINESE, "entity", ALL_ZH),
        (
            "Time:\n- 10:30\n- 12:00\nPlace:\n- Oslo",
            "from 10:30 to 12:00 in Oslo",
            "entity",
            [("10:30", "Time"), ("12:00", "Time"), ("Oslo", "Place")],
        ),
        ('PER:\n- "Ann Lee"\n- "Bob"\nLOC:\n- "Oslo"', ENGLISH, "entity", ALL),
        (
            "Disease:\n- asthma\n- hay fever",
            "asthma and hay fever",
            "entity",
            [("asthma", "Disease"), ("hay fever", "Disease")],
        ),
        ("- **PER**: Ann Lee, Bob\n- **LOC**: Oslo", ENGLISH, "entity", ALL),
        ("**PER:** Ann Lee, Bob\n**LOC:** Oslo", ENGLISH, "entity", ALL),
        ('PER: ["Ann Lee", "Bob"]\nLOC: ["Oslo"]\nORG: []', ENGLISH, "entity", ALL),
        ("PER: ['Ann Lee', 'Bob']\nLOC: ['Oslo']", ENGLISH, "entity", ALL),
        ('PER = ["Ann Lee", "Bob"]\nLOC = ["Oslo"]', ENGLISH, "entity", ALL),
        ('- PER: ["Ann Lee", "Bob"]\n- LOC: ["Oslo"]', ENGLISH, "entity", ALL),
        ('PER -> ["Ann Lee", "Bob"]\nLOC -> ["Oslo"]', ENGLISH, "entity", ALL),
        ('PER:\n[\n  "Ann Lee",\n  "Bob"\n]\nLOC:\n[\n  "Oslo"\n]', ENGLISH, "entity", ALL),
        ('PER:\n```json\n["Ann Lee", "Bob"]\n```\nLOC:\n```json\n["Oslo"]\n```', ENGLISH, "entity", ALL),
        ('"PER": ["Ann Lee", "Bob"]\n"LOC": ["Oslo"]', ENGLISH, "entity", ALL),
        ('PER: ["Ann Lee", "Bob"]; LOC: ["Oslo"]', ENGLISH, "entity", ALL),
        ('PER: ["Ann Lee", "Bob"], LOC: ["Oslo"]', ENGLISH, "entity", ALL),
        ("PER: Ann Lee, Bob | LOC: Oslo", ENGLISH, "entity", ALL),
        ("LOC: []\nPER: Ann Lee", ENGLISH, "entity", [("Ann Lee", "PER")]),
        ('LOC: []\nPER: ["Ann Lee"]', ENGLISH, "entity", [("Ann Lee", "PER")]),
        ("LOC: []\nPER: []", ENGLISH, "entity", []),
        ("人名：[]\n地名：[]", CHINESE, "entity", []),
        ("人名：无\n地名：无", CHINESE, "entity", []),
        ("LOC: []\nPER: Ann Lee, Bob", None, "entity", [("Ann Lee", "PER"), ("Bob", "PER")]),
        ("人名: []\n地名: 北京、上海", CHINESE, "entity", [("北京", "地名"), ("上海", "地名")]),
        ("答案：[]", CHINESE, "entity", []),
        ("Entities: []", ENGLISH, "entity", []),
        ("Output: []", ENGLISH, "entity", []),
        (
            "Ann B-PER\nLee I-PER\nand O\nBob B-PER\nflew O\nto O\nOslo B-LOC",
            ENGLISH,
            "entity",
            [("Ann Lee", "B-PER"), ("Bob", "B-PER"), ("Oslo", "B-LOC")],
        ),
        ("张 B-PER\n三 I-PER\n和 O\n李 B-PER\n四 I-PER", CHINESE, "entity", [("张三", "B-PER"), ("李四", "B-PER")]),
        ("NUM: 1,200\nLOC: Oslo", "1,200 in Oslo", "entity", [("1,200", "NUM"), ("Oslo", "LOC")]),
        ('### PER\n["Ann Lee", "Bob"]\n### LOC\n["Oslo"]', ENGLISH, "entity", ALL),
        ("<PER>Ann Lee</PER>, <PER>Bob</PER>, <LOC>Oslo</LOC>", ENGLISH, "entity", ALL),
        ("PER: Ann Lee / Bob\nLOC: Oslo", ENGLISH, "entity", ALL),
        ("人名：张三、李四；地名：北京、上海", CHINESE, "entity", ALL_ZH),
        ("人名：张三、李四，地名：北京、上海", CHINESE, "entity", ALL_ZH),
        ("| 类型 | 实体 |\n|---|---|\n| 人名 | 张三、李四 |\n| 地名 | 北京、上海 |", CHINESE, "entity", ALL_ZH),
        ("Entities:\n- Ann Lee: PER\n- Oslo: LOC", ENGLISH, "entity", BOTH),
        ("Entities:\n- Ann Lee\n- Oslo", ENGLISH, "entity", [("Ann Lee", ""), ("Oslo", "")]),
        ("Ann Lee:\n- PER\nOslo:\n- LOC", ENGLISH, "entity", BOTH),
        ("- Ann Lee (PER)\n- Oslo (LOC)", ENGLISH, "entity", BOTH),
        ("Ann Lee: PER\nOslo: LOC", ENGLISH, "entity", BOTH),
        (
            "Person names:\n- Ann Lee\n- Bob\n\nLocations:\n- Oslo",
            ENGLISH,
            "entity",
            [("Ann Lee", "Person names"), ("Bob", "Person names"), ("Oslo", "Locations")],
        ),
        ("The following people are mentioned:\n- Ann Lee\n- Bob", ENGLISH, "entity", [("Ann Lee", ""), ("Bob", "")]),
        (
            "NOUN:\n- cat\n- mat\nVERB:\n- sat",
            "the cat sat on the mat",
            "pos",
            [("cat", "NOUN"), ("mat", "NOUN"), ("sat", "VERB")],
        ),
        ("人名：张三\n人名：李四\n地名：北京\n地名：上海", CHINESE, "entity", ALL_ZH),
        ("一、人名\n1. 张三\n2. 李四\n二、地名\n1. 北京\n2. 上海", CHINESE, "entity", ALL_ZH),
        ("（1）人名：张三、李四\n（2）地名：北京、上海", CHINESE, "entity", ALL_ZH),
        ('人名：\n["张三", "李四"]\n\n地名：\n["北京", "上海"]', CHINESE, "entity", ALL_ZH),
        ("人名：[“张三”, “李四”]\n地名：[“北京”，“上海”]", CHINESE, "entity", ALL_ZH),
        ('PER: "Ann Lee", "Bob"\nLOC: "Oslo"', ENGLISH, "entity", ALL),
        ("PER: {Ann Lee, Bob}\nLOC: {Oslo}", ENGLISH, "entity", ALL),
        ("PER: (Ann Lee, Bob)\nLOC: (Oslo)", ENGLISH, "entity", ALL),
        ("PER:\n  - Ann Lee\n  - Bob\nLOC:\n  - Oslo\nORG: []", ENGLISH, "entity", ALL),
        ("- entity: Ann Lee\n  type: PER\n- entity: Oslo\n  type: LOC", ENGLISH, "entity", BOTH),
        ("- type: PER\n  entity: Ann Lee\n- type: LOC\n  entity: Oslo", ENGLISH, "entity", BOTH),
        ("- text: Ann Lee\n  label: PER\n- text: Oslo\n  label: LOC", ENGLISH, "entity", BOTH),
        (
            "PER entities:\n- Ann Lee\n- Bob\nLOC entities:\n- Oslo",
            ENGLISH,
            "entity",
            [("Ann Lee", "PER entities"), ("Bob", "PER entities"), ("Oslo", "LOC entities")],
        ),
        (
            "Persons:\n1) Ann Lee\n2) Bob\nPlaces:\n1) Oslo",
            ENGLISH,
            "entity",
            [("Ann Lee", "Persons"), ("Bob", "Persons"), ("Oslo", "Places")],
        ),
        ('entities: ["Ann Lee", "Oslo"]\ntypes: ["PER", "LOC"]', ENGLISH, "entity", BOTH),
        ("PER (2): Ann Lee, Bob\nLOC (1): Oslo", ENGLISH, "entity", ALL),
        ("PER = Ann Lee, Bob\nLOC = Oslo", ENGLISH, "entity", ALL),
        ("PER -> Ann Lee, Bob\nLOC -> Oslo", ENGLISH, "entity", ALL),
        ("PER - Ann Lee, Bob\nLOC - Oslo", ENGLISH, "entity", ALL),
        ("PER: Ann Lee\nLOC: Oslo\nORG: none\nDATE: []", ENGLISH, "entity", BOTH),
        ("人名：张三\n地名：上海\n机构名：无\n时间：[]", CHINESE, "entity", [("张三", "人名"), ("上海", "地名")]),
        ("机构名：无\n人名：张三", CHINESE, "entity", [("张三", "人名")]),
        ("| 类型 | 实体 |\n|---|---|\n| 人名 | 张三 |\n| 机构 | 无 |", CHINESE, "entity", [("张三", "人名")]),
        ("| Label | Entities |\n|---|---|\n| PER | Ann Lee, Bob |\n| LOC | Oslo |", ENGLISH, "entity", ALL),
        ("<PER>\nAnn Lee\nBob\n</PER>\n<LOC>\nOslo\n</LOC>", ENGLISH, "entity", ALL),
        ("PER: Ann Lee\nPER: Bob\nLOC: Oslo", ENGLISH, "entity", ALL),
        ("PER: Ann Lee and Bob\nLOC: Oslo", "Ann Lee met Bob in Oslo", "entity", ALL),
        ('PER: ["Ann Lee"]\nLOC: ["Carl"]', ENGLISH, "entity", [("Ann Lee", "PER"), ("Carl", "LOC")]),
        (
            'PER: ["Ann Lee", "Bob"]\nLOC: ["Carl", "Rome"]',
            ENGLISH,
            "entity",
            [("Ann Lee", "PER"), ("Bob", "PER"), ("Carl", "LOC"), ("Rome", "LOC")],
        ),
        (
            'Here is the JSON:\n```json\n{"PER": ["Ann Lee"], "LOC": []}\n```\nNote: no organisations were found.',
            ENGLISH,
            "entity",
            [("Ann Lee", "PER")],
        ),
        ("PER: Ann Lee\nLOC: Oslo\n\nNo other entities were found.", ENGLISH, "entity", BOTH),
        ("- PER: Ann Lee (a traveller)\n- LOC: Oslo (a city)", ENGLISH, "entity", BOTH),
        ("**Ann Lee** (PER), **Oslo** (LOC)", ENGLISH, "entity", BOTH),
        ("1. PER: Ann Lee, Bob\n2. LOC: Oslo\n3. ORG: None", ENGLISH, "entity", ALL),
        ("PER:\n\nLOC:\n- Oslo", ENGLISH, "entity", [("Oslo", "LOC")]),
        ("PER:\nNone\n\nLOC:\nOslo", ENGLISH, "entity", [("Oslo", "LOC")]),
        ("**PER**: \n- Ann Lee\n- Bob\n\n**LOC**: Oslo", ENGLISH, "entity", ALL),
        ("- Ann Lee [PER]\n- Oslo [LOC]", ENGLISH, "entity", BOTH),
        ("- Ann Lee | PER\n- Oslo | LOC", ENGLISH, "entity", BOTH),
        ("Ann\tNNP\nLee\tNNP\nand\tCC", ENGLISH, "pos", [("Ann", "NNP"), ("Lee", "NNP"), ("and", "CC")]),
        ("- Entities\n  - PER\n    - Ann Lee\n    - Bob\n  - LOC\n    - Oslo", ENGLISH, "entity", ALL),
    ],
)
def test_texts_that_are_listed_by_label_are_read(answer, sentence, mode, items):
    assert read(answer, sentence, mode) == items
