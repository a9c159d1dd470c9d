"""convert.py as its user runs it: a dataset in one command, names, splits, cards, and what it refuses."""

from __future__ import annotations

import importlib
import json
import re

import pytest

from tests.helpers.builders import CHINESE, ROOT, SCRIPTS, bytes_below, call, read_lines, run_python, write_rows
from tests.helpers.workspace import Workspace
from utils.dataset.formats.registry import FORMATS

BIO = "邓 B-PER\n超 I-PER\n在 O\n北 B-LOC\n京 I-LOC\n\n李 B-PER\n明 I-PER\n。 O\n"


@pytest.fixture
def bio(tmp_path):
    path = tmp_path / "mine.bio"
    path.write_text(BIO, encoding="utf-8")
    return path


def test_a_bio_file_becomes_a_dataset_that_step_1_takes_in_one_command(tmp_path, bio):
    done = run_python(SCRIPTS / "convert.py", f"--input={bio}", "--output=few_shot/mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "converted 2 sentences with 3 of 3 spans and 2 labels -> few_shot/mine"
    answers = [{"id": id_, "task": "entity", "answer": "[]"} for id_ in "12"]
    recording = write_rows(tmp_path / "answers.jsonl", answers)
    call("s1", file_dir=tmp_path / "few_shot", file_name="mine", backend="scripted", model_from_pretrained=recording)
    rows = read_lines(tmp_path / "few_shot" / "mine" / "GLM4" / "entity_train_1000.jsonl")
    assert [row["status"] for row in rows] == ["ok", "ok"]


def test_labels_are_renamed_merged_and_dropped(tmp_path, bio):
    call("convert", input=bio, output=tmp_path / "made", labels="PER=人名,LOC=")
    rows = read_lines(tmp_path / "made" / "train_1000.jsonl")
    assert [[span["entity"] for span in row["entities"]] for row in rows] == [["人名"], ["人名"]]
    assert (tmp_path / "made" / "labels.txt").read_text(encoding="utf-8") == "O\n人名\n"
    with pytest.raises(ValueError, match=r"--labels: 'ORG' is not a label of the input \(LOC, PER\)"):
        call("convert", input=bio, output=tmp_path / "other", labels="ORG=X")
    with pytest.raises(ValueError, match="must be pairs such as OLD=NEW"):
        call("convert", input=bio, output=tmp_path / "other", labels="ORG")


def test_files_that_exist_are_kept_unless_they_may_be_overwritten(tmp_path, bio):
    call("convert", input=bio, output=tmp_path / "made")
    before = bytes_below(tmp_path / "made")
    with pytest.raises(ValueError, match=r"exists already; use --overwrite"):
        call("convert", input=bio, output=tmp_path / "made", labels="PER=X")
    assert bytes_below(tmp_path / "made") == before
    call("convert", input=bio, output=tmp_path / "made", labels="PER=X", overwrite=True)
    assert bytes_below(tmp_path / "made") != before


def test_a_split_has_no_sentence_in_two_parts_and_depends_on_the_seed_alone(tmp_path):
    rows = [
        {"text": list(f"第{number % 20}句话说的是{chr(0x4E00 + number % 20 * 97)}。"), "entities": []}
        for number in range(60)
    ]
    source = write_rows(tmp_path / "all.jsonl", rows)
    for name, seed in (("one", 1), ("same", 1), ("two", 2)):
        call("convert", input=source, output=tmp_path / name, split="0.6,0.2,0.2", seed=seed)
    assert bytes_below(tmp_path / "one") == bytes_below(tmp_path / "same") != bytes_below(tmp_path / "two")
    parts = [read_lines(tmp_path / "one" / f"{name}.jsonl") for name in ("train_1000", "dev", "test")]
    assert [len(part) for part in parts] == [36, 12, 12]
    texts = [{"".join(row["text"]) for row in part} for part in parts]
    assert not texts[0] & texts[1] | texts[0] & texts[2] | texts[1] & texts[2]


@pytest.mark.parametrize("value", ["0.8,0.1", "1", "a,b,c", "0.5,0.5,0", "0.25,0.25,0.25,0.25"])
def test_shares_that_are_no_shares_are_refused(tmp_path, bio, value):
    with pytest.raises(ValueError, match="must be the shares of train, dev and test"):
        call("convert", input=bio, output=tmp_path / "made", split=value)


def test_a_dataset_that_is_split_is_not_split_again(tmp_path):
    folder = CHINESE.write(tmp_path)
    with pytest.raises(ValueError, match=r"--split: the input is split already \(train, dev\)"):
        call("convert", input=folder, output=tmp_path / "made", split="0.8,0.1,0.1")
    with pytest.raises(ValueError, match="2 groups of different sentences are too few"):
        call(
            "convert",
            input=write_rows(tmp_path / "a.jsonl", CHINESE.rows[:2]),
            output=tmp_path / "m",
            split="0.8,0.1,0.1",
        )


def test_several_splits_need_a_folder(tmp_path):
    folder = CHINESE.write(tmp_path)
    with pytest.raises(ValueError, match=r"there are 2 splits \(train, dev\): name a folder"):
        call("convert", input=folder, output=tmp_path / "all.json", to="gliner")
    call("convert", input=folder, output=tmp_path / "made", to="gliner")
    assert sorted(bytes_below(tmp_path / "made")) == ["dev.json", "train.json"]


def test_labels_keep_the_order_of_the_dataset(tmp_path):
    folder = CHINESE.write(tmp_path)
    call("convert", input=folder, output=tmp_path / "made")
    assert (tmp_path / "made" / "labels.txt").read_bytes() == (folder / "labels.txt").read_bytes()
    assert read_lines(tmp_path / "made" / "train_1000.jsonl") == list(CHINESE.rows)


def test_results_are_exported_with_origin_and_a_card(tmp_path, caplog):
    caplog.set_level("INFO")
    work = Workspace(tmp_path, CHINESE).split()
    call("s5", **work.data)
    fusion = work.results / "1000" / "train_1000_fusion.jsonl"
    output = tmp_path / "export" / "fusion.json"
    call("convert", input=fusion, output=output, to="labelstudio", card=True, license="cc-by-4.0")
    tasks = json.loads(output.read_text(encoding="utf-8"))
    origins = [one.get("meta", {}).get("origin") for task in tasks for one in task["annotations"][0]["result"]]
    expected = [span.get("origin") for row in read_lines(fusion) for span in row["entities"]]
    assert origins == expected
    assert {None, "entity"} <= set(origins)
    card = (tmp_path / "export" / "README.md").read_text(encoding="utf-8")
    manifest = json.loads((work.results / "entity_train_1000.jsonl.meta.json").read_text(encoding="utf-8"))
    assert card.startswith('---\npretty_name: "fusion"\nlicense: "cc-by-4.0"\nlanguage:\n- zh\n')
    for part in (
        "answers.jsonl",
        manifest["parameters"]["prompt"],
        "| train | 8 | 0 |",
        "LLM (entities)",
        "@inproceedings",
    ):
        assert part in card
    with pytest.raises(ValueError, match=r"README\.md exists already"):
        call("convert", input=fusion, output=tmp_path / "export" / "b.json", to="labelstudio", card=True)


def test_a_card_shows_labels_and_names_as_they_are(tmp_path):
    rows = [{"text": ["<b>", "|"], "entities": [{"start": 0, "end": 2, "entity": "A|B: *x*", "text": ["<b>", "|"]}]}]
    call("convert", input=write_rows(tmp_path / 'a "b".jsonl', rows), output=tmp_path / "made", card=True)
    card = (tmp_path / "made" / "README.md").read_text(encoding="utf-8")
    assert r"| A\|B: \*x\* | dataset | 1 | &lt;b\> \| |" in card
    assert 'license: "unknown"' in card
    assert "Not stated." in card


def test_a_missing_optional_package_is_one_line_with_the_command(tmp_path, bio):
    program = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})\n"
        "sys.modules['spacy'] = sys.modules['pyarrow'] = None\n"
        "import convert\n"
        "for name in ('spacy', 'hf'):\n"
        "    try:\n"
        f"        convert.main(cmd_args=False, input={str(bio)!r}, output={str(tmp_path / 'made')!r}, to=name)\n"
        "    except ImportError as error:\n"
        "        print(error, file=sys.stderr)\n"
    )
    done = run_python("-c", program, cwd=tmp_path)
    assert done.stderr.splitlines() == [
        "--from=spacy and --to=spacy need spaCy: run pip install 'spacy>=3.1,<4'",
        "--from=hf and --to=hf need pyarrow: run pip install 'pyarrow>=14'",
    ]


def test_an_input_that_is_missing_or_empty_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing is missing: --input must name a file or a folder"):
        call("convert", input=tmp_path / "nothing", output=tmp_path / "made")
    (tmp_path / "empty.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"empty\.jsonl"):
        call("convert", input=tmp_path / "empty.jsonl", output=tmp_path / "made", from_format="project")


@pytest.mark.parametrize("page", ["data.md", "data.zh-CN.md"])
def test_the_documentation_names_every_format_and_flag(page, capsys):
    convert = importlib.import_module("convert")

    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert [name for name in FORMATS if f"`{name}`" not in text] == []
    with pytest.raises(SystemExit):
        convert.build_parser().parse_words(["--help"])
    flags = set(re.findall(r"^  (--\w+)", capsys.readouterr().out, re.MULTILINE))
    shared = {"--help", "--debug", "--version", "--dense_lang"}
    assert {flag for flag in flags - shared if flag not in text} == set()
