"""ablate.py: two sizes, two seeds and three variants, from the results of s1, s2 and s3 to the table."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from tests.ablation.conftest import SOME, copied, flags_of
from tests.helpers.builders import SCRIPTS, bytes_below, clean_environment, read_lines, write_json, write_rows
from tests.helpers.workspace import SIZES


def cells(work):
    """Return the results of all cells by their folder."""
    root = work.results / "ablation"
    return {
        path.parent.relative_to(root).as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(root.rglob("cell.json"))
    }


def table(work):
    """Return the rows of table.csv by size and variant."""
    with (work.results / "ablation" / "table.csv").open(encoding="utf-8") as file:
        return {(row["size"], row["variant"]): row for row in csv.DictReader(file)}


def test_variants_sizes_and_seeds_are_trained_and_compared(finished):
    work = finished
    found = cells(work)
    wanted = {(v, s, k) for v in ("base", "fusion", "syn_fusion") for s in ("250", "1000") for k in (1, 2)}
    assert {(one["variant"], one["size"], one["seed"]) for one in found.values()} == wanted
    for one in found.values():
        assert len(one["test_counts"]) == len(read_lines(work.dataset / "test.jsonl"))
        correct, predicted, gold = (sum(column) for column in zip(*one["test_counts"], strict=True))
        assert one["test"]["f1"] == pytest.approx(2 * correct / (predicted + gold) if correct else 0, abs=1e-6)
        assert one["data"]["sentences"] == SIZES[one["size"]]
    # base's spans are the dataset's own; fusion adds extension spans, and syn_fusion synthetic sentences
    data = {(one["variant"], one["size"]): one["data"] for one in found.values()}
    assert data["base", "1000"]["extension_spans"] == data["base", "1000"]["synthetic"] == 0
    assert data["fusion", "1000"]["extension_spans"] > 0 == data["fusion", "1000"]["synthetic"]
    assert data["syn_fusion", "1000"]["synthetic"] == work.synthetic_number
    assert data["syn_fusion", "250"]["synthetic"] == sum(len(work.corpus.synthetic[id_]) for id_ in "12")
    rows = table(work)
    assert set(rows) == {(s, v) for v in ("base", "fusion", "syn_fusion") for s in ("250", "1000")}
    for (size, variant), row in rows.items():
        mean = sum(one["test"]["f1"] for one in found.values() if (one["size"], one["variant"]) == (size, variant)) / 2
        assert float(row["test_f1"]) == pytest.approx(100 * mean)


def test_the_dataset_and_the_results_of_earlier_steps_are_only_read(annotated, finished):
    own, after = bytes_below(annotated.dataset), bytes_below(finished.dataset)
    assert {name: value for name, value in after.items() if not name.startswith("GLM4/ablation/")} == own


def test_the_synthetic_labels_of_a_seed_come_from_its_own_fusion_model_of_the_size(work, ablate):
    ablate(work, **{**SOME, "sizes": "500", "only": "syn_fusion"})
    root = work.results / "ablation"
    assert not list(root.glob("data/.*"))
    targets = list(root.glob("data/*/tiny/GLM4/500/train_500_synthetic_target.jsonl"))
    assert len(targets) == 2  # one for each seed
    models = {path.parent.parent.name.split("-")[0] for path in root.glob("fusion/500/*/best/config.json")}
    assert models == {"seed_1", "seed_2"}  # the other models are removed
    assert not list(root.glob("syn_fusion/500/*/best"))
    assert {one["variant"] for one in cells(work).values()} == {"base", "fusion", "syn_fusion"}
    assert set(table(work)) == {("500", "base"), ("500", "syn_fusion")}


def test_a_second_run_trains_nothing_and_writes_the_same_table(finished, tmp_path, ablate, monkeypatch):
    work = copied(finished, tmp_path)
    before = bytes_below(work.results / "ablation")
    monkeypatch.setattr("utils.ablation.cells.run_trainings", None)  # calling it would fail
    ablate(work, **SOME)
    assert bytes_below(work.results / "ablation") == before


def test_more_seeds_and_variants_are_added_to_finished_ones(finished, tmp_path, ablate):
    work = copied(finished, tmp_path)
    before = cells(work)
    ablate(work, sizes="250", seeds="1,2,3", only="fusion,synthetic")
    after = cells(work)
    assert {**after, **before} == after
    assert len(after) == len(before) + 2 + 3  # base and fusion with seed 3, synthetic with all


def test_the_base_that_is_best_on_dev_gives_its_settings_to_all_variants(work, ablate):
    grid = write_json(work.folder / "grid.json", [{"lr": 0.0, "head_lr": 0.0}, {}, {"epochs": 2}])
    ablate(work, sizes="1000", seeds="1", only="fusion", base_grid=grid, base_trials=None, min_steps=30)
    found = {one["variant"]: one for one in cells(work).values()}
    assert set(found) == {"base", "base+lr=0.0+head_lr=0.0", "base+epochs=2", "fusion"}
    best = max(("base+lr=0.0+head_lr=0.0", "base", "base+epochs=2"), key=lambda name: found[name]["dev"]["f1"])
    assert best != "base+lr=0.0+head_lr=0.0"
    assert found["fusion"]["settings"] == found[best]["settings"]
    row = table(work)["1000", "base"]
    assert float(row["test_f1"]) == pytest.approx(100 * found[best]["test"]["f1"])


def test_a_named_variant_has_its_own_flags(work, ablate):
    variants = {
        "quiet": {"data": "fusion", "modes": ["entity"], "s5": {"label_prefix": "X-"}, "train": {"epochs": 2}},
        "light": {"s7": {"drop_disagreeing": True}, "teacher": "base", "train": {"synthetic_weight": 0.5}},
        "synthetic": None,
    }
    ablate(work, sizes="1000", seeds="1", variants=write_json(work.folder / "variants.json", variants))
    found = {one["variant"]: one for one in cells(work).values()}
    assert set(found) == {"base", "fusion", "syn_fusion", "quiet", "light"}
    assert found["quiet"]["settings"] == {**found["base"]["settings"], "epochs": 2}
    assert found["light"]["settings"] == {**found["base"]["settings"], "synthetic_weight": 0.5}
    assert found["quiet"]["answers"] == ["entity_train_1000.jsonl"]
    assert found["quiet"]["data"]["extension_spans"] < found["fusion"]["data"]["extension_spans"]
    quiet = next(
        file
        for file in (work.results / "ablation" / "data").glob("*/*/*/1000/label_fusion.json")
        if not any((file.parent.parent).glob("pos_*"))
    )
    assert any(label.startswith("X-") for label in json.loads(quiet.read_text(encoding="utf-8")))


def test_a_patch_corrects_the_training_data_of_all_variants_except_base(finished, tmp_path, ablate):
    work = copied(finished, tmp_path)
    before = {name.rpartition("-")[0]: name for name in cells(work)}
    text = work.corpus.rows[0]["text"]
    patch = write_rows(work.folder / "fixes.jsonl", [{"id": "1", "text": text, "action": "drop"}])
    ablate(work, **{**SOME, "sizes": "1000", "seeds": "1", "only": "fusion"}, patch=patch)
    new = {name: one for name, one in cells(work).items() if name not in before.values()}
    assert {one["variant"] for one in new.values()} == {"fusion"}
    assert [one["data"]["sentences"] for one in new.values()] == [SIZES["1000"] - 1]


def test_the_models_of_all_seeds_label_together_and_the_llm_is_a_second_judge(finished, tmp_path, ablate):
    work = copied(finished, tmp_path)
    rows = [
        {"id": row["id"], "text": row["text"], "mode": "target", "items": [], "answers": ["[]"], "status": "ok"}
        for row in read_lines(work.results / "train_1000_synthetic.jsonl")
    ]
    write_rows(work.results / "target_train_1000_synthetic.jsonl", rows)
    variants = {
        "together": {"teachers": "all", "train": {"synthetic_targets": "soft"}},
        "agreed": {"train": {"synthetic_targets": "agreed"}},
        **dict.fromkeys(("synthetic", "syn_fusion")),
    }
    file = write_json(work.folder / "variants.json", variants)
    before = set(cells(work))
    ablate(work, sizes="250", seeds="1,2", variants=file)
    new = {name: one for name, one in cells(work).items() if name not in before}
    assert {(one["variant"], one["seed"]) for one in new.values()} == {
        (v, s) for v in ("together", "agreed") for s in (1, 2)
    }
    data = work.results / "ablation" / "data"
    manifests = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in data.glob("250-*/*/*/250/train_250_synthetic_target.jsonl.meta.json")
    ]
    assert sum(manifest["parameters"].get("teachers") == 2 for manifest in manifests) == 1  # shared by both seeds
    asked = [any("target_train_250" in name for name in manifest["inputs"]) for manifest in manifests]
    assert sum(asked) == 2  # one for each seed of `agreed`
    assert all(
        "target_train_1000_synthetic.jsonl" in one["answers"] for one in new.values() if one["variant"] == "agreed"
    )


def test_with_choose_only_the_best_on_dev_and_base_show_test_scores(finished, tmp_path, ablate, capsys):
    work = copied(finished, tmp_path)
    ablate(work, **SOME, choose=True)
    rows, text = table(work), capsys.readouterr().out
    for size in ("250", "1000"):
        dev = {variant: float(row["dev_f1"]) for (of, variant), row in rows.items() if of == size}
        best = max(dev, key=lambda name: dev[name])
        shown = {variant for (of, variant), row in rows.items() if of == size and row["test_f1"]}
        assert shown == {"base", best}
        assert f"size {size}: best on dev is {best}" in text


def running():
    """Return the command lines of all processes."""
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_more_sizes_of_base_show_how_many_sentences_a_gain_is_worth(finished, tmp_path, ablate):
    work = copied(finished, tmp_path)
    ablate(work, **{**SOME, "sizes": "250"}, base_sizes="1000")
    rows = table(work)
    assert set(rows) == {("250", "base"), ("250", "fusion"), ("250", "syn_fusion"), ("1000", "base")}
    assert rows["1000", "base"]["test_f1"]
    assert len(cells(work)) == len(cells(finished))  # both sizes of base were trained before


def without_seconds(found):
    return {name: {**cell, "seconds": None} for name, cell in found.items()}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="signals are different on Windows")
def test_a_killed_run_leaves_no_worker_and_goes_on_to_the_scores_of_one_process(work):
    some = {**flags_of(work), "sizes": "250", "seeds": "1,2", "only": "fusion"}

    def start(**flags):
        words = (f"--{name}={value}" for name, value in {**some, **flags}.items())
        command = [sys.executable, str(SCRIPTS / "ablate.py"), *words]
        return subprocess.Popen(command, env=clean_environment(), stderr=subprocess.DEVNULL)

    process = start(jobs=2)
    deadline = time.monotonic() + 600
    while not cells(work) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.wait()
    killed = cells(work)
    assert 0 < len(killed) < 4
    while f"parent_pid={process.pid}," in running() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert f"parent_pid={process.pid}," not in running()
    assert start().wait() == 0
    finished = cells(work)
    assert {**finished, **killed} == finished
    assert len(finished) == 4
    shutil.rmtree(work.results / "ablation")
    assert start(seeds="2").wait() == 0
    alone = without_seconds(cells(work))
    assert len(alone) == 2
    assert {**without_seconds(finished), **alone} == without_seconds(finished)


def change_json(path, **values):
    write_json(path, {**json.loads(path.read_text(encoding="utf-8")), **values})


@pytest.mark.parametrize(
    "values",
    [
        {"folder": "../../../../outside"},
        {"dev": {"precision": 1, "recall": 1, "f1": float("nan")}},
        {"test_counts": [[1, 2]]},
        {"surplus": 1},
    ],
)
def test_a_changed_result_is_refused_and_removes_no_model_elsewhere(finished, tmp_path, ablate, values):
    work = copied(finished, tmp_path)
    model = tmp_path / "outside" / "best" / "model.safetensors"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"weights")
    change_json(next((work.results / "ablation").glob("base/250/*/cell.json")), **values)
    with pytest.raises(ValueError, match=r"cell\.json is not the result of this training: delete it"):
        ablate(work, **SOME)
    assert model.read_bytes() == b"weights"


@pytest.mark.parametrize("values", [{"train": "../../../../../other.jsonl"}, {"labels": "/etc/passwd"}])
def test_a_training_set_whose_files_are_elsewhere_is_refused(finished, tmp_path, ablate, values):
    work = copied(finished, tmp_path)
    for path in (work.results / "ablation").glob("data/*/training_set.json"):
        change_json(path, **values)
    with pytest.raises(ValueError, match=r"training_set\.json is not what ablate\.py wrote there: delete the folder"):
        ablate(work, **SOME)


@pytest.mark.parametrize("name", ["data", "base", "base/250"])
def test_nothing_is_trained_in_a_folder_outside_of_the_ablation(work, tmp_path, ablate, name):
    outside = tmp_path / "home"
    (outside / ".old.partial").mkdir(parents=True)
    link = work.results / "ablation" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises(ValueError, match="is a link to a folder outside"):
        ablate(work, sizes="250", seeds="1", only="fusion")
    assert [path.name for path in outside.rglob("*")] == [".old.partial"]
