"""Export a trained span model to ONNX, and check that the exported model gives the same scores.

    python syn_pipelines/export_ner.py --model_from_pretrained=save_model/GLM4/weibo_250_fusion/best --output=weibo.onnx

Reads   the model's folder
Writes  one ONNX file, for any number of sentences of any length up to the encoder's limit. Before it is written, it is
        run with onnxruntime on batches of different lengths; logits that differ by more than 1e-4 are an error
Needs   pip install onnx onnxscript onnxruntime

Inputs of the exported model:
        input_ids, attention_mask, word_index (batch, pieces): word_index is 1 for the pieces of the first word, 2 for
        those of the second, …, and 0 for other pieces; is_word (batch, words): false for padding
Output: logits (batch, first word, last word, labels without O), -inf for cells that are not spans. The file's metadata
        contains the labels, the number of target labels and the threshold, as JSON
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli import span_model_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.cli.values import new_path

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    span_model_flags.add_trained_model_flags(parser)
    parser.add_argument("--output", type=new_path, required=True, help="ONNX file to write")
    return parser


def run(args: Namespace) -> None:
    """Export the model."""
    from utils.ner import SpanNer
    from utils.ner.prediction.export import export_model

    ner = SpanNer.from_pretrained(args.model_from_pretrained, encoder=args.from_pretrained, device="cpu")
    difference = export_model(ner, args.output)
    mib = args.output.stat().st_size / (1 << 20)
    report(f"exported {', '.join(ner.targets)} ({mib:.1f} MiB); logits differ by at most {difference:.1e}", args.output)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Export with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
