"""Step 2: an LLM continues each sentence and explains its entities; that gives synthetic sentences.

    python syn_pipelines/s2_continous_generation.py --file_name=weibo --model_from_pretrained=/models/glm-4-9b-chat/

Reads   <file_dir>/<file_name>/train_1000.jsonl, labels.txt; dev.jsonl and test.jsonl, to keep their sentences out
Writes  <file_dir>/<file_name>/<save_type_name>/train_1000_synthetic.jsonl and its journal; after an interruption the
        same command asks only for what the journal lacks; with --keep_dropped also
        train_1000_synthetic_dropped.jsonl: what was not taken, with reasons
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils.cli import flags, question_flags, run_flags, synthesis_flags
from utils.cli import script as cli
from utils.dataset.reading import read_dataset, read_sentences
from utils.files.manifest import build_manifest, hash_inputs, publish
from utils.synthesis.generator import MAX_NEW_TOKENS
from utils.synthesis.rounds import synthesise

cmd_args = True  # set to False inside a notebook


def build_parser() -> cli.Parser:
    """Return the step's flags."""
    parser = cli.Parser(__doc__ or "")
    flags.add_dataset_flags(parser)
    flags.add_llm_flags(parser, batch_size=40, longest=f"{MAX_NEW_TOKENS} tokens")
    question_flags.add_prompt_flags(parser)
    question_flags.add_sampling_flags(parser, temperature=0.8)
    synthesis_flags.add_synthesis_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Continue the sentences of the dataset."""
    layout = flags.layout_of(args)
    held_out = [file for file in (layout.dev, layout.test) if file.is_file()]
    hashes = hash_inputs(layout.portable_names([layout.train, *held_out]))
    dataset = read_dataset(layout.train, layout.labels, tokenisation=args.dense_lang)
    texts = [
        sentence.tokens for file in held_out for sentence in read_sentences(file, tokenisation=dataset.tokenisation)
    ]
    synthesis = synthesis_flags.synthesis(args, dataset, texts)
    result_parameters = synthesis_flags.result_parameters(args)
    inputs, parameters = [layout.train, *held_out], synthesis.generator.parameters
    step = flags.llm_step(
        args, "s2", layout.synthetic(), inputs=inputs, parameters=parameters, result_parameters=result_parameters
    )
    if settings := run_flags.estimate_settings(args):
        run_flags.report_estimate(step, synthesis.questions(args.limit), settings)
        return
    dropped, counts = synthesise(synthesis, step, limit=args.limit)
    if args.keep_dropped:
        manifest = build_manifest("s2", hashes, {**parameters, **result_parameters}, counts.as_row()["dropped"])
        publish(layout.synthetic_dropped(), dropped, manifest)
    cli.report(counts, layout.synthetic(), advice=counts.advice)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    cli.start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
