"""LiteRT's quantiser: TensorFlow Lite files of float32 become int8 ones."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends import BackendOptions, MissingBackendError, ModelFile
from inferometer.backends.installed import installed_version
from inferometer.backends.litert.backend import LiteRtBackend
from inferometer.backends.litert.file import number_operators
from inferometer.backends.litert.ports import ports_of
from inferometer.loadgen import write_atomically
from inferometer.loadgen.cores import usable_cores
from inferometer.quantization.protocol import (
    CalibrationBatches,
    PartResult,
    QuantizationError,
    QuantizationOptions,
)

__all__ = ["LiteRtQuantizer", "PerTensorLiteRtQuantizer"]

_INSTALL = "pip install 'inferometer[litert]'"
_PACKAGES = ("ai-edge-quantizer", "ai-edge-litert")
_METHODS = ("minmax",)
_BITS = 8
_EVERYWHERE = ".*"
_SKIP = "no_quantize"
_WEIGHTED = ("BATCH_MATMUL", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "CONV_2D_TRANSPOSE")

_Ranges = dict[str, dict[str, NDArray[Any]]]


class LiteRtQuantizer:
    """Quantises .tflite files of float32 with ai-edge-quantizer.

    Static quantisation stops at the last layers with weights, as the quantiser of ONNX
    Runtime does. Inputs and outputs stay float32; the file quantises them itself, with the
    kernels that the model runs on.
    """

    formats = ("tflite",)
    suffix = ".tflite"
    source_backend = "litert"
    per_channel_dense = True

    def static(
        self,
        model: ModelFile,
        output: Path,
        batches: CalibrationBatches,
        options: QuantizationOptions,
    ) -> PartResult:
        """Quantise weights and activations, with ranges from calibration samples."""
        _check(options)
        tool = _Tool(model)
        left = tool.after_last_weights()
        tool.quantise_all()
        if not self.per_channel_dense:
            tool.quantise_per_tensor("FULLY_CONNECTED")
        tool.leave(left)
        tool.write(output, tool.ranges(batches))
        dense = "" if self.per_channel_dense else ", of dense layers per tensor"
        return PartResult(
            output,
            f"post-training, static, ranges by {options.calibrate}",
            f"int8, symmetric, per channel{dense}",
            "int8, asymmetric, per tensor",
            tuple(left),
            _tools(),
        )

    def dynamic(self, model: ModelFile, output: Path, options: QuantizationOptions) -> PartResult:
        """Quantise weights; activations are quantised as they come, without calibration."""
        _check(options)
        tool = _Tool(model)
        tool.quantise_weights()
        tool.write(output, None)
        return PartResult(
            output,
            "post-training, dynamic",
            "int8, symmetric, per channel",
            "int8, asymmetric, range of each sample",
            (),
            _tools(),
        )


class PerTensorLiteRtQuantizer(LiteRtQuantizer):
    """The same with one scale for all weights of a dense layer, as Arm NN 20.08 needs it."""

    per_channel_dense = False


class _Tool:
    """The quantiser's own object for one model, and what it is asked."""

    def __init__(self, model: ModelFile):
        try:
            with _quiet():
                self._package = importlib.import_module("ai_edge_quantizer.quantizer")
                self._files = importlib.import_module(
                    "ai_edge_quantizer.utils.tfl_flatbuffer_utils"
                )
        except ImportError as error:
            raise QuantizationError(
                f"quantising for LiteRT needs ai-edge-quantizer; install it with: {_INSTALL}"
            ) from error
        self._model = model
        LiteRtBackend().load(model, BackendOptions()).close()
        interpreters = importlib.import_module("ai_edge_litert.interpreter")
        self._inputs, _ = ports_of(interpreters.Interpreter(str(model.path)))
        content = model.path.read_bytes()
        self._quantizer = self._package.Quantizer(bytearray(content))
        self._graph = self._files.read_model(bytearray(content))
        signatures = self._graph.signatureDefs or ()
        main = next((one for one in signatures if one.subgraphIndex == 0), None)
        self._signature = None if main is None else main.signatureKey.decode()

    def quantise_all(self) -> None:
        """Quantise weights and activations of all layers, but neither inputs nor outputs."""
        self._quantizer.add_static_config(_EVERYWHERE, "*", _BITS, _BITS)
        for end in ("INPUT", "OUTPUT"):
            self._quantizer.update_quantization_recipe(_EVERYWHERE, end, algorithm_key=_SKIP)

    def quantise_per_tensor(self, operator: str) -> None:
        """Take one scale for all weights of a layer of this kind."""
        granularity = self._package.qtyping.QuantGranularity.TENSORWISE
        self._quantizer.add_static_config(_EVERYWHERE, operator, _BITS, _BITS, granularity)

    def quantise_weights(self) -> None:
        """Quantise weights alone, of layers that quantise their activations as they run."""
        self._quantizer.add_dynamic_config(_EVERYWHERE, "*", _BITS)

    def leave(self, scopes: Sequence[str]) -> None:
        """Leave nodes in float32, named by their outputs."""
        for scope in scopes:
            self._quantizer.update_quantization_recipe(
                f"^{re.escape(scope)}$", "*", algorithm_key=_SKIP
            )

    def ranges(self, batches: CalibrationBatches) -> _Ranges:
        """Give the extremes of every tensor over all samples.

        Each batch is calibrated for itself: the tool would average over its calls.
        """
        found: _Ranges = {}
        for batch in batches:
            with _quiet():
                try:
                    data = {self._signature: [self._named(batch)]}
                    one = self._quantizer.calibrate(data, num_threads=usable_cores())
                except Exception as error:
                    raise self._failed(error) from error
            found = {name: _wider(found.get(name, {}), seen) for name, seen in one.items()}
        if not found:
            raise QuantizationError(f"{self._model.path} can't be quantised without samples")
        return found

    def write(self, output: Path, ranges: _Ranges | None) -> None:
        """Quantise and write the file."""
        with _quiet():
            try:
                made = self._quantizer.quantize(ranges, enable_progress_report=False)
            except Exception as error:
                raise self._failed(error) from error
        # The tool leaves out the numbers that Arm NN 20.08 reads.
        write_atomically(output, number_operators(bytes(made.quantized_model)))

    def after_last_weights(self) -> list[str]:
        """Give the nodes from which no layer with weights can be reached any more."""
        graph = self._graph.subgraphs[0]
        makers = {tensor: node for node in graph.operators for tensor in node.outputs}
        leads_to_weights: set[int] = set()
        waiting = [node for node in graph.operators if self._has_weights(node)]
        while waiting:
            node = waiting.pop()
            if id(node) not in leads_to_weights:
                leads_to_weights.add(id(node))
                waiting.extend(makers[tensor] for tensor in node.inputs if tensor in makers)
        return [
            self._files.get_op_scope(node, graph.tensors)
            for node in graph.operators
            if id(node) not in leads_to_weights
        ]

    def _has_weights(self, node: Any) -> bool:
        code = self._graph.operatorCodes[node.opcodeIndex].builtinCode
        name = self._files.TFL_OP_CODE_TO_NAME.get(code, "")
        graph = self._graph
        return name in _WEIGHTED and any(
            graph.buffers[graph.subgraphs[0].tensors[tensor].buffer].data is not None
            for tensor in node.inputs[1:2]
        )

    def _named(self, batch: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Call samples as the model's inputs are; its one input is fed whatever they say.

        Raises `BackendError` if they are of another shape or type, which the tool would take.
        """
        given = batch
        if len(batch) == len(self._inputs) == 1:
            given = {self._inputs[0].name: next(iter(batch.values()))}
        return {port.name: port.to_file(given) for port in self._inputs}

    def _failed(self, error: Exception) -> QuantizationError:
        reason = " ".join(str(error).split())
        return QuantizationError(f"{self._model.path} can't be quantised: {reason}")


def _check(options: QuantizationOptions) -> None:
    if options.calibrate not in _METHODS:
        raise QuantizationError(
            f"litert has no calibration method {options.calibrate!r}; known: {', '.join(_METHODS)}"
        )
    if options.reduce_range:
        raise QuantizationError(
            "litert has no 7-bit weights, and needs none: its 8-bit products don't saturate; "
            "leave the range as it is"
        )


def _tools() -> Mapping[str, str]:
    try:
        return {name: installed_version(name, (name,), "litert") for name in _PACKAGES}
    except MissingBackendError as error:
        raise QuantizationError(str(error)) from error


def _wider(
    before: Mapping[str, NDArray[Any]], seen: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Widen a tensor's extremes by those of another batch."""
    widen = {"min": np.minimum, "max": np.maximum}
    return {
        name: widen[name](before[name], value) if name in before and name in widen else value
        for name, value in seen.items()
    }


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tool's progress, hints and log off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
