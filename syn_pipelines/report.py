"""Show the training data of a size: numbers of sentences and spans, and the test F1 of the models trained on it.

    python syn_pipelines/report.py --file_name=weibo --save_type_name=GLM4 --size=1000
    python syn_pipelines/report.py --file_name=weibo --save_type_name=GLM4 --html

With --html, it writes a page instead, to look at the results of all steps, and to correct the sentences. With
--pictures, it writes the charts of that page as files.

Reads   the training data of a size (base, fusion and syn_fusion), and of the model trained on each
        save_model/<save_type_name>/<file_name>_<size>_<data>/test_report.json or, if it was trained with several seeds,
        seeds.json; for base, save_model/<file_name>_<size>_base/. A model that was trained on other data than there
        are now is not shown without a note.
Writes  to the screen or, with --html, <file_dir>/<file_name>/<save_type_name>/report.html; with --pictures, SVG and PNG
        files in pictures/ beside it
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.ablation.results.finished import ablation_line
from utils.audit.html.content import read_content
from utils.audit.html.page import write_chart_files, write_page
from utils.audit.results import result_lines
from utils.cli import data_flags, report_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start, write_lines
from utils.dataset.layout import Layout, require_results
from utils.dataset.reading import require_dataset
from utils.wording import counted

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    data_flags.add_size_flag(parser)
    data_flags.add_models_flag(parser)
    report_flags.add_html_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Write the page and the pictures or, without their flags, the table with its title and legend."""
    layout = data_flags.unchecked_layout(args)  # models can be shown without the dataset
    if args.html is not None or args.pictures is not None:
        write_html(args, layout)
        return
    report_flags.prices(args)
    if layout.dataset.is_dir():
        require_results(layout)
    lines = result_lines(layout, args.size, args.models, tokenisation=args.dense_lang)
    write_lines([*lines, *filter(None, [ablation_line(layout)])])


def write_html(args: Namespace, layout: Layout) -> None:
    """Write the page and the pictures that the flags ask for, and say where they are."""
    page = report_flags.path_or_default(args.html, layout.html_report)
    pictures = report_flags.path_or_default(args.pictures, layout.pictures)
    prices = report_flags.prices(args)
    require_dataset(layout.train)
    require_results(layout)
    content = read_content(layout, args.models, data_flags.dataset_words(args), tokenisation=args.dense_lang)
    if page is not None:
        number = write_page(page, content, language=args.lang, prices=prices)
        report(f"showed {counted(number, 'sentence')} and {counted(len(content.figures), 'chart')}", page)
    if pictures is not None:
        written = write_chart_files(pictures, content, language=args.lang)
        report(f"wrote {counted(len(written), 'picture')}", pictures)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
