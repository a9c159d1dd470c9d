"""The paths of a dataset, as users see them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from utils.dataset.layout import ROOT, SIZES, Layout, require_files, require_results


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path, "weibo")


def test_the_files_of_a_dataset_are_where_the_contract_says(layout, tmp_path):
    found = [layout.train, layout.dev, layout.test, layout.labels]
    assert found == [tmp_path / "weibo" / n for n in ("train_1000.jsonl", "dev.jsonl", "test.jsonl", "labels.txt")]


def test_the_files_of_all_sentences_are_where_the_contract_says(layout):
    files = [
        layout.annotation_file(mode, synthetic=synthetic) for synthetic in (False, True) for mode in ("entity", "pos")
    ]
    assert [file.relative_to(layout.dataset).as_posix() for file in (*files, layout.synthetic(), layout.run_log)] == [
        "GLM4/entity_train_1000.jsonl",
        "GLM4/pos_train_1000.jsonl",
        "GLM4/entity_train_1000_synthetic.jsonl",
        "GLM4/pos_train_1000_synthetic.jsonl",
        "GLM4/train_1000_synthetic.jsonl",
        "GLM4/run.log.jsonl",
    ]


def test_the_files_of_a_size_are_in_its_folder(layout):
    files = [
        layout.size_sentences("250"),
        layout.size_sentences("250", synthetic=True),
        layout.size_annotation_file("250", "pos"),
        layout.size_annotation_file("250", "entity", synthetic=True),
        layout.size_fusion("250"),
        layout.size_fusion("250", synthetic=True),
        layout.size_target("250"),
        *(layout.label_file(kind, "250") for kind in ("fusion", "syn", "syn_fusion")),
    ]
    assert [file.relative_to(layout.results).as_posix() for file in files] == [
        "250/train_250.jsonl",
        "250/train_250_synthetic.jsonl",
        "250/pos_train_250.jsonl",
        "250/entity_train_250_synthetic.jsonl",
        "250/train_250_fusion.jsonl",
        "250/train_250_synthetic_fusion.jsonl",
        "250/train_250_synthetic_target.jsonl",
        "250/label_fusion.json",
        "250/label_syn.json",
        "250/label_syn_fusion.json",
    ]
    assert layout.label_file("syn") == layout.results / "label_syn.json"


def test_the_sizes_are_a_quarter_a_half_and_all():
    assert SIZES == {"250": 25, "500": 50, "1000": 100}


def test_a_trained_model_belongs_to_its_llm_except_one_of_the_original_data(layout, tmp_path):
    models = ROOT / "save_model"
    assert layout.model_folder("250", "syn_fusion") == models / "GLM4" / "weibo_250_syn_fusion"
    assert layout.model_folder("1000", "fusion", parent=tmp_path) == tmp_path / "GLM4" / "weibo_1000_fusion"
    assert layout.model_folder("250", "base") == models / "weibo_250_base"
    assert layout.old_model_folder("250", "fusion") == models / "weibo_250_fusion"


def test_the_files_of_a_training_are_those_of_its_data(layout):
    folder = layout.results / "250"
    assert layout.training_files("250", "base") == (folder / "train_250.jsonl", layout.labels)
    assert layout.training_files("250", "fusion") == (folder / "train_250_fusion.jsonl", folder / "label_fusion.json")
    assert layout.training_files("250", "syn_fusion") == (
        folder / "train_250_synthetic_fusion.jsonl",
        folder / "label_syn_fusion.json",
    )


def test_a_mistyped_name_of_results_is_refused_with_the_names_that_exist(layout):
    layout.dataset.mkdir()
    require_results(layout)  # nothing has run yet
    (layout.dataset / "Qwen05").mkdir()
    require_results(layout)  # not a folder of results
    (layout.dataset / "Qwen05" / "entity_train_1000.jsonl").touch()
    with pytest.raises(FileNotFoundError, match=r"GLM4 is missing: --save_type_name must name .* such as Qwen05; or"):
        require_results(layout)
    layout.results.mkdir()
    require_results(layout)


@pytest.mark.parametrize("name", ["../x", "a/b", "..", ".", "", "a\\b", "/etc", "a\0b"])
@pytest.mark.parametrize("flag", ["--file_name", "--save_type_name"])
def test_a_name_that_leads_to_another_folder_is_refused_with_its_flag(tmp_path, flag, name):
    names = (name, "GLM4") if flag == "--file_name" else ("weibo", name)
    with pytest.raises(ValueError, match=f"{flag}: .* must be the name of one folder"):
        Layout(tmp_path, *names)


def test_names_of_files_in_manifests_are_the_same_on_every_machine(tmp_path):
    names = []
    for home in ("ann", "bob"):
        layout = Layout(tmp_path / home, "weibo")
        files = (layout.train, layout.size_fusion("250"), ROOT / "data" / "x.json", tmp_path / home / "m" / "c.json")
        names.append([layout.portable_name(file) for file in files])
    assert names[0] == names[1]
    assert names[0] == ["train_1000.jsonl", "GLM4/250/train_250_fusion.jsonl", "data/x.json", "m/c.json"]


def test_a_file_is_found_by_its_portable_name(layout):
    layout.dataset.mkdir()
    layout.train.touch()
    for file in (layout.train, ROOT / "data" / "fusion_knowledge" / "pos_label.json"):
        assert layout.find(layout.portable_name(file)) == file


def test_relative_and_absolute_paths_have_the_same_portable_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    relative = Layout(Path("few"), "weibo")
    absolute = Layout(tmp_path / "few", "weibo")
    assert relative.portable_name(absolute.train) == absolute.portable_name(relative.train) == "train_1000.jsonl"


def test_a_missing_required_file_is_an_error_that_names_the_step_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a\.jsonl is missing: run s1 first"):
        require_files({"a": tmp_path / "a.jsonl", "b": tmp_path / "b.jsonl"}, "run s1")


def test_each_missing_optional_file_is_logged_in_one_line(tmp_path, caplog):
    caplog.set_level("INFO")
    (tmp_path / "a.jsonl").touch()
    found = require_files({"a": tmp_path / "a.jsonl", "b": tmp_path / "b.jsonl"}, "run s1")
    assert found == {"a": tmp_path / "a.jsonl"}
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'b.jsonl'} is missing (to create it, run s1): continuing without it"
    ]


def test_a_folder_with_the_name_of_a_required_file_is_not_that_file(tmp_path):
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(FileNotFoundError):
        require_files({"a": tmp_path / "a.jsonl"}, "run s1")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights")
@pytest.mark.parametrize("name", ["", "250", "1000", "ablation"])
def test_a_folder_of_results_does_not_lead_out_of_the_dataset(layout, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    folder = layout.results / name
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"is a link to a folder outside the dataset: replace it with a real folder"):
        Layout(tmp_path, "weibo")


@pytest.mark.parametrize("name", ["", "250", "ablation"])
def test_a_file_in_the_place_of_a_folder_of_results_is_refused(layout, tmp_path, name):
    file = layout.results / name
    file.parent.mkdir(parents=True)
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="is a file, but it must be a folder: rename or delete it"):
        Layout(tmp_path, "weibo")
