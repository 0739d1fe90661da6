"""Search: runs that it takes to find the capacity, ours beside doubling and bisection.

``python -m benchmarks.search [--searches N] [--quick] [--truth RUNS]``. Every search is tried on
simulated systems whose pass shares are known by brute force: ``--truth`` computes them anew. All
begin at the same rate, sized by the same probe, which is off by 15 %.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.search_truth import Truth, bound_of, read_truth, write_truth
from benchmarks.simulated_systems import ALWAYS, NEVER, SYSTEMS, SimulatedSystem
from inferometer.capacity import Goal, Observation, Search, observation_of
from inferometer.loadgen import Scenario, Settings, derive
from inferometer.loadgen.find_peak import FindPeak, PeakSeries

__all__ = ["main", "measure_of"]

_BAR = 0.6
_PROBE_ERROR = 0.15
_FIRST = 0.6
_TOLERANCES = (0.3, 0.2, 0.1, 0.05, 0.02)
_IN_A_ROW = (3, 6, 12)
_REPEATED_TO = 0.1
_OURS = "ours"
_FURTHEST = 256.0
_FEWEST_SERVED = 20
_KEEPS_UP = 0.93

Measure = Callable[[float], Observation]


@dataclass(frozen=True)
class Answer:
    """What a search came to: its runs, the s of load, its best guess, and the rate it gives."""

    runs: int
    seconds: float
    guess: float
    rate: float


def measure_of(system: SimulatedSystem, random: np.random.Generator) -> Measure:
    """Run in full length, or until more queries are slow than may be, as on real systems."""
    bound = bound_of(system)

    def measure(rate: float) -> Observation:
        load = system.run(rate, system.whole_s, random)
        latency, whole = load.latency_ns, len(load.arrived)
        slow = np.flatnonzero(latency > bound.limit_ns)
        allowed, seconds, served, stopped = bound.allowed(whole), system.whole_s, None, False
        if len(slow) > allowed:
            ends = float(np.sort(load.arrived[slow] + system.bound_s)[allowed])
            stopped = ends < seconds
        if stopped:
            seconds = ends
            half = np.count_nonzero((load.finished > ends / 2) & (load.finished <= ends))
            answered = half / (ends / 2)
            if half >= _FEWEST_SERVED and answered < _KEEPS_UP * rate:
                served = answered
            latency = latency[: int(np.searchsorted(load.arrived, ends))]
        one = observation_of(
            rate,
            latency,
            bound,
            whole_queries=whole,
            length=len(latency) / whole if stopped else 1.0,
            seconds=seconds,
            was_stopped=stopped,
        )
        return dataclasses.replace(one, served=served)

    return measure


def _ours(measure: Measure, start: float, probe: float) -> Answer:
    goal = Goal(start, probe / _FURTHEST, probe * _FURTHEST, saturation=probe)
    search = Search(goal, measure)
    search.run()
    seconds = sum(one.seconds for one in search.observations)
    return Answer(len(search.observations), seconds, search.estimate.middle, search.given)


def _bisection(measure: Measure, start: float, in_a_row: int = 1) -> list[Answer]:
    """Double or halve until the bound is between two rates, then halve; an answer a tolerance.

    The answer is the highest rate that was met; the best guess the middle of the interval. A
    rate counts as met once so many runs in a row have met it.
    """
    runs: list[Observation] = []

    def met(rate: float) -> bool:
        for _ in range(in_a_row):
            runs.append(measure(rate))
            if not runs[-1].has_met:
                return False
        return True

    low, high = (start, start * 2) if met(start) else (start / 2, start)
    while high > start and met(high):
        low, high = high, high * 2
    while low < start and not met(low):
        low, high = low / 2, low
    answers = []
    for tolerance in _TOLERANCES:
        while high / low > 1 + tolerance:
            middle = (low + high) / 2
            low, high = (middle, high) if met(middle) else (low, middle)
        seconds = sum(one.seconds for one in runs)
        answers.append(Answer(len(runs), seconds, math.sqrt(low * high), low))
    return answers


def _find_peak(measure: Measure, start: float) -> Answer:
    """Search by the published algorithm, from a rate that is met, as it demands."""
    while not measure(start).has_met:
        start /= 2
    runs: list[Observation] = []

    def run(rate: float) -> bool:
        runs.append(measure(rate))
        return runs[-1].has_met

    settings = Settings(scenario=Scenario.SERVER, server_target_qps=start)
    series = PeakSeries(
        lambda _: None, run, lambda: None, lambda: len(runs), lambda _step, _values: None
    )
    best = FindPeak(settings, derive(settings, 1, 1), series).search()
    rate = runs[best or 0].load
    return Answer(len(runs), sum(one.seconds for one in runs), rate, rate)


@dataclass
class Score:
    """Errors of one search method over all systems, by the truth of each."""

    name: str
    answers: list[tuple[Answer, Truth, SimulatedSystem]]

    @property
    def runs(self) -> float:
        return float(np.mean([answer.runs for answer, _, _ in self.answers]))

    @property
    def errors(self) -> np.ndarray:
        """Logarithmic errors of the best guesses, against the nearer of two capacities.

        A method may aim at the rate at which nine of ten reruns pass, or at that of half.
        """
        by_aim = [
            np.array([abs(math.log(a.guess / truth.capacity(aim))) for a, truth, _ in self.answers])
            for aim in (0.9, 0.5)
        ]
        return min(by_aim, key=lambda errors: float(errors.mean()))

    def wrong(self, says: float) -> float:
        """Give the share of answers whose reruns fail more often than said."""
        return float(np.mean([truth.pass_share(a.rate) < says for a, truth, _ in self.answers]))

    def line(self, says: float) -> str:
        passed = np.mean([truth.pass_share(a.rate) for a, truth, _ in self.answers])
        load = np.mean([a.seconds / system.whole_s for a, _, system in self.answers])
        below = np.median([math.log(a.rate / truth.capacity(says)) for a, truth, _ in self.answers])
        middle, most = np.quantile(self.errors, [0.5, 0.9])
        return (
            f"{self.name:32s} {self.runs:5.2f} runs, load of {load:5.2f} whole runs; error "
            f"{middle:.1%} median, {self.errors.mean():.1%} mean, {most:.1%} p90; given rate "
            f"{below:+.1%}, reruns pass {passed:.1%}, wrong {self.wrong(says):.1%}"
        )


def _tried(systems: tuple[SimulatedSystem, ...], searches: int) -> dict[str, Score]:
    scores: dict[str, Score] = {}
    for system in systems:
        truth = read_truth(system)
        for number in range(searches):
            for name, answer in _once(system, number).items():
                scores.setdefault(name, Score(name, [])).answers.append((answer, truth, system))
        means = [
            np.mean([a.runs for a, _, which in scores[name].answers if which is system])
            for name in (_OURS, _to(_TOLERANCES[-1]))
        ]
        print(f"{system.name:40s} {means[0]:5.2f} runs, bisection {means[1]:5.2f}", flush=True)
    return scores


def _once(system: SimulatedSystem, number: int) -> dict[str, Answer]:
    """Search once by each method, all from the same rate."""
    random = np.random.default_rng([number, 1])
    probe = system.saturation * math.exp(random.normal(0.0, _PROBE_ERROR))
    start = probe * _FIRST

    def measure(place: int) -> Measure:
        return measure_of(system, np.random.default_rng([number, 2 + place]))

    found = {_OURS: _ours(measure(0), start, probe)}
    for tolerance, answer in zip(_TOLERANCES, _bisection(measure(1), start), strict=True):
        found[_to(tolerance)] = answer
    for times in _IN_A_ROW:
        answers = _bisection(measure(10 + times), start, times)
        found[_repeated(times)] = answers[_TOLERANCES.index(_REPEATED_TO)]
    found["find-peak, 1 decimal"] = _find_peak(measure(2), start)
    return found


def _to(tolerance: float) -> str:
    return f"bisection to {tolerance:.0%}"


def _repeated(times: int) -> str:
    return f"{_to(_REPEATED_TO)}, {times} in a row"


def _at_equal_wrong(scores: dict[str, Score], says: float) -> float:
    """Give the runs of the bisection that is wrong no more often than ours, or errs least."""
    most = scores[_OURS].wrong(says)
    peers = [scores[_repeated(times)] for times in _IN_A_ROW]
    return next((peer.runs for peer in peers if peer.wrong(says) <= most), peers[-1].runs)


def _at_equal_guess(scores: dict[str, Score]) -> float:
    """Give the runs that bisection needs for a guess as good as ours, between its tolerances."""
    aim = float(scores[_OURS].errors.mean())
    peers = [scores[_to(tolerance)] for tolerance in _TOLERANCES]
    before = peers[0]
    for peer in peers:
        error, earlier = float(peer.errors.mean()), float(before.errors.mean())
        if error <= aim:
            part = 1.0 if earlier <= error else (earlier - aim) / (earlier - error)
            return before.runs + min(1.0, max(0.0, part)) * (peer.runs - before.runs)
        before = peer
    return peers[-1].runs


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--searches", type=int, default=20, help="for each system")
    parser.add_argument("--quick", action="store_true", help="three searches for each system")
    parser.add_argument("--truth", type=int, metavar="RUNS", help="compute pass shares anew")
    options = parser.parse_args()
    if options.truth:
        write_truth(SYSTEMS, options.truth)
        return
    goal = Goal(1, 1, 1)
    scores = _tried(SYSTEMS, 3 if options.quick else options.searches)
    print()
    for score in scores.values():
        print(score.line(goal.pass_share))
    for system in (NEVER, ALWAYS):
        search = Search(
            Goal(300.0, 1.0, 1e4, saturation=300.0), measure_of(system, np.random.default_rng(1))
        )
        print(f"{system.name}: {search.run().value} after {len(search.observations)} runs")
    ours = scores[_OURS]
    equal = _at_equal_wrong(scores, goal.pass_share)
    ratio = ours.runs / equal
    print(f"\nbisection that is wrong no more often, or errs least: {equal:.2f} runs")
    print(f"runs {ratio:.2f} times as many, bar {_BAR}: {'MET' if ratio <= _BAR else 'MISSED'}")
    equal = _at_equal_guess(scores)
    print(
        f"bisection whose guess is as near, however often its answer is wrong: {equal:.2f} runs, "
        f"ratio {ours.runs / equal:.2f}"
    )
    doubt = 1 - goal.confidence
    seen, word = ours.wrong(goal.pass_share), "MET"
    if seen > doubt + 2 * math.sqrt(doubt * (1 - doubt) / len(ours.answers)):
        word = "MISSED"
    print(f"wrong answers {seen:.1%} of {len(ours.answers)}, said {doubt:.0%}: {word}")


if __name__ == "__main__":
    main()
