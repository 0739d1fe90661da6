"""gRPC side of a server: the protocol's calls for hosted models."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from inferometer.hosting.hosted_model import VERSION, HostedModel
from inferometer.hosting.http_app import server_metadata
from inferometer.hosting.options import HostingError, HostOptions, Refusal
from inferometer.loadgen import InferometerError
from inferometer.open_inference import ProtocolError, timing_text
from inferometer.open_inference.calls import fill, read
from inferometer.open_inference.messages import METHODS, SERVICE, message_class
from inferometer.open_inference.server_timing import TIMING_HEADER

__all__ = ["GrpcService"]

_THREADS = 16
_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    500: "INTERNAL",
    503: "RESOURCE_EXHAUSTED",
}


class GrpcService:
    """Answers gRPC calls for hosted models, from its start until it is stopped.

    Raises `HostingError` if the port is taken.
    """

    def __init__(self, models: Mapping[str, HostedModel], options: HostOptions):
        import grpc  # noqa: PLC0415

        self._grpc, self._models, self._options = grpc, models, options
        self._token = f"Bearer {options.token}".encode() if options.token else b""
        limit = options.max_body_bytes
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS, "inferometer-grpc"),
            options=(
                ("grpc.max_receive_message_length", limit),
                ("grpc.max_send_message_length", -1),
                # Two servers on one port would share its clients unseen.
                ("grpc.so_reuseport", 0),
            ),
            maximum_concurrent_rpcs=options.max_in_flight,
        )
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                self._handled(getattr(self, f"_{name}")),
                message_class(f"{name}Request").FromString,
                message_class(f"{name}Response").SerializeToString,
            )
            for name in METHODS
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, handlers),)
        )
        self.port = self._bound()
        self.is_stopping = False
        self._server.start()

    def _bound(self) -> int:
        options = self._options
        address = f"{options.host}:{options.grpc_port}"
        try:
            if options.certificate is None or options.key is None:
                return int(self._server.add_insecure_port(address))
            pair = (options.key.read_bytes(), options.certificate.read_bytes())
            credentials = self._grpc.ssl_server_credentials((pair,))
            return int(self._server.add_secure_port(address, credentials))
        except RuntimeError as error:
            raise HostingError(
                f"{address} can't be listened on for gRPC; it may be taken"
            ) from error

    def stop(self) -> None:
        """Take nothing new, and let what is being answered finish within its time."""
        self.is_stopping = True
        self._server.stop(self._options.stop_timeout_s).wait()

    def _handled(self, answer: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Give a call that ends with the code of what went wrong."""

        def call(request: Any, context: Any) -> Any:
            try:
                return answer(request, context)
            except Refusal as refusal:
                code = getattr(self._grpc.StatusCode, _CODES[refusal.status])
                context.abort(code, str(refusal))

        return call

    # ---- the calls; their names are the protocol's

    def _ServerLive(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return message_class("ServerLiveResponse")(live=True)

    def _ServerReady(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return message_class("ServerReadyResponse")(ready=not self.is_stopping)

    def _ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check_token(context)
        self._model(request.name, request.version)
        return message_class("ModelReadyResponse")(ready=not self.is_stopping)

    def _ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self._check_token(context)
        found = server_metadata()
        # Statistics are an extension of the HTTP side, and tensors are binary anyway here.
        return message_class("ServerMetadataResponse")(
            name=found["name"], version=found["version"], extensions=()
        )

    def _ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check_token(context)
        found = self._model(request.name, request.version).metadata
        tensor = message_class("TensorMetadata")
        described = {
            kind: [tensor(**one) for one in found.pop(kind)] for kind in ("inputs", "outputs")
        }
        return message_class("ModelMetadataResponse")(**found, **described)

    def _ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._check_token(context)
        model = self._model(request.model_name, request.model_version)
        try:
            return self._inferred(model, request, context)
        except Refusal as refusal:
            model.metrics.note_request(refusal.status)
            raise

    def _inferred(self, model: HostedModel, request: Any, context: Any) -> Any:
        try:
            inputs = read(request.inputs, request.raw_input_contents)
        except ProtocolError as error:
            raise Refusal(400, str(error)) from error
        names = model.signature.output_names
        wanted = [output.name for output in request.outputs] or names
        for name in wanted:
            if name not in names:
                raise Refusal(400, f"there is no output {name!r}; known: {', '.join(names)}")
        future: Future[Any] = Future()
        model.submit(inputs, future.set_result)
        found = future.result()
        if isinstance(found, BaseException):
            kind = "" if isinstance(found, InferometerError) else f"{type(found).__name__}: "
            raise Refusal(500, f"{model.name} can't answer: {kind}{found}"[:2000])
        outputs, timing = found
        tensors = dict(zip(names, outputs, strict=True))
        response = message_class("ModelInferResponse")(
            model_name=model.name, model_version=VERSION, id=request.id
        )
        try:
            chosen = {name: tensors[name] for name in wanted}
            fill(response.outputs, response.raw_output_contents, chosen)
        except ProtocolError as error:
            raise Refusal(500, str(error)) from error
        context.set_trailing_metadata(((TIMING_HEADER, timing_text(timing)),))
        return response

    def _check_token(self, context: Any) -> None:
        if self._token:
            given = dict(context.invocation_metadata()).get("authorization", "")
            if not hmac.compare_digest(str(given).encode(), self._token):
                raise Refusal(401, "the token is missing or wrong")

    def _model(self, name: str, version: str) -> HostedModel:
        found = self._models.get(name)
        if found is None:
            raise Refusal(404, f"there is no model {name!r}; known: {', '.join(self._models)}")
        if version not in ("", VERSION):
            raise Refusal(404, f"{name} has the version {VERSION} only")
        return found
