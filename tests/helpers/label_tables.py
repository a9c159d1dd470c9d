"""Tables for the tests of labels: the official tags of tag sets, spellings as LLMs write them, and their labels."""

from __future__ import annotations

import json
from pathlib import Path

# --- tag sets: canonical label -> its tags. Where two sets use one tag for two things, the README beside the label
# files says which of them is meant.

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
    "PERSON": "PER",  # the entity tags of its paddle mode, which entity_label.json knows
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
POS_TAGS = {"UPOS": UPOS, "PTB": PTB, "CTB": CTB, "PKU": PKU, "jieba": JIEBA}
ENTITY_TAGS = {"CoNLL": CONLL, "OntoNotes": ONTONOTES, "MSRA": MSRA}

# --- spellings that are easily read wrongly, most of them in no file; and what must stay unknown

_SPELLINGS = json.loads(Path(__file__).with_name("label_spellings.json").read_text(encoding="utf-8"))
ENTITY_SPELLINGS: dict[str, list[str]] = _SPELLINGS["entity"]
POS_SPELLINGS: dict[str, list[str]] = _SPELLINGS["pos"]
UNREADABLE: list[str] = _SPELLINGS["unreadable"]  # no label, a sentence, or names that contradict each other
