"""The sets of flags that are tried for base, so that no variant wins only because base was trained badly."""

from __future__ import annotations

from pathlib import Path

from utils.ablation.variants import Flags
from utils.files.jsonl import read_json

MORE_EPOCHS = 2  # times as many


def built_in_grid(encoder: str, given: Flags) -> list[Flags]:
    """Return sets of flags, the most promising first; the first is {}, the flags of the command line.

    `given` are the values of the command line. With 12 layers, --lr=2e-4 and --epochs=12: nine layers; half the
    rate; 24 epochs; twice the rate; nine layers and half the rate; six layers; nine layers and 24 epochs.
    """
    layers = given["encoder_layers"] or _layers(encoder)
    fewer = {"encoder_layers": round(layers * 3 / 4)} if layers and layers >= 4 else {}
    fewest = {"encoder_layers": layers // 2} if layers and layers >= 4 else {}
    slower, faster = {"lr": given["lr"] / 2}, {"lr": given["lr"] * 2}
    longer = {"epochs": given["epochs"] * MORE_EPOCHS}
    grid = [{}, fewer, slower, longer, faster, {**fewer, **slower}, fewest, {**fewer, **longer}]
    return [flags for number, flags in enumerate(grid) if flags not in grid[:number]]


def _layers(encoder: str) -> int | None:
    """Return the number of layers of an encoder; None if it is not in a folder or its configuration has none."""
    config = Path(encoder) / "config.json"
    found = read_json(config) if config.is_file() else {}
    layers = found.get("num_hidden_layers") if isinstance(found, dict) else None
    return layers if isinstance(layers, int) else None
