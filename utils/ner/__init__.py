"""The span models KnowFREE and CNN Nested NER: training, prediction and scoring.

Start with model/span_model.py, training/trainer.py (one training) or prediction/predictor.py. From Python:

from utils.ner import SpanNer
SpanNer.from_pretrained("save_model/GLM4/weibo_250_fusion/best").predict(["邓超在北京"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.ner.prediction.predictor import SpanNer

__all__ = ["SpanNer"]


def __getattr__(name: str) -> Any:
    """Import SpanNer, and with it torch, on first use: label files and training records need neither."""
    if name == "SpanNer":
        from utils.ner.prediction.predictor import SpanNer

        return SpanNer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
