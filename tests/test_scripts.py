"""All scripts: the documented commands in their order, their results, and runs that are repeated or interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest

from tests.helpers.builders import (
    CHINESE,
    ENGLISH,
    ROOT,
    SCRIPTS,
    STEPS,
    bytes_below,
    call,
    clean_environment,
    read_lines,
    run_command,
    run_pasted,
    run_python,
    write_json,
    write_rows,
)
from tests.helpers.span_models import make_encoder, make_model, words_of
from tests.helpers.workspace import ORIGINAL, SIZES, SYNTHETIC, Workspace


@pytest.fixture(params=[ENGLISH, CHINESE], ids=["english", "chinese"])
def work(request, tmp_path):
    return Workspace(tmp_path, request.param)


@pytest.fixture
def english(tmp_path):
    return Workspace(tmp_path, ENGLISH)


@pytest.fixture(scope="module", params=[ENGLISH, CHINESE], ids=["english", "chinese"])
def finished(request, tmp_path_factory):
    """A dataset after all eight steps, in both modes, on original and synthetic sentences, with a model per size."""
    return Workspace(tmp_path_factory.mktemp("finished"), request.param).finish()


# --- the files after all steps


def test_every_file_of_the_contract_is_there_with_its_manifest(finished):
    expected = {*ORIGINAL, *SYNTHETIC, "train_1000_synthetic.jsonl"}
    journals = {f"{name}.journal.jsonl" for name in expected}
    expected |= {"label_fusion.json", "label_syn.json", "label_syn_fusion.json"}
    for size in SIZES:
        names = [f"{mode}train_{size}{kind}.jsonl" for mode in ("", "entity_", "pos_") for kind in ("", "_synthetic")]
        names += [f"train_{size}_fusion.jsonl", f"train_{size}_synthetic_fusion.jsonl"]
        names += [f"train_{size}_synthetic_target.jsonl", f"train_{size}_synthetic_review.jsonl"]
        names += ["label_fusion.json", "label_syn.json", "label_syn_fusion.json"]
        expected |= {f"{size}/{name}" for name in names}
    found = set(bytes_below(finished.results))
    unknown = {f"{size}/{name}_fusion.json" for size in SIZES for name in ("unknown", "agreement")}
    unknown |= {f"{size}/unknown_syn.json" for size in SIZES}
    assert found == expected | {f"{name}.meta.json" for name in expected} | journals | unknown
    assert (finished.results / "run.log.jsonl").is_file()


def test_every_manifest_is_of_its_own_inputs(finished):
    for path in finished.results.rglob("*.meta.json"):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        assert list(manifest) == ["step", "version", "inputs", "parameters", "fingerprint", "counts", "output"]
        result = path.with_name(path.name.removesuffix(".meta.json"))
        assert manifest["output"] == hashlib.sha256(result.read_bytes()).hexdigest()
        assert manifest["inputs"], path
        assert str(finished.folder) not in path.read_text(encoding="utf-8")
        for name, digest in manifest["inputs"].items():
            source = next((base / name for base in (finished.dataset, ROOT) if (base / name).is_file()), None)
            if source is None:  # a model is in neither folder
                assert name.startswith("best/")
            else:
                assert hashlib.sha256(source.read_bytes()).hexdigest() == digest, (path, name)


def test_times_and_hosts_are_in_the_run_log_and_in_no_manifest(finished):
    for path in finished.results.rglob("*.meta.json"):
        assert not {"started", "host", "seconds"} & set(json.loads(path.read_text(encoding="utf-8")))
    lines = read_lines(finished.results / "run.log.jsonl")
    assert [line["step"] for line in lines] == ["s1", "s1", "s2", "s3", "s3", "s4", "s5", "s5", "s6", "s7", "s8"]
    assert all(line["status"] == "done" and {"started", "host", "seconds"} <= set(line) for line in lines)


def test_the_dataset_is_never_written_to(finished):
    own = {path.name: path.read_bytes() for path in finished.dataset.iterdir() if path.is_file()}
    fresh = finished.corpus.write(finished.folder / "fresh")
    assert own == {path.name: path.read_bytes() for path in fresh.iterdir()}


def test_answers_have_a_line_for_every_sentence_in_order(finished):
    numbers = [str(number) for number in range(1, 9)]
    new = [f"{id_}-{place}" for id_, made in finished.corpus.synthetic.items() for place in range(1, len(made) + 1)]
    for names, ids in ((ORIGINAL, numbers), (SYNTHETIC, new)):
        for name, mode in zip(names, ("entity", "pos"), strict=True):
            rows = finished.lines(name)
            assert [row["id"] for row in rows] == ids
            assert {row["status"] for row in rows} == {"ok"}
            assert {row["mode"] for row in rows} == {mode}
            answers = finished.corpus.entities if mode == "entity" else finished.corpus.words
            assert [len(row["items"]) for row in rows] == [len(answers[id_]) for id_ in ids]


def test_synthetic_sentences_name_their_source(finished):
    for row in finished.lines("train_1000_synthetic.jsonl"):
        assert list(row) == ["id", "source", "text", "entities", "synthetic", "asked", "mentions"]
        assert row["id"].split("-")[0] == str(row["source"])
        assert row["entities"] == []
        assert row["synthetic"] is True
        assert row["asked"]
        text = "".join(row["text"])
        assert all("".join(mention.split()) in text for mention in row["mentions"])


def test_a_size_contains_only_the_first_sentences_and_their_results(finished):
    for size, number in SIZES.items():
        assert finished.lines(f"train_{size}.jsonl", size) == list(finished.corpus.rows[:number])
        new = finished.lines(f"train_{size}_synthetic.jsonl", size)
        whole = finished.lines("train_1000_synthetic.jsonl")
        assert new == [row for row in whole if row["source"] <= number]
        for mode in ("entity", "pos"):
            ids = [row["id"] for row in finished.lines(f"{mode}_train_{size}.jsonl", size)]
            assert ids == [str(one) for one in range(1, number + 1)]
            ids = [row["id"] for row in finished.lines(f"{mode}_train_{size}_synthetic.jsonl", size)]
            assert ids == [row["id"] for row in new]


def test_target_spans_of_synthetic_sentences_are_from_the_model(finished):
    for size in SIZES:
        rows = finished.lines(f"train_{size}_synthetic_target.jsonl", size)
        before = finished.lines(f"train_{size}_synthetic.jsonl", size)
        scores = [row.pop("target_scores") for row in rows]
        assert [{**row, "entities": []} for row in rows] == before
        spans = [span for row in rows for span in row["entities"]]
        assert spans
        likely = {(span["start"], span["end"], span["entity"]) for row in rows for span in row["entities"]}
        assert likely <= {(cell["start"], cell["end"], cell["entity"]) for cells in scores for cell in cells}
        for span in spans:
            assert list(span) == ["start", "end", "entity", "text", "origin", "score"]
            assert span["entity"] in finished.corpus.labels
            assert span["origin"] == "ner"
            assert 0.5 < span["score"] <= 1


def test_fusion_keeps_every_gold_span_followed_by_extension_spans(finished):
    for size, number in SIZES.items():
        rows = finished.lines(f"train_{size}_fusion.jsonl", size)
        assert len(rows) == number
        for row, source in zip(rows, finished.corpus.rows, strict=False):
            gold, added = row["entities"][: len(source["entities"])], row["entities"][len(source["entities"]) :]
            assert {**row, "entities": gold} == source
            assert {span["origin"] for span in added} <= {"entity", "pos"}
            keys = [(span["start"], span["end"], span["entity"]) for span in added]
            assert keys == sorted(set(keys))
            assert not {span["entity"] for span in added} & set(finished.corpus.labels)
            for span in added:
                assert span["text"] == row["text"][span["start"] : span["end"]]
                assert finished.corpus is ENGLISH or span["end"] - span["start"] > 1
        assert sum(len(row["entities"]) for row in rows) > sum(
            len(row["entities"]) for row in finished.corpus.rows[:number]
        )


def test_syn_fusion_has_the_synthetic_sentences_followed_by_the_fusion_sentences(finished):
    for size, number in SIZES.items():
        rows = finished.lines(f"train_{size}_synthetic_fusion.jsonl", size)
        marked = finished.lines(f"train_{size}_synthetic_target.jsonl", size)
        assert rows[-number:] == finished.lines(f"train_{size}_fusion.jsonl", size)
        assert len(rows) == len(marked) + number
        for row, source in zip(rows, marked, strict=False):
            assert row["entities"][: len(source["entities"])] == source["entities"]
            assert {span["origin"] for span in row["entities"][len(source["entities"]) :]} <= {"entity", "pos"}


def counted(rows):
    """Return the number of spans of each extension label in the rows."""
    labels = [span["entity"] for row in rows for span in row["entities"] if span.get("origin") in ("entity", "pos")]
    return {label: labels.count(label) for label in labels}


def test_label_files_count_the_spans_of_their_size(finished):
    for size, number in SIZES.items():
        fusion = counted(finished.lines(f"train_{size}_fusion.jsonl", size))
        synthetic = counted(finished.lines(f"train_{size}_synthetic_fusion.jsonl", size)[:-number])
        both = {label: fusion.get(label, 0) + synthetic.get(label, 0) for label in {*fusion, *synthetic}}
        for kind, counts in (("fusion", fusion), ("syn", synthetic), ("syn_fusion", both)):
            table = finished.json(f"label_{kind}.json", size)
            assert list(table) == ["O", *finished.corpus.labels, *sorted(counts)]
            assert [entry["idx"] for entry in table.values()] == list(range(len(table)))
            for label, entry in table.items():
                target = label == "O" or label in finished.corpus.labels
                assert entry == {"idx": entry["idx"], "count": -1 if target else counts[label], "is_target": target}


def test_the_label_files_of_the_results_folder_are_those_of_size_1000(finished):
    for kind in ("fusion", "syn", "syn_fusion"):
        for name in (f"label_{kind}.json", f"label_{kind}.json.meta.json"):
            assert (finished.results / name).read_bytes() == (finished.results / "1000" / name).read_bytes()


def test_unknown_labels_are_written_with_counts_and_examples(finished):
    spelling, example = ("zorkmid", "1897") if finished.corpus is ENGLISH else ("某某某", "电脑")
    assert finished.json("unknown_fusion.json", "1000") == {spelling: {"count": 1, "examples": [example]}}
    assert finished.json("unknown_fusion.json", "500") == {}


def test_no_sentence_of_dev_is_in_any_result(finished):
    barred = "".join(finished.corpus.dev[0]["text"])
    rows = [row for path in finished.results.rglob("*train_*.jsonl") for row in read_lines(path) if "text" in row]
    assert len(rows) > 50
    assert all("".join(row["text"]) != barred for row in rows)


def test_the_report_counts_the_spans_of_the_training_data(finished, capsys):
    call("report", **finished.data, size="500", models=finished.folder / "save_model")
    title, head, *rows, base, extension, score, llm = capsys.readouterr().out.splitlines()
    assert title == ("dataset tiny, save_type_name GLM4, LLM answers.jsonl, size 500 (50 % of the training sentences)")
    assert head.split()[:2] == ["data", "sentences"]
    assert base.startswith("base: the sentences of the dataset; fusion: ")
    assert extension.startswith("extension spans: ")
    assert score.startswith("test micro-F1: of the model trained on these sentences, on a test file")
    assert re.match(r"the LLM: \d+ % of its extra entities are gold spans \(by chance \d+ %\): ", llm)
    lines = {line.split()[0]: line.split()[1:4] for line in rows}
    files = {
        "base": "train_500.jsonl",
        "fusion": "train_500_fusion.jsonl",
        "syn_fusion": "train_500_synthetic_fusion.jsonl",
    }
    assert list(lines) == list(files)
    for data, name in files.items():
        rows = finished.lines(name, "500")
        extensions = sum(counted(rows).values())
        spans = sum(len(row["entities"]) for row in rows)
        assert lines[data] == [str(len(rows)), str(spans - extensions), str(extensions)]


def test_the_report_of_several_seeds_has_their_mean_and_deviation(finished, capsys, tmp_path):
    ratios = ("precision", "recall", "f1")
    summary = {"test": {name: {"mean": 0.5, "sd": 0.0123} for name in ratios}}
    write_json(tmp_path / "tiny_500_fusion" / "seeds.json", summary)
    report = {"micro": dict.fromkeys(ratios, 0.9), "per_label": {}}
    write_json(tmp_path / "tiny_500_fusion" / "test_report.json", report)
    call("report", **finished.data, size="500", models=tmp_path)
    assert "F1 50.0 ± 1.2" in capsys.readouterr().out
    write_json(tmp_path / "tiny_500_fusion" / "seeds.json", {})
    with pytest.raises(ValueError, match=r"seeds\.json is not a report of train_ner\.py: delete it, and train again"):
        call("report", **finished.data, size="500", models=tmp_path)


# --- the documented commands

DOCUMENTED = [
    """python syn_pipelines/s1_predict_data.py \\
    --n_gpu=0 \\
    --skip=-1 \\
    --file_dir="./data/few_shot" \\
    --file_name=weibo \\
    --save_type_name=GLM4 \\
    --model_from_pretrained="/models/glm-4-9b-chat/" \\
    --batch_size=20 \\
    --mode=entity
""",
    """python syn_pipelines/s2_continous_generation.py \\
    --n_gpu= 0 \\
    --file_dir="./data/few_shot" \\
    --file_name=weibo \\
    --save_type_name=GLM4 \\
    --model_from_pretrained="/models/glm-4-9b-chat/" \\
    --batch_size=40 \\

""",
    """python syn_pipelines/s3_predict_syn_data.py \\
    --n_gpu=0 \\
    --skip=-1 \\
    --file_dir="./data/few_shot" \\
    --file_name=weibo \\
    --save_type_name=GLM4 \\
    --model_from_pretrained="/models/glm-4-9b-chat/" \\
    --batch_size=20 \\
    --mode=entity
""",
    """python syn_pipelines/s4_split_data.py \\
    --file_dir="./data/few_shot" \\
    --file_name=weibo \\
    --save_type_name=GLM4
""",
    """python syn_pipelines/s5_merge_data.py \\
    --file_dir="./data/few_shot" \\
    --file_name=weibo \\
    --is_syn=0  \\
    --save_type_name=GLM4 \\
    --label_prefix='' \\
    --entity_label='./data/fusion_knowledge/entity_label.json' \\
    --pos_label='./data/fusion_knowledge/pos_label.json'
""",
    """python syn_pipelines/s6_combine_syn_fusion_label.py \\
    --file_dir="./data/few_shot" \\
    --file_name=weibo \\
    --save_type_name=GLM4
""",
    """python syn_pipelines/s7_pred_syn_data.py \\
    --file_dir="./data/few_shot" \\
    --file_name=weibo \\
    --save_type_name=GLM4 \\
    --from_pretrained='/models/chinese-bert-wwm-ext/' \\
    --model_from_pretrained='save_model/CNNNER-youku_1000_fusion/cnnner_best' \\
    --batch_size=4
""",
    """python syn_pipelines/s8_process_label_and_combine.py \\
    --file_dir="./data/few_shot" \\
    --file_name=weibo \\
    --is_syn=0  \\
    --save_type_name=GLM4 \\
    --label_prefix='' \\
    --entity_label='./data/fusion_knowledge/entity_label.json' \\
    --pos_label='./data/fusion_knowledge/pos_label.json'
""",
]


def in_shell(command, work):
    """Run a documented command in bash from the root, with the dataset and models of `work`."""
    changes = {
        "python ": f"{shlex.quote(sys.executable)} ",
        '"./data/few_shot"': shlex.quote(str(work.file_dir)),
        "=weibo": "=tiny",
        '"/models/glm-4-9b-chat/"': f"{shlex.quote(str(work.recording))} --backend=scripted",
        "'/models/chinese-bert-wwm-ext/'": shlex.quote(str(work.folder / "encoder")),
        "'save_model/CNNNER-youku_1000_fusion/cnnner_best'": shlex.quote(str(work.folder / "save_model" / "best")),
    }
    for old, new in changes.items():
        command = command.replace(old, new)
    done = run_command(["bash", "-c", command], cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()


def test_the_documented_commands_run_unchanged_in_their_order(tmp_path):
    work = Workspace(tmp_path, CHINESE)
    encoder = make_encoder(tmp_path / "encoder", words_of(CHINESE.rows))
    make_model(tmp_path / "save_model" / "best", encoder, CHINESE.labels, CHINESE.rows)
    said = [in_shell(command, work) for command in DOCUMENTED]
    assert all(" -> " in lines[-1] for lines in said)
    assert sum("pos_train_1000.jsonl is missing" in line for line in said[3]) == 1  # s4 reports the missing file
    assert any("label_syn.json is missing" in line for line in said[5])
    assert any("size 250 is labelled by" in line for line in said[6])  # one model for all sizes
    for size, number in SIZES.items():
        rows = work.lines(f"train_{size}_synthetic_fusion.jsonl", size)
        new = work.lines(f"train_{size}_synthetic_target.jsonl", size)
        assert len(rows) == len(new) + number
        assert any(span["origin"] == "ner" for row in rows[: len(new)] for span in row["entities"])
        warning = json.loads(
            (work.results / size / f"train_{size}_synthetic_target.jsonl.meta.json").read_text(encoding="utf-8")
        )["parameters"]["model_warning"]
        assert (warning is None) is (size == "1000")
        fusion = work.lines(f"train_{size}_fusion.jsonl", size)
        assert any(span.get("origin") == "entity" for row in fusion for span in row["entities"])  # as documented


def test_without_step_7_the_synthetic_results_stay_as_step_5_wrote_them(english, caplog):
    caplog.set_level("INFO")
    call("s1", **english.llm)
    call("s2", **english.llm)
    call("s3", **english.llm)
    call("s4", **english.data)
    for side in (0, 1):
        call("s5", **english.data, is_syn=side)
    call("s6", **english.data)
    before = bytes_below(english.results)
    caplog.clear()
    call("s8", **english.data)
    after = bytes_below(english.results)
    assert any("train_250_synthetic_target.jsonl is missing (run s7)" in line for line in caplog.messages)
    changed = {name for name in after if after[name] != before.get(name)}
    assert all(name.endswith(".meta.json") for name in changed), changed  # they differ only in the step's name
    assert not any("synthetic_fusion" in name or "label_syn.json" in name for name in changed)


def test_step_4_after_step_1_alone_writes_no_synthetic_files(english):
    call("s1", **english.llm)
    call("s4", **english.data)
    names = {path.name for path in (english.results / "250").iterdir()}
    assert {name for name in names if not name.endswith(".meta.json")} == {"train_250.jsonl", "entity_train_250.jsonl"}


# --- repeated runs, also after an interruption or a change


@pytest.mark.parametrize(("step", "options"), [("s4", {}), ("s5", {"is_syn": 0}), ("s5", {"is_syn": 1}), ("s6", {})])
def test_steps_4_to_6_run_twice_give_the_same_bytes(english, step, options):
    english.annotate()
    english.merge()
    before = bytes_below(english.results)
    call(step, **english.data, **options)
    assert bytes_below(english.results) == before


def test_all_steps_run_again_give_the_same_bytes_and_ask_nothing(finished):
    before = bytes_below(finished.results)
    finished.annotate()
    call("s4", **finished.data)
    call(
        "s7",
        **finished.data,
        model_from_pretrained=f"{finished.folder}/save_model/GLM4/tiny_{{size}}_fusion/best",
        n_gpu=-1,
    )
    call("s8", **finished.data)
    call("s8", **finished.data)
    assert bytes_below(finished.results) == before
    assert finished.runs("s1")[-1]["answers"] == finished.runs("s2")[-1]["answers"] == 0


@pytest.mark.parametrize(("step", "options"), [("s5", {"is_syn": 0}), ("s5", {"is_syn": 1}), ("s6", {})])
def test_after_step_8_steps_5_and_6_stop_and_name_overwrite(finished, step, options):
    before = bytes_below(finished.results)
    with pytest.raises(ValueError, match="was made by s8; use --overwrite"):
        call(step, **finished.data, **options)
    assert bytes_below(finished.results) == before


def test_after_step_8_steps_5_and_6_run_with_overwrite(english):
    call("s1", **english.llm)
    call("s4", **english.data)
    call("s5", **english.data)
    call("s8", **english.data)
    for step in ("s5", "s6"):
        done = run_python(
            SCRIPTS / f"{STEPS[step]}.py",
            f"--file_dir={english.file_dir}",
            "--file_name=tiny",
            "--overwrite",
            cwd=english.folder,
        )
        assert done.returncode == 0, done.stderr
    assert english.json("train_250_fusion.jsonl.meta.json", "250")["step"] == "s5"
    assert english.json("label_syn_fusion.json.meta.json")["step"] == "s6"


SLOWED = """
import sys, time
sys.path.insert(0, {scripts!r})
import s1_predict_data
from utils.llm.backends import scripted

whole = scripted.ScriptedLLM.generate

def slow(self, requests):
    for number, answer in enumerate(whole(self, requests)):
        if number == 3:
            time.sleep(3600)  # the test kills this process
        yield answer

scripted.ScriptedLLM.generate = slow
s1_predict_data.main(cmd_args=False, **{values!r})
"""


def test_step_1_asks_only_for_missing_answers_after_it_was_killed(english):
    values = {name: str(value) for name, value in english.llm.items()}
    journal = english.results / f"{ORIGINAL[0]}.journal.jsonl"
    program = SLOWED.format(scripts=str(SCRIPTS), values=values)
    with subprocess.Popen([sys.executable, "-c", program], env=clean_environment(), stderr=subprocess.PIPE) as running:
        while True:
            if (journal.is_file() and journal.read_bytes().count(b"\n") >= 3) or running.poll() is not None:
                break
            time.sleep(0.02)
        os.kill(running.pid, signal.SIGKILL)
        assert running.stderr is not None
        error = running.stderr.read().decode()
    assert running.returncode == -signal.SIGKILL, error
    there = journal.read_bytes().count(b"\n")
    assert there == 3
    assert not (english.results / ORIGINAL[0]).exists()
    call("s1", **english.llm)
    assert english.runs("s1")[-1]["answers"] == 8 - there
    rows = read_lines(journal)
    assert sorted(row["id"] for row in rows) == [str(number) for number in range(1, 9)]
    assert [row["status"] for row in english.lines(ORIGINAL[0])] == ["ok"] * 8


@pytest.mark.parametrize("step", ["s1", "s2", "s3"])
@pytest.mark.parametrize("share", [0.3, 0.75])
def test_a_truncated_journal_is_completed_to_the_same_result(english, step, share):
    english.annotate()
    name = {"s1": ORIGINAL[0], "s2": "train_1000_synthetic.jsonl", "s3": SYNTHETIC[0]}[step]
    result, journal = english.results / name, english.results / f"{name}.journal.jsonl"
    before, rows = result.read_bytes(), read_lines(journal)
    data = journal.read_bytes()
    journal.write_bytes(data[: int(len(data) * share)])
    kept = journal.read_bytes().count(b"\n")
    result.unlink()
    call(step, **english.llm)
    assert result.read_bytes() == before
    assert english.runs(step)[-1]["answers"] == len(rows) - kept > 0
    assert sorted(row["id"] for row in read_lines(journal)) == sorted(row["id"] for row in rows)


def test_results_of_two_recordings_are_not_mixed(english):
    call("s1", **english.llm)
    before = bytes_below(english.results)
    with english.recording.open("a", encoding="utf-8") as file:
        file.write('{"id": "99", "task": "pos", "answer": "[]"}\n')
    with pytest.raises(ValueError, match=r"another model, prompt or setting.*--overwrite"):
        call("s1", **english.llm)
    assert bytes_below(english.results) == before


def test_a_step_warns_about_a_changed_input(english, caplog):
    english.annotate()
    call("s4", **english.data)
    rows = [dict(row) for row in english.corpus.rows]
    rows[0] = {"text": ["New", "words", "."], "entities": []}
    write_rows(english.dataset / "train_1000.jsonl", rows)
    caplog.clear()
    call("s5", **english.data)
    assert any("is stale: train_1000.jsonl has changed since it was made; run s4 again" in m for m in caplog.messages)
    caplog.clear()
    call("s4", **english.data)
    assert any("run s1 again" in message for message in caplog.messages)
    assert any("2 annotations of other texts dropped" in message for message in caplog.messages)
    call("s1", **english.llm)
    assert english.runs("s1")[-1]["answers"] == 1


def test_results_without_a_manifest_are_used_with_one_warning(english, caplog):
    caplog.set_level("INFO")
    call("s1", **english.llm)
    (english.results / f"{ORIGINAL[0]}.meta.json").unlink()
    call("s4", **english.data)
    assert sum(f"{ORIGINAL[0]} has no manifest: it cannot be checked" in message for message in caplog.messages) == 1


def test_skipped_sentences_are_not_asked_and_have_rows_that_say_so(english):
    call("s1", **english.llm, skip=6)
    assert [row["status"] for row in english.lines(ORIGINAL[0])] == ["skipped"] * 6 + ["ok"] * 2
    assert english.runs("s1")[-1]["answers"] == 2


def test_later_runs_complete_limited_steps_to_the_same_bytes(english):
    english.annotate()
    whole = bytes_below(english.results)
    # The manifests of s3 contain the folder of their inputs.
    of_s3 = {f"{mode}_train_1000_synthetic.jsonl.meta.json" for mode in ("entity", "pos")}
    limited = {**english.llm, "save_type_name": "limited"}
    call("s1", **limited, limit=3)
    call("s2", **limited, limit=3)
    results = english.dataset / "limited"
    assert [row["status"] for row in read_lines(results / "entity_train_1000.jsonl")] == ["ok"] * 3 + ["skipped"] * 5
    assert {row["source"] for row in read_lines(results / "train_1000_synthetic.jsonl")} == {1, 2}
    call("s3", **limited, limit=2)
    for step in ("s1", "s2", "s3"):
        call(step, **limited)
        call(step, **limited, **({} if step == "s2" else {"mode": "pos"}))
    parts = bytes_below(results)
    assert parts.keys() == whole.keys()
    assert [name for name in whole if parts[name] != whole[name] and name not in of_s3] == []


def test_mostly_unreadable_answers_give_a_warning_with_a_remedy(english, caplog):
    write_rows(english.recording, [{"id": "1", "task": "entity", "answer": "I cannot."}])
    call("s1", **english.llm)
    last = caplog.records[-1]
    assert last.levelname == "WARNING"
    assert "8 answers unreadable" in last.getMessage()
    assert "try a larger model" in last.getMessage()


# --- the scripts of the span model


def test_a_model_is_trained_on_the_pipelines_data_evaluated_and_used_by_step_7(english, caplog):
    caplog.set_level("INFO")
    ready = english.split()
    call("s5", **ready.data)
    encoder = make_encoder(ready.folder / "encoder", words_of(ready.corpus.rows))
    write_rows(ready.dataset / "dev.jsonl", ready.corpus.rows[:3])
    write_rows(ready.dataset / "test.jsonl", ready.corpus.rows[3:])
    folder = ready.folder / "trained"
    train = {**ready.data, "size": "1000", "data": "fusion", "from_pretrained": encoder, "save_dir": folder}
    few = {"epochs": 25, "min_steps": 1, "lr": 0.004, "adversarial": 0, "ema": 0, "n_gpu": -1}  # finds the dev spans
    call("train", **train, **few)
    report = json.loads((folder / "test_report.json").read_text(encoding="utf-8"))
    assert "micro" in report
    record = json.loads((folder / "best" / "training.json").read_text(encoding="utf-8"))
    assert len(record["sentences"]) == 8
    before = bytes_below(folder)
    call("train", **train, **few)
    assert bytes_below(folder) == before
    assert any("already trained" in message for message in caplog.messages)
    test = ready.dataset / "test.jsonl"
    figures = ready.folder / "report.json"
    call("evaluate", model_from_pretrained=folder / "best", test=test, n_gpu=-1, report=figures)
    assert json.loads(figures.read_text(encoding="utf-8"))["micro"] == report["micro"]
    call("s7", **ready.data, model_from_pretrained=folder / "best", n_gpu=-1)
    assert (ready.results / "1000" / "train_1000_synthetic_target.jsonl").is_file()


# --- ways to start a script


@pytest.mark.parametrize("script", sorted(path.stem for path in SCRIPTS.glob("[!_]*.py")))
def test_help_is_shown_from_any_folder(tmp_path, script):
    done = run_python(SCRIPTS / f"{script}.py", "--help", cwd=tmp_path, COLUMNS="122")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) <= 110, "more than two screens"
    assert max(map(len, done.stdout.splitlines())) <= 120
    assert re.search(r"^(Reads|Writes) ", done.stdout, re.MULTILINE)
    assert f"python syn_pipelines/{script}.py" in done.stdout
    assert "--debug" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("flag", ["--n_gpu", "--skip", "--file_dir", "--file_name", "--save_type_name", "--mode"])
def test_the_documented_flags_of_step_1_are_in_its_help(flag, capsys):
    import s1_predict_data

    with pytest.raises(SystemExit):
        s1_predict_data.build_parser().parse_words(["--help"])
    assert flag in capsys.readouterr().out


def test_a_script_runs_from_any_folder_in_an_ascii_locale_with_a_relative_path(english):
    done = run_python(
        SCRIPTS / "s1_predict_data.py",
        "--file_dir=few shot",
        "--file_name=tiny",
        "--backend=scripted",
        "--model_from_pretrained=answers.jsonl",
        cwd=english.folder,
        LC_ALL="C",
        PYTHONCOERCECLOCALE="0",
    )
    assert done.returncode == 0, done.stderr
    assert [row["status"] for row in english.lines(ORIGINAL[0])] == ["ok"] * 8


@pytest.mark.parametrize("folder", [ROOT, SCRIPTS], ids=["root", "syn_pipelines"])
@pytest.mark.parametrize("step", ["s1", "s4", "train"])
def test_a_script_pasted_into_a_kernel_names_a_missing_value(folder, step):
    source = (SCRIPTS / f"{STEPS[step]}.py").read_text(encoding="utf-8")
    assert "\ncmd_args = True" in source
    pasted = source.replace("\ncmd_args = True", "\ncmd_args = False", 1).replace("    main()\n", "")
    ending = "    try:\n        main()\n    except ValueError as error:\n        print('raised', error)\n"
    done = run_pasted(f"{pasted}{ending}", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("raised ")
    assert "--from_pretrained" in done.stdout if step == "train" else "--file_name" in done.stdout


def test_errors_in_a_notebook_name_the_bad_value(english):
    with pytest.raises(ValueError, match="'filename' is not an argument of"):
        call("s4", filename="tiny")
