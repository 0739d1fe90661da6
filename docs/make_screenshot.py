"""Take the README's screenshot of a report: ``python docs/make_screenshot.py RUN/report.html``.

Needs playwright and a Chromium (``make test-all`` installs the one, Debian's package
chromium is the other).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

KEPT = "Server performance"


def main() -> None:
    """Keep the summary and one test of the page, and save it as docs/report.png."""
    page_file, picture = Path(sys.argv[1]).resolve(), Path(__file__).with_name("report.png")
    with sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1120, "height": 800}, color_scheme="light")
        page.goto(page_file.as_uri())
        page.evaluate(
            "kept => { for (const part of document.querySelectorAll('main > section')) {"
            " const title = part.querySelector('h2');"
            " if (title && !title.textContent.includes(kept)) part.remove(); } }",
            KEPT,
        )
        page.evaluate(
            "() => { for (const part of document.querySelectorAll('main form, main .notice, "
            "main table.numbers, main section.test details, main .files')) part.remove(); }"
        )
        for figure in page.locator("figure").all():
            figure.scroll_into_view_if_needed()
            page.wait_for_function("figure => figure.plot", arg=figure.element_handle())
        # One chart as somebody reads it.
        chart = page.locator("figure", has_text="Latency over time")
        chart.locator(".drawing").focus()
        for key in ("+", "+", *["ArrowRight"] * 3):
            page.keyboard.press(key)
        page.locator("main").screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
