"""The numbers of docs/costs.md are those of `--plan`, and its arithmetic is right."""

from __future__ import annotations

import re

import pytest

from tests.helpers.builders import ROOT, call, write_rows

SENTENCE = "上个星期三早上，王芳从北京坐火车去上海看望在复旦大学教书的李明，他们一起在外滩吃了午饭，下午又回家。"
SERVER = {"api_base": "http://localhost:9/v1", "model_from_pretrained": "any"}  # nothing is sent to it
PAGES = [ROOT / "docs" / name for name in ("costs.md", "costs.zh-CN.md")]


def numbers(text):
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def rows(page, start):
    """Return the numbers in each row of a page's tables that begins with `start`."""
    return [numbers(line) for line in page.read_text("utf-8").splitlines() if line.startswith(f"| {start}")]


@pytest.fixture(scope="module")
def fifty(tmp_path_factory):
    """A dataset of 1,000 sentences of 50 characters."""
    folder = tmp_path_factory.mktemp("costs")
    turned = [SENTENCE[number % 50 :] + SENTENCE[: number % 50] for number in range(1000)]
    names = {"王芳": "PER", "北京": "LOC", "李明": "PER"}
    spans = [[(text.find(name), name) for name in names if name in text] for text in turned]
    entities = [[{"start": at, "end": at + 2, "entity": names[name]} for at, name in found] for found in spans]
    sentences = [{"text": list(text), "entities": found} for text, found in zip(turned, entities, strict=True)]
    write_rows(folder / "fifty" / "train_1000.jsonl", sentences)
    (folder / "fifty" / "labels.txt").write_text("O\nPER\nLOC\n", encoding="utf-8")
    return {"file_dir": folder, "file_name": "fifty", **SERVER, "plan": True, "price_in": 1, "price_out": 4}


@pytest.mark.parametrize(
    ("step", "flags", "place"), [("s1", {"mode": "entity"}, 0), ("s1", {"mode": "pos"}, 1), ("s2", {}, 0)]
)
def test_the_tokens_of_a_step_are_those_of_its_plan(fifty, caplog, step, flags, place):
    caplog.set_level("INFO")
    guided = {"guided": 0} if step == "s1" else {}
    call(step, **fifty, **flags, **guided)
    (prompts,) = re.findall(r"prompts: +([\d,]+) tokens", caplog.text)
    (answers,) = re.findall(r"answers: +([\d,]+) tokens", caplog.text)
    for page in PAGES:
        assert rows(page, step)[place][-3:] == [1000, *numbers(prompts), *numbers(answers)]
    (cost,) = re.findall(r"cost: +([\d.]+)", caplog.text)
    assert float(cost) == pytest.approx((numbers(prompts)[0] + 4 * numbers(answers)[0]) / 1e6, abs=0.006)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sums_costs_and_times_are_right(page):
    entity, pos, new, again, total = (
        row[-3:] for row in [*rows(page, "s1"), *rows(page, "s2"), *rows(page, "s3"), *rows(page, "**")]
    )
    assert again[1:] == [entity[1] + pos[1], entity[2] + pos[2]]
    assert total == [sum(column) for column in zip(entity, pos, new, again, strict=True)]
    priced = [*rows(page, "0.1"), *rows(page, "1 /"), *rows(page, "3 /")]
    assert len(priced) == 3
    for price_in, price_out, *shown, cost in priced:
        assert shown == [total[1] / 1e6, price_in, total[2] / 1e6, price_out]
        assert cost == pytest.approx(total[1] / 1e6 * price_in + total[2] / 1e6 * price_out, abs=0.005)
    text = " ".join(page.read_text("utf-8").split())
    sums = re.findall(r"([\d,]+) / ([\d,]+) \+ ([\d,]+) / ([\d,]+) = (\d+)", text)
    assert len(sums) == 2
    for read, reading, written, writing, seconds in (map(numbers, one) for one in sums):
        assert round(read[0] / reading[0] + written[0] / writing[0]) == seconds[0]
