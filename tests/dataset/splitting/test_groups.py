"""Sentences that are equal, nearly equal or part of each other are in one group; others are not."""

from __future__ import annotations

import random

from utils.dataset.held_out import HeldOutTexts
from utils.dataset.records import Sentence
from utils.dataset.splitting.groups import NEAR, TRIGRAM, group_sentences
from utils.dataset.splitting.parts import split_sentences

ALPHABET = "的一是在不了有和人这中大为上个国我以要他"


def test_equal_near_and_contained_sentences_are_grouped():
    texts = [
        "The ship Petrel left the harbour of Lerwick on 3 May 1897 .",
        "the ship petrel left the harbour of Lerwick on 4 May 1902 .",
        "The ship Petrel left the harbour of Lerwick on 3 May 1897!",
        "Nobody in Port Ellis knew about it .",
        "He says : nobody in Port Ellis knew about it , or cared .",
        "A third one .",
    ]
    assert group_sentences([text.split() for text in texts]) == [[0, 1, 2], [3, 4], [5]]


def test_every_pair_of_near_sentences_is_found():
    rng = random.Random(3)
    texts = ["".join(rng.choice(ALPHABET) for _ in range(rng.randint(5, 40))) for _ in range(150)]
    for text in texts[:100]:
        changed = list(text)
        for _ in range(rng.randint(1, 3)):
            changed[rng.randrange(len(changed))] = rng.choice(ALPHABET)
        texts.append("".join(changed))
    sets = [{text[at : at + TRIGRAM] for at in range(len(text) - TRIGRAM + 1)} for text in texts]
    group_of = {
        index: number for number, group in enumerate(group_sentences([list(t) for t in texts])) for index in group
    }
    near = 0
    for first in range(len(texts)):
        for second in range(first):
            if len(sets[first] & sets[second]) >= NEAR * len(sets[first] | sets[second]):
                near += 1
                assert group_of[first] == group_of[second], (texts[first], texts[second])
    assert near > 10
    assert len(set(group_of.values())) > 100


def test_parts_share_no_sentence_and_have_the_wanted_sizes():
    rng = random.Random(5)
    texts = ["".join(rng.choice(ALPHABET) for _ in range(20)) for _ in range(80)]
    texts += [f"{text}！" for text in texts[:20]]
    sentences = [Sentence(str(number), tuple(text)) for number, text in enumerate(texts)]
    parts = split_sentences(sentences, (0.7, 0.2, 0.1), random.Random(1))
    assert [len(part) for part in parts] == [70, 20, 10]
    for part, others in ((parts[0], parts[1:]), (parts[1], parts[2:])):
        known = HeldOutTexts((one.tokens, one.id) for one in part)
        assert [one for other in others for one in other if known.find(one.tokens)] == []
    assert sorted(one.id for part in parts for one in part) == sorted(one.id for one in sentences)
