"""Detection scoring: mean average precision as COCO defines it, over a whole data set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.loadgen import Interval
from inferometer.workloads.coverage import Coverage, cover
from inferometer.workloads.detection.ground_truth import GroundTruth
from inferometer.workloads.detection.payloads import Detections, read_detections
from inferometer.workloads.protocol import AccuracyResult, ScoredAnswer, WorkloadError
from inferometer.workloads.resampling import spread_replicates

__all__ = ["COUNTS", "FIGURES", "coco_map", "map_line"]

FIGURES: Mapping[str, str] = {
    "AP": "AP@[.5:.95]",
    "AP50": "AP@.5",
    "AP75": "AP@.75",
    "APs": "AP small",
    "APm": "AP medium",
    "APl": "AP large",
    "AR1": "AR@1",
    "AR10": "AR@10",
    "AR100": "AR@100",
    "ARs": "AR small",
    "ARm": "AR medium",
    "ARl": "AR large",
}
"""The twelve figures of COCO in their published order: hotcoco's name, and ours."""

COUNTS = ("malformed answers", "rows of another sample", "rows of no category")
"""Names in ``details`` that are counts, present where they aren't 0."""

_GROUPS = 20
_SEED = 0
_RESAMPLES = 1000
_STUDENT_QUANTILE = 2.093024054408263  # 0.975 quantile with _GROUPS - 1 degrees of freedom


def map_line(value: float) -> str:
    """Write mAP, a fraction, as the published script does."""
    return f"mAP={100.0 * value:.3f}%"


def coco_map(
    answers: Iterable[ScoredAnswer],
    annotations: Mapping[str, Any] | GroundTruth,
    target: float | None,
    *,
    inverse_map: bool = False,
    only_annotated: bool = False,
) -> AccuracyResult:
    """Compute mAP, AP@[.5:.95], over a whole data set, as a fraction.

    ``annotations`` is the content of ``instances_val2017.json``, or what was read of it;
    library indices count its images in their order, without those that have no box if
    ``only_annotated``. With ``inverse_map`` classes are 1 to 80 instead of category ids.

    The first answer to an image counts; an image without answer counts as one without
    detections. The published script evaluates only the images that it saw: that figure
    stands in ``details["seen only"]`` where images are missing. ``details`` holds all
    twelve figures, -1 where the data set has no boxes of that size; and `COUNTS` of rows
    that are not as they should be.

    The interval is a delete-a-group jackknife over 20 groups of images, drawn with a fixed
    seed; ``replicates`` resample the groups' shares in the metric. Raises `WorkloadError` if
    the evaluator is not installed.

    Source: MLPerf Inference v0.5, accuracy-coco; COCO detection evaluation.
    """
    truth = annotations
    if not isinstance(truth, GroundTruth):
        truth = GroundTruth.of(truth, only_annotated=only_annotated)
    coverage = cover(answers, len(truth.image_ids))
    detections = read_detections(coverage, truth, inverse_map=inverse_map)
    figures = _evaluate(truth, detections.rows, _image_sets(truth, coverage))
    details = {name: figures["all"][key] for key, name in FIGURES.items()}
    if coverage.missing and coverage.answers:
        details["seen only"] = max(0.0, figures["seen"]["AP"])
    value = max(0.0, details[FIGURES["AP"]])
    shares = _shares(value, figures)
    return AccuracyResult(
        metric="mAP",
        value=value,
        interval=_interval(value, shares),
        total=coverage.total,
        missing=coverage.missing,
        repeated=coverage.repeated,
        unknown=coverage.unknown,
        target=target,
        line=map_line(value),
        details=details | _counts(detections),
        replicates=_resampled(value, shares),
    )


def _counts(detections: Detections) -> dict[str, float]:
    values = (detections.malformed, detections.misplaced, detections.uncategorised)
    return {name: float(count) for name, count in zip(COUNTS, values, strict=True) if count}


def _image_sets(truth: GroundTruth, coverage: Coverage) -> dict[str, list[int]]:
    """Give the ids of all images, of those that were answered, and of all but each group."""
    ids = truth.image_ids
    sets = {"all": ids.tolist()}
    if coverage.missing:
        sets["seen"] = ids[sorted(coverage.answers)].tolist()
    if len(ids) >= 2 * _GROUPS:
        group = np.random.default_rng(_SEED).permutation(len(ids)) % _GROUPS
        sets |= {str(g): ids[group != g].tolist() for g in range(_GROUPS)}
    return sets


def _evaluate(
    truth: GroundTruth, rows: NDArray[np.float64], sets: Mapping[str, list[int]]
) -> Mapping[str, Mapping[str, float]]:
    """Give the twelve figures of each set of images.

    Boxes are matched once; only the counting is done anew for a set.
    """
    try:
        from hotcoco import COCO, COCOeval  # noqa: PLC0415 - optional
    except ImportError:
        raise WorkloadError(
            "mAP needs hotcoco, which is not installed: pip install 'inferometer[detection]'"
        ) from None
    known = COCO.from_arrays(
        images=[
            {"id": i, "height": h, "width": w, "file_name": ""}
            for i, h, w in zip(
                truth.image_ids.tolist(),
                truth.heights.tolist(),
                truth.widths.tolist(),
                strict=True,
            )
        ],
        categories=[{"id": c, "name": str(c)} for c in truth.category_ids.tolist()],
        image_ids=truth.box_image_ids,
        category_ids=truth.box_category_ids,
        boxes=truth.boxes,
        area=truth.areas,
        iscrowd=truth.crowds,
    )
    evaluation = COCOeval(known, known.load_res(rows), "bbox")
    evaluation.evaluate()
    found: Mapping[str, Mapping[str, float]] = evaluation.slice_by(dict(sets))
    return found


def _shares(value: float, figures: Mapping[str, Mapping[str, float]]) -> NDArray[np.float64] | None:
    """Give what each group adds to the metric, by leaving it out; ``None`` for few images.

    Source: Tukey's pseudo-values, which behave as independent draws whose mean is the metric.
    """
    if "0" not in figures:
        return None
    without = np.array([max(0.0, figures[str(g)]["AP"]) for g in range(_GROUPS)])
    shares: NDArray[np.float64] = _GROUPS * value - (_GROUPS - 1) * without
    return shares


def _interval(value: float, shares: NDArray[np.float64] | None) -> Interval:
    if shares is None:
        return Interval(None, None)
    half = _STUDENT_QUANTILE * float(shares.std(ddof=1)) / math.sqrt(_GROUPS)
    return Interval(max(0.0, value - half), min(1.0, value + half))


def _resampled(value: float, shares: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Give the metric over resampled groups; every result on these images has the same draws."""
    if shares is None:
        return None
    drawn = np.random.default_rng(_SEED).integers(0, _GROUPS, (_RESAMPLES, _GROUPS))
    return spread_replicates(value, shares[drawn].mean(axis=1), _GROUPS)
