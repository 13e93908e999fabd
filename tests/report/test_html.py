"""The page in a real browser: what it shows, what a click does, and that it asks nobody for anything."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from report_records import article, record, tensor_row

from frostline.core.ledger import Changed, Declared, Flip, Movement, OptimizerRow
from frostline.core.record import Finding, Record
from frostline.report import render

webdriver = (
    pytest.importorskip("selenium.webdriver") if "browser" not in os.environ.get("FROSTLINE_MUST_HAVE", "") else None
)
HOSTILE = "model.</script><img src=x onerror=alert(1)>.weight"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["object"]:
    """One headless Chromium for all tests; where it was stated to be here and is not, the tests fail."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        message = "no Chromium with its driver is installed"
        pytest.fail(message) if "browser" in os.environ.get("FROSTLINE_MUST_HAVE", "") else pytest.skip(message)
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    profile = tmp_path_factory.mktemp("profile")
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}",
        "--window-size=1280,900",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    session = webdriver.Chrome(options=options, service=Service(driver))
    yield session
    session.quit()


def contradicted() -> Record:
    """A frozen layer that moved, one that is fine, a flag that flipped, and a name that means harm."""
    moved = tensor_row("model.stem.weight", 40, 40, trainable=False, optimizer="adam")
    seen = Movement("step", 4, 5, "adam", 5, False, gradient="zero")
    moved.changed = Changed("yes", 5, 8, movements=[seen, Movement("between", 5, 8)])
    flipped = tensor_row("model.body.weight", 30, 30, optimizer="adam")
    flipped.declared = Declared(True, False, flips=[Flip(4, True, "adam")], flip_count=1)
    still = tensor_row("model.body.bias", 30, trainable=False, changed="no")
    still.declared.first = False
    rows = [
        moved,
        flipped,
        still,
        tensor_row("model.head.weight", 30, 10, optimizer="adam"),
        tensor_row("model.odd.weight", 9, changed="unknown", reason="a meta tensor"),
        tensor_row(HOSTILE, 50, optimizer="adam"),
    ]
    finding = Finding(
        "frozen-but-decayed",
        "F101",
        "error",
        ["model.stem.weight"],
        "1 tensor moved",
        {"weight_decay": 0.1},
        "set .grad to None",
    )
    optimizer = OptimizerRow("adam", "optimizer", "Adam", 12, checks=[1, 2, 4, 8, 12], checked_at=[2, 4, 8, 16, 24])
    return record(rows, findings=[finding], optimizers=[optimizer])


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render(contradicted(), "html"), "utf-8")
    return path


@pytest.fixture
def opened(browser, page: Path):
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get("about:blank")
    browser.get(page.as_uri())
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def texts(browser, selector: str) -> list[str]:
    return browser.execute_script("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector)


def shown_rows(browser) -> list[str]:
    return texts(browser, "#table tbody tr:not(.gap) th")


def click(browser, selector: str) -> None:
    browser.find_element("css selector", selector).click()


def test_the_verdict_and_the_findings_come_first(opened) -> None:
    assert "The run contradicts itself: 1 tensor moved" in texts(opened, ".verdict")[0]
    assert "1 error" in texts(opened, ".counted")[0]
    card = texts(opened, "#F101-1")[0]
    assert "frozen-but-decayed" in card
    assert "set .grad to None" in card


def test_nothing_is_asked_of_the_network(opened, page: Path) -> None:
    messages = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    asked = {each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"}
    browsers_own = ("data:", "about:", "chrome:")  # its first tab among them, which may still be loading
    assert {address for address in asked if not address.startswith(browsers_own)} == {page.as_uri()}


def test_a_name_that_is_markup_stays_text(opened) -> None:
    assert HOSTILE in shown_rows(opened)
    assert opened.execute_script("return document.images.length") == 0


def test_the_map_has_an_area_for_every_tensor_and_a_click_chooses_one(opened) -> None:
    area = "b => [b.title.split(':')[0] + b.title.split(', ')[1], b.offsetWidth * b.offsetHeight]"
    sizes = dict(opened.execute_script(f"return [...document.querySelectorAll('#map .box')].map({area})"))
    assert len(sizes) == 6
    assert sizes["weight1,600 values"] == pytest.approx(sizes["weight900 values"] * 16 / 9, rel=0.1)
    click(opened, "#map .box.state-contradicted")
    assert "model.stem.weight" in texts(opened, "#tensor")[0]
    assert "step 5: moved inside a step of adam, gradient zero" in texts(opened, "#tensor")[0]
    assert opened.execute_script("return document.querySelectorAll('#tensor svg circle').length") == 2
    lines = "return document.querySelectorAll('#tensor svg line').length"
    assert opened.execute_script(lines) == 9  # two axes, 5 checks, 2 moves
    lanes = "return [...document.querySelectorAll('#tensor svg text[x=\"0\"]')].map(text => text.textContent)"
    assert opened.execute_script(lanes) == ["declared", "adam", "unseen", "step (log)"]
    assert opened.execute_script("return location.hash") == "#tensor=model.stem.weight"


def test_tree_map_and_table_fold_and_filter_together(opened) -> None:
    opened.find_element("id", "filter").send_keys("body")
    assert shown_rows(opened) == ["model.body.weight", "model.body.bias"]
    assert len(texts(opened, "#map .box")) == 2
    assert "2 of 6 tensors" in texts(opened, "#count")[0]
    opened.execute_script(
        "for (const b of document.querySelectorAll('.chip input')) if (b.value === 'frozen') b.click()"
    )
    assert shown_rows(opened) == ["model.body.weight"]
    opened.execute_script("document.querySelector('#tree [aria-expanded=true] [aria-expanded=true] .twist').click()")
    assert opened.execute_script("return document.querySelector('#map .box').title").startswith("body:")


def test_the_tree_is_walked_with_the_keyboard(opened) -> None:
    from selenium.webdriver.common.keys import Keys

    opened.execute_script("document.querySelector('#tree [tabindex=\"0\"]').focus()")
    for key in (Keys.ARROW_DOWN, Keys.ARROW_DOWN):
        opened.switch_to.active_element.send_keys(key)
    assert opened.switch_to.active_element.get_attribute("aria-label").startswith("weight, contradicted")
    opened.switch_to.active_element.send_keys(Keys.ENTER)
    assert "model.stem.weight" in texts(opened, "#tensor")[0]
    opened.switch_to.active_element.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert opened.execute_script("return document.activeElement.getAttribute('aria-expanded')") == "false"


def test_map_and_table_are_used_with_the_keyboard(opened) -> None:
    from selenium.webdriver.common.keys import Keys

    opened.execute_script("document.querySelector('#map [tabindex=\"0\"]').focus()")
    assert len(opened.find_elements("css selector", '#map [tabindex="0"]')) == 1
    first = opened.switch_to.active_element.get_attribute("title")
    opened.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    second = opened.switch_to.active_element.get_attribute("title")
    assert second != first
    opened.switch_to.active_element.send_keys(Keys.ENTER)
    assert opened.switch_to.active_element.get_attribute("aria-pressed") == "true"
    opened.find_element("link text", "model.body.bias").send_keys(Keys.ENTER)
    assert texts(opened, 'tr[aria-selected="true"] th') == ["model.body.bias"]
    assert opened.execute_script("return document.activeElement.textContent") == "model.body.bias"


def test_the_table_sorts_by_numbers_and_by_names(opened) -> None:
    click(opened, "#table th:nth-child(3) button")
    click(opened, "#table th:nth-child(3) button")
    assert shown_rows(opened)[:2] == ["model.stem.weight", "model.body.weight"]
    assert (
        opened.execute_script("return document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "descending"
    )
    click(opened, "#table th:nth-child(1) button")
    assert shown_rows(opened) == sorted(shown_rows(opened), key=str.lower)


def test_links_lead_to_a_tensor_and_to_a_finding(opened, page: Path) -> None:
    opened.get("about:blank")
    opened.get(f"{page.as_uri()}#tensor=model.body.weight")
    assert "before step 4: flag turned on" in texts(opened, "#tensor")[0]
    opened.get("about:blank")
    opened.get(f"{page.as_uri()}#tensor=model.body.bias")
    assert "declared frozen at the first check" in texts(opened, "#tensor")[0]
    opened.get("about:blank")
    opened.get(f"{page.as_uri()}#tensor=model.body.weight")
    assert texts(opened, 'tr[aria-selected="true"] th') == ["model.body.weight"]
    opened.get(f"{page.as_uri()}#F101-1")
    assert opened.execute_script("return document.activeElement.id") == "F101-1"
    opened.get("about:blank")
    opened.get(f"{page.as_uri()}#tensor=%E0%A4")  # cut off: the page is there all the same
    assert len(shown_rows(opened)) == 6


def test_light_dark_and_narrow(opened) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    before = opened.execute_script(paper)
    click(opened, "#theme")
    assert opened.execute_script(paper) != before
    for width in (390, 1280):
        opened.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == 390},
        )
        assert opened.execute_script("return document.documentElement.scrollWidth <= innerWidth && innerWidth") == width
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_without_javascript_it_reads_down_to_the_table(browser, page: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(page.as_uri())
        body = browser.find_element("tag name", "body").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "The run contradicts itself" in body
    assert "model.head.weight" in body
    assert "Filter" not in body


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 10,000 tensors in 100 blocks, no two of which moved at the same steps, and of 900 in one list."""
    rows = []
    for i in range(10_000):
        row = tensor_row(f"model.block{i // 100}.layer{i // 10 % 10}.w{i % 10}", 8 + i % 7, optimizer="adam")
        row.changed = Changed("yes", i, 9, movements=[Movement("step", i, i + 1, "adam", gradient="nonzero")])
        rows.append(row)
    rows += [tensor_row(f"model.list.layer{i}", 8, optimizer="adam") for i in range(900)]
    path = tmp_path_factory.mktemp("large") / "large.html"
    path.write_text(render(record(rows), "html"), "utf-8")
    return path


def test_a_page_of_ten_thousand_tensors_is_small_and_holds_only_the_rows_in_sight(browser, large: Path) -> None:
    assert large.stat().st_size < 2_000_000
    browser.get(large.as_uri())
    assert "10,900 of 10,900 tensors" in texts(browser, "#count")[0]
    in_page = "return document.querySelectorAll('#table tbody tr:not(.gap)').length"
    assert 20 < browser.execute_script(in_page) < 100
    browser.execute_script("document.getElementById('rows').scrollTop = 1e9")
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert shown_rows(browser)[-1] == "model.list.layer899"
    assert 20 < browser.execute_script(in_page) < 100
    click(browser, "#table th:nth-child(3) button")
    click(browser, "#table th:nth-child(3) button")
    assert shown_rows(browser)[0] == "model.block0.layer0.w6"  # the first of the largest
    browser.find_element("id", "filter").send_keys("block42.")
    assert len(shown_rows(browser)) == 100


def test_the_large_table_is_walked_with_the_keyboard(browser, large: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.get("about:blank")
    browser.get(large.as_uri())
    browser.execute_script("document.querySelector('#table tbody a[tabindex=\"0\"]').focus()")
    for key, name in ((Keys.END, "model.list.layer899"), (Keys.ARROW_UP, "model.list.layer898"),
                      (Keys.HOME, "model.block0.layer0.w0"), (Keys.ARROW_DOWN, "model.block0.layer0.w1")):  # fmt: skip
        browser.switch_to.active_element.send_keys(key)
        assert browser.execute_script("return document.activeElement.textContent") == name
    browser.get(f"{large.as_uri()}#tensor=model.block77.layer7.w7")
    assert texts(browser, 'tr[aria-selected="true"] th') == ["model.block77.layer7.w7"]


def test_every_box_of_a_large_map_has_a_name_and_a_run_of_many_is_one_box(browser, large: Path) -> None:
    browser.get("about:blank")
    browser.get(large.as_uri())
    labels = texts(browser, "#map .box")
    assert 90 < len(labels) <= 600
    assert all(labels)
    browser.find_element("css selector", "#map .box[title^='layer0 … layer']").click()
    run = texts(browser, "#map .box")
    assert 50 < len(run) < 150
    assert "layer0" in run[0]
    assert texts(browser, "#count")[0].startswith(f"{len(run)} of 10,900 tensors")


def test_on_paper_are_the_evidence_the_map_and_the_rows(opened) -> None:
    click(opened, "#theme")  # dark or light, whichever it was not
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    opened.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    seen = "const e = document.querySelector(arguments[0]); return e.checkVisibility() && e.offsetHeight > 0"
    try:
        for selector in ("#F101-1 details dl", "#map .box", "#table tbody tr"):
            assert opened.execute_script(seen, selector), selector
        assert not opened.execute_script(seen, ".tools")
        assert opened.execute_script("return document.body.dataset.theme") == "light"
        fits = "const m = document.getElementById('map'); const w = m.clientWidth + 2; "
        fits += "return [...m.children].every(b => b.offsetLeft + b.offsetWidth <= w)"
        assert opened.execute_script(fits)
        cut = (
            "return [...document.querySelectorAll('#table thead th')].filter(h => h.scrollWidth > h.clientWidth).length"
        )
        assert opened.execute_script(cut) == 0
        buttons = "return getComputedStyle(document.querySelector('#table thead button')).display"
        assert opened.execute_script(buttons) == "contents"  # else no later page has the heads
    finally:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        opened.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert not opened.execute_script(seen, "#F101-1 details dl")


def test_a_card_says_why_it_matters(browser, tmp_path: Path) -> None:
    path = tmp_path / "why.html"
    path.write_text(render(contradicted(), "html", why={"F101": "The layer drifts.\n\nNobody is told <b>."}), "utf-8")
    browser.get(path.as_uri())
    click(browser, "#F101-1 summary")
    card = texts(browser, "#F101-1")[0]
    assert "The layer drifts." in card
    assert "Nobody is told <b>." in card


def test_a_copy_is_called_one() -> None:
    source, target = (tensor_row(f"{model}.weight", 40, 40) for model in ("q", "target"))
    target.changed.followed, target.changed.copies = "q.weight", (2, 3)
    target.changed.movements = [Movement("outside", 4, 5, follows="q.weight", rate=1.0)]
    page = render(record([source, target]), "html")
    assert page.count("yes, copied from q (2 of 3 checks)") == 2  # in the first rows, and once in what the script reads


def test_numbers_that_json_lacks_do_not_break_the_page() -> None:
    said = contradicted()
    said.tensors[0].optimizers[0].lr = float("nan")
    text = re.search(r'id="record">(.*?)</script>', render(said, "html"))
    assert text
    assert json.loads(text[1], parse_constant=pytest.fail)["held"][0][0][1] is None


def test_the_articles_page_says_that_all_is_well() -> None:
    text = render(article(), "html")
    assert "No contradiction" in text
    assert not re.search(r"""(src|href|action)=["']?(https?:)?//""", text)
