"""gRPC transport: the protocol over one channel that carries many calls at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from functools import partial
from typing import Any

from inferometer.open_inference import ProtocolError, ServerTiming, TensorSpec, read_timing
from inferometer.open_inference.calls import infer_request, read
from inferometer.open_inference.messages import METHODS, SERVICE, message_class
from inferometer.open_inference.server_timing import TIMING_HEADER
from inferometer.serving.remote.account import Account
from inferometer.serving.remote.endpoint import Endpoint, RemoteOptions
from inferometer.serving.remote.fault import FaultKind, RemoteFault
from inferometer.serving.remote.transport import (
    Arrays,
    Job,
    RemoteModel,
    Reply,
    is_to_be_retried,
    note_reply,
)

__all__ = ["GrpcTransport"]

_BACKOFF_S = 0.05
_NO_LIMIT = -1


class GrpcTransport:
    """A model that is reached by gRPC."""

    def __init__(self, endpoint: Endpoint, model: str, version: str, options: RemoteOptions):
        import grpc  # noqa: PLC0415

        self.account = Account()
        self._endpoint, self._model, self._version = endpoint, model, version
        self._options, self._grpc = options, grpc
        self._metadata = (("authorization", f"Bearer {endpoint.token}"),) if endpoint.token else ()
        self._channel = _channel(grpc, endpoint)
        self._calls = {
            name: self._channel.unary_unary(
                f"/{SERVICE}/{name}",
                message_class(f"{name}Request").SerializeToString,
                message_class(f"{name}Response").FromString,
            )
            for name in METHODS
        }
        self._infer = self._calls["ModelInfer"]
        self._lock = threading.Lock()
        self._waiting: deque[_Flight] = deque()
        self._in_flight = 0

    def describe(self) -> RemoteModel:
        """Ask for the metadata of server and model."""
        server = self._asked("ServerMetadata")
        model = self._asked("ModelMetadata", name=self._model, version=self._version)
        return RemoteModel(
            name=model.name,
            version=model.versions[-1] if model.versions else "",
            platform=model.platform,
            inputs=_specs_of(model.inputs),
            outputs=_specs_of(model.outputs),
            server=f"{server.name} {server.version}".strip(),
            extensions=tuple(server.extensions),
        )

    def statistics(self) -> dict[str, Any]:
        """Give nothing: the protocol has no statistics over gRPC."""
        return {}

    def _asked(self, method: str, **fields: str) -> Any:
        request = message_class(f"{method}Request")(**fields)
        try:
            return self._calls[method](
                request, timeout=self._options.timeout_s, metadata=self._metadata
            )
        except self._grpc.RpcError as error:
            raise self._fault(error) from error

    def call(self, inputs: Arrays) -> Reply:
        """Have a batch answered; sent again as often as the options say."""
        request = infer_request(self._model, self._version, inputs)
        tries = 1
        while True:
            begun_ns = time.monotonic_ns()
            try:
                response, call = self._infer.with_call(
                    request, timeout=self._options.timeout_s, metadata=self._metadata
                )
                return self._reply(response, call, time.monotonic_ns() - begun_ns)
            except self._grpc.RpcError as error:
                fault = self._fault(error)
                if not is_to_be_retried(self.account, fault, tries, self._options.retries):
                    raise fault from error
            time.sleep(_BACKOFF_S * 2.0 ** min(tries - 1, 5))
            tries += 1

    def start(self) -> None:
        """Do nothing: the channel is there."""

    def stop(self) -> None:
        """Forget what waits to be sent."""
        with self._lock:
            self._waiting.clear()

    def submit(self, job: Job) -> None:
        """Send a job, or have it wait until fewer are in flight."""
        flight = _Flight(job)
        with self._lock:
            if self._in_flight >= self._options.connections:
                self._waiting.append(flight)
                return
            self._in_flight += 1
        self._send(flight)

    def close(self) -> None:
        """End the channel."""
        self.stop()
        self._channel.close()

    def _send(self, flight: _Flight | None) -> None:
        """Send a job; those without inputs are passed over."""
        while flight is not None:
            try:
                request = infer_request(self._model, self._version, flight.job.inputs())
                flight.tries += 1
                flight.sent_ns = time.monotonic_ns()
                call = self._infer.future(
                    request, timeout=self._options.timeout_s, metadata=self._metadata
                )
            except BaseException as error:
                flight.job.failed(error)
                flight = self._next()
                continue
            call.add_done_callback(partial(self._take, flight))
            return

    def _next(self) -> _Flight | None:
        """Give the next job that waits; without one, one less is in flight."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._in_flight -= 1
            return None

    def _take(self, flight: _Flight, call: Any) -> None:
        """Take an answer in, on the library's thread."""
        round_trip_ns = time.monotonic_ns() - flight.sent_ns
        try:
            reply = self._reply(call.result(), call, round_trip_ns)
        except self._grpc.FutureCancelledError:
            # The channel was closed.
            return
        except (self._grpc.RpcError, RemoteFault) as error:
            fault = error if isinstance(error, RemoteFault) else self._fault(error)
            if is_to_be_retried(self.account, fault, flight.tries, self._options.retries):
                self._send(flight)
                return
            flight.job.failed(fault)
        else:
            flight.job.done(reply)
        self._send(self._next())

    def _reply(self, response: Any, call: Any, round_trip_ns: int) -> Reply:
        try:
            outputs = read(response.outputs, response.raw_output_contents)
        except ProtocolError as error:
            fault = RemoteFault(f"the server's answer can't be read: {error}")
            self.account.note_failure(fault)
            raise fault from error
        reply = Reply(outputs, round_trip_ns, _timing_of(call))
        note_reply(self.account, reply)
        return reply

    def _fault(self, error: Any) -> RemoteFault:
        code = error.code()
        codes = self._grpc.StatusCode
        details = str(error.details() or "")[:200]
        kinds = {
            codes.UNAVAILABLE: FaultKind.CONNECTION_LOST,
            codes.DEADLINE_EXCEEDED: FaultKind.TIMEOUT,
            codes.RESOURCE_EXHAUSTED: FaultKind.BUSY,
        }
        text = f"{self._endpoint} answered with {code.name}: {details}"
        return RemoteFault(text, kinds.get(code, FaultKind.FAILED))


class _Flight:
    """A job on its way, with how often it was sent."""

    __slots__ = ("job", "sent_ns", "tries")

    def __init__(self, job: Job):
        self.job, self.tries, self.sent_ns = job, 0, 0


def _channel(grpc: Any, endpoint: Endpoint) -> Any:
    options = (
        ("grpc.max_receive_message_length", _NO_LIMIT),
        ("grpc.max_send_message_length", _NO_LIMIT),
        # What is sent again is decided and put on record here.
        ("grpc.enable_retries", 0),
        # Channels to one server don't share its connection with earlier ones.
        ("grpc.use_local_subchannel_pool", 1),
    )
    if endpoint.is_secure:
        credentials = grpc.ssl_channel_credentials(endpoint.ca_bytes())
        return grpc.secure_channel(endpoint.address, credentials, options)
    return grpc.insecure_channel(endpoint.address, options)


def _timing_of(call: Any) -> ServerTiming | None:
    for key, value in call.trailing_metadata() or ():
        if key == TIMING_HEADER:
            return read_timing(value)
    return None


def _specs_of(tensors: Any) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(t.name, t.datatype, tuple(t.shape)) for t in tensors)
