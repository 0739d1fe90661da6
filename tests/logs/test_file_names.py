from pathlib import Path

import pytest

from inferometer.logs import ACCURACY_LOG, DETAIL_LOG, SUMMARY_LOG, TRACE_LOG, LogSettings


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("summary", SUMMARY_LOG),
        ("detail", DETAIL_LOG),
        ("accuracy", ACCURACY_LOG),
        ("trace", TRACE_LOG),
    ],
)
def test_the_default_settings_give_the_published_names(kind: str, name: str) -> None:
    assert LogSettings().path(Path("logs"), kind, wall_s=0.0) == Path("logs", name)
    assert LogSettings(suffix="_x").path(Path("logs"), kind, 0.0).name == name.replace(".", "_x.")
