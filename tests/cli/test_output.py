"""What `run` says while it works: a bar on a terminal, lines elsewhere, or nothing."""

from __future__ import annotations

import io

from rich.console import Console

from inferometer.cli.output import (
    PlainListener,
    ProgressListener,
    SilentListener,
    listener_for,
)
from inferometer.loadgen import Mode, SeriesProgress
from tests.report.test_html import accuracy_of, result_of
from tests.support import short_settings, simulate


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=100, no_color=True), text


def tell(listener: SilentListener) -> None:
    listener.note("a [remark]")
    listener.begin("Server performance", 2.0)
    listener.progress(SeriesProgress(Mode.PERFORMANCE, 0, 1234, 5000, 2.0, 0.5))
    listener.end(result_of(simulate(short_settings())))
    listener.begin("Server accuracy", 2.0)
    outcome = simulate(short_settings(mode=Mode.ACCURACY))
    listener.end(result_of(outcome, accuracy_of(0.95)))


def test_choice() -> None:
    assert type(listener_for(console(terminal=True)[0], quiet=False)) is ProgressListener
    assert type(listener_for(console(terminal=False)[0], quiet=False)) is PlainListener
    assert type(listener_for(console(terminal=True)[0], quiet=True)) is SilentListener


def test_plain_lines() -> None:
    out, text = console(terminal=False)
    tell(PlainListener(out))
    assert text.getvalue().splitlines() == [
        "a [remark]",
        "Server performance: 500 µs p90 latency, VALID",
        "Server accuracy: 95.00% [94.00% – 96.00%] ≥ 90.00%",
    ]


def test_bar_with_count_and_result() -> None:
    out, text = console(terminal=True)
    tell(ProgressListener(out))
    assert "1,234 queries" in text.getvalue()
    assert "Server performance: 500 µs p90 latency, VALID" in text.getvalue()


def test_bar_with_what_is_needed_and_left() -> None:
    out, text = console(terminal=True)
    listener = ProgressListener(out)
    listener.begin("Server performance", 2.0)
    progress = SeriesProgress(Mode.PERFORMANCE, 0, 1234, 5000, 2.0, 0.5, 2468, 75.2)
    listener.progress(progress)
    assert "1,234 of about 2,468 queries" in text.getvalue()
    assert "1:15 left" in text.getvalue()
    listener.end(result_of(simulate(short_settings())))


def test_silence() -> None:
    tell(SilentListener())
