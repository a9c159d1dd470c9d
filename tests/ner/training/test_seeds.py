"""Several seeds: each is trained once and independently; mean, deviation, and one model for s7."""

from __future__ import annotations

import runpy
import shutil
import statistics
import sys
from pathlib import Path

import pytest

from tests.helpers.builders import call
from utils.dataset.records import sentence_to_row
from utils.dataset.tokens import text_hash
from utils.files.jsonl import read_json, write_json, write_rows
from utils.ner.training.seeds import SeedResult, conclude

ROOT = Path(__file__).resolve().parents[3]
QUICK = {"lr": 0.003, "head_lr": 0.01, "epochs": 1, "min_steps": 50, "n_gpu": -1}


@pytest.fixture
def train(sentences, encoder_folder, tmp_path):
    """Return a function that trains into a folder of a given name, as a notebook does."""
    write_rows(tmp_path / "train.jsonl", [sentence_to_row(sentence) for sentence in sentences])
    (tmp_path / "labels.txt").write_text("O\nPER\nLOC\n", encoding="utf-8")
    names = dict.fromkeys(("train", "dev", "test"), tmp_path / "train.jsonl")

    def run(name: str, **values: object) -> Path:
        files = {**names, "labels": tmp_path / "labels.txt", "save_dir": tmp_path / name}
        main = runpy.run_path(str(ROOT / "syn_pipelines" / "train_ner.py"))["main"]
        given = {**files, "from_pretrained": encoder_folder, **QUICK, **values}
        main(cmd_args=False, **{flag: value for flag, value in given.items() if value is not None})
        return tmp_path / name

    return run


def test_each_seed_is_trained_once_and_the_best_on_dev_is_copied(train, caplog):
    caplog.set_level("INFO")
    folder = train("several", seeds="1,2")
    alone = train("alone", seed=2)
    for name in ("best/model.safetensors", "best/training.json", "last/model.safetensors", "test_report.json"):
        assert (folder / "seed_2" / name).read_bytes() == (alone / name).read_bytes(), name
    known = read_json(folder / "seeds.json")
    scores = [read_json(folder / f"seed_{seed}" / "best" / "training.json")["dev"]["micro"]["f1"] for seed in (1, 2)]
    assert known["dev"]["f1"]["mean"] == pytest.approx(statistics.mean(scores), abs=1e-6)
    assert known["dev"]["f1"]["sd"] == pytest.approx(statistics.stdev(scores), abs=1e-6)
    chosen = folder / f"seed_{known['released']}"
    assert known["released"] == 1 + scores.index(max(scores))
    for name in ("best/model.safetensors", "best/training.json", "best/config.json", "test_report.json"):
        assert (folder / name).read_bytes() == (chosen / name).read_bytes(), name
    assert "2 seeds; the best on dev ->" in caplog.text

    shutil.rmtree(folder / "seed_2")
    before = (folder / "seed_1" / "best" / "model.safetensors").stat()
    caplog.clear()
    train("several", seeds="1,2")
    assert f"already trained with these data and settings -> {folder / 'seed_1' / 'best'}" in caplog.text
    assert caplog.text.count("trained on 8 sentences") == 1
    assert (folder / "seed_1" / "best" / "model.safetensors").stat().st_ino == before.st_ino
    assert read_json(folder / "seeds.json") == known
    caplog.clear()
    train("several", seed=known["released"])  # the released model is the one that this seed alone makes
    assert "already trained" in caplog.text


def test_seeds_do_not_mix_with_another_training_but_may_replace_it(train):
    folder = train("model", seed=5)
    with pytest.raises(ValueError, match="model has a model whose training differs in: settings; use --overwrite"):
        train("model", seeds="1,2", ema=0.9)
    train("model", seeds="1", ema=0.9, overwrite=True)
    assert read_json(folder / "best" / "training.json")["settings"]["ema"] == 0.9
    assert read_json(folder / "seeds.json")["released"] == 1


def test_without_a_dev_file_each_seed_holds_out_its_own_tenth(train):
    folder = train("model", dev=None, test=None, seeds="1,2")
    data = [read_json(folder / f"seed_{seed}" / "best" / "training.json")["data"] for seed in (1, 2)]
    assert data[0]["dev"] != data[1]["dev"]
    assert "test" not in read_json(folder / "seeds.json")


@pytest.mark.parametrize("wrong", ["1,1", "1,x", "1;2", ""])
def test_seeds_that_cannot_be_read_are_refused(train, wrong):
    with pytest.raises(ValueError, match="argument --seeds: "):
        train("model", seeds=wrong)


def test_tables_have_mean_and_deviation_in_per_cent(tmp_path, capsys):
    results = []
    model = tmp_path / "toy_250_fusion"
    for seed, f1 in ((1, 0.5), (2, 0.6), (3, 0.7)):
        folder = model / f"seed_{seed}"
        write_json(folder / "best" / "training.json", {})
        test = {"precision": f1 / 2, "recall": 0.25, "f1": f1 / 2}
        write_json(folder / "test_report.json", {"seed": seed, "micro": test, "per_label": {"PER": test}})
        results.append(SeedResult(seed, folder, 9, {"precision": f1, "recall": 0.5, "f1": 1 - f1}, test))
    lines = [line.split() for line in conclude(results, model).splitlines()]
    assert lines[0] == ["seed", "dev", "P", "dev", "R", "dev", "F1", "test", "P", "test", "R", "test", "F1"]
    assert lines[1] == ["1", "50.00", "50.00", "50.00", "25.00", "25.00", "25.00"]
    assert lines[-2] == ["mean", "60.00", "50.00", "40.00", "30.00", "25.00", "30.00"]
    assert lines[-1] == ["±", "10.00", "0.00", "10.00", "5.00", "0.00", "5.00"]
    assert read_json(model / "seeds.json")["released"] == 1
    assert read_json(model / "test_report.json")["seed"] == 1
    assert not (model / ".best.partial").exists()
    call("report", file_dir=tmp_path, file_name="toy", size="250", models=tmp_path)
    assert "F1 30.0 ± 5.0" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights")
@pytest.mark.parametrize("name", ["best.lock", "run.log.jsonl", "best", "last"])
def test_a_training_does_not_write_through_links(train, tmp_path, name):
    """As in a folder of models from others."""
    home, model = tmp_path / "home", tmp_path / "model"
    home.mkdir()
    model.mkdir()
    target = home if name in ("best", "last") else home / "letters.txt"
    (home / "letters.txt").write_text("precious", encoding="utf-8")
    (model / name).symlink_to(target)
    with pytest.raises(ValueError, match=rf"{name} is a link"):
        train("model")
    assert [(file.name, file.read_text("utf-8")) for file in home.iterdir()] == [("letters.txt", "precious")]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights")
def test_links_in_the_place_of_a_models_files_are_replaced(train, tmp_path):
    (tmp_path / "letters.txt").write_text("precious", encoding="utf-8")
    names = {file.name for file in (train("alone") / "best").iterdir()}
    (tmp_path / "model" / "best").mkdir(parents=True)
    for file in names - {"training.json"}:  # also of the tokenizer, which transformers writes
        (tmp_path / "model" / "best" / file).symlink_to(tmp_path / "letters.txt")
    folder = train("model") / "best"
    assert (tmp_path / "letters.txt").read_text(encoding="utf-8") == "precious"
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "alone" / "best" / name).read_bytes(), name


def test_a_training_warns_if_dev_is_test_and_records_its_dev_sentences(train, sentences, caplog):
    folder = train("model", test=None)
    record = read_json(folder / "best" / "training.json")
    assert record["dev_sentences"] == sorted({text_hash(sentence.tokens) for sentence in sentences})
    assert "also in test" not in caplog.text
    train("other")
    not_empty = sum(bool(sentence.tokens) for sentence in sentences)
    assert f"{not_empty} of {len(sentences)} dev sentences are also in test: dev chooses the best model" in caplog.text
