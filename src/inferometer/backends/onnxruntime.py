"""ONNX Runtime, on the CPU or any of its execution providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from inferometer.backends.model_file import checked_path
from inferometer.backends.protocol import (
    BackendError,
    BackendOptions,
    MissingBackendError,
    ModelFile,
)

__all__ = ["OnnxRuntimeBackend"]

_INSTALL = "pip install 'inferometer[onnxruntime]'"
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_LEVELS = {
    "none": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}
_OPTIONS = ("graph_optimization", "inter_op_threads")


class OnnxRuntimeBackend:
    """Runs ONNX files with ONNX Runtime.

    Devices are ``cpu``, ``cuda`` or the full name of an execution provider. Extra options:
    ``graph_optimization`` (none, basic, extended, all) and ``inter_op_threads``.
    """

    name = "onnxruntime"
    formats = ("onnx",)

    def version(self) -> str:
        """Give the version of ONNX Runtime."""
        return str(_onnxruntime().__version__)

    def devices(self) -> tuple[str, ...]:
        """Give the execution providers that this build of ONNX Runtime offers."""
        return tuple(_onnxruntime().get_available_providers())

    def load(self, model: ModelFile, options: BackendOptions) -> OnnxRuntimeSession:
        """Load an ONNX file."""
        runtime = _onnxruntime()
        path = checked_path(model, self.formats, self.name)
        provider = _provider(runtime, options.device)
        try:
            session = runtime.InferenceSession(
                str(path), _session_options(runtime, options), providers=[provider]
            )
        except Exception as error:
            raise BackendError(f"{path}: ONNX Runtime can't load it: {error}") from error
        used = session.get_providers()
        if provider not in used:
            raise BackendError(
                f"ONNX Runtime was asked for {provider} but runs on {', '.join(used)}; "
                "its libraries (CUDA, cuDNN) may be missing"
            )
        return OnnxRuntimeSession(session, provider, options, runtime.__version__)


class OnnxRuntimeSession:
    """A model loaded by ONNX Runtime."""

    def __init__(self, session: Any, provider: str, options: BackendOptions, version: str):
        self._session = session
        self.input_names = tuple(node.name for node in session.get_inputs())
        self.output_names = tuple(node.name for node in session.get_outputs())
        self._outputs = list(self.output_names)
        self.description: Mapping[str, Any] = {
            "framework": "ONNX Runtime",
            "version": version,
            "device": provider,
            "threads": options.threads or "default",
            "inputs": [f"{n.name} {n.type} {n.shape}" for n in session.get_inputs()],
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch."""
        outputs: list[NDArray[Any]] = self._session.run(self._outputs, inputs)
        return outputs


def _onnxruntime() -> Any:
    try:
        import onnxruntime  # noqa: PLC0415
    except ImportError as error:
        raise MissingBackendError(
            f"ONNX Runtime isn't installed; install it with: {_INSTALL}"
        ) from error
    return onnxruntime


def _provider(runtime: Any, device: str) -> str:
    provider = _PROVIDERS.get(device, device)
    available = runtime.get_available_providers()
    if provider not in available:
        raise BackendError(
            f"ONNX Runtime has no device {device!r} here; it offers cpu"
            f"{', cuda' if _PROVIDERS['cuda'] in available else ''} and the providers "
            f"{', '.join(available)}"
        )
    return provider


def _session_options(runtime: Any, options: BackendOptions) -> Any:
    unknown = set(options.extra) - set(_OPTIONS)
    if unknown:
        raise BackendError(
            f"onnxruntime has no option {', '.join(sorted(unknown))}; it knows "
            f"{', '.join(_OPTIONS)}"
        )
    chosen = runtime.SessionOptions()
    if options.threads is not None:
        chosen.intra_op_num_threads = options.threads
    level = options.extra.get("graph_optimization", "all")
    if level not in _LEVELS:
        raise BackendError(f"graph_optimization is {level!r}; it takes {', '.join(_LEVELS)}")
    chosen.graph_optimization_level = getattr(runtime.GraphOptimizationLevel, _LEVELS[level])
    inter_op = options.extra.get("inter_op_threads", "1")
    if not inter_op.isdigit():
        raise BackendError(f"inter_op_threads is {inter_op!r}; it takes a whole number")
    chosen.inter_op_num_threads = int(inter_op)
    # Spinning threads would take the processor from the load generator between queries.
    chosen.add_session_config_entry("session.intra_op.allow_spinning", "0")
    chosen.log_severity_level = 3
    return chosen
