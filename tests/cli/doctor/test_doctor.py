"""doctor.py: each finding is right, names its remedy, and the bundle for a bug report holds no keys and no data."""

from __future__ import annotations

import re
import sys

import doctor as script
import pytest

from tests.helpers.builders import CHINESE, ENGLISH, ROOT, SCRIPTS, run_python, write_json, write_rows
from tests.helpers.tiny_checkpoint import write_tiny_checkpoint
from utils.cli.doctor import bundle, machine, models, packages
from utils.cli.doctor.finding import Diagnosis
from utils.compute import inventory
from utils.compute.inventory import GIB, Gpu
from utils.dataset.layout import ROOT as PROJECT


def found(capsys, **values):
    """Run the script; return its lines as (state, topic, text)."""
    try:
        script.main(cmd_args=False, **values)
    except RuntimeError as error:
        assert "to do" in str(error)
    shown = capsys.readouterr().out.splitlines()
    return [(line[:9].strip(), line[9:23].strip(), line[23:]) for line in shown if line[:9].strip() in STATES]


STATES = ("ok", "optional", "to do")


def test_this_environment_is_described(capsys):
    lines = found(capsys)
    topics = [topic for _, topic, _ in lines]
    assert {"Python", "locale", "processor", "disk", "torch", "transformers", "package"} <= set(topics)
    assert any(topic.startswith("GPU") for topic in topics)
    (python,) = (text for _, topic, text in lines if topic == "Python")
    assert python.startswith(".".join(map(str, sys.version_info[:3])))


def test_every_optional_package_has_an_install_line_of_the_documentation(monkeypatch):
    monkeypatch.setattr(packages, "installed", lambda name: None if name in packages.OPTIONAL else "1.0")
    lines = [
        str(one)
        for one in packages.check_packages()
        if one.state == "optional" and one.text.startswith(tuple(packages.OPTIONAL))
    ]
    assert len(lines) == len(packages.OPTIONAL)
    pages = "".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))
    for command in re.findall(r"pip install .*$", "\n".join(lines), re.MULTILINE):
        assert command in pages, command


def test_a_missing_and_an_old_package_are_named_with_the_command(monkeypatch):
    versions = {"torch": "2.1.0", "transformers": "4.44.2", "tqdm": None}
    monkeypatch.setattr(packages, "installed", lambda name: versions.get(name, "9999"))
    monkeypatch.setattr(packages, "_fits", lambda version, _: version != "2.1.0")
    lines = [str(one) for one in packages.check_packages()]
    assert "to do    package       tqdm is missing: pip install 'tqdm>=4.66.3'" in lines
    assert any("torch 2.1.0, where requirements.txt has >=2.6: pip install 'torch>=2.6'" in line for line in lines)


@pytest.mark.parametrize(
    ("version", "runs", "not_run"),
    [
        ("4.30.2", ["ChatGLM3"], ["GLM-4,"]),
        ("4.44.2", ["GLM-4", "Qwen2", "Llama 3"], []),
        ("4.48.0", ["Qwen2", "Llama 3"], []),
        ("5.3.0", ["Qwen2", "Qwen3", "Llama 3"], []),
        ("4.20.0", ["older"], ["runs"]),
    ],
)
def test_the_families_of_a_version_are_named(version, runs, not_run):
    said = packages.families(version).split(";")[0]
    assert all(name in said for name in runs)
    assert not any(name in said for name in not_run)


def test_the_requirements_are_in_the_range_of_their_families():
    texts = {name: (PROJECT / name).read_text("utf-8") for name in ("requirements.txt", "requirements-glm3.txt")}
    pinned = {name: re.findall(r"^transformers==(\S+)", text, re.MULTILINE)[0] for name, text in texts.items()}
    assert "runs GLM-4" in packages.families(pinned["requirements.txt"])
    assert "runs ChatGLM3" in packages.families(pinned["requirements-glm3.txt"])


@pytest.mark.parametrize(("version", "state"), [((3, 9), "to do"), ((3, 11), "ok"), ((3, 13), "to do")])
def test_an_unsupported_python_is_something_to_do(monkeypatch, version, state):
    monkeypatch.setattr(machine.sys, "version_info", (*version, 0))
    assert machine._python().state == state


def test_a_full_disk_and_an_ascii_screen_are_something_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(inventory, "free_disk", lambda folder: GIB)
    assert "1 GiB free" in str(machine._disk(tmp_path / "not" / "there"))
    assert machine._disk(tmp_path).state == "to do"
    monkeypatch.setattr(machine.sys, "stdout", type("Screen", (), {"encoding": "ascii"})())
    assert machine._encoding().state == "to do"


def test_free_disk_of_a_folder_that_does_not_exist_yet_is_that_of_its_parent(tmp_path):
    assert inventory.free_disk(tmp_path / "a" / "b") > 0


def test_gpus_are_listed_with_their_memory(monkeypatch):
    monkeypatch.setattr(inventory, "gpus", lambda: [Gpu("H100", 80 * GIB, 70 * GIB)])
    assert [str(one) for one in machine._gpus()] == ["ok       GPU 0         H100, 70 of 80 GiB free"]


def test_a_model_is_described_without_loading_it(tmp_path, capsys):
    folder = write_tiny_checkpoint(tmp_path / "qwen")
    lines = [
        text for _, topic, text in found(capsys, model_from_pretrained=str(folder)) if topic in ("model", "memory")
    ]
    assert re.fullmatch(rf"{re.escape(str(folder))}: \w+, 0\.0 GiB, runs with --backend=transformers", lines[0])
    assert lines[1].endswith("fits")


def test_a_model_that_does_not_fit_is_something_to_do(monkeypatch, tmp_path):
    write_json(tmp_path / "config.json", {"model_type": "qwen2"})
    monkeypatch.setattr(models, "_size", lambda path: 15 * GIB)
    monkeypatch.setattr(inventory, "gpus", lambda: [Gpu("small", 8 * GIB, 7 * GIB), Gpu("larger", 16 * GIB, 12 * GIB)])
    finding = models._room_for(tmp_path)
    assert (finding.state, finding.text) == (
        "to do",
        "about 18.0 GiB for the weights and the answers, but the GPU has 12.0 GiB",
    )


@pytest.mark.parametrize("name", ["nowhere/at/all", "broken.gguf", "empty"])
def test_a_wrong_model_is_one_line_with_something_to_do(tmp_path, capsys, name):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    (tmp_path / "empty").mkdir()
    lines = found(capsys, model_from_pretrained=str(tmp_path / name))
    assert [state for state, topic, _ in lines if topic == "model"] == ["to do"]


def test_models_in_the_usual_folders_are_listed(monkeypatch, tmp_path):
    write_tiny_checkpoint(tmp_path / "tiny")
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    (tmp_path / "notes").mkdir()
    monkeypatch.setattr(models, "MODELS", tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-home"))
    (tmp_path / "hub-home" / "hub" / "models--Qwen--Qwen3-8B").mkdir(parents=True)
    lines = [one.text for one in models.find_models()]
    assert [line.split(":")[0] for line in lines if line.startswith(str(tmp_path))][:2] == [
        str(tmp_path / "tiny"),
        str(tmp_path / "x.gguf"),
    ]
    assert lines[-1].endswith("Qwen/Qwen3-8B")


@pytest.mark.parametrize(("corpus", "token"), [(ENGLISH, "word"), (CHINESE, "character")], ids=["english", "chinese"])
def test_a_dataset_is_described(tmp_path, capsys, corpus, token):
    folder = corpus.write(tmp_path)
    lines = [line for line in found(capsys, file_dir=tmp_path, file_name="tiny") if line[1] == "dataset"]
    spans = sum(len(row["entities"]) for row in corpus.rows)
    assert lines[0] == (
        "ok",
        "dataset",
        f"{folder}/train_1000.jsonl: 8 sentences, {spans} spans, 2 labels, a token is a {token}",
    )
    assert lines[1] == ("ok", "dataset", f"{folder}/dev.jsonl: 1 sentence")
    assert lines[2] == ("optional", "dataset", f"{folder}/test.jsonl is missing: it is needed to train and evaluate")


def test_a_broken_dataset_is_named_with_file_and_line(tmp_path, capsys):
    folder = ENGLISH.write(tmp_path)
    write_rows(folder / "train_1000.jsonl", [{"text": ["a"], "entities": [{"start": 0, "end": 9, "entity": "PERSON"}]}])
    ((state, _, text),) = (line for line in found(capsys, file_dir=tmp_path, file_name="tiny") if line[1] == "dataset")
    assert state == "to do"
    assert f"{folder}/train_1000.jsonl:1" in text


def test_the_bundle_has_no_keys_and_no_data(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    folder = ENGLISH.write(tmp_path)
    runs = [{"step": "s1", "status": "done", "seconds": 3.2, "host": "my-host", "model": "private-model", "answers": 8}]
    write_rows(folder / "GLM4" / "run.log.jsonl", runs)
    script.main(cmd_args=False, file_dir=tmp_path, file_name="tiny", debug=True)
    text = (tmp_path / "doctor-report.txt").read_text("utf-8")
    assert "look through it before you send it" in capsys.readouterr().out
    assert "step s1, status done, seconds 3.2, answers 8" in text
    assert "LANG=C.UTF-8" in text
    assert re.search(r"^pytest==", text, re.MULTILINE)
    assert not any(secret in text for secret in ("sk-secret", "my-host", "private-model", "Mary-Ann"))


def test_the_home_folder_is_not_in_the_bundle(monkeypatch):
    monkeypatch.setattr(bundle.Path, "home", lambda: bundle.Path("/home/ann"))
    monkeypatch.setattr(bundle.getpass, "getuser", lambda: "ann")
    text = bundle.bundle_text([Diagnosis("model", "/home/ann/m and /data/ann/x")], None)
    assert "~/m and /data/<user>/x" in text


def test_no_password_and_no_control_character_is_in_the_bundle():
    text = bundle.bundle_text([Diagnosis("model", "http://ann:pa55word@host/v1 is missing\x1b[2J")], None)
    assert "http://<secret>@host/v1 is missing\\x1b[2J" in text
    assert "pa55word" not in text


def test_the_exit_code_says_whether_there_is_something_to_do(tmp_path):
    done = run_python(SCRIPTS / "doctor.py", f"--file_dir={tmp_path}", "--file_name=nothing", cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(r"^to do +dataset ", done.stdout, re.MULTILINE)
    assert done.stderr.startswith("doctor.py: error: ")
