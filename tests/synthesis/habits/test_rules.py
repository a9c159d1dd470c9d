"""A rule that a dataset's own sentences break is not applied to new ones."""

from __future__ import annotations

import re

from utils.synthesis.habits.rules import RULES, Rule, reason_to_drop, rules_followed

FINISHED = [f"Sentence number {number} ends here." for number in range(1000)]


def broken_by(sentences):
    followed = rules_followed(RULES, sentences)
    return {rule.name for rule in RULES if rule not in followed}


def test_sentences_that_break_no_rule_leave_all_of_them():
    assert broken_by(FINISHED) == set()
    assert broken_by([]) == set()


def test_one_sentence_is_no_habit():
    assert broken_by(["A title without an end"]) == set()
    assert broken_by(["A title without an end", "And one more of them"]) == {"no punctuation mark at the end"}


def test_a_share_of_the_sentences_decides():
    few, more = FINISHED[:995], FINISHED[:900]
    assert broken_by([*few, *["and so"] * 5]) == set()
    assert broken_by([*more, *["A title without an end"] * 100]) == {"no punctuation mark at the end"}
    assert broken_by([*more, *["He said (so it was."] * 100]) == {"an open bracket"}
    assert broken_by([*more, *[", and so it was."] * 100]) == {"a punctuation mark at the beginning"}


def test_all_rules_together_drop_few_of_the_datasets_own_sentences():
    letters = "abcdefghij"
    rules = [Rule("unfinished", letter, re.compile(letter).search, max_share=0.01) for letter in letters]
    sentences = ["z"] * 900 + [letter for letter in letters for _ in range(9)] + ["z"] * 10
    followed = rules_followed(rules, sentences)
    assert 0 < len(followed) < len(rules)
    assert sum(bool(reason_to_drop(followed, sentence)) for sentence in sentences) <= 0.02 * len(sentences)


def test_one_pattern_of_remarks_may_be_usual_and_the_others_stay():
    polite = [*FINISHED, *["请您稍等，请注意查收。"] * 100]
    followed = rules_followed(RULES, polite)
    assert reason_to_drop(followed, "请您稍等。") is None
    assert reason_to_drop(followed, "抱歉，我无法完成这个任务。") == "a refusal"
    assert reason_to_drop(RULES, "请您稍等。") == "a remark"
