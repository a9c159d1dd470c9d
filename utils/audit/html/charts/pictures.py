"""Files of the charts: SVG, and PNG if the package that draws it is installed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from utils.files.jsonl import replace_file

log = logging.getLogger(__name__)

ZOOM = 3  # pixels of a PNG for one of the SVG: about 300 to the inch in a column of a paper


def write_pictures(folder: Path, charts: Mapping[str, str]) -> list[Path]:
    """Write each chart as <name>.svg and <name>.png into a folder; return the paths.

    Without the package resvg_py there are no PNG files, and a line says so.
    """
    written = []
    for name, svg in charts.items():
        written.append(_write(folder / f"{name}.svg", svg.encode()))
    try:
        from resvg_py import svg_to_bytes
    except ModuleNotFoundError:
        log.info("there are no PNG files, because resvg_py is missing: pip install resvg-py, and run the command again")
        return written
    for name, svg in charts.items():
        written.append(_write(folder / f"{name}.png", bytes(svg_to_bytes(svg_string=svg, zoom=ZOOM))))
    return written


def _write(path: Path, content: bytes) -> Path:
    with replace_file(path) as file:
        file.write(content)
    return path
