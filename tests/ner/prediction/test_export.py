"""ONNX files of span models: the same scores for any number and length of sentences."""

from __future__ import annotations

import builtins
import json

import pytest
import torch

from tests.helpers.builders import call
from utils.ner.model.checkpoint import save_model
from utils.ner.prediction import export
from utils.ner.prediction.export import export_model, largest_difference
from utils.ner.prediction.onnx_graph import WholeSquare, graph_inputs

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")

TEXTS = ["anna", "the bert likes paris in rome and", "邓 超", "annas sees the rome " * 4, "bert and anna"]
BOTH = pytest.mark.parametrize("span_model", ["knowfree", "cnnner"])


@BOTH
@torch.no_grad()
def test_the_whole_square_scores_a_padded_batch_as_the_model_does(make_ner, span_model):
    ner = make_ner(span_model=span_model)
    batch = ner.words.collate([ner.words.windows(text.split())[0] for text in TEXTS])
    torch.testing.assert_close(WholeSquare(ner.model)(**graph_inputs(batch)), ner.model(batch), atol=1e-5, rtol=1e-5)


@BOTH
def test_an_exported_model_runs_on_batches_of_other_shapes(make_ner, span_model, tmp_path, caplog):
    caplog.set_level("INFO")
    ner = make_ner(span_model=span_model)
    save_model(ner.model, ner.tokenizer, tmp_path / "best")
    call("export", model_from_pretrained=tmp_path / "best", output=tmp_path / "model.onnx")
    assert "exported PER, LOC" in caplog.text
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    metadata = {name: json.loads(value) for name, value in session.get_modelmeta().custom_metadata_map.items()}
    assert (metadata["labels"], metadata["num_target_labels"]) == (["O", "PER", "LOC", "NOUN"], 2)
    windows = [ner.words.windows(text.split())[0] for text in TEXTS]
    for chosen in ([0], [1], [0, 3], [4, 2, 0, 1, 3]):
        batch = ner.words.collate([windows[index] for index in chosen])
        inputs = {name: tensor.numpy() for name, tensor in graph_inputs(batch).items()}
        found = torch.from_numpy(session.run(["logits"], inputs)[0])
        with torch.no_grad():
            torch.testing.assert_close(found, ner.model(batch), atol=1e-4, rtol=0)
    with torch.no_grad():
        ner.model.down_fc.bias += 0.01
    assert largest_difference(ner, (tmp_path / "model.onnx").read_bytes()) == pytest.approx(0.01, abs=1e-4)


def test_a_file_with_other_scores_is_not_written(make_ner, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "to_onnx", lambda _: b"a graph")
    monkeypatch.setattr(export, "largest_difference", lambda *_: 0.01)
    with pytest.raises(RuntimeError, match=r"scores differ by 1\.0e-02 from the model's: no file was written"):
        export_model(make_ner(), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_reported_with_the_command_to_install_it(make_ner, monkeypatch, tmp_path):
    ner = make_ner()
    whole = builtins.__import__

    def without(name, *rest, **more):
        if name == "onnxscript":
            raise ModuleNotFoundError("No module named 'onnxscript'", name="onnxscript")
        return whole(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="the export needs onnxscript: pip install onnx onnxscript onnxruntime"):
        export_model(ner, tmp_path / "model.onnx")
