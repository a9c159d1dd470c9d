"""Rules for the whole code: which room may import which, and which packages a script may load when it starts."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.builders import CHINESE, ROOT, SCRIPTS, STEPS, call, run_python
from utils.dataset.layout import Layout

# Room of utils/ -> the rooms that it may import. Every room may import utils itself, for its version. `llm` and `ner`
# never import each other.
SHARED = {"dataset", "files", "wording"}
STAGES = {"annotation", "synthesis", "fusion", "marking", "audit", "ablation"}
MAY_IMPORT = {
    "wording": set(),
    "files": {"wording"},
    "compute": {"wording"},
    "dataset": {"files", "wording"},
    "labels": {"dataset", "files"},
    "parsing": {"dataset"},
    "prompts": {"dataset"},
    "placing": {"dataset", "parsing"},
    "llm": {"compute", "dataset", "parsing", "wording"},
    "ner": {"compute", *SHARED},
    "asking": {"compute", "llm", "parsing", *SHARED},
    "annotation": {"asking", "compute", "labels", "llm", "parsing", "placing", "prompts", *SHARED},
    "synthesis": {"asking", "llm", "parsing", "placing", "prompts", *SHARED},
    "fusion": {"annotation", "compute", "labels", "parsing", "placing", *SHARED},
    "marking": {"annotation", "compute", "ner", "parsing", "placing", *SHARED},
    "audit": {"asking", "fusion", "llm", "ner", *SHARED},
    "ablation": {"annotation", "compute", "fusion", "marking", "ner", "parsing", "placing", *SHARED},
    "cli": {*STAGES - {"marking"}, "asking", "compute", "labels", "llm", "ner", "prompts", *SHARED},
}

# Third-party package -> the only rooms or modules that may import it.
HEAVY = {
    "torch": ("llm.decoding", "llm.hf", "compute", "ner"),
    "transformers": ("llm.decoding", "llm.hf", "ner"),
    "safetensors": ("ner.model",),
    "numpy": ("llm.decoding.guide", "ner"),
    "onnx": ("ner.prediction.export",),
    "onnxruntime": ("ner.prediction.export",),
    "onnxscript": ("ner.prediction.export",),
    "matplotlib": ("ablation.results.plot",),
    "llguidance": ("llm.decoding.guide",),
    "jinja2": ("llm.templates", "llm.hf", "audit.html.page"),
    "markupsafe": ("audit.html.page",),
    "resvg_py": ("audit.html.charts.pictures",),
    "IPython": ("audit.html.notebook",),
    "xllamacpp": ("llm.backends.llamacpp_server",),
    "openai": ("llm.server.endpoint", "llm.server.limits.size"),
    "vllm": ("llm.backends.vllm",),
    "tqdm": ("compute.progress",),
    "ray": ("compute.ray_cluster",),
    "pyarrow": ("compute.ray_cluster", "dataset.formats.tables.hugging_face"),
    "spacy": ("dataset.formats.tables.spacy_docs",),
    "json_repair": ("parsing",),
    "sentencex": ("synthesis.text.sentence_splitting",),
    "rensa": ("synthesis.copies.near_duplicates",),
    "rapidfuzz": ("synthesis.copies.near_duplicates", "labels.suggestions"),
}


def module_name(path: Path) -> str:
    """Return the dotted name of a file of utils/, without "utils."; it is "" for the package itself."""
    parts = path.relative_to(ROOT / "utils").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


UTILS = {module_name(path): path for path in sorted((ROOT / "utils").rglob("*.py"))}
SCRIPT_FILES = {path.stem: path for path in sorted(SCRIPTS.glob("*.py"))}
TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file; all rules look at the same one, because parsing takes most of the time."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> set[str]:
    """Return the dotted names of the modules that a file imports anywhere."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            names = {f"{module}.{alias.name}" for alias in node.names}
            is_module = {name for name in names if name.removeprefix("utils.") in UTILS and module == "utils"}
            found |= is_module or {module}
    return found


def utils_imports(path: Path) -> set[str]:
    """Return the modules of utils/ that a file imports, without "utils."."""
    return {name.removeprefix("utils").removeprefix(".") for name in imports(path) if name.split(".")[0] == "utils"}


def room_of(name: str) -> str:
    """Return the room of a module, the first part of its dotted name."""
    return name.split(".", maxsplit=1)[0]


def is_inside(name: str, parents: tuple[str, ...]) -> bool:
    """Return whether a module is one of these modules, or inside one of these rooms."""
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def test_the_rules_see_modules_scripts_and_imports():
    assert "llm.backends.transformers" in UTILS
    assert "s1_predict_data" in SCRIPT_FILES
    assert {room_of(name) for name in utils_imports(UTILS["fusion.merge"])} >= {"annotation", "dataset", "parsing"}
    assert "torch" in imports(UTILS["llm.hf.checkpoint"])


def test_a_room_imports_only_allowed_rooms():
    names = sorted(UTILS.keys() - {""})
    assert {room_of(name) for name in names} <= MAY_IMPORT.keys(), "a new room: add what it may import to MAY_IMPORT"
    found = {name: {room_of(other) for other in utils_imports(UTILS[name])} - {room_of(name), ""} for name in names}
    assert {name: extra for name, rooms in found.items() if (extra := rooms - MAY_IMPORT[room_of(name)])} == {}


def test_no_rooms_import_each_other_in_a_circle():
    settled: set[str] = set()
    while ready := {room for room, others in MAY_IMPORT.items() if room not in settled and others <= settled}:
        settled |= ready
    assert settled == MAY_IMPORT.keys()


def test_utils_has_at_most_16_rooms_of_at_most_12_modules():
    folders = [path for path in (ROOT / "utils").rglob("*") if path.is_dir() and any(path.glob("*.py"))]
    assert len(list((ROOT / "utils").glob("*.py"))) <= 3
    assert sum(path.parent == ROOT / "utils" for path in folders) <= 16
    assert {path.name for path in folders if len(list(path.glob("*.py"))) > 12 + 1} == set()  # and __init__.py


def test_a_room_has_a_docstring_that_says_what_belongs_there():
    rooms = {name: ast.get_docstring(tree_of(path)) for name, path in UTILS.items() if path.name == "__init__.py"}
    assert {name for name, text in rooms.items() if len((text or "").split()) < 4} == set()


def test_nothing_in_utils_imports_a_script():
    scripts = {*SCRIPT_FILES, "syn_pipelines"}
    assert [name for name, path in UTILS.items() if {one.split(".")[0] for one in imports(path)} & scripts] == []


def test_scripts_do_not_import_each_other():
    others = {*SCRIPT_FILES, "syn_pipelines"} - {"_repo_root"}
    assert [name for name, path in SCRIPT_FILES.items() if {one.split(".")[0] for one in imports(path)} & others] == []


@pytest.mark.parametrize("package", HEAVY)
def test_a_third_party_package_is_imported_only_in_its_rooms(package):
    found = {name for name, path in UTILS.items() if package in {one.split(".")[0] for one in imports(path)}}
    allowed = HEAVY[package]
    assert {name for name in found if not is_inside(name, allowed)} == set()


def test_no_script_imports_a_heavy_package_directly():
    assert [
        name for name, path in SCRIPT_FILES.items() if {one.split(".")[0] for one in imports(path)} & {*HEAVY}
    ] == []


def test_only_one_module_changes_the_import_path():
    changing = [
        path.name for path in [*UTILS.values(), *SCRIPT_FILES.values()] if "sys.path" in path.read_text("utf-8")
    ]
    assert changing == ["_repo_root.py"]


def test_no_test_names_a_folder_outside_the_repository():
    outside = re.compile(r"ROOT\.parent\b|\bshared/")
    assert [path for path in TEST_FILES if outside.search(path.read_text(encoding="utf-8"))] == []


def test_the_name_of_a_test_is_shorter_than_80_characters():
    nodes = (node for path in TEST_FILES for node in ast.walk(tree_of(path)))
    assert [node.name for node in nodes if isinstance(node, ast.FunctionDef) and len(node.name) >= 80] == []


def is_forbidden(node):
    """Return whether a node of a syntax tree prints, evaluates, asserts, or catches every exception."""
    if isinstance(node, ast.ExceptHandler):
        return node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return isinstance(node, ast.Assert) or (is_call and node.func.id in ("print", "eval"))


@pytest.mark.parametrize(
    "code", ["print(1)", "eval('1')", "assert 1", *(f"try: 1\nexcept{kind}: 2" for kind in ("", " Exception"))]
)
def test_forbidden_code_is_seen(code):
    assert any(map(is_forbidden, ast.walk(ast.parse(code))))


def test_no_code_prints_asserts_or_catches_every_exception():
    files = [*UTILS.values(), *SCRIPT_FILES.values()]
    assert [
        f"{path}:{ast.unparse(one)[:60]}" for path in files for one in ast.walk(tree_of(path)) if is_forbidden(one)
    ] == []


def test_every_room_is_listed_in_contributing_md():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [room for room in MAY_IMPORT if f"`{room}/`" not in page and f"`{room}.py`" not in page] == []


def test_text_files_are_opened_with_an_encoding():
    for path in [*UTILS.values(), *SCRIPT_FILES.values()]:
        for node in ast.walk(tree_of(path)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if ast.unparse(node.func) == "os.open":  # returns a descriptor, and has no encoding
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
    assert done.stdout.splitlines()[-1].split() == []  # messages of the steps come before
