"""Serves ONNX models with KServe: run by the interpreter of an environment that has it.

Arguments: the HTTP port, the gRPC port, then ``NAME=FILE.onnx`` for each model.
"""

import sys
from typing import Any

import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer
from kserve.utils.numpy_codec import from_np_dtype
from kserve.utils.utils import generate_uuid

_DATATYPES = {"tensor(float)": "FP32", "tensor(int64)": "INT64", "tensor(int32)": "INT32"}


class OnnxModel(Model):  # type: ignore[misc]
    def __init__(self, name: str, path: str):
        super().__init__(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options)
        self._names = [node.name for node in self._session.get_outputs()]
        self.ready = True

    async def get_input_types(self) -> list[dict[str, Any]]:
        return [_described(node) for node in self._session.get_inputs()]

    async def get_output_types(self) -> list[dict[str, Any]]:
        return [_described(node) for node in self._session.get_outputs()]

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        inputs = {one.name: one.as_numpy() for one in payload.inputs}
        outputs = []
        found = self._session.run(self._names, inputs)
        for name, array in zip(self._names, found, strict=True):
            output = InferOutput(name, list(array.shape), from_np_dtype(array.dtype))
            output.set_data_from_numpy(array, binary_data=True)
            outputs.append(output)
        return InferResponse(generate_uuid(), self.name, outputs)


def _described(node: Any) -> dict[str, Any]:
    shape = [axis if isinstance(axis, int) else -1 for axis in node.shape]
    return {"name": node.name, "datatype": _DATATYPES[node.type], "shape": shape}


if __name__ == "__main__":
    http_port, grpc_port, *models = sys.argv[1:]
    ModelServer(http_port=int(http_port), grpc_port=int(grpc_port)).start(
        [OnnxModel(*model.split("=", 1)) for model in models]
    )
