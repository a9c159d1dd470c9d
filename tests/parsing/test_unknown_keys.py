"""Objects whose keys no table knows, and backslashes that JSON does not know."""

from __future__ import annotations

import pytest

from tests.helpers.read_answers import ALL, BOTH, CHINESE, ENGLISH, read


@pytest.mark.parametrize(
    ("answer", "sentence", "mode", "items"),
    [
        (
            '[{"extraction_class":"PER","extraction_text":"Ann Lee"},'
            '{"extraction_class":"LOC","extraction_text":"Oslo"}]',
            ENGLISH,
            "entity",
            BOTH,
        ),
        ('[{"extraction_class":"PER","extraction_text":"Ann Lee"}]', None, "entity", [("Ann Lee", "PER")]),
        ('[{"ner_chunk":"Ann Lee","ner_label":"PER"}]', None, "entity", [("Ann Lee", "PER")]),
        ('[{"k":"PER","v":"Ann Lee"},{"k":"LOC","v":"Oslo"}]', ENGLISH, "entity", BOTH),
        ('[{"A":"人名","B":"张三"},{"A":"地名","B":"上海"}]', CHINESE, "entity", [("张三", "人名"), ("上海", "地名")]),
        (
            '[{"甲":"张三","乙":"人名"},{"甲":"上海","乙":"地名"}]',
            CHINESE,
            "entity",
            [("张三", "人名"), ("上海", "地名")],
        ),
        ('[{"what":"Ann Lee","is":"PER"},{"what":"Oslo","is":"LOC"}]', ENGLISH, "entity", BOTH),
        ('[{"who":"PER","which":"Ann Lee"}]', ENGLISH, "entity", [("Ann Lee", "PER")]),
        (
            '[{"object":"Oslo","sort":"LOC"},{"object":"Ann Lee","sort":"PER"}]',
            ENGLISH,
            "entity",
            [("Oslo", "LOC"), ("Ann Lee", "PER")],
        ),
        ('[{"entity":"Ann Lee","type":"PER","attributes":{"role":"nurse"}}]', ENGLISH, "entity", [("Ann Lee", "PER")]),
        ('[{"entity":"Ann Lee","reason":"a full name"}]', ENGLISH, "entity", [("Ann Lee", "")]),
        ('[{"id":"T1","start":"0","kind":"PER","string":"Ann Lee"}]', ENGLISH, "entity", [("Ann Lee", "PER")]),
        (
            '[{"start_char":0,"end_char":7,"ent_type":"PER","ent_text":"Ann Lee"}]',
            ENGLISH,
            "entity",
            [("Ann Lee", "PER")],
        ),
        (
            '[{"entity":"Ann Lee","type":"PER","explanation":"Ann Lee is a person"}]',
            ENGLISH,
            "entity",
            [("Ann Lee", "PER")],
        ),
        ('[{"keyword":"Ann Lee","cat":"PER"},{"keyword":"Oslo","cat":"LOC"}]', ENGLISH, "entity", BOTH),
        ('{"sentence":"Ann Lee and Bob flew to Oslo","PER":["Ann Lee","Bob"],"LOC":["Oslo"]}', ENGLISH, "entity", ALL),
        ('{"text":"Ann Lee and Bob flew to Oslo","PER":["Ann Lee","Bob"],"LOC":["Oslo"]}', ENGLISH, "entity", ALL),
        ('{"text":"Ann Lee and Bob flew to Oslo","PER":"Ann Lee, Bob","LOC":"Oslo"}', ENGLISH, "entity", ALL),
        ('[{"x":"Ann Lee","y":"PER","z":"a person"},{"x":"Oslo","y":"LOC","z":"a city"}]', ENGLISH, "entity", BOTH),
        ('[{"p":"foo","q":"bar"},{"p":"baz","q":"qux"}]', ENGLISH, "entity", None),
        (
            '[{"entity":"\\alpha","type":"SYM"},{"entity":"x","type":"VAR"}]',
            "\\alpha and x",
            "entity",
            [("\\alpha", "SYM"), ("x", "VAR")],
        ),
        ('[{"entity":"\\sigma(x)","type":"F"}]', None, "entity", [("\\sigma(x)", "F")]),
        ('[{"entity":"\\nu","type":"SYM"}]', "the \\nu is", "entity", [("\\nu", "SYM")]),
        ('[{"entity":"C:\\temp\\new","type":"PATH"}]', "in C:\\temp\\new now", "entity", [("C:\\temp\\new", "PATH")]),
        ('[{"entity":"C:\\users","type":"PATH"}]', "in C:\\users now", "entity", [("C:\\users", "PATH")]),
        ("[{'entity': 'C:\\data', 'type': 'PATH'}]", "in C:\\data now", "entity", [("C:\\data", "PATH")]),
        ('{"\\gamma": "SYM"}', "the \\gamma ray", "entity", [("\\gamma", "SYM")]),
        ('[["\\phi", "SYM"]]', "the \\phi ray", "entity", [("\\phi", "SYM")]),
        ('[{"word":"(>_<)\\","pos":"x"},{"word":"好","pos":"a"}]', "(>_<)\\好", "pos", [("(>_<)\\", "x"), ("好", "a")]),
        ('{"SYM": ["\\alpha", "\\psi"]}', "\\alpha \\psi", "entity", [("\\alpha", "SYM"), ("\\psi", "SYM")]),
        ('[{"entity":"\\alpha","type":"SYM"},{"entity":"x","ty', "\\alpha and x", "entity", [("\\alpha", "SYM")]),
        ("[{'entity': 'O\\'Brien', 'type': 'PER'}]", "O'Brien came", "entity", [("O'Brien", "PER")]),
        ('```json\n[{"entity":"╮(╯_╰)╭\\_","type":"表情"}]\n```', "╮(╯_╰)╭\\_", "entity", [("╮(╯_╰)╭\\_", "表情")]),
        (
            '[{"extracted_span":"Ann Lee","assigned_label":"PER"},{"extracted_span":"Oslo","assigned_label":"LOC"}]',
            ENGLISH,
            "entity",
            BOTH,
        ),
        ('[{"nerText":"Ann Lee","nerType":"PER"},{"nerText":"Oslo","nerType":"LOC"}]', ENGLISH, "entity", BOTH),
        ('[{"subject":"Ann Lee","class":"PER"},{"subject":"Oslo","class":"LOC"}]', ENGLISH, "entity", BOTH),
        ('[{"first":"PER","second":"Ann Lee"},{"first":"LOC","second":"Oslo"}]', ENGLISH, "entity", BOTH),
        ('[{"0":"PER","1":"Ann Lee"},{"0":"LOC","1":"Oslo"}]', ENGLISH, "entity", BOTH),
        ('[{"T":"PERSON","E":"Ann Lee"}]', ENGLISH, "entity", [("Ann Lee", "PERSON")]),
        ('[{"类":"人名","内":"张三"}]', CHINESE, "entity", [("张三", "人名")]),
        ('[{"question":"PER","answer":"Ann Lee"},{"question":"LOC","answer":"Oslo"}]', ENGLISH, "entity", BOTH),
        ('[{"key":"PER","value":"Ann Lee"},{"key":"LOC","value":"Oslo"}]', ENGLISH, "entity", BOTH),
        ('[{"name":"PER","value":"Ann Lee"},{"name":"LOC","value":"Oslo"}]', ENGLISH, "entity", BOTH),
        ('[{"person":"Ann Lee"},{"place":"Oslo"}]', ENGLISH, "entity", [("Ann Lee", "person"), ("Oslo", "place")]),
        (
            '{"extractions":[{"PER":"Ann Lee","PER_attributes":{"role":"nurse"}},'
            '{"LOC":"Oslo","LOC_attributes":null}]}',
            ENGLISH,
            "entity",
            BOTH,
        ),
    ],
)
def test_parts_are_told_apart_by_their_keys_or_by_the_sentence(answer, sentence, mode, items):
    assert read(answer, sentence, mode) == items
