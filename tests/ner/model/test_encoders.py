"""Every BERT-like encoder learns, predicts, and is saved and loaded: tiny random ones of six families."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from utils.ner.config import NerConfig
from utils.ner.model.checkpoint import save_model
from utils.ner.model.encoder import load_encoder, load_tokenizer, max_pieces
from utils.ner.model.span_model import SpanModel, span_loss
from utils.ner.prediction.predictor import SpanNer
from utils.ner.training.examples import Examples, dense_targets

WORDS = ["anna", "bert", "paris", "rome", "sees", "likes", "in", "and", "the", "##ly", "##s"]
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}


def word_pieces(folder: Path, kind: str) -> Any:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join([*special, *WORDS]) + "\n", encoding="utf-8")
    return getattr(transformers, kind)(str(folder / "vocab.txt"))


def byte_pairs(folder: Path) -> Any:
    """RoBERTa's tokenizer: pieces of bytes, with the space before a word in the word's first piece."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=letters, show_progress=False)
    tokenizer.train_from_iterator([" ".join(WORDS)] * 3, trainer)
    tokenizer.model.save(str(folder))
    return transformers.RobertaTokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))


def sentence_pieces(folder: Path, kind: str, name: str) -> Any:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(WORDS)] * 30),
        model_prefix=str(folder / "spiece"),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=9,
    )
    (folder / "spiece.model").rename(folder / name)
    return getattr(transformers, kind).from_pretrained(folder)


FAMILIES: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "BERT": ("Bert", lambda folder: word_pieces(folder, "BertTokenizerFast")),
    "BERT, slow tokenizer": ("Bert", lambda folder: word_pieces(folder, "BertTokenizer")),
    "RoBERTa": ("Roberta", byte_pairs),
    "XLM-R": ("XLMRoberta", lambda folder: sentence_pieces(folder, "XLMRobertaTokenizer", "sentencepiece.bpe.model")),
    "ELECTRA": ("Electra", lambda folder: word_pieces(folder, "ElectraTokenizerFast")),
    "DeBERTa": ("DebertaV2", lambda folder: sentence_pieces(folder, "DebertaV2Tokenizer", "spm.model")),
}


@pytest.fixture(params=FAMILIES)
def ner(request: pytest.FixtureRequest, tmp_path: Path) -> SpanNer:
    """The folder of an untrained span model with a random encoder of one family."""
    family, make_tokenizer = FAMILIES[request.param]
    files, folder = tmp_path / "files", tmp_path / "encoder"
    files.mkdir()
    tokenizer = make_tokenizer(files)
    tokenizer.save_pretrained(folder)
    size = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    more = {"embedding_size": 16} if family == "Electra" else {}
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**SIZES, **size, **more)
    getattr(transformers, f"{family}Model")(config).save_pretrained(folder)
    config = NerConfig(
        ("O", "PER", "LOC"), 2, cnn_dim=20, biaffine_size=16, size_embed_dim=5, cnn_depth=1, head_dropout=0.0
    )
    model = SpanModel(load_encoder(str(folder)), config)
    torch.nn.init.zeros_(model.down_fc.bias)
    return SpanNer(model, load_tokenizer(str(folder)))


def test_only_the_lowest_layers_are_loaded_on_request(encoder_folder):
    whole, lowest = (load_encoder(str(encoder_folder), layers) for layers in (None, 1))
    expected = {name: tensor for name, tensor in whole.state_dict().items() if ".layer.1." not in name}
    assert lowest.config.num_hidden_layers == 1 < whole.config.num_hidden_layers
    assert lowest.state_dict().keys() == expected.keys() < whole.state_dict().keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in lowest.state_dict().items())


@pytest.mark.parametrize(("family", "other_dropout"), [("Bert", "hidden_dropout_prob"), ("DistilBert", "dropout")])
def test_attention_has_no_dropout_in_training(tmp_path, family, other_dropout):
    config = getattr(transformers, f"{family}Config")(**SIZES, vocab_size=20, **{other_dropout: 0.0})
    getattr(transformers, f"{family}Model")(config).save_pretrained(tmp_path)
    pieces = torch.arange(10)[None]
    whole = transformers.AutoModel.from_pretrained(tmp_path).train()
    once, again = (whole(pieces).last_hidden_state for _ in range(2))
    assert not torch.equal(once, again)  # as the checkpoint says
    encoder = load_encoder(str(tmp_path)).train()
    once, again = (encoder(pieces).last_hidden_state for _ in range(2))
    assert torch.equal(once, again)


def test_an_encoder_without_a_limit_of_positions_gets_windows_of_the_usual_length(tmp_path):
    tokenizer = word_pieces(tmp_path, "BertTokenizerFast")
    tokenizer.save_pretrained(tmp_path)
    config = transformers.XLNetConfig(vocab_size=len(tokenizer), d_model=16, n_layer=1, n_head=2, d_inner=32)
    assert config.max_position_embeddings == -1
    transformers.XLNetModel(config).save_pretrained(tmp_path)
    small = NerConfig(("O", "PER"), 1, cnn_dim=20, biaffine_size=16, size_embed_dim=5, cnn_depth=1)
    encoder = load_encoder(str(tmp_path))
    assert max_pieces(encoder) == 512
    ner = SpanNer(SpanModel(encoder, small), load_tokenizer(str(tmp_path)))
    assert len(ner.predict([["anna", "sees", "bert"], ["anna"] * 600])) == 2


def test_every_encoder_learns_predicts_and_is_loaded_again(ner, sentences, tmp_path):
    examples = Examples(sentences, ner.words, ner.labels)
    batch = ner.words.collate([example.window for example in examples])
    gold = dense_targets(examples, 2)
    optimizer = torch.optim.AdamW(ner.model.parameters(), lr=0.01)
    losses = []
    ner.model.train()
    for _ in range(40):
        loss = span_loss(ner.model(batch), gold, torch.ones(2))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    texts = [*(list(sentence.tokens) for sentence in sentences), ["anna", "sees", "rome"] * 40]
    found = ner.predict(texts)
    assert found[-1][-1].end > 60
    save_model(ner.model, ner.tokenizer, tmp_path / "best")
    assert SpanNer.from_pretrained(tmp_path / "best", device="cpu").predict(texts) == found
