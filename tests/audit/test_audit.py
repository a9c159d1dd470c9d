"""The audit: a clean run passes, and each planted leak is reported with its file and its kind."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

import pytest

from tests.helpers.builders import (
    CHINESE,
    ENGLISH,
    SCRIPTS,
    bytes_below,
    call,
    read_lines,
    run_python,
    write_json,
    write_rows,
)
from tests.helpers.workspace import SIZES, Workspace
from utils.dataset.records import Sentence
from utils.dataset.tokens import text_hash
from utils.ner.training.record import data_fingerprint
from utils.wording import counted


@pytest.fixture(scope="module", params=[ENGLISH, CHINESE], ids=["english", "chinese"])
def clean(request, tmp_path_factory):
    """A dataset on which all eight steps have run, with a model for each size and its training record."""
    work = Workspace(tmp_path_factory.mktemp("clean"), request.param).finish()
    for size in SIZES:
        add_record(work, size)
    return work


def add_record(work, size):
    """Add the labels and counts of a size to the record of its model, as train_ner does."""
    table = work.json("label_fusion.json", size)
    extensions = [label for label, entry in table.items() if not entry["is_target"]]
    record = work.folder / "save_model" / "GLM4" / f"tiny_{size}_fusion" / "best" / "training.json"
    added = {
        "labels": list(table),
        "num_target_labels": len(table) - len(extensions) - 1,
        "extension_counts": [table[label]["count"] for label in extensions],
    }
    write_json(record, json.loads(record.read_text(encoding="utf-8")) | added)


@pytest.fixture
def work(clean, tmp_path):
    """A copy of the clean run, to plant a leak in."""
    return clean.copy(tmp_path)


def audit(work):
    """Run the audit on the command line; return its exit code, its problems, and its messages."""
    words = [f"--{name}={value}" for name, value in work.data.items()]
    done = run_python(SCRIPTS / "audit.py", *words, f"--models={work.folder / 'save_model'}", cwd=work.folder)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout.splitlines(), done.stderr


def sign(path):
    """Write the new hash of a changed file into the manifests, so that hashes do not reveal the leak."""
    results = next(parent for parent in path.parents if parent.name == "GLM4")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for manifest in results.rglob("*.meta.json"):
        value = json.loads(manifest.read_text(encoding="utf-8"))
        name = path.relative_to(results.parent).as_posix()
        if name in value["inputs"]:
            value["inputs"][name] = digest
        if manifest.name == f"{path.name}.meta.json" and manifest.parent == path.parent:
            value["output"] = digest
        write_json(manifest, value)


def change_rows(work, name, change, size="250"):
    path = work.results / size / name if size else work.results / name
    rows = read_lines(path)
    write_rows(path, change(rows) or rows)
    sign(path)


def change_json(path, change):
    value = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, change(value) or value)
    sign(path) if "GLM4" in path.parts else None


def outside(work, name):
    """Return the rows of the full size whose sentences are not in size 250; labels and scores depend on the size."""
    own = [row["text"] for row in work.lines(name.format("250"), "250")]
    return [row for row in work.lines(name.format("1000"), "1000") if row["text"] not in own]


def sentence_from_outside(work):
    change_rows(work, "train_250.jsonl", lambda rows: [*rows, outside(work, "train_{}.jsonl")[0]])


def sentence_exchanged(work):
    change_rows(work, "train_250_fusion.jsonl", lambda rows: [rows[0], outside(work, "train_{}_fusion.jsonl")[0]])


def sentence_doubled(work):
    change_rows(work, "train_500.jsonl", lambda rows: [*rows, rows[0]], "500")


def synthetic_from_outside(work):
    name = "train_{}_synthetic.jsonl"
    change_rows(work, name.format("250"), lambda rows: [*rows, outside(work, name)[0]])


def synthetic_renamed(work):
    def rename(rows):
        rows[-1] = {**outside(work, "train_{}_synthetic_target.jsonl")[0], "id": "1-9", "source": 1}

    change_rows(work, "train_250_synthetic_target.jsonl", rename)


def synthetic_training_from_outside(work):
    name = "train_{}_synthetic_fusion.jsonl"
    rows = [row for row in outside(work, name) if row.get("synthetic")]
    change_rows(work, name.format("250"), lambda own: [rows[0], *own])


def original_training_from_outside(work):
    name = "train_{}_synthetic_fusion.jsonl"
    rows = [row for row in outside(work, name) if not row.get("synthetic")]
    change_rows(work, name.format("250"), lambda own: [*own, rows[-1]])


def answer_from_outside(work):
    name = "pos_train_{}.jsonl"
    change_rows(work, name.format("250"), lambda rows: [*rows, outside(work, name)[0]])


def answer_to_another_text(work):
    def exchange(rows):
        rows[1]["text"] = ["x"]

    change_rows(work, "entity_train_250.jsonl", exchange)


def extension_without_an_answer(work):
    name = "entity_train_250.jsonl"
    change_rows(work, name, lambda rows: [{**row, "items": []} for row in rows])


def gold_span_changed(work):
    def move(rows):
        rows[0]["entities"][0]["end"] += 1

    change_rows(work, "train_250_fusion.jsonl", move)


def gold_span_dropped(work):
    change_rows(work, "train_1000.jsonl", lambda rows: [{**rows[0], "entities": []}, *rows[1:]], "1000")


def model_span_renamed(work):
    def rename(rows):
        next(row for row in rows if row["entities"])["entities"][0]["entity"] = "NOUN"

    change_rows(work, "train_1000_synthetic_target.jsonl", rename, "1000")


def extension_called_like_a_target(work):
    def rename(rows):
        rows[0]["entities"][-1]["entity"] = work.corpus.labels[0]

    change_rows(work, "train_250_fusion.jsonl", rename)


def label_from_outside(work):
    path = work.results / "250" / "label_fusion.json"
    change_json(path, lambda table: {**table, "ALIEN": {"idx": len(table), "count": 3, "is_target": False}})


def weight_from_outside(work):
    whole = work.json("label_fusion.json", "1000")

    def heavier(table):
        return {label: {**entry, "count": whole[label]["count"]} for label, entry in table.items()}

    change_json(work.results / "250" / "label_fusion.json", heavier)


def target_turned_into_an_extension(work):
    def turn(table):
        table[work.corpus.labels[0]]["is_target"] = False

    change_json(work.results / "500" / "label_syn_fusion.json", turn)


def copy_of_another_size(work):
    shutil.copy(work.results / "250" / "label_fusion.json", work.results / "label_fusion.json")


def made_from_another_size(work):
    def rename(manifest):
        manifest["inputs"]["GLM4/1000/pos_train_1000.jsonl"] = manifest["inputs"].pop("GLM4/250/pos_train_250.jsonl")

    change_json(work.results / "250" / "train_250_fusion.jsonl.meta.json", rename)


def input_changed_since(work):
    with (work.dataset / "labels.txt").open("a", encoding="utf-8") as file:
        file.write("\n")


def model_of_another_size(work):
    record = work.folder / "save_model" / "GLM4" / "tiny_250_fusion" / "best" / "training.json"
    shutil.copy(work.folder / "save_model" / "GLM4" / "tiny_1000_fusion" / "best" / "training.json", record)


def one_model_for_all_sizes(work):
    model = work.folder / "save_model" / "GLM4" / "tiny_1000_fusion" / "best"
    call("s7", **work.data, model_from_pretrained=model, n_gpu=-1, overwrite=True)
    call("s8", **work.data)


def weights_of_another_size(work):
    path = work.folder / "save_model" / "GLM4" / "tiny_250_fusion" / "best" / "training.json"
    change_json(path, lambda record: {**record, "extension_counts": [n + 1 for n in record["extension_counts"]]})


def training_sentence_in_test(work):
    write_rows(work.dataset / "test.jsonl", [work.corpus.rows[6]])


def synthetic_sentence_in_dev(work):
    new = work.lines("train_1000_synthetic.jsonl")[0]
    write_rows(work.dataset / "dev.jsonl", [{"text": [token.upper() for token in new["text"]], "entities": []}])


def spans_of_s7_edited(work):
    """The spans of the model are changed by hand, and s8 runs again on them."""
    path = work.results / "250" / "train_250_synthetic_target.jsonl"
    write_rows(path, [{**row, "entities": row["entities"][1:]} for row in read_lines(path)])
    call("s8", **work.data)


def answers_edited(work):
    path = work.results / "entity_train_1000.jsonl"
    write_rows(path, [{**row, "items": []} for row in read_lines(path)])


def manifest_without_inputs(work):
    change_json(work.results / "250" / "train_250_fusion.jsonl.meta.json", lambda value: {**value, "inputs": {}})


def manifest_without_its_main_input(work):
    def remove(value):
        del value["inputs"]["GLM4/250/train_250.jsonl"]

    change_json(work.results / "250" / "train_250_fusion.jsonl.meta.json", remove)


def in_test(work, change):
    """Put a changed training sentence into test."""
    write_rows(work.dataset / "test.jsonl", [{"text": change(work.corpus.rows[6]["text"]), "entities": []}])


def full_width_in_test(work):
    wide = {number: number + 0xFEE0 for number in range(0x21, 0x7F)}
    in_test(work, lambda text: [token.translate(wide) for token in text])


def zero_width_in_test(work):
    in_test(work, lambda text: [f"{token}\u200b" for token in text])


def part_in_test(work):
    in_test(work, lambda text: list(text)[1:])


def record_of(work, size="250"):
    return work.folder / "save_model" / "GLM4" / f"tiny_{size}_fusion" / "best" / "training.json"


def record_gone(work):
    record_of(work).unlink()


def best_gone(work):
    folder = record_of(work).parent
    write_json(folder.parent / "test_report.json", {})
    shutil.rmtree(folder)


def model_folder_gone(work):
    shutil.rmtree(record_of(work).parent.parent)


def all_models_gone(work):
    shutil.rmtree(work.folder / "save_model")


def other_weights(work):
    with (record_of(work).parent / "model.safetensors").open("ab") as file:
        file.write(b"x")


def chosen_on_test(work):
    write_rows(work.dataset / "test.jsonl", [{"text": ["a", "test", "sentence"], "entities": []}])
    dev = [text_hash(("a", "test", "sentence"))]
    change_json(record_of(work), lambda record: {**record, "dev_sentences": dev})


def chosen_on_test_by_an_earlier_version(work):
    write_rows(work.dataset / "test.jsonl", [{"text": ["a", "test", "sentence"], "entities": []}])
    dev = data_fingerprint([Sentence("1", ("a", "test", "sentence"))])
    change_json(record_of(work), lambda record: {**record, "data": {"train": "0", "dev": dev}})


def dev_that_is_test(work):
    rows = [{"text": ["a", "test", "sentence"], "entities": []}]
    write_rows(work.dataset / "test.jsonl", rows)
    write_rows(work.dataset / "dev.jsonl", rows)


LEAKS = {
    spans_of_s7_edited: r"250/train_250_synthetic_target\.jsonl: was changed after s7 wrote it; run s7 again",
    answers_edited: r"GLM4/entity_train_1000\.jsonl: was changed after s1 wrote it; run s1 again",
    manifest_without_inputs: r"250_fusion\.jsonl: its manifest does not say that it was made from GLM4/250/train_250\.",
    manifest_without_its_main_input: r"250_fusion\.jsonl: its manifest does not say that it was made from GLM4/250",
    full_width_in_test: r"train_1000\.jsonl: sentence 7 is also sentence 1 of test\.jsonl: remove one",
    zero_width_in_test: r"train_1000\.jsonl: sentence 7 is also sentence 1 of test\.jsonl: remove one",
    part_in_test: r"train_1000\.jsonl: sentence 7 contains sentence 1 of test\.jsonl: remove one",
    record_gone: r"tiny_250_fusion/best/training\.json: is missing: which sentences the model was trained on is not",
    best_gone: r"tiny_250_fusion/best/training\.json: is missing: which sentences the model was trained on is not",
    model_folder_gone: r"250/train_250_synthetic_target\.jsonl: the model that labelled it was not seen: it is not in",
    all_models_gone: r"250/train_250_synthetic_target\.jsonl: the model that labelled it was not seen: it is not in",
    other_weights: r"250/train_250_synthetic_target\.jsonl: the model that labelled it was not seen: it is not in",
    chosen_on_test: r"best/training\.json: the model was chosen on test: 1 of 1 dev sentence is in test\.jsonl",
    chosen_on_test_by_an_earlier_version: r"json: the model was chosen on test: its dev sentences are those of test",
    dev_that_is_test: r"dev\.jsonl: 1 of 1 sentence is also in test\.jsonl, such as sentence 1 = sentence 1",
    sentence_from_outside: r"250/train_250\.jsonl: line 3 is sentence 3 of train_1000\.jsonl, which is not in size 250",
    sentence_exchanged: r"250/train_250_fusion\.jsonl: sentence 2 of train_1000\.jsonl is missing",
    sentence_doubled: r"500/train_500\.jsonl: line 5 is sentence 1 of train_1000\.jsonl",
    synthetic_from_outside: r"250/train_250_synthetic\.jsonl: sentence 4-1 is not a synthetic sentence of size 250",
    synthetic_renamed: r"train_250_synthetic_target\.jsonl: sentence 1-9 is not a synthetic sentence of size",
    synthetic_training_from_outside: r"250/train_250_synthetic_fusion\.jsonl: sentence 4-1 is not a synthetic sentence",
    original_training_from_outside: r"250/train_250_synthetic_fusion\.jsonl: the sentences after .* differ from",
    answer_from_outside: r"250/pos_train_250\.jsonl: line 3 annotates sentence 3, which is not in size 250",
    answer_to_another_text: r"250/entity_train_250\.jsonl: the text of line 2 differs from that of sentence 2",
    extension_without_an_answer: r"250_fusion\.jsonl: sentence \d has an extension span \w+ \(entity\) without an",
    gold_span_changed: r"train_250_fusion\.jsonl: the target spans of sentence 1 were changed",
    gold_span_dropped: r"1000/train_1000\.jsonl: the target spans of sentence 1 were changed",
    model_span_renamed: r"train_1000_synthetic_target\.jsonl: sentence \S+ has a span NOUN that is not a target",
    extension_called_like_a_target: r"train_250_fusion\.jsonl: an extension span of sentence 1 has the target label",
    label_from_outside: r"250/label_fusion\.json: the label ALIEN is in no sentence of size 250",
    weight_from_outside: r"label_fusion\.json: the label \w+ has a count of \d+ spans, but .* size 250 have \d+",
    target_turned_into_an_extension: r"500/label_syn_fusion\.json: the target label \S+ differs from labels\.txt",
    copy_of_another_size: r"GLM4/label_fusion\.json: is not a copy of .*1000/label_fusion\.json",
    made_from_another_size: r"train_250_fusion\.jsonl: was made from GLM4/1000/pos_train_1000\.jsonl, which",
    input_changed_since: r"label_fusion\.json: is stale: labels\.txt has changed since it was made; run s8 again",
    model_of_another_size: r"tiny_250_fusion/best/training\.json: 6 of 8 training sentences are not in size 250",
    one_model_for_all_sizes: r"train_250_synthetic_target\.jsonl: was labelled by a model of another size: 6 of its 8",
    weights_of_another_size: r"tiny_250_fusion/best/training\.json: the label counts of the model differ from",
    training_sentence_in_test: r"train_1000\.jsonl: sentence 7 is also sentence 1 of test\.jsonl: remove one",
    synthetic_sentence_in_dev: r"train_1000_synthetic\.jsonl: sentence 1-1 is also sentence 1 of dev\.jsonl",
}


def test_a_clean_run_passes_and_nothing_is_written(clean):
    before = bytes_below(clean.file_dir)
    code, problems, said = audit(clean)
    assert (code, problems) == (0, [])
    assert "audited the sizes 250, 500, 1000: every line, label, count and model of a size comes from that size" in said
    assert bytes_below(clean.file_dir) == before


@pytest.mark.parametrize("plant", LEAKS, ids=lambda plant: plant.__name__)
def test_a_planted_leak_is_found(work, plant):
    plant(work)
    code, problems, said = audit(work)
    assert code == 1
    assert f"{counted(len(problems), 'problem')} in " in said
    assert any(re.search(LEAKS[plant], problem) for problem in problems), problems


NEW_CLAIM = "every line, label and count of a size comes from that size, as far as it was seen"


def test_what_was_not_seen_is_said_and_not_claimed(tmp_path):
    work = Workspace(tmp_path, ENGLISH)
    for step in ("s1", "s4", "s5"):
        call(step, **(work.llm if step == "s1" else work.data))
    (work.dataset / "test.jsonl").unlink(missing_ok=True)
    old = work.results / "250" / "train_250.jsonl.meta.json"
    value = json.loads(old.read_text(encoding="utf-8"))
    del value["output"]
    write_json(old, value)
    (work.results / "500" / "train_500_fusion.jsonl.meta.json").unlink()
    code, problems, said = audit(work)
    assert (code, problems) == (0, [])
    assert NEW_CLAIM in said
    assert "and model" not in said
    assert f"not seen: any model: {work.folder / 'save_model'} is missing" in said
    assert "test.jsonl is missing: nothing is compared with its sentences" in said
    assert re.search(r"not seen: \S.*train_250\.jsonl may have been changed by hand: its manifest, of an earlier", said)
    assert re.search(r"not seen: \S.*train_500_fusion\.jsonl has no manifest: what it was made from is not known", said)


def test_models_that_were_not_trained_are_named(clean):
    said = audit(clean)[2]
    assert "not seen: a model trained on base of size 250, 500, 1000: none in" in said
    assert "not seen: a model trained on fusion" not in said


def test_sentences_that_s7_dropped_as_asked_are_not_missing(work):
    """A model that disagrees about every mention: its labels are exchanged."""
    for size in SIZES:
        config = work.folder / "save_model" / "GLM4" / f"tiny_{size}_fusion" / "best" / "config.json"
        change_json(config, lambda value: {**value, "labels": ["O", *value["labels"][2:0:-1], *value["labels"][3:]]})
    pattern = work.folder / "save_model" / "GLM4" / "tiny_{size}_fusion" / "best"
    call("s7", **work.data, model_from_pretrained=pattern, n_gpu=-1, drop_disagreeing=True, overwrite=True)
    call("s8", **work.data)
    counts = work.json("train_1000_synthetic_target.jsonl.meta.json", "1000")["counts"]
    assert counts["dropped"] > 0
    assert counts["sentences"] + counts["dropped"] == len(work.lines("train_1000_synthetic.jsonl"))
    code, problems, said = audit(work)
    assert (code, problems) == (0, []), said
    change_rows(work, "train_1000_synthetic_target.jsonl", lambda rows: rows[1:], "1000")
    assert any(re.search(r"synthetic_target\.jsonl: sentence \S+ of s2 is missing", one) for one in audit(work)[1])


@pytest.mark.parametrize("last", ["s4", "s5", "s6"])
def test_an_incomplete_run_is_audited_as_far_as_it_has_come(tmp_path, last):
    work = Workspace(tmp_path, ENGLISH)
    call("s1", **work.llm)
    for step in ("s4", "s5", "s6")[: ("s4", "s5", "s6").index(last) + 1]:
        call(step, **work.data)
    code, problems, said = audit(work)
    assert (code, problems) == (0, []), said


def test_an_audit_before_step_4_is_refused(tmp_path):
    work = Workspace(tmp_path, ENGLISH)
    with pytest.raises(FileNotFoundError, match=r"train_250\.jsonl is missing: run s4 first"):
        call("audit", **work.data, models=tmp_path)
