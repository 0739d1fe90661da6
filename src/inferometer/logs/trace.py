"""Trace: ``mlperf_log_trace.json``, a timeline that Perfetto and Chrome open."""

from __future__ import annotations

import os
from collections.abc import Iterator

from inferometer.loadgen.recording import Recording, SeriesRecord
from inferometer.loadgen.vocabulary import Scenario
from inferometer.logs.records import moments

__all__ = ["DEFAULT_SAMPLE_LIMIT", "trace_lines"]

DEFAULT_SAMPLE_LIMIT = 100_000
"""How many samples of each series a trace shows at most; each takes some 300 bytes."""


def trace_lines(recording: Recording, sample_limit: int = DEFAULT_SAMPLE_LIMIT) -> Iterator[str]:
    """Give the lines of the trace: each sample from scheduled to answered.

    Times are µs after the start of the test. The published trace also times the
    generator's own functions; a recording doesn't hold those.
    """
    process = int(recording.notes.get("process_id", os.getpid()))
    yield '{"traceEvents":['
    queries = 0
    for moment in moments(recording):
        series = moment.series
        if series is not None:
            origin = (moment.at_ns, queries)
            yield from _sample_events(recording, series, origin, process, sample_limit)
            queries += series.generated_query_count
    yield '{"name":"LastTrace"}'
    yield "],"
    yield '"displayTimeUnit":"ns",'
    yield '"otherData":{'
    yield f'"ts":{recording.wall_start_s * 1e6:.3f},'
    yield '"version":"Inferometer"'
    yield "}"
    yield "}"


def _sample_events(
    recording: Recording, series: SeriesRecord, origin: tuple[int, int], process: int, limit: int
) -> Iterator[str]:
    """Give the events of a series; ``origin`` is its start in ns and its first query's number."""
    origin_ns, first_query = origin
    is_server = recording.settings.scenario is Scenario.SERVER
    size = series.samples_per_query
    for sample in range(min(series.sample_count, limit)):
        done_ns = int(series.completed_ns[sample])
        if done_ns < 0:
            continue
        query = sample // size
        due_ns, issued_ns = int(series.scheduled_ns[query]), int(series.issued_ns[query])
        start, issue, done = origin_ns + due_ns, issued_ns - due_ns, done_ns - due_ns
        number = series.first_sample_id + sample
        yield (
            f'{{"name":"Sample","cat":"default","ph":"b","pid":{process},"id":{number},'
            f'"ts":{_us(start)},"args":{{"sample_seq":{number},"query_seq":{first_query + query},'
            f'"sample_idx":{series.sample_index[sample]},"issue_start_ns":{issue},'
            f'"complete_ns":{done}}}}},'
        )
        yield (
            f'{{"name":"Sample","cat":"default","ph":"e", "pid":{process},"id":{number},'
            f'"ts":{_us(start + done)}}},'
        )
        if is_server:
            yield (
                f'{{"name":"Latency","ph": "C","pid":{process},"ts":{_us(start)},'
                f'"args":{{ "issue_delay":{issue},"issue_to_done":{done - issue}}}}},'
            )


def _us(at_ns: int) -> str:
    return f"{at_ns // 1000}.{at_ns % 1000:03d}"
