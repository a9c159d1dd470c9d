"""Made-up texts of several genres in four languages: titles, queries, posts, patents and product names.

Each genre has templates with `{slots}`. The slot {name} is a random name, so that few texts are alike.
"""

from __future__ import annotations

import random

SYLLABLES: dict[str, str | list[str]] = {
    "zh": "邓超李明王芳张伟刘洋陈静赵磊孙丽周杰吴敏郑凯冯雪蒋涛沈月韩冰杨帆朱琳秦岚许晴何润",
    "ja": "アイウエオカキクケコサシスセソタチツテトナニヌネノマミムメモヤユヨラリルレロ",
    "ko": "가나다라마바사아자하고노도로모보소오조호구누두루무부수우주후",
    "en": ["ba", "ko", "ri", "mo", "ne", "ta", "lu", "ve", "sa", "do", "fi", "gra", "sten", "wick"],
}
TEXTS = {
    ("zh", "title"): [
        "{name}最新{thing}曝光，网友：{quip}",
        "【{city}】{name}{act}{thing}！{num}分钟看完",
        "{thing}怎么{act}？{name}教你{num}招",
        "{name}《{work}》第{num}集 高清完整版",
        "{city}{name}：{thing}{act}的背后",
        "视频：{name}{act}{city}{thing} 现场{num}人围观",
    ],
    ("zh", "query"): [
        "{city}{thing}哪里好",
        "{name}是谁",
        "怎么{act}{thing}",
        "{work} {name} 在线观看",
        "{city}到{city}多少公里{num}",
        "{name}的{thing}多少钱一个",
    ],
    ("zh", "post"): [
        "#{thing}#今天和{name}去{city}{act}{thing}[哈哈]{quip}～～",
        "回复@{name}:{quip}！！//@{name}:转发微博",
        "{quip}。。。{name}你又{act}{thing}了http://t.cn/{code}",
        "好想{act}{thing}啊～{city}的朋友们{quip}",
        "【{thing}】{name}在{city}{act}了{num}次。{quip}！我在:http://t.cn/{code}",
        "{name}说“{quip}”然后就{act}{thing}去了 (｡･ω･｡)ﾉ",
    ],
    ("zh", "patent"): [
        "{num}.根据权利要求{num}所述的{name}{thing}，其特征在于：所述{thing}的一端与{work}相连，用于{act}{thing}；",
        "本发明公开了一种{act}{thing}的{work}装置（{num}），包括{thing}、{name}支架以及{city}传感器。",
        "所述步骤S{num}中，{name}的{thing}含量为{num}%～{num}0%，",
        "如图{num}所示，{work}（{num}）设置在{thing}（{num}）的{act}侧，",
        "一种{name}{thing}的{act}方法、装置及存储介质",
    ],
    ("zh", "product"): [
        "{name} {thing} {num}0ml 新款 {city}直邮 包邮",
        "正品{name}{thing}男女通用{act}专用{num}只装",
        "{name}/{code} {thing}{num}寸 {work}系列",
        "【{num}件装】{name}{thing} 加厚 防水 {act}",
    ],
    ("zh", "resume"): [
        "{name}先生，19{num}7年{num}月出生，汉族，中共党员，本科学历，高级工程师。",
        "曾任{city}{thing}有限公司{work}部经理、{name}集团董事；",
        "{num}、负责{city}{thing}的{act}与{work}",
        "现任本公司独立董事，{name}会计师事务所合伙人",
        "199{num}.{num}-200{num}.{num} {city}{thing}厂 {act}员",
    ],
    ("ja", "title"): [
        "【{city}】{name}が{thing}を{act} {num}分でわかる",
        "{name}、{city}で{thing}の{work}を発表",
        "{thing}の{act}とは？{name}さんに聞く",
        "{name}『{work}』第{num}話",
        "動画：{name}さん{thing}に{quip}",
    ],
    ("ja", "query"): [
        "{city} {thing} おすすめ",
        "{name} 年齢",
        "{thing} {act} 方法",
        "{work} 映画 {num}",
        "{name}とは",
    ],
    ("ja", "post"): [
        "今日は{name}と{city}で{thing}を{act}した〜{quip}",
        "@{code} {quip}ｗｗｗ #{thing}",
        "{name}の{work}、{quip}…！ https://t.co/{code}",
        "{thing}{act}したい(´・ω・｀)",
        "RT @{code}: {city}の{thing}が{quip}",
    ],
    ("ja", "patent"): [
        "【請求項{num}】前記{thing}は、{name}部（{num}）を{act}する{work}を備えることを特徴とする請求項{num}に記載の装置。",
        "本発明は、{thing}を{act}するための{name}方法に関する。",
        "図{num}は、{name}の{thing}の構成を示す{work}図である。",
        "{thing}（{num}）の{act}量が{num}％以上である、",
    ],
    ("ko", "title"): [
        "[{city}] {name}, {thing} {act} 현장 공개",
        "{name} '{work}' {num}회 예고",
        "{thing} {act}하는 방법 {num}가지",
        '{name} "{quip}" … {city}서 {thing} {act}',
    ],
    ("ko", "query"): ["{city} {thing} 추천", "{name} 나이", "{thing} {act} 방법", "{work} 출연진 {num}", "{name} 누구"],
    ("ko", "post"): [
        "오늘 {name}이랑 {city}에서 {thing} {act}했다ㅋㅋㅋ {quip}",
        "{work} 보고 왔는데 {name} {quip}ㅠㅠ",
        "@{code} {quip}!! #{thing}",
        "{thing}{num}개 {act}.. {quip}...",
    ],
    ("ko", "patent"): [
        "제{num}항에 있어서, 상기 {thing}은 {name}부({num})를 {act}하는 것을 특징으로 하는 {work} 장치.",
        "본 발명은 {thing}을 {act}하기 위한 {name} 방법에 관한 것이다.",
        "도 {num}은 {name}의 {thing} 구성을 나타낸 {work}도이고,",
    ],
    ("en", "title"): [
        "{Name} {act}s {thing} in {City}",
        "How to {act} a {thing} in {num} Minutes | {Name}",
        "{City}: {Name}'s {thing} {quip}",
        "{Name} - {Work} ({num}) [Official Video]",
        "Watch: {Name} {act}s the {thing}",
    ],
    ("en", "query"): [
        "what is the best {thing} in {name}",
        "who did {name} {act} in {work}",
        "{name} {thing} near me",
        "show me a {thing} with {name} that {act}s",
        "how do i {act} a {thing} in {num} minutes",
    ],
    ("en", "post"): [
        "RT @{code}: {quip} {name} {act}s my {thing} :) http://t.co/{code}",
        "@{code} lol {quip}!!! #{thing}",
        "just {act} a {thing} w/ {name} ... {quip} :(",
        "{quip} #{work} #{thing} @ {City}",
        "i can't even {act} rn, {name} {quip}",
    ],
    ("en", "patent"): [
        "{num}. The {name} device of claim {num}, wherein the {thing} is configured to {act} the {work};",
        "FIG. {num} is a {name} view of the {thing} ({num}0) according to one {work} of the invention.",
        "A method to {act} a {thing}, comprising: a {name} unit; and a {work} coupled to the {thing},",
        "Method and apparatus to {act} {thing}s by {name}",
        "The {thing} 1{num}a comprises from 0.{num} to {num} wt.-% of {name}-{work} (see Table {num}).",
    ],
    ("en", "product"): [
        '{Name} {num}.5" {thing} - {num}0GB, Black ({code})',
        "{Name} Women's {Work} {thing}, {num}-Pack",
        "{Name} & {Name} {thing} w/ {work}, {num} oz",
        "{Name} {thing} for {Work} {num} / {num}S",
    ],
    ("en", "resume"): [
        "Senior {thing} Engineer, {Name} Inc. , {City} ( Jan 201{num} - Present )",
        "- Led a team of {num} to {act} the {work} of {Name} Corp.",
        "Skills: {thing}, {work}, {Name}",
        "B.Sc. in {work}, University of {City}, 200{num}",
        "Responsible for {thing} and {work}",
    ],
}
CHOICES = {
    "zh": {
        "thing": ["手机", "火锅", "电池", "篮球", "口红", "公积金", "数据线", "轮胎", "小说", "奶茶", "USB接口"],
        "city": ["北京", "上海", "罗马", "成都", "New York", "台北", "深圳"],
        "act": ["测试", "购买", "维修", "报名", "直播", "抢", "升级"],
        "quip": ["太厉害了", "笑死我了", "真的假的？", "好羡慕", "不敢相信", "哈哈哈哈哈", "求带走"],
        "work": ["红楼梦", "向往的生活", "控制模块", "星空", "底座"],
    },
    "ja": {
        "thing": ["電池", "ラーメン", "映画", "野球", "スマホ", "資料", "自転車"],
        "city": ["東京", "大阪", "札幌", "ローマ"],
        "act": ["検査", "購入", "修理", "応募", "配信"],
        "quip": ["すごい", "感動した", "本当ですか", "やばい", "楽しみ"],
        "work": ["星の王子", "制御", "夜明け", "台座"],
    },
    "ko": {
        "thing": ["배터리", "라면", "영화", "야구", "휴대폰", "자료"],
        "city": ["서울", "부산", "대구", "로마"],
        "act": ["검사", "구매", "수리", "신청", "방송"],
        "quip": ["대단하다", "감동이다", "정말인가", "최고", "기대된다"],
        "work": ["별에서", "제어", "새벽", "받침"],
    },
    "en": {
        "thing": ["phone", "battery", "lamp", "tire", "novel", "camera", "kettle"],
        "act": ["test", "repair", "stream", "paint", "upgrade"],
        "quip": ["no way", "so good", "can't believe it", "not again", "you won't believe what happens next"],
        "work": ["harbour", "controller", "winter", "base plate", "design"],
    },
}


def texts(language: str, genre: str, number: int = 300, seed: int = 0) -> list[str]:
    """Return different texts of a genre."""
    chance = random.Random(f"{language} {genre} {seed}")
    found: dict[str, bool] = {}
    while len(found) < number:
        found[_filled(chance.choice(TEXTS[language, genre]), language, chance)] = True
    return list(found)


def _filled(template: str, language: str, chance: random.Random) -> str:
    while "{" in template:
        start, end = template.index("{"), template.index("}")
        template = template[:start] + _value(template[start + 1 : end], language, chance) + template[end + 1 :]
    return template


def _value(slot: str, language: str, chance: random.Random) -> str:
    if slot.lower() in ("name", "city") and (language == "en" or slot == "name"):
        name = "".join(chance.choices(SYLLABLES[language], k=chance.randint(2, 4)))
        return name.capitalize() if slot[0].isupper() else name
    if slot == "num":
        return str(chance.randint(2, 9))
    if slot == "code":
        return "".join(chance.choices("abcdefghjkXYZ23456", k=6))
    value = chance.choice(CHOICES[language][slot.lower()])
    return value.title() if slot[0].isupper() else value
