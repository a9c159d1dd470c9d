"""Measure how fast this project runs on a GPU, or check in a minute that it runs there at all.

    python benchmarks/gpu.py --quick                        # one minute
    python benchmarks/gpu.py --data=data/few_shot/weibo --tokenizer=/models/Qwen2.5-7B-Instruct     # eight minutes

Without a GPU, tiny models are measured, which only shows that the code runs. Nothing is downloaded: all weights are
random and made on the device. `--tokenizer` is the folder of any chat model; without it, a token is a byte.

(a) s1 with a model of Qwen2.5-7B's shape: this project's decoder, guided, against transformers' `generate`, its
    continuous batching and vLLM, where they are installed
(b) the span model on encoders of BERT's shapes: a training step and a prediction, against the encoder's own step and
    against the plain formulas that the tests compare with
(c) a whole training on a quarter of the dataset
(d) trainings side by side on one GPU

What there is no time for, and what fails, is named as skipped. Writes gpu.json and gpu.md into the folder --to.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch

from benchmarks.gpu_parts import decoding, span_model, training
from benchmarks.gpu_parts.report import as_json, as_markdown
from benchmarks.gpu_parts.setup import FULL, QUICK, TINY, Session

PARTS = {"a": decoding.run, "b": span_model.run, "cd": training.run}
DATA = ("weibo", "demo_zh")  # folders in data/few_shot; the first one that exists


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one minute, with fewer sizes and sentences")
    parser.add_argument("--tiny", action="store_true", help="tiny models, as on a machine without a GPU")
    parser.add_argument("--data", type=Path, help="folder of a dataset; default: data/few_shot/weibo, or else demo_zh")
    parser.add_argument("--tokenizer", type=Path, help="folder of a chat model's tokenizer; default: tokens are bytes")
    parser.add_argument("--gpu", type=int, default=0, help="index of the GPU")
    parser.add_argument("--parts", nargs="+", choices=sorted(PARTS), default=sorted(PARTS))
    parser.add_argument("--minutes", type=float, help="no measurement begins later; default: 7, or 0.8 with --quick")
    parser.add_argument("--to", type=Path, default=Path("gpu_report"), help="folder for the results")
    return parser.parse_args(words)


def make_session(args: argparse.Namespace) -> Session:
    """Return what the flags describe."""
    has_gpu = torch.cuda.is_available() and not args.tiny
    shapes = (QUICK if args.quick else FULL) if has_gpu else TINY
    data = args.data or next(path for name in DATA if (path := ROOT / "data" / "few_shot" / name).is_dir())
    minutes = args.minutes or (0.8 if args.quick else 7.0)
    device = torch.device("cuda", args.gpu) if has_gpu else torch.device("cpu")
    return Session(device, shapes, data, args.tokenizer, 60 * minutes)


def main(words: list[str] | None = None) -> None:
    """Measure, write both files, and print the table."""
    args = parse(words)
    session = make_session(args)
    for name in args.parts:
        PARTS[name](session)
    args.to.mkdir(parents=True, exist_ok=True)
    text = as_markdown(session)
    (args.to / "gpu.json").write_text(json.dumps(as_json(session), ensure_ascii=False, indent=2), encoding="utf-8")
    (args.to / "gpu.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
