"""Spellings of a label: removes differences without meaning, and splits a spelling into its parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator


def _words(*texts: str) -> tuple[str, ...]:
    return tuple(word for text in texts for word in text.split())


# Words without meaning for a label, such as "name" and "type". They are removed from the end or the start of a
# spelling if something is left.
_GENERIC_ENDS = _words(
    "名称 名字 类别 类型 种类 分类 实体 词汇 词语 短语 标签 信息 表达式 表达 名 类 词 项",
    "등 이름 명칭 유형 종류 개체 표현 명 の名前 の种类 の名称 表现",
)
_GENERIC_STARTS = _words("其他 其它 某个 某种 某 具体 相关 一般 特定 各种 各类 その他の 기타")
_GENERIC_WORDS = frozenset(
    _words(
        "name entity type kind category class label tag mention expression word phrase related specific general other",
        "various named generic common particular the a an pos upos xpos ne ner",
        "其他 其它 实体 类型 类别 标签 词性 词类 命名实体",
    )
)
_NEGATION = re.compile(r"(?:非|不是|未知|无类|未分类|none\b|non[-_ ]|not[-_ ]|no[-_ ]|unknown)", re.IGNORECASE)
_CHUNK_PREFIX = re.compile(r"(?:[BIESLUM]|[Bb]egin|[Ii]nside)[-_](?=\w)")  # of BIO and BIOES labels
_BRACKETED = re.compile(r"[(\[{<【《「『〔](.*?)[)\]}>】》」』〕]")
_ALTERNATIVE = re.compile(r"[/|,;、&+]|(?<=\w)\s+(?:and|or)\s+(?=\w)", re.IGNORECASE)
_OF_HAN = re.compile(r"(?<=[\u4e00-\u9fff]{2})(?:和|或者|或|与|及)(?=[\u4e00-\u9fff]{2})")
_NAME = "[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]"  # Chinese, Japanese and Korean
_LEVEL = re.compile(rf"[.:>#→\\—·\-]+|(?<={_NAME})[\s_]*(?=[A-Za-z])|(?<=[A-Za-z])[\s_]*(?={_NAME})")
_TREEBANK_TAG = (
    r"(?:(?:NN|VB|JJ|RB|PRP|W[DPR])[A-Z]{0,3}\$?|CD|DT|IN|RP|TO|MD|UH|FW|EX|PDT|POS|SYM|LS|CC|CS|AD|AS|BA|DE[CGRV]|ETC|IJ"
    r"|LB|LC|M|MSP|NR|NT|OD|ON|P|PN|PU|SB|SP|VA|VC|VE|VV)"
)
_OPEN_CHOICE = re.compile(
    rf"({_TREEBANK_TAG})(?:[|/]{_TREEBANK_TAG})+|([VN][A-Z]{{1,2}}[0-9A-Z]?)-[VNA][A-Z]{{1,2}}[0-9A-Z]?"
)
_FEATURE = re.compile(r"[_|,;(\s]*([^\W_]+)\s*=\s*([\w,*]+)\)?")
_HYPHENATED = re.compile(r"([A-Za-z]+)\s*[-–—]\s*[A-Za-z][A-Za-z\s–—_-]*")
_LEVEL_TAG = re.compile(
    rf"{_TREEBANK_TAG}|PER|PERS|ORG|LOC|GPE|FAC|VEH|WEA|MISC|GEO|NE|NORP|PROD|EVT|EVE|WOA|NUM|TIM|OGG|LC[GP]|n[a-z]{{0,2}}",
    re.IGNORECASE,
)
# A tag that an underscore ends (ACE: PER_Group, ETRI: OGG_SPORTS). Only in capitals: an underscore also joins words.
_UNDERSCORED_TAG = re.compile(r"^(PERS?|ORG|LOC|GPE|FAC|VEH|WEA|OGG|LC[GP])_(?=\w)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

# Traditional and Japanese characters of labels, each followed by its simplified form.
_TRADITIONAL = (
    "並并乗乘乾干亂乱亞亚佈布佔占併并來来侷局係系俬私倉仓個个倫伦側侧傘伞備备傚效傢家傭佣傳传債债傷伤傾倾僊仙働动僕仆僱雇價价儀仪償偿優优儲储兇凶兌兑児儿兒儿內内兩两冊册冐冒凈净処处別别刧劫則则剋克剏创創创"
    "劃划劇剧劑剂労劳効效動动務务勛勋勝胜勞劳勢势勳勋勵励匯汇區区協协厤历厰厂參参収收叢丛員员唸念問问啣衔喫吃喬乔單单嘆叹噹当嚮向囲围國国圍围圏圈園园圖图團团坿附執执堅坚報报場场塊块塗涂塲场塵尘墻墙壇坛壓压"
    "壜坛壩坝壽寿夢梦夥伙奧奥奨奖奬奖妝妆娛娱婦妇嬭奶嬰婴學学宮宫實实審审寫写寬宽寳宝寵宠寶宝対对尅克將将專专對对導导尒尔尟鲜尠鲜屆届層层屬属峯峰島岛峽峡崑昆崗岗嶼屿巖岩帋纸師师帳帐帶带幇帮幙幕幣币幫帮幹干"
    "幾几広广庫库廈厦廚厨廟庙廠厂廢废廣广廳厅廻回張张強强彆别彈弹彔录彙汇彫雕彿佛後后徑径從从復复徵征応应恆恒恠怪恵惠愛爱愽博態态慣惯慶庆慼戚憑凭憲宪憶忆應应懲惩懷怀戀恋戰战戲戏戶户戸户抜拔拚拼拠据捄救捜搜"
    "捨舍捲卷掛挂換换揮挥揹背搆构損损搶抢摺折撃击擊击擋挡據据擧举擬拟攜携攝摄攩挡攷考敗败敵敌數数斷断旂旗昇升時时晉晋暱昵曆历曏向書书會会朞期朢望朮术東东査查栞刊桮杯桿杆條条棄弃棊棋棧栈棲栖業业榦干榮荣構构"
    "槍枪槓杠樂乐樑梁樓楼標标樞枢樣样権权樹树橋桥機机橫横檔档檢检檯台櫻樱欄栏權权欝郁歎叹歐欧歩步歲岁歳岁歴历歷历殘残殺杀毬球氣气氷冰氾泛汎泛汙污汚污決决沖冲沢泽況况洩泄浄净涼凉淨净淩凌減减測测湯汤準准溝沟"
    "溫温溼湿滌涤滿满漁渔漢汉漲涨潔洁潛潜潤润澤泽濃浓濕湿濟济瀉泻瀏浏灘滩灣湾災灾為为無无焼烧煉炼熱热燈灯燒烧燙烫營营爭争爲为爺爷爾尔牀床牆墙牠它狀状猶犹獄狱獎奖獣兽獨独獲获獵猎獸兽獻献現现琱雕環环甎砖產产"
    "産产畢毕畧略畫画異异當当疇畴疊叠疎疏痠酸療疗癈废癥症發发盃杯盜盗監监盤盘眞真眾众睏困瞭了砲炮碩硕碼码磚砖礙碍礦矿祕秘禍祸禦御禮礼禱祷秖只稅税種种稱称稾稿穀谷積积穏稳穩稳穫获窓窗竊窃竝并竪竖競竞筆笔箇个"
    "節节範范築筑簡简簽签籃篮籌筹籐藤籤签粧妆粵粤糧粮糰团紀纪約约紅红紋纹納纳紐纽紙纸級级紡纺細细終终組组結结絕绝絡络給给統统絲丝絶绝經经綜综綠绿綢绸綫线維维綱纲網网綴缀綵彩綽绰緑绿緒绪線线締缔緣缘編编緯纬"
    "練练縁缘縣县縮缩縴纤總总績绩織织繖伞繪绘繫系繼继續续纍累纖纤罈坛罎坛罰罚罷罢罸罚羣群義义習习翫玩聖圣聞闻聯联聲声職职聽听脈脉脩修脹胀腎肾腦脑腫肿腳脚腸肠膓肠膚肤膠胶膽胆臟脏臥卧臨临臺台與与興兴舉举舖铺"
    "舘馆舩船艦舰荳豆莊庄莖茎葉叶葠参葯药葷荤蒐搜蓆席蔘参蕓芸薩萨薹苔藝艺藥药蘚藓蘤花蘭兰處处虛虚號号蝦虾蟲虫蠏蟹衆众術术衕同衛卫衝冲衞卫裏里補补裝装裡里製制複复襍杂襯衬襲袭覈核見见規规視视覚觉親亲観观覺觉"
    "覽览觀观觸触訂订計计訊讯討讨訓训託托記记訟讼訪访設设許许訳译訴诉診诊註注証证詐诈評评詞词詢询試试詩诗話话詶酬誌志認认誕诞語语誤误說说説说課课誼谊調调談谈請请論论諮咨諺谚諾诺謀谋謂谓謌歌講讲謝谢謠谣謡谣"
    "證证識识譜谱譯译議议護护譽誉讀读變变讚赞豎竖豬猪貓猫貝贝負负財财貨货貪贪貫贯責责貴贵買买貸贷費费貼贴貿贸賄贿資资賓宾賛赞賞赏賠赔賣卖質质賬账購购賽赛贈赠贊赞趨趋跡迹踐践蹟迹軀躯車车軌轨軍军軟软転转較较"
    "載载輔辅輛辆輪轮輯辑輸输轄辖轉转轎轿辦办辭辞農农迴回迻移逓递連连週周進进遊游運运過过達达違违遞递適适選选遺遗邊边邏逻郵邮郷乡鄉乡鄰邻酔醉醃腌醣糖醫医醬酱醼宴釋释針针釣钓釦扣鉄铁鉆钻銀银銅铜銘铭銜衔銷销"
    "鋁铝鋪铺鋼钢錄录錢钱錦锦錯错録录錶表鍊炼鍋锅鍛锻鍵键鍼针鍾钟鎊镑鎗枪鎭镇鎮镇鏇旋鏈链鏡镜鐘钟鐵铁鑚钻鑛矿鑵罐鑽钻長长門门閉闭開开閑闲閒闲間间閤合閱阅閲阅闆板闇暗關关陞升陣阵陰阴陳陈陸陆険险陽阳隄堤隊队"
    "階阶際际隠隐隣邻隨随險险隱隐隻只雜杂雞鸡離离難难雲云電电霊灵霧雾靈灵靜静靭韧靱韧鞦秋韆千韌韧韓韩響响頁页項项順顺預预頒颁頓顿領领頭头頸颈頻频題题額额顏颜顔颜顕显願愿類类顧顾顯显風风颱台颳刮飛飞飪饪飯饭"
    "飲饮飼饲飾饰餅饼養养餘余餚肴館馆餵喂餽馈饋馈馬马駕驾駛驶騎骑騙骗驗验驟骤髒脏體体髪发髮发鬥斗鬪斗鬱郁魚鱼鮮鲜鳥鸟鴨鸭鵝鹅鵞鹅鵰雕鷄鸡鹼碱鹽盐麥麦麪面麴曲麵面麹曲麺面黃黄黒黑點点黨党鼕冬齒齿齡龄齣出龍龙"
    "気气発发売卖読读続续経经済济斉齐剤剂徳德駅驿歯齿齢龄渋涩従从拡扩検检験验図图圧压塩盐増增壊坏壱壹実实専专巣巢帯带帰归悪恶戦战戻戾払拂択择拝拜挙举挿插掲揭摂摄斎斋晩晚暁晓曽曾栄荣桜樱楽乐様样歓欢殻壳毎每涙泪渓溪満满滝泷瀬濑犠牺猟猎畳叠痩瘦県县砕碎稲稻穂穗粋粹絵绘総总縄绳縦纵繊纤聴听脳脑臓脏舗铺芸艺荘庄薫薰薬药蛍萤覇霸譲让豊丰軽轻辺边遅迟釈释鉱矿銭钱鋳铸関关陥陷雑杂頼赖騒骚髄髓鶏鸡黙默両两亜亚仏佛仮假伝传価价倹俭円圆剣剑勅敕勧劝厳严"
    "営营変变巻卷弐贰弾弹懐怀戯戏"
)
_SIMPLIFIED = str.maketrans(dict(zip(_TRADITIONAL[::2], _TRADITIONAL[1::2], strict=True)))


def plain(spelling: str) -> str:
    """Return a spelling without differences of case, width, spaces, punctuation and traditional characters."""
    text = "".join(unicodedata.normalize("NFKC", spelling).casefold().split())
    return (re.sub(r"[\W_]+", "", text) or text).translate(_SIMPLIFIED)


def is_negated(spelling: str) -> bool:
    """Return whether a spelling says what something is not. Then no part of it says what it is."""
    return _NEGATION.match(spelling) is not None


def without_prefix(text: str) -> str | None:
    """Return `PER` for `B-PER`, or None if there is no such prefix."""
    found = _CHUNK_PREFIX.match(text)
    return text[found.end() :] if found else None


def bracket_parts(text: str) -> tuple[str, ...]:
    """Return the text outside brackets, followed by the texts in brackets; () if there are no brackets."""
    inside = _BRACKETED.findall(text)
    return (_BRACKETED.sub(" ", text), *inside) if inside else ()


def alternatives(text: str) -> list[str]:
    """Return the parts of `作家/艺术家`; a list of one if there is nothing to split."""
    return _filled(_ALTERNATIVE.split(text))


def han_alternatives(text: str) -> list[str]:
    """Return the parts of `国家和地区`; a list of one if a part would be a single character."""
    return _filled(_OF_HAN.split(text))


def levels(text: str) -> list[str]:
    """Return the parts of `PER.NAM`, `PER_Group` and `nr-人名`, the uppermost first, without generic words."""
    parts = _filled(_LEVEL.split(_UNDERSCORED_TAG.sub(r"\1.", text, count=1)))
    return [part for part in parts if singular(part.casefold()) not in _GENERIC_WORDS] or parts


def without_features(text: str) -> str:
    """Return `NOUN` for `NOUN|Number=Sing` and for `UPOS=NOUN`: a value counts only if its key is a generic word."""
    return _FEATURE.sub(lambda found: found[2] if found[1].casefold() in _GENERIC_WORDS else "", text)


def chosen_tag(text: str) -> str | None:
    """Return `NN` for a tag that was left open, `NN|VBG` (Penn Treebank) or `NN1-VVB` (CLAWS); None for other texts."""
    found = _OPEN_CHOICE.fullmatch(text)
    return found[1] or found[2] if found else None


def is_compound(text: str) -> bool:
    """Return whether hyphens join names in Latin letters (`CLIMATE-MODELS`), and not a tag and a name (`ORG-club`)."""
    found = _HYPHENATED.fullmatch(text)
    return found is not None and not is_level_tag(found[1])


def is_level_tag(part: str) -> bool:
    """Return whether a part is a tag that finer levels follow, such as `PER` in `PER.Group`."""
    return _LEVEL_TAG.fullmatch(part) is not None


def is_tag(part: str) -> bool:
    """Return whether a part looks like a tag, such as `nr`, and not like a name."""
    return part.isascii() and len(part) <= 4


def has_name(text: str) -> bool:
    """Return whether a text has Chinese, Japanese or Korean characters."""
    return re.search(_NAME, text) is not None


def words(text: str) -> list[str]:
    """Return the words of a label in Latin letters, in lower case; split at spaces, `_`, `-`, `.` and capitals."""
    return [word.casefold() for word in re.split(r"[\s_\-–—.]+", _CAMEL.sub(" ", text)) if word]


def singular(word: str) -> str:
    """Return a word without its plural ending."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def han_readings(key: str) -> list[str]:
    """Return a plain spelling and its forms without generic words, the longest first, each once."""
    readings = [key]
    for reading in readings:  # the list grows during the loop
        readings += [shorter for shorter in _stripped(reading) if shorter not in readings]
    return sorted(readings, key=len, reverse=True)


def _stripped(key: str) -> Iterator[str]:
    """Yield a plain spelling without a number at its end, and without each generic word around it."""
    without_number = key.rstrip("0123456789")
    if without_number != key and (len(without_number) > 2 or has_name(without_number)):
        yield without_number
    for end in _GENERIC_ENDS:
        if key.endswith(end) and len(key) > len(end):
            yield key[: -len(end)]
    for start in _GENERIC_STARTS:
        if key.startswith(start) and len(key) > len(start):
            yield key[len(start) :]


def english_readings(text: str) -> Iterator[list[str]]:
    """Yield the words of an English label in the singular, as they are, and without generic words.

    `name of a person` gives `person`; `department of education` gives `department`.
    """
    given = words(text)
    found = [singular(word) for word in given]
    specific = [word for word in found if word not in _GENERIC_WORDS]
    if "of" in specific:
        at = specific.index("of")
        yield specific[:at] or specific[at + 1 :]
    else:
        yield found
        yield given  # species, goods, mathematics: no singular is listed
        yield specific


def _filled(parts: list[str]) -> list[str]:
    return [part.strip() for part in parts if part.strip()]
