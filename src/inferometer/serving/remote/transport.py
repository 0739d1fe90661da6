"""The seam to a protocol: a model on a server, called one by one or many at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from inferometer.open_inference import ServerTiming, TensorSpec
from inferometer.serving.remote.account import Account
from inferometer.serving.remote.endpoint import Endpoint, RemoteOptions
from inferometer.serving.remote.fault import RemoteFault

__all__ = ["Arrays", "Job", "RemoteModel", "Reply", "Transport", "connect"]

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class RemoteModel:
    """What a server says of a model and of itself."""

    name: str
    version: str
    platform: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    server: str
    extensions: tuple[str, ...]


class Reply:
    """An answer: outputs by name, and the time from sending to here, ns.

    ``timing`` is the server's share, where it told.
    """

    __slots__ = ("outputs", "round_trip_ns", "timing")

    def __init__(self, outputs: Arrays, round_trip_ns: int, timing: ServerTiming | None):
        self.outputs, self.round_trip_ns, self.timing = outputs, round_trip_ns, timing


class Job(Protocol):
    """A request among many in flight. Exactly one of `done` and `failed` is called, once."""

    def inputs(self) -> Arrays:
        """Give the inputs when it is this request's turn; again for a retry."""
        ...

    def done(self, reply: Reply) -> None:
        """Take the answer."""
        ...

    def failed(self, error: BaseException) -> None:
        """Take that there will be no answer."""
        ...


class Transport(Protocol):
    """A model on a server.

    ``account`` is where retries, failures and times go.
    """

    account: Account

    def describe(self) -> RemoteModel:
        """Ask what the server and the model are; raise `RemoteFault` if there is none."""
        ...

    def call(self, inputs: Arrays) -> Reply:
        """Have a batch answered, on the calling thread; raise `RemoteFault`."""
        ...

    def submit(self, job: Job) -> None:
        """Have a job answered, at once or as soon as fewer requests are in flight."""
        ...

    def statistics(self) -> Mapping[str, Any]:
        """Ask for the model's statistics; nothing from a server that keeps none."""
        ...

    def start(self) -> Any:
        """Be ready for `submit` before time is measured."""
        ...

    def stop(self) -> None:
        """Give up what was submitted and isn't answered yet; `start` begins anew."""
        ...

    def close(self) -> None:
        """End all connections; what is in flight still is given up."""
        ...


def connect(url: str, model: str, version: str, options: RemoteOptions) -> Transport:
    """Give a model on a server; the scheme of the URL says which protocol.

    Raises `ImportError` where the package is missing that speaks it.
    """
    endpoint = Endpoint.read(url)
    if endpoint.is_grpc:
        from inferometer.serving.remote.grpc_transport import GrpcTransport  # noqa: PLC0415

        return GrpcTransport(endpoint, model, version, options)
    from inferometer.serving.remote.http_transport import HttpTransport  # noqa: PLC0415

    return HttpTransport(endpoint, model, version, options)


def note_reply(account: Account, reply: Reply) -> None:
    """Put an answer's times on record."""
    timing = reply.timing
    if timing is None:
        account.note_answer(reply.round_trip_ns)
    else:
        account.note_shares(reply.round_trip_ns, timing.queue_ns, timing.total_ns)


def is_to_be_retried(account: Account, error: BaseException, tries: int, retries: int) -> bool:
    """Tell whether a request is sent again after a fault, and put either on record."""
    if not isinstance(error, RemoteFault):
        return False
    if error.is_worth_a_retry and tries <= retries:
        account.note_retry(error)
        return True
    account.note_failure(error)
    return False
