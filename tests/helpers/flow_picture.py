"""Draws docs/flow-light.svg and docs/flow-dark.svg, the flow of files, from the names in the layout.

python -m tests.helpers.flow_picture
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from utils.dataset.layout import FEW_SHOT, Layout, Size

DOCS = Path(__file__).resolve().parents[2] / "docs"
SIZE: Size = "250"  # written as <size>
LEFT, RIGHT, BOX, STEP, ROW = 60, 500, 340, 68, 112  # x of the two columns, width and height of a box, distance of rows
WIDTH = RIGHT + BOX + 20
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


@dataclass(frozen=True)
class Colours:
    """The colours of a picture."""

    text: str
    quiet: str
    line: str
    box: str
    result: str  # box of what a span model is trained on
    step: str


COLOURS = {
    "light": Colours("#1f2328", "#59636e", "#848d97", "#f6f8fa", "#dafbe1", "#0550ae"),
    "dark": Colours("#e6edf3", "#9198a1", "#656c76", "#161b22", "#12361f", "#79c0ff"),
}


@dataclass(frozen=True)
class Box:
    """Files in the picture, under a heading."""

    column: int  # x of its left side
    row: int
    heading: str
    files: tuple[str, ...]
    is_result: bool = False

    @property
    def top(self) -> int:
        return 20 + self.row * ROW

    @property
    def middle(self) -> int:
        return self.column + BOX // 2


def boxes() -> dict[str, Box]:
    """Return the boxes by name, with the names that the layout gives to the files."""
    layout = Layout(FEW_SHOT, "weibo", "GLM4")
    model = layout.model_folder(SIZE, "fusion") / "best"
    return {
        "sentences": Box(LEFT, 0, "your annotated sentences", names(layout.train, layout.labels)),
        "synthetic": Box(RIGHT, 0, "synthetic sentences", names(layout.synthetic())),
        "extra": Box(LEFT, 1, "extra entities, parts of speech", annotated(layout, synthetic=False)),
        "extra_synthetic": Box(RIGHT, 1, "extra entities, parts of speech", annotated(layout, synthetic=True)),
        "fusion": Box(LEFT, 2, "fusion", names(layout.size_fusion(SIZE), layout.label_file("fusion", SIZE)), True),
        "sizes": Box(RIGHT, 2, "25 %, 50 % and 100 % of them", names(layout.size_sentences(SIZE, synthetic=True))),
        "model": Box(LEFT, 3, "a span model for each size", (sized(f"{model.parent.name}/{model.name}"),)),
        "targets": Box(RIGHT, 3, "with target labels", names(layout.size_target(SIZE))),
        "syn_fusion": Box(
            RIGHT,
            4,
            "syn_fusion: synthetic and fusion sentences",
            names(layout.size_fusion(SIZE, synthetic=True), layout.label_file("syn_fusion", SIZE)),
            True,
        ),
    }


# From one box to another, with what is run.
ARROWS = (
    ("sentences", "synthetic", "s2"),
    ("sentences", "extra", "s1"),
    ("synthetic", "extra_synthetic", "s3"),
    ("extra", "fusion", "s4, s5"),
    ("extra_synthetic", "sizes", "s4"),
    ("fusion", "model", "train_ner.py"),
    ("sizes", "targets", "s7"),
    ("model", "targets", "s7"),
    ("targets", "syn_fusion", "s5, s6, s8"),
    ("fusion", "syn_fusion", "s6, s8"),
)


def names(*files: Path) -> tuple[str, ...]:
    return tuple(sized(file.name) for file in files)


def annotated(layout: Layout, *, synthetic: bool) -> tuple[str, ...]:
    """Return the names of the results of s1 or s3."""
    entity, pos = (layout.annotation_file(mode, synthetic=synthetic) for mode in ("entity", "pos"))
    return names(entity, pos)


def sized(name: str) -> str:
    """Return a name with <size> in the place of the size."""
    return name.replace(f"_{SIZE}", "_<size>")


def picture(colours: Colours) -> str:
    """Return the picture as SVG."""
    found = boxes()
    height = max(box.top for box in found.values()) + STEP + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="{FONT}">',
        "<title>The flow of files: from annotated sentences to fusion and syn_fusion</title>",
        f'<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{colours.line}"/></marker></defs>',
        *(arrow(found[start], found[end], label, colours) for start, end, label in ARROWS),
        *(drawn(box, colours) for box in found.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def drawn(box: Box, colours: Colours) -> str:
    """Return a box with its heading and its files."""
    fill = colours.result if box.is_result else colours.box
    lines = [
        f'<text x="{box.column + 12}" y="{box.top + 38 + 16 * number}" font-size="12" fill="{colours.text}">'
        f"{escape(file)}</text>"
        for number, file in enumerate(box.files)
    ]
    return (
        f'<rect x="{box.column}" y="{box.top}" width="{BOX}" height="{STEP}" rx="8" fill="{fill}" '
        f'stroke="{colours.line}"/>'
        f'<text x="{box.column + 12}" y="{box.top + 19}" font-size="12" font-family="sans-serif" '
        f'fill="{colours.quiet}">{escape(box.heading)}</text>{"".join(lines)}'
    )


def arrow(start: Box, end: Box, label: str, colours: Colours) -> str:
    """Return the arrow between two boxes and its label: downwards, to the right, or around the boxes between them."""
    if start.column == end.column:
        path, x, y = f"M{start.middle},{start.top + STEP} V{end.top - 2}", start.middle + 10, end.top - ROW // 2 + 34
        anchor = "start"
    elif start.row == end.row:
        height = start.top + STEP // 2
        path = f"M{start.column + BOX},{height} H{end.column - 2}"
        x, y = (start.column + BOX + end.column) // 2, height - 8
        anchor = "middle"
    else:
        down, side = end.top + STEP // 2, start.column - 30
        path = f"M{start.column},{start.top + STEP // 2} H{side} V{down} H{end.column - 2}"
        x, y, anchor = end.column - 60, down - 8, "middle"
    line = f'<path d="{path}" fill="none" stroke="{colours.line}" stroke-width="1.5" marker-end="url(#tip)"/>'
    return (
        f'{line}<text x="{x}" y="{y}" font-size="13" font-weight="600" text-anchor="{anchor}" fill="{colours.step}">'
        f"{escape(label)}</text>"
    )


def main() -> None:
    for name, colours in COLOURS.items():
        (DOCS / f"flow-{name}.svg").write_text(picture(colours), encoding="utf-8")


if __name__ == "__main__":
    main()
