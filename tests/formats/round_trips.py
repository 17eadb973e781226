"""An answer turned into a stream and back, in both directions."""

import json
from typing import Any

from tollhouse.core.operation import Operation
from tollhouse.formats.openai.aggregate import Aggregate
from tollhouse.formats.openai.stream import open_stream
from tollhouse.formats.openai.unfold import unfold

TOKEN = {"token": "Kol", "logprob": -0.1, "bytes": [75, 111, 108], "top_logprobs": []}
NEXT = {"token": "berg", "logprob": -0.2, "bytes": [98, 101, 114, 103], "top_logprobs": []}


def gathered(stream: bytes, operation: Operation = "chat") -> Any:
    aggregate = Aggregate(operation)
    for start in range(0, len(stream), 7):
        aggregate.feed(stream[start : start + 7])
        if aggregate.is_complete:
            break
    return json.loads(aggregate.finish())


def events(stream: bytes) -> list[Any]:
    lines = [line for line in stream.split(b"\n") if line.startswith(b"data: ") and b"[DONE]" not in line]
    return [json.loads(line.removeprefix(b"data: ")) for line in lines]


def passes(body: dict[str, Any], operation: Operation) -> bytes:
    """The stream of a body as a caller gets it."""
    reader = open_stream(operation, show_usage=True, count=len)
    out = reader.feed(unfold(operation, json.dumps(body).encode()))
    assert reader.is_complete
    return out + reader.held
