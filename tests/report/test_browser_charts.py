"""Charts in a real browser: each plotted number is the recording's, at each zoom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.report import long_recording, session_with

from inferometer.loadgen import PhaseTimes, Scenario, SeriesRecord, percentile
from inferometer.report import write_html
from inferometer.report.page import budget as page_budget
from tests.report.clean_page import clean_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

QUERIES = 4000
MARKS = """figure => figure.plot.marks.map((mark) =>
  ({ at: mark.at, values: mark.values, text: mark.tell() }))"""


def series_of(scenario: Scenario) -> SeriesRecord:
    series = long_recording(scenario, QUERIES).performance
    assert series is not None
    return series


@pytest.fixture(scope="module")
def recorded() -> dict[Scenario, SeriesRecord]:
    return {scenario: series_of(scenario) for scenario in (Scenario.SERVER, Scenario.OFFLINE)}


@pytest.fixture(scope="module")
def pages(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Open a page of a Server and an Offline run, and one of a Server run too long for rows."""
    folder = tmp_path_factory.mktemp("pages")
    written = {}
    for scenario in (Scenario.SERVER, Scenario.OFFLINE):
        session = session_with(long_recording(scenario, QUERIES))
        written[scenario.value] = write_html([session], folder / f"{scenario.value}.html")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_budget, "_RAW_ROWS", 10)
        patch.setattr(page_budget, "_MOST_RUNGS", 900)
        session = session_with(long_recording(Scenario.SERVER, QUERIES))
        written["long"] = write_html([session], folder / "long.html")
    wide = {"width": 1200, "height": 900}
    with ExitStack() as opened:
        yield {
            name: opened.enter_context(clean_page(browser, file, viewport=wide))
            for name, file in written.items()
        }


def chart(page: Any, title: str) -> Any:
    """Find a chart by its title, wait until it can be zoomed, and show the whole of it."""
    found = page.locator("figure", has=page.locator(f"strong:text-is('{title}')"))
    found.scroll_into_view_if_needed()
    page.wait_for_function("figure => figure.plot", arg=found.element_handle())
    found.locator(".drawing").focus()
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    return found


def marks(found: Any) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = found.evaluate(MARKS)
    assert result
    return result


def view(found: Any) -> list[float]:
    result: list[float] = found.evaluate("figure => figure.plot.view")
    return result


def nanoseconds(text: str) -> int:
    """Read an exact duration as the page writes it."""
    number, unit = text.replace(",", "").split()
    value = Fraction(number) * {"ns": 1, "µs": 10**3, "ms": 10**6, "s": 10**9}[unit]
    assert value.denominator == 1
    return int(value)


def test_keys_zoom_to_the_queries_themselves(
    pages: dict[str, Any], recorded: dict[Scenario, SeriesRecord]
) -> None:
    page, series = pages["Server"], recorded[Scenario.SERVER]
    found = chart(page, "Latency over time")
    whole = view(found)
    assert "windows of 29 queries" in found.locator(".resolution").inner_text()
    for _ in range(3):
        page.keyboard.press("+")
    inner = view(found)
    assert inner[1] - inner[0] == pytest.approx((whole[1] - whole[0]) / 8)
    assert "each query in view as recorded" in found.locator(".resolution").inner_text()
    due = series.scheduled_ns
    inside = np.flatnonzero((due >= inner[0]) & (due <= inner[1]))
    shown = marks(found)
    assert [mark["values"]["number"] for mark in shown] == inside.tolist()
    for mark in shown:
        number = mark["values"]["number"]
        assert mark["values"]["at"] == due[number]
        assert mark["values"]["value"] == series.latency_ns[number]

    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    told = found.locator(".readout").inner_text()
    match = re.fullmatch(r"query ([\d,]+), due (.+): latency (.+)", told)
    assert match, told
    assert int(match[1].replace(",", "")) == inside[1]
    assert nanoseconds(match[2]) == due[inside[1]]
    assert nanoseconds(match[3]) == series.latency_ns[inside[1]]
    assert found.locator(".readout").get_attribute("aria-live") == "polite"

    page.keyboard.press("Shift+ArrowRight")
    assert view(found)[0] > inner[0]
    page.keyboard.press("-")
    assert view(found)[1] - view(found)[0] == pytest.approx((whole[1] - whole[0]) / 4)
    page.keyboard.press("0")
    assert view(found) == whole


@pytest.mark.parametrize("zooms", [0, 1, 3])
def test_windows_hold_statistics_of_their_queries(
    pages: dict[str, Any], recorded: dict[Scenario, SeriesRecord], zooms: int
) -> None:
    page, latency = pages["long"], recorded[Scenario.SERVER].latency_ns
    found = chart(page, "Latency over time")
    for _ in range(zooms):
        page.keyboard.press("+")
    slow = np.sort(latency)[-1000]
    shown = marks(found)
    assert len(shown) > 10
    for mark in shown:
        values = mark["values"]
        if "number" in values:
            assert values["value"] == latency[values["number"]] >= slow
            continue
        window = np.sort(latency[values["first"] : values["last"] + 1])
        assert values["at"] == recorded[Scenario.SERVER].scheduled_ns[values["first"]]
        for name, share in (("least", 0.0), ("median", 0.5), ("high", 0.99), ("most", 1.0)):
            assert values[name] == percentile(window, share)
            assert values[name] in map(
                nanoseconds, re.findall(r"[\d,.]+ (?:ns|µs|ms|s)\b", mark["text"])
            )
    assert ("slowest" in found.locator(".resolution").inner_text()) == (zooms == 3)


@pytest.mark.parametrize("kind", ["Server", "long"])
def test_bars_and_shares_count_what_was_recorded(
    pages: dict[str, Any], recorded: dict[Scenario, SeriesRecord], kind: str
) -> None:
    page, latency = pages[kind], np.sort(recorded[Scenario.SERVER].latency_ns)
    found = chart(page, "Latency distribution")
    stage = found.locator(".drawing")
    for zooms in range(4):
        bars = [mark["values"] for mark in marks(found)]
        for bar in bars:
            low = -1 if bar["over"] is None else bar["over"]
            assert bar["count"] == ((latency > low) & (latency <= bar["upTo"])).sum()
        if not zooms:
            assert sum(bar["count"] for bar in bars) == len(latency)
        page.keyboard.press("+")
    for button in ("linear", "cumulated share", "tail"):
        name = "logarithmic scale" if button == "linear" else button
        found.get_by_role("button", name=re.compile(name)).click()
        stage.focus()
        page.keyboard.press("0")
        if button == "linear":
            continue
        shown = [mark["values"] for mark in marks(found)]
        assert len(shown) > 100
        for mark in shown:
            assert mark["below"] == (latency <= mark["value"]).sum()
            assert mark["above"] == (latency > mark["value"]).sum()
    found.get_by_role("button", name="histogram").click()
    found.get_by_role("button", name="logarithmic scale").click()


def test_rates_and_the_queue_are_those_of_the_stamps(
    pages: dict[str, Any], recorded: dict[Scenario, SeriesRecord]
) -> None:
    page, series = pages["Server"], recorded[Scenario.SERVER]
    for zooms in range(3):
        found = chart(page, "Arrivals asked and served")
        for _ in range(zooms):
            page.keyboard.press("+")
        for mark in marks(found):
            low, high = mark["values"]["from"], mark["values"]["to"]
            for times, count in zip(
                (series.scheduled_ns, series.completed_ns), mark["values"]["counts"], strict=True
            ):
                assert count == ((times >= low) & (times < high)).sum()
        found = chart(page, "Queue depth")
        for _ in range(zooms):
            page.keyboard.press("+")
        for mark in marks(found):
            values = mark["values"]
            moments = np.concatenate([series.issued_ns, series.completed_ns, [values["from"]]])
            moments = moments[(moments >= values["from"]) & (moments < values["to"])]
            depths = [
                int((series.issued_ns <= t).sum() - (series.completed_ns <= t).sum())
                for t in moments
            ]
            assert (values["least"], values["most"]) == (min(depths), max(depths))
            assert values["start"] == depths[-1]


def test_completion_of_offline_is_that_of_the_stamps(
    pages: dict[str, Any], recorded: dict[Scenario, SeriesRecord]
) -> None:
    done = recorded[Scenario.OFFLINE].completed_ns
    for mark in marks(chart(pages["Offline"], "Completion")):
        assert mark["values"]["count"] == (done < mark["values"]["before"]).sum()
    for mark in marks(chart(pages["Offline"], "Throughput over time")):
        values = mark["values"]
        assert values["counts"] == [((done >= values["from"]) & (done < values["to"])).sum()]


@pytest.mark.parametrize("scenario", [Scenario.SERVER, Scenario.OFFLINE])
def test_batches_and_stages_are_those_of_the_stamps(
    pages: dict[str, Any], recorded: dict[Scenario, SeriesRecord], scenario: Scenario
) -> None:
    page, series = pages[scenario.value], recorded[scenario]
    times = PhaseTimes.of(series)
    assert times is not None
    batches = np.unique(times.began_ns, return_counts=True)[1]
    shown = [mark["values"] for mark in marks(chart(page, "Batch sizes"))]
    assert {one["size"]: one["batches"] for one in shown} == {
        size: (batches == size).sum() for size in set(batches.tolist())
    }
    stages = times.by_name(with_wait=scenario is Scenario.SERVER)
    order = np.argsort(times.began_ns, kind="stable")
    found = chart(page, "Time by stage, over time")
    for _ in range(3):
        for mark in marks(found):
            values = mark["values"]
            window = order[values["first"] : values["first"] + values["samples"]]
            assert values["sums"] == {name: part[window].sum() for name, part in stages.items()}
        page.keyboard.press("+")
    for mark in marks(chart(page, "Time by stage, distribution")):
        part = stages[mark["values"]["name"]]
        assert mark["values"]["below"] == (part <= mark["values"]["value"]).sum()


def test_the_mouse_zooms_a_chosen_chart_and_drags_it(pages: dict[str, Any]) -> None:
    page = pages["Server"]
    found = chart(page, "Latency over time")
    whole = view(found)
    box = found.locator(".drawing").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    assert re.search(r"due", found.locator(".readout").inner_text())
    page.mouse.wheel(0, -200)
    page.wait_for_function("f => f.plot.span < f.plot.kind.domain()[1]", arg=found.element_handle())
    zoomed = view(found)
    assert zoomed[0] > whole[0]
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1])
    page.mouse.up()
    assert view(found)[0] < zoomed[0]
    found.get_by_role("button", name="the whole").click()
    assert view(found) == whole
    page.evaluate("document.activeElement.blur()")
    page.mouse.wheel(0, 1)
    assert view(found) == whole


def test_fingers_stretch_and_drag(browser: Any, pages: dict[str, Any]) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(pages["Server"].url)
    found = chart(page, "Latency over time")
    whole = view(found)
    box = found.locator(".drawing").bounding_box()
    y = box["y"] + 100
    client = context.new_cdp_session(page)

    def touch(kind: str, *places: float) -> None:
        points = [{"x": x, "y": y, "id": number} for number, x in enumerate(places)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 150, 250)
    for step in range(1, 6):
        touch("touchMove", 150 - 10 * step, 250 + 10 * step)
    touch("touchEnd")
    stretched = view(found)
    assert stretched[1] - stretched[0] < 0.8 * (whole[1] - whole[0])
    touch("touchStart", 200)
    for step in range(1, 6):
        touch("touchMove", 200 + 10 * step)
    touch("touchEnd")
    assert view(found)[0] < stretched[0]
    assert "due" not in found.locator(".readout").inner_text()
    touch("touchStart", 180)
    touch("touchEnd")
    assert "due" in found.locator(".readout").inner_text()
    context.close()


def test_the_download_is_the_recording(
    pages: dict[str, Any], recorded: dict[Scenario, SeriesRecord], tmp_path: Path
) -> None:
    page, series = pages["Server"], recorded[Scenario.SERVER]
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    path = tmp_path / "rows.csv"
    waiting.value.save_as(path)
    assert waiting.value.suggested_filename == "Server-performance-1-1.csv"
    rows: Any = np.genfromtxt(path, delimiter=",", names=True, dtype=np.int64)
    assert rows["query"].tolist() == list(range(QUERIES))
    for name in ("scheduled_ns", "issued_ns", "completed_ns", "latency_ns", "lateness_ns"):
        assert rows[name].tolist() == getattr(series, name).tolist()
    for name in ("sample_index", "began_ns", "preprocess_ns", "infer_ns"):
        assert rows[name].tolist() == getattr(series, name).tolist()
    assert pages["long"].get_by_role("button", name="Download").count() == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", [Scenario.SINGLE_STREAM, Scenario.SERVER])
def test_a_million_queries_fit_in_five_megabytes(scenario: Scenario, tmp_path: Path) -> None:
    page = write_html([session_with(long_recording(scenario, 1_000_000))], tmp_path / "page.html")
    assert page.stat().st_size < 5_000_000
