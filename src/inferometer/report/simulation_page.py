"""Simulation page: one self-contained file with what a described system does."""

from __future__ import annotations

from pathlib import Path

from inferometer.loadgen import write_atomically
from inferometer.report.simulation_chart import load_chart, validation_chart
from inferometer.report.simulation_terminal import (
    bound_sentence,
    error_interval_text,
    figures_of,
    replicas_text,
)
from inferometer.report.templating import page_environment
from inferometer.report.wording import duration_text, rate_text
from inferometer.simulating import Study, system_toml

__all__ = ["study_html", "write_study"]


def write_study(study: Study, path: Path) -> Path:
    """Write the page of a study into one file; give its path."""
    write_atomically(path, study_html(study).encode("utf-8"))
    return path


def study_html(study: Study) -> str:
    """Give the page. It holds no script, and nothing is loaded from anywhere."""
    made, validation = study.prediction, study.validation
    return (
        page_environment()
        .get_template("simulation.html.j2")
        .render(
            name=study.system.name,
            lead="" if made is None else f"{replicas_text(made)}; {rate_text(made.qps)}",
            sentence=bound_sentence(study),
            answer="" if study.answer is None else study.answer.name.lower(),
            figures=[] if made is None else figures_of(study),
            made=made,
            chart=load_chart(study.curve, study.bound, study.capacity) if study.curve else None,
            curve_method=study.curve[0].method if study.curve else "",
            validation=validation,
            validation_chart=None if validation is None else validation_chart(validation),
            duration_text=duration_text,
            error_interval_text=error_interval_text,
            rate_text=rate_text,
            toml=system_toml(study.system if made is None else made.system),
        )
    )
