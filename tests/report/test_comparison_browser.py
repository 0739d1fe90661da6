"""The page of a comparison in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inferometer.report import write_comparison
from tests.report.clean_page import check_width, clean_page
from tests.report.test_comparison import three

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison(three(), tmp_path_factory.mktemp("page"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_renders_without_errors_or_requests(
    browser: Any, page_file: Path, scheme: str, width: int
) -> None:
    viewport = {"width": width, "height": 900}
    with clean_page(browser, page_file, color_scheme=scheme, viewport=viewport) as page:
        assert page.locator("ul.verdicts li").count() == 3
        for chart in page.locator("svg.chart").all():
            box = chart.bounding_box()
            assert box is not None
            assert box["width"] > 200
            assert chart.get_attribute("aria-label")
        check_width(page)


def test_details_open_by_keyboard(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    details = page.locator("details").first
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    assert details.get_attribute("open") is not None
    page.close()
