"""Checkpoints in the layout of the public code: scores by the published formula, and errors for damaged ones."""

from __future__ import annotations

import json
import re

import pytest
import torch
from transformers import BertModel

from tests.helpers.oracle import plain_logits
from tests.helpers.public_layout import Sizes, write_public
from utils.ner import SpanNer
from utils.ner.model.checkpoint import load_model

TEXT = "O\nPER\nLOC\nNOUN\n"
ENTRIES = {label: {"idx": n, "count": -1, "is_target": True} for n, label in enumerate(("O", "PER", "LOC"))}
LABEL_FILES = {
    "labels.txt": TEXT,
    "label_fusion.json": json.dumps({**ENTRIES, "NOUN": {"idx": 3, "count": 5, "is_target": False}}),
    "labels.json": json.dumps(["O", "PER", "LOC", "NOUN"]),
    "label2id.json": json.dumps({"PER": 1, "O": 0, "NOUN": 3, "LOC": 2}),
}
SMALL = Sizes(biaffine=24, dim=40, heads=2, distance=5, kernel=5, depth=2)
SENTENCES = [["anna", "sees", "rome"], ["the", "bert", "likes", "paris", "and", "annas", "in", "rome"], ["paris"]]


@pytest.fixture
def write(encoder_folder, tmp_path):
    """Return a function that writes a public checkpoint and returns its folder and tensors."""

    def build(file="labels.txt", sizes=SMALL, *, attention=True, binary=True):
        folder = tmp_path / f"{file} {attention} {binary}"
        label_file = {file: LABEL_FILES[file]} if file else {}
        return folder, write_public(folder, encoder_folder, label_file, sizes, attention=attention, binary=binary)

    return build


def damage(folder, change):
    path = folder / "pytorch_model.bin"
    tensors = torch.load(path, weights_only=True)
    change(tensors)
    torch.save(tensors, path)


def word_states(encoder_folder, tensors, batch, row):
    """Return a sentence's word states from an encoder that is loaded without this project."""
    config = BertModel.from_pretrained(encoder_folder).config
    encoder = BertModel(config).eval()
    own = {name.removeprefix("bert."): tensor for name, tensor in tensors.items() if name.startswith("bert.")}
    encoder.load_state_dict(own, strict=False)
    pieces = encoder(batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state[row]
    index = batch.word_index[row]
    return torch.stack([pieces[index == word].amax(dim=0) for word in range(1, int(batch.lengths[row]) + 1)])


@pytest.mark.parametrize("sizes", [SMALL, Sizes()], ids=["other sizes", "default sizes"])
@pytest.mark.parametrize("binary", [True, False], ids=["bin", "safetensors"])
@pytest.mark.parametrize("attention", [True, False], ids=["knowfree", "cnnner"])
@torch.no_grad()
def test_scores_are_those_of_the_published_formula(write, encoder_folder, attention, binary, sizes):
    folder, tensors = write(attention=attention, binary=binary, sizes=sizes)
    ner = SpanNer.from_pretrained(folder, encoder_folder, device="cpu")
    assert ner.model.config.span_model == ("knowfree" if attention else "cnnner")
    loaded = ner.model.state_dict()
    assert all(torch.equal(loaded[name], tensors[name]) for name in loaded)
    batch = ner.words.collate([ner.words.windows(text)[0] for text in SENTENCES])
    logits = ner.model(batch)
    for row, text in enumerate(SENTENCES):
        expected = plain_logits(ner.model, word_states(encoder_folder, tensors, batch, row)[None])[0]
        cells = tuple(torch.triu_indices(len(text), len(text)))
        torch.testing.assert_close(logits[row][cells], expected[cells], atol=1e-4, rtol=1e-4)


def test_sizes_of_layers_follow_from_the_tensors(write):
    config = load_model(write()[0]).config
    assert (config.biaffine_size, config.cnn_dim, config.n_head, config.size_embed_dim) == (24, 40, 2, 5)
    assert (config.kernel_size, config.cnn_depth) == (5, 2)


@pytest.mark.parametrize(("file", "targets"), [(name, 2 if "fusion" in name else 3) for name in LABEL_FILES])
def test_every_form_of_label_file_is_read(write, file, targets):
    config = load_model(write(file)[0]).config
    assert config.labels == ("O", "PER", "LOC", "NOUN")
    assert config.num_target_labels == targets


def test_unused_tensors_are_saved_again(write, encoder_folder, tmp_path):
    from utils.ner.model.checkpoint import save_model
    from utils.ner.model.encoder import load_tokenizer

    folder, tensors = write()
    save_model(load_model(folder), load_tokenizer(str(encoder_folder)), tmp_path / "again")
    again = load_model(tmp_path / "again").state_dict()
    cnn = {name for name in tensors if name.startswith("cnn.")}
    assert cnn
    assert all(torch.equal(again[name], tensors[name]) for name in cnn)


NAMES = [
    *("head_mlp.1.weight", "tail_mlp.1.bias", "multi_head_biaffine.W", "W", "size_embedding.weight", "down_fc.bias"),
    *("attn.local_attention.attn.in_proj_weight", "attn.norm.bias", "cnn.cnns.0.conv2d.weight", "cnn.cnns.4.bias"),
    *("cnn.cnns.6.conv2d.weight", "bert.embeddings.word_embeddings.weight"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_tensor_is_reported(write, name):
    folder, _ = write()
    damage(folder, lambda tensors: tensors.pop(name))
    with pytest.raises(ValueError, match=rf"1 tensor of a knowfree model is missing: {re.escape(name)}$"):
        load_model(folder)


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", NAMES)
def test_a_tensor_of_a_wrong_shape_is_reported_with_both_shapes(write, name, axis):
    folder, tensors = write()
    right = tensors[name]
    wrong = torch.cat([right, right], dim=axis)
    damage(folder, lambda found: found.update({name: wrong}))
    with pytest.raises(ValueError, match=r"tensors do not fit config\.json") as error:
        load_model(folder)
    assert f"{name} is {tuple(wrong.shape)} instead of" in str(error.value)
    if axis == 0 or name not in ("W", "size_embedding.weight"):  # each is the only tensor that shows the other's size
        assert str(error.value).endswith(f": {name} is {tuple(wrong.shape)} instead of {tuple(right.shape)}")


@pytest.mark.parametrize("name", NAMES)
def test_a_tensor_without_dimensions_is_reported(write, name):
    folder, _ = write()
    damage(folder, lambda found: found.update({name: torch.tensor(1.0)}))
    with pytest.raises(ValueError, match=rf"{re.escape(name)} is \(\) instead of"):
        load_model(folder)


def test_labels_of_another_model_are_detected_by_their_number(write):
    folder, _ = write()
    (folder / "labels.txt").write_text("O\nPER\nLOC\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"2 labels besides O, but the weights \(down_fc\.weight\) score 3"):
        load_model(folder)


def test_different_label_files_are_reported(write):
    folder, _ = write()
    (folder / "label.json").write_text(json.dumps(["O", "A", "B", "C"]), encoding="utf-8")
    with pytest.raises(ValueError, match=r"has label\.json and labels\.txt, which differ: keep only"):
        load_model(folder)


@pytest.mark.parametrize("data", [b"", b"no weights", "cut", {"epoch": 3}])
def test_a_weights_file_without_tensors_is_reported(write, data):
    path = write()[0] / "pytorch_model.bin"
    if isinstance(data, dict):
        torch.save(data, path)
    else:
        path.write_bytes(path.read_bytes()[:5000] if data == "cut" else data)
    with pytest.raises(ValueError, match=r"cannot be read .*: copy them again|must contain named tensors"):
        load_model(path.parent)
