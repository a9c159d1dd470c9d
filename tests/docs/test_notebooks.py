"""The tutorial notebook, and every script opened cell by cell, run in a real Jupyter kernel."""

from __future__ import annotations

import importlib
import json

import pytest

from tests.helpers.builders import ROOT, SCRIPTS
from tests.helpers.span_models import make_encoder

TUTORIAL = SCRIPTS / "tutorial.ipynb"
QUICK = {"epochs": 40, "min_steps": 1, "lr": 0.004, "adversarial": 0, "ema": 0, "n_gpu": -1}
NAMES = sorted(path.stem for path in SCRIPTS.glob("[!_]*.py"))
LOCAL = {"": ROOT, "syn_pipelines": SCRIPTS}


def source(cell):
    return "".join(cell["source"])


def tutorial_cells():
    return json.loads(TUTORIAL.read_text(encoding="utf-8"))["cells"]


def cells_of(script):
    """Return the cells of a script, in which `cmd_args` is False."""
    text = (SCRIPTS / f"{script}.py").read_text(encoding="utf-8")
    assert "\ncmd_args = True" in text
    return text.replace("\ncmd_args = True", "\ncmd_args = False").split("\n# %%\n")


def has_required_flag(script):
    return any(action.required for action in importlib.import_module(script).build_parser()._actions)


def run_cells(cells, folder):
    """Run cells in a new kernel that was started in a folder; return the executed cells."""
    client = pytest.importorskip("nbclient", reason="nbclient is not installed (tests/requirements.txt)")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed (tests/requirements.txt)")
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    runner = client.NotebookClient(
        notebook, timeout=600, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    return runner.execute().cells


def errors_of(cell):
    return [output for output in cell.outputs if output.output_type == "error"]


def test_the_tutorial_has_no_outputs():
    codes = [cell for cell in tutorial_cells() if cell["cell_type"] == "code"]
    assert len(codes) > 8
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in codes)


def test_the_tutorial_begins_with_ten_sentences():
    (bio,) = (source(cell) for cell in tutorial_cells() if source(cell).startswith("BIO"))
    assert bio.count("\n\n") == 9


@pytest.mark.slow
@pytest.mark.parametrize("folder", LOCAL.values(), ids=["root", "syn_pipelines"])
def test_the_tutorial_runs_from_ten_sentences_to_a_trained_model(tmp_path, monkeypatch, folder):
    words = {word for cell in tutorial_cells() for word in source(cell).lower().split()}
    monkeypatch.setenv("ENCODER", str(make_encoder(tmp_path / "encoder", words)))
    monkeypatch.setenv("TRAIN", json.dumps(QUICK))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    cells = run_cells([source(cell) for cell in tutorial_cells() if cell["cell_type"] == "code"], folder)
    assert [errors_of(cell) for cell in cells if errors_of(cell)] == []
    pictures = [output for cell in cells for output in cell.outputs if "text/html" in output.get("data", {})]
    assert len(pictures) == 2
    assert "PROPER_NOUN" in pictures[0]["data"]["text/html"]
    table = next(output["text"] for output in cells[-2].outputs if "syn_fusion " in output.get("text", ""))
    assert len([line for line in table.splitlines() if line.endswith("F1 on 2 test sentences")]) == 3
    found = cells[-1].outputs[-1]["data"]["text/plain"]
    assert "PER" in found
    assert (next(tmp_path.glob("tutorial-*")) / "save_model" / "syn_fusion" / "best" / "config.json").is_file()


@pytest.mark.parametrize("script", NAMES)
def test_every_script_has_cells(script):
    cells = cells_of(script)
    assert len(cells) >= 3
    assert cells[-1].startswith("if __name__")
    assert "cmd_args = False" in cells[1]


@pytest.mark.slow
@pytest.mark.parametrize("folder", LOCAL.values(), ids=["root", "syn_pipelines"])
def test_every_script_opens_cell_by_cell_in_a_kernel(folder):
    """All scripts in one kernel: each defines its functions, and its last cell names the values that are missing."""
    cells, names = [], []
    for script in NAMES:
        *definitions, last = cells_of(script)
        needed = "[action.dest for action in build_parser()._actions if action.required]"
        last = last if has_required_flag(script) else ""  # fetch_demo_models.py would download
        cells += [*definitions, f"print({needed})", last]
        names += [script] * (len(definitions) + 2)
    ran = run_cells(cells, folder)
    for script in NAMES:
        *definitions, needed, last = (cell for cell, name in zip(ran, names, strict=True) if name == script)
        assert [errors_of(cell) for cell in (*definitions, needed) if errors_of(cell)] == [], script
        assert (needed.outputs[0]["text"] != "[]\n") == has_required_flag(script)
        if has_required_flag(script):
            (error,) = errors_of(last)
            assert error["ename"] in ("ValueError", "UsageError"), script
            assert "required" in error["evalue"], script
