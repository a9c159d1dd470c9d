"""Typical answers of chat models, each with the items that a reader finds in it: reasoning, fences, refusals."""

from __future__ import annotations

import pytest

from utils.parsing import read_answer

# (answer, sentence, items); the items are None where the answer has nothing that can be read.
ONE_KEY_OBJECTS = [
    (
        "[{'秦川机床厂': '组织'}, {'宝鸡': '地点'}, {'1965年': '时间'}]",
        "秦川机床厂1965年从上海迁到宝鸡",
        [("秦川机床厂", "组织"), ("宝鸡", "地点"), ("1965年", "时间")],
    ),
    (
        '```json\n[\n    {"红烧肉": "食品"},\n    {"冰糖": "食品"},\n    {"砂锅": "厨具"}\n]\n```',
        "红烧肉里放了冰糖，用砂锅炖了两个小时",
        [("红烧肉", "食品"), ("冰糖", "食品"), ("砂锅", "厨具")],
    ),
    (
        "[{'Marta Ruiz': 'Person'}, {\"St. John's\": 'Location'}, {'3.5%': 'Percent'}]",
        "Marta Ruiz said 3.5% of the people of St. John's had voted .",
        [("Marta Ruiz", "Person"), ("St. John's", "Location"), ("3.5%", "Percent")],
    ),
    (
        '[{"ISO14001:2015": "认证"}, {"甲/乙方案": "方案"}, {"文【2019】第7号": "文件"}]',
        "文【2019】第7号要求按ISO14001:2015采用甲/乙方案",
        [("ISO14001:2015", "认证"), ("甲/乙方案", "方案"), ("文【2019】第7号", "文件")],
    ),
    ("[]", "今天天气不错", []),
    ("```json\n[]\n```", "今天天气不错", []),
]
REASONING = [
    (
        "根据词性标注，可以确定以下实体：\n- 长江：地点\n- 水利部：机构\n\n因此，最终的答案为：\n"
        '[{"长江": "地点"}, {"水利部": "机构"}]',
        "水利部检查了长江的堤防",
        [("长江", "地点"), ("水利部", "机构")],
    ),
    (
        '首先找出所有的代词。文本中的代词有：["她"]\n\n因此，答案为：[{"她": "人物"}]。',
        "她昨天没有来",
        [("她", "人物")],
    ),
    (
        '标签为"机构"的词有：董事会。因此，结果为：[{"董事会": "机构"}]。\n所以[{"董事会": "机构"}]。',
        "董事会已经同意",
        [("董事会", "机构")],
    ),
    ("1. 地点：无\n2. 机构：无\n3. 人物：无\n\n文本中没有实体，所以答案是一个空列表：[]。", "雨下了一整夜", []),
    (
        '可能的实体：\n\n1. "棉纱" - 类型为物品\n2. "染料" - 类型为物品\n\n以JSON格式返回：\n\n'
        '[{"棉纱": "物品"}, {"染料": "物品"}, {"织机',
        "棉纱、染料和织机都涨价了",
        [("棉纱", "物品"), ("染料", "物品")],
    ),
]
LABELLED_LINES = [
    (
        "攻击者：银狐组织\n\n攻击手段：钓鱼邮件、供应链投毒\n\n攻击目标：财务人员",
        "银狐组织用钓鱼邮件、供应链投毒攻击财务人员",
        [
            ("银狐组织", "攻击者"),
            ("钓鱼邮件", "攻击手段"),
            ("供应链投毒", "攻击手段"),
            ("财务人员", "攻击目标"),
        ],
    ),
    (
        "攻击者：WizardCrab\n攻击手段：利用Struts2漏洞上传脚本\n攻击工具：未知",
        "WizardCrab利用Struts2漏洞上传脚本",
        [("WizardCrab", "攻击者"), ("利用Struts2漏洞上传脚本", "攻击手段")],
    ),
    (
        "问题1：\n\n文字：该样本会连接到外部服务器\n\n输出：{'攻击工具': '该样本', '攻击目标': '外部服务器'}",
        "该样本会连接到外部服务器",
        [("该样本", "攻击工具"), ("外部服务器", "攻击目标")],
    ),
]
REFUSALS = [
    ("很抱歉，我需要更多的上下文才能回答。请提供更多信息，以便我提取实体。", "是的", None),
    ("无法解析该段文字，因为其中缺少上下文和详细信息。", "是的", None),
    ("攻击者利用一个旧漏洞进入内网，并在三天内加密了四十台服务器。", "攻击者利用一个旧漏洞进入内网", None),
]


@pytest.mark.parametrize(("answer", "sentence", "items"), [*ONE_KEY_OBJECTS, *REASONING, *LABELLED_LINES, *REFUSALS])
def test_all_items_of_a_typical_answer_are_read_and_no_others(answer, sentence, items):
    for mode in ("entity", "pos"):
        found = read_answer(answer, mode, sentence)
        assert (found is None) == (items is None)
        assert [(item.text, item.label) for item in found or []] == (items or [])


def test_a_long_array_is_read_to_its_end():
    pairs = [(f"第{number}号仓库", "设施") for number in range(400)]
    answer = "[" + ", ".join(f"{{'{text}': '{label}'}}" for text, label in pairs) + "]"
    found = read_answer(answer, "entity", "、".join(text for text, _ in pairs))
    assert found is not None
    assert [(item.text, item.label) for item in found] == pairs


def test_long_lines_of_tuples_and_of_texts_by_label_are_read_to_their_end():
    words = [f"w{number}" for number in range(300)]
    tuples = ", ".join(f"({word}, NN)" for word in words)
    quoted = "[" + ", ".join(f"('{word}', 'NN')" for word in words) + "]"
    array = "NN: [" + ", ".join(f'"{word}"' for word in words) + "]"
    for answer in (tuples, quoted, array, f"NN: {', '.join(words)}"):
        found = read_answer(answer, "pos", " ".join(words))
        assert found is not None
        assert [(item.text, item.label) for item in found] == [(word, "NN") for word in words]
