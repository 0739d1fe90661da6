"""Clients of remote servers: HTTP and gRPC, one call at a time or many in flight."""

from inferometer.serving.remote.account import Account
from inferometer.serving.remote.endpoint import Endpoint, RemoteOptions
from inferometer.serving.remote.fault import FaultKind, RemoteFault
from inferometer.serving.remote.in_flight import InFlightServing, SplitHandler
from inferometer.serving.remote.transport import Job, RemoteModel, Reply, Transport, connect

__all__ = [
    "Account",
    "Endpoint",
    "FaultKind",
    "InFlightServing",
    "Job",
    "RemoteFault",
    "RemoteModel",
    "RemoteOptions",
    "Reply",
    "SplitHandler",
    "Transport",
    "connect",
]
