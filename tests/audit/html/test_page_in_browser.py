"""The page of report.py --html in a browser: search, filters, corrections, keys, languages, themes and paper.

Needs Debian's packages chromium and chromium-driver, and selenium.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.helpers.builders import ENGLISH, call, read_lines, write_rows
from tests.helpers.report_page import NASTY_NAME, NASTY_TOKENS, write_nasty
from tests.helpers.workspace import Workspace
from utils.audit.html.page import LANGUAGES

pytestmark = pytest.mark.slow

MANY = 50_000
OPEN_SECONDS = 30  # the page itself needs 1 to 3; a busy machine is not the page's fault


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no chromium with its driver: apt-get install chromium chromium-driver")
    downloads = tmp_path_factory.mktemp("downloads")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000", "--lang=en"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    found.downloads = downloads
    yield found
    found.quit()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = Workspace(tmp_path_factory.mktemp("merged"), ENGLISH)
    work.annotate()
    work.merge()
    call("report", **work.data, models=work.folder, html=True)
    return work


@pytest.fixture
def page(browser, work):
    return opened(browser, work.results / "report.html")


def opened(browser, path: Path):
    """Open a page as on a first visit, and return the browser."""
    for _ in range(2):
        browser.get(path.as_uri())
        wait(lambda: browser.execute_script("return document.documentElement.dataset.ready"), OPEN_SECONDS)
        browser.execute_script("localStorage.clear()")
    browser.get_log("browser")
    return browser


def wait(is_there, seconds=10.0):
    end = time.monotonic() + seconds
    while not (found := is_there()):
        assert time.monotonic() < end, "the page did not do that in time"
        time.sleep(0.05)
    return found


def element(page, selector):
    return page.find_element("css selector", selector)


def shown_ids(page):
    return texts_of(page, "#list article b:first-child")


def texts_of(page, selector):
    script = "return [...document.querySelectorAll(arguments[0])].map(element => element.textContent)"
    return page.execute_script(script, selector)


def press(page, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(page).send_keys(*keys).perform()


def choose(page, selector, value):
    from selenium.webdriver.support.ui import Select

    Select(element(page, selector)).select_by_value(value)


def search(page, text):
    box = element(page, "#search")
    box.clear()
    before = element(page, "#found").text
    box.send_keys(text)
    time.sleep(0.4)
    return before, element(page, "#found").text


def requests_of(browser):
    """Return the addresses that the browser asked for, but for files and data."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return [url for url in sent if not url.startswith(("file:", "data:", "blob:"))]


def test_the_page_has_no_error_and_asks_for_nothing(browser, work):
    requests_of(browser)
    page = opened(browser, work.results / "report.html")
    for language in LANGUAGES:
        for theme in ("light", "dark"):
            choose(page, "#language", language)
            choose(page, "#theme", theme)
    element(page, "[data-picture=svg]").click()
    assert page.get_log("browser") == []
    assert requests_of(page) == []


def test_search_and_filters_choose_sentences(page):
    assert element(page, "#found").text == "17 of 17 sentences"
    assert search(page, "SWIFT")[1] == "3 of 17 sentences"
    assert search(page, "#4-1")[1] == "1 of 17 sentences"
    assert shown_ids(page) == ["#4-1"]
    assert "made from #4" in element(page, "article").text
    assert "sold lamps to Apple" in element(page, ".source").text
    assert search(page, "no such text")[1].startswith("No sentence fits")
    element(page, "#search").clear()
    press(page, " ")
    time.sleep(0.4)
    choose(page, "#filter-kind", "0")
    choose(page, "#filter-size", "0")
    choose(page, "#order", "id")
    assert shown_ids(page) == ["#1", "#2"]
    choose(page, "#filter-label", "1")
    assert shown_ids(page) == ["#1"]  # VESSEL
    choose(page, "#filter-origin", "1")
    assert shown_ids(page) == []  # no span model has labelled it


def test_the_keyboard_moves_corrects_and_exports(page, work):
    from selenium.webdriver.common.keys import Keys

    choose(page, "#order", "id")
    page.execute_script("document.activeElement.blur()")  # else the key would be one of the select element
    press(page, "/")
    assert page.switch_to.active_element == element(page, "#search")
    press(page, Keys.ESCAPE)
    assert page.switch_to.active_element.text.startswith("#1")
    press(page, "j", "j")
    assert page.switch_to.active_element.text.startswith("#3")
    press(page, "d")
    wait(lambda: element(page, "#export").text == "Export the patch (1)")
    press(page, "k", Keys.ENTER)
    wait(lambda: page.find_elements("css selector", ".panel"))
    press(page, Keys.ESCAPE)
    wait(lambda: not page.find_elements("css selector", ".panel"))
    press(page, "?")
    wait(lambda: element(page, "#help").is_displayed())
    press(page, Keys.ESCAPE)
    press(page, "e")
    path = page.downloads / "fixes.jsonl"
    wait(path.is_file)
    assert [(row["id"], row["action"]) for row in read_lines(path)] == [("3", "drop")]
    path.unlink()


def test_corrections_become_a_patch_that_s5_applies(page, work, tmp_path, caplog):
    from selenium.webdriver.common.keys import Keys

    choose(page, "#order", "id")
    element(page, "article .head button").click()
    rows = page.find_elements("css selector", ".panel tbody tr")
    assert "Mary-Ann" in rows[0].text
    rows[0].find_element("css selector", ".label").send_keys(Keys.CONTROL, "a", Keys.NULL, "PERSON", Keys.TAB)
    wait(lambda: "✎ PERSON" in element(page, "article .sentence").text)
    page.find_elements("css selector", ".wrong-button")[-1].click()
    wait(lambda: "✗" in element(page, "article .sentence").text)
    picks = page.find_elements("css selector", ".picks button")
    picks[2].click()
    picks[4].click()
    element(page, ".adder .label").send_keys("PLACE")
    element(page, ".add-button").click()
    wait(lambda: "+ PLACE" in element(page, "article .sentence").text)
    element(page, "#export").click()
    exported = page.downloads / "fixes.jsonl"
    wait(exported.is_file)
    fixes = write_rows(tmp_path / "fixes.jsonl", read_lines(exported))
    exported.unlink()
    assert [row["action"] for row in read_lines(fixes)] == ["relabel", "wrong", "add"]
    other = Workspace(tmp_path / "other", ENGLISH)
    shutil.copytree(work.dataset, other.dataset, dirs_exist_ok=True)
    call("s5", **other.data, patch=fixes)
    assert "no longer" not in caplog.text
    spans = other.lines("train_1000_fusion.jsonl", "1000")[0]["entities"]
    found = [(span["start"], span["end"], span["entity"], span.get("origin")) for span in spans]
    assert (1, 2, "PERSON", "patch") in found
    assert (2, 5, "PLACE", "entity") in found


def test_corrections_are_there_after_a_reload(page):
    choose(page, "#order", "id")
    page.execute_script("document.querySelector('article').focus()")
    press(page, "d")
    wait(lambda: element(page, "#export").text == "Export the patch (1)")
    page.refresh()
    wait(lambda: element(page, "#export").text == "Export the patch (1)")
    element(page, "#forget").click()
    assert element(page, "#export").text == "Export the patch (1)"  # it asks again
    element(page, "#forget").click()
    wait(lambda: element(page, "#export").text == "Export the patch")


def test_languages_and_themes_change_what_is_seen(page):
    def background():
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    choose(page, "#theme", "light")
    light = background()
    choose(page, "#theme", "dark")
    assert background() != light
    choose(page, "#language", "zh")
    assert page.execute_script("return document.documentElement.lang") == "zh-CN"
    assert [text for text in texts_of(page, "h2, nav a, th") if text.isascii() and text.strip().islower()] == []
    assert "保留" in page.execute_script("return document.querySelector('#flow svg').textContent")


def test_strange_texts_stay_text_in_a_browser(browser, tmp_path):
    write_nasty(tmp_path)
    call("report", file_dir=tmp_path, file_name=NASTY_NAME, html=tmp_path / "page.html", models=tmp_path)
    page = opened(browser, tmp_path / "page.html")
    choose(page, "#order", "id")
    assert texts_of(page, "article .token > bdi")[: len(NASTY_TOKENS)] == NASTY_TOKENS
    assert page.title == f"{NASTY_NAME} / GLM4"
    assert page.find_elements("css selector", "img") == []
    element(page, "article .head button").click()
    for name in ("en", "zh"):
        choose(page, "#language", name)
    script = "return [...document.querySelectorAll('.sentence')].map(one => getComputedStyle(one).direction)"
    assert page.execute_script(script) == ["ltr", "rtl"]
    assert page.get_log("browser") == []


def test_paper_shows_the_sentences(page):
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert page.execute_script("return document.querySelectorAll('#printed article').length") == 17
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert page.execute_script("return document.querySelectorAll('#printed article').length") == 0


def test_many_sentences_open_and_scroll(browser, tmp_path):
    """Only the visible sentences are in the page, at the first and at the last of them."""
    numbers = range(MANY // 8)
    rows = ({"text": [str(number), *row["text"]], "entities": []} for number in numbers for row in ENGLISH.rows)
    folder = ENGLISH.write(tmp_path)
    write_rows(folder / "train_1000.jsonl", rows)
    call("report", file_dir=tmp_path, file_name="tiny", html=tmp_path / "page.html", models=tmp_path)
    page = opened(browser, tmp_path / "page.html")
    choose(page, "#order", "id")
    assert element(page, "#found").text == f"{MANY} of {MANY} sentences"
    assert 0 < len(shown_ids(page)) < 100
    element(page, "#list").click()
    page.execute_script("document.getElementById('list').scrollTop = 1e9")
    wait(lambda: shown_ids(page)[-1:] == [f"#{MANY}"])
    assert len(shown_ids(page)) < 100
    assert search(page, f"{MANY // 8 - 1} the petrel")[1] == f"1 of {MANY} sentences"
