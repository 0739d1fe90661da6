"""Server: hosted models, listened for by HTTP and gRPC, from start to a graceful stop."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from inferometer.backends import MissingBackendError
from inferometer.hosting.hosted_model import HostedModel
from inferometer.hosting.http_app import HttpApp
from inferometer.hosting.options import HostingError, HostOptions

__all__ = ["Server"]

_KEEP_ALIVE_S = 600
_BACKLOG = 1024
_INSTALL = "it takes packages that aren't installed: pip install 'inferometer[serve]'"


class Server:
    """Offers models until it is stopped; by a signal, where `run` is on the main thread.

    Making it binds the ports: ``url`` and ``grpc_url`` tell where, ``None`` without gRPC.
    Raises `MissingBackendError` without the packages, `HostingError` if a port is taken.
    """

    def __init__(self, models: Sequence[HostedModel], options: HostOptions):
        by_name = {model.name: model for model in models}
        self._models, self._options = models, options
        self._app = HttpApp(by_name, options)
        self._http = _http_server(self._app, options)
        self._socket = _bound(options)
        self._grpc: Any = None
        secure = "s" if options.certificate else ""
        self.url = f"http{secure}://{_shown(options.host)}:{self._socket.getsockname()[1]}"
        self.grpc_url: str | None = None
        if options.grpc_port is not None:
            try:
                self._grpc = _grpc_service(by_name, options)
            except BaseException:
                self._socket.close()
                raise
            self.grpc_url = f"grpc{secure}://{_shown(options.host)}:{self._grpc.port}"

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop`, SIGINT or SIGTERM; then finish what is being answered.

        ``ready`` is called once requests are taken.
        """
        self._http.begun = ready
        try:
            with _signals_stop(self.stop):
                self._http.run(sockets=[self._socket])
        finally:
            self._app.is_stopping = True
            if self._grpc is not None:
                self._grpc.stop()
            for model in self._models:
                model.close()
            self._socket.close()

    def stop(self) -> None:
        """Ask it to stop, from any thread."""
        self._app.is_stopping = True
        self._http.should_exit = True


@contextlib.contextmanager
def _signals_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Have SIGINT and SIGTERM ask for a graceful stop; elsewhere than on the main thread, nobody.

    A second one ends the process as it would without this.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, _: Any) -> None:
        signal.signal(number, before[signal.Signals(number)])
        stop()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _http_server(app: HttpApp, options: HostOptions) -> Any:
    try:
        import httptools  # noqa: F401, PLC0415
        import uvicorn  # noqa: PLC0415
    except ImportError as error:
        raise MissingBackendError(f"serving is not possible: {_INSTALL}") from error

    class Http(uvicorn.Server):
        """Says when it is ready, and leaves signals to others."""

        begun: Callable[[], None] = staticmethod(lambda: None)

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self.begun()

    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        loop="asyncio",
        access_log=False,
        log_level="error",
        server_header=False,
        backlog=_BACKLOG,
        # Clients keep connections while a run loads its samples.
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(options.stop_timeout_s) or 1,
        ssl_certfile=options.certificate and str(options.certificate),
        ssl_keyfile=options.key and str(options.key),
    )
    return Http(config)


def _grpc_service(models: dict[str, HostedModel], options: HostOptions) -> Any:
    try:
        from inferometer.hosting.grpc_service import GrpcService  # noqa: PLC0415

        return GrpcService(models, options)
    except ImportError as error:
        raise MissingBackendError(f"gRPC is not possible: {_INSTALL}") from error


def _bound(options: HostOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        bound = socket.create_server((options.host, options.port), family=family, backlog=_BACKLOG)
        # Connections inherit it. Else the end of an answer waits for the client's word that it
        # has the beginning, which takes 40 ms.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise HostingError(
            f"{options.host}:{options.port} can't be listened on: {error.strerror or error}; "
            "choose another --port (0 for any that is free)"
        ) from error
    return bound


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
