"""Search: runs that it takes to find the capacity, ours beside doubling and bisection.

``python -m benchmarks.search [--searches N] [--quick] [--truth RUNS]``. Every search is tried on
simulated systems whose pass shares are known by brute force: ``--truth`` computes them anew.
Peers begin where ours does, at a rate sized by a probe that is off by 15 %; the textbook ones
also at 1 query/s, and at a tenth of the capacity. Systems that the search was not tuned on are
reported on their own.
"""

from __future__ import annotations

import argparse
import dataclasses
import math

import numpy as np

from benchmarks.held_out_systems import HELD_OUT
from benchmarks.search_peers import TOLERANCES, Answer, Measure, bisection, find_peak
from benchmarks.search_score import Score
from benchmarks.search_truth import Truth, bound_of, read_truth, write_truth
from benchmarks.simulated_systems import ALWAYS, NEVER, SYSTEMS, SimulatedSystem
from inferometer.capacity import (
    Goal,
    Observation,
    Outcome,
    Search,
    Verifying,
    least_pass_share,
    observation_of,
)

__all__ = ["main", "measure_of"]

_BAR = 0.6
_PROBE_ERROR = 0.15
_FIRST = 0.6
_IN_A_ROW = (3, 6, 12)
_REPEATED_TO = 0.1
_SAME_PRECISION = 0.2
_OURS, _SAID, _VERIFIED = "ours", "ours, as said of it", "ours, verified by 5 in a row"
_FIND_PEAK = "find-peak, 1 decimal"
_FURTHEST = 256.0
_FEWEST_SERVED = 20
_KEEPS_UP = 0.93

_Scores = dict[str, Score]


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


def _ours(measure: Measure, start: float, probe: float) -> dict[str, Answer]:
    """Search, then verify as a user has it: the answer before, and the one after."""
    goal = Goal(start, probe / _FURTHEST, probe * _FURTHEST, saturation=probe)
    search = Search(goal, measure)
    search.run()
    alone = _answer(search, search.given, is_verified=False)
    answers = {_OURS: dataclasses.replace(alone, says=goal.pass_share), _SAID: alone}
    best = Verifying(search, 5).run()
    if best is not None:
        answers[_VERIFIED] = _answer(search, best.load, is_verified=True)
    return answers


def _answer(search: Search, rate: float, *, is_verified: bool) -> Answer:
    """Give an answer with what is printed of it, which is never rounded up."""
    says = math.floor(least_pass_share(search, rate, is_verified=is_verified) * 100 + 1e-9) / 100
    seconds = sum(one.seconds for one in search.observations)
    return Answer(len(search.observations), seconds, search.estimate.middle, rate, says)


def _tried(systems: tuple[SimulatedSystem, ...], searches: int) -> _Scores:
    scores: _Scores = {}
    for system in systems:
        truth = read_truth(system)
        for number in range(searches):
            for name, answer in _once(system, truth, number).items():
                scores.setdefault(name, Score(name, [])).answers.append((answer, truth, system))
        ours, verified, peer = (
            scores[name].of(system) for name in (_OURS, _VERIFIED, _to(_SAME_PRECISION))
        )
        print(
            f"{system.name:40s} {ours.runs:5.2f} runs, wrong {ours.wrong:4.0%}; verified "
            f"{verified.runs:5.2f}, wrong {verified.wrong:4.0%}; bisection {peer.runs:5.2f}, "
            f"wrong {peer.wrong:4.0%}",
            flush=True,
        )
    return scores


def _once(system: SimulatedSystem, truth: Truth, number: int) -> dict[str, Answer]:
    """Search once by each method."""
    random = np.random.default_rng([number, 1])
    probe = system.saturation * math.exp(random.normal(0.0, _PROBE_ERROR))
    start = probe * _FIRST

    def measure(place: int) -> Measure:
        return measure_of(system, np.random.default_rng([number, 2 + place]))

    found = _ours(measure(0), start, probe)
    for tolerance, answer in zip(TOLERANCES, bisection(measure(1), start), strict=True):
        found[_to(tolerance)] = answer
    same = TOLERANCES.index(_SAME_PRECISION)
    tenth = truth.capacity(0.9) / 10
    for place, (name, first) in enumerate((("1 query/s", 1.0), ("a tenth", tenth))):
        found[f"{_to(_SAME_PRECISION)}, from {name}"] = bisection(measure(3 + place), first)[same]
    for times in _IN_A_ROW:
        answers = bisection(measure(10 + times), start, times)
        found[_repeated(times)] = answers[TOLERANCES.index(_REPEATED_TO)]
    found[_FIND_PEAK] = find_peak(measure(2), start)
    return found


def _to(tolerance: float) -> str:
    return f"bisection to {tolerance:.0%}"


def _repeated(times: int) -> str:
    return f"{_to(_REPEATED_TO)}, {times} in a row"


def _at_equal_wrong(scores: _Scores, name: str) -> Score:
    """Give the cheapest bisection that is wrong no more often, else the one that errs least."""
    peers = [scores[_repeated(times)] for times in _IN_A_ROW]
    good = [peer for peer in peers if peer.wrong <= scores[name].wrong]
    return good[0] if good else min(peers, key=lambda peer: peer.wrong)


def _at_equal_guess(scores: _Scores) -> float:
    """Give the runs that bisection needs for a guess as good as ours, between its tolerances."""
    aim = float(scores[_OURS].errors.mean())
    peers = [scores[_to(tolerance)] for tolerance in TOLERANCES]
    before = peers[0]
    for peer in peers:
        error, earlier = float(peer.errors.mean()), float(before.errors.mean())
        if error <= aim:
            part = 1.0 if earlier <= error else (earlier - aim) / (earlier - error)
            return before.runs + min(1.0, max(0.0, part)) * (peer.runs - before.runs)
        before = peer
    return peers[-1].runs


def _report(scores: _Scores) -> None:
    print()
    for score in scores.values():
        print(score.line)
    print("\nruns at an equal share of wrong answers:")
    for name, word in ((_VERIFIED, "judged"), (_OURS, "before it verifies")):
        ours, peer = scores[name], _at_equal_wrong(scores, name)
        ratio = ours.runs / peer.runs
        print(
            f"{word}: {name} {ours.runs:.2f} runs, {ours.wrong:.1%} wrong; {peer.name} "
            f"{peer.runs:.2f} runs, {peer.wrong:.1%} wrong: {ratio:.2f} times as many, bar {_BAR} "
            f"{'MET' if ratio <= _BAR else 'MISSED'}"
        )
    equal = _at_equal_guess(scores)
    print(
        f"not judged: for a guess as near, however often its answer is wrong, bisection takes "
        f"{equal:.2f} runs, ratio {scores[_OURS].runs / equal:.2f}"
    )
    for name in (_SAID, _VERIFIED):
        _say_wrong(scores[name])


def _say_wrong(score: Score) -> None:
    """Hold the wrong answers against what is said, allowing for chance."""
    doubt, seen, count = 1 - Goal(1, 1, 1).confidence, score.wrong, len(score.answers)
    allowed = doubt + 2 * math.sqrt(doubt * (1 - doubt) / count)
    print(
        f"{score.name}: wrong {seen:.1%} of {count}, said at most {doubt:.0%}: "
        f"{'MET' if seen <= allowed else 'MISSED'}"
    )


def _ends() -> None:
    """Try systems that have no capacity."""
    for system, wanted in ((NEVER, Outcome.NEVER), (ALWAYS, Outcome.UNBOUNDED)):
        goal = Goal(300.0, 1.0, 1e4, saturation=300.0)
        search = Search(goal, measure_of(system, np.random.default_rng(1)))
        word = "MET" if search.run() is wanted else "MISSED"
        print(f"{system.name}: {search.outcome.value}, {len(search.observations)} runs: {word}")


def main() -> None:
    """Try all methods on all systems, those held out apart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--searches", type=int, default=12, help="for each system")
    parser.add_argument("--quick", action="store_true", help="one search for each system")
    parser.add_argument("--truth", type=int, metavar="RUNS", help="compute pass shares anew")
    options = parser.parse_args()
    if options.truth:
        write_truth((*SYSTEMS, *HELD_OUT), options.truth)
        return
    searches = 1 if options.quick else options.searches
    for name, systems in (("tuned on", SYSTEMS), ("held out", HELD_OUT)):
        print(f"\n== systems {name}, {searches} searches each ==")
        _report(_tried(systems, searches))
    print()
    _ends()


if __name__ == "__main__":
    main()
