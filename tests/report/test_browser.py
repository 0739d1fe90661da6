"""The HTML report in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inferometer.loadgen import Scenario
from inferometer.report import write_html
from tests.report.test_html import HOSTILE, accuracy_of, result_of, session_of
from tests.support import short_settings, simulate

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tests = []
    for scenario in Scenario:
        if scenario is not Scenario.MULTI_STREAM_FREE:
            asked = short_settings(scenario, server_target_qps=1000.0, min_query_count=2000)
            tests.append(result_of(simulate(asked, 300_000), accuracy_of(0.95)))
    path = tmp_path_factory.mktemp("page") / "report.html"
    return write_html([session_of(*tests, name=HOSTILE)], path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_renders_without_errors_or_requests(
    browser: Any, page_file: Path, scheme: str, width: int
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    problems: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri())
    assert problems == []
    assert requests == [page_file.as_uri()], "nothing but the page itself is loaded"
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.locator("table.summary tbody tr").count() == 4
    for chart in page.locator("svg.chart").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["width"] > 200
        assert box["height"] > 80
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, "the page itself never scrolls sideways"
    page.close()


def test_text_has_contrast_in_both_schemes(browser: Any, page_file: Path) -> None:
    colours = set()
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(page_file.as_uri())
        look = "element => getComputedStyle(element)"
        paper = page.locator("body").evaluate(f"({look})(document.body).backgroundColor")
        ink = page.locator("body").evaluate(f"({look})(document.body).color")
        assert paper != ink
        colours.add((paper, ink))
        page.close()
    assert len(colours) == 2


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
