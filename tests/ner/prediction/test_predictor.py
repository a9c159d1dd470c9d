"""Predictions of a model in memory and of a saved one."""

from __future__ import annotations

import json
import shutil
from itertools import chain, pairwise

import pytest
import safetensors.torch
import torch
from torch.profiler import ProfilerActivity, profile

from tests.helpers.oracle import plain_logits, plain_spans
from utils.compute.linear.onednn import has_fast_linear
from utils.ner import SpanNer
from utils.ner.model.checkpoint import save_model

TEXTS = [text.split() for text in ("anna", "the bert likes paris in rome and", "", "邓 超", "anna sees the rome")]


@pytest.fixture
def checkpoint(make_ner, tmp_path):
    """A saved model and its predictions."""
    ner = make_ner()
    save_model(ner.model, ner.tokenizer, tmp_path / "best")
    return tmp_path / "best", ner.predict(TEXTS)


def change_weights(folder, change):
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    change(weights)
    safetensors.torch.save_file(weights, folder / "model.safetensors")


def test_every_text_gets_a_list_of_spans(make_ner):
    found = make_ner().predict(TEXTS)
    assert [bool(spans) for spans in found] == [bool(text) for text in TEXTS]
    assert all(span.label in ("PER", "LOC") and 0.5 < span.score < 1 for spans in found for span in spans)


def test_predictions_are_sorted_and_flat(make_ner):
    for spans in make_ner().predict(TEXTS):
        assert all(one.end <= other.start for one, other in pairwise(spans))


@pytest.mark.parametrize("span_model", ["knowfree", "cnnner"])
def test_predictions_do_not_depend_on_the_batch(make_ner, span_model):
    ner = make_ner(span_model=span_model, nested=True)
    together, alone = ner.predict(TEXTS, batch_size=8), [ner.predict([text])[0] for text in TEXTS]
    assert [[s.key for s in spans] for spans in together] == [[s.key for s in spans] for spans in alone]
    for one, other in zip(chain(*together), chain(*alone), strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-5)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("span_model", ["knowfree", "cnnner"])
@torch.no_grad()
def test_predictions_equal_those_of_the_published_formulas(make_ner, span_model, nested):
    ner = make_ner(span_model=span_model)
    texts = [text for text in TEXTS if text]
    for text, spans in zip(texts, ner.predict(texts, nested=nested), strict=True):
        words = ner.model.word_states(ner.words.collate(ner.words.windows(text)))
        found = plain_spans(plain_logits(ner.model, words)[0], len(ner.targets), 0.5, nested=nested)
        assert [(s.start, s.end - 1, ner.targets.index(s.label)) for s in spans] == [one[:3] for one in found]
        assert [s.score for s in spans] == pytest.approx([one[3] for one in found], abs=1e-5)


def test_a_sentence_longer_than_the_encoder_is_predicted_to_its_end(make_ner):
    ner = make_ner()
    (spans,) = ner.predict([["anna", "sees", "the", "rome", "and", "bert", "likes", "paris"] * 15])
    assert spans[-1].end > 110
    assert len({(span.start, span.end) for span in spans}) == len(spans)


def test_scores_of_extension_labels_do_not_change_predictions(make_ner):
    ner = make_ner()
    before = ner.predict(TEXTS, multi_label=True)
    ner.model.down_fc.bias.data[len(ner.targets) :] = 99.0
    assert ner.predict(TEXTS, multi_label=True) == before
    assert any(before)


def test_a_span_gets_several_labels_only_with_multi_label(make_ner):
    ner = make_ner()
    torch.nn.init.constant_(ner.model.down_fc.bias, 9.0)
    assert [span.label for span in ner.predict([["anna"]], multi_label=True)[0]] == ["PER", "LOC"]
    assert len(ner.predict([["anna"]])[0]) == 1


def test_nested_spans_are_kept_only_on_request_or_if_trained(make_ner):
    ner = make_ner()
    text = [["the", "bert", "likes", "paris", "in", "rome"]]
    flat, nested = ner.predict(text)[0], ner.predict(text, nested=True)[0]
    assert any(one.end > other.start for one, other in pairwise(nested))
    assert nested == make_ner(nested=True).predict(text)[0]
    assert flat == make_ner(nested=True).predict(text, nested=False)[0]


def test_a_given_threshold_replaces_that_of_the_checkpoint(make_ner):
    ner = make_ner()
    spans = ner.predict(TEXTS, nested=True)
    middle = sorted(span.score for span in chain(*spans))[len(list(chain(*spans))) // 2]
    fewer = ner.predict(TEXTS, nested=True, threshold=middle)
    assert 0 < len(list(chain(*fewer))) < len(list(chain(*spans)))
    assert all(span.score > middle - 1e-6 for span in chain(*fewer))
    assert fewer == make_ner(span_threshold=middle).predict(TEXTS, nested=True)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -2, 7])
def test_a_threshold_that_is_not_a_probability_is_refused(make_ner, threshold):
    with pytest.raises(ValueError, match=rf"the threshold is {threshold}; it must be between 0 and 1"):
        make_ner().predict(TEXTS, threshold=threshold)


def test_strings_are_split_as_the_training_data_were(make_ner):
    texts = ["邓超在北京", "anna sees rome"]
    tokens = [list("邓超在北京"), ["anna", "sees", "rome"]]
    assert make_ner().predict(texts) == make_ner().predict(tokens)
    assert make_ner(dense=True).predict(texts[1:]) == make_ner().predict([list("anna sees rome")])
    assert make_ner(dense=False).predict(texts[:1]) == make_ner().predict([["邓超在北京"]])


def test_a_saved_model_predicts_the_same_from_its_folder_alone(checkpoint):
    folder, expected = checkpoint
    loaded = SpanNer.from_pretrained(folder, device="cpu")
    assert loaded.predict(TEXTS) == expected
    assert loaded.labels == ("O", "PER", "LOC", "NOUN")
    assert loaded.targets == ("PER", "LOC")


def test_the_config_of_a_saved_model_has_its_labels_and_sizes(checkpoint):
    config = json.loads((checkpoint[0] / "config.json").read_text(encoding="utf-8"))
    assert config["labels"] == ["O", "PER", "LOC", "NOUN"]
    assert (config["num_labels"], config["num_target_labels"]) == (4, 2)
    assert (config["model_type"], config["hidden_size"], config["cnn_dim"]) == ("bert", 32, 40)


def test_weights_that_knowfree_does_not_use_are_kept(checkpoint):
    weights = safetensors.torch.load_file(checkpoint[0] / "model.safetensors")
    assert weights["cnn.cnns.6.conv2d.weight"].shape == (40, 40, 3, 3)


def test_a_public_checkpoint_is_loaded_with_a_label_file_in_its_folder(checkpoint, encoder_folder):
    folder, expected = checkpoint
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    tables = {"span_size_ids": torch.zeros(512, 512), "bert.embeddings.position_ids": torch.arange(24)[None]}
    torch.save({**weights, **tables}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).unlink(missing_ok=True)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for key in ("labels", "span_model", "nested", "dense"):  # keys that it does not have
        del config[key]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(
        ValueError,
        match=r"config\.json has no labels: copy the label file that the model was trained "
        "with",
    ):
        SpanNer.from_pretrained(folder, encoder_folder)
    (folder / "labels.txt").write_text("O\nPER\nLOC\nNOUN\n", encoding="utf-8")
    assert SpanNer.from_pretrained(folder, encoder_folder, device="cpu").predict(TEXTS) == expected


def test_a_folder_without_a_tokenizer_needs_the_encoder(checkpoint):
    for name in ("tokenizer.json", "vocab.txt"):
        (checkpoint[0] / name).unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError, match="no tokenizer: give the base encoder"):
        SpanNer.from_pretrained(checkpoint[0])


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere is not a folder: give the folder of a trained span model"):
        SpanNer.from_pretrained(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_reported(checkpoint, name):
    (checkpoint[0] / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"best has (no|neither) {name}"):
        SpanNer.from_pretrained(checkpoint[0])


def test_missing_tensors_are_reported(checkpoint):
    change_weights(checkpoint[0], lambda weights: [weights.pop("attn.norm.bias"), weights.pop("tail_mlp.1.bias")])
    with pytest.raises(
        ValueError, match=r"2 tensors of a knowfree model are missing: attn\.norm\.bias, tail_mlp\.1\.bias"
    ):
        SpanNer.from_pretrained(checkpoint[0])


def test_tensors_of_wrong_shapes_are_reported(checkpoint):
    change_weights(checkpoint[0], lambda weights: weights.update({"head_mlp.1.bias": torch.zeros(7)}))
    with pytest.raises(ValueError, match=r"head_mlp\.1\.bias is \(7,\) instead of \(24,\)"):
        SpanNer.from_pretrained(checkpoint[0])


def test_truncated_weights_are_reported(checkpoint):
    path = checkpoint[0] / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"the weights in .*best cannot be read .*: copy them again"):
        SpanNer.from_pretrained(checkpoint[0])


def test_an_encoder_is_not_loaded_as_a_span_model(encoder_folder, tmp_path):
    shutil.copytree(encoder_folder, tmp_path / "encoder")
    with pytest.raises(ValueError, match=r"its weights have no tensor down_fc\.weight"):
        SpanNer.from_pretrained(tmp_path / "encoder")


def test_unknown_tensors_cause_a_warning(checkpoint, caplog):
    change_weights(checkpoint[0], lambda weights: weights.update({"crf.start": torch.zeros(3)}))
    SpanNer.from_pretrained(checkpoint[0])
    assert "has 1 tensor that is not part of the model: crf.start" in caplog.text


@pytest.mark.skipif(not has_fast_linear(), reason="this CPU has no AVX-512, or this torch no such operator")
def test_scores_by_onednn_equal_those_by_torch(make_ner):
    ner = make_ner()
    texts = [["anna", "sees", "paris"], ["bert"], ["rome", "and", "anna", "likes", "bert"]]
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        found = ner.predict(texts, threshold=0.01, multi_label=True)
    assert "mkldnn::_linear_pointwise" in {event.key for event in profiled.key_averages()}
    assert sum(map(len, found)) > 9
    for text, spans in zip(texts, found, strict=True):
        with torch.no_grad():
            scores = ner.model(ner.words.collate(ner.words.windows(text))).sigmoid()[0]
        for span in spans:
            column = ner.labels.index(span.label) - 1
            assert span.score == pytest.approx(scores[span.start, span.end - 1, column].item(), abs=1e-5)
