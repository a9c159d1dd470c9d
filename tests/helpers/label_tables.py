"""Official tag sets, and spellings that LLMs write, with their canonical labels."""

from __future__ import annotations

import json
from pathlib import Path

# --- tag sets: canonical label -> its tags. data/fusion_knowledge/README.md explains tags with two meanings.

UPOS = {
    "ADJECTIVE": "ADJ",
    "ADPOSITION": "ADP",
    "ADVERB": "ADV",
    "VERB": "AUX VERB",
    "CONJUNCTION": "CCONJ SCONJ",
    "DETERMINER": "DET",
    "INTERJECTION": "INTJ",
    "NOUN": "NOUN",
    "NUMERAL": "NUM",
    "PARTICLE": "PART",
    "PRONOUN": "PRON",
    "PROPER_NOUN": "PROPN",
    "PUNCTUATION": "PUNCT",
    "SYMBOL": "SYM",
    "OTHER_POS": "X",
}
PTB = {
    "CONJUNCTION": "CC",
    "NUMERAL": "CD",
    "DETERMINER": "DT PDT WDT",
    "PRONOUN": "EX PRP PRP$ WP WP$",
    "OTHER_POS": "FW LS",
    "ADPOSITION": "IN",
    "ADJECTIVE": "JJ JJR JJS",
    "VERB": "MD VB VBD VBG VBN VBP VBZ",
    "NOUN": "NN NNS",
    "PROPER_NOUN": "NNP NNPS",
    "PARTICLE": "POS RP TO",
    "ADVERB": "RB RBR RBS WRB",
    "SYMBOL": "SYM $ #",
    "INTERJECTION": "UH",
    "PUNCTUATION": "` `` ' '' \" ( ) -LRB- -RRB- -LSB- -RSB- -LCB- -RCB- , . : HYPH NFP",
}
CTB = {
    "ADVERB": "AD",
    "PARTICLE": "AS DEC DEG DER DEV ETC MSP SP",
    "ADPOSITION": "BA LB P SB",
    "CONJUNCTION": "CC CS",
    "NUMERAL": "CD OD M",
    "DETERMINER": "DT",
    "OTHER_POS": "FW X URL",
    "INTERJECTION": "IJ ON",
    "ADJECTIVE": "JJ VA",
    "NOUN": "LC NN",
    "PROPER_NOUN": "NR NT",
    "PRONOUN": "PN",
    "PUNCTUATION": "PU",
    "VERB": "VC VE VV",
    "SYMBOL": "EM",
}
PKU = {  # with the finer tags of ICTCLAS
    "NOUN": "n ng nl t tg s f j an vn nis nit nd nf nm nmc nnd nnt nhm nhd nba nbc nbp gb gc gg gi gm gp",
    "PROPER_NOUN": "nr nr1 nr2 nrj nrf nrg ns nsf nt ntc ntcb ntcf ntch nth nto nts ntu nz nx ni nic nh",
    "VERB": "v vg vshi vyou vf vx vi vl",
    "ADVERB": "vd ad d dg dl",
    "ADJECTIVE": "a ag al b bl z",
    "PRONOUN": "r rg rr rz rzt rzs rzv ry ryt rys ryv",
    "NUMERAL": "m mq mg",
    "MEASURE_WORD": "q qg qv qt",
    "ADPOSITION": "p pba pbei",
    "CONJUNCTION": "c cc",
    "PARTICLE": "u uzhe ule uguo ude1 ude2 ude3 usuo udeng uyy udh uls uzhi ulian y yg",
    "INTERJECTION": "e o",
    "IDIOM": "i l",
    "OTHER_POS": "g h k x xe xs xu xx",
    "SYMBOL": "xm wb wh",
    "PUNCTUATION": "w wkz wky wyz wyy wj ww wt wd wf wn wm ws",
}
JIEBA = {
    "NOUN": "n ng t tg s f j an vn",
    "PROPER_NOUN": "nr nrt nrfg ns nt nz nw",
    "VERB": "v vg vi vq",
    "ADJECTIVE": "a ag b z zg",
    "ADVERB": "ad d df dg vd",
    "PRONOUN": "r rg rr rz",
    "NUMERAL": "m mg mq",
    "MEASURE_WORD": "q",
    "PARTICLE": "u ud ug uj ul uv uz y",
    "ADPOSITION": "p",
    "CONJUNCTION": "c",
    "INTERJECTION": "e o",
    "IDIOM": "i l",
    "OTHER_POS": "g h k x eng",
    "PUNCTUATION": "w",
    "PERSON": "PER",  # entity tags of its paddle mode; they are in entity_label.json
    "LOCATION": "LOC",
    "ORGANIZATION": "ORG",
    "TIME": "TIME",
}
CONLL = {
    "PERSON": "PER B-PER I-PER E-PER S-PER",
    "LOCATION": "LOC B-LOC I-LOC",
    "ORGANIZATION": "ORG B-ORG I-ORG",
    "MISC": "MISC B-MISC I-MISC",
}
ONTONOTES = {
    "PERSON": "PERSON",
    "GROUP": "NORP",
    "FACILITY": "FAC FACILITY",
    "ORGANIZATION": "ORG ORGANIZATION",
    "LOCATION": "GPE LOC LOCATION",
    "PRODUCT": "PRODUCT",
    "EVENT": "EVENT",
    "WORK_OF_ART": "WORK_OF_ART",
    "LAW": "LAW",
    "LANGUAGE": "LANGUAGE",
    "DATE": "DATE",
    "TIME": "TIME",
    "NUMBER": "PERCENT ORDINAL CARDINAL",
    "MONEY": "MONEY",
    "QUANTITY": "QUANTITY",
}
MSRA = {
    "PERSON": "nr PERSON",
    "LOCATION": "ns LOCATION AREA",
    "ORGANIZATION": "nt ORGANIZATION",
    "DATE": "DATE",
    "TIME": "TIME DURATION",
    "NUMBER": "PERCENT INTEGER FRACTION DECIMAL ORDINAL",
    "MONEY": "MONEY",
    "QUANTITY": "FREQUENCY AGE WEIGHT LENGTH TEMPERATURE ANGLE SPEED ACCELERATION MEASURE",
    "IDENTIFIER": "EMAIL PHONE FAX TELEX WWW POSTALCODE",
}
# Tag sets of other languages and tasks, without the tags that have another meaning in a set above.
_MORE_TAGS = json.loads(Path(__file__).with_name("tag_sets.json").read_text(encoding="utf-8"))
POS_TAGS = {"UPOS": UPOS, "PTB": PTB, "CTB": CTB, "PKU": PKU, "jieba": JIEBA, **_MORE_TAGS["pos"]}
ENTITY_TAGS = {"CoNLL": CONLL, "OntoNotes": ONTONOTES, "MSRA": MSRA, **_MORE_TAGS["entity"]}

# --- spellings that are easily confused, most of them in no label file, and spellings that must stay unknown

_SPELLINGS = json.loads(Path(__file__).with_name("label_spellings.json").read_text(encoding="utf-8"))
ENTITY_SPELLINGS: dict[str, list[str]] = _SPELLINGS["entity"]
POS_SPELLINGS: dict[str, list[str]] = _SPELLINGS["pos"]
UNREADABLE: list[str] = _SPELLINGS["unreadable"]  # not labels, or several contradictory names

# --- labels that one model may write without a list of labels, with counts; a few are not labels

_COUNTED = """
人物 980  地点 870  组织 640  时间 610  概念 520  产品 410  公司 330  活动 300  事件 250  日期 240  数量 190  国家 180
职位 150  技术 140  作品 120  行为 110  疾病 100  设备 95  软件 90  城市 88  食品 80  材料 75  药物 70  动物 66  植物 60
学科 55  货币金额 50  法律文件 48  政府机构 45  学校 44  体育赛事 40  交通工具 38  奖项 35  语言 33  身体部位 30
症状 28
建筑 26  网站 25  服务 24  节日 22  电影 20  书籍 20  歌曲 18  游戏 18  品牌 17  部门 16  银行 15  医院 15  大学 14
运动员 13  歌手 12  导演 12  政治家 11  球队 11  乐队 10  媒体 10  化学元素 9  气体 8  矿产 8  颜色 8  年龄 8  面积 7
温度 7  速度 7  百分比 7  邮箱地址 6  车牌号码 6  合同编号 6  航班号 6  河流 6  山脉 6  岛屿 5  景点 5  餐厅 5  机场 5
地铁站 5  高速公路 4  发动机 4  手机型号 4  操作系统 4  算法 4  编程框架 3  武器 3  服装 3  化妆品 3  家具 3  乐器 3
民族 3  宗教 3  学历 3  证书 3  税费 3  保险产品 2  理财产品 2  手术 2  疫苗 2  细菌 2  器官 2  中药材 2  菜肴 2
水果 2  饮料 2  调味品 2  工艺 2  标准 2  政策 2  条约 2  罪名 2  判决 1  战争 1  会议 1  展览 1  比赛项目 1  情绪 1
外貌 1  性能 1  尺寸 1  形状 1  模糊 1  赶紧 1  陈立国 1
"""
LABEL_COUNTS = {label: int(count) for label, count in zip(*[iter(_COUNTED.split())] * 2, strict=True)}

# --- compounds that are in no file, and words that end like one of its heads but have another meaning

COMPOUNDS = {
    "PERSON": "招生办负责人 抚养人 收件人 外籍球员 电竞选手 影评人 主讲人 陪审员 女队员",
    "ORGANIZATION": "餐饮企业 公益组织 中标单位 研究生院 救援队 拍卖行 考古队 汽车厂",
    "LOCATION": "进口国 商业街 考区 沿海地带 施工现场 取景地",
    "FACILITY": "换乘站 发射场 更衣室 物流园 停车位 展览厅",
    "PRODUCT": "智能音箱 钓具 限量款 变速箱 学习机 净水器",
    "WORK_OF_ART": "散文集 儿童读物 地方戏 宣传片 武功秘籍 乡村民歌",
    "EVENT": "邀请赛 招聘会 残奥会 庙会 车展",
    "ACTIVITY": "疫情防控 室内设计 美甲 外汇结算 盗窃罪 汉服穿搭",
    "LAW": "抚养权 劳动合同法条 居住证 房屋租赁合同书",
    "MONEY": "发行价 物业费 印花税 保额 违约金",
    "NUMBER": "录取分数线 点击率 住院天数 中奖数 积分榜",
    "QUANTITY": "熔点 发电量 油箱容积 室温 地震震级",
    "ATTRIBUTE": "溶解度 仪式感 便携性 曲风 外貌描写",
    "CONCEPT": "相对论 社会热点 考试科目 竞争格局 婚俗 餐饮业",
    "DISEASE": "胃癌 工伤 过敏性鼻炎 睡眠障碍",
    "FOOD": "炖菜 绿豆汤 果汁饮料",
    "ORGANISM": "病毒变异株 观赏鱼 果树 野花",
    "SUBSTANCE": "污水 聚合物 稀有气体 化学键",
    "BODY_PART": "左手 双眼皮肤",
    "TECHNOLOGY": "卫星导航 游戏模块 语音助手",
    "DATE": "购物季 考试月",
    "TIME": "潜伏期 刑期",
}
OTHER_MEANINGS = {
    "EVENT": "天气",
    "WORK_OF_ART": "情节",
    "DATE": "季节",
    "BODY_PART": "关节 器官 五官",
    "ACTIVITY": "发展 停车 消费 排队 毕业",
    "ATTRIBUTE": "态度 动机 人品 特色 质量 语气",
    "LAW": "制度",
    "CONCEPT": "市场 立场 观点 结局",
    "TECHNOLOGY": "软件 网站",
    "IDENTIFIER": "邮件 邮箱 口令",
    "PRODUCT": "机器人",
    "ORGANIZATION": "法人 企业",
    "GROUP": "国民",
    "AWARD": "冠军 证书",
    "DISEASE": "流感",
    "LOCATION": "景点",
    "MEDICINE": "药物",
    "ORGANISM": "生物",
    "PERSON": "秘书 女性 司机",
}
TWO_NAMES = [
    "CLIMATE-MODELS",
    "language-models",
    "FOOD-CHAIN",
    "TIME-SERIES",
    "WEATHER–MODELS",
    "event-planning",
    "DRUG-FREE",
]
OPEN_CHOICES = {
    "NN|VBG": "NOUN",
    "VBG|NN": "VERB",
    "JJ|VBN": "ADJECTIVE",
    "IN|RP": "ADPOSITION",
    "NNS|VBZ": "NOUN",
    "NN|VV": "NOUN",
    "NN/VBG": "NOUN",
    "NN1-VVB": "NOUN",
    "VVD-VVN": "VERB",
}
FEATURES = {
    "NOUN|Number=Sing": "NOUN",
    "NOUN__Number=Plur": "NOUN",
    "PRON|Case=Nom|Person=1": "PRONOUN",
    "UPOS=ADJ": "ADJECTIVE",
    "pos=VERB|Tense=Past": "VERB",
    "词性=名词": "NOUN",
}
LEVELS = {
    "PER.Group": "PERSON",
    "WEA.Shooting": "PRODUCT",
    "GPE.Population-Center": "LOCATION",
    "ORG>company": "ORGANIZATION",
    "LOC#river": "LOCATION",
    "PER_Group": "PERSON",
    "B-ORG_Commercial": "ORGANIZATION",
    "OGG_SPORTS": "ORGANIZATION",
    "PER_CENT": "NUMBER",  # listed as a whole
    "new_product": "PRODUCT",  # words, not levels
}
JAPANESE = {  # in characters that Chinese writes in another way
    "気象現象": "EVENT",
    "芸術作品": "WORK_OF_ART",
    "薬品名": "MEDICINE",
    "伝統芸能": "ACTIVITY",
    "図書館": "FACILITY",
    "動物の種類": "ORGANISM",
    "駅の名前": "FACILITY",
}
PLURAL_ONLY = {"flower species": "ORGANISM", "export goods": "PRODUCT", "applied mathematics": "CONCEPT"}
INVENTED = """
Rock Singer|Basketball Player|Country of Origin|Film Character|TV Host|Research Organization|Public School|
Newspaper Name|Airline Company|Racing Event|Military Conflict|National Holiday|Terrorist Attack|Cancer Type|
Body Organ|Fruit Name|Garden|Traditional Dish|River/Lake|Shopping Center|Mountain Range|Religious Group|
Political Event|Senator|Legislation|Economic Term|Loan|Weekday Name|Number of Votes|Temperature Value|
Software Tool|Social App|Computer Game|Biology Term|Physical Phenomenon|Space Station|Native Tribe|Colleague|
Skill Level|Personal Trait|Fabric Type|Jewelry Item|Ship|Weapon|Electronic Device|Poem|映画監督|女性歌手|
航空会社名|金融機関|自動車メーカー|食品会社|温泉街|歴史的建造物|軍事組織|科学者名|文学賞|国際会議|経済指標|
法律用語|健康食品|야구 선수|자동차 회사|금융 기관|역사적 건물|군사 조직|문학상|국제 회의|법률 용어|음악 작품|
Krankenhaus|Straße|Währung|电商活动|快递公司|旅行社|网红景点|会员等级|优惠券|生产日期|适用人群|不良反应|
给药途径|中药方剂|妖怪|副本|动漫人物|影视公司|收视率|舞台剧|碑刻|庙会活动|方言区|歇后语|分子式|电路元件|
加密算法|股权结构|注册资本|监管机构|处罚措施|预警信号|空气质量指数|环保措施|油田|中标金额|专利号|战区|指挥官|
革命根据地|爵位|关隘|学派|科技成果
"""
