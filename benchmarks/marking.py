"""Measure time and peak memory of s7 on generated sentences, and compare it with a loop of single sentences.

    python benchmarks/marking.py [--sentences 2000 20000] [--encoder /models/minilm] [--loop 200] [--folder /tmp/bench]

The span model is not trained. Without `--encoder`, it has a tiny random encoder, which shows the cost of everything
else. s7 runs on the CPU in a process of its own, for three sizes that share the model. The loop asks the same model for
one sentence at a time.
"""

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.generated_data import CHARACTERS, TARGETS, generate
from benchmarks.merge import measure, step_command
from tests.helpers.span_models import make_encoder, make_model
from utils.dataset.layout import FULL, Layout
from utils.dataset.reading import iterate_synthetic
from utils.dataset.tokens import CHARACTERS as DENSE
from utils.ner.prediction.judgement import LOWEST_SCORE


def span_model(folder: Path, encoder: Path | None) -> Path:
    """Write an untrained span model that finds few spans, unless it is there; return its folder."""
    name = encoder.name if encoder else "tiny"
    model = folder / f"model_{name}"
    if not (model / "config.json").is_file():
        source = encoder or make_encoder(folder / "tiny_encoder", CHARACTERS, positions=512)
        make_model(model, source, TARGETS, known=None, prior=True)
    return model


def loop_seconds(layout: Layout, model: Path, number: int, batch_size: int) -> float:
    """Return the CPU seconds that a loop over the first sentences takes, with one sentence at a time."""
    from utils.ner.prediction.predictor import SpanNer

    ner = SpanNer.from_pretrained(model, device="cpu")
    sentences = iterate_synthetic(layout.size_sentences(FULL, synthetic=True), tokenisation=DENSE)
    texts = [sentence.tokens for sentence, _ in zip(sentences, range(number), strict=False)]
    begin = time.process_time()
    for text in texts:
        ner.judge([text], batch_size, lowest=LOWEST_SCORE)
    return time.process_time() - begin


def main() -> None:
    """Print a line for each number of sentences, and one for the loop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--loop", type=int, default=200, help="sentences of the loop; 0: no loop")
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/bench"))
    parser.add_argument("--checkout", type=Path, default=ROOT, help="another version of the project, to compare with")
    args = parser.parse_args()
    print(f"{'sentences':>9}{'CPU':>8}{'sentences/s':>13}{'peak MB':>9}", flush=True)
    for number in args.sentences:
        layout = generate(args.folder, 2 * number)
        model = span_model(args.folder, args.encoder)
        if not layout.size_sentences(FULL, synthetic=True).is_file():
            measure(step_command(args.checkout / "syn_pipelines", "s4", layout, None))
        flags = [f"--model_from_pretrained={model}", f"--batch_size={args.batch_size}", "--n_gpu=-1"]
        cost = measure([*step_command(args.checkout / "syn_pipelines", "s7", layout, None), *flags, "--overwrite"])
        print(f"{number:>9}{cost.cpu_seconds:>8.1f}{number / cost.cpu_seconds:>13.1f}{cost.peak_mb:>9.0f}", flush=True)
    if args.loop:
        seconds = loop_seconds(layout, model, args.loop, args.batch_size)
        print(f"a loop of single sentences: {args.loop / seconds:.1f} sentences/s of {args.loop}")


if __name__ == "__main__":
    main()
