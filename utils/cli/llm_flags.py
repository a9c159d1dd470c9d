"""The flags that choose an LLM, its prompt and its sampling."""

from __future__ import annotations

import argparse
from typing import get_args

from utils.asking.batch.choice import BatchChoice
from utils.asking.model import ModelChoice
from utils.asking.sampling import SamplingSettings
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.run_flags import (
    DefaultNumber,
    add_device_flags,
    add_engine_flags,
    add_estimate_flags,
    add_server_limit_flags,
    check_server_limits,
    engine,
    prices,
)
from utils.cli.values import decimal, new_path, not_empty, path, positive_number, share, switch, whole_number
from utils.dataset.modes import Task
from utils.dataset.tokens import Language
from utils.llm.base import Backend, LLMOptions, choose_backend
from utils.llm.batch.lines import MAX_LINES
from utils.prompts import Prompt, read_prompt


def add_llm_flags(
    parser: Parser,
    *,
    batch_size: int,
    max_new_tokens: str = "based on the sentence's length",
    required: bool = True,
    local_workers: str = "",
) -> None:
    """Add the flags that choose an LLM and how it runs; `max_new_tokens` describes the default of that flag.

    `local_workers` says what several processes do without Ray, in a step that uses them. Without `required`, the script
    may also run without an LLM.
    """
    flags = parser.add_argument_group("LLM")
    _add_model_flags(flags, required=required)
    flags.add_argument(
        "--max_new_tokens",
        type=positive_number,
        default=None,
        help=f"maximum length of an answer in tokens; default: {max_new_tokens}",
    )
    flags.add_argument(
        "--trust_remote_code",
        type=switch,
        default=False,
        help="1: allow the checkpoint of a Hub id to run its own Python code",
    )
    flags.add_argument(
        "--overwrite",
        action="store_true",
        help="start from the beginning; the old answers are kept in a .bak file next to the journal",
    )
    _add_batch_flags(parser)
    add_device_flags(
        parser, batch_size=batch_size, on_gpu="; on a GPU, without this flag: as many as fit into its free memory"
    )
    add_engine_flags(parser, local_workers=local_workers)
    add_estimate_flags(parser)
    add_server_limit_flags(parser)


def _add_model_flags(flags: argparse._ArgumentGroup, *, required: bool) -> None:
    flags.add_argument(
        "--model_from_pretrained",
        type=not_empty,
        required=required,
        help="the LLM: a checkpoint folder, a Hub id, a .gguf file, a file of recorded answers, or the name of a "
        "server's model",
    )
    flags.add_argument(
        "--backend",
        choices=("auto", *get_args(Backend)),
        default="auto",
        help="library that runs the model; auto: openai with --api_base, llamacpp for a .gguf file, else transformers",
    )
    flags.add_argument(
        "--api_base",
        type=not_empty,
        default=None,
        help="base URL of an OpenAI-compatible server, http://…/v1; the environment variable OPENAI_API_KEY contains "
        "its key",
    )
    flags.add_argument(
        "--patience",
        type=decimal,
        default=None,
        help="with --api_base: end the run after this number of seconds without any answer; default: 300",
    )
    flags.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="data type of the weights (transformers); auto: bfloat16 if the hardware supports it",
    )
    flags.add_argument(
        "--load_in",
        choices=("8bit", "4bit"),
        default=None,
        help="quantise the weights on the GPU (transformers), with bitsandbytes or ChatGLM3's own method",
    )


def _add_batch_flags(parser: Parser) -> None:
    """Add the flags that ask questions in batch files."""
    flags = parser.add_argument_group("batch files")
    flags.add_argument(
        "--batch",
        type=new_path,
        default=None,
        help="folder of batch files in OpenAI's format: questions are written there instead of being asked, and the "
        "results that are put there are read by the next run of the same command",
    )
    flags.add_argument(
        "--submit",
        action="store_true",
        help="with --batch: send the files to the batch service at --api_base, wait, and download the results",
    )
    flags.add_argument(
        "--batch_lines",
        type=positive_number,
        default=None,
        help=f"with --batch: maximum number of questions in a file; default: {MAX_LINES}, as services allow",
    )


def add_prompt_flags(parser: Parser) -> None:
    """Add the flags that choose the prompt."""
    flags = parser.add_argument_group("prompt")
    flags.add_argument(
        "--lang",
        choices=("auto", *get_args(Language)),
        default="auto",
        help="language of the prompt; auto: detected from the dataset's characters; en if they are not zh, ja or ko",
    )
    flags.add_argument(
        "--prompt",
        type=path,
        default=None,
        help="file with your own prompt; it must contain {sentence} (for s2, also {entities}); a file that begins with "
        "[system] or [user] is a chat (utils/prompts/target.en.txt)",
    )


def add_sampling_flags(parser: Parser, *, temperature: float | None, auto: str = "") -> None:
    """Add the flags that control how answers are sampled; `auto` describes the default if the temperature is None."""
    flags = parser.add_argument_group("sampling")
    flags.add_argument(
        "--temperature",
        type=decimal,
        default=temperature,
        help="sampling temperature; 0: greedy decoding" + (f"; default: {auto}" if auto else ""),
    )
    flags.add_argument(
        "--top_p",
        type=share,
        default=0.9,
        help="nucleus sampling: sample from the most likely tokens that together have this probability",
    )
    flags.add_argument(
        "--seed", type=whole_number, default=42, help="random seed; each answer's own seed is derived from it"
    )


def model_choice(args: argparse.Namespace, *, local_workers: bool = False) -> ModelChoice:
    """Return the LLM that the flags name; raise ValueError or FileNotFoundError if it cannot be run.

    `local_workers`: the step uses several processes without Ray, too.
    """
    given = args.model_from_pretrained
    here = path(given)
    model = str(here) if here.exists() else given
    batch = _batch_choice(args)
    if batch is not None and not args.api_base:
        backend: Backend = "openai"  # a service that is not asked from here
    else:
        backend = choose_backend(given if args.api_base else model, args.backend, args.api_base)
    if args.load_in and backend != "transformers":
        raise UsageError(
            f"--load_in={args.load_in}: only the transformers backend can quantise; this model runs on {backend}"
        )
    if args.dtype != "auto" and backend not in ("transformers", "vllm"):
        raise UsageError(f"--dtype={args.dtype}: only transformers and vllm use it; this model runs on {backend}")
    if args.patience is not None and backend != "openai":
        raise UsageError(f"--patience={args.patience:g} needs --api_base: it is for models on a server")
    check_server_limits(args)
    options = LLMOptions(
        gpus=args.n_gpu,
        batch_size=args.batch_size,
        fills_gpu=isinstance(args.batch_size, DefaultNumber),
        dtype=args.dtype,
        trust_remote_code=args.trust_remote_code,
        api_base=args.api_base,
        patience=LLMOptions.patience if args.patience is None else args.patience,
        load_in=args.load_in,
        requests_per_minute=args.requests_per_minute,
        tokens_per_minute=args.tokens_per_minute,
        prices=prices(args),
        max_cost=args.max_cost,
    )
    where = engine(args, local_workers=local_workers)
    return ModelChoice(given if backend == "openai" else model, backend, options, where, batch)


def _batch_choice(args: argparse.Namespace) -> BatchChoice | None:
    """Return the folder of batch files, None without --batch; raise UsageError for flags that do not fit together."""
    if args.batch is None:
        for name in ("submit", "batch_lines"):
            if getattr(args, name):
                raise UsageError(f"--{name} needs --batch=FOLDER")
        return None
    if args.backend not in ("auto", "openai"):
        raise UsageError(f"--batch: its files are for services with OpenAI's API, not for --backend={args.backend}")
    if args.submit and not args.api_base:
        raise UsageError("--submit needs --api_base, the address of the batch service")
    if args.engine == "ray" or args.time:
        raise UsageError(f"--batch and --{'engine=ray' if args.engine == 'ray' else 'time'} cannot be used together")
    if args.batch.is_file():
        raise UsageError(f"--batch: {args.batch} is a file, but it must be a folder")
    return BatchChoice(args.batch, args.submit, args.batch_lines or MAX_LINES)


def own_prompt(args: argparse.Namespace, task: Task) -> Prompt | None:
    """Return the prompt in the file of --prompt; raise ValueError if it cannot be used for the task."""
    return read_prompt(args.prompt, task) if args.prompt else None


def prompt_language(args: argparse.Namespace) -> Language | None:
    """Return the language of the prompt; None: the dataset's."""
    return None if args.lang == "auto" else args.lang


def sampling_settings(args: argparse.Namespace) -> SamplingSettings:
    """Return how answers are sampled, with a temperature that is given or has a default."""
    return SamplingSettings(args.temperature, args.top_p, args.seed)
