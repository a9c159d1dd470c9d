"""The page of report.py --html: its data, its charts and tables, and what strange texts become in it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from xml.etree import ElementTree

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, SCRIPTS, call, read_lines, run_pasted, write_json, write_rows
from tests.helpers.report_page import (
    ATTACK,
    NASTY_LABEL,
    NASTY_NAME,
    NASTY_TOKENS,
    decoded_spans,
    page_data,
    write_nasty,
)
from tests.helpers.workspace import Workspace
from utils.audit.html.charts.shapes import Bar, draw_bars
from utils.audit.html.charts.svg import Canvas
from utils.audit.html.commands import setting_flags
from utils.audit.html.content import read_content
from utils.audit.html.encoding import encode_numbers, script_json
from utils.audit.html.page import HERE, LANGUAGES, Texts, read_texts
from utils.audit.html.page import SCRIPTS as STATIC
from utils.dataset.layout import Layout


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    """A dataset on which s1 to s6 have run."""
    work = Workspace(tmp_path_factory.mktemp("merged"), ENGLISH)
    work.annotate()
    work.merge()
    return work


@pytest.fixture
def work(merged, tmp_path):
    return merged.copy(tmp_path)


def location(work):
    return shlex.join([f"--file_dir={work.file_dir}", "--file_name=tiny"])


def page_of(work, **values):
    call("report", **work.data, models=work.folder / "none", html=True, **values)
    return (work.results / "report.html").read_text(encoding="utf-8")


def test_the_page_has_all_sentences_with_their_spans(work):
    data = page_data(page_of(work))
    original, synthetic = (
        work.lines("train_1000_fusion.jsonl", "1000"),
        work.lines("train_1000_synthetic_fusion.jsonl", "1000"),
    )
    rows = {row[0]: row for row in data["rows"]}
    assert list(rows) == [*map(str, range(1, 9)), *(line["id"] for line in synthetic)]
    for id_, line in zip(rows, [*original, *synthetic], strict=True):
        assert rows[id_][1] == line["text"]
        expected = [
            (one["start"], one["end"], one["entity"], one.get("origin", "gold"), None) for one in line["entities"]
        ]
        assert decoded_spans(data, rows[id_]) == expected
    assert data["labels"][: data["targets"]] == list(ENGLISH.labels)
    assert [rows["1"][4], rows["4"][4], rows["8"][4]] == [0, 1, 2]
    assert [rows["4-1"][3], rows["4-1"][2], rows["4-1"][4]] == ["4", 1, 1]


def test_dense_text_is_one_string(tmp_path):
    work = Workspace(tmp_path, CHINESE)
    call("s1", **work.llm)
    data = page_data(page_of(work, lang="zh"))
    assert data["rows"][0][1] == "邓超在北京大学读书。"
    assert data["language"] == "zh"


@pytest.mark.parametrize("number", [0, 1, 33, 34, 1000, 8109, 54000, 60000, 200000])
def test_a_number_is_a_character_that_json_can_hold(number):
    text = encode_numbers([number])
    assert len(text) == 1
    assert json.loads(script_json(text)) == text
    assert decoded_spans({"pairs": [[0, 0]], "labels": ["A"], "origins": ["gold"]}, [*"1234567", text + "^]]"])[0][
        :2
    ] == ((number // 2, number // 2 + 1) if number % 2 == 0 else (-(number + 1) // 2, -(number + 1) // 2 + 1))


def test_no_text_can_leave_the_json_of_the_page():
    value = ["</script>", "<!--", "a\u2028b\u2029", "&quot;"]
    text = script_json(value)
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == value


def test_strange_names_labels_and_tokens_stay_text(tmp_path):
    folder = write_nasty(tmp_path)
    call("report", file_dir=tmp_path, file_name=NASTY_NAME, html=tmp_path / "page.html", models=tmp_path)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    data = page_data(page)
    assert data["rows"][0][1] == NASTY_TOKENS
    assert data["labels"][0] == NASTY_LABEL
    assert ATTACK not in page
    assert page.count("</script>") == 2  # the data and the code
    assert page.count("<script") == 2
    assert "<img" not in page
    assert NASTY_NAME not in page
    assert "a &#39;set&#39; &amp; &lt;b&gt;" in page
    assert sorted(path.name for path in folder.iterdir()) == ["labels.txt", "train_1000.jsonl"]


def test_the_page_loads_nothing_from_elsewhere(work):
    page = page_of(work)
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!#)[^"'\s>]*//""", page)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|sendBeacon|<link", page)


def test_both_languages_have_the_same_texts_with_the_same_values():
    texts = {language: read_texts(language) for language in LANGUAGES}
    only_chinese = {key for key in texts["zh"] if key not in texts["en"]}
    assert {key for key in texts["en"] if key not in texts["zh"]} == set()
    assert all(key.startswith("reason.") for key in only_chinese)  # in English, the key is the text
    for key, text in texts["en"].items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", texts["zh"][key])), key


def test_every_text_that_the_page_uses_exists():
    used = set()
    for path in [*(HERE / "templates").glob("*.j2"), *(HERE / "static").glob("*.js"), *HERE.rglob("*.py")]:
        used |= set(re.findall(r"""\bt\w*\(["']([a-z_.]+)["'][,)]""", path.read_text(encoding="utf-8")))
    assert {key for key in used if not key.endswith(".") and key not in read_texts("en")} == set()


def test_the_files_of_the_page_cannot_end_their_elements():
    for name in STATIC:
        assert "</script" not in (HERE / "static" / f"{name}.js").read_text(encoding="utf-8")
    assert "</style" not in (HERE / "static" / "report.css").read_text(encoding="utf-8")


def test_the_flow_shows_losses_by_reason(work):
    page = page_of(work)
    counts = json.loads((work.results / "train_1000_synthetic.jsonl.meta.json").read_text(encoding="utf-8"))["counts"]
    flow = page[page.index('id="figure-flow"') :]
    table = flow[flow.index("<tbody>") : flow.index("</tbody>")]
    assert ">new sentences<" in table
    row = next(one for one in table.split("<tr>") if ">new sentences<" in one)
    cells = re.findall(r"<bdi>(.*?)</bdi>", row)
    assert cells == [
        "s2",
        str(counts["made"]),
        ", ".join(f"{n} {r}" for r, n in sorted(counts["dropped"].items(), key=lambda one: (-one[1], one[0]))),
        str(counts["kept"]),
    ]


def test_the_split_into_sizes_is_shown(work):
    page = re.sub("<[^>]+>", "", page_of(work))
    numbers = [len(work.lines(f"train_{size}_synthetic.jsonl", size)) for size in ("250", "500", "1000")]
    shown = [
        f"{size}: {own} original sentences + {made} synthetic sentences"
        for size, own, made in zip(("250", "500", "1000"), (2, 4, 8), numbers, strict=True)
    ]
    assert f"s4: {'; '.join(shown)}" in page


def test_unknown_labels_are_listed_with_examples(work):
    page = page_of(work)
    coverage = page[page.index('<section id="coverage">') :]
    assert re.search(r"<bdi>zorkmid</bdi></td><td>1</td><td><bdi>1897</bdi>", coverage)


def test_the_commands_can_be_pasted_into_a_shell(work):
    content = read_content(Layout(work.file_dir, "tiny"), work.folder, location(work))
    words = [shlex.split(command.words) for command in content.commands]
    assert [one[1].split("/")[1].split("_")[0] for one in words] == [
        "s1",
        "s1",
        "s2",
        "s3",
        "s3",
        "s4",
        "s5",
        "s5",
        "s6",
    ]
    assert all(f"--file_dir={work.file_dir}" in one for one in words)
    assert any(one.startswith("--model_from_pretrained=/") and one.endswith("answers.jsonl") for one in words[0])
    assert {"--guided=0", "--mode=pos"} <= set(words[1])
    assert {"--seed=42", "--temperature=0.8", "--style=explain"} & set(words[2]) >= {"--seed=42", "--temperature=0.8"}
    assert shlex.split(content.patch_command)[-1] == "--patch=fixes.jsonl"


def test_settings_of_manifests_are_flags():
    settings = {"guided": True, "closed_labels": False, "votes": 3, "decoding": {"temperature": 0.5, "seed": 1}}
    flags = ["--temperature=0.5", "--seed=1", "--shots=4", "--guided=1", "--closed_labels=0", "--votes=3"]
    assert setting_flags({**settings, "shots": {"number": 4, "seed": 2}, "max_new_tokens": "from each"}) == flags
    assert setting_flags({"rare_first": True, "require_mention": False, "stop_below": 0.0}) == ["--rare_first"]
    assert setting_flags({"decoding": "greedy", "shots": "$(rm x)", "votes": "3; x"}) == []


def test_the_commands_of_the_page_make_the_same_results(work):
    """The recorded settings are complete: with them, s1 and s2 find nothing that differs."""
    content = read_content(Layout(work.file_dir, "tiny"), work.folder, location(work))
    before = (work.results / "train_1000_synthetic.jsonl.meta.json").read_bytes()
    for command in content.commands[:3]:
        _, script, *flags = shlex.split(command.words)
        values = dict(flag.removeprefix("--").split("=", 1) for flag in flags)
        call(script.split("/")[1].split("_")[0], **values)
    assert (work.results / "train_1000_synthetic.jsonl.meta.json").read_bytes() == before


def test_doubtful_sentences_have_reasons(work):
    path = work.results / "1000" / "train_1000_fusion.jsonl"
    rows = read_lines(path)
    for row, label in zip(rows[2:], ["VESSEL"] * 5 + ["PERSON"], strict=True):
        row["text"] = ["Old", "Swift", "sank", "."]
        row["entities"] = [{"start": 1, "end": 2, "entity": label}]
    rows[0] = {
        "text": ["No", "Swift", "here"],
        "entities": [
            {"start": 0, "end": 1, "entity": "PERSON"},
            {"start": 0, "end": 3, "entity": "X", "origin": "entity"},
        ],
    }
    rows[1]["entities"] = [
        {"start": 0, "end": 2, "entity": "PERSON", "score": 0.4, "origin": "ner"},
        {"start": 1, "end": 3, "entity": "X", "origin": "entity"},
    ]
    rows[1]["target_scores"] = [{"start": 4, "end": 5, "entity": "VESSEL", "score": 0.45}, {"start": "x"}, 3]
    write_rows(path, rows)
    data = page_data(page_of(work))
    found = {row[0]: {data["reasons"][one[0]]: one[1:] for one in row[6]} for row in data["rows"]}
    assert found["1"] == {"missed": ["Swift"]}
    assert found["8"] == {"ambiguous": ["Swift"]}
    assert found["2"]["low_score"] == ["Agnes Muir PERSON 0.40"]
    assert found["2"]["near_miss"][0].endswith("VESSEL 0.45")
    assert list(found["2"]) == ["low_score", "near_miss", "crossing"]
    assert found["5"] == {}


def test_the_page_of_a_dataset_alone_shows_its_sentences(tmp_path):
    ENGLISH.write(tmp_path)
    call("report", file_dir=tmp_path, file_name="tiny", html=tmp_path / "a" / "page.html", models=tmp_path)
    page = (tmp_path / "a" / "page.html").read_text(encoding="utf-8")
    assert len(page_data(page)["rows"]) == 8
    assert 'id="flow"' not in page


def test_after_a_patch_the_page_keeps_the_numbers_of_sentences(work):
    text = " ".join(ENGLISH.rows[1]["text"])
    fixes = write_rows(work.dataset / "fixes.jsonl", [{"id": "2", "text": text, "action": "drop"}])
    call("s5", **work.data, patch=fixes)
    page = page_of(work)
    assert [row[0] for row in page_data(page)["rows"]][:3] == ["1", "3", "4"]
    assert "--patch=fixes.jsonl" in page
    assert "<code>fixes.jsonl</code>" in page


def test_prices_give_costs(work):
    write_rows(
        work.results / "run.log.jsonl",
        [
            {"step": "s1", "seconds": 1, "prompt_tokens": 2_000_000, "answer_tokens": 1_000_000, "started": "2026"},
            {"step": "s4", "seconds": float("nan"), "answers": True},
        ],
    )
    page = page_of(work, price_in=0.5, price_out=2)
    assert "3.0000" in page[page.index('<section id="cost">') :]
    assert "3.0000" not in page_of(work)


def test_scores_and_the_ablation_are_shown_where_they_are(work):
    model = work.folder / "none" / "GLM4" / "tiny_1000_fusion"
    ratios = {"precision": 0.5, "recall": 0.25, "f1": 0.333333}
    write_json(model / "test_report.json", {"micro": ratios, "per_label": {"PERSON": ratios}})
    summary = {name: {"mean": value, "sd": 0.05} for name, value in ratios.items()}
    write_json(model / "seeds.json", {"test": summary})
    table = work.results / "ablation" / "table.csv"
    table.parent.mkdir()
    table.write_text("size,variant,difference,low,high\n1000,base,,,\n1000,<b>fusion,1.5,-0.25,3\n", encoding="utf-8")
    page = page_of(work)
    assert "33.3 ± 5.0" in page
    assert "&lt;b&gt;fusion" in page
    assert "<b>fusion" not in page
    write_json(model / "test_report.json", {"micro": {}})
    with pytest.raises(ValueError, match=r"test_report\.json is not a report of train_ner"):
        page_of(work)


def test_pictures_are_valid_svg_in_both_languages(work, caplog):
    caplog.set_level("INFO")
    for language in LANGUAGES:
        call("report", **work.data, models=work.folder, pictures=work.folder / language, lang=language)
    names = sorted(path.name for path in (work.folder / "en").glob("*.svg"))
    assert {"flow.svg", "targets_original.svg", "lengths_synthetic.svg", "agreement_entity.svg"} <= set(names)
    for name in names:
        root = ElementTree.fromstring((work.folder / "en" / name).read_text(encoding="utf-8"))
        assert root.tag.endswith("svg")
        assert "var(" not in ElementTree.tostring(root, encoding="unicode")
    assert "保留" in (work.folder / "zh" / "flow.svg").read_text(encoding="utf-8")
    if not list((work.folder / "en").glob("*.png")):
        assert "pip install resvg-py" in caplog.text


def test_a_chart_shows_names_as_they_are():
    canvas = Canvas(640, Texts(read_texts("en")), in_file=True)
    draw_bars(canvas, [Bar("@close", 3), Bar('<i>"&', 0), Bar("\x1b[31m\u202eevil", 1), Bar("很长的标签" * 20, 2)])
    texts = "".join(ElementTree.fromstring(canvas.to_svg("title <>")).itertext())
    assert "@close" in texts
    assert '<i>"&' in texts
    assert "\\x1b[31m\\u202eevil" in texts
    assert "很长的标签" * 20 not in texts


def test_bad_flags_are_named(work):
    with pytest.raises(ValueError, match="--price_in needs --html"):
        call("report", **work.data, price_in=1)
    with pytest.raises(FileNotFoundError, match="--save_type_name must name the folder of results, such as GLM4"):
        call("report", **work.data, html=True, save_type_name="GLM5")
    with pytest.raises(FileNotFoundError, match=r"train_1000\.jsonl is missing"):
        (work.dataset / "train_1000.jsonl").unlink()
        call("report", **work.data, html=True)


def test_without_jinja2_one_line_says_how_to_install_it(work, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ModuleNotFoundError, match="pip install jinja2"):
        page_of(work)


def test_the_script_pasted_into_a_notebook_shows_sentences(tmp_path):
    code = f"import sys; sys.path.insert(0, {str(SCRIPTS.parent)!r})\nfrom utils.audit.html import show\n"
    code += "print(show({'text': '邓超在北京', 'entities': [{'start': 0, 'end': 2, 'entity': 'PER'}]}))"
    done = run_pasted(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "PER" in done.stdout


def set_in(path, keys, value):
    """Change one value in a JSON file."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    inner = whole
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    write_json(path, whole)


COUNTS = "1000/train_1000_fusion.jsonl.meta.json"
AGREEMENT = "1000/agreement_fusion.json"


def assert_left_out_or_named(work, value, name):
    """Write the page. It may leave the value out; or an error names the file of results."""
    try:
        page = page_of(work)
    except ValueError as error:
        assert name.rpartition("/")[2] in str(error)
    else:
        assert page_data(page)["rows"]
        assert not any(text in page for text in (str(10**400), "1e+400", "Infinity", "NaN")), value


@pytest.mark.parametrize("value", [10**400, "x", [1], float("inf")], ids=["huge", "text", "list", "infinite"])
def test_a_wrong_number_in_a_result_is_left_out_or_its_file_is_named(work, value):
    label = next(iter(work.json("agreement_fusion.json", "1000")["entity"]["labels"]))
    for name, keys in ((COUNTS, ["counts", "items"]), (AGREEMENT, ["entity", "labels", label, "same"])):
        before = (work.results / name).read_bytes()
        set_in(work.results / name, keys, value)
        assert_left_out_or_named(work, value, name)
        (work.results / name).write_bytes(before)
    run = {"step": "s1", "seconds": value, "answers": value, "result": "entity_train_1000.jsonl"}
    write_rows(work.results / "run.log.jsonl", [run])
    write_json(work.results / "1000" / "unknown_fusion.json", {"word": {"count": value, "examples": []}})
    assert_left_out_or_named(work, value, "unknown_fusion.json")
