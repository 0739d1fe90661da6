"""PyTorch, eager or compiled, on the CPU, on CUDA and on Apple's GPUs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferometer.backends.installed import has_nvidia_gpu, imported, installed_version, may_have_gpu
from inferometer.backends.model_file import checked_path
from inferometer.backends.options import check_device, check_options, choice, flag
from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile, SourceModel
from inferometer.backends.pytorch.files import LoadedModule, read_module, write_module

__all__ = ["PyTorchBackend"]

_EXTRA = "torch"
_OPTIONS = ("channels_last", "mode")
_MODES = ("eager", "compiled")
_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
_WORDS = {f"torch.{theirs}": ours for ours, theirs in _DTYPES.items()}


class PyTorchBackend:
    """Runs modules as PyTorch has them, with gradients off.

    It reads what `export` writes (``pth``: the module itself), archives of ``torch.export``
    (``pt2``), TorchScript (``torchscript``, ``pt``), and ``FILE.py:FUNCTION`` of a function
    that makes a module. Extra options: ``mode`` (eager, compiled) and ``channels_last`` (yes,
    no), how convolutions keep photos inside. ``compiled`` compiles as the model is loaded,
    for any batch size, which takes up to a minute and needs a C++ compiler. Threads count for
    the whole process; the model that was loaded last decides.
    """

    name = "pytorch"
    formats: tuple[str, ...] = ("pth", "pt2", "torchscript", "pt", "python")
    precisions: tuple[str, ...] = tuple(_DTYPES)
    layout = "NCHW"
    own_format = "pth"
    threads_are_global = True
    tunable: Mapping[str, tuple[str, ...]] = {"channels_last": ("no", "yes")}

    def version(self) -> str:
        """Give the version of PyTorch."""
        return installed_version("PyTorch", ("torch",), _EXTRA)

    def devices(self) -> tuple[str, ...]:
        """Give ``cpu``, and ``cuda`` where this build may have it and there is a GPU."""
        return ("cpu", "cuda") if has_nvidia_gpu() and not self._is_cpu_build() else ("cpu",)

    def check(self, options: BackendOptions) -> None:
        """Look at the precision, the options, and whether the device may be here at all."""
        check_options(self, options, _OPTIONS)
        choice(options, "mode", _MODES)
        flag(options, "channels_last", default=False)
        kind = options.device.partition(":")[0]
        if kind == "cuda" and may_have_gpu() and not self._is_cpu_build():
            return
        if kind == "mps" and sys.platform == "darwin":
            return
        check_device(self, options.device, ("cpu",))

    def _is_cpu_build(self) -> bool:
        return self.version().endswith("+cpu")

    def export_versions(self) -> Mapping[str, str]:
        """Give nothing beside PyTorch itself."""
        return {"torch": self.version()}

    def export(self, source: SourceModel, path: Path) -> None:
        """Write the module with its names and example inputs."""
        write_module(_torch(), source, path)

    def load(self, model: ModelFile, options: BackendOptions) -> PyTorchSession:
        """Load a module; compile it if so asked."""
        torch = _torch()
        self.check(options)
        mode = choice(options, "mode", _MODES)
        path = checked_path(model, self.formats, self.name)
        device = _device(torch, options.device)
        if options.threads is not None:
            torch.set_num_threads(options.threads)
        _compute_in_full(torch)
        loaded = read_module(torch, model, path)
        dtype = getattr(torch, _DTYPES[options.precision])
        module = loaded.module.to(device)
        if dtype is not torch.float32:
            module = module.to(dtype)
        if flag(options, "channels_last", default=False):
            module = module.to(memory_format=torch.channels_last)
        session = PyTorchSession(torch, module, loaded, device, mode)
        if mode == "compiled":
            session.compile(path)
        return session


class PyTorchSession:
    """A module on a device. Outputs are float32 whatever it computes in."""

    def __init__(self, torch: Any, module: Any, loaded: LoadedModule, device: Any, mode: str):
        self._torch = torch
        self._module: Any = module
        self._call: Callable[..., Any] = module
        self._examples = loaded.examples
        self._device = device
        self._dtype = _dtype_of(torch, module)
        self.input_names = loaded.input_names
        self.output_names = loaded.output_names
        self.description: Mapping[str, Any] = {
            "framework": "PyTorch",
            "version": torch.__version__,
            "device": str(device),
            "precision": _WORDS.get(str(self._dtype), str(self._dtype)),
            "mode": mode,
            "threads": torch.get_num_threads(),
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run a batch."""
        tensors = [self._tensor(inputs[name]) for name in self.input_names]
        with self._torch.inference_mode():
            found = self._call(*tensors)
        outputs = found if isinstance(found, tuple | list) else (found,)
        return [self._array(output) for output in outputs]

    def close(self) -> None:
        """Let the module go."""
        self._module = self._call = None  # type: ignore[assignment]

    def compile(self, path: Path) -> None:
        """Compile for one sample, and then for any more.

        A second batch size is what tells PyTorch that the size varies. Told beforehand
        (``dynamic=True``) it reasons about every size of every layer, and does not end.
        """
        if not self._examples:
            raise BackendError(
                f"{path} has no example inputs to compile it with; compiled needs a model that "
                "`inferometer export` wrote"
            )
        options = {"freezing": True} if self._device.type == "cpu" else {}
        first = {name: array[:1] for name, array in self._examples.items()}
        several = {name: np.repeat(array, 3, axis=0) for name, array in first.items()}
        try:
            with warnings.catch_warnings():
                # Its compiler warns about its own parts.
                warnings.simplefilter("ignore")
                self._call = self._torch.compile(self._module, options=options)
                for inputs in (first, several):
                    self.run(inputs)
        except Exception as error:  # inductor raises what its compiler does
            reason = str(error).strip().splitlines()
            raise BackendError(
                f"{path}: PyTorch can't compile it ({reason[0] if reason else repr(error)}); "
                "compiling needs a C++ compiler (apt-get install g++), or take mode=eager"
            ) from error

    def _tensor(self, array: NDArray[Any]) -> Any:
        """Give an array as a tensor, without a copy where it may be shared."""
        if not array.flags.writeable:
            array = array.copy()
        tensor = self._torch.from_numpy(np.ascontiguousarray(array))
        if tensor.is_floating_point():
            return tensor.to(self._device, self._dtype, non_blocking=True)
        return tensor.to(self._device, non_blocking=True)

    def _array(self, output: Any) -> NDArray[Any]:
        """Give an output as an array; copying it to the CPU waits for the device."""
        if output.is_floating_point():
            output = output.float()
        array: NDArray[Any] = output.cpu().numpy()
        return array


def _torch() -> Any:
    return imported("torch", "PyTorch", _EXTRA)


def _device(torch: Any, name: str) -> Any:
    """Give a device after looking for it."""
    offered = ["cpu"]
    if torch.cuda.is_available():
        offered += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        offered.append("mps")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in offered:
        raise BackendError(f"pytorch has no device {name!r} here; it offers {', '.join(offered)}")
    return torch.device(wanted)


def _compute_in_full(torch: Any) -> None:
    """Turn TensorFloat-32 off, which rounds the factors of products in fp32."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


def _dtype_of(torch: Any, module: Any) -> Any:
    """Find out what a module computes in: the type of its first float parameter."""
    tensors = [*module.parameters(), *module.buffers()]
    return next((one.dtype for one in tensors if one.is_floating_point()), torch.float32)
