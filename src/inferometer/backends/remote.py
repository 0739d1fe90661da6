"""Models on servers, by the Open Inference Protocol (KServe v2) over HTTP or gRPC."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import util
from typing import Any

from numpy.typing import NDArray

from inferometer.backends.installed import missing
from inferometer.backends.options import check_options, flag, number
from inferometer.backends.protocol import BackendError, BackendOptions, ModelFile
from inferometer.serving.remote import (
    Endpoint,
    RemoteFault,
    RemoteModel,
    RemoteOptions,
    Transport,
    connect,
)

__all__ = ["RemoteBackend", "RemoteSession"]

_FORMAT = "remote"
_PACKAGES = ("httptools", "grpc", "google.protobuf")
_OPTIONS = (
    "binary",
    "connections",
    "inputs",
    "model",
    "outputs",
    "parts",
    "retries",
    "timeout_s",
    "url",
    "version",
)
_DEFAULTS = RemoteOptions()


class RemoteBackend:
    """Calls models on a server.

    Extra options: ``url`` (http, https, grpc or grpcs), ``model`` and ``version`` on the server
    (by default the workload's name, with the part's behind it where there are several),
    ``connections``, ``timeout_s``, ``retries``, ``binary`` (yes or no), and ``inputs`` and
    ``outputs``, names with commas between them, for a server that doesn't tell them.
    """

    name = "remote"
    formats: tuple[str, ...] = (_FORMAT,)
    precisions: tuple[str, ...] = ("fp32",)
    layout = "NCHW"
    is_remote = True

    def version(self) -> str:
        """Give the protocol's version; raise `MissingBackendError` without its packages."""
        for name in _PACKAGES:
            try:
                found = util.find_spec(name)
            except ModuleNotFoundError:
                found = None
            if found is None:
                raise missing("the client of remote servers", "remote")
        return "Open Inference Protocol 2"

    def devices(self) -> tuple[str, ...]:
        """Give the one device; what the server runs on is its own affair."""
        return ("cpu",)

    def check(self, options: BackendOptions) -> None:
        """Raise `BackendError` for options that are unknown or wrong, or without a server."""
        self.version()
        check_options(self, options, _OPTIONS)
        if "url" not in options.extra:
            raise BackendError(
                "say where the server is: --backend-option url=http://HOST:PORT, or grpc://"
            )
        try:
            Endpoint.read(options.extra["url"])
        except RemoteFault as fault:
            raise BackendError(str(fault)) from fault
        _chosen(options)

    def load(self, model: ModelFile, options: BackendOptions) -> RemoteSession:
        """Ask the server for the model; ``model.member`` is its name there."""
        self.check(options)
        extra, chosen = options.extra, _chosen(options)
        try:
            transport = connect(extra["url"], model.member, extra.get("version", ""), chosen)
        except RemoteFault as fault:
            raise BackendError(str(fault)) from fault
        try:
            return RemoteSession(transport, transport.describe(), extra, chosen)
        except RemoteFault as fault:
            transport.close()
            raise BackendError(f"{model.member} at {extra['url']}: {fault}") from fault
        except BaseException:
            transport.close()
            raise


class RemoteSession:
    """A model on a server.

    ``transport`` is for those who want many requests in flight.
    """

    def __init__(
        self,
        transport: Transport,
        model: RemoteModel,
        extra: Mapping[str, str],
        options: RemoteOptions,
    ):
        self.transport = transport
        self.options = options
        self.input_names = _names(extra, "inputs") or tuple(spec.name for spec in model.inputs)
        self.output_names = _names(extra, "outputs") or tuple(spec.name for spec in model.outputs)
        for kind, names in (("inputs", self.input_names), ("outputs", self.output_names)):
            if not names:
                raise BackendError(
                    f"the server doesn't tell the {kind} of {model.name}; name them: "
                    f"--backend-option {kind}=NAME,NAME"
                )
        self.description: Mapping[str, Any] = {
            "framework": "remote server",
            "version": model.server,
            "device": "the server's own",
            "precision": "the server's own",
            "url": extra["url"],
            "model": model.name,
            "model_version": model.version,
            "platform": model.platform,
            "connections": options.connections,
            "retries": options.retries,
            "binary": options.is_binary,
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Have the server run a batch; raise `RemoteFault` if it doesn't answer."""
        return self.ordered(self.transport.call(inputs).outputs)

    def ordered(self, outputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Give outputs in the order of their names; raise `RemoteFault` if one is missing."""
        try:
            return [outputs[name] for name in self.output_names]
        except KeyError as error:
            raise RemoteFault(
                f"the server gave no output {error.args[0]!r} but {', '.join(outputs)}"
            ) from None

    def close(self) -> None:
        """End the connections."""
        self.transport.close()


def _chosen(options: BackendOptions) -> RemoteOptions:
    return RemoteOptions(
        connections=number(options, "connections", _DEFAULTS.connections) or 1,
        timeout_s=_seconds(options, "timeout_s", _DEFAULTS.timeout_s),
        retries=_count(options, "retries"),
        is_binary=flag(options, "binary", default=True),
    )


def _names(extra: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in extra.get(key, "").split(",") if name.strip())


def _count(options: BackendOptions, name: str) -> int:
    text = options.extra.get(name, "0")
    if not text.isdecimal():
        raise BackendError(f"{name} is {text!r}; it takes a whole number")
    return int(text)


def _seconds(options: BackendOptions, name: str, default: float) -> float:
    text = options.extra.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise BackendError(f"{name} is {text!r}; it takes a number of seconds above 0")
    return value
