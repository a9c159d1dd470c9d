"""Step 2: an LLM continues each sentence and explains its entities, which gives synthetic sentences.

    python syn_pipelines/s2_continous_generation.py --file_name=weibo --model_from_pretrained=/models/glm-4-9b-chat/
    python syn_pipelines/s2_continous_generation.py --file_name=weibo --raw=posts.txt

Reads   <file_dir>/<file_name>/train_1000.jsonl and labels.txt
        dev.jsonl and test.jsonl in the same folder, to drop synthetic sentences that are equal or similar to theirs
        --raw: a file of real sentences, which are cleaned and added; without an LLM, they are the only ones
Writes  <file_dir>/<file_name>/<save_type_name>/train_1000_synthetic.jsonl: the synthetic sentences
        train_1000_synthetic.jsonl.journal.jsonl in the same folder: all answers of the LLM
        train_1000_synthetic_dropped.jsonl, with --keep_dropped: the dropped sentences, with the reasons

Each answer is saved in the journal at once. If the step is interrupted, run the same command again to continue: it
asks only for the answers that are not in the journal.
"""

import contextlib
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.asking.estimate import report_estimate
from utils.asking.model import ModelChoice
from utils.asking.step import LLMStep
from utils.cli import data_flags, llm_flags, run_flags, synthesis_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.dataset.held_out import warn_of_shared_sentences
from utils.dataset.reading import read_dataset, read_sentences, require_dataset
from utils.files.manifest import build_manifest, hash_inputs, publish
from utils.synthesis.counts import SynthesisCounts
from utils.synthesis.generator import MAX_NEW_TOKENS
from utils.synthesis.quota import plan_rounds
from utils.synthesis.raw_text import RawCounts, read_raw_texts
from utils.synthesis.rounds import Synthesis
from utils.synthesis.settings import report_habits
from utils.synthesis.step import RawStep, synthesise

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the step's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    llm_flags.add_llm_flags(parser, batch_size=40, max_new_tokens=str(MAX_NEW_TOKENS), required=False)
    llm_flags.add_prompt_flags(parser)
    llm_flags.add_sampling_flags(parser, temperature=0.8)
    synthesis_flags.add_synthesis_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Make synthetic sentences from the sentences of the dataset, from raw text, or from both."""
    has_model = synthesis_flags.has_model(args, build_parser())
    layout = data_flags.layout_of(args)
    require_dataset(layout.train)
    held_out = [file for file in (layout.dev, layout.test) if file.is_file()]
    inputs = layout.portable_names([layout.train, *held_out, *synthesis_flags.raw_files(args)])
    hashes = hash_inputs(inputs)
    dataset = read_dataset(layout.train, layout.labels, tokenisation=args.dense_lang)
    texts = [
        sentence.tokens for file in held_out for sentence in read_sentences(file, tokenisation=dataset.tokenisation)
    ]
    warn_of_shared_sentences(layout.train, held_out)
    settings = synthesis_flags.synthesis_settings(args)
    model = llm_flags.model_choice(args) if has_model else None
    guided = model is not None and settings.gives_mentions and model.can_intersect()
    new_synthesis = partial(settings.synthesis, dataset, texts, guided=guided)
    synthesis = new_synthesis()
    report_habits(synthesis.cleaner.writing, dataset)
    raw = read_raw_texts(args.raw, synthesis.cleaner.writing) if args.raw else []
    raw_parameters = {"raw": layout.portable_name(args.raw)} if args.raw else {}
    parameters: Mapping[str, Any]
    counts: SynthesisCounts | RawCounts
    if model is None:
        parameters = {**settings.length_parameters(synthesis), **raw_parameters}
        raw_step = RawStep(layout.synthetic(), layout.run_log, hashes, parameters, args.overwrite)
        dropped, counts = raw_step.run(raw, synthesis)
    else:
        result_parameters = {**settings.result_parameters(synthesis), **raw_parameters}
        step = _llm_step(args, model, inputs, synthesis, result_parameters)
        if estimate := run_flags.estimate_settings(args):
            report_estimate(step, lambda known: plan_rounds(new_synthesis(), known, limit=args.limit), estimate)
            return
        dropped, counts = synthesise(synthesis, step, limit=args.limit, raw=raw)
        parameters = {**step.parameters, **step.result_parameters}
    if args.keep_dropped:
        reasons = dict(sorted(Counter(row["reason"] for row in dropped).items()))
        publish(layout.synthetic_dropped(), dropped, build_manifest("s2", hashes, parameters, reasons))
    report(counts, layout.synthetic(), advice=counts.advice)


def _llm_step(
    args: Namespace,
    model: ModelChoice,
    inputs: Mapping[str, Path],
    synthesis: Synthesis,
    result_parameters: Mapping[str, Any],
) -> LLMStep:
    """Return the step that asks the LLM."""
    layout = data_flags.layout_of(args)
    return LLMStep(
        name="s2",
        model=model,
        result=layout.synthetic(),
        run_log=layout.run_log,
        inputs=inputs,
        parameters=synthesis.generator.parameters,
        result_parameters=result_parameters,
        overwrite=args.overwrite,
        flags=run_flags.repeatable_flags(args),
    )


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
