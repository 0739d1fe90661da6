"""The page of results: one file, hostile names as text, and in a browser what people ask for."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from inferometer.report.leaderboard import leaderboard_html, write_leaderboard
from inferometer.report.leaderboard_charts import kinds_chart, matrix_chart
from inferometer.report.leaderboard_terminal import print_leaderboard
from inferometer.report.leaderboard_wording import accuracy_cell, bound_cell, metric_cell
from inferometer.submission.published import Need, ResultRow, chosen
from inferometer.submission.published.findings import odd
from tests.report.clean_page import clean_page

HOSTILE = "<script>alert('x')</script>\"&amp; {{ 7 * 7 }} ${x} </style> [bold]"
KINDS = ("CPU", "GPU", "ASIC")
FRAMEWORKS = ("OpenVINO", "TensorRT", "TensorFlow")


def row(number: int, **changes: Any) -> ResultRow:
    kind = KINDS[number % 3]
    values: dict[str, Any] = {
        "round": "v0.5",
        "division": "open" if number % 5 == 0 else "closed",
        "submitter": f"Submitter {number % 4}",
        "system_id": f"system-{number}",
        "status": "available",
        "processor_kind": kind,
        "accelerator": None if kind == "CPU" else f"{kind} {number}",
        "host_processor": "Xeon",
        "framework": f"{FRAMEWORKS[number % 3]} 1.0",
        "framework_family": FRAMEWORKS[number % 3],
        "benchmark": "resnet",
        "scenario": "Server",
        "metric": "scheduled samples/s",
        "metric_value": 100.0 * (number + 1),
        "metric_unit": "1/s",
        "higher_is_better": True,
        "run_count": 5,
        "is_valid": True,
        "latency_bound_ms": 15.0,
        "latency_percentile": 99.0,
        "latency_ms": 1.0 + number,
        "accuracy": 76.0 + number / 100,
        "accuracy_metric": "top-1",
        "accuracy_unit": "%",
        "accuracy_target": 75.6954,
        "meets_target": True,
        "precision": "int8",
    }
    values |= changes
    return ResultRow(**values, benchmark_written=values["benchmark"])


def table() -> list[ResultRow]:
    """Give results of two benchmarks and two scenarios, one of one's own, one of them odd."""
    single = {"scenario": "SingleStream", "metric": "p90 latency", "metric_unit": "ns",
              "higher_is_better": False, "latency_bound_ms": None, "run_count": 1}  # fmt: skip
    found = (odd("published.folder-name", HOSTILE), odd("published.run-invalid", "run 1"))
    return [
        *(row(number) for number in range(9)),
        *(row(number, **single, metric_value=(number + 1) * 1e6) for number in range(5)),
        row(20, benchmark="gnmt", accuracy_metric="BLEU", accuracy_unit="", accuracy=23.8),
        row(30, submitter="own", is_own=True, round="quick", division=None, status=None),
        row(31, submitter=HOSTILE, system_name=HOSTILE, accelerator=HOSTILE, framework=HOSTILE,
            framework_family=HOSTILE, benchmark=HOSTILE, is_valid=False, findings=found),
    ]  # fmt: skip


def test_the_page_is_one_file_that_loads_nothing() -> None:
    page = leaderboard_html(table())
    assert page.count("<script") == 1
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "@import" not in page
    assert "url(" not in page
    script = page.split("<script>", 1)[1].split("</script>", 1)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page


def test_hostile_names_stay_text() -> None:
    page = leaderboard_html(table())
    assert "&lt;script&gt;" in page
    assert "alert('x')" not in page
    assert "49" not in re.findall(r"x&#39;\)&lt;/script&gt;&#34;&amp;amp; (\S+)", page)
    assert page.count("</style>") == 1
    assert page.count("</script>") == 1


def test_every_result_is_on_the_page_with_its_numbers() -> None:
    rows = table()
    page = leaderboard_html(rows)
    assert page.count('<tr role="row"') == len(rows) + 1
    for one in rows:
        assert metric_cell(one) in page
        assert accuracy_cell(one) in page
    assert '<tr role="row" class="own"' in page
    assert "INVALID" in page


def test_an_empty_table_still_makes_a_page() -> None:
    page = leaderboard_html([])
    assert "0 published results" in page
    assert "<svg" not in page


def test_own_runs_are_not_in_the_pictures() -> None:
    page = " ".join(leaderboard_html([row(1), row(2), row(3, is_own=True)]).split())
    assert "2 published results of v0.5 by 2 submitters, and 1 of your own" in page
    root = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", page, re.DOTALL)[0])
    assert [e.text for e in root.iter() if e.get("class") == "count"] == ["1", "1"]


names = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=40)


@given(st.dictionaries(names, st.integers(0, 10**6), max_size=6))
@settings(max_examples=60, deadline=None)
def test_pictures_of_kinds_draw_every_number(counts: dict[str, int]) -> None:
    root = ElementTree.fromstring(str(kinds_chart(counts)))
    drawn = [e.text for e in root.iter() if e.get("class") == "count"]
    assert drawn == [f"{count:,}" for count in counts.values()]
    bars = [float(e.get("width", "")) for e in root.iter() if e.get("class") == "bar"]
    assert sorted(bars) == [bar for _, bar in sorted(zip(counts.values(), bars, strict=True))]
    assert root.get("role") == "img"
    assert root.get("aria-label")


@given(st.lists(st.tuples(names, st.sampled_from(KINDS)), max_size=60))
@settings(max_examples=60, deadline=None)
def test_pictures_of_frameworks_draw_every_pair(entries: list[tuple[str, str]]) -> None:
    counts = Counter(entries)
    families = sorted({family for family, _ in entries})
    root = ElementTree.fromstring(str(matrix_chart(families, KINDS, counts)))
    drawn = [e.findtext("title") or "" for e in root.iter() if e.get("class") == "dot"]
    assert sorted(drawn) == sorted(f"{f} on {k}: {n:,}" for (f, k), n in counts.items())


def test_cells() -> None:
    assert metric_cell(row(0)) == "100/s"
    assert metric_cell(row(0, metric_unit="ns", metric_value=171874.0)) == "172 µs"
    assert metric_cell(row(0, metric_unit="streams", metric_value=2692.0)) == "2,692 streams"
    assert metric_cell(row(0, metric_value=None)) == "–"
    assert bound_cell(row(0)) == "p99, bound 15 ms"
    assert bound_cell(row(0, latency_bound_ms=None, latency_percentile=99.9)) == "p99.9"
    assert accuracy_cell(row(0)) == "76 %"
    assert accuracy_cell(row(0, accuracy=76.03849)) == "76.038 %"
    assert accuracy_cell(row(0, accuracy=23.8, accuracy_metric="BLEU", accuracy_unit="")) == (
        "BLEU 23.8"
    )


def test_the_terminal_shows_tables_that_compare() -> None:
    with Console(record=True, width=120, file=StringIO()) as console:
        print_leaderboard(chosen(table(), Need()), console, limit=3)
    text = console.export_text()
    assert "resnet · Server · scheduled samples/s" in text
    assert "more is better; 7 more, see --limit" in text
    assert "less is better; 2 more" in text
    assert "[bold]" in text, "markup in names stays text"
    assert "own yours" in text
    assert "INVALID" in text


# ---- in a browser ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_leaderboard(table(), tmp_path_factory.mktemp("page") / "results.html")


@pytest.fixture
def page(browser: Any, page_file: Path) -> Iterator[Any]:
    with clean_page(browser, page_file, viewport={"width": 1200, "height": 900}) as opened:
        yield opened


def shown(page: Any) -> list[str]:
    """Give the results of the rows that are to be seen, in order."""
    cells = page.locator(".board tbody tr:not([hidden]) td.result strong")
    return [str(text) for text in cells.all_inner_texts()]


def expected(*needs: Need) -> list[str]:
    return [metric_cell(one) for need in needs for one in chosen(table(), need)]


def choose(page: Any, name: str, value: str) -> None:
    page.locator(f"[name={name}]").select_option(value)


@pytest.mark.browser
@pytest.mark.slow
def test_needs_pick_the_results_that_show_would_pick(page: Any) -> None:
    server = Need(benchmark="resnet", scenario="Server")
    assert shown(page) == expected(server)
    assert "10 results: resnet, Server" in page.locator("#found").inner_text()
    page.locator("[name=latency]").fill("6")
    assert shown(page) == expected(replace(server, max_latency_ms=6))
    choose(page, "kind", "GPU")
    assert shown(page) == expected(replace(server, max_latency_ms=6, processor_kind="GPU"))
    assert "within 6 ms, GPU" in page.locator("#found").inner_text()
    page.locator("[name=latency]").fill("")
    choose(page, "kind", "")
    choose(page, "accelerator", "without")
    assert shown(page) == expected(replace(server, processor_kind="CPU"))
    page.get_by_role("button", name="Start over").click()
    page.wait_for_function("document.querySelector('[name=accelerator]').value === ''")
    choose(page, "scenario", "SingleStream")
    assert shown(page) == expected(Need(benchmark="resnet", scenario="SingleStream"))
    assert "p90 latency: less is better" in page.locator("#note").inner_text()


@pytest.mark.browser
@pytest.mark.slow
def test_nothing_left_offers_what_to_drop(page: Any) -> None:
    choose(page, "kind", "GPU")
    page.locator("[name=latency]").fill("0.5")
    assert shown(page) == []
    assert "Nothing meets all of this" in page.locator("#none").inner_text()
    page.get_by_role("button", name="within 0.5 ms").click()
    assert shown(page) == expected(
        Need(benchmark="resnet", scenario="Server", processor_kind="GPU")
    )
    assert not page.locator("#none").is_visible()


@pytest.mark.browser
@pytest.mark.slow
def test_columns_sort_by_keyboard(page: Any) -> None:
    head = page.locator("th[data-key=latency]")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    rows = sorted(chosen(table(), Need(benchmark="resnet", scenario="Server")),
                  key=lambda one: one.latency_ms or 0)  # fmt: skip
    assert shown(page) == [metric_cell(one) for one in rows]
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert shown(page) == [metric_cell(one) for one in reversed(rows)]


@pytest.mark.browser
@pytest.mark.slow
def test_bars_are_as_long_as_their_numbers(page: Any) -> None:
    choose(page, "division", "closed")
    boxes = [bar.bounding_box() for bar in page.locator("tr:not([hidden]) .fill").all()]
    widths = [box["width"] for box in boxes if box]
    values = [float(text.removesuffix("/s").replace(",", "")) for text in shown(page)]
    for width, value in zip(widths, values, strict=True):
        assert width / widths[0] == pytest.approx(value / values[0], abs=0.02)


@pytest.mark.browser
@pytest.mark.slow
def test_the_choice_stands_in_the_address(browser: Any, page_file: Path) -> None:
    opened = browser.new_page()
    opened.goto(f"{page_file.as_uri()}#benchmark=gnmt&scenario=nonsense&latency=abc&kind=%3Cb%3E")
    assert shown(opened) == expected(Need(benchmark="gnmt"))
    assert opened.evaluate("location.hash") == "#benchmark=gnmt&scenario=Server"
    opened.close()


@pytest.mark.browser
@pytest.mark.slow
def test_hostile_names_are_seen_as_they_are(page: Any) -> None:
    choose(page, "benchmark", HOSTILE)
    assert page.locator("tr:not([hidden]) .who").inner_text() == HOSTILE
    assert page.locator("tr:not([hidden]) .badge.bad").inner_text() == "INVALID"
    details = page.locator("tr:not([hidden]) details")
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    assert HOSTILE in details.inner_text()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1200])
def test_it_fits_phones_and_both_schemes(
    browser: Any, page_file: Path, scheme: str, width: int
) -> None:
    opened = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    opened.goto(page_file.as_uri())
    overflow = opened.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, "the page itself never scrolls sideways"
    box = opened.locator("tr:not([hidden]) td.hardware").first.bounding_box()
    assert box["width"] > 120
    labels = opened.locator("#need select, #need input").evaluate_all(
        "all => all.every(one => one.labels.length === 1)"
    )
    assert labels, "every control has a label"
    opened.close()


@pytest.mark.browser
@pytest.mark.slow
def test_without_scripts_everything_is_shown(browser: Any, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(page_file.as_uri())
    assert opened.locator(".board tbody tr:visible").count() == len(table())
    assert not opened.locator("#need").is_visible()
    assert opened.locator(".board td.static").first.is_visible()
    context.close()
