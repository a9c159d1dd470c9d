"""Step 7: which model may label which size, which labels it gives, and the warnings in manifests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.helpers.builders import ENGLISH, call, read_lines, write_json, write_rows
from tests.helpers.span_models import make_encoder, make_model, words_of
from tests.helpers.workspace import SIZES, Workspace
from utils.dataset.tokens import text_hash

OUTSIDE = "0" * 64  # the hash of a sentence that is in no size


@pytest.fixture
def ready(tmp_path):
    """An English dataset on which s7 can run."""
    return Workspace(tmp_path, ENGLISH).split()


@pytest.fixture
def make(ready):
    """Return a function that writes a tiny model and returns its folder."""
    encoder = make_encoder(ready.folder / "encoder", words_of(ready.corpus.rows))

    def build(name="best", labels=ready.corpus.labels, known=ready.corpus.rows):
        return make_model(ready.folder / name, encoder, labels, known)

    return build


def label(ready, model, **more):
    call("s7", **ready.data, model_from_pretrained=model, n_gpu=-1, **more)


def labelled(ready, size):
    """Return the labels of a size's synthetic sentences, and the warning about the model in their manifest."""
    name = f"train_{size}_synthetic_target.jsonl"
    labels = {span["entity"] for row in ready.lines(name, size) for span in row["entities"]}
    return labels, ready.json(f"{name}.meta.json", size)["parameters"]["model_warning"]


def warned(caplog):
    """Return the warnings of s7, without those of loading an encoder."""
    return [record.getMessage() for record in caplog.records if record.name == "utils.marking.trained_model"]


# --- leaks


def test_each_size_is_labelled_by_its_own_model(ready, make, caplog):
    labels = {"250": ["VESSEL"], "500": ["PERSON"], "1000": ["PERSON", "VESSEL"]}
    for size, number in SIZES.items():
        make(f"model_{size}", labels[size], ready.corpus.rows[:number])
    label(ready, ready.folder / "model_{size}")
    assert {size: labelled(ready, size) for size in SIZES} == {size: (set(own), None) for size, own in labels.items()}
    assert not warned(caplog)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"sentences": [OUTSIDE]}, "1 of its 1 training sentence is not of this size"),
        (None, "it has no training.json"),
    ],
)
def test_a_model_of_one_size_that_may_know_other_sentences_is_refused(ready, record, reason):
    pattern = ready.models()
    path = Path(pattern.replace("{size}", "250")) / "training.json"
    if record:
        write_json(path, record)
    else:
        path.unlink()
    with pytest.raises(ValueError, match=rf"cannot label size 250: {reason}.*; train it with --size=250"):
        label(ready, pattern)
    assert not list(ready.results.rglob("*_target.jsonl"))


@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        (0, {}),
        (2, {}),
        (4, {"250": "2 of its 4 training sentences are not of this size"}),
        (8, {"250": "6 of its 8 training sentences", "500": "4 of its 8 training sentences"}),
        (None, dict.fromkeys(SIZES, "it has no training.json")),
    ],
)
def test_a_shared_model_labels_all_sizes_and_warns_where_it_may_know_more(ready, make, caplog, known, reasons):
    label(ready, make(known=None if known is None else ready.corpus.rows[:known]))
    warnings = warned(caplog)
    assert len(warnings) == len(reasons)
    for size in SIZES:
        labels, note = labelled(ready, size)
        assert labels == set(ready.corpus.labels)
        assert (note or "").startswith(reasons.get(size, "")) and (note is not None) is (size in reasons)
        assert sum(f"size {size} is labelled by" in one and note in one for one in warnings) == (size in reasons)


def test_a_model_may_know_the_synthetic_sentences_of_its_size(ready, make):
    """A model trained on syn_fusion knows only sentences of its size."""
    new = read_lines(ready.results / "250" / "train_250_synthetic.jsonl")
    label(ready, make(known=[*ready.corpus.rows[:2], *new]))
    assert [labelled(ready, size)[1] for size in SIZES] == [None, None, None]
    record = ready.folder / "best" / "training.json"
    other = read_lines(ready.results / "1000" / "train_1000_synthetic.jsonl")[-1]
    write_json(record, {"sentences": [text_hash(other["text"])]})
    label(ready, ready.folder / "best")
    assert [labelled(ready, size)[1] is None for size in SIZES] == [False, False, True]


# --- labels


def test_a_model_without_a_common_label_is_refused(ready, make):
    with pytest.raises(ValueError, match=r"predicts no label of this dataset: .*GENE.*PERSON, VESSEL"):
        label(ready, make(labels=["GENE"], known=None))


def test_labels_of_the_model_that_are_not_in_the_dataset_are_skipped(ready, make, caplog):
    label(ready, make(labels=["GENE", "VESSEL"]))
    assert labelled(ready, "1000")[0] == {"VESSEL"}
    assert any("GENE, VESSEL" in message and "PERSON, VESSEL" in message for message in caplog.messages)


# --- several models, and the LLM


def target_rows(ready, size="250"):
    return ready.lines(f"train_{size}_synthetic_target.jsonl", size)


def test_the_models_of_all_seeds_label_together(ready, make):
    single = make()
    label(ready, single)
    alone = target_rows(ready)
    for seed in (1, 2):
        shutil.copytree(single, ready.folder / "trained" / f"seed_{seed}" / "best")
    label(ready, ready.folder / "trained", overwrite=True)
    together = target_rows(ready)
    assert ready.json("train_250_synthetic_target.jsonl.meta.json", "250")["parameters"]["teachers"] == 2
    assert [row["target_scores"] for row in together] == [row["target_scores"] for row in alone]  # equal models
    assert all(0.01 < cell["score"] <= 1 for row in together for cell in row["target_scores"])


def test_target_spans_of_the_llm_are_kept_beside_those_of_the_model(ready, make):
    rows = ready.lines("train_250_synthetic.jsonl", "250")
    first = rows[0]["text"][0]
    answers = [
        {"id": row["id"], "text": row["text"], "mode": "target", "answers": ["…"], "status": status, "items": items}
        for row, status, items in (
            (rows[0], "ok", [{"entity": first, "type": "PERSON"}, {"entity": first, "type": "PLANET"}]),
            (rows[1], "unreadable", []),
        )
    ]
    write_rows(ready.results / "250" / "target_train_250_synthetic.jsonl", answers)
    label(ready, make())
    labelled_rows = target_rows(ready)
    assert {"start": 0, "end": 1, "entity": "PERSON"} in labelled_rows[0]["llm_spans"]
    assert {span["entity"] for span in labelled_rows[0]["llm_spans"]} == {"PERSON"}
    assert "llm_spans" not in labelled_rows[1]  # its answer could not be read


# --- the tokenizer


def test_a_checkpoint_without_a_tokenizer_uses_that_of_the_base_encoder(ready, make):
    model = make()
    label(ready, model)
    expected = ready.lines("train_1000_synthetic_target.jsonl", "1000")
    bare = ready.folder / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors", "training.json"):
        shutil.copy(model / name, bare)
    with pytest.raises(FileNotFoundError, match=r"bare has no tokenizer: .*\(--from_pretrained\)"):
        label(ready, bare)
    label(ready, bare, from_pretrained=ready.folder / "encoder")
    assert ready.lines("train_1000_synthetic_target.jsonl", "1000") == expected
