"""The HTML report in a real browser."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from inferometer.loadgen import Mode, Scenario
from inferometer.report import write_html
from tests.report.clean_page import check_width, clean_page
from tests.report.test_html import HOSTILE, HOSTILE_NAMES, accuracy_of, result_of, session_of
from tests.support import short_settings, simulate

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tests = []
    for scenario in Scenario:
        if scenario is not Scenario.MULTI_STREAM_FREE:
            asked = short_settings(scenario, server_target_qps=1000.0, min_query_count=2000)
            tests.append(result_of(simulate(asked, 300_000), accuracy_of(0.95)))
    asked = short_settings(mode=Mode.ACCURACY)
    tests.append(result_of(simulate(asked, 1000), accuracy_of(0.5)))
    path = tmp_path_factory.mktemp("page") / "report.html"
    return write_html([session_of(*tests, name=HOSTILE)], path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_renders_without_errors_or_requests(
    browser: Any, page_file: Path, scheme: str, width: int
) -> None:
    viewport = {"width": width, "height": 900}
    with clean_page(browser, page_file, color_scheme=scheme, viewport=viewport) as page:
        wake(page)
        assert page.locator("h1").inner_text() == HOSTILE
        assert page.locator("table.summary tbody tr").count() == 4
        for chart in page.locator("svg.chart").all():
            box = chart.bounding_box()
            assert box is not None
            assert box["width"] > 200
            assert box["height"] > 80
        check_width(page)


CONTRASTS = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const [red, green, blue, alpha = 1] = numbers(getComputedStyle(one).backgroundColor);
      if (alpha > 0) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = numbers(element instanceof SVGElement ? style.fill : style.color);
    const [high, low] = [light(ink), light(behind(element))].sort((a, b) => b - a);
    found[`${element.tagName} ${element.getAttribute("class")}`] = (high + 0.05) / (low + 0.05);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(browser: Any, page_file: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(page_file.as_uri())
    wake(page)
    ratios = page.evaluate(CONTRASTS)
    assert len(ratios) > 20
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}
    page.close()


def wake(page: Any) -> None:
    """Go past every chart, so that all of them come to life, and unfold everything."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for figure in page.locator("figure").all():
        figure.scroll_into_view_if_needed()
        page.wait_for_function("figure => figure.plot", arg=figure.element_handle())
    page.evaluate("scrollTo(0, 0)")


def shown(page: Any) -> list[str]:
    titles: list[str] = page.locator("section.test:visible > h2").all_inner_texts()
    return [" ".join(title.split()[:2]) for title in titles]


def test_filters_work_by_keyboard_and_say_so(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    told = page.locator("#shown")
    everything = shown(page)
    assert len(everything) == 5
    assert told.get_attribute("aria-live") == "polite"
    page.get_by_label("Scenario").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert shown(page) == ["MultiStream performance"]
    assert told.inner_text().startswith("1 of 5 tests")
    assert page.locator(".contents li[data-for]:visible").count() == 1
    page.locator(".short a").first.click()
    assert shown(page) == everything, "a link brings back what a filter hid"
    page.get_by_label("Verdict").select_option("no")
    bad = shown(page)
    assert 0 < len(bad) < 5
    page.get_by_label("Verdict").select_option("yes")
    assert sorted(bad + shown(page)) == sorted(everything)
    page.get_by_role("button", name="Show all").press("Enter")
    page.wait_for_function(
        "() => document.getElementById('shown').textContent.startsWith('5 of 5')"
    )
    page.get_by_label("Tests of").select_option("accuracy")
    assert shown(page) == ["SingleStream accuracy"]
    page.close()


def test_findings_are_filtered_by_severity(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    severities = {"": {"error", "warning", "info"}, "warning": {"error", "warning"},
                  "error": {"error"}, "none": set()}  # fmt: skip
    there = page.locator(".findings li").evaluate_all("all => all.map((li) => li.className)")
    assert "error" in there
    for choice, allowed in severities.items():
        page.get_by_label("Findings").select_option(choice)
        found = page.locator(".findings li:visible").evaluate_all(
            "all => all.map((li) => li.className)"
        )
        assert found == [name for name in there if name in allowed]
    page.close()


def test_the_slowest_queries_can_be_sorted(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    table = page.locator("table.sortable").first
    page.locator("summary", has_text="slowest queries").first.click()
    values = "rows => rows.map((row) => Number(row.cells[0].dataset.value))"
    head = table.locator("th", has_text="query")
    for order, is_down in (("descending", True), ("ascending", False)):
        head.get_by_role("button").press("Enter")
        numbers = table.locator("tbody tr").evaluate_all(values)
        assert numbers == sorted(numbers, reverse=is_down)
        assert head.get_attribute("aria-sort") == order
    page.close()


def test_paper_has_everything_and_no_controls(browser: Any, page_file: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(page_file.as_uri())
    wake(page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = false; })")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("() => document.querySelectorAll('details:not([open])').length === 0")
    assert page.locator("button:not(.sort):visible, select:visible, nav:visible").count() == 0
    assert page.locator("table.pairs:visible").count() > 5
    assert page.locator("svg.chart:visible").count() == page.locator("figure").count()
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert page.pdf()[:5] == b"%PDF-"
    page.emulate_media(media="screen")
    page.wait_for_function("() => document.querySelectorAll('details[open]').length === 0")
    page.close()


def test_without_script_there_are_pictures_and_no_controls(browser: Any, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("svg.chart:visible").count() == page.locator("figure").count() > 9
    assert page.locator("button:visible, select:visible").count() == 0
    context.close()


NAMELESS = """() => {
  const controls = "button, select, input, a, [tabindex='0'], summary";
  const nameOf = (one) => one.getAttribute("aria-label") || one.textContent.trim();
  return [...document.querySelectorAll(controls)]
    .filter((one) => !nameOf(one) && !one.labels?.length).map((one) => one.outerHTML);
}"""
OUTLINE = """() => [...document.querySelectorAll("h1, h2, h3, h4")]
  .map((one) => Number(one.tagName[1]))"""
REPEATED = """() => { const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return ids.filter((id, place) => ids.indexOf(id) !== place); }"""
BROKEN = """() => [...document.querySelectorAll("a[href^='#']")]
  .map((a) => a.getAttribute("href").slice(1)).filter((id) => !document.getElementById(id))"""


@pytest.mark.parametrize("count", [1, 2])
def test_names_headings_landmarks_and_links(browser: Any, tmp_path: Path, count: int) -> None:
    asked = short_settings(Scenario.SERVER, server_target_qps=1000.0, min_query_count=500)
    session = session_of(result_of(simulate(asked, 300_000)), result_of(simulate(asked, 400_000)))
    page = browser.new_page()
    page.goto(write_html([session] * count, tmp_path / "report.html").as_uri())
    wake(page)
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(REPEATED) == []
    assert page.evaluate(BROKEN) == []
    levels = page.evaluate(OUTLINE)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for landmark in ("main", "navigation"):
        assert page.get_by_role(landmark).count() == 1
    assert page.locator("table:not(:has(caption))").count() == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.close()


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_run_nothing(browser: Any, tmp_path: Path, name: str) -> None:
    asked = short_settings(Scenario.SERVER, server_target_qps=1000.0, min_query_count=500)
    session = session_of(result_of(simulate(asked, 300_000)), name=name)
    with clean_page(browser, write_html([session], tmp_path / "report.html")) as page:
        wake(page)
        assert page.locator("h1").evaluate("h1 => h1.textContent") == name
        assert page.locator("img, h1 b, script:not([type])").count() == 1
        lead = page.locator(".lead bdi").first
        assert lead.evaluate("one => getComputedStyle(one).unicodeBidi") == "isolate"


def test_details_open_by_keyboard(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    details = page.locator(".test details").first
    assert details.get_attribute("open") is None
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    assert details.get_attribute("open") is not None
    assert "slowest queries" in details.inner_text()
    page.close()


def test_images_have_names_for_screen_readers(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    for chart in page.locator("svg.chart").all():
        assert chart.get_attribute("role") == "img"
        assert chart.get_attribute("aria-label")
    page.close()
