"""In-flight serving: whole tests of the load generator against a scripted server."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inferometer.loadgen import IncidentKind, Mode, RunOutcome, Scenario, Settings, run_test
from inferometer.serving.remote import InFlightServing, RemoteOptions, connect
from tests.hosting.running import Doubling, options, running
from tests.serving.remote.scripted_server import good, hang_up, scripted
from tests.support import Library

_SETTINGS: dict[str, Any] = {
    "server_target_qps": 2000.0,
    "min_duration_ms": 0,
    "min_query_count": 200,
    "max_query_count": 200,
    "server_target_latency_ns": 10**10,
}


class _Numbers:
    """Sends each sample's index, and answers with what comes back."""

    def begin(self, indices: Any) -> Any:
        return {"x": np.asarray(indices, np.int64).reshape(-1, 1)}

    def finish(self, indices: Any, outputs: Any) -> Any:
        return next(iter(outputs.values()))


def _run(
    url: str, scenario: Scenario, mode: Mode, handler: Any = None, **chosen: Any
) -> tuple[RunOutcome, dict[str, Any]]:
    transport = connect(url, "m", "", RemoteOptions(**{"connections": 8, **chosen}))
    sut = InFlightServing(handler or _Numbers(), transport, max_batch_size=4)
    settings = Settings(scenario=scenario, mode=mode, **_SETTINGS)
    try:
        return run_test(sut, Library(50, 50), settings), transport.account.notes()
    finally:
        sut.close()
        transport.close()


@pytest.mark.parametrize("scheme", ["http", "grpc"])
@pytest.mark.parametrize("scenario", [Scenario.SERVER, Scenario.OFFLINE, Scenario.MULTI_STREAM])
def test_every_sample_is_answered_once_with_its_own(scheme: str, scenario: Scenario) -> None:
    with running(Doubling(), options(grpc_port=0, workers=2)) as server:
        url = server.url if scheme == "http" else str(server.grpc_url)
        outcome, notes = _run(url, scenario, Mode.ACCURACY)
    assert outcome.error is None
    (series,) = outcome.recording.series
    assert series.is_complete.all()
    assert series.incident_counts.keys() <= {IncidentKind.ENDED_NATURALLY}
    found = {}
    for response in outcome.responses:
        assert response.sample_id not in found
        (found[response.sample_id],) = np.frombuffer(response.data, np.int64).tolist()
    first = series.first_sample_id
    assert found == {first + place: 2 * index for place, index in enumerate(series.sample_index)}
    assert notes["failed"] == {}
    # The server says what it took, and the phases are on record.
    assert notes["server_ns"]["mean"] <= notes["round_trip_ns"]["mean"]
    assert series.began_ns is not None
    assert (series.began_ns >= np.repeat(series.issued_ns, series.samples_per_query)).all()


def test_a_server_that_dies_ends_the_run_with_nothing_lost_or_doubled() -> None:
    with scripted(*[good] * 40, *[hang_up] * 1000) as server:
        url = f"http://127.0.0.1:{server.port}"
        outcome, notes = _run(url, Scenario.SERVER, Mode.PERFORMANCE)
    (series,) = outcome.recording.series
    assert "RemoteFault" in repr(outcome.error)
    assert series.happened(IncidentKind.SUT_FAILED) == 1
    assert series.happened(IncidentKind.COMPLETED_TWICE) == 0
    answered = int(series.is_complete.sum())
    # What came in after the series had ended isn't counted into it any more.
    assert 32 <= answered <= notes["answered"] <= 40
    assert series.happened(IncidentKind.INCOMPLETE_SAMPLES) == 1
    assert series.sample_count - answered > 0
    assert notes["failed"].keys() <= {"connection-lost", "unreachable"}


def test_retries_carry_a_run_over_lost_connections() -> None:
    script = [good, hang_up] * 10
    with scripted(*script) as server:
        url = f"http://127.0.0.1:{server.port}"
        outcome, notes = _run(url, Scenario.SERVER, Mode.PERFORMANCE, retries=20, connections=1)
        asked = len(server.requests)
    (series,) = outcome.recording.series
    assert outcome.error is None
    assert series.is_complete.all()
    assert series.happened(IncidentKind.COMPLETED_TWICE) == 0
    assert notes["retried"] == {"connection-lost": 10}
    assert asked == series.sample_count + 10


class _TooFew(_Numbers):
    def finish(self, indices: Any, outputs: Any) -> Any:
        return super().finish(indices, outputs)[:-1]


def test_answers_that_do_not_fit_end_the_run() -> None:
    with running(Doubling(), options()) as server:
        outcome, _ = _run(server.url, Scenario.OFFLINE, Mode.ACCURACY, _TooFew())
    assert "answers came for a request of" in str(outcome.error)
