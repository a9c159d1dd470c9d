"""`s5 --suggest`: a patch that puts unknown spellings under the nearest labels."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.helpers.builders import CHINESE, call, write_json
from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
from utils.dataset.modes import Mode
from utils.labels.normaliser import LabelNormaliser
from utils.labels.suggestions import label_patch, nearest_label

KNOWN = {
    "足球运动员": "PERSON",
    "动物": "ORGANISM",
    "房地产公司": "ORGANIZATION",
    "location": "LOCATION",
    "高血压": "DISEASE",
}


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        ("羽毛球运动员", "PERSON"),
        ("动物园动物", "ORGANISM"),  # the ending says what it is
        ("locations_", "LOCATION"),
        ("lcation", "LOCATION"),
        ("低血压", "DISEASE"),
        ("房地产业", "ORGANIZATION"),
        ("zorkmid", None),
        ("", None),
    ],
)
def test_the_nearest_known_spelling_gives_the_label_if_it_is_near(spelling, label):
    assert nearest_label(spelling, KNOWN) == label


def test_a_patch_changes_only_the_arrays_of_its_labels_and_is_accepted_by_git(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "entity.json").write_text('{\n  "PERSON": [\n    "运动员"\n  ],\n  "PLACE": []\n}\n', encoding="utf-8")
    write_json(tmp_path / "pos.json", {"VERB": ["动词"], "NOUN": ["名词"]})
    files: dict[Mode, Path] = {
        "entity": (tmp_path / "entity.json").relative_to(tmp_path),
        "pos": (tmp_path / "pos.json").relative_to(tmp_path),
    }
    modes: dict[str, Mode] = {"游泳运动员": "entity", "助动动词": "pos", "plac": "entity", "qqzzxx": "entity"}
    patch = label_patch(modes, files)
    assert '+    "运动员", "游泳运动员"\n' in patch
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "apply", "-"], input=patch.encode(), check=True)
    assert json.loads((tmp_path / "entity.json").read_text(encoding="utf-8")) == {
        "PERSON": ["运动员", "游泳运动员"],
        "PLACE": ["plac"],
    }
    assert json.loads((tmp_path / "pos.json").read_text(encoding="utf-8")) == {
        "VERB": ["动词", "助动动词"],
        "NOUN": ["名词"],
    }


def test_nothing_unknown_is_no_patch():
    assert label_patch({}, {"entity": ENTITY_LABELS, "pos": POS_LABELS}) == ""
    assert label_patch({"qqzzxx": "entity"}, {"entity": ENTITY_LABELS, "pos": POS_LABELS}) == ""


def test_step_5_prints_a_patch_with_which_its_labels_are_known(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = CHINESE.write(tmp_path)
    labels = {
        "entity_label": write_json(
            tmp_path / "entity.json", {"PERSON": ["人名"], "PLACE": ["地名", "城镇城市"], "ORG": ["学校"]}
        ),
        "pos_label": write_json(tmp_path / "pos.json", {"NOUN": ["名词"], "VERB": ["v"], "ADVERB": ["副词"]}),
    }
    data = {"file_dir": tmp_path, "file_name": "tiny"}
    call("s1", **data, backend="scripted", model_from_pretrained=CHINESE.record(tmp_path / "answers.jsonl"))
    call("s4", **data)
    call("s5", **data, **labels, suggest=True)
    assert LabelNormaliser.from_files(labels.values())("城市") is None
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "apply", "-"], input=capsys.readouterr().out.encode(), check=True)
    assert LabelNormaliser.from_files(labels.values())("城市") == "PLACE"
    call("s5", **data, **labels)
    unknown = json.loads((folder / "GLM4" / "1000" / "unknown_fusion.json").read_text(encoding="utf-8"))
    assert "某某某" in unknown
    assert "城市" not in unknown


def test_a_patch_has_the_lines_of_its_file_whatever_is_in_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("entity.json").write_text('{\n  "PLACE": ["a\u2028b"],\n  "PERSON": ["运动员"]\n}\n', encoding="utf-8")
    patch = label_patch({"游泳运动员": "entity"}, {"entity": Path("entity.json")})
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "apply", "-"], input=patch.encode(), check=True)
    assert "游泳运动员" in Path("entity.json").read_text(encoding="utf-8")
