"""The flags that several steps share, and the objects that they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from utils.annotation import Annotator, Wording
from utils.cli import (
    Parser,
    UsageError,
    auto_switch,
    count,
    decimal,
    gpus,
    path,
    positive_number,
    share,
    shortest,
    switch,
    whole_number,
)
from utils.dataset import Dataset, read_dataset
from utils.drawing import Drawing
from utils.fusion import Naming
from utils.fusion_files import Merger
from utils.labels import LabelNormaliser
from utils.layout import ENTITY_LABELS, FEW_SHOT, MODES, POS_LABELS, SIZES, Layout, Mode
from utils.llm.base import LLMOptions, can_be_guided, choose_backend
from utils.llm_step import LLMStep, ModelChoice
from utils.prompts import Prompt, Task, read_prompt
from utils.splits import first_sentences
from utils.tokens import Language


def add_dataset_flags(parser: Parser) -> None:
    """Add the flags that say which dataset, and which of its folders of results."""
    flags = parser.add_argument_group("data")
    flags.add_argument("--file_dir", type=path, default=shortest(FEW_SHOT), help="root folder of all datasets")
    flags.add_argument("--file_name", required=True, help="dataset: the name of its folder in file_dir")
    flags.add_argument("--save_type_name", default="GLM4", help="folder of the results, usually the LLM's name")
    flags.add_argument(
        "--dense_lang",
        type=auto_switch,
        default="auto",
        help="1: a token is a character (Chinese, Japanese), 0: a word; auto: decide from the dataset",
    )


def add_llm_flags(parser: Parser, *, batch_size: int) -> None:
    """Add the flags that say which LLM runs, and how."""
    flags = parser.add_argument_group("LLM")
    flags.add_argument(
        "--model_from_pretrained", required=True, help="checkpoint folder, hub id, .gguf file, or recording"
    )
    flags.add_argument(
        "--backend",
        choices=("auto", "transformers", "llamacpp", "scripted"),
        default="auto",
        help="what runs the model; auto: llamacpp for a .gguf file, else transformers",
    )
    flags.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="number format (transformers); auto: bfloat16 where the hardware computes in it",
    )
    add_device_flags(parser, batch_size=batch_size)
    flags.add_argument(
        "--guided",
        type=auto_switch,
        default="auto",
        help="1: hold answers to a grammar, 0: do not; auto: where the backend can (llamacpp)",
    )
    flags.add_argument(
        "--max_new_tokens", type=positive_number, default=None, help="longest answer; default: from each sentence"
    )
    flags.add_argument(
        "--limit", type=positive_number, default=None, help="ask about so many sentences, the first ones"
    )
    flags.add_argument("--trust_remote_code", type=switch, default=False, help="run the code of a hub id's checkpoint")
    flags.add_argument(
        "--overwrite", action="store_true", help="start anew; the old answers are kept as .bak beside the journal"
    )


def add_device_flags(parser: Parser, *, batch_size: int) -> None:
    """Add the flags that say where a model runs, and with how many rows at once."""
    flags = parser.add_argument_group("device")
    flags.add_argument("--n_gpu", type=gpus, default="0", help="index of the GPU; 0,1 several; -1 the CPU")
    flags.add_argument("--batch_size", type=positive_number, default=batch_size, help="prompts or sentences at once")


def add_annotation_flags(parser: Parser) -> None:
    """Add the flags of s1 and s3."""
    flags = parser.add_argument_group("annotation")
    flags.add_argument("--mode", choices=MODES, default="entity", help="what to mark")
    flags.add_argument(
        "--skip",
        type=whole_number,
        default=-1,
        help="how many already processed sentences to pass over; -1: ask for all that the journal lacks",
    )
    flags.add_argument(
        "--shots", type=count, default=0, help="annotated sentences that each prompt shows, from the smallest size"
    )
    add_label_flags(parser)
    add_prompt_flags(parser)
    add_drawing_flags(parser, temperature=0)


def add_prompt_flags(parser: Parser) -> None:
    """Add the flags that say how an LLM is spoken to."""
    flags = parser.add_argument_group("prompt")
    flags.add_argument(
        "--lang",
        choices=("auto", *get_args(Language)),
        default="auto",
        help="language of the prompt; auto: told from the data's script, en for what is none of the others",
    )
    flags.add_argument("--prompt", type=path, default=None, help="a prompt of your own: a file with {sentence} in it")


def add_label_flags(parser: Parser) -> None:
    """Add the flags that name the files which standardise labels."""
    flags = parser.add_argument_group("labels")
    flags.add_argument("--entity_label", type=path, default=shortest(ENTITY_LABELS), help="standardises entity labels")
    flags.add_argument("--pos_label", type=path, default=shortest(POS_LABELS), help="standardises parts of speech")


def add_drawing_flags(parser: Parser, *, temperature: float) -> None:
    """Add the flags that say how answers are drawn."""
    flags = parser.add_argument_group("sampling")
    flags.add_argument("--temperature", type=decimal, default=temperature, help="0: the likeliest word each time")
    flags.add_argument("--top_p", type=share, default=0.9, help="draw from the likeliest words of this probability")
    flags.add_argument("--seed", type=whole_number, default=42, help="each sentence draws from a seed of its own")


def add_merge_flags(parser: Parser, *, is_syn: str) -> None:
    """Add the flags of s5 and s8; `is_syn` says what --is_syn means there."""
    flags = parser.add_argument_group("merge")
    flags.add_argument("--is_syn", type=switch, default="0", help=is_syn)
    flags.add_argument(
        "--label_prefix", default="", help="put before every extension label, to keep it from a target's"
    )
    add_label_flags(parser)


def drawing(args: argparse.Namespace) -> Drawing:
    """Return how the flags say that answers are drawn."""
    return Drawing(args.temperature, args.top_p, args.seed)


def wording(args: argparse.Namespace, dataset: Dataset) -> Wording:
    """Return how s1 and s3 word their questions; raise ValueError for a prompt that cannot be used.

    What a prompt shows comes from the smallest size, which all the others hold: no size learns from outside itself.
    """
    prompt = own_prompt(args, args.mode)
    if args.shots and prompt and "examples" not in prompt.places:
        raise UsageError(f"--shots={args.shots}: {args.prompt} has no {{examples}} where they could go")
    pool = first_sentences(dataset.sentences, min(SIZES.values()))
    return Wording(prompt_language(args, dataset), prompt, args.shots, pool, args.seed)


def own_prompt(args: argparse.Namespace, task: Task) -> Prompt | None:
    """Return the prompt of --prompt; raise ValueError where it cannot be one for the task."""
    return read_prompt(args.prompt, task) if args.prompt else None


def prompt_language(args: argparse.Namespace, dataset: Dataset) -> Language:
    """Return the language that the LLM is spoken to in."""
    return dataset.language if args.lang == "auto" else args.lang


def label_file(args: argparse.Namespace) -> Path:
    """Return the file whose labels an annotation with --mode uses."""
    return args.entity_label if args.mode == "entity" else args.pos_label


def annotator(args: argparse.Namespace, dataset: Dataset) -> Annotator:
    """Return how s1 and s3 ask about the sentences of a dataset."""
    return Annotator.for_dataset(
        args.mode,
        dataset,
        label_file(args),
        wording=wording(args, dataset),
        guided=is_guided(args),
        max_new_tokens=args.max_new_tokens,
        drawing=drawing(args),
    )


def layout_of(args: argparse.Namespace) -> Layout:
    """Return the paths of the dataset that the flags name."""
    return Layout(args.file_dir, args.file_name, args.save_type_name)


def llm_step(
    args: argparse.Namespace, name: str, result: Path, *, inputs: Sequence[Path], parameters: Mapping[str, Any]
) -> LLMStep:
    """Return the step that makes `result` of the answers of the LLM that the flags name."""
    layout = layout_of(args)
    model = model_choice(args)
    return LLMStep(
        name=name,
        model=model,
        result=result,
        run_log=layout.run_log,
        inputs=layout.named(inputs),
        parameters={"model": Path(model.path).name, **parameters},
        overwrite=args.overwrite,
    )


def model_choice(args: argparse.Namespace) -> ModelChoice:
    """Return the LLM that the flags name, after a look at whether it can be what they say."""
    given = args.model_from_pretrained
    here = path(given)
    model = str(here) if here.exists() else given
    options = LLMOptions(args.n_gpu, args.batch_size, args.dtype, args.trust_remote_code)
    return ModelChoice(model, choose_backend(model, args.backend), options)


def is_guided(args: argparse.Namespace) -> bool:
    """Tell whether answers are held to a grammar; raise ValueError where that is asked for and cannot be."""
    able = can_be_guided(model_choice(args).backend)
    if args.guided and not able:
        raise UsageError("--guided=1: this backend cannot be guided; a .gguf file (llamacpp) can")
    return able if args.guided is None else args.guided


def merger(args: argparse.Namespace, step: str) -> Merger:
    """Return what merges extension labels as the flags say, and publishes results as those of `step`."""
    layout = layout_of(args)
    dataset = read_dataset(layout.train, layout.labels, dense=args.dense_lang)
    entity, pos = args.entity_label, args.pos_label
    normalisers: dict[Mode, LabelNormaliser] = {
        "entity": LabelNormaliser.from_files([entity, pos]),
        "pos": LabelNormaliser.from_files([pos, entity]),
    }
    naming = Naming(dataset.targets, normalisers, args.label_prefix)
    return Merger(step, layout, naming, (entity, pos), dataset.dense)
