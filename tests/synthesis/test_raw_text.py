"""Raw text (s2 --raw): what is read, kept and dropped, and how the other steps treat it."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, ROOT, SCRIPTS, bytes_below, call, run_python, write_rows
from tests.helpers.workspace import SIZES, Workspace
from utils.asking.sampling import SamplingSettings
from utils.dataset.reading import read_dataset, read_sentences
from utils.synthesis.raw_text import RawText, clean_raw_texts, read_raw_texts
from utils.synthesis.settings import SynthesisSettings

RESULT = "train_1000_synthetic.jsonl"
NEW = {
    "english": ["Whales were hunted near the coast for years .", "Her brother painted boats in summer ."],
    "chinese": ["鲸鱼生活在很深的海里。", "他的弟弟夏天经常画小船。"],
}


@pytest.fixture(params=[ENGLISH, CHINESE], ids=["english", "chinese"])
def work(request, tmp_path):
    return Workspace(tmp_path, request.param)


def new_texts(work):
    """Return two raw texts that are new to a dataset, as a person would write them."""
    return NEW["english" if work.corpus is ENGLISH else "chinese"]


def raw_file(work, lines, name="raw.txt"):
    path = work.folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def texts_of(work, *, size=""):
    name = RESULT if not size else f"train_{size}_synthetic.jsonl"
    return ["".join(row["text"]) for row in work.lines(name, size) if row.get("raw")]


def joined(text):
    return text.replace(" ", "")


# --- what is read and kept


def test_raw_sentences_alone_are_published_with_ids_of_their_lines_and_no_source(work):
    call("s2", **work.data, raw=raw_file(work, [new_texts(work)[0], "", new_texts(work)[1]]))
    rows = work.lines(RESULT)
    assert [list(row) for row in rows] == [["id", "text", "entities", "synthetic", "raw"]] * 2
    assert [row["id"] for row in rows] == ["raw-1", "raw-2"]
    assert texts_of(work) == [joined(text) for text in new_texts(work)]
    assert all(row["entities"] == [] and row["synthetic"] is row["raw"] is True for row in rows)
    assert not (work.results / f"{RESULT}.journal.jsonl").exists()


def test_a_manifest_names_the_raw_file_with_its_hash_and_the_counts(work):
    source = raw_file(work, [*new_texts(work), new_texts(work)[0]])
    call("s2", **work.data, raw=source)
    manifest = work.json(f"{RESULT}.meta.json")
    name = manifest["parameters"]["raw"]
    before = manifest["inputs"][name]
    assert name.endswith("raw.txt")
    assert "model" not in manifest["parameters"]
    assert manifest["counts"] == {"raw": {"texts": 3, "made": 3, "kept": 2, "dropped": {"repeated": 1}}}
    source.write_text(f"{new_texts(work)[0]}\n", encoding="utf-8")
    call("s2", **work.data, raw=source)
    assert work.json(f"{RESULT}.meta.json")["inputs"][name] != before


def test_copies_of_train_dev_and_other_raw_sentences_are_dropped_with_reasons(work, caplog):
    join = ("" if work.corpus is CHINESE else " ").join
    dev = join(work.corpus.dev[0]["text"])
    edited = dev.replace("李", "王") if work.corpus is CHINESE else dev.replace("saw", "met")
    lines = [join(work.corpus.rows[7]["text"]), dev, edited, new_texts(work)[0], new_texts(work)[0].upper()]
    call("s2", **work.data, raw=raw_file(work, lines), keep_dropped=True)
    assert texts_of(work) == [joined(new_texts(work)[0])]
    dropped = work.lines("train_1000_synthetic_dropped.jsonl")
    assert [row["reason"] for row in dropped][:2] == ["copied", "in dev or test"]
    assert [row["id"] for row in dropped] == ["raw-1", "raw-2", "raw-3", "raw-5"]
    assert dropped[3]["reason"] == "repeated"
    assert "read 5 raw texts: kept 1 of 5 sentences, dropped 4 (1 copied, " in caplog.text


@pytest.mark.parametrize("name", ["raw.jsonl", "raw"])
def test_json_lines_with_strings_or_tokens_are_read(work, name):
    first, second = new_texts(work)
    tokens = list(second) if work.corpus is CHINESE else second.split()
    path = write_rows(work.folder / name, [{"text": first, "url": "u"}, {"text": tokens, "entities": [{"start": 0}]}])
    call("s2", **work.data, raw=path)
    assert texts_of(work) == [joined(first), joined(second)]
    assert work.lines(RESULT)[1]["text"] == tokens
    assert work.lines(RESULT)[1]["entities"] == []


@pytest.mark.parametrize("name", ["demo", "demo_zh"])
def test_sentences_of_the_bundled_test_sets_are_kept_with_their_tokens(name, tmp_path):
    folder = ROOT / "data" / "few_shot" / name
    dataset = read_dataset(folder / "train_1000.jsonl", folder / "labels.txt")
    synthesis = SynthesisSettings(SamplingSettings(0.8)).synthesis(dataset, [])
    writing = synthesis.cleaner.writing
    test = [list(one.tokens) for one in read_sentences(folder / "test.jsonl", tokenisation=dataset.tokenisation)]
    path = write_rows(tmp_path / "raw.jsonl", [{"text": writing.written(tokens)} for tokens in test])
    found = clean_raw_texts(read_raw_texts(path, writing), synthesis.cleaner, synthesis.copies)
    lost = {reason: n for reason, n in found.counts.dropped.items() if "cop" not in reason and "repeated" not in reason}
    assert sum(lost.values()) <= 0.05 * len(test), found.dropped
    assert sum(row["text"] in test for row in found.rows) >= 0.95 * len(found.rows)


def test_a_line_of_several_sentences_is_cut_only_if_it_is_too_long(tmp_path):
    dataset = read_dataset(ENGLISH.write(tmp_path) / "train_1000.jsonl", tmp_path / "tiny" / "labels.txt")
    synthesis = SynthesisSettings(SamplingSettings(0.8), max_tokens=20).synthesis(dataset, [])
    two = "Whales came near the coast. Her brother painted many boats."
    long = "Nobody ever found the old map of the northern islands. A teacher wrote seven books about the cold weather."
    found = clean_raw_texts([RawText(1, two), RawText(2, long)], synthesis.cleaner, synthesis.copies)
    assert [(row["id"], " ".join(row["text"])) for row in found.rows] == [
        ("raw-1", "Whales came near the coast . Her brother painted many boats ."),
        ("raw-2", "Nobody ever found the old map of the northern islands ."),
        ("raw-2-2", "A teacher wrote seven books about the cold weather ."),
    ]
    assert (found.counts.texts, found.counts.made, found.counts.kept) == (2, 3, 3)


def test_text_about_sentences_is_no_remark_of_an_llm(tmp_path):
    dataset = read_dataset(ENGLISH.write(tmp_path) / "train_1000.jsonl", tmp_path / "tiny" / "labels.txt")
    synthesis = SynthesisSettings(SamplingSettings(0.8)).synthesis(dataset, [])
    text = "I hope this letter finds the captain in good health ."
    found = clean_raw_texts([RawText(1, text)], synthesis.cleaner, synthesis.copies)
    assert [" ".join(row["text"]) for row in found.rows] == [text]


# --- with an LLM, and repeated runs


def test_raw_sentences_follow_those_of_the_llm_which_do_not_change(work):
    call("s2", **work.llm)
    alone, manifest = work.lines(RESULT), work.json(f"{RESULT}.meta.json")
    answers = work.lines(f"{RESULT}.journal.jsonl")
    call("s2", **work.llm, raw=raw_file(work, [*new_texts(work), "".join(work.lines(RESULT)[0]["text"])]))
    rows = work.lines(RESULT)
    assert rows[: len(alone)] == alone
    assert [row["id"] for row in rows[len(alone) :]] == ["raw-1", "raw-2"]
    both = work.json(f"{RESULT}.meta.json")
    assert both["fingerprint"] == manifest["fingerprint"]
    assert both["counts"].pop("raw")["kept"] == 2
    assert both["counts"] == manifest["counts"]
    assert work.lines(f"{RESULT}.journal.jsonl") == answers
    call("s2", **work.llm)
    assert (work.lines(RESULT), work.json(f"{RESULT}.meta.json")) == (alone, manifest)


def test_a_result_of_raw_text_is_replaced_by_an_llm_but_not_the_reverse(work):
    source = raw_file(work, new_texts(work))
    call("s2", **work.data, raw=source)
    call("s2", **work.llm, raw=source)
    assert len(work.lines(RESULT)) == work.synthetic_number + 2
    with pytest.raises(ValueError, match=r"has sentences of the LLM answers\.jsonl: add --model_from_pretrained"):
        call("s2", **work.data, raw=source)
    call("s2", **work.data, raw=source, overwrite=True)
    assert len(work.lines(RESULT)) == 2
    answers = work.lines(f"{RESULT}.journal.jsonl")
    call("s2", **work.llm, raw=source)
    assert work.lines(f"{RESULT}.journal.jsonl") == answers


def test_the_same_raw_text_gives_the_same_bytes(work):
    source = raw_file(work, new_texts(work))
    call("s2", **work.data, raw=source)
    before = bytes_below(work.results)
    call("s2", **work.data, raw=source)
    assert bytes_below(work.results) == before


# --- what is refused


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"\n \n", "raw.txt", r"raw\.txt contains no text: write one sentence per line"),
        (b'{"text": "a b c"}\n{"words": 1}\n', "raw.jsonl", r'raw\.jsonl:2: "text" must be a list of tokens or'),
        (b'{"text": "a"}\n{"text": \n', "raw.jsonl", r"raw\.jsonl:2: not valid JSON"),
        (b"Tom B-PER\nsaw O\nRome B-LOC\n", "raw.txt", r"raw\.txt:1: each line has a token and a tag"),
        ("h\u00e9".encode("latin-1"), "raw.txt", r"raw\.txt:1: not UTF-8"),
    ],
)
def test_a_raw_file_that_cannot_be_read_is_named_with_its_line(tmp_path, content, name, message):
    work = Workspace(tmp_path, ENGLISH)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        call("s2", **work.data, raw=tmp_path / name)
    assert not (work.results / RESULT).exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({}, "required: --model_from_pretrained, or --raw=FILE"),
        ({"raw": "missing.txt"}, r"--raw: .*missing\.txt is missing: it must be a file"),
        ({"raw": "answers.jsonl", "num_samples": 2}, "--num_samples needs --model_from_pretrained"),
        ({"raw": "answers.jsonl", "plan": True}, "--plan needs --model_from_pretrained"),
    ],
)
def test_flags_that_do_not_fit_together_are_refused(tmp_path, monkeypatch, flags, message):
    monkeypatch.chdir(tmp_path)
    work = Workspace(tmp_path, ENGLISH)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        call("s2", **work.data, **flags)


# --- the other steps


@pytest.fixture(scope="module", params=[ENGLISH, CHINESE], ids=["english", "chinese"])
def finished(request, tmp_path_factory):
    """A dataset on which all steps have run, with raw sentences after those of the LLM."""
    work = Workspace(tmp_path_factory.mktemp("raw"), request.param)
    word = "Whales" if request.param is ENGLISH else "鲸鱼"
    with work.recording.open("a", encoding="utf-8") as file:
        for mode, keys in (("entity", ("entity", "type")), ("pos", ("word", "pos"))):
            answer = json.dumps([dict(zip(keys, (word, "NN"), strict=True))], ensure_ascii=False)
            file.write(json.dumps({"id": "raw-1", "task": mode, "answer": answer}, ensure_ascii=False) + "\n")
    call("s2", **work.llm, raw=raw_file(work, new_texts(work)))
    for mode in ("entity", "pos"):
        call("s1", **work.llm, mode=mode)
        call("s3", **work.llm, mode=mode)
    work.merge()
    call("s7", **work.data, model_from_pretrained=work.models(), n_gpu=-1)
    call("s8", **work.data)
    return work


def test_raw_sentences_and_their_annotations_are_in_every_size(finished):
    expected = [joined(text) for text in new_texts(finished)]
    for size, number in SIZES.items():
        assert texts_of(finished, size=size) == expected
        made = [row for row in finished.lines(f"train_{size}_synthetic.jsonl", size) if not row.get("raw")]
        assert all(row["source"] <= number for row in made)
        rows = finished.lines(f"entity_train_{size}_synthetic.jsonl", size)
        assert [row["id"] for row in rows if row["id"].startswith("raw")] == ["raw-1", "raw-2"]
        for kind in ("synthetic_target", "synthetic_fusion"):
            ids = [row["id"] for row in finished.lines(f"train_{size}_{kind}.jsonl", size) if row.get("raw")]
            assert ids == ["raw-1", "raw-2"]
        fused = next(r for r in finished.lines(f"train_{size}_synthetic_fusion.jsonl", size) if r.get("raw"))
        assert "entity" in {span["origin"] for span in fused["entities"]}


def run_script(work, script, *words):
    given = [f"--{name}={value}" for name, value in work.data.items()]
    models = f"--models={work.folder / 'save_model'}"
    return run_python(SCRIPTS / f"{script}.py", *given, models, *words, cwd=work.folder)


def test_the_audit_accepts_raw_sentences_in_every_size(finished):
    done = run_script(finished, "audit")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_report_counts_the_raw_sentences(finished):
    report = run_script(finished, "report", "--size=250").stdout
    assert "raw text: 2 of the synthetic sentences are from s2 --raw, and belong to every size" in report


@pytest.mark.parametrize("with_model", [True, False])
def test_status_shows_the_command_again_if_the_raw_file_changed(work, with_model):
    source = work.dataset / "raw.txt"
    source.write_text("\n".join(new_texts(work)), encoding="utf-8")
    for mode in ("entity", "pos"):
        call("s1", **work.llm, mode=mode)
    call("s2", **(work.llm if with_model else work.data), raw=source)
    assert re.search(r"(?m)^s2 +all +done$", run_script(work, "status").stdout)
    source.write_text(new_texts(work)[0], encoding="utf-8")
    shown = run_script(work, "status").stdout
    assert re.search(r"(?m)^s2 +all +stale +raw\.txt has changed since", shown)
    command = shlex.split(shown.splitlines()[-1].removeprefix("next: "))
    assert command[1] == "syn_pipelines/s2_continous_generation.py"
    assert f"--raw={source}" in command
    assert any("--model_from_pretrained" in word for word in command) is with_model


def test_the_audit_finds_sentences_that_are_no_raw_text_or_copy_the_dataset(finished, tmp_path):
    work = finished.copy(tmp_path)
    rows = work.lines(RESULT)
    rows[0].update(id="raw-7", raw=True)
    rows[-1]["text"] = list(work.corpus.rows[-1]["text"])
    write_rows(work.results / RESULT, rows)
    done = run_script(work, "audit")
    assert done.returncode == 1
    assert re.search(r"3 sentences of raw text in it, but s2 kept 2: run s2 again", done.stdout)
    assert re.search(r"sentence raw-7 is marked as raw text, but has the source 1", done.stdout)
    assert re.search(r"sentence raw-2 belongs to every size, but it is also sentence 8 of train_1000", done.stdout)
