"""Trained models belong to one LLM: those of another are never used or shown without a note."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from tests.helpers.builders import ENGLISH, call, write_json, write_rows
from tests.helpers.span_models import make_model
from tests.helpers.workspace import SIZES, Workspace
from utils.dataset.layout import Layout
from utils.dataset.tokens import WORDS
from utils.ner.training.data import read_ner_data
from utils.ner.training.record import data_fingerprint

RATIOS = {"precision": 0.9, "recall": 0.9, "f1": 0.9}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Results of two LLMs, GLM4 and Qwen, whose extension spans differ, and a model of GLM4 for each size."""
    work = Workspace(tmp_path_factory.mktemp("prepared"), ENGLISH)
    for name, prefix in (("GLM4", ""), ("Qwen", "Q_")):
        data = {**work.data, "save_type_name": name}
        call("s1", **work.llm, save_type_name=name)
        call("s2", **work.llm, save_type_name=name)
        call("s4", **data)
        call("s5", **data, label_prefix=prefix)
    work.models()
    for size in SIZES:
        record_training(work, size)
    return work


@pytest.fixture
def work(prepared, tmp_path):
    copied = prepared.copy(tmp_path)
    copied.encoder = prepared.encoder
    return copied


def record_training(work, size, *, name="GLM4"):
    """Write into the record of a model that it was trained on the fusion data of an LLM; add a test report."""
    layout = Layout(work.file_dir, "tiny", name)
    sentences, labels = layout.training_files(size, "fusion")
    data = read_ner_data(sentences, layout.dev, labels, tokenisation=WORDS, seed=0)
    folder = layout.model_folder(size, "fusion", parent=work.folder / "save_model")
    path = folder / "best" / "training.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    fingerprints = {"train": data_fingerprint(data.train), "dev": data_fingerprint(data.dev)}
    write_json(path, {**known, "settings": {"seed": 0}, "data": fingerprints, "finished": True})
    write_json(folder / "test_report.json", {"micro": RATIOS, "per_label": {}})


def move_to_old_folders(work):
    """Move the models of GLM4 to where an older version kept those of all LLMs."""
    layout = Layout(work.file_dir, "tiny")
    for size in SIZES:
        old = layout.old_model_folder(size, "fusion", parent=work.folder / "save_model")
        layout.model_folder(size, "fusion", parent=work.folder / "save_model").rename(old)


def report(work, capsys, name):
    """Return the line of fusion in the report of size 1000."""
    capsys.readouterr()
    call("report", **work.data, save_type_name=name, models=work.folder / "save_model")
    return next(line for line in capsys.readouterr().out.splitlines() if line.startswith("fusion "))


def label(work, model, *, name="GLM4", **more):
    call("s7", **work.data, save_type_name=name, model_from_pretrained=model, n_gpu=-1, **more)


def parameters(work, name, size="250"):
    path = work.dataset / name / size / f"train_{size}_synthetic_target.jsonl.meta.json"
    return json.loads(path.read_text(encoding="utf-8"))["parameters"]


# --- report.py


@pytest.mark.parametrize("old", [False, True])
def test_the_report_shows_the_score_of_an_llm_for_that_llm_alone(work, capsys, old):
    if old:
        move_to_old_folders(work)
    line = report(work, capsys, "GLM4")
    assert line.endswith("F1 90.0")
    line = report(work, capsys, "Qwen")
    assert "F1" not in line and "no model" in line
    if old:
        assert "save_model/tiny_1000_fusion is not used: " in line
        assert "may be the model of another LLM" in line and "--save_dir" in line


def test_a_score_in_an_old_folder_is_not_shown_for_an_llm_without_results(work, capsys):
    move_to_old_folders(work)
    for file in (work.dataset / "Qwen" / "1000").glob("train_1000_fusion.jsonl*"):
        file.unlink()
    line = report(work, capsys, "Qwen")
    assert "F1" not in line
    assert (
        "not used: its training data cannot be compared, because Qwen/1000/train_1000_fusion.jsonl is missing" in line
    )


def test_a_mistyped_name_has_no_table(work):
    with pytest.raises(FileNotFoundError, match=r"Qwe is missing: --save_type_name must name .* such as GLM4, Qwen"):
        call("report", **{**work.data, "save_type_name": "Qwe"})


def test_a_score_of_other_data_than_those_of_today_has_a_note(work, capsys):
    call("s5", **work.data, label_prefix="NEW_")
    line = report(work, capsys, "GLM4")
    assert "F1 90.0  " in line
    assert "the sentences or spans of train_1000_fusion.jsonl have changed since; train it again" in line


def test_a_score_on_another_test_file_has_a_note(work, capsys):
    test = write_rows(work.dataset / "test.jsonl", ENGLISH.dev)
    path = work.folder / "save_model" / "GLM4" / "tiny_1000_fusion" / "test_report.json"
    digest = hashlib.sha256(test.read_bytes()).hexdigest()
    write_json(path, {"micro": RATIOS, "per_label": {}, "test": digest})
    assert report(work, capsys, "GLM4").endswith("F1 90.0")
    write_rows(test, ENGLISH.rows[:1])
    assert "test.jsonl has changed since" in report(work, capsys, "GLM4")


def test_a_score_without_a_record_has_a_note(work, capsys):
    shutil.rmtree(work.folder / "save_model" / "GLM4" / "tiny_1000_fusion" / "best")
    assert "F1 90.0  " in (line := report(work, capsys, "GLM4"))
    assert "best/training.json is missing" in line


# --- s7


def test_step_7_with_the_models_of_another_llm_warns_and_the_audit_reports_it(work, caplog, capsys):
    pattern = work.folder / "save_model" / "GLM4" / "tiny_{size}_fusion" / "best"
    label(work, pattern)
    assert "model of another LLM" not in caplog.text
    assert "model_data" not in parameters(work, "GLM4")
    label(work, pattern, name="Qwen")
    assert "GLM4/tiny_250_fusion/best may be the model of another LLM" in caplog.text
    assert "--save_dir" in caplog.text
    assert "it was not trained on the sentences and spans that Qwen has now" in parameters(work, "Qwen")["model_data"]
    with pytest.raises(RuntimeError, match="problems in"):
        call("audit", **work.data, save_type_name="Qwen", models=work.folder / "save_model")
    assert "was labelled by a model of other data" in capsys.readouterr().out


def test_step_7_with_another_model_stops_and_names_both(work):
    first = work.folder / "save_model" / "GLM4" / "tiny_250_fusion" / "best"
    label(work, first)
    second = make_model(work.folder / "second", work.encoder, ["PERSON"], ENGLISH.rows[:2])
    before = parameters(work, "GLM4")
    with pytest.raises(
        ValueError, match=r"made with another model: best before, \S*second now .*--overwrite"
    ) as caught:
        label(work, second)
    assert "config.json, model.safetensors" in str(caught.value)
    assert parameters(work, "GLM4") == before
    label(work, second, overwrite=True)
    assert {
        span["entity"] for row in work.lines("train_1000_synthetic_target.jsonl", "1000") for span in row["entities"]
    }
    label(work, second)


def test_the_same_model_in_another_folder_is_no_other_model(work):
    first = work.folder / "save_model" / "GLM4" / "tiny_250_fusion" / "best"
    label(work, first)
    before = parameters(work, "GLM4")
    shutil.copytree(first, work.folder / "copy")
    label(work, work.folder / "copy", drop_disagreeing=True)
    assert parameters(work, "GLM4") == {**before, "drop_disagreeing": True}


def test_step_7_finds_the_models_in_the_old_and_in_the_new_folders(work, caplog):
    caplog.set_level("INFO")
    models = work.folder / "save_model"
    label(work, models / "tiny_{size}_fusion" / "best")  # as older commands say
    assert f"tiny_250_fusion/best is missing: {models / 'GLM4' / 'tiny_250_fusion' / 'best'} is used" in caplog.text
    move_to_old_folders(work)
    label(work, models / "GLM4" / "tiny_{size}_fusion" / "best")
    with pytest.raises(FileNotFoundError, match=r"Qwen/tiny_250_fusion/best has no config.json"):
        label(work, models / "Qwen" / "tiny_{size}_fusion" / "best", name="Qwen")
    assert "tiny_250_fusion is not used: " in caplog.text


# --- train_ner.py


TRAINING = {"size": "250", "epochs": 1, "min_steps": 1, "n_gpu": -1}


def train(work, **values):
    """Train for a step; without a target span in dev, the training fails at its end, and its model is kept."""
    with pytest.raises(RuntimeError, match="dev F1 is 0"):
        call("train", **work.data, **TRAINING, from_pretrained=work.encoder, **values)


def test_trainings_of_two_llms_are_kept_apart_and_base_is_shared(work, monkeypatch, caplog):
    caplog.set_level("INFO")
    models = work.folder / "trained"
    monkeypatch.setattr("utils.dataset.layout.SAVE_MODEL", models)
    for name in ("GLM4", "Qwen"):
        train(work, save_type_name=name)
        train(work, save_type_name=name, data="base")
    found = sorted(path.parent.relative_to(models).as_posix() for path in models.rglob("best") if path.is_dir())
    assert found == ["GLM4/tiny_250_fusion", "Qwen/tiny_250_fusion", "tiny_250_base"]
    assert caplog.text.count("already trained with these data and settings") == 1
    with pytest.raises(ValueError, match=r"differs in: settings; use --overwrite .*--save_dir; different: lr \(0"):
        call("train", **work.data, **TRAINING, from_pretrained=work.encoder, lr=0.5)
    call("s5", **work.data, label_prefix="NEW_")
    with pytest.raises(ValueError, match=r"training sentences \(the same texts, with other spans\)") as caught:
        call("train", **work.data, **TRAINING, from_pretrained=work.encoder)
    assert "labels (added: NEW_" in str(caught.value)


def test_a_training_in_an_old_folder_is_used_for_its_own_llm_alone(work, monkeypatch, caplog):
    caplog.set_level("INFO")
    models = work.folder / "trained"
    monkeypatch.setattr("utils.dataset.layout.SAVE_MODEL", models)
    train(work)
    (models / "GLM4" / "tiny_250_fusion").rename(models / "tiny_250_fusion")
    train(work)
    assert "already trained" in caplog.text
    assert not (models / "GLM4" / "tiny_250_fusion" / "best").exists()
    train(work, save_type_name="Qwen")
    assert (models / "Qwen" / "tiny_250_fusion" / "best" / "config.json").is_file()
