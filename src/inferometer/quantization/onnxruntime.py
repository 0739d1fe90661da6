"""ONNX Runtime's quantiser: QDQ models with per-channel int8 weights."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inferometer.backends import ModelFile
from inferometer.quantization.protocol import (
    CalibrationBatches,
    PartResult,
    QuantizationError,
    QuantizationOptions,
)

__all__ = ["OnnxRuntimeQuantizer", "reduces_range"]

_INSTALL = "pip install 'inferometer[quantization]'"
_WEIGHTED = ("Conv", "Gemm", "MatMul", "ConvTranspose")
_QUANTIZED = (
    *_WEIGHTED,
    "Add",
    "AveragePool",
    "Clip",
    "Concat",
    "GlobalAveragePool",
    "MaxPool",
    "Pad",
    "ReduceMean",
    "Relu",
)
_METHODS = {"minmax": "MinMax", "entropy": "Entropy", "percentile": "Percentile"}
_CPU_INFO = Path("/proc/cpuinfo")


class OnnxRuntimeQuantizer:
    """Quantises ONNX files with ``onnxruntime.quantization``.

    Static quantisation stops at the last layers with weights: what follows them, such as the
    decoding of boxes or a softmax, stays in floating point, as its ranges are not those of
    activations.
    """

    formats = ("onnx",)
    suffix = ".onnx"
    source_backend = ""

    def static(
        self,
        model: ModelFile,
        output: Path,
        batches: CalibrationBatches,
        options: QuantizationOptions,
    ) -> PartResult:
        """Quantise weights and activations, with ranges from calibration samples."""
        quantization, onnx = _modules()
        if options.calibrate not in _METHODS:
            raise QuantizationError(
                f"there is no calibration method {options.calibrate!r}; known: "
                f"{', '.join(_METHODS)}"
            )
        reduce_range = reduces_range(options)
        with _prepared(model, onnx) as (path, proto), _quiet():
            left = _after_last_weights(proto.graph)
            try:
                quantization.quantize_static(
                    str(path),
                    str(output),
                    _Reader(batches, _inputs_of(proto.graph)),
                    quant_format=quantization.QuantFormat.QDQ,
                    op_types_to_quantize=list(_QUANTIZED),
                    per_channel=True,
                    reduce_range=reduce_range,
                    activation_type=quantization.QuantType.QUInt8,
                    weight_type=quantization.QuantType.QInt8,
                    nodes_to_exclude=left,
                    calibrate_method=getattr(
                        quantization.CalibrationMethod, _METHODS[options.calibrate]
                    ),
                )
            except Exception as error:
                raise QuantizationError(f"{model.path} can't be quantised: {error}") from error
        return PartResult(
            output,
            f"post-training, static, QDQ, ranges by {options.calibrate}",
            f"int8, symmetric, per channel{', 7 bits used' if reduce_range else ''}",
            "uint8, asymmetric, per tensor",
            tuple(left),
            _tools(onnx),
        )

    def dynamic(self, model: ModelFile, output: Path, options: QuantizationOptions) -> PartResult:
        """Quantise weights; activations are quantised as they come, without calibration."""
        quantization, onnx = _modules()
        reduce_range = reduces_range(options)
        with _prepared(model, onnx) as (path, _), _quiet():
            try:
                quantization.quantize_dynamic(
                    str(path),
                    str(output),
                    per_channel=True,
                    reduce_range=reduce_range,
                    weight_type=quantization.QuantType.QInt8,
                )
            except Exception as error:
                raise QuantizationError(f"{model.path} can't be quantised: {error}") from error
        return PartResult(
            output,
            "post-training, dynamic",
            f"int8, symmetric, per channel{', 7 bits used' if reduce_range else ''}",
            "uint8, asymmetric, per tensor, range of each batch",
            (),
            _tools(onnx),
        )


class _Reader:
    """Hands calibration batches to the quantiser.

    The one input of a model is fed whatever the samples call it.
    """

    def __init__(self, batches: CalibrationBatches, inputs: tuple[str, ...]):
        self._batches = batches
        self._inputs = inputs

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """Give the next batch, or ``None`` at the end."""
        batch = next(self._batches, None)
        if batch is None:
            return None
        if len(self._inputs) == len(batch) == 1:
            return dict(zip(self._inputs, batch.values(), strict=True))
        return dict(batch)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Refuse: batches come once, in order."""
        raise NotImplementedError


def _modules() -> tuple[Any, Any]:
    try:
        import onnx  # noqa: PLC0415
        from onnxruntime import quantization  # noqa: PLC0415
    except ImportError as error:
        raise QuantizationError(
            f"quantising needs onnx and ONNX Runtime; install them with: {_INSTALL}"
        ) from error
    return quantization, onnx


def _tools(onnx: Any) -> Mapping[str, str]:
    import onnxruntime  # noqa: PLC0415

    return {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}


@contextlib.contextmanager
def _prepared(model: ModelFile, onnx: Any) -> Iterator[tuple[Path, Any]]:
    """Fold batch norms and infer shapes, in a temporary file, as the quantiser wants it."""
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prepared.onnx"
        with _quiet():
            try:
                quant_pre_process(str(model.path), str(path), skip_symbolic_shape=True)
            except Exception as error:
                raise QuantizationError(
                    f"{model.path} can't be prepared for quantising: {error}"
                ) from error
        yield path, onnx.load(str(path))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tool's hints and its own progress off the terminal."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(before)


def _inputs_of(graph: Any) -> tuple[str, ...]:
    constants = {initializer.name for initializer in graph.initializer}
    return tuple(entry.name for entry in graph.input if entry.name not in constants)


def _after_last_weights(graph: Any) -> list[str]:
    """Give the nodes from which no layer with weights can be reached any more."""
    makers = {output: node for node in graph.node for output in node.output}
    constants = {initializer.name for initializer in graph.initializer}
    leads_to_weights: set[str] = set()
    waiting = [node for node in graph.node if _has_weights(node, constants)]
    while waiting:
        node = waiting.pop()
        if node.name in leads_to_weights:
            continue
        leads_to_weights.add(node.name)
        waiting.extend(makers[name] for name in node.input if name in makers)
    return [node.name for node in graph.node if node.name not in leads_to_weights]


def _has_weights(node: Any, constants: set[str]) -> bool:
    return node.op_type in _WEIGHTED and any(name in constants for name in node.input)


def reduces_range(options: QuantizationOptions) -> bool:
    """Decide about 7-bit weights: as asked, or by what this processor's products do."""
    if options.reduce_range is not None:
        return options.reduce_range
    try:
        flags = _CPU_INFO.read_text("utf-8", "replace")
    except OSError:
        return False
    return "avx2" in flags and "vnni" not in flags
