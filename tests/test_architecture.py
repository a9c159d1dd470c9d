"""Who may import whom (each arrow stands below), and what starts without torch."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from builders import CHINESE, ROOT, SCRIPTS, STEPS, call, run_python

from utils.layout import Layout

PURE = {
    "modes",
    "typical",
    "jsonl",
    "records",
    "tokens",
    "parsing",
    "placing",
    "guidance",
    "labels",
    "prompts",
    "sentences",
    "shots",
    "llm.base",
}

# What each module of the project may import of the project. A new module needs a line here.
MAY_IMPORT = {
    "": set(),
    "locks": set(),
    "modes": set(),
    "jsonl": {"locks"},
    "tokens": set(),
    "prompts": {"modes"},
    "parsing": {"parsing.item", "parsing.keys", "parsing.lines", "parsing.salvage", "parsing.values", "modes"},
    "parsing.item": {"modes"},
    "parsing.keys": set(),
    "parsing.lines": {"parsing.item", "parsing.keys"},
    "parsing.salvage": {"parsing.keys"},
    "parsing.values": {"parsing.item", "parsing.keys", "parsing.lines", "modes"},
    "llm.base": {"modes"},
    "devices": set(),
    "layout": {"modes"},
    "records": {"tokens"},
    "units": {"tokens"},
    "guidance": {"units"},
    "plain_text": set(),
    "sentences": set(),
    "remarks": set(),
    "near_duplicates": set(),
    "writing": {"tokens"},
    "cleaning": {"near_duplicates", "plain_text", "remarks", "sentences", "tokens", "writing"},
    "quantity": {"records"},
    "review": {"parsing", "placing"},
    "spelling": set(),
    "labels": {"jsonl", "spelling"},
    "suggestions": {"jsonl", "labels", "spelling", "modes"},
    "durable": {"jsonl"},
    "journal": {"durable", "jsonl", "locks"},
    "manifest": {"", "jsonl"},
    "runlog": {"", "jsonl"},
    "placing": {"parsing", "tokens"},
    "dataset": {"jsonl", "records", "tokens"},
    "splits": {"records", "modes"},
    "shots": {"prompts", "records", "tokens", "modes"},
    "voting": {"parsing", "placing"},
    "old_results": {"answers", "jsonl", "records", "modes"},
    "answers": {"parsing", "placing", "records", "voting", "modes"},
    "fusion": {"answers", "labels", "parsing", "records", "voting", "modes"},
    "marking": {"jsonl", "ner.label_files", "records"},
    "sampling": {"llm.base"},
    "asking": {"journal", "llm.base", "progress"},
    "engine": set(),
    "progress": set(),
    "typical": {"modes"},
    "plan": {"asking", "journal", "llm_step"},
    "llm_step": {"asking", "engine", "llm.pool", "journal", "llm", "llm.base", "manifest", "runlog"},
    "annotation": {*PURE, "answers", "asking", "dataset", "sampling", "journal", "llm", "llm_step", "shots", "voting"},
    "generation": {"asking", "sampling", "llm", "prompts", "records", "tokens", "typical"},
    "synthesis_counts": set(),
    "synthesis": {
        "synthesis_counts",
        "asking",
        "cleaning",
        "generation",
        "journal",
        "llm_step",
        "near_duplicates",
        "placing",
        "quantity",
        "records",
    },
    "fusion_files": {*PURE, "answers", "old_results", "dataset", "fusion", "layout", "manifest"},
    "status": {
        "dataset",
        "journal",
        "jsonl",
        "layout",
        "manifest",
        "ner.training_data",
        "ner.training_record",
        "modes",
    },
    "audit": {"audit.evidence", "audit.lines", "audit.origins", "audit.weights", "layout"},
    "audit.evidence": {"dataset", "layout", "records", "splits", "modes"},
    "audit.lines": {"audit.evidence", "jsonl", "manifest", "modes", "records"},
    "audit.weights": {"audit.evidence", "fusion_files", "jsonl", "modes"},
    "audit.origins": {"audit.evidence", "audit.weights", "fusion_files", "jsonl", "layout", "manifest", "records"},
    "ending": set(),
    "cli": {"", "ending", "layout"},
    "run_flags": {"asking", "cli", "engine", "llm_step", "plan"},
    "flags": {
        "cli",
        "dataset",
        "fusion",
        "fusion_files",
        "labels",
        "layout",
        "llm",
        "llm.base",
        "llm_step",
        "run_flags",
        "modes",
    },
    "training_flags": {"cli", "flags", "layout", "manifest", "ner.config", "ner.training_record"},
    "synthesis_flags": {
        *PURE,
        "cleaning",
        "cli",
        "dataset",
        "generation",
        "layout",
        "near_duplicates",
        "quantity",
        "question_flags",
        "splits",
        "synthesis",
        "writing",
    },
    "question_flags": {
        "annotation",
        "cli",
        "dataset",
        "sampling",
        "flags",
        "labels",
        "layout",
        "prompts",
        "splits",
        "tokens",
        "voting",
        "modes",
    },
    "llm": {"llm.base"},
    "llm.pool": {"engine", "llm.base"},
    "llm.scripted": {"llm.base", "modes"},
    "llm.llamacpp": {"guidance", "llm.base"},
    "llm.vllm": {"guidance", "llm.base", "llm.chat_format", "llm.checkpoint", "llm.decoding"},
    "llm.background": set(),
    "llm.retrying": set(),
    "llm.endpoint": {"llm.base", "llm.retrying"},
    "llm.openai": {"llm.background", "llm.base", "llm.endpoint", "llm.retrying"},
    "llm.decoding": {"llm.base", "llm.guide"},
    "llm.drawing": {"llm.base"},
    "llm.chat_format": {"llm.base"},
    "llm.trust": set(),
    "llm.placement": set(),
    "llm.quantisation": {"llm.base"},
    "llm.copies": {"llm.base"},
    "llm.checkpoint": {"llm.base", "llm.placement", "llm.quantisation", "llm.trust", "devices"},
    "llm.vocabulary": set(),
    "llm.guide": {"guidance", "llm.vocabulary"},
    "llm.packed_linear": set(),
    "llm.ragged": set(),
    "llm.stepwise": {"llm.base", "llm.decoding", "llm.drawing", "llm.guide", "llm.ragged"},
    "llm.batched": {"llm.base", "llm.chat_format", "llm.checkpoint", "llm.decoding", "llm.drawing", "llm.guide"},
    "llm.transformers": {
        "devices",
        "llm.base",
        "llm.batched",
        "llm.chat_format",
        "llm.checkpoint",
        "llm.copies",
        "llm.decoding",
        "llm.guide",
        "llm.packed_linear",
        "llm.placement",
        "llm.stepwise",
    },
}
NER_MAY_IMPORT = {"", "devices", "engine", "dataset", "jsonl", "records", "tokens", "manifest"}

# Third-party packages, and where alone each may be imported.
HEAVY = {
    "torch": (
        "llm.batched",
        "llm.checkpoint",
        "llm.drawing",
        "llm.guide",
        "llm.packed_linear",
        "llm.placement",
        "llm.quantisation",
        "llm.ragged",
        "llm.stepwise",
        "llm.transformers",
        "devices",
        "ner",
    ),
    "transformers": ("llm.batched", "llm.checkpoint", "llm.guide", "llm.quantisation", "llm.ragged", "ner"),
    "safetensors": ("ner",),
    "numpy": ("llm.guide", "ner"),
    "onnx": ("ner.exporting",),
    "onnxruntime": ("ner.exporting",),
    "onnxscript": ("ner.exporting",),
    "llguidance": ("llm.guide",),
    "xllamacpp": ("llm.llamacpp",),
    "openai": ("llm.endpoint",),
    "vllm": ("llm.vllm",),
    "tqdm": ("progress", "ner"),
    "ray": ("engine",),
    "pyarrow": ("engine",),
    "json_repair": ("parsing",),
    "sentencex": ("sentences",),
    "rensa": ("near_duplicates",),
    "rapidfuzz": ("near_duplicates", "suggestions"),
}


def module_name(path: Path) -> str:
    """Return a file of utils/ as the dotted name below it; "" is the package itself."""
    parts = path.relative_to(ROOT / "utils").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


UTILS = {module_name(path): path for path in sorted((ROOT / "utils").rglob("*.py"))}
SCRIPT_FILES = {path.stem: path for path in sorted(SCRIPTS.glob("*.py"))}


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports anywhere, `from utils import cli` as utils.cli."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            names = {f"{module}.{alias.name}" for alias in node.names}
            is_module = {name for name in names if name.removeprefix("utils.") in UTILS and module == "utils"}
            found |= is_module or {module}
    return found


def own(path: Path) -> set[str]:
    """Return what a file imports of utils/, without that name in front."""
    return {name.removeprefix("utils").removeprefix(".") for name in imports(path) if name.split(".")[0] == "utils"}


def test_there_is_something_to_look_at():
    assert "llm.transformers" in UTILS
    assert "s1_predict_data" in SCRIPT_FILES
    assert own(UTILS["fusion"]) == {"answers", "labels", "modes", "parsing", "records", "voting"}
    assert "torch" in imports(UTILS["llm.checkpoint"])


@pytest.mark.parametrize("name", [name for name in UTILS if not name.startswith("ner")])
def test_a_module_imports_only_what_it_may(name):
    assert name in MAY_IMPORT, "a new module: say above what it may import"
    assert own(UTILS[name]) - MAY_IMPORT[name] == set()


@pytest.mark.parametrize("name", [name for name in UTILS if name.startswith("ner")])
def test_the_span_model_imports_itself_and_what_reads_sentences_alone(name):
    assert {other for other in own(UTILS[name]) if not other.startswith("ner")} - NER_MAY_IMPORT == set()


def test_llms_and_the_span_model_do_not_know_each_other():
    for name, path in UTILS.items():
        if name.split(".")[0] in ("llm", "ner"):
            other = {"llm": "ner", "ner": "llm"}[name.split(".")[0]]
            assert not [found for found in own(path) if found.split(".")[0] == other], name


@pytest.mark.parametrize("name", UTILS)
def test_nothing_in_utils_imports_a_script(name):
    scripts = {*SCRIPT_FILES, "syn_pipelines"}
    assert {found for found in imports(UTILS[name]) if found.split(".")[0] in scripts} == set()


@pytest.mark.parametrize("name", SCRIPT_FILES)
def test_scripts_do_not_import_each_other(name):
    others = {*SCRIPT_FILES, "syn_pipelines"} - {"_repo_root"}
    assert {found for found in imports(SCRIPT_FILES[name]) if found.split(".")[0] in others} == set()


def test_layout_and_command_line_are_for_scripts_alone():
    users = {
        wanted: {name for name, path in UTILS.items() if wanted in own(path)}
        for wanted in ("layout", "cli", "flags", "question_flags", "synthesis_flags", "training_flags")
    }
    assert users == {
        "layout": {
            *("cli", "flags", "question_flags", "synthesis_flags", "training_flags", "fusion_files", "status"),
            *("audit", "audit.evidence", "audit.origins"),
        },
        "cli": {"flags", "question_flags", "run_flags", "synthesis_flags", "training_flags"},
        "flags": {"question_flags", "training_flags"},
        "question_flags": {"synthesis_flags"},
        "synthesis_flags": set(),
        "training_flags": set(),
    }


@pytest.mark.parametrize("package", HEAVY)
def test_a_third_party_package_is_imported_only_where_it_belongs(package):
    found = {name for name, path in UTILS.items() if package in {one.split(".")[0] for one in imports(path)}}
    allowed = HEAVY[package]
    assert {name for name in found if name not in allowed and name.split(".")[0] not in allowed} == set()


@pytest.mark.parametrize("name", SCRIPT_FILES)
def test_no_script_imports_torch_itself(name):
    assert {found.split(".")[0] for found in imports(SCRIPT_FILES[name])} & set(HEAVY) == set()


def test_the_import_path_is_changed_in_one_place_alone():
    changing = [
        path.name for path in [*UTILS.values(), *SCRIPT_FILES.values()] if "sys.path" in path.read_text("utf-8")
    ]
    assert changing == ["_repo_root.py"]


@pytest.mark.parametrize("path", [*UTILS.values(), *SCRIPT_FILES.values()], ids=lambda path: path.stem)
def test_no_code_prints_asserts_on_input_or_swallows_every_exception(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}"
        assert not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "eval")
        )
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}"
            assert not (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))


def test_every_module_has_a_place_in_the_page_for_contributors():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:\w+/)*(\w+)\.py`", page))
    modules = {path.stem for path in UTILS.values()} - {"__init__"}
    assert modules - named == set()
    assert named - modules - {path.stem for path in (ROOT / "tests").glob("*.py")} == set()


def test_no_file_is_opened_as_text_without_an_encoding():
    for path in [*UTILS.values(), *SCRIPT_FILES.values()]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            name, words = node.func.attr, {word.arg for word in node.keywords}
            modes = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            is_file = name == "open" and not any("b" in str(mode) for mode in modes) and "timeout" not in words
            if is_file or name in ("read_text", "write_text"):
                assert "encoding" in words, f"{path.name}:{node.lineno}"


IMPORTED = """
import contextlib, io, runpy, sys
sys.path.insert(0, {scripts!r})
for name in {names!r}:
    sys.argv = [name + ".py", "--help"]
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        runpy.run_path({scripts!r} + "/" + name + ".py", run_name="__main__")
    assert "--help" in shown.getvalue(), name
print(*sorted({{module.split(".")[0] for module in sys.modules}} & {heavy!r}))
"""
SLOW_TO_IMPORT = {"torch", "transformers", "xllamacpp", "openai", "vllm", "numpy", "safetensors"}


def test_help_of_every_script_loads_no_heavy_package(tmp_path):
    names = sorted(set(SCRIPT_FILES) - {"_repo_root"})
    done = run_python("-c", IMPORTED.format(scripts=str(SCRIPTS), names=names, heavy=SLOW_TO_IMPORT), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_steps_4_5_6_and_8_load_no_heavy_package(tmp_path):
    CHINESE.write(tmp_path)
    recording = CHINESE.record(tmp_path / "answers.jsonl")
    llm = {"file_dir": tmp_path, "file_name": "tiny", "backend": "scripted", "model_from_pretrained": recording}
    call("s1", **llm)
    call("s2", **llm)
    data = f"file_dir={str(tmp_path)!r}, file_name='tiny'"
    program = "\n".join(
        [
            f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})",
            *(f"import {STEPS[step]}; {STEPS[step]}.main(cmd_args=False, {data})" for step in ("s4", "s5", "s6", "s8")),
            f"print(*sorted({{name.split('.')[0] for name in sys.modules}} & {SLOW_TO_IMPORT!r}))",
        ]
    )
    done = run_python("-c", program, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Layout(tmp_path, "tiny").label_file("syn_fusion").is_file()
    assert done.stdout.split() == []
