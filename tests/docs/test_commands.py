"""The command blocks of the READMEs and of docs/ run, in the order of the pages, unless they are marked."""

from __future__ import annotations

import io
import json

import pytest

from tests.helpers.builders import ROOT
from tests.helpers.doc_pages import Page, english_pages
from tests.helpers.doc_runner import DocRunner, use_models_of

STEPS_PAGE = Page(ROOT / "docs" / "steps.md")
# Text in a block that trains many models: only tests/run.sh --all runs it.
LONG = ("run_weibo.sh", "run_movie.sh", "ablate.py", "export_ner.py")
# The blocks about a dataset of one's own use the results that the steps have made.
ORDER = ["s1", "s2", "s3", "s4", "s5", "s6", "train", "train", "train", "s7", "s8", "train", "report"]
RESULTS = {"--file_name=mine": "--file_name=weibo", "--save_type_name=Qwen2.5": "--save_type_name=GLM4"}


def blocks():
    """Return the blocks that are to be run, except the commands of the steps, which the fixture runs."""
    return [
        pytest.param(block, id=f"{page.name}:{block.line}", marks=[pytest.mark.slow] if is_long(block) else [])
        for page in english_pages()
        for block in page.blocks()
        if block.is_command and block.not_run is None and not is_of_steps(page, block)
    ]


def is_long(block):
    return any(name in block.text for name in LONG)


def is_of_steps(page, block):
    return page == STEPS_PAGE and block.text.count("python syn_pipelines/s") == 8


@pytest.fixture(scope="session")
def runner(tmp_path_factory):
    """A folder in which the commands of docs/steps.md have run."""
    made = DocRunner(tmp_path_factory.mktemp("docs"))
    with pytest.MonkeyPatch.context() as patch:
        use_models_of(made, patch)
        (block,) = (one for one in STEPS_PAGE.blocks() if is_of_steps(STEPS_PAGE, one))
        names = made.run(block.text)
    assert [name.split("_")[0] for name in names] == ORDER
    return made


@pytest.fixture
def here(request, tmp_path, monkeypatch):
    """The runner, or a new one for a block that runs the whole pipeline; the test works in its folder."""
    if "bash syn_pipelines/run_" in request.getfixturevalue("block").text:
        runner = DocRunner(tmp_path)
    else:
        runner = request.getfixturevalue("runner")
        monkeypatch.setattr(runner, "files", {**runner.files, **RESULTS})
    use_models_of(runner, monkeypatch)
    monkeypatch.chdir(runner.folder)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("邓超在北京".encode()), encoding="utf-8"))
    return runner


def test_the_commands_of_the_steps_make_the_result(runner):
    results = runner.file_dir / "weibo" / "GLM4" / "250"
    assert (results / "train_250_synthetic_fusion.jsonl").is_file()
    assert (runner.save_model / "GLM4" / "weibo_250_syn_fusion" / "best" / "config.json").is_file()


def keys_of(value):
    """Return the keys of a row, and those of the rows in its lists."""
    inner = {name: [keys_of(one) for one in rows] for name, rows in value.items() if is_list_of_rows(rows)}
    return {name: set().union(*(keys.keys() for keys in inner.get(name, []))) for name in value}


def is_list_of_rows(value):
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def test_the_example_lines_of_the_steps_have_the_keys_of_the_results(runner):
    examples = [json.loads(block.text) for block in STEPS_PAGE.blocks() if block.language == "json"]
    results = runner.file_dir / "weibo" / "GLM4"
    names = ["entity_train_1000.jsonl", "train_1000_synthetic.jsonl", "250/train_250_fusion.jsonl"]
    names += ["250/label_fusion.json", "250/train_250_synthetic_target.jsonl"]
    for name, example in zip(names, examples, strict=True):
        text = (results / name).read_text(encoding="utf-8")
        if name.endswith(".json"):
            assert [set(entry) for entry in example.values()] == [{"idx", "count", "is_target"}] * 3
            assert set(json.loads(text)["O"]) == {"idx", "count", "is_target"}
            continue
        rows = [keys_of(json.loads(line)) for line in text.splitlines()]
        assert keys_of(example).keys() == rows[0].keys(), name
        for key, inner in keys_of(example).items():
            assert inner <= set().union(*(row[key] for row in rows)), (name, key)


@pytest.mark.parametrize("block", blocks())
def test_a_block_of_the_documentation_runs(here, block):
    if "export_ner.py" in block.text:
        pytest.importorskip("onnxscript")
    if block.language == "python":
        here.run_python(block.text)
    else:
        assert here.run(block.text) != []


def test_most_blocks_are_run():
    marked = [block for page in english_pages() for block in page.blocks() if block.is_command and block.not_run]
    assert len(marked) < len(blocks())
