"""ONNX Runtime, on the CPU or any of its execution providers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inferometer.backends.installed import imported, installed_version, missing, package_folder
from inferometer.backends.model_file import checked_path
from inferometer.backends.onnx_layers import has_quantised_layers, layer_precisions
from inferometer.backends.options import check_options, choice, flag, number
from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile, SourceModel
from inferometer.loadgen import write_atomically

__all__ = ["OnnxRuntimeBackend"]

_EXTRA = "onnxruntime"
_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml")
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
# TensorFloat-32, the default there, rounds the factors of products to 10 bits.
_PROVIDER_OPTIONS = {"CUDAExecutionProvider": {"use_tf32": "0"}}
_LEVELS = {
    "all": "ORT_ENABLE_ALL",
    "extended": "ORT_ENABLE_EXTENDED",
    "basic": "ORT_ENABLE_BASIC",
    "none": "ORT_DISABLE_ALL",
}
_OPTIONS = ("graph_optimization", "inter_op_threads", "spinning")


class OnnxRuntimeBackend:
    """Runs ONNX files with ONNX Runtime.

    Devices are ``cpu``, ``cuda`` or the full name of an execution provider. Extra options:
    ``graph_optimization`` (none, basic, extended, all), ``inter_op_threads`` and ``spinning``
    (yes or no): whether idle threads of a call keep their cores busy.
    """

    name = "onnxruntime"
    formats: tuple[str, ...] = ("onnx",)
    precisions: tuple[str, ...] = ("fp32",)
    tunable: Mapping[str, tuple[str, ...]] = {"graph_optimization": ("extended",)}
    layout = "NCHW"
    own_format = "onnx"

    def version(self) -> str:
        """Give the version of ONNX Runtime."""
        return installed_version("ONNX Runtime", _DISTRIBUTIONS, _EXTRA)

    def devices(self) -> tuple[str, ...]:
        """Give ``cpu``, and the providers whose libraries this build has; all can be asked for."""
        folder = package_folder("onnxruntime")
        if folder is None:
            raise missing("ONNX Runtime", _EXTRA)
        found = sorted((folder / "capi").glob("*onnxruntime_providers_*"))
        names = [path.name.split("providers_")[1].split(".")[0] for path in found]
        return ("cpu", *(name for name in names if name != "shared"))

    def export_versions(self) -> Mapping[str, str]:
        """Give nothing: the model is ONNX already."""
        return {}

    def export(self, source: SourceModel, path: Path) -> None:
        """Copy the ONNX file."""
        write_atomically(path, source.onnx.read_bytes())

    def load(self, model: ModelFile, options: BackendOptions) -> OnnxRuntimeSession:
        """Load an ONNX file."""
        runtime = _onnxruntime()
        check_options(self, options, _OPTIONS)
        path = checked_path(model, self.formats, self.name)
        provider = _provider(runtime, options.device)
        session_options = _session_options(runtime, options)
        try:
            session, layers = _loaded(runtime, path, session_options, provider)
        except Exception as error:
            raise BackendError(f"{path}: ONNX Runtime can't load it: {error}") from error
        used = session.get_providers()
        if provider not in used:
            raise BackendError(
                f"ONNX Runtime was asked for {provider} but runs on {', '.join(used)}; "
                "its libraries (CUDA, cuDNN) may be missing"
            )
        return OnnxRuntimeSession(session, provider, options, runtime.__version__, layers)


class OnnxRuntimeSession:
    """A model loaded by ONNX Runtime."""

    def __init__(
        self,
        session: Any,
        provider: str,
        options: BackendOptions,
        version: str,
        layers: Mapping[str, int],
    ):
        self._session = session
        self.input_names = tuple(node.name for node in session.get_inputs())
        self.output_names = tuple(node.name for node in session.get_outputs())
        self._outputs = list(self.output_names)
        self.description: Mapping[str, Any] = {
            "framework": "ONNX Runtime",
            "version": version,
            "device": provider,
            "precision": next(iter(layers), options.precision),
            **({"layers": dict(layers)} if layers else {}),
            "threads": options.threads or "default",
            "inputs": [f"{n.name} {n.type} {n.shape}" for n in session.get_inputs()],
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch."""
        outputs: list[NDArray[Any]] = self._session.run(self._outputs, inputs)
        return outputs

    def close(self) -> None:
        """Let the model go."""
        self._session = None


def _onnxruntime() -> Any:
    return imported("onnxruntime", "ONNX Runtime", _EXTRA)


def _loaded(
    runtime: Any, path: Path, session_options: Any, provider: str
) -> tuple[Any, Mapping[str, int]]:
    """Load a file; of a quantised one, also find out what its layers came to compute in.

    Which quantised layers run in integers is decided as the graph is optimised.
    """
    providers = [(provider, _PROVIDER_OPTIONS.get(provider, {}))]
    if not has_quantised_layers(path):
        return runtime.InferenceSession(str(path), session_options, providers=providers), {}
    with tempfile.TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        session_options.optimized_model_filepath = str(optimised)
        session = runtime.InferenceSession(str(path), session_options, providers=providers)
        return session, layer_precisions(optimised)


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
    chosen = runtime.SessionOptions()
    if options.threads is not None:
        chosen.intra_op_num_threads = options.threads
    level = _LEVELS[choice(options, "graph_optimization", tuple(_LEVELS))]
    chosen.graph_optimization_level = getattr(runtime.GraphOptimizationLevel, level)
    chosen.inter_op_num_threads = number(options, "inter_op_threads", 1)
    # Spinning threads would take the processor from the load generator between queries.
    spins = str(int(flag(options, "spinning", default=False)))
    chosen.add_session_config_entry("session.intra_op.allow_spinning", spins)
    chosen.log_severity_level = 3
    return chosen
