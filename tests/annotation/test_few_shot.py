"""Shots: drawn from the smallest size with a seed, and never the sentence that the prompt asks about."""

from __future__ import annotations

import json
import logging

import pytest
import s1_predict_data

from tests.helpers.builders import CHINESE, ENGLISH, sentence, write_json, write_rows
from utils.annotation.annotator import Annotator
from utils.annotation.few_shot import Shots
from utils.annotation.settings import AnnotationSettings
from utils.asking.sampling import SamplingSettings
from utils.cli.annotation.flags import annotation_settings
from utils.cli.exits import UsageError
from utils.dataset.reading import Dataset, read_dataset
from utils.dataset.tokens import CHARACTERS, WORDS, text_hash
from utils.prompts import load_prompt

KINDS = {"PERSON": ["人名", "人名", "인명", "PER", "PER.NAM"], "PLACE": ["地名", "地名", "지명", "LOC.NAM"]}
WORD_KINDS = {"NOUN": ["名词", "名詞", "명사"], "VERB": ["动词", "動詞", "동사"]}


@pytest.fixture
def labels(tmp_path):
    return write_json(tmp_path / "labels.json", KINDS)


@pytest.fixture
def make_annotator(labels):
    """Return a function that builds an annotator whose prompts show shots from a pool."""

    def build(pool, shots, *, mode="entity", seed=42, tokenisation=WORDS, label_file=labels, language="en"):
        dataset = Dataset((*pool,) * 4, ("O", "X"), tokenisation)  # the smallest size is the pool
        sampling = SamplingSettings(seed=seed)
        settings = AnnotationSettings(mode, label_file, language, num_shots=shots, sampling=sampling)
        return Annotator.for_dataset(dataset, settings)

    return build


NAMES = ["Ann", "Bob", "Cid", "Dot", "Eve", "Fay"]


@pytest.fixture
def pool():
    return [sentence(f"{name} is here .", (0, 1, "PER"), id=str(number)) for number, name in enumerate(NAMES, start=1)]


def shown(annotator, asked):
    """Return the sentences of the shots in a prompt, without the fixed example of the prompt file."""
    lines = annotator.question(asked).request.prompt.splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith("Example sentence")][1:]


def test_a_shot_is_a_sentence_and_its_answer_with_labels_as_the_prompt_lists_them(make_annotator):
    gold = sentence("Ann met Bob and Ann .", (0, 1, "PER"), (2, 3, "X"), (4, 5, "PER"), id="1")
    prompt = make_annotator([gold], 1).question(sentence("Eve left .")).request.prompt
    answer = prompt.split("Example answer: ")[2].splitlines()[0]
    assert json.loads(answer) == [{"entity": "Ann", "type": "PERSON"}, {"entity": "Bob", "type": "X"}]
    assert '[{"entity":"Ann","type":"PERSON"}' in answer
    assert prompt.index("Ann met Bob and Ann .") < prompt.index("Sentence: Eve left .")


def test_chinese_shots_are_shown_in_chinese(make_annotator):
    gold = sentence(list("邓超在北京"), (0, 2, "PER.NAM"), (3, 5, "LOC.NAM"))
    annotator = make_annotator([gold], 1, tokenisation=CHARACTERS, language="zh")
    answer = '示例回答：[{"entity":"邓超","type":"人名"},{"entity":"北京","type":"地名"}]'
    assert f"示例句子：邓超在北京\n{answer}\n" in annotator.question(sentence(list("你好"))).request.prompt


@pytest.mark.parametrize("number", [1, 3, 5])
def test_the_given_number_of_shots_is_shown_and_never_the_sentence_itself(make_annotator, pool, number):
    annotator = make_annotator(pool, number)
    for asked in [*pool, sentence("Nobody came .", id="99")]:
        examples = shown(annotator, asked)
        assert len(set(examples)) == number
        assert " ".join(asked.tokens) not in examples


def test_a_copy_of_the_sentence_is_not_shown_either(make_annotator, pool):
    twin = sentence("ANN is here .", (0, 1, "PER"), id="7")
    assert shown(make_annotator([twin], 1), pool[0]) == []
    assert len(shown(make_annotator([*pool, twin], 6), sentence("Nobody came ."))) == 6


def test_the_same_seed_draws_the_same_shots_and_another_seed_others(make_annotator, pool):
    asked = sentence("Nobody came .")
    first, again, other = (shown(make_annotator(pool, 3, seed=seed), asked) for seed in (1, 1, 2))
    assert first == again != other


def test_most_prompts_have_the_same_shots_and_so_a_common_prefix(make_annotator, pool):
    annotator = make_annotator(pool, 2)
    prefixes = {annotator.shots.text_for(sentence(f"{word} came .")) for word in ("one", "two", "three")}
    assert len(prefixes) == 1


def test_shots_are_parameters_and_without_shots_there_is_no_such_parameter(make_annotator, pool):
    none, one, two = (make_annotator(pool, number).parameters for number in (0, 1, 2))
    assert "shots" not in none
    assert one["shots"] != two["shots"]


def test_a_changed_shot_changes_the_questions_that_show_it_and_no_parameter(make_annotator, pool):
    changed = [sentence("Ann was here .", (0, 1, "PER"), id="1"), *pool[1:]]
    before, after = make_annotator(pool, 5), make_annotator(changed, 5)
    asked = sentence("Nobody came .", id="99")
    assert after.parameters == before.parameters
    assert after.question(asked).key != before.question(asked).key
    assert after.question(changed[0]).input != before.question(pool[0]).input


def test_a_question_without_shots_is_known_by_its_sentence_alone(make_annotator, pool):
    assert make_annotator(pool, 0).question(pool[0]).input == text_hash(pool[0].tokens)


def test_sentences_without_an_entity_cannot_be_shots(make_annotator):
    bare = sentence("Nobody came .")
    with pytest.raises(
        ValueError, match="--shots=1: none of the smallest size's sentences \\(1\\) has an annotated entity"
    ):
        make_annotator([bare], 1)


def test_if_there_are_too_few_shots_all_are_shown_and_a_message_says_so(make_annotator, pool, caplog):
    caplog.set_level(logging.INFO)
    annotator = make_annotator(pool[:2], 5)
    assert "--shots=5: only 2 sentences of the smallest size can be shown" in caplog.text
    assert len(shown(annotator, sentence("Nobody came ."))) == 2


# --- parts of speech


@pytest.fixture
def word_labels(tmp_path):
    return write_json(tmp_path / "words.json", WORD_KINDS)


def test_sentences_covered_by_gold_words_are_shots_for_pos(make_annotator, word_labels):
    gold = sentence(list("他看书"), (0, 1, "PRON"), (1, 2, "VERB"), (2, 3, "NOUN"))
    annotator = make_annotator([gold], 1, mode="pos", tokenisation=CHARACTERS, label_file=word_labels, language="zh")
    answer = '[{"word":"他","pos":"PRON"},{"word":"看","pos":"动词"},{"word":"书","pos":"名词"}]'
    assert f"示例回答：{answer}" in annotator.question(sentence(list("你好"))).request.prompt


@pytest.mark.parametrize(
    "spans",
    [
        [(0, 1, "PRON"), (2, 3, "NOUN")],
        [(0, 3, "NOUN"), (0, 1, "PRON"), (1, 2, "VERB"), (2, 3, "NOUN")],
        [],
    ],
    ids=["a hole", "nested", "none"],
)
def test_other_sentences_cannot_be_shots_for_pos(make_annotator, word_labels, spans):
    gold = sentence(list("他看书"), *spans)
    with pytest.raises(ValueError, match=r"--shots=1: none of the .* has gold spans that are its words"):
        make_annotator([gold], 1, mode="pos", tokenisation=CHARACTERS, label_file=word_labels)


# --- from the flags


@pytest.fixture
def parse():
    def values(**given):
        parser = s1_predict_data.build_parser()
        args = parser.parse_values({"file_name": "tiny", "model_from_pretrained": "m", **given})
        return annotation_settings(args)

    return values


@pytest.mark.parametrize("corpus", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_shots_come_only_from_the_smallest_size(tmp_path, parse, labels, corpus):
    folder = corpus.write(tmp_path)
    dataset = read_dataset(folder / "train_1000.jsonl", folder / "labels.txt")
    settings = parse(shots=2, entity_label=labels)
    annotator = Annotator.for_dataset(dataset, settings)
    assert isinstance(annotator.shots, Shots)
    first = {dataset.tokenisation.join(one.tokens) for one in dataset.sentences[:2]}
    assert {text for shot in annotator.shots.drawn for text in first if text in shot.text} == first
    assert len(annotator.shots.drawn) == 2
    later = list(corpus.rows)
    later[2:] = [{"text": list("变了" if dataset.tokenisation.is_dense else "ab"), "entities": []} for _ in later[2:]]
    write_rows(folder / "train_1000.jsonl", later)
    changed = read_dataset(folder / "train_1000.jsonl", folder / "labels.txt", tokenisation=dataset.tokenisation)
    assert Annotator.for_dataset(changed, settings).parameters == annotator.parameters


@pytest.mark.parametrize(("given", "language"), [("auto", "zh"), ("en", "en"), ("ja", "ja")])
def test_the_language_of_prompts_is_that_of_the_data_or_a_given_one(tmp_path, parse, given, language):
    folder = CHINESE.write(tmp_path)
    dataset = read_dataset(folder / "train_1000.jsonl", folder / "labels.txt")
    annotator = Annotator.for_dataset(dataset, parse(lang=given))
    assert annotator.prompt == load_prompt("entity", language)


def test_shots_need_a_placeholder_in_a_users_own_prompt(tmp_path, parse):
    own = tmp_path / "own.txt"
    own.write_text("Mark {sentence}", encoding="utf-8")
    assert parse(prompt=own).prompt.text == "Mark {sentence}"
    with pytest.raises(UsageError, match=r"--shots=2: .*own\.txt has no placeholder \{examples\}, where the examples"):
        parse(prompt=own, shots=2)
