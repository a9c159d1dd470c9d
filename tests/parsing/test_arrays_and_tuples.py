"""Arrays and tuples of strings, whose texts may hold the marks that separate a text from its label elsewhere."""

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
        (
            '[["Coca-Cola", "ORG"], ["AT&T", "ORG"]]',
            "Coca-Cola and AT&T",
            "entity",
            [("Coca-Cola", "ORG"), ("AT&T", "ORG")],
        ),
        ('[["TCP/IP", "PROTOCOL"]]', None, "entity", [("TCP/IP", "PROTOCOL")]),
        ('[["10:30", "TIME"]]', None, "entity", [("10:30", "TIME")]),
        ('["TCP/IP", "PROTOCOL"]', "use TCP/IP now", "entity", [("TCP/IP", "PROTOCOL")]),
        (
            '[["A/B test", "METHOD", 0.98], ["2:1", "SCORE", 0.5]]',
            "an A/B test ended 2:1",
            "entity",
            [("A/B test", "METHOD"), ("2:1", "SCORE")],
        ),
        ('[[0, 7, "PER", "Ann Lee"], [24, 28, "LOC", "Oslo"]]', ENGLISH, "entity", BOTH),
        ('[["T1", "PER", "Ann Lee"], ["T2", "LOC", "Oslo"]]', ENGLISH, "entity", BOTH),
        ('[["entity","type"],["Ann Lee","PER"],["Oslo","LOC"]]', ENGLISH, "entity", BOTH),
        ('[["PER","Ann Lee"],["LOC","Oslo"]]', ENGLISH, "entity", BOTH),
        ('["Ann Lee", "Oslo"]', ENGLISH, "entity", [("Ann Lee", ""), ("Oslo", "")]),
        ('[["Ann Lee", "Oslo"]]', ENGLISH, "entity", [("Ann Lee", ""), ("Oslo", "")]),
        ("('Ann Lee', 'Oslo')", ENGLISH, "entity", [("Ann Lee", ""), ("Oslo", "")]),
        ("(Ann Lee, Oslo)", ENGLISH, "entity", [("Ann Lee", ""), ("Oslo", "")]),
        ("Ann Lee, Oslo", ENGLISH, "entity", [("Ann Lee", ""), ("Oslo", "")]),
        ('["张三", "上海"]', CHINESE, "entity", [("张三", ""), ("上海", "")]),
        ('{"entities": ["Ann Lee", "Oslo"]}', ENGLISH, "entity", [("Ann Lee", ""), ("Oslo", "")]),
        ("[('O'Brien', 'PER'), ('Oslo', 'LOC')]", "O'Brien in Oslo", "entity", [("O'Brien", "PER"), ("Oslo", "LOC")]),
        (
            "Output: [('Open Land Imager (OLI)', 'DEVICE')]",
            "the Open Land Imager (OLI) works",
            "entity",
            [("Open Land Imager (OLI)", "DEVICE")],
        ),
        (
            "[('Smith, John', 'PER'), ('3,000', 'NUM')]",
            "Smith, John paid 3,000",
            "entity",
            [("Smith, John", "PER"), ("3,000", "NUM")],
        ),
        ("Output: [('Ann Lee', 'PER')]", ENGLISH, "entity", [("Ann Lee", "PER")]),
        ("Output: [('A', 'PER')]", None, "entity", [("A", "PER")]),
        ("[\n  ('Ann Lee', 'PER'),\n  ('Oslo', 'LOC'),\n]", ENGLISH, "entity", BOTH),
        ("```python\nentities = [('Ann Lee', 'PER'), ('Oslo', 'LOC')]\n```", ENGLISH, "entity", BOTH),
        ("[('Ann Lee', 0, 7, 'PER'), ('Oslo', 24, 28, 'LOC')]", ENGLISH, "entity", BOTH),
        ("```\n[(Ann Lee, PER), (Oslo, LOC)]\n```", ENGLISH, "entity", BOTH),
        ("1. (Ann Lee, PER)\n2. (Oslo, LOC)", ENGLISH, "entity", BOTH),
        ("(A, PER), (B, LOC)", None, "entity", [("A", "PER"), ("B", "LOC")]),
        ("(PER, Ann Lee); (LOC, Oslo)", ENGLISH, "entity", BOTH),
        ("[[Ann Lee, PER], [Oslo, LOC]]", ENGLISH, "entity", BOTH),
        ("[Ann Lee, PER]\n[Oslo, LOC]", ENGLISH, "entity", BOTH),
        ("<Ann Lee, PER>, <Oslo, LOC>", ENGLISH, "entity", BOTH),
        ("(Ann Lee: PER), (Oslo: LOC)", ENGLISH, "entity", BOTH),
        ("(Ann Lee | PER), (Oslo | LOC)", ENGLISH, "entity", BOTH),
        ("答案：（张三，人名）、（上海，地名）", CHINESE, "entity", [("张三", "人名"), ("上海", "地名")]),
        ("(张三, 人名), (上海, 地名)", CHINESE, "entity", [("张三", "人名"), ("上海", "地名")]),
        ("{('Ann Lee', 'PER'), ('Oslo', 'LOC')}", ENGLISH, "entity", BOTH),
        ('{"entities": [("Ann Lee", "PER"), ("Oslo", "LOC")]}', ENGLISH, "entity", BOTH),
        ("[['Ann Lee', 'PER'], ['Oslo', 'LOC']]", ENGLISH, "entity", BOTH),
        (
            "Output: [['10:30', 'TIME'], ['Oslo', 'LOC']]",
            "10:30 in Oslo",
            "entity",
            [("10:30", "TIME"), ("Oslo", "LOC")],
        ),
        ("[('Ann Lee', 'PER'), ('Oslo', 'LOC'), ('Bo", ENGLISH, "entity", BOTH),
        ("[('Ann Lee', 'PER', 'a person'), ('Oslo', 'LOC', 'a city')]", ENGLISH, "entity", BOTH),
        ('["Ann Lee", "PER", "Oslo", "LOC"]', ENGLISH, "entity", BOTH),
        ("[Entity(text='Ann Lee', type='PER'), Entity(text='Oslo', type='LOC')]", ENGLISH, "entity", BOTH),
        (
            '[("10:30", "NUM"), ("the", "DET"), ("and/or", "CONJ")]',
            "the and/or 10:30",
            "pos",
            [("10:30", "NUM"), ("the", "DET"), ("and/or", "CONJ")],
        ),
        ('["max_size", "min_size"]', "set max_size and min_size", "entity", [("max_size", ""), ("min_size", "")]),
        ('["10:30", "A/B", "Oslo"]', "10:30 A/B Oslo", "entity", [("10:30", ""), ("A/B", ""), ("Oslo", "")]),
        (
            '{"LOC": ["New York/Boston"], "TIME": ["10:30"]}',
            "New York/Boston at 10:30",
            "entity",
            [("New York/Boston", "LOC"), ("10:30", "TIME")],
        ),
        ('"Ann Lee","PER"\n"Oslo","LOC"', ENGLISH, "entity", BOTH),
        ("Ann Lee;PER\nOslo;LOC", ENGLISH, "entity", BOTH),
        ('["Ann Lee","PER"]\n["Oslo","LOC"]', ENGLISH, "entity", BOTH),
        ('[["Ann Lee", "PER", null], ["Oslo", "LOC", null]]', ENGLISH, "entity", BOTH),
        ('[["Ann Lee", "PER"]]', ENGLISH, "entity", [("Ann Lee", "PER")]),
        ('["Elbe - North", "REGION"]', "the Elbe - North", "entity", [("Elbe - North", "REGION")]),
        (
            '[["http://a.b/c", "URL"], ["a@b.c", "EMAIL"]]',
            "http://a.b/c a@b.c",
            "entity",
            [("http://a.b/c", "URL"), ("a@b.c", "EMAIL")],
        ),
        ('[["10：30", "时间"], ["A：B", "比分"]]', "10：30 A：B", "entity", [("10：30", "时间"), ("A：B", "比分")]),
        (
            '{"TIME": ["10:30", "11:45"], "RATIO": ["2:1"]}',
            "10:30 11:45 2:1",
            "entity",
            [("10:30", "TIME"), ("11:45", "TIME"), ("2:1", "RATIO")],
        ),
        ('{"10:30": "TIME", "TCP/IP": "PROTO"}', "10:30 TCP/IP", "entity", [("10:30", "TIME"), ("TCP/IP", "PROTO")]),
        ("10:30: TIME\nTCP/IP: PROTO", "10:30 TCP/IP", "entity", [("10:30", "TIME"), ("TCP/IP", "PROTO")]),
        (
            "TCP/IP -> PROTO\nA/B test -> METHOD",
            "TCP/IP A/B test",
            "entity",
            [("TCP/IP", "PROTO"), ("A/B test", "METHOD")],
        ),
        (
            "| entity | type |\n|---|---|\n| TCP/IP | PROTO |\n| 10:30 | TIME |",
            "TCP/IP 10:30",
            "entity",
            [("TCP/IP", "PROTO"), ("10:30", "TIME")],
        ),
        ("(TCP/IP, PROTO), (10:30, TIME)", "TCP/IP 10:30", "entity", [("TCP/IP", "PROTO"), ("10:30", "TIME")]),
        ("TCP/IP/NN works/VBZ ./.", "TCP/IP works .", "pos", [("TCP/IP", "NN"), ("works", "VBZ"), (".", ".")]),
        ('["Ann Lee: PER", "Oslo: LOC"]', ENGLISH, "entity", BOTH),
        ('["Ann Lee: PER"]', ENGLISH, "entity", [("Ann Lee", "PER")]),
        ('["Ann Lee (PER)", "Oslo (LOC)"]', ENGLISH, "entity", BOTH),
        (
            '{"entities": [["TCP/IP", "PROTO"], ["10:30", "TIME"]]}',
            "TCP/IP 10:30",
            "entity",
            [("TCP/IP", "PROTO"), ("10:30", "TIME")],
        ),
        ('URL: ["http://a.b/c?d=1,2"]', "see http://a.b/c?d=1,2 now", "entity", [("http://a.b/c?d=1,2", "URL")]),
        ('[["Smith, Jones & Co.", "ORG"]]', "at Smith, Jones & Co. now", "entity", [("Smith, Jones & Co.", "ORG")]),
        ('[["Open Land Imager (OLI)", "DEVICE", 0, 5]]', None, "entity", [("Open Land Imager (OLI)", "DEVICE")]),
        ('["TCP/IP", "PROTOCOL"]', None, "entity", [("TCP/IP", "PROTOCOL")]),
        ('["北京", "地名"]', None, "entity", [("北京", "地名")]),
        ("The entities are (Ann Lee, PER) and (Oslo, LOC).", ENGLISH, "entity", BOTH),
        ('("Ann Lee", "PER") and ("Oslo", "LOC")', ENGLISH, "entity", BOTH),
        ('Output:\n("Ann Lee", "PER")\n("Oslo", "LOC")', ENGLISH, "entity", BOTH),
        ('("Ann Lee"; "PER"); ("Oslo"; "LOC")', ENGLISH, "entity", BOTH),
        ("[Ann Lee - PER], [Oslo - LOC]", ENGLISH, "entity", BOTH),
        ("(Ann Lee, PER)", ENGLISH, "entity", [("Ann Lee", "PER")]),
        ("result = (('Ann Lee', 'PER'), ('Oslo', 'LOC'))", ENGLISH, "entity", BOTH),
        ("{Ann Lee: PER, Oslo: LOC}", ENGLISH, "entity", BOTH),
        ("<Ann Lee: PER> <Oslo: LOC>", ENGLISH, "entity", BOTH),
        ("（田中、人名）、（大阪、地名）", "田中は大阪に", "entity", [("田中", "人名"), ("大阪", "地名")]),
        ("（“张三”，“人名”），（“上海”，“地名”）", CHINESE, "entity", [("张三", "人名"), ("上海", "地名")]),
        ("【张三，人名】【上海，地名】", CHINESE, "entity", [("张三", "人名"), ("上海", "地名")]),
        ("【张三：人名】【上海：地名】", CHINESE, "entity", [("张三", "人名"), ("上海", "地名")]),
        ("Ann/B-PER Lee/I-PER and/O Bob/B-PER", ENGLISH, "entity", [("Ann Lee", "B-PER"), ("Bob", "B-PER")]),
    ],
)
def test_rows_of_strings_are_texts_with_labels_or_bare_texts(answer, sentence, mode, items):
    assert read(answer, sentence, mode) == items
