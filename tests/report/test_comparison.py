"""The page, Markdown and terminal of a comparison: honest words, hostile names as text."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from inferometer.comparing import Comparison
from inferometer.report import (
    comparison_html,
    comparison_markdown,
    print_comparison,
    write_comparison,
)
from inferometer.report.comparison_charts import blocks_chart, forest_chart
from tests.comparing.options import FACTS, compared, record, scored
from tests.report.test_html import HOSTILE

SPEEDS = [1000.0 + 7 * (number % 5) for number in range(12)]
RIGHT = [1] * 90 + [0] * 10


def three() -> Comparison:
    accuracy = scored(RIGHT)
    worse = scored([1] * 60 + [0] * 40)
    return compared(
        record("fp32", SPEEDS, accuracy=accuracy),
        record("int8", [1.32 * one for one in SPEEDS], accuracy=worse),
        record("twin", SPEEDS[::-1], accuracy=accuracy),
    )


def printed(comparison: Comparison, width: int = 100) -> str:
    out = StringIO()
    print_comparison(comparison, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def test_sentences_say_what_was_shown_and_no_more() -> None:
    (scenario,) = three().groups[0].scenarios
    sentences = [pair.sentence for pair in scenario.pairs]
    assert re.match(
        r"int8 is 1\.32× faster than fp32 \(95% interval 1\.3\d to 1\.3\d\); the accuracy of the "
        r"first is 30\.00 points lower \(60\.00% and 90\.00%; paired test, p < 0\.001\)",
        sentences[0],
    )
    assert sentences[1].startswith("no difference shown between fp32 and twin (1.000× as fast")
    assert sentences[1].endswith("same accuracy (paired test, p = 1)")
    assert sentences[2].startswith("int8 is 1.32× faster than twin")


@pytest.mark.parametrize("width", [80, 140])
def test_the_terminal_says_all_of_it(width: int) -> None:
    text = printed(three(), width)
    flat = " ".join(text.split())
    for words in (
        "fp32",
        "1.32×",
        "no difference shown",
        "60.00%",
        "3 comparisons",
        "each alone at",
    ):
        assert words in flat
    assert max(map(len, text.splitlines())) <= width


def test_the_page_is_one_file_without_script_or_network() -> None:
    page = comparison_html(three())
    assert "<script" not in page
    assert not re.search(r'(src|href)="https?:', page)
    assert "url(" not in page
    for words in ("How many times as fast", "Every run", "30.00 points", "no difference shown"):
        assert words in page


def test_hostile_names_stay_text() -> None:
    facts = {**FACTS, HOSTILE: HOSTILE}
    page_of = compared(
        record(HOSTILE, SPEEDS, title=HOSTILE, facts=facts, accuracy=scored(RIGHT)),
        record("other", SPEEDS, facts={**facts, HOSTILE: "other"}, accuracy=scored(RIGHT)),
    )
    page = comparison_html(page_of)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page.replace("&#39;", "'")
    markdown = comparison_markdown(page_of)
    assert "<script" not in markdown.replace("\\<script", "")
    assert "[bold]" not in printed(
        compared(record("[bold]a", SPEEDS), record("b", SPEEDS))
    ).replace("[bold]a", "")


def test_markdown_rows_have_as_many_cells_as_heads() -> None:
    text = comparison_markdown(compared(record("a|b", SPEEDS), record("c\nd", SPEEDS)))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_charts_are_well_formed_and_have_names() -> None:
    (scenario,) = three().groups[0].scenarios
    for svg in (forest_chart(scenario), blocks_chart(scenario)):
        root = ElementTree.fromstring(str(svg))
        assert root.get("role") == "img"
        assert root.get("aria-label")
    assert str(forest_chart(scenario)).count('class="pair shown"') == 2
    assert str(forest_chart(scenario)).count('class="pair open"') == 1
    assert str(blocks_chart(scenario)).count("<path") == 36


@pytest.mark.parametrize("factor", [1.0, 1.001, 0.01, 1000.0])
def test_charts_hold_any_ratio(factor: float) -> None:
    comparison = compared(record("a", SPEEDS), record("b", [factor * one for one in SPEEDS]))
    (scenario,) = comparison.groups[0].scenarios
    for svg in (forest_chart(scenario), blocks_chart(scenario)):
        numbers = re.findall(r'(?:x1|x2|cx|x)="(-?[\d.]+)"', str(svg))
        assert all(0 <= float(number) <= 540 for number in numbers)
        assert "nan" not in str(svg)


def test_single_runs_say_that_nothing_is_known_of_repetition() -> None:
    comparison = compared(record("a", [2.0]), record("b", [1.0]), is_interleaved=False)
    assert "isn't known" in printed(comparison, 200)
    page = comparison_html(comparison)
    assert "within the runs only" in page
    assert 'class="pair open"' in page


def test_what_can_not_be_compared_says_so_everywhere() -> None:
    other = record("b", SPEEDS, facts={**FACTS, "data set": "another"})
    comparison = compared(record("a", SPEEDS), other)
    assert "not comparable" in printed(comparison)
    assert "compare.data" in printed(comparison)
    assert "not comparable" in comparison_html(comparison)
    assert "Not comparable" in comparison_markdown(comparison)


def test_everything_is_written_and_can_be_read_by_programs(tmp_path: Path) -> None:
    page = write_comparison(three(), tmp_path)
    assert page.is_file()
    assert (tmp_path / "comparison.md").read_text("utf-8").startswith("12 blocks")
    values = json.loads((tmp_path / "comparison.json").read_text("utf-8"))
    pair = values["groups"][0]["scenarios"][0]["pairs"][0]
    assert pair["first"] == "int8"
    assert pair["ratio"]["low"] <= pair["ratio"]["value"] <= pair["ratio"]["high"]
    assert pair["accuracy"]["difference"]["value"] == pytest.approx(-0.3)
