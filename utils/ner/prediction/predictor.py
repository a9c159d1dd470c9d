"""Prediction with a trained span model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from utils.compute.checkpoint_errors import named_errors
from utils.compute.linear.onednn import FastLinear
from utils.compute.progress import tracked
from utils.dataset.records import Span
from utils.dataset.tokens import Tokenisation, tokenisation_of
from utils.ner.model.checkpoint import load_model
from utils.ner.model.encoder import load_tokenizer, max_pieces
from utils.ner.model.span_model import SpanModel
from utils.ner.model.word_pieces import Window, WordEncoder, batches_by_length, owner
from utils.ner.prediction.candidates import SpanCandidate, best_labels, check_threshold, drop_clashes, to_span
from utils.ner.prediction.decoding import find_candidates
from utils.ner.prediction.judgement import Judgement
from utils.ner.tokenizer_files import has_tokenizer

TextOrTokens = str | Sequence[str]
Find = Callable[[Iterable[torch.Tensor]], list[list[SpanCandidate]]]  # logits in bands -> candidates of each sentence


class SpanNer:
    """A span model and its tokenizer, which predict the spans of target labels in texts."""

    def __init__(self, model: SpanModel, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.words = WordEncoder(tokenizer, max_pieces(model.bert))

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, encoder: str | Path | None = None, device: str | torch.device | None = None
    ) -> SpanNer:
        """Return the model of a checkpoint folder.

        `encoder` is the folder of the base encoder: its tokenizer is used if the checkpoint has none. `device` is by
        default the first GPU, or the CPU if there is none.
        """
        model = load_model(Path(folder))
        source = Path(folder) if has_tokenizer(Path(folder)) else encoder
        if source is None:
            raise FileNotFoundError(f"{folder} has no tokenizer: give the base encoder's folder (--from_pretrained)")
        model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        ner = cls(model, load_tokenizer(str(source)))
        ner.try_out(str(folder))
        return ner

    def try_out(self, source: str) -> None:
        """Raise ValueError that names `source` if the model cannot score a word: its config.json may be wrong."""
        with named_errors(source):
            self.predict([["a"]])

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the training, "O" first."""
        return self.model.config.labels

    @property
    def targets(self) -> tuple[str, ...]:
        """The labels that the model predicts."""
        return self.model.config.targets

    def predict(
        self,
        texts: Sequence[TextOrTokens],
        batch_size: int = 8,
        *,
        threshold: float | None = None,
        nested: bool | None = None,
        multi_label: bool = False,
        progress: bool = False,
    ) -> list[list[Span]]:
        """Return each text's spans with label and score, sorted by position; start and end count tokens.

        A text is a list of tokens, or a string, which is cut into characters or words as the training data was.
        `threshold` (between 0 and 1) and `nested` are by default those of the checkpoint. With `multi_label`, a span
        gets every label above the threshold instead of the best one. Raises ValueError for a wrong threshold.
        """
        threshold = check_threshold(self.model.config.span_threshold if threshold is None else threshold)
        nested = self.model.config.nested if nested is None else nested
        found = self._candidates(texts, batch_size, threshold, multi_label, progress)
        return [[to_span(one, self.labels) for one in drop_clashes(spans, nested=nested)] for spans in found]

    def judge(
        self, texts: Sequence[TextOrTokens], batch_size: int = 8, *, lowest: float, progress: bool = False
    ) -> list[Judgement]:
        """Return each text's spans as `predict` does, and all cells with a probability above `lowest`."""
        config = self.model.config
        lowest = min(lowest, config.span_threshold)
        judgements = []
        for cells in self._candidates(texts, batch_size, lowest, multi_label=True, progress=progress):
            spans = drop_clashes(best_labels(cells, threshold=config.span_threshold), nested=config.nested)
            judgements.append(Judgement(self._spans(spans), self._spans(cells)))
        return judgements

    def _spans(self, candidates: Sequence[SpanCandidate]) -> tuple[Span, ...]:
        """Return candidates as spans, sorted by position."""
        ordered = sorted(candidates, key=lambda one: (one.start, one.end, one.column))
        return tuple(to_span(one, self.labels) for one in ordered)

    def _candidates(
        self, texts: Sequence[TextOrTokens], batch_size: int, threshold: float, multi_label: bool, progress: bool
    ) -> list[list[SpanCandidate]]:
        """Return each text's candidates; each is from the window in which it has the largest context."""
        windows = [self.words.windows(self.tokens(text)) for text in texts]
        found: list[list[SpanCandidate]] = [[] for _ in texts]
        for text, window, candidates in self._score(windows, batch_size, threshold, multi_label, progress):
            for candidate in candidates:
                span = candidate.moved(window.first)
                if owner(windows[text], span.start, span.end) is window:
                    found[text].append(span)
        return found

    def tokens(self, text: TextOrTokens) -> Sequence[str]:
        """Return the tokens of a text: a list unchanged, a string cut as the model's training data were."""
        if not isinstance(text, str):
            return text
        dense = self.model.config.dense
        tokenisation = tokenisation_of([text]) if dense is None else Tokenisation(is_dense=dense)
        return tokenisation.split(text)

    def _score(
        self,
        windows: Sequence[Sequence[Window]],
        batch_size: int,
        threshold: float,
        multi_label: bool,
        progress: bool,
    ) -> Iterator[tuple[int, Window, list[SpanCandidate]]]:
        """Yield (index of the text, window, candidates) for all windows, which are batched by length."""
        jobs = [(text, window) for text, parts in enumerate(windows) for window in parts]
        batches = batches_by_length([window.words for _, window in jobs], batch_size)
        device = next(self.model.parameters()).device
        self.model.eval()
        find = partial(find_candidates, threshold=threshold, multi_label=multi_label)
        for indices in tracked(batches, "predicting", total=len(batches), unit="batch", hidden=not progress):
            rows = self._found([jobs[index][1] for index in indices], device, find)
            for index, candidates in zip(indices, rows, strict=True):
                yield *jobs[index], candidates

    def _found(self, windows: Sequence[Window], device: torch.device, find: Find) -> list[list[SpanCandidate]]:
        """Return the candidates of a batch; if a GPU's memory is too small for it, of its halves one by one."""
        try:
            batch = self.words.collate(windows).to(device)
            with torch.inference_mode(), FastLinear():
                return find(self.model.bands(batch, len(self.targets)))
        except torch.cuda.OutOfMemoryError:
            if len(windows) == 1:
                raise RuntimeError(
                    "out of GPU memory with one sentence at a time: end other programs on the GPU, or use --n_gpu=-1"
                ) from None
        torch.cuda.empty_cache()  # outside the handler, which still holds the tensors of the failed batch
        half = len(windows) // 2
        return [*self._found(windows[:half], device, find), *self._found(windows[half:], device, find)]
