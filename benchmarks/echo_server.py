"""An inference server that answers without thinking, so that clients can be compared.

Run as ``python -m benchmarks.echo_server``: it prints its port, and answers every request of
an inference with the same small tensor, with as little work as Python allows.
"""

from __future__ import annotations

import json
import select
import socket
import struct

_JSON = json.dumps(
    {
        "model_name": "echo",
        "outputs": [
            {
                "name": "output",
                "shape": [1, 4],
                "datatype": "FP32",
                "parameters": {"binary_data_size": 16},
            }
        ],
    },
    separators=(",", ":"),
).encode()
_BODY = _JSON + struct.pack("<4f", 0, 1, 2, 3)
_ANSWER = (
    f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    f"Inference-Header-Content-Length: {len(_JSON)}\r\nContent-Length: {len(_BODY)}\r\n\r\n"
).encode() + _BODY


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    pending: dict[int, bytes] = {}
    while True:
        for descriptor, _ in poll.poll():
            connection = connections.get(descriptor)
            if connection is None:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
                continue
            try:
                data = connection.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                poll.unregister(descriptor)
                connections.pop(descriptor).close()
                pending.pop(descriptor, None)
                continue
            data = pending.pop(descriptor, b"") + data
            if is_whole(data):
                connection.send(_ANSWER)
            else:
                pending[descriptor] = data


def is_whole(data: bytes) -> bool:
    """Tell whether a request has come with all of its body."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    place = data[:end].lower().find(b"\r\ncontent-length:")
    if place < 0:
        return True
    length = data[place + 17 : end].split(b"\r\n", 1)[0]
    return len(data) >= end + 4 + int(length)


if __name__ == "__main__":
    main()
