"""Label files as columns and weights."""

from __future__ import annotations

import pytest

from utils.ner.config import NerConfig
from utils.ner.label_set import LabelSet


def entries(**counts: int) -> dict[str, dict[str, object]]:
    """Return a label file: a count of -1 is a target."""
    return {
        label: {"idx": idx, "count": count, "is_target": count < 0}
        for idx, (label, count) in enumerate({"O": -1, **counts}.items())
    }


def target(idx: int) -> dict[str, object]:
    return {"idx": idx, "count": -1, "is_target": True}


def test_targets_have_weight_one_and_extensions_a_weight_by_count():
    labels = LabelSet.from_json(entries(PER=-1, LOC=-1, ADJ=4, NOUN=1008))
    assert labels.labels == ("O", "PER", "LOC", "ADJ", "NOUN")
    assert labels.targets == ("PER", "LOC")
    assert labels.weights() == [1, 1, 2 / 4, 10 / 1008]


def test_the_weights_of_the_published_example():
    targets = {f"T{n}": -1 for n in range(8)}
    labels = LabelSet.from_json(entries(**targets, **{f"E{n}": 1 for n in range(26)}, E26=1008))
    assert [round(weight, 4) for weight in labels.weights()[8:]] == [0.2286] * 26 + [0.0099]


def test_an_extension_without_spans_weighs_as_much_as_a_rare_one():
    assert LabelSet.from_json(entries(PER=-1, ADJ=0)).weights() == [1, 0.5]


def test_a_list_of_labels_has_no_extensions():
    labels = LabelSet.of_targets(["O", "PER", "LOC"])
    assert (labels.num_targets, labels.weights()) == (2, [1, 1])


def test_labels_are_sorted_by_idx():
    file = entries(PER=-1, ADJ=3)
    assert LabelSet.from_json(dict(reversed(file.items()))).labels == ("O", "PER", "ADJ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PER": target(3)}, '"idx" must be 0, 1, 2, … without gaps'),
        ({"O": target(1), "PER": target(0)}, 'and 0 for "O"'),
        ({"PER": {"idx": 1, "count": 3, "is_target": False}}, "targets must come before extension labels"),
        ({"PER": {"idx": 1, "is_target": "yes", "count": -1}}, "label 'PER' needs \"is_target\", found 'yes'"),
        ({"ADJ": {"idx": 3, "is_target": False}}, "label 'ADJ' needs \"count\", found None"),
        ({"PER": 3}, "label 'PER' needs \"idx\", found None"),
    ],
)
def test_a_wrong_label_file_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        LabelSet.from_json(entries(PER=-1, LOC=-1, ADJ=3) | change)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": ("PER", "LOC")}, "labels must be 'O' and at least one other label"),
        ({"labels": ("O", "PER", "PER")}, "without duplicates"),
        ({"num_target_labels": 3}, "num_target_labels is 3; with 3 labels it must be between 1 and 2"),
        ({"span_model": "crf"}, "span_model is 'crf'; it must be one of knowfree, cnnner"),
        ({"n_head": 7}, "biaffine_size is 200; it must be divisible by 7 heads"),
        ({"cnn_dim": 44}, "cnn_dim is 44; it must be divisible by 10 heads"),
        ({"span_threshold": 1.0}, "span_threshold is 1.0; it must be a number between 0 and 1"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        NerConfig(**{"labels": ("O", "PER", "LOC"), "num_target_labels": 2} | settings)


def test_settings_survive_a_config_file_that_also_has_those_of_the_encoder():
    config = NerConfig(labels=("O", "PER", "NOUN"), num_target_labels=1, nested=True, cnn_dim=80)
    assert NerConfig.from_dict({"model_type": "bert", "dropout": 0.1, **config.to_dict()}) == config
