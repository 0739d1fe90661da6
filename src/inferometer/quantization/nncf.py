"""NNCF's quantiser: int8 models for OpenVINO, as .xml with the weights in a .bin beside."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import logging
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import ModelFile
from inferometer.backends.alternate_stack import kept_signal_stack
from inferometer.backends.openvino.backend import WEIGHTS_DIGEST
from inferometer.quantization.onnxruntime import reduces_range
from inferometer.quantization.protocol import (
    CalibrationBatches,
    PartResult,
    QuantizationError,
    QuantizationOptions,
)

__all__ = ["NncfQuantizer"]

_INSTALL = "pip install 'inferometer[openvino]'"
_METHODS = ("minmax",)
_WEIGHTED = (
    "Convolution",
    "ConvolutionBackpropData",
    "GroupConvolution",
    "GroupConvolutionBackpropData",
    "MatMul",
)
_NO_WORK = ("Constant", "Parameter", "Result")
_TELEMETRY = "openvino_telemetry"


class NncfQuantizer:
    """Quantises ONNX files into OpenVINO's form with NNCF.

    Static quantisation stops at the last layers with weights, as the quantiser of ONNX
    Runtime does. The .xml file notes the sha256 of its .bin, so that the hash of the one
    vouches for both. NNCF's telemetry is left out: nothing goes over the network.
    """

    formats = ("onnx",)
    suffix = ".xml"
    source_backend = ""

    def static(
        self,
        model: ModelFile,
        output: Path,
        batches: CalibrationBatches,
        options: QuantizationOptions,
    ) -> PartResult:
        """Quantise weights and activations, with ranges from calibration samples."""
        nncf, openvino = _modules()
        if options.calibrate not in _METHODS:
            raise QuantizationError(
                f"nncf has no calibration method {options.calibrate!r}; known: "
                f"{', '.join(_METHODS)}"
            )
        reduce_range = reduces_range(options)
        graph = _read(openvino, model)
        left = _after_last_weights(graph)
        with tempfile.TemporaryDirectory() as folder, _quiet(nncf), kept_signal_stack():
            samples = _Samples(Path(folder), batches, _inputs_of(graph))
            try:
                quantized = nncf.quantize(
                    graph,
                    nncf.Dataset(samples),
                    preset=nncf.QuantizationPreset.MIXED,
                    subset_size=len(samples),
                    ignored_scope=nncf.IgnoredScope(names=left, validate=False),
                    advanced_parameters=_parameters(nncf, reduce_range),
                )
                _save(openvino, quantized, output)
            except Exception as error:
                raise QuantizationError(f"{model.path} can't be quantised: {error}") from error
        return PartResult(
            output,
            f"post-training, static, FakeQuantize, ranges by {options.calibrate}, biases corrected",
            f"int8, symmetric, per channel{', 7 bits used' if reduce_range else ''}",
            "uint8, asymmetric, per tensor, and per channel before depthwise layers",
            tuple(left),
            _tools(nncf, openvino),
        )

    def dynamic(
        self,
        model: ModelFile,
        output: Path,  # noqa: ARG002
        options: QuantizationOptions,  # noqa: ARG002
    ) -> PartResult:
        """Refuse, by a `QuantizationError` that names the tool to take.

        NNCF compresses weights but then quantises no activations, leaves the weights of
        recurrent layers in floating point, and OpenVINO 2026.4.1 answers wrongly when it runs
        such convolutions in several streams.
        """
        raise QuantizationError(
            f"{model.path} can't be quantised by nncf without calibration samples; use "
            "--tool onnxruntime instead"
        )


class _Samples:
    """Calibration batches on disk, as NNCF goes over them more than once.

    The one input of a model is fed whatever the samples call it.
    """

    def __init__(self, folder: Path, batches: CalibrationBatches, inputs: tuple[str, ...]):
        self._folders: list[Path] = []
        for number, batch in enumerate(batches):
            given = dict(batch)
            if len(inputs) == len(given) == 1:
                given = dict(zip(inputs, given.values(), strict=True))
            place = folder / str(number)
            place.mkdir()
            for index, array in enumerate(given.values()):
                np.save(place / f"{index}.npy", array)
            self._names = tuple(given)
            self._folders.append(place)

    def __len__(self) -> int:
        return len(self._folders)

    def __iter__(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        for place in self._folders:
            yield {name: np.load(place / f"{index}.npy") for index, name in enumerate(self._names)}


def _modules() -> tuple[Any, Any]:
    try:
        with _no_telemetry():
            # The package, not this module, which has the same last name.
            return importlib.import_module("nncf"), importlib.import_module("openvino")
    except ImportError as error:
        raise QuantizationError(
            f"quantising with nncf needs NNCF and OpenVINO; install them with: {_INSTALL}"
        ) from error


@contextlib.contextmanager
def _no_telemetry() -> Iterator[None]:
    """Hide the telemetry package while NNCF is imported: it then sends and writes nothing.

    NNCF also makes its own class that of all loggers to come; that is undone as well.
    """
    before, logger_class = sys.modules.get(_TELEMETRY), logging.getLoggerClass()
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        logging.setLoggerClass(logger_class)
        del sys.modules[_TELEMETRY]
        if before is not None:
            sys.modules[_TELEMETRY] = before


@contextlib.contextmanager
def _quiet(nncf: Any) -> Iterator[None]:
    """Keep the tool's log and its progress bars off the terminal."""
    logger = nncf.nncf_logger
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(before)


def _read(openvino: Any, model: ModelFile) -> Any:
    try:
        graph = openvino.Core().read_model(str(model.path))
    except RuntimeError as error:
        raise QuantizationError(
            f"{model.path} can't be prepared for quantising: {error}"
        ) from error
    # The importer reshapes the weights of grouped convolutions in the graph; NNCF finds their
    # channels only once that is folded into the constants.
    _name_nodes(graph)
    passes = importlib.import_module("openvino.passes")
    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(graph)
    _name_nodes(graph)
    return graph


def _name_nodes(graph: Any) -> None:
    """Give nodes without a name a number within the model.

    OpenVINO numbers them within the process, so that equal models would differ in their files.
    """
    for number, node in enumerate(graph.get_ordered_ops()):
        if node.get_friendly_name() == node.get_name():
            node.set_friendly_name(f"{node.get_type_name()}#{number}")


def _save(openvino: Any, graph: Any, output: Path) -> None:
    """Write both files, and the hash of the .bin into the .xml."""
    _name_nodes(graph)
    openvino.save_model(graph, output, compress_to_fp16=False)
    digest = hashlib.sha256(output.with_suffix(".bin").read_bytes()).hexdigest()
    graph.set_rt_info(digest, WEIGHTS_DIGEST)
    openvino.save_model(graph, output, compress_to_fp16=False)


def _parameters(nncf: Any, reduce_range: bool) -> Any:
    """Take the extremes over all samples, so that the size of the batches has no effect.

    Bias correction is off: with it, more answers of pocket-mobilenet differ from fp32.
    """
    estimators = importlib.import_module("nncf.quantization.range_estimator")
    fix = nncf.OverflowFix
    return nncf.AdvancedQuantizationParameters(
        overflow_fix=fix.ENABLE if reduce_range else fix.DISABLE,
        disable_bias_correction=True,
        activations_range_estimator_params=estimators.RangeEstimatorParametersSet.MINMAX,
    )


def _tools(nncf: Any, openvino: Any) -> Mapping[str, str]:
    return {"nncf": nncf.__version__, "openvino": openvino.__version__}


def _inputs_of(graph: Any) -> tuple[str, ...]:
    return tuple(port.any_name for port in graph.inputs)


def _after_last_weights(graph: Any) -> list[str]:
    """Give the nodes from which no layer with weights can be reached any more."""
    nodes = graph.get_ordered_ops()
    leads_to_weights: set[str] = set()
    waiting = [node for node in nodes if _has_weights(node)]
    while waiting:
        node = waiting.pop()
        if node.get_friendly_name() in leads_to_weights:
            continue
        leads_to_weights.add(node.get_friendly_name())
        waiting.extend(_sources(node))
    return [
        node.get_friendly_name()
        for node in nodes
        if node.get_type_name() not in _NO_WORK and node.get_friendly_name() not in leads_to_weights
    ]


def _has_weights(node: Any) -> bool:
    return node.get_type_name() in _WEIGHTED and any(
        source.get_type_name() in ("Constant", "Convert") for source in _sources(node)
    )


def _sources(node: Any) -> list[Any]:
    return [value.get_source_output().get_node() for value in node.inputs()]
