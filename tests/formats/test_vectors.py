"""Vectors come in the encoding that was asked for: float32, little endian, in their order."""

import json
import struct
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import GatewayHarness, buffered, run
from tollhouse.core.model_request import VectorEncoding
from tollhouse.formats.openai.request import read
from tollhouse.formats.openai.vectors import encoded
from tollhouse.gateway.relay import VECTOR_BYTES_MAX

VECTORS = [[0.5, 0.25], [0.125, -1.0], [0.0, 3.0]]


def base64(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def body(vectors: list[Any], **members: Any) -> bytes:
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 640, "total_tokens": 640}
    return json.dumps({"object": "list", "data": data, "model": "vec-3", "usage": usage, **members}).encode()


def answered(answer: bytes, **members: Any) -> tuple[GatewayHarness, Any]:
    stage = GatewayHarness(first=FakeUpstream(buffered(answer)), money=10**9)
    client = FakeCallerConnection(json.dumps({"model": "house-1", "input": ["a", "b", "c"], **members}).encode())
    run(stage.ask(client, "embeddings"))
    assert client.status == 200
    assert stage.record.usage.input == 640
    return stage, json.loads(client.data)


ASKS: list[dict[str, Any]] = [{}, *({"encoding_format": name} for name in (None, "float", "base64"))]


@pytest.mark.parametrize("answers", ["float", "base64"])
@pytest.mark.parametrize("asks", ASKS)
def test_vectors_come_as_they_were_asked_for(asks: dict[str, Any], answers: str) -> None:
    """A client that asked for base64 got two empty vectors, and paid."""
    sent = VECTORS if answers == "float" else list(map(base64, VECTORS))
    _, got = answered(body(sent), **asks)
    wants = "base64" if asks.get("encoding_format") == "base64" else "float"
    assert [one["embedding"] for one in got["data"]] == (VECTORS if wants == "float" else list(map(base64, VECTORS)))
    assert [one["index"] for one in got["data"]] == [0, 1, 2]
    assert (got["model"], got["usage"]["prompt_tokens"]) == ("vec-3", 640)


def test_large_vectors_are_written_aside() -> None:
    many = [[0.5, 0.25] * 768 for _ in range(20)]
    assert len(body(many)) > VECTOR_BYTES_MAX
    stage, got = answered(body(many), encoding_format="base64")
    assert [one["embedding"] for one in got["data"]] == list(map(base64, many))
    assert stage.record.usage_source == "upstream"


@pytest.mark.parametrize(
    "asks",
    [
        {"encoding_format": "int8"},
        {"encoding_format": "base64", "output_dtype": "int8"},
        {"embedding_types": ["binary"]},
        {"encoding_format": 7},
    ],
)
def test_vectors_of_another_type_pass_as_they_came(asks: dict[str, Any]) -> None:
    for sent in ([[1, 0, 1]], ["AQAB"]):
        _, got = answered(body(sent), **asks)
        assert got["data"][0]["embedding"] == sent[0]


@pytest.mark.parametrize(
    ("sent", "encoding"),
    [
        (None, "float"),
        ("not base64!", "float"),
        ("AAAA", "float"),  # three bytes
        ([], "float"),
        (None, "base64"),
        ([[0.5], [0.25]], "base64"),  # a vector for each token
        ([1e39], "base64"),
        (["a"], "base64"),
        ([True], "base64"),
        ({"a": [1]}, "base64"),
    ],
)
def test_what_is_no_vector_stays_as_it_came(sent: Any, encoding: VectorEncoding) -> None:
    other = body([sent, VECTORS[0] if encoding == "base64" else base64(VECTORS[0])])
    got = json.loads(encoded(other, encoding))
    assert got["data"][0]["embedding"] == sent
    assert got["data"][1]["embedding"] == (base64(VECTORS[0]) if encoding == "base64" else VECTORS[0])


@pytest.mark.parametrize(
    "whole", [b'{"data":[{"embedding":[0.5]}]', b'{"embedding":[0.5]}', b'{"data":{"embedding":[0.5]}}']
)
def test_what_is_no_answer_stays_as_it_came(whole: bytes) -> None:
    assert encoded(whole, "base64") == whole


@given(st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=5), max_size=4))
def test_there_and_back_is_the_same(vectors: list[list[float]]) -> None:
    sent = body(vectors)
    packed = encoded(sent, "base64")
    assert all(isinstance(one["embedding"], str) for one in json.loads(packed)["data"])
    assert [len(b64decode(one["embedding"])) for one in json.loads(packed)["data"]] == [4 * len(one) for one in vectors]
    assert json.loads(encoded(packed, "float")) == json.loads(sent)


def test_an_answer_in_the_right_encoding_is_the_bytes_that_came() -> None:
    sent = body([[0.1, 1e-9]], note={"embedding": "of nothing"}, exact=1)
    sent = sent.replace(b'"note": {"embedding": "of nothing"}, ', b"")
    assert encoded(sent, "float") is sent


def test_a_request_says_what_it_asks_for() -> None:
    def asks(**members: Any) -> VectorEncoding:
        return read("embeddings", json.dumps({"model": "m", "input": "a", **members}).encode()).vectors

    assert asks() == asks(encoding_format="float") == asks(output_dtype="float") == "float"
    assert asks(encoding_format="base64") == asks(encoding_format="base64", embedding_types=["float"]) == "base64"
    assert read("chat", b'{"model":"m","messages":[{"role":"user","content":"a"}]}').vectors == "other"
