"""The variants of an ablation: what a file of variants can say, and the messages about what it cannot say."""

from __future__ import annotations

import pytest

from tests.ablation.conftest import flags_of
from tests.helpers.builders import call, write_json, write_rows
from utils.ablation.grid import built_in_grid
from utils.ablation.results.llm import spent_tokens, tokens_of
from utils.ablation.variants import DataRecipe, Variant, candidates, with_teachers
from utils.fusion.settings import MergeSettings


def recipe(tmp_path, **values):
    settings = MergeSettings(tmp_path / "entity.json", tmp_path / "pos.json")
    return DataRecipe(**{"data": "syn_fusion", "original": settings, "synthetic": settings, **values})


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ([], r"variants\.json: expected an object of variants"),
        ({"new": 3}, "variant 'new': expected an object"),
        ({"a/b": {}}, "variant 'a/b': a name has letters"),
        ({"base": {"train": {"lr": 1}}}, "'base' has no settings of its own"),
        ({"new": {"data": "fussion"}}, "data is 'fussion'; it must be one of base, fusion, synthetic, syn_fusion"),
        ({"new": {"s3": {"votes": 5}}}, r"s3 asks the LLM.*--save_type_name.*\"answers\""),
        ({"new": {"trian": {}}}, "'trian' is not a key; the keys are data, modes"),
        ({"new": {"train": 3}}, "train must be an object of flags"),
        ({"new": {"train": {"lrr": 1}}}, "variant 'new': train: 'lrr' is not an argument.*did you mean lr"),
        ({"new": {"train": {"epochs": 0}}}, "variant 'new': train: .*'0' must be at least 1"),
        ({"new": {"train": {"ema": 1}}}, "variant 'new': train: ema is 1.0"),
        ({"new": {"train": {"seed": 4}}}, "variant 'new': train: 'seed' cannot be set for a variant"),
        ({"new": {"s5": {"drop_crosing": 1}}}, "variant 'new': s5: 'drop_crosing'.*did you mean drop_crossing"),
        ({"new": {"s7": {"n_gpu": 1}}}, "variant 'new': s7: 'n_gpu' is not an argument"),
        ({"new": {"s8": {"version": 1}}}, "variant 'new': s8: 'version' cannot be set"),
        ({"new": {"modes": "entity"}}, r"modes is 'entity'; it must be a list of entity, pos, target"),
        ({"new": {"teacher": "nobody"}}, "variant 'new': its teacher 'nobody' is not a variant; the variants are base"),
        ({"new": {"teacher": "new"}}, "label each other in a circle: new <- new"),
        ({"new": {"teacher": "other"}, "other": {"teacher": "new"}}, "in a circle: new <- other <- new"),
        ({"new": {"answers": "GLM9"}}, r"variant 'new': .*GLM9.train_1000_synthetic\.jsonl is missing: run s2"),
        ({"new": {"modes": ["target"]}}, "run s3 with --mode=target first"),
        ({"new": {"train": {"synthetic_targets": "agreed"}}}, "run s3 with --mode=target first"),
        ({"new": {"teachers": "both"}}, "teachers is 'both'; it must be one of own, all"),
    ],
)
def test_a_file_of_variants_that_cannot_be_used_is_refused_before_a_training(annotated, tmp_path, variants, message):
    file = write_json(tmp_path / "variants.json", variants)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        call("ablate", **flags_of(annotated), variants=file)
    assert not list((annotated.results / "ablation").glob("*/*/*/cell.json"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"only": "fusion,soft"}, "--only: 'soft' is not a variant; the variants are base, fusion"),
        ({"sizes": "250,300"}, "'300' is not a size; the sizes are 250, 500, 1000"),
        ({"seed": 3}, "--seed: give --seeds"),
        ({"seeds": "1,1"}, "contains a seed twice"),
    ],
)
def test_flags_that_cannot_be_used_are_refused(annotated, flags, message):
    with pytest.raises(ValueError, match=message):
        call("ablate", **{**flags_of(annotated), **flags})


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({}, r"grid\.json: expected a list of flags"),
        ([], r"grid\.json: expected a list of flags"),
        ([{"lr": "fast"}], r"grid\.json: .*'fast' must be a number"),
    ],
)
def test_a_grid_that_cannot_be_used_is_refused(annotated, tmp_path, grid, message):
    with pytest.raises(ValueError, match=message):
        call("ablate", **flags_of(annotated), base_grid=write_json(tmp_path / "grid.json", grid))


@pytest.mark.parametrize("name", ["dev", "test"])
def test_a_dataset_without_dev_or_test_is_refused(work, name):
    (work.dataset / f"{name}.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name}\.jsonl is missing: add it"):
        call("ablate", **flags_of(work))


def test_built_in_variants_without_their_inputs_are_left_out_with_a_line(work, ablate, caplog):
    (work.results / "train_1000_synthetic.jsonl").unlink()
    caplog.set_level("INFO")
    ablate(work, sizes="250", seeds="1")
    assert "synthetic is left out" in caplog.text
    assert "syn_fusion is left out" in caplog.text
    assert "run s2 first" in caplog.text
    table = (work.results / "ablation" / "table.csv").read_text(encoding="utf-8")
    assert [row.split(",")[1] for row in table.splitlines()[1:]] == ["base", "fusion"]


def test_teachers_come_before_the_variants_that_they_label(tmp_path):
    known = {
        "base": Variant("base", recipe(tmp_path, data="base")),
        "third": Variant("third", recipe(tmp_path, teacher="second")),
        "second": Variant("second", recipe(tmp_path, teacher="fusion")),
        "fusion": Variant("fusion", recipe(tmp_path, data="fusion")),
    }
    assert [one.name for one in with_teachers([known["third"]], known)] == ["fusion", "second", "third"]


def test_recipes_that_differ_in_unused_parts_alone_are_equal(tmp_path):
    one, other = (recipe(tmp_path, data="fusion", teacher=teacher) for teacher in ("base", "other"))
    assert one.without_unused() == other.without_unused()
    one, other = (recipe(tmp_path, teacher=teacher) for teacher in ("base", "other"))
    assert one.without_unused() != other.without_unused()


def test_candidates_are_named_by_their_flags_and_equal_ones_are_tried_once(tmp_path):
    base = Variant("base", recipe(tmp_path, data="base"))
    found = candidates(base, [{}, {"lr": 0.1, "epochs": 3}, {}])
    assert [(one.name, one.train) for one in found] == [
        ("base", {}),
        ("base+lr=0.1+epochs=3", {"lr": 0.1, "epochs": 3}),
    ]


def test_the_built_in_grid_begins_with_the_given_flags_and_fewer_layers(tmp_path):
    write_json(tmp_path / "config.json", {"num_hidden_layers": 12})
    given = {"encoder_layers": None, "lr": 2e-4, "epochs": 12}
    grid = built_in_grid(str(tmp_path), given)
    assert grid[:4] == [{}, {"encoder_layers": 9}, {"lr": 1e-4}, {"epochs": 24}]
    assert {} not in grid[1:]
    assert built_in_grid(str(tmp_path), {**given, "encoder_layers": 8})[1] == {"encoder_layers": 6}
    assert all("encoder_layers" not in flags for flags in built_in_grid("hub/name", given))  # not known


def test_tokens_are_those_of_the_files_and_of_the_size(tmp_path):
    runs: list[dict[str, object]] = [
        {"step": "s1", "result": "entity_train_1000.jsonl", "prompt_tokens": 900, "answer_tokens": 100},
        {"step": "s1", "result": "entity_train_1000.jsonl", "prompt_tokens": 90, "answer_tokens": 10},  # continued
        {"step": "s2", "result": "train_1000_synthetic.jsonl", "prompt_tokens": 300, "answer_tokens": 700},
        {"step": "s4", "status": "done"},
    ]
    tokens = spent_tokens(write_rows(tmp_path / "run.log.jsonl", runs))
    assert tokens_of(["entity_train_1000.jsonl"], tokens, 100) == 1100
    assert tokens_of(["entity_train_1000.jsonl", "train_1000_synthetic.jsonl"], tokens, 25) == 525
    assert tokens_of([], tokens, 100) == 0
    assert spent_tokens(tmp_path / "missing.jsonl") == {}
