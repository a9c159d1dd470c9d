"""The status of a dataset: what is done, partial, stale or missing, and the next command."""

from __future__ import annotations

import json
import shlex
import shutil

import pytest

from tests.helpers.builders import ENGLISH, SCRIPTS, bytes_below, call, read_lines, run_python, write_json, write_rows
from tests.helpers.workspace import SIZES, Workspace
from utils.audit.status import Survey, next_step
from utils.dataset.layout import Layout
from utils.dataset.sentence_file import read_dataset_info
from utils.dataset.tokens import WORDS
from utils.ner.training.data import read_ner_data
from utils.ner.training.record import data_fingerprint
from utils.ner.training.settings import TrainSettings

STEPS = ["s1 --mode=entity", "s1 --mode=pos", "s2", "s3 --mode=entity", "s3 --mode=pos"]
SIZED = ["s4", "s5 --is_syn=0", "s5 --is_syn=1", "s6", "train fusion", "s7", "s8", "train base", "train syn_fusion"]


@pytest.fixture
def work(tmp_path):
    return Workspace(tmp_path, ENGLISH)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A dataset on which all steps have run, with a model for each size and its training record."""
    work = Workspace(tmp_path_factory.mktemp("finished"), ENGLISH).finish()
    for size in SIZES:
        for data in ("fusion", "base", "syn_fusion"):
            add_record(work, size, data)
    return work


@pytest.fixture
def done(finished, tmp_path):
    """A copy of the finished dataset."""
    return finished.copy(tmp_path)


def add_record(work, size, data="fusion", *, finished=True):
    """Write into the record of a size's model that it was trained on the current data of the size."""
    layout = Layout(work.file_dir, "tiny")
    sentences, labels = layout.training_files(size, data)
    read = read_ner_data(sentences, layout.dev, labels, tokenisation=WORDS, seed=TrainSettings().seed)
    folder = layout.model_folder(size, data, parent=work.folder / "save_model")
    if not folder.is_dir():
        shutil.copytree(layout.model_folder(size, "fusion", parent=work.folder / "save_model"), folder)
    path = folder / "best" / "training.json"
    record = {
        "settings": {"seed": TrainSettings().seed},
        "data": {"train": data_fingerprint(read.train), "dev": data_fingerprint(read.dev)},
        "finished": finished,
    }
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | record)


def survey(work):
    """Return (the state of each step and size that is not done, all statuses, the next command)."""
    layout = Layout(work.file_dir, "tiny")
    dataset = read_dataset_info(layout.train, layout.labels)
    found = Survey(layout, dataset, work.folder / "save_model", "--file_name=tiny").statuses()
    assert [status.step for status in found] == [*STEPS, *(step for step in SIZED for _ in SIZES)]
    undone = next_step(found)
    states = {(status.step, status.size): status.state for status in found if status.state != "done"}
    return states, found, undone.command if undone else None


def note(found, step, size=None):
    return next(status.note for status in found if (status.step, status.size) == (step, size))


def sizes(step, state):
    return {(step, size): state for size in SIZES}


def not_trained():
    return {**sizes("train base", "missing"), **sizes("train syn_fusion", "missing")}


def test_before_the_first_run_all_steps_are_missing_and_step_1_is_next(work):
    states, _, command = survey(work)
    assert set(states.values()) == {"missing"}
    assert len(states) == len(STEPS) + 3 * len(SIZED)
    assert "s1_predict_data.py --file_name=tiny --model_from_pretrained=PATH_OF_THE_LLM --mode=entity" in command


def test_after_all_steps_all_are_done_and_no_step_is_next(finished):
    assert survey(finished)[0] == {}
    assert survey(finished)[2] is None


def test_a_killed_step_is_partial_and_its_answers_are_counted(work):
    call("s1", **work.llm)
    journal = work.results / "entity_train_1000.jsonl.journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:3]) + b'{"id"')
    for name in ("entity_train_1000.jsonl", "entity_train_1000.jsonl.meta.json"):
        (work.results / name).unlink()
    states, found, command = survey(work)
    assert states["s1 --mode=entity", None] == "partial"
    assert note(found, "s1 --mode=entity") == "3 answers are in its journal"
    assert "--mode=entity" in command


def test_a_step_with_a_limit_is_partial(work):
    call("s1", **work.llm, limit=3)
    states, found, _ = survey(work)
    assert states["s1 --mode=entity", None] == "partial"
    assert note(found, "s1 --mode=entity") == "5 sentences were skipped: run without --skip and --limit"


def test_the_next_command_names_the_last_llm(work):
    call("s1", **work.llm)
    states, _, command = survey(work)
    assert ("s1 --mode=entity", None) not in states
    assert {f"--model_from_pretrained={work.recording}", "--backend=scripted"} <= set(command.split())
    assert command.endswith("--mode=pos")


def test_the_next_command_repeats_the_flags_of_an_interrupted_run(work):
    work.annotate()
    call("s2", **work.llm, max_new_tokens=40, num_samples=2, limit=3, overwrite=True)
    for name in ("train_1000_synthetic.jsonl", "train_1000_synthetic.jsonl.meta.json"):
        (work.results / name).unlink()
    states, _, command = survey(work)
    assert states["s2", None] == "partial"
    _, script, *flags = shlex.split(command)
    assert {"--max_new_tokens=40", "--num_samples=2"} <= set(flags)
    assert not {"--limit=3", "--overwrite"} & set(flags)
    assert run_python(SCRIPTS.parent / script, f"--file_dir={work.file_dir}", *flags, cwd=work.folder).returncode == 0
    assert "s2" not in {step for step, _ in survey(work)[0]}


def test_after_steps_1_to_3_step_4_is_next(work):
    work.annotate()
    states, _, command = survey(work)
    assert not {step for step, _ in states} & set(STEPS)
    assert command == "python syn_pipelines/s4_split_data.py --file_name=tiny"


def test_after_step_6_the_training_of_each_size_is_next(work):
    work.annotate()
    work.merge()
    states, _, command = survey(work)
    missing = {**sizes("train fusion", "missing"), **sizes("s7", "missing"), **sizes("s8", "missing")}
    assert states == {**missing, **not_trained()}
    assert "train_ner.py --file_name=tiny --size=250 --data=fusion --from_pretrained=PATH_OF_THE_ENCODER" in command


def test_after_the_trainings_step_7_with_the_models_is_next(done):
    for size in SIZES:
        for file in (done.results / size).glob("train_*_synthetic_target.jsonl*"):
            file.unlink()
    states, _, command = survey(done)
    assert states == {**sizes("s7", "missing")}
    assert "s7_pred_syn_data.py" in command
    assert f"--model_from_pretrained='{done.folder}/save_model/GLM4/tiny_{{size}}_fusion/best'" in command


def test_after_step_7_step_8_is_next(work):
    work.annotate()
    work.merge()
    pattern = work.models()
    for size in SIZES:
        add_record(work, size)
    call("s7", **work.data, model_from_pretrained=pattern, n_gpu=-1)
    states, found, command = survey(work)
    assert states == {**sizes("s8", "missing"), **not_trained()}
    assert note(found, "s8", "250") == "the synthetic sentences do not have their target labels yet"
    assert command == "python syn_pipelines/s8_process_label_and_combine.py --file_name=tiny"


def test_changed_sentences_make_all_results_from_them_stale(done):
    rows = read_lines(done.dataset / "train_1000.jsonl")
    write_rows(done.dataset / "train_1000.jsonl", [*rows[:-1], {**rows[-1], "note": "x"}])
    states, found, command = survey(done)
    unsized = {(step, None): "stale" for step in STEPS}
    replaced = sizes("s5 --is_syn=1", "stale").keys()  # its results are those of s8
    assert states == {key: "stale" for step in SIZED for key in sizes(step, "") if key not in replaced} | unsized
    assert note(found, "s2") == "train_1000.jsonl has changed since"
    assert note(found, "s3 --mode=pos") == "train_1000.jsonl has changed since; run s2 again first"
    assert note(found, "train base", "250") == "train_1000.jsonl has changed since; run s4 again first"
    assert "s1_predict_data.py" in command


def test_a_repeated_step_leaves_the_later_steps_stale_until_they_are_repeated(work):
    work.annotate()
    work.merge()
    write_rows(work.dataset / "train_1000.jsonl", read_lines(work.dataset / "train_1000.jsonl")[:-1])
    assert survey(work)[0]["s5 --is_syn=0", "250"] == "stale"
    work.annotate()
    states, found, _ = survey(work)
    merged = [key for step in ("s4", "s5 --is_syn=0", "s5 --is_syn=1", "s6") for key in sizes(step, "")]
    assert {states[key] for key in merged} == {"stale"}
    assert note(found, "s5 --is_syn=0", "250").endswith("train_1000.jsonl has changed since; run s4 again first")
    assert note(found, "s6", "250").endswith("train_1000.jsonl has changed since; run s4 and s5 again first")
    work.merge()
    assert set(survey(work)[0].values()) == {"missing"}


def test_a_model_that_was_trained_again_makes_its_labels_stale(done):
    assert ("s7", "250") not in survey(done)[0]
    layout = Layout(done.file_dir, "tiny")
    weights = layout.model_folder("250", "fusion", parent=done.folder / "save_model") / "best" / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    states, found, _ = survey(done)
    assert states["s7", "250"] == "stale"
    assert ("s7", "500") not in states
    assert "trained again" in note(found, "s7", "250")


def test_a_changed_label_file_makes_the_merge_stale_with_overwrite_as_the_remedy(done):
    own = done.folder / "labels.json"
    write_json(own, {"PERSON_NAME": ["person"]})
    call("s8", **done.data, entity_label=own)
    shutil.copy(done.dataset / "labels.txt", done.folder / "old")
    with (done.dataset / "labels.txt").open("a", encoding="utf-8") as file:
        file.write("\n")
    states, found, command = survey(done)
    trainings = {"train fusion", "train syn_fusion"}
    assert {step for step, _ in states} == {"s5 --is_syn=0", "s6", "s7", "s8", *trainings}
    assert set(states.values()) == {"stale"}
    assert note(found, "s5 --is_syn=0", "250") == "labels.txt has changed since"
    assert command == "python syn_pipelines/s5_merge_data.py --file_name=tiny --is_syn=0 --overwrite"


def test_a_later_mode_makes_the_split_partial_and_then_the_merge_stale(work):
    call("s1", **work.llm)
    call("s4", **work.data)
    call("s5", **work.data)
    call("s1", **work.llm, mode="pos")
    states, found, _ = survey(work)
    assert {key: states[key] for key in sizes("s4", "")} == sizes("s4", "partial")
    assert note(found, "s4", "500") == "pos_train_500.jsonl is missing"
    call("s4", **work.data)
    states, found, _ = survey(work)
    assert {key: states[key] for key in sizes("s5 --is_syn=0", "")} == sizes("s5 --is_syn=0", "stale")
    assert note(found, "s5 --is_syn=0", "500") == "made before GLM4/500/pos_train_500.jsonl existed"


def test_a_model_of_other_sentences_is_stale_and_an_unfinished_one_is_partial(done):
    record = done.folder / "save_model" / "GLM4" / "tiny_250_fusion" / "best" / "training.json"
    write_json(record, {**json.loads(record.read_text(encoding="utf-8")), "data": {"train": "0", "dev": "0"}})
    add_record(done, "500", finished=False)
    shutil.rmtree(done.folder / "save_model" / "GLM4" / "tiny_1000_fusion" / "best")
    (done.folder / "save_model" / "GLM4" / "tiny_1000_fusion" / "last").mkdir()
    states, found, command = survey(done)
    trained = [states["train fusion", size] for size in SIZES]
    assert trained == ["stale", "partial", "partial"]
    assert note(found, "train fusion", "250") == "the sentences or spans of train_250_fusion.jsonl have changed since"
    assert "--size=250" in command


def test_a_training_without_any_found_dev_span_is_shown_as_such(done):
    add_record(done, "250")
    record = done.folder / "save_model" / "GLM4" / "tiny_250_fusion" / "best" / "training.json"
    write_json(record, {**json.loads(record.read_text(encoding="utf-8")), "dev": {"micro": {"f1": 0.0}}})
    assert note(survey(done)[1], "train fusion", "250") == "but its dev F1 is 0"


def test_a_result_without_label_file_is_partial_and_without_manifest_is_done(done):
    (done.results / "250" / "label_fusion.json").unlink()
    (done.results / "pos_train_1000.jsonl.meta.json").unlink()
    states, found, _ = survey(done)
    assert states["s5 --is_syn=0", "250"] == "partial"
    assert note(found, "s1 --mode=pos") == "no manifest: it cannot be checked whether the result is up to date"
    assert ("s1 --mode=pos", None) not in states


def test_step_5_run_again_after_step_8_makes_step_8_stale(done):
    call("s5", **done.data, overwrite=True, label_prefix="X_")
    states, _, _ = survey(done)
    assert {states[key] for key in sizes("s8", "")} == {"stale"}
    assert {states[key] for key in sizes("s6", "")} == {"stale"}
    assert ("s5 --is_syn=1", "250") not in states


def test_the_script_shows_a_line_for_each_step_and_a_command_that_runs(work):
    call("s1", **work.llm)
    call("s1", **work.llm, mode="pos")
    words = [f"--{name}={value}" for name, value in work.data.items()]
    before = bytes_below(work.file_dir)
    shown = run_python(SCRIPTS / "status.py", *words, cwd=work.folder)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["s1", "--mode=entity", "all", "done"]
    assert lines[2].split() == ["s2", "all", "missing"]
    assert bytes_below(work.file_dir) == before
    _, script, *flags = shlex.split(lines[-1].removeprefix("next: "))
    assert run_python(SCRIPTS.parent / script, *flags, cwd=work.folder).returncode == 0
    again = run_python(SCRIPTS / "status.py", *words, cwd=work.folder).stdout
    assert again.splitlines()[2].split() == ["s2", "all", "done"]
    assert "s3_predict_syn_data.py" in again.splitlines()[-1]


def test_a_size_that_another_model_labelled_has_a_note(done, capsys):
    manifest = done.results / "250" / "train_250_synthetic_target.jsonl.meta.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"best/', '"other/'), encoding="utf-8")
    states, found, _ = survey(done)
    assert ("s7", "250") not in states
    assert note(found, "s7", "250") == "labelled by other, not by tiny_250_fusion/best"
    assert note(found, "s7", "500") == ""
    labelled = "syn_fusion: the synthetic sentences have their target labels from other"
    for size in ("250", "500"):
        call("report", **done.data, size=size)
        assert (labelled in capsys.readouterr().out.splitlines()) == (size == "250")


def test_the_three_kinds_of_trainings_are_listed_and_come_last(done):
    layout, models = Layout(done.file_dir, "tiny"), done.folder / "save_model"
    shutil.rmtree(layout.model_folder("250", "base", parent=models))
    shutil.rmtree(layout.model_folder("500", "syn_fusion", parent=models))
    states, _, command = survey(done)
    assert states == {("train base", "250"): "missing", ("train syn_fusion", "500"): "missing"}
    assert "train_ner.py --file_name=tiny --size=250 --data=base --from_pretrained=PATH_OF_THE_ENCODER" in command


def test_models_of_an_older_version_are_found_if_their_data_are_the_same(done):
    layout, models = Layout(done.file_dir, "tiny"), done.folder / "save_model"
    for size in SIZES:
        old = layout.old_model_folder(size, "fusion", parent=models)
        layout.model_folder(size, "fusion", parent=models).rename(old)
    assert survey(done)[0] == {}
    record = layout.old_model_folder("250", "fusion", parent=models) / "best" / "training.json"
    write_json(record, {**json.loads(record.read_text(encoding="utf-8")), "data": {"train": "0", "dev": "0"}})
    states, found, _ = survey(done)
    assert states == {("train fusion", "250"): "missing"}
    reason = note(found, "train fusion", "250")
    assert "tiny_250_fusion is not used: the sentences or spans of train_250_fusion.jsonl have changed since" in reason
    assert "--save_dir" in reason


def test_a_mistyped_name_of_results_is_one_error(work):
    call("s1", **work.llm)
    for script in ("status", "report", "audit"):
        with pytest.raises(FileNotFoundError, match=r"GML4 is missing: --save_type_name must name .* such as GLM4"):
            call(script, **work.data, save_type_name="GML4", models=work.folder)


@pytest.mark.parametrize("style", ["rewrite", "names"])
def test_the_command_of_an_interrupted_s2_has_its_style(work, style):
    for mode in ("entity", "pos"):
        call("s1", **work.llm, mode=mode)
    call("s2", **work.llm, style=style)
    for name in ("train_1000_synthetic.jsonl", "train_1000_synthetic.jsonl.meta.json"):
        (work.results / name).unlink()
    states, _, command = survey(work)
    assert states["s2", None] == "partial"
    assert f"--style={style}" in shlex.split(command)


def test_the_command_of_a_stale_s2_has_its_style(work):
    for mode in ("entity", "pos"):
        call("s1", **work.llm, mode=mode)
    call("s2", **work.llm, style="news")
    (work.dataset / "dev.jsonl").unlink()
    write_rows(work.dataset / "dev.jsonl", work.corpus.dev * 2)
    _, _, command = survey(work)
    assert "s2_continous_generation.py" in command
    assert "--style=news" in shlex.split(command)
