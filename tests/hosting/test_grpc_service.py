"""The gRPC side: the protocol's calls, with our client and with the bare library."""

from __future__ import annotations

from typing import Any

import grpc
import numpy as np
import pytest

from inferometer.open_inference.messages import SERVICE, message_class
from inferometer.serving.remote import FaultKind, RemoteFault, RemoteOptions, connect
from tests.hosting.running import Doubling, ones, options, running


def _call(channel: Any, name: str, /, **fields: Any) -> Any:
    call = channel.unary_unary(
        f"/{SERVICE}/{name}",
        message_class(f"{name}Request").SerializeToString,
        message_class(f"{name}Response").FromString,
    )
    return call(message_class(f"{name}Request")(**fields), timeout=30)


def test_health_and_metadata() -> None:
    with (
        running(Doubling(), options(grpc_port=0)) as server,
        grpc.insecure_channel(str(server.grpc_url).removeprefix("grpc://")) as channel,
    ):
        assert _call(channel, "ServerLive").live
        assert _call(channel, "ServerReady").ready
        assert _call(channel, "ModelReady", name="m").ready
        assert _call(channel, "ServerMetadata").name == "inferometer"
        found = _call(channel, "ModelMetadata", name="m", version="1")
        assert [tensor.name for tensor in found.inputs] == ["x"]
        with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
            _call(channel, "ModelReady", name="other")
        with pytest.raises(grpc.RpcError, match="version 1 only"):
            _call(channel, "ModelReady", name="m", version="2")


def test_typed_contents_are_answered() -> None:
    with (
        running(Doubling(), options(grpc_port=0)) as server,
        grpc.insecure_channel(str(server.grpc_url).removeprefix("grpc://")) as channel,
    ):
        tensor = message_class("InferInputTensor")(name="x", datatype="FP32", shape=[1, 2])
        tensor.contents.fp32_contents.extend([1, 2])
        found = _call(channel, "ModelInfer", model_name="m", id="9", inputs=[tensor])
        assert (found.id, found.outputs[0].name) == ("9", "y")
        assert np.frombuffer(found.raw_output_contents[0], np.float32).tolist() == [2, 4]
        tensor.shape[:] = [3]
        with pytest.raises(grpc.RpcError, match="2 values came for x"):
            _call(channel, "ModelInfer", model_name="m", inputs=[tensor])


def test_our_client_and_its_faults() -> None:
    def refuse(x: Any) -> None:
        if x.shape[1] == 3:
            raise ValueError("three columns")

    with running(Doubling(refuse), options(grpc_port=0, max_body_bytes=10_000)) as server:
        transport = connect(str(server.grpc_url), "m", "", RemoteOptions(retries=1))
        reply = transport.call(ones(4))
        assert reply.outputs["y"].tolist() == [[2.0, 2.0]] * 4
        assert reply.timing is not None
        with pytest.raises(RemoteFault, match="three columns") as caught:
            transport.call(ones(1, 3))
        assert caught.value.kind is FaultKind.FAILED
        # A message over the limit is answered as the library does.
        with pytest.raises(RemoteFault, match="RESOURCE_EXHAUSTED"):
            transport.call(ones(10_000))
    with pytest.raises(RemoteFault) as caught:
        transport.call(ones(1))
    assert caught.value.kind is FaultKind.CONNECTION_LOST
    notes = transport.account.notes()
    assert notes["retried"] == {"busy": 1, "connection-lost": 1}
    transport.close()
