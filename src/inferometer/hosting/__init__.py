"""Hosting: models offered to others by the Open Inference Protocol, HTTP and gRPC."""

from inferometer.hosting.hosted_model import HostedModel
from inferometer.hosting.options import HostingError, HostOptions
from inferometer.hosting.server import Server
from inferometer.hosting.signature import Signature

__all__ = ["HostOptions", "HostedModel", "HostingError", "Server", "Signature"]
