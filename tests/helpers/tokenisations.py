"""Made-up sentences in the tokenisations of four kinds of word-based datasets."""

from __future__ import annotations

import random

# In each template, {name} and so on are replaced by one of the choices. Tokens are separated by spaces.
PENN_TREEBANK = (
    [
        "{title} {name} said the {company} would n't sell its {number} shares .",
        "`` We do n't know what {name} 's board will do , '' said {title} {name} .",
        "The {company} fell $ {money} to $ {money} in New York Stock Exchange trading .",
        "The yield -LRB- on {number} bonds -RRB- rose to {number} % from {number} % .",
        "He said : `` It 's a {adjective} deal -- if they 'll take it . ''",
        "{company} said it ca n't meet the Oct. {day} deadline ; {name} declined to comment .",
        "In the U.S. , {number} 1\\/2 % of all {adjective} plants were closed .",
        "They 've sold {number} , and I 'm told that they 'd sell more ...",
        "A {adjective} spokesman for {company} -LRB- which is based in St. Louis -RRB- agreed .",
        "`` Is n't that {adjective} ? '' asked {name} , 61 years old .",
        "The company 's earnings were {money} cents a share , up {number} % from a year earlier .",
        "The analysts ' estimates for {company} were too low , {title} {name} added .",
        "{name} , the {adjective} chairman and chief executive officer , resigned on Sept. {day} .",
        "What they did -- and what {name} did n't do -- was {adjective} .",
    ],
    {
        "title": ["Mr.", "Ms.", "Dr.", "Sen.", "Rep."],
        "name": ["Agnes Muir", "Carver", "J.P. Bolduc", "O'Brien", "Van der Berg", "Smith-Jones", "McKay"],
        "company": ["Apple Inc.", "Swift & Co.", "Northern Corp.", "AT&T", "Muir Bros.", "R.H. Macy"],
        "number": ["5", "8.45", "1,200", "30", "2.5", "115,000"],
        "money": ["3.25", "1.1 billion", "50", "0.75", "12.5 million"],
        "adjective": ["first-half", "low-priced", "old", "mid-1990s", "strong", "state-owned", "so-called"],
        "day": ["1", "15", "30"],
    },
)
CONLL = (
    [
        "{sport} - {name} BEATS {place} {score} .",
        "{place} {date}",
        "{name} {name} ( {place} ) beat {name} ( {place} ) {score} {score}",
        "\" We did n't expect {name} 's goal , \" {name} told Reuters .",
        "The {adjective} minister said on {weekday} that {number} people were killed in {place} .",
        "{place} 's {adjective} index fell {number} percent to {number} points .",
        "1. {name} ( {place} ) {time}",
        "{name} {score} ( {score} ) , {name} {number} , {place} {number}",
        "-- {place} newsroom +44 171 542 7658",
        "\" It 's {adjective} ... but we 'll play , \" he said .",
        "Source text : {place} Stock Exchange , {date} .",
        "{place} at {place}",
        "The U.N. said {name} -- a {adjective} {place}-based {adjective} leader -- had left {place} .",
        "He paid $ {number} million for the {adjective} club , not {number} percent as reported .",
    ],
    {
        "sport": ["SOCCER", "CRICKET", "TENNIS", "GOLF"],
        "name": ["Agnes Muir", "O'Brien", "J. Carver", "van Basten", "Al-Sabah", "Smith"],
        "place": ["LONDON", "AL-AIN", "Rome", "St. Louis", "Bosnia-Herzegovina", "U.S.", "West Indies"],
        "date": ["1996-08-30", "1996-12-06", "1997-01-15"],
        "score": ["15-12", "6-4", "7-6", "0-0", "3-2"],
        "adjective": ["first-round", "former", "oil-rich", "13-year-old", "pro-government", "leading"],
        "number": ["12", "3.5", "1,200", "27", "0.45"],
        "weekday": ["Monday", "Friday"],
        "time": ["4:25.09", "10.85", "1:02.7"],
    },
)
GENIA = (
    [
        "{protein} -dependent {process} was inhibited by {chemical} .",
        "The {gene} gene promoter contains a {number} -bp {adjective} element .",
        "{cell} cells were cultured with {chemical} ( {number} nM ) for {number} h .",
        "Both {protein} and {protein} / {protein} complexes bind the 5' flanking region .",
        "Expression of {gene} mRNA ( n = {number} , P < 0.01 ) was {adjective} in {cell} cells .",
        "{chemical} -treated {cell} cells showed a {number} +/- 0.5 fold increase of {process} .",
        "We conclude that {protein} , but not {protein} , is a {adjective} regulator of {process} .",
        "The 3' end of the {gene} gene was not {adjective} ; see Fig. {number} .",
        "{process} ( e.g. , by {protein} ) requires {protein} -mediated signals .",
        "In {cell} T cells , {protein} -induced {process} did not change [Ca2+]i .",
        "Results : {number} % of {cell} cells were {protein} positive .",
    ],
    {
        "protein": ["IL-2", "NF-kappa B", "CD4+", "TNF-alpha", "c-Fos", "p50", "AP-1", "IFN-gamma"],
        "gene": ["IL-2", "c-myc", "HLA-DR", "TCR-beta", "bcl-2"],
        "chemical": ["1,25(OH)2D3", "PMA", "dexamethasone", "12-O-tetradecanoylphorbol-13-acetate", "cyclosporin A"],
        "cell": ["Jurkat", "HL-60", "CD4+", "CD8+", "U937", "B"],
        "process": ["transcription", "DNA-binding", "apoptosis", "cross-linking"],
        "adjective": ["cis-acting", "wild-type", "NF-kappa B-like", "down-regulated", "late", "double-stranded"],
        "number": ["10", "24", "0.5", "1.8", "300"],
    },
)
GERMAN = (
    [
        "Am {day} {month} {year} wurde {name} in {place} geboren .",
        "{name} spielte für den {club} und den {club} ( {year} - {year} ) .",
        "Die {adjective} Nord- und Südhälfte kostet {number} Euro , bzw. {number} Euro pro Jahr .",
        '" Das geht nicht , " sagte {name} ( {number} ) aus {place} .',
        "Er war z. B. {adjective} Leiter der {company} und Dr. h. c. der Universität {place} .",
        "Im {day} Jahrhundert lebten ca. {number} % der Bürger in {place} .",
        "Die U-Bahn-Linie U5 fährt u. a. bis {place} ; sie ist {number} km lang .",
        "{name} , der {adjective} Sänger von „ {company} “ , lebt seit {year} in {place} .",
        "In {place} gab es {number} , in {place} bzw. {place} nur {number} Unfälle .",
        "Das Spiel endete 3:1 ( 1:0 ) , der Eintritt kostete {number} EUR ...",
        "St. {place} liegt {number} m ü. NN und gehört seit {year} zur EU .",
        "Wer war die Nr. 1 im {day} Spiel gegen den {club} ?",
    ],
    {
        "day": ["18.", "3.", "19.", "1."],
        "month": ["Oktober", "März", "Mai"],
        "year": ["1996", "2004", "1871"],
        "name": ["Agnes Müller", "Karl-Heinz Groß", "J. Weiß", "von Bülow", "Özil"],
        "place": ["Rom", "Frankfurt/Main", "Baden-Baden", "Köln", "Bad Ems"],
        "club": ["1. FC Köln", "FC St. Pauli", "SV 08 Auersmacher", "TSV 1860"],
        "adjective": ["ehemalige", "damalige", "27-jährige", "deutsch-französische"],
        "company": ["Muir GmbH & Co. KG", "Nordlicht AG", "ARD-Redaktion"],
        "number": ["5", "1.200", "3,5", "12", "40"],
    },
)
TWEETS = (
    [
        "RT @{user} : {word} is the best #{tag} ever :) http://t.co/{code}",
        "@{user} i don't think so ... {word} > {word} !!!",
        "just saw {word} w/ @{user} at the {word} #{tag} #{tag}",
        "omg {word} is so {word} :( :( can't even",
        "new {word} up : https://t.co/{code} via @{user}",
        "{word} &amp; {word} tonight at 8pm ?!",
    ],
    {
        "user": ["agnes_m", "tom99", "NASA", "x_x"],
        "word": ["rome", "Oslo", "coffee", "the Swift", "<3", "lol", "2day"],
        "tag": ["nofilter", "Rome2024", "ff"],
        "code": ["aB3xY", "8soxPka", "RhUFrmW"],
    },
)
TOKENISATIONS = {
    "penn treebank": PENN_TREEBANK,
    "conll": CONLL,
    "genia": GENIA,
    "german": GERMAN,
    "tweets": TWEETS,
}


def sentences(name: str, number: int = 400, seed: int = 0) -> list[list[str]]:
    """Return tokenised sentences of one kind of dataset."""
    templates, choices = TOKENISATIONS[name]
    chance = random.Random(f"{name} {seed}")
    return [_filled(chance.choice(templates), choices, chance).split() for _ in range(number)]


def _filled(template: str, choices: dict[str, list[str]], chance: random.Random) -> str:
    while "{" in template:
        start, end = template.index("{"), template.index("}")
        template = template[:start] + chance.choice(choices[template[start + 1 : end]]) + template[end + 1 :]
    return template
