"""The flags of train_ner.py and ablate.py that say how a span model learns and computes."""

from __future__ import annotations

from argparse import Namespace
from typing import get_args

from utils.cli.parser import Parser
from utils.cli.values import count, decimal, gpus, positive_number, seeds, whole_number
from utils.ner.cell_targets import SyntheticTargets
from utils.ner.config import Architecture
from utils.ner.training.record import SAVE_MINUTES
from utils.ner.training.settings import Order, Precision, TrainSettings


def add_learning_flags(parser: Parser) -> None:
    """Add the flags of hyper-parameters."""
    default = TrainSettings()
    _add_model_flags(parser, default)
    _add_length_flags(parser, default)
    _add_optimizer_flags(parser, default)
    _add_synthetic_flags(parser, default)


def _add_model_flags(parser: Parser, default: TrainSettings) -> None:
    model = parser.add_argument_group("model and seeds")
    model.add_argument("--model", choices=get_args(Architecture), default=default.span_model, help="architecture")
    model.add_argument("--seed", type=whole_number, help=f"random seed; default: {default.seed}")
    model.add_argument(
        "--seeds",
        type=seeds,
        help="several seeds, such as 1,2,3: train once with each, and report mean and standard deviation",
    )
    model.add_argument(
        "--encoder_layers",
        type=positive_number,
        help="number of encoder layers to keep, counted from the bottom; default: all. Fewer layers are faster, and "
        "may score better with sentence-embedding models (E5, MiniLM, BGE)",
    )


def _add_length_flags(parser: Parser, default: TrainSettings) -> None:
    length = parser.add_argument_group("length of the training")
    length.add_argument(
        "--epochs", type=positive_number, default=default.epochs, help="number of passes over the training data"
    )
    length.add_argument(
        "--min_steps",
        type=positive_number,
        default=default.min_steps,
        help="minimum number of steps: small datasets get more epochs than --epochs; 1: exactly --epochs",
    )
    length.add_argument(
        "--patience",
        type=positive_number,
        default=default.patience,
        help="early stopping: end after this number of evaluations without a better dev F1, counted from the first F1 "
        "above 0",
    )


def _add_optimizer_flags(parser: Parser, default: TrainSettings) -> None:
    optimizer = parser.add_argument_group("optimizer and loss")
    optimizer.add_argument(
        "--batch_size", type=positive_number, help="sentences in a batch; default: 4, or 8 with over 1000 sentences"
    )
    optimizer.add_argument(
        "--accumulate",
        type=positive_number,
        default=default.accumulate,
        help="gradient accumulation: number of batches per optimizer step",
    )
    optimizer.add_argument(
        "--warmup_steps",
        type=count,
        default=default.warmup_steps,
        help="number of warm-up steps of the learning rate; limited to a tenth of all steps",
    )
    for name, value, meaning in (
        ("lr", default.encoder_lr, "learning rate of the encoder's top layer"),
        ("layer_decay", default.layer_decay, "learning rate of an encoder layer, relative to the layer above it"),
        ("head_lr", default.head_lr, "learning rate of all other layers"),
        ("weight_decay", default.weight_decay, "weight decay of all parameters except biases and layer norms"),
        ("clip_norm", default.clip_norm, "maximum gradient norm (gradient clipping)"),
        (
            "ema",
            default.ema,
            "decay of the moving average of the weights; the average is saved; 0: save the weights themselves",
        ),
        (
            "adversarial",
            default.adversarial,
            "adversarial training of gold sentences in every second step: size of the perturbation, relative to the "
            "norm of the embeddings; 0: none",
        ),
    ):
        optimizer.add_argument(f"--{name}", type=decimal, default=value, help=meaning)


def _add_synthetic_flags(parser: Parser, default: TrainSettings) -> None:
    synthetic = parser.add_argument_group("synthetic sentences (--data=syn_fusion)")
    synthetic.add_argument(
        "--synthetic_targets",
        choices=get_args(SyntheticTargets),
        default=default.synthetic_targets,
        help="how their target labels are learnt: hard (the spans that s7 predicts), soft (the scores of s7 as "
        "probabilities), agreed (only spans that both s7 and the LLM find are positive; those that only one of them "
        "finds are left out of the loss), fused (the scores, raised or lowered by what the LLM finds). Without target "
        "labels of the LLM (s3 --mode=target), agreed is hard, and fused is soft",
    )
    synthetic.add_argument(
        "--synthetic_weight",
        type=decimal,
        default=default.synthetic_weight,
        help="their weight in the loss; the weight of others is 1",
    )
    synthetic.add_argument(
        "--order",
        choices=get_args(Order),
        default=default.order,
        help="synthetic_first: the first half of the epochs has only synthetic sentences, the rest only gold ones",
    )


def add_computing_flags(parser: Parser) -> None:
    """Add the flags that say where and how a training computes."""
    flags = parser.add_argument_group("computing")
    flags.add_argument("--n_gpu", type=gpus, default="0", help="index of the GPU; -1: use the CPU")
    flags.add_argument(
        "--precision",
        choices=get_args(Precision),
        default=TrainSettings().precision,
        help="precision of the training; auto: bf16 if the GPU supports it, else fp32. Evaluation and the saved "
        "model are always fp32",
    )
    flags.add_argument(
        "--checkpoint_gradients",
        action="store_true",
        help="gradient checkpointing: save memory by computing the encoder twice in each step",
    )
    flags.add_argument(
        "--save_minutes",
        type=decimal,
        default=SAVE_MINUTES,
        help="minutes between saves of the training state; an interruption loses at most this much work",
    )


def train_settings(args: Namespace) -> TrainSettings:
    """Return the hyper-parameters; raise ValueError for those that cannot be used."""
    return TrainSettings(
        span_model=args.model,
        seed=TrainSettings().seed if args.seed is None else args.seed,
        encoder_layers=args.encoder_layers,
        epochs=args.epochs,
        min_steps=args.min_steps,
        batch_size=args.batch_size,
        encoder_lr=args.lr,
        head_lr=args.head_lr,
        weight_decay=args.weight_decay,
        warmup_steps=args.warmup_steps,
        clip_norm=args.clip_norm,
        patience=args.patience,
        accumulate=args.accumulate,
        synthetic_weight=args.synthetic_weight,
        synthetic_targets=args.synthetic_targets,
        order=args.order,
        precision=args.precision,
        ema=args.ema,
        layer_decay=args.layer_decay,
        adversarial=args.adversarial,
    )
