"""What all parts of the measurement share: the device, the shapes of the models, the time left, and the results."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from utils.ner.training.settings import TrainSettings

Part = Literal["a", "b", "c", "d"]
Row = Mapping[str, Any]
# What a measurement may end with on a machine for which it was never tried: it is then a named gap in the table.
ERRORS = (RuntimeError, ValueError, TypeError, AttributeError, ImportError, OSError)


@dataclass(frozen=True)
class Shapes:
    """The sizes that are measured."""

    llm: Mapping[str, int]
    encoders: Mapping[str, Mapping[str, int]]
    sentences: int  # for the LLM, in each mode
    batches: tuple[int, ...]  # sizes of batches of the LLM
    new_tokens: int  # of each answer that is not guided
    words: tuple[int, ...]  # of a sentence, for the span model
    repeats: int
    head: Mapping[str, Any]  # sizes of the span model's layers
    training: TrainSettings  # of a whole training
    trainings: int  # side by side


BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
QWEN_7B = {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
}
FULL = Shapes(
    llm=QWEN_7B,
    encoders={"BERT-base": BASE, "BERT-large": LARGE},
    sentences=500,
    batches=(20, 64, 256),
    new_tokens=64,
    words=(32, 64, 128, 256),
    repeats=3,
    head={},
    training=TrainSettings(),
    trainings=20,
)
QUICK = Shapes(
    llm=QWEN_7B,
    encoders={"BERT-base": BASE},
    sentences=64,
    batches=(20, 64),
    new_tokens=32,
    words=(128,),
    repeats=2,
    head={},
    training=TrainSettings(epochs=2, min_steps=1),
    trainings=2,
)
TINY = Shapes(  # for a CPU: only shows that the code runs
    llm={
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 0,
    },
    encoders={"tiny": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}},
    sentences=2,
    batches=(2,),
    new_tokens=4,
    words=(8,),
    repeats=1,
    head={"cnn_dim": 40, "biaffine_size": 24, "size_embed_dim": 5, "cnn_depth": 2},
    training=TrainSettings(epochs=1, min_steps=1, batch_size=8),
    trainings=1,
)


@dataclass
class Session:
    """One run of the measurement: its inputs, the time that is left, and what was found so far."""

    device: torch.device
    shapes: Shapes
    data: Path  # folder of a dataset
    tokenizer: Path | None  # folder of a chat tokenizer; None: one token for each byte
    seconds: float
    begin: float = field(default_factory=time.monotonic)
    rows: dict[Part, list[Row]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    @property
    def on_gpu(self) -> bool:
        return self.device.type == "cuda"

    @property
    def left(self) -> float:
        """The seconds until the end of the run."""
        return self.begin + self.seconds - time.monotonic()

    def measure(self, part: Part, name: str, run: Callable[[], Row | Sequence[Row]]) -> None:
        """Add what a measurement returns; name it as skipped if there is no time for it, or if it fails."""
        if self.left <= 0:
            self.skipped.append(f"{part}: {name}: the time was up")
            return
        print(f"{part}: {name} ({self.left:.0f} s left)", flush=True)
        try:
            found = run()
        except ERRORS as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            self.skipped.append(f"{part}: {name}: {reason[:300]}")
            return
        finally:
            self.free()
        self.rows.setdefault(part, []).extend([found] if isinstance(found, Mapping) else found)

    def wait(self) -> None:
        """Wait until the GPU has finished its work."""
        if self.on_gpu:
            torch.cuda.synchronize(self.device)

    def free(self) -> None:
        """Give the memory of what is not used any more back to the GPU."""
        gc.collect()
        if self.on_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> float | None:
        """Return the largest memory in GB that tensors had since `free`; None on a CPU."""
        return round(torch.cuda.max_memory_allocated(self.device) / 1e9, 2) if self.on_gpu else None

    def timed(self, run: Callable[[], object], repeats: int) -> float:
        """Return the seconds of the fastest of several runs, after one that is not counted."""
        run()
        times = []
        for _ in range(repeats):
            self.wait()
            begin = time.perf_counter()
            run()
            self.wait()
            times.append(time.perf_counter() - begin)
        return min(times)

    def card(self) -> str:
        """Return the name of the GPU, or that there is none."""
        return torch.cuda.get_device_name(self.device) if self.on_gpu else "no GPU: a CPU with tiny shapes"


def sentences_of(data: Path) -> list[dict[str, Any]]:
    """Return the rows of a dataset's training file."""
    return [json.loads(line) for line in (data / "train_1000.jsonl").read_text(encoding="utf-8").splitlines() if line]
