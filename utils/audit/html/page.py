"""The report as one HTML file, which loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from utils import __version__
from utils.audit.html.charts.pictures import write_pictures
from utils.audit.html.content import PATCH_NAME, Content
from utils.audit.html.doubts import REASONS
from utils.audit.html.encoding import SentenceEncoder, script_json
from utils.audit.html.runs import total
from utils.audit.html.sentences import KINDS
from utils.dataset.layout import SIZES
from utils.files.jsonl import read_json, replace_file
from utils.llm.prices import Prices
from utils.wording import printable

PageLanguage = Literal["en", "zh"]
LANGUAGES: tuple[PageLanguage, ...] = ("en", "zh")
HERE = Path(__file__).parent
SCRIPTS = ("texts", "data", "drawing", "corrections", "panel", "list", "filters", "charts", "main")  # in this order


class Texts:
    """The texts of the page in one language; an unknown key gives its last part, such as the reason of a loss."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def __call__(self, key: str) -> str:
        return self._texts.get(key) or printable(key.removeprefix("reason."))


def read_texts(language: PageLanguage) -> dict[str, str]:
    """Return the texts of a language by key."""
    texts: dict[str, str] = read_json(HERE / "texts" / f"{language}.json")
    return texts


def write_page(path: Path, content: Content, *, language: PageLanguage = "en", prices: Prices | None = None) -> int:
    """Write the report; return the number of its sentences. Raises ModuleNotFoundError without jinja2."""
    page = render_page(content, language=language, prices=prices)
    with replace_file(path) as file:
        file.write(page.encode("utf-8"))
    return len(content.shown.rows)


def render_page(content: Content, *, language: PageLanguage, prices: Prices | None) -> str:
    """Return the HTML of the report."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup
    except ModuleNotFoundError:
        raise ModuleNotFoundError("the page needs the package jinja2: pip install jinja2") from None

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    words = Texts(read_texts(language))
    environment.filters["printable"] = printable

    def chart(figure: Any) -> Markup:
        return Markup(figure.svg(words))  # built from escaped parts

    values = {
        "content": content,
        "layout": content.layout,
        "language": language,
        "version": __version__,
        "t": words,
        "chart": chart,
        "style": Markup(_static("report.css")),
        "script": Markup("\n".join(_static(f"{name}.js") for name in SCRIPTS)),
        "data": Markup(script_json(page_data(content, language))),
        "runs": content.runs,
        "total": total(content.runs),
        "prices": prices,
    }
    return environment.get_template("report.html.j2").render(values)


def write_chart_files(folder: Path, content: Content, *, language: PageLanguage = "en") -> list[Path]:
    """Write the charts as SVG and, with resvg_py, as PNG files; return their paths."""
    words = Texts(read_texts(language))
    return write_pictures(folder, {figure.name: figure.svg(words, in_file=True) for figure in content.figures})


def page_data(content: Content, language: PageLanguage) -> dict[str, Any]:
    """Return the sentences, and what the page's script must know about them."""
    encoder = SentenceEncoder(content.dataset.targets)
    rows = [encoder.encode(row, doubts) for row, doubts in zip(content.shown.rows, content.doubts, strict=True)]
    return {
        "language": language,
        "texts": {name: read_texts(name) for name in LANGUAGES},
        "key": f"{content.layout.file_name}/{content.layout.save_type_name}/{content.digest}",
        "patchName": PATCH_NAME,
        "isDense": content.dataset.tokenisation.is_dense,
        "targets": len(content.dataset.targets),
        "labels": list(encoder.labels),
        "origins": list(encoder.origins),
        "pairs": list(encoder.pairs),
        "kinds": list(KINDS),
        "sizes": list(SIZES),
        "reasons": list(REASONS),
        "rows": rows,
    }


def _static(name: str) -> str:
    return (HERE / "static" / name).read_text(encoding="utf-8")
