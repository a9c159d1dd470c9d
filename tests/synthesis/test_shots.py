"""Sentences of the dataset in the prompts of s2."""

from __future__ import annotations

import pytest

from tests.helpers.builders import ENGLISH, call, read_lines, sentence
from utils.asking.sampling import SamplingSettings
from utils.dataset.reading import Dataset
from utils.dataset.tokens import WORDS
from utils.prompts import Prompt, load_prompt
from utils.synthesis.settings import SynthesisSettings, report_habits
from utils.synthesis.shots import DEFAULT_SHOTS

NAMES = [f"{first}{last}" for first in ("Ag", "To", "El", "Gu") for last in ("na", "mor", "rik", "sta", "len")]
SENTENCES = [sentence(f"{name} did n't leave .", (0, 1, "PER"), id=str(at)) for at, name in enumerate(NAMES, start=1)]
FIRST_QUARTER = NAMES[:5]


def questions(**settings):
    dataset = Dataset(tuple(SENTENCES), ("O", "PER"), WORDS)
    made = SynthesisSettings(**{"sampling": SamplingSettings(0.8), **settings}).synthesis(dataset, [])
    return made.questions(), made.generator


def shown(prompt, source):
    return [name for name in NAMES if f"{name} didn't leave." in prompt and name != source]


def test_a_prompt_shows_sentences_of_the_first_quarter_as_a_person_would_write_them():
    asked, _ = questions()
    for question, source in zip(asked, NAMES, strict=True):
        names = shown(question.request.prompt, source)
        assert set(names) <= set(FIRST_QUARTER)
        assert len(names) == DEFAULT_SHOTS
        assert f"{source} didn't leave." not in question.request.prompt


def test_each_sentence_is_shown_others_and_the_seed_decides_which():
    prompts = [question.request.prompt for question in questions(shots=2)[0]]
    assert len({tuple(shown(prompt, source)) for prompt, source in zip(prompts, NAMES, strict=True)}) > 3
    assert prompts == [question.request.prompt for question in questions(shots=2)[0]]
    other = questions(shots=2, sampling=SamplingSettings(0.8, seed=7))[0]
    assert prompts != [question.request.prompt for question in other]


def test_a_changed_sentence_changes_only_the_questions_that_show_it_or_are_about_it():
    asked, generator = questions(shots=2)
    pool = [sentence("Nobody did n't leave .", (0, 1, "PER"), id="1"), *SENTENCES[1:]]
    dataset = Dataset(tuple(pool), ("O", "PER"), WORDS)
    made = SynthesisSettings(sampling=SamplingSettings(0.8), shots=2).synthesis(dataset, [])
    for before, after in zip(asked, made.questions(), strict=True):
        is_shown = f"{NAMES[0]} didn't leave." in before.request.prompt or before.request.id == "1"
        is_shown |= "Nobody didn't leave." in after.request.prompt
        assert (before.key != after.key) is is_shown
    assert made.generator.parameters == generator.parameters


def test_without_shots_prompts_and_fingerprint_are_those_of_the_prompt_alone():
    asked, generator = questions(shots=0)
    assert generator.prompt == load_prompt("explain", "en")
    assert "shots" not in generator.parameters
    assert shown(asked[0].request.prompt, "") == []


@pytest.mark.parametrize("change", [{"shots": 3}, {"shots": 0}, {"sampling": SamplingSettings(0.8, seed=7)}])
def test_other_shots_are_another_fingerprint(change):
    assert questions(**change)[1].parameters != questions()[1].parameters


@pytest.mark.parametrize(
    ("text", "number"), [("{examples} {sentence} {entities}", DEFAULT_SHOTS), ("{sentence} {entities}", 0)]
)
def test_a_prompt_of_the_user_shows_sentences_where_it_has_a_placeholder(text, number):
    asked, _ = questions(prompt=Prompt(text))
    assert len(shown(asked[0].request.prompt, NAMES[0])) == number


@pytest.fixture
def run(tmp_path):
    ENGLISH.write(tmp_path)
    answers = ENGLISH.record(tmp_path / "answers.jsonl")

    def run_step(**flags):
        call("s2", file_dir=tmp_path, file_name="tiny", backend="scripted", model_from_pretrained=answers, **flags)
        return read_lines(tmp_path / "tiny" / "GLM4" / "train_1000_synthetic.jsonl")

    return run_step


def test_a_result_made_without_shots_is_continued_with_shots_0_and_else_refused(run):
    rows = run(shots=0)
    with pytest.raises(ValueError, match="another model, prompt or setting"):
        run()
    assert run(shots=0) == rows


def test_shots_need_a_placeholder_in_a_prompt_of_the_user(run, tmp_path):
    (tmp_path / "own.txt").write_text("{sentence} {entities}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"--shots=3: .*own\.txt has no \{examples\}"):
        run(prompt=tmp_path / "own.txt", shots=3)


def test_the_last_line_compares_the_style_and_the_first_describes_the_habits(run, caplog):
    caplog.set_level("INFO")
    run()
    assert "habits of the dataset: latin" in caplog.text
    assert "style of the kept sentences (of the dataset): " in caplog.text


@pytest.mark.parametrize(("end", "warns"), [("U.S.", False), ("U.S .", True)])
def test_a_warning_is_given_if_text_cannot_be_split_into_the_tokens_of_the_dataset(caplog, end, warns):
    ends = ["U.S.", end] * 10
    texts = [sentence(f"{name} left the {end}", (0, 1, "PER")) for name, end in zip(NAMES, ends, strict=True)]
    dataset = Dataset(tuple(texts), ("O", "PER"), WORDS)
    report_habits(SynthesisSettings(SamplingSettings(0.8)).synthesis(dataset, []).cleaner.writing, dataset)
    assert ("only 50 % of the dataset's sentences, written as a person would" in caplog.text) is warns
