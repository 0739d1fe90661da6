"""The Open Inference Protocol (KServe v2): tensors, HTTP bodies, gRPC messages, timings.

Both sides of it: what a client sends and reads, and what a server reads and sends.
"""

from inferometer.open_inference.body import Body, pack, unpack
from inferometer.open_inference.datatypes import (
    ProtocolError,
    TensorSpec,
    array_of,
    bytes_of,
    datatype_of,
    dtype_of,
)
from inferometer.open_inference.server_timing import ServerTiming, read_timing, timing_text

__all__ = [
    "Body",
    "ProtocolError",
    "ServerTiming",
    "TensorSpec",
    "array_of",
    "bytes_of",
    "datatype_of",
    "dtype_of",
    "pack",
    "read_timing",
    "timing_text",
    "unpack",
]
