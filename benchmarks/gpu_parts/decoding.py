"""Part (a): annotation with an LLM of random weights. A grammar makes valid answers of them.

Guided answers of this project's decoder are compared with unguided ones of transformers' `generate`, of its continuous
batching and of vLLM, where they are installed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.gpu_parts.setup import Row, Session
from tests.helpers.tiny_checkpoint import write_tiny_checkpoint
from utils.annotation.annotator import Annotator
from utils.annotation.settings import AnnotationSettings
from utils.compute.devices import choose_dtype
from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
from utils.dataset.modes import Mode
from utils.dataset.reading import read_dataset
from utils.llm import Request
from utils.llm.decoding.batched import BatchedDecoder
from utils.llm.decoding.chat_model import SAMPLES, TransformersLLM
from utils.llm.decoding.decoder import Decoder
from utils.llm.decoding.guide import Guide
from utils.llm.decoding.next_tokens import Choice, TokenChooser
from utils.llm.decoding.ragged.cache import MakeCache, RaggedCache
from utils.llm.decoding.ragged.grouped import GroupedCache
from utils.llm.decoding.ragged.trial import fastest_cache
from utils.llm.decoding.stepwise import StepwiseDecoder
from utils.llm.hf.chat_format import ChatFormat
from utils.llm.hf.checkpoint import DTYPE_ARGUMENT

POSITIONS = 8192
MODES: tuple[Mode, ...] = ("entity", "pos")
VLLM_BATCH = 256


class TimedChooser(TokenChooser):
    """Adds up the seconds that masks and the choice of tokens take in the thread that decodes."""

    masks = model = 0.0  # waits for masks and random numbers; waits for the model's scores

    def tokens(self, choice: Choice, scores: torch.Tensor) -> list[int]:
        begin = time.perf_counter()
        if choice.masks is not None:
            choice.masks.result()
        ready = time.perf_counter()
        found = super().tokens(choice, scores)
        TimedChooser.masks += ready - begin
        TimedChooser.model += time.perf_counter() - ready
        return found

    def warm(self, states: Sequence[Any]) -> None:
        begin = time.perf_counter()
        super().warm(states)
        TimedChooser.masks += time.perf_counter() - begin


class TimedDecoder(StepwiseDecoder):
    """Adds up the seconds in which this thread starts the model's kernels."""

    make_chooser = TimedChooser

    def scores(self, tokens: Sequence[Sequence[int]], cache: RaggedCache) -> torch.Tensor:
        begin = time.perf_counter()
        found = super().scores(tokens, cache)
        TimedChooser.model += time.perf_counter() - begin
        return found


def run(session: Session) -> None:
    """Measure all ways to decode with one model."""
    made = _Chat(session)
    session.measure("a", "load", made.load)
    if made.model is None:
        return
    for batch in session.shapes.batches:
        for mode in MODES:
            session.measure("a", f"ours, {mode}, batches of {batch}", lambda b=batch, m=mode: made.ours(m, b))  # type: ignore[misc]
        session.measure("a", f"ours, not guided, batches of {batch}", lambda b=batch: made.free(b, ours=True))  # type: ignore[misc]
        session.measure("a", f"generate, batches of {batch}", lambda b=batch: made.free(b, ours=False))  # type: ignore[misc]
    session.measure("a", "transformers' continuous batching", made.continuous)
    made.model = None
    session.free()
    session.measure("a", "vLLM", made.vllm)


class _Chat:
    """A model with random weights on the device, and the requests of a dataset."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.dataset = read_dataset(session.data / "train_1000.jsonl", session.data / "labels.txt")
        self.model: Any = None
        self.chat: Any = None
        self.guide: Guide | None = None
        self.cache: MakeCache = GroupedCache

    def load(self) -> Row:
        """Make the model, and return what it is."""
        begin = time.monotonic()
        tokenizer = self._tokenizer()
        config = self._config(tokenizer)
        dtype = choose_dtype("auto", [0]) if self.session.on_gpu else torch.float32
        torch.manual_seed(0)
        with self.session.device:
            model = transformers.AutoModelForCausalLM.from_config(config, **{DTYPE_ARGUMENT: dtype}).eval()
        self.chat = ChatFormat(tokenizer, model)
        samples = [self.chat.encode(text) for text in SAMPLES]
        cache = fastest_cache(model, samples)
        self.guide = Guide(tokenizer, self.chat.stops)  # takes seconds for a large vocabulary, once in a run
        self.model, self.cache = model, cache or GroupedCache
        return {
            "what": f"model of {sum(one.numel() for one in model.parameters()) / 1e9:.2f} B parameters, {dtype}",
            "attention": f"{type(self.cache(1)).__name__}{'' if cache else ' (with other scores than the model)'}",
            "seconds": round(time.monotonic() - begin, 1),
            "memory, GB": self.session.peak(),
        }

    def ours(self, mode: Mode, batch: int) -> Row:
        """Measure this project's decoder, guided, until the time of this measurement is up."""
        limit = time.monotonic() + max(1.0, self.session.left / 8)
        TimedChooser.masks = TimedChooser.model = 0.0
        requests = self._requests(mode, guided=True)
        begin = time.perf_counter()
        sentences = tokens = 0
        for answer in self._llm(TimedDecoder(self.model, self.chat.stops, self.cache), batch).generate(requests):
            sentences, tokens = sentences + 1, tokens + answer.answer_tokens
            if time.monotonic() > limit:
                break
        return self._row(f"ours, guided, {mode}", batch, (sentences, tokens, time.perf_counter() - begin), TimedChooser)

    def free(self, batch: int, *, ours: bool) -> Row:
        """Measure unguided answers of a fixed length, of one batch."""
        requests = [
            replace(request, id=str(number), max_new_tokens=self.session.shapes.new_tokens)
            for number, request in enumerate(self._requests("entity", guided=False)[:batch])
        ]
        plain = BatchedDecoder(self.model, self.chat)
        decoder: Decoder = StepwiseDecoder(self.model, [], self.cache) if ours else plain
        llm = self._llm(decoder, batch)
        list(llm.generate(requests[:2]))
        self.session.wait()
        begin = time.perf_counter()
        answers = list(llm.generate(requests))
        seconds = time.perf_counter() - begin
        tokens = sum(answer.answer_tokens for answer in answers)
        return self._row("ours, not guided" if ours else "generate", batch, (len(answers), tokens, seconds), None)

    def continuous(self) -> Row:
        """Measure transformers' continuous batching, in versions that have it."""
        if not hasattr(self.model, "generate_batch"):
            raise ImportError(f"transformers {transformers.__version__} has none")
        prompts = [self.chat.encode(one.prompt) for one in self._requests("entity", guided=False)]
        settings = transformers.GenerationConfig(
            max_new_tokens=self.session.shapes.new_tokens, do_sample=False, eos_token_id=-1, pad_token_id=0
        )
        begin = time.perf_counter()
        found = self.model.generate_batch(inputs=prompts, generation_config=settings)
        tokens = sum(len(one.generated_tokens) for one in found.values())
        return self._row("continuous batching", len(prompts), (len(found), tokens, time.perf_counter() - begin), None)

    def vllm(self) -> Row:
        """Measure vLLM with random weights of the same shape, where it is installed."""
        if find_spec("vllm") is None:
            raise ImportError("it is not installed")
        from vllm import LLM, SamplingParams

        prompts = [self.chat.encode(one.prompt) for one in self._requests("entity", guided=False)]
        tokenizer = self._tokenizer()
        with tempfile.TemporaryDirectory() as folder:
            self._config(tokenizer).save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            engine = LLM(model=folder, load_format="dummy", max_model_len=POSITIONS, max_num_seqs=VLLM_BATCH)
            sampling = SamplingParams(temperature=0.0, max_tokens=self.session.shapes.new_tokens, ignore_eos=True)
            begin = time.perf_counter()
            found = engine.generate([{"prompt_token_ids": prompt} for prompt in prompts], sampling)
            seconds = time.perf_counter() - begin
        tokens = sum(len(one.outputs[0].token_ids) for one in found)
        return self._row("vLLM", VLLM_BATCH, (len(found), tokens, seconds), None)

    def _row(self, way: str, batch: int, done: tuple[int, int, float], timed: type[TimedChooser] | None) -> Row:
        sentences, tokens, seconds = done
        shares = (timed.model / seconds, timed.masks / seconds) if timed else None
        return {
            "what": way,
            "batch": batch,
            "sentences": sentences,
            "sentences/s": round(sentences / seconds, 2),
            "tokens/s": round(tokens / seconds, 1),
            "tokens a sentence": round(tokens / max(1, sentences), 1),
            "memory, GB": self.session.peak(),
            "in the model": f"{shares[0]:.0%}" if shares else None,
            "for masks": f"{shares[1]:.0%}" if shares else None,
            "in Python": f"{1 - sum(shares):.0%}" if shares else None,
        }

    def _llm(self, decoder: Decoder, batch: int) -> TransformersLLM:
        made = TransformersLLM(self.chat, decoder, batch, POSITIONS)
        made.__dict__["_guide"] = self.guide
        return made

    def _requests(self, mode: Mode, *, guided: bool) -> list[Request]:
        """Return a question for each of the first sentences, over again if the dataset has fewer."""
        labels = ENTITY_LABELS if mode == "entity" else POS_LABELS
        plain = Annotator.for_dataset(self.dataset, AnnotationSettings(mode, labels))
        annotator = replace(plain, guidance="grammar") if guided else plain
        known = [annotator.question(sentence).request for sentence in self.dataset.sentences]
        number = self.session.shapes.sentences
        return [replace(known[place % len(known)], id=str(place)) for place in range(number)]

    def _tokenizer(self) -> Any:
        if self.session.tokenizer is not None:
            return transformers.AutoTokenizer.from_pretrained(self.session.tokenizer)
        with tempfile.TemporaryDirectory() as folder:  # a chat tokenizer with one token for each byte
            return transformers.AutoTokenizer.from_pretrained(write_tiny_checkpoint(Path(folder)))

    def _config(self, tokenizer: Any) -> Any:
        shape = dict(self.session.shapes.llm)
        size = max(shape.pop("vocab_size"), 1 + max(tokenizer.get_vocab().values()))
        more = {"max_position_embeddings": POSITIONS, "tie_word_embeddings": False, "initializer_range": 0.05}
        return transformers.Qwen2Config(
            vocab_size=size, eos_token_id=tokenizer.eos_token_id, bos_token_id=None, **shape, **more
        )
