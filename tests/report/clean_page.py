"""Clean page: a report in a browser that may report no problem and load nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["check_width", "clean_page"]


@contextmanager
def clean_page(browser: Any, file: Path, **options: Any) -> Iterator[Any]:
    """Open a page; at the end it has told no error, opened no dialog and loaded nothing else."""
    page = browser.new_page(**options)
    problems: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    yield page
    assert problems == []
    loaded = {url.partition("#")[0] for url in requests}
    assert loaded == {file.as_uri()}, "nothing but the page itself is loaded"
    page.close()


def check_width(page: Any) -> None:
    """Hold a page to its window: only what is wide within it scrolls sideways."""
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, "the page itself never scrolls sideways"
