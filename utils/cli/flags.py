"""The flags that several steps share, and the objects that they stand for."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from utils.asking.model import ModelChoice
from utils.asking.step import LLMStep
from utils.cli.run_flags import add_engine_flags, add_plan_flags, engine
from utils.cli.script import (
    Parser,
    UsageError,
    auto_tokenisation,
    decimal,
    gpus,
    path,
    positive_number,
    probability,
    shortest,
    switch,
)
from utils.dataset.layout import ENTITY_LABELS, FEW_SHOT, POS_LABELS, SAVE_MODEL, Layout
from utils.dataset.modes import Mode
from utils.dataset.reading import read_dataset
from utils.fusion.extension_labels import LabelMapping
from utils.fusion.step import FusionStep
from utils.labels.normaliser import LabelNormaliser
from utils.llm.base import Backend, LLMOptions, choose_backend

log = logging.getLogger(__name__)


def add_dataset_flags(parser: Parser) -> None:
    """Add the flags that say which dataset, and which of its folders of results."""
    flags = parser.add_argument_group("data")
    flags.add_argument("--file_dir", type=path, default=shortest(FEW_SHOT), help="root folder of all datasets")
    flags.add_argument("--file_name", required=True, help="dataset: the name of its folder in file_dir")
    flags.add_argument("--save_type_name", default="GLM4", help="folder of the results, usually the LLM's name")
    flags.add_argument(
        "--dense_lang",
        type=auto_tokenisation,
        default="auto",
        help="1: a token is a character (Chinese, Japanese), 0: a word; auto: decide from the dataset",
    )


def add_llm_flags(parser: Parser, *, batch_size: int, longest: str = "from each sentence") -> None:
    """Add the flags that say which LLM runs, and how; `longest` says how long an answer may be by default."""
    flags = parser.add_argument_group("LLM")
    flags.add_argument(
        "--model_from_pretrained",
        required=True,
        help="checkpoint folder, hub id, .gguf file, recording, or a server's name for its model",
    )
    flags.add_argument(
        "--backend",
        choices=("auto", *get_args(Backend)),
        default="auto",
        help="what runs the model; auto: openai with --api_base, llamacpp for a .gguf file, else transformers",
    )
    flags.add_argument(
        "--api_base", default=None, help="address of an OpenAI-compatible server, http://…/v1; key: OPENAI_API_KEY"
    )
    flags.add_argument(
        "--patience", type=decimal, default=300, help="seconds for which a server may fail without one answer"
    )
    flags.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="number format (transformers); auto: bfloat16 where the hardware computes in it",
    )
    flags.add_argument(
        "--load_in",
        choices=("8bit", "4bit"),
        default=None,
        help="quantise the weights on the GPU (transformers): bitsandbytes, or ChatGLM3's own way",
    )
    add_device_flags(parser, batch_size=batch_size)
    add_engine_flags(parser)
    add_plan_flags(parser)
    flags.add_argument(
        "--max_new_tokens", type=positive_number, default=None, help=f"longest answer; default: {longest}"
    )
    flags.add_argument("--trust_remote_code", type=switch, default=False, help="run the code of a hub id's checkpoint")
    flags.add_argument(
        "--overwrite", action="store_true", help="start anew; the old answers are kept as .bak beside the journal"
    )


def add_models_flag(parser: Parser) -> None:
    """Add the flag that says where the trained span models stand."""
    parser.add_argument("--models", type=path, default=shortest(SAVE_MODEL), help="folder of the trained models")


def add_device_flags(parser: Parser, *, batch_size: int) -> None:
    """Add the flags that say where a model runs, and with how many rows at once."""
    flags = parser.add_argument_group("device")
    flags.add_argument("--n_gpu", type=gpus, default="0", help="index of the GPU; 0,1 several; -1 the CPU")
    flags.add_argument("--batch_size", type=positive_number, default=batch_size, help="prompts or sentences at once")


def add_span_model_flags(parser: Parser, *, batch_size: int, required: bool = True) -> None:
    """Add the flags that say which trained span model runs, and how its scores become spans."""
    flags = parser.add_argument_group("span model")
    flags.add_argument(
        "--model_from_pretrained", type=path, required=required, help="folder of a trained span model, …/best"
    )
    flags.add_argument("--from_pretrained", type=path, help="base encoder; for a checkpoint without a tokenizer")
    flags.add_argument(
        "--threshold", type=probability, help="least score of a span; default: the one chosen with the checkpoint"
    )
    shape = flags.add_mutually_exclusive_group()
    for name, value, meaning in (
        ("flat", False, "no two spans share a token: of those that do, the best is kept"),
        ("nested", True, "spans may lie inside each other; default: as the model was trained"),
    ):
        shape.add_argument(f"--{name}", dest="nested", action="store_const", const=value, help=meaning)
    flags.add_argument(
        "--multi_label", action="store_true", help="all labels of a span over the threshold, not the best"
    )
    add_device_flags(parser, batch_size=batch_size)


def decoding(args: argparse.Namespace) -> dict[str, Any]:
    """Return how a span model's scores become spans, as SpanNer.predict is told; None: as its checkpoint says."""
    return {"threshold": args.threshold, "nested": args.nested, "multi_label": args.multi_label}


def add_label_flags(parser: Parser) -> None:
    """Add the flags that name the files which standardise labels."""
    flags = parser.add_argument_group("labels")
    flags.add_argument("--entity_label", type=path, default=shortest(ENTITY_LABELS), help="standardises entity labels")
    flags.add_argument("--pos_label", type=path, default=shortest(POS_LABELS), help="standardises parts of speech")


def add_merge_flags(parser: Parser, *, is_syn: str) -> None:
    """Add the flags of s5 and s8; `is_syn` says what --is_syn means there."""
    flags = parser.add_argument_group("merge")
    flags.add_argument("--is_syn", type=switch, default="0", help=is_syn)
    flags.add_argument(
        "--label_prefix", default="", help="put before every extension label, to keep it from a target's"
    )
    flags.add_argument(
        "--drop_crossing",
        type=switch,
        nargs="?",
        const=True,
        default=False,
        help="1: leave out extension spans that overlap a target span in part; they are counted in any case",
    )
    add_label_flags(parser)


def layout_of(args: argparse.Namespace) -> Layout:
    """Return the paths of the dataset that the flags name."""
    return Layout(args.file_dir, args.file_name, args.save_type_name)


def llm_step(
    args: argparse.Namespace,
    name: str,
    result: Path,
    *,
    inputs: Sequence[Path],
    parameters: Mapping[str, Any],
    result_parameters: Mapping[str, Any] | None = None,
) -> LLMStep:
    """Return the step that makes `result` of the answers of the LLM that the flags name."""
    layout = layout_of(args)
    model = model_choice(args)
    return LLMStep(
        name=name,
        model=model,
        result=result,
        run_log=layout.run_log,
        inputs=layout.portable_names(inputs),
        parameters=parameters,
        overwrite=args.overwrite,
        result_parameters=result_parameters or {},
    )


def model_choice(args: argparse.Namespace) -> ModelChoice:
    """Return the LLM that the flags name, after a look at whether it can be what they say."""
    given = args.model_from_pretrained
    here = path(given)
    model = str(here) if here.exists() else given
    backend = choose_backend(given if args.api_base else model, args.backend, args.api_base)
    if args.load_in and backend != "transformers":
        raise UsageError(
            f"--load_in={args.load_in}: the backend transformers alone quantises; this model runs on {backend}"
        )
    options = LLMOptions(
        gpus=args.n_gpu,
        batch_size=args.batch_size,
        dtype=args.dtype,
        trust_remote_code=args.trust_remote_code,
        api_base=args.api_base,
        patience=args.patience,
        load_in=args.load_in,
    )
    return ModelChoice(given if backend == "openai" else model, backend, options, engine(args))


def is_guided(args: argparse.Namespace) -> bool:
    """Tell whether answers are held to a grammar; raise ValueError where that is asked for and cannot be."""
    model = model_choice(args)
    if args.guided is False:
        return False
    able = model.can_be_guided()
    if args.guided and not able:
        which = f"the server {args.api_base}" if args.api_base else f"{model.path} ({model.backend})"
        raise UsageError(
            f"--guided=1: {which} cannot be guided: leave the flag out, or take a .gguf file or another checkpoint"
        )
    if args.api_base and not able:
        log.info("%s does not hold answers to a grammar: they are not guided", args.api_base)
    return able


def fusion_step(args: argparse.Namespace, step: str) -> FusionStep:
    """Return the step of s5 or s8 that the flags describe."""
    layout = layout_of(args)
    dataset = read_dataset(layout.train, layout.labels, tokenisation=args.dense_lang)
    entity, pos = args.entity_label, args.pos_label
    normalisers: dict[Mode, LabelNormaliser] = {
        "entity": LabelNormaliser.from_files([entity, pos]),
        "pos": LabelNormaliser.from_files([pos, entity]),
    }
    mapping = LabelMapping(dataset.targets, normalisers, args.label_prefix)
    return FusionStep(step, layout, mapping, (entity, pos), dataset.tokenisation, args.drop_crossing)
