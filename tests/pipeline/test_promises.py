"""The promises of docs/guarantees.md that no other test module shows: equal bytes, counted losses, no mixed answers."""

from __future__ import annotations

import re
import shlex

import pytest
import train_ner

from tests.helpers.builders import (
    CHINESE,
    ENGLISH,
    ROOT,
    SCRIPTS,
    STEPS,
    bytes_below,
    call,
    read_lines,
    run_python,
)
from tests.helpers.workspace import ORIGINAL, Workspace
from utils.cli.training import file_flags

PAGES = [ROOT / "docs" / name for name in ("guarantees.md", "guarantees.zh-CN.md")]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
ALL_STEPS = """
import sys
sys.path.insert(0, {scripts!r})
import {modules}
data = {{"file_dir": {file_dir!r}, "file_name": "tiny"}}
llm = {{**data, "backend": "scripted", "model_from_pretrained": "../answers.jsonl", "batch_size": {batch_size}}}
for mode in ("entity", "pos"):
    s1_predict_data.main(cmd_args=False, **llm, mode=mode)
s2_continous_generation.main(cmd_args=False, **llm)
for mode in ("entity", "pos"):
    s3_predict_syn_data.main(cmd_args=False, **llm, mode=mode)
s4_split_data.main(cmd_args=False, **data)
for side in (0, 1):
    s5_merge_data.main(cmd_args=False, **data, is_syn=side)
s6_combine_syn_fusion_label.main(cmd_args=False, **data)
s8_process_label_and_combine.main(cmd_args=False, **data)
"""


@pytest.fixture
def english(tmp_path):
    return Workspace(tmp_path, ENGLISH)


# --- 2: the same work gives the same bytes


def made_in(folder, corpus, batch_size, **environment):
    """Run all steps except s7 in a new process; return their files, with the lines of journals sorted."""
    work = Workspace(folder, corpus)
    modules = ", ".join(name for step, name in STEPS.items() if step in ("s1", "s2", "s3", "s4", "s5", "s6", "s8"))
    values = {"scripts": str(SCRIPTS), "modules": modules, "file_dir": "../few shot", "batch_size": batch_size}
    here = folder / "here"
    here.mkdir()
    done = run_python("-c", ALL_STEPS.format(**values), cwd=here, **environment)
    assert done.returncode == 0, done.stderr
    return {
        name: sorted(data.splitlines()) if name.endswith(".journal.jsonl") else data
        for name, data in bytes_below(work.results).items()
    }


@pytest.mark.parametrize("corpus", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_the_same_work_gives_the_same_bytes_in_any_environment(tmp_path, corpus):
    folders = [tmp_path / "ann" / "x", tmp_path / "bob"]
    for folder in folders:
        folder.mkdir(parents=True)
    one = made_in(folders[0], corpus, 20, PYTHONHASHSEED="1", TZ="Asia/Shanghai", LC_ALL="C.UTF-8")
    other = made_in(folders[1], corpus, 3, PYTHONHASHSEED="2", TZ="America/New_York", LC_ALL="C")
    assert len(one) > 60
    assert one == other


# --- 5: losses are counted


def test_every_step_ends_with_one_line_with_its_counts_and_the_result(english, caplog):
    caplog.set_level("INFO")
    said = []
    for step, values in (
        ("s1", english.llm),
        ("s2", english.llm),
        ("s3", english.llm),
        ("s4", english.data),
        ("s5", english.data),
        ("s6", english.data),
    ):
        caplog.clear()
        call(step, **values)
        said.append(caplog.messages[-1])
    assert all(re.search(r"\d+ .* -> .*GLM4", line) for line in said), said
    assert re.search(r"8 sentences: .*0 answers unreadable, 0 of \d+ items not in their sentence", said[0])
    assert re.search(r"items not in their sentence, .*with an unknown label", said[4])


# --- 7: answers of different settings are not mixed


@pytest.mark.parametrize("without", ["journal.jsonl", "meta.json"])
@pytest.mark.parametrize("step", ["s1", "s2"])
def test_other_settings_are_not_mixed_even_without_journal_or_manifest(english, step, without):
    name = ORIGINAL[0] if step == "s1" else "train_1000_synthetic.jsonl"
    call(step, **english.llm)
    (english.results / f"{name}.{without}").unlink()
    before = bytes_below(english.results)
    with pytest.raises(ValueError, match="another model, prompt or setting"):
        call(step, **english.llm, max_new_tokens=7)
    assert bytes_below(english.results) == before
    call(step, **english.llm, max_new_tokens=7, overwrite=True)
    assert read_lines(english.results / "run.log.jsonl")[-1]["answers"] > 0


# --- 8: later steps notice that earlier results have changed


@pytest.mark.parametrize(
    ("later", "changed", "remedy"), [("s3", "train_1000", "run s2"), ("train", "labels", "run s5")]
)
def test_step_3_and_a_training_warn_about_stale_input(english, caplog, later, changed, remedy):
    english.annotate()
    english.merge()
    name = "train_1000.jsonl" if changed == "train_1000" else "labels.txt"
    with (english.dataset / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    caplog.clear()
    if later == "s3":
        call("s3", **english.llm)
    else:
        values = {**english.data, "from_pretrained": "x"}
        file_flags.training_files(train_ner.build_parser().parse_values(values))
    assert f"is stale: {name} has changed since it was made; {remedy} again" in caplog.text


# --- the page


def promises(page):
    """Return (number, command) for each row of the table of promises."""
    return re.findall(r"^\| (\d) \| .* \| `([^`|]+)` \|$", page.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=["en", "zh"])
def test_the_page_shows_each_of_the_eight_promises_with_a_command(page):
    assert [number for number, _ in promises(page)] == list("12345678")
    assert promises(page) == promises(PAGES[0])


@pytest.mark.parametrize(("readme", "page"), list(zip(READMES, PAGES, strict=True)), ids=["en", "zh"])
def test_the_readme_lists_the_eight_promises_and_links_the_page(readme, page):
    text = readme.read_text(encoding="utf-8")
    assert re.findall(r"^(\d)\. \*\*", text, re.MULTILINE) == list("12345678")
    assert f"(docs/{page.name})" in text


def test_the_scripts_in_the_table_of_promises_run(tmp_path):
    work = Workspace(tmp_path, ENGLISH)
    work.annotate()
    work.merge()
    commands = [shlex.split(command) for _, command in promises(PAGES[0]) if command.startswith("python ")]
    assert len(commands) == 2
    for _, script, *words in commands:
        given = [word.replace("=weibo", "=tiny") for word in words]
        done = run_python(ROOT / script, *given, f"--file_dir={work.file_dir}", f"--models={tmp_path}", cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_in_the_table_of_promises_exist():
    commands = [shlex.split(command) for _, command in promises(PAGES[0]) if command.startswith("bash ")]
    assert len(commands) == 6
    for _, script, file, *chosen in commands:
        assert script == "tests/run.sh"
        names = re.findall(r"^def (test_\w+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
        names += re.findall(r"^    (\w+): r", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)  # leaks, by name
        for word in (word for word in " ".join(chosen[1:]).split() if word != "or"):
            assert any(word in name for name in names), (file, word)
        assert names
