"""A large body, read in another process and handed on in pieces, says what it said when it is read in one."""

import json
import pickle
from typing import Any

import pytest

from tollhouse.core.apart import LONG_BYTES, Read, arrived, encoded_apart, read_apart, read_response_apart
from tollhouse.core.failure import BadRequest, RequestTooLarge
from tollhouse.core.operation import Operation
from tollhouse.core.values import VALUES_MAX
from tollhouse.core.workers import APART_BYTES
from tollhouse.formats.openai import answer as answers
from tollhouse.formats.openai.codecs import CODECS
from tollhouse.formats.openai.input_bounds import input_bounds
from tollhouse.formats.openai.prompt import prompt_of
from tollhouse.formats.openai.request import read, write
from tollhouse.formats.openai.vectors import encoded

BY_OPERATION = {codec.operation: codec for codec in CODECS}
CHAT = BY_OPERATION["chat"]
VECTORS = BY_OPERATION["embeddings"].vectors
TEXT = 'Zoll 税 🛃 \\ " \u2028 '
LONG = TEXT * (APART_BYTES // len(TEXT))
PICTURE = "data:image/png;base64," + "A" * APART_BYTES
WAYS: dict[str, dict[str, Any]] = {
    "as it is": {"model": "m", "stream": False, "include_usage": False},
    "a stream": {"model": "up/m", "stream": True, "include_usage": True},
    "a cap": {"model": "m", "stream": False, "include_usage": False, "caps": ("max_tokens",), "added_cap": 9},
}
BODIES: dict[str, tuple[Operation, dict[str, Any]]] = {
    "text": ("chat", {"model": "x", "messages": [{"role": "user", "content": LONG}], "user": "u", "stop": None}),
    "long first": ("chat", {"messages": [{"role": "user", "content": LONG}], "model": "x"}),
    "long only inside": ("responses", {"model": "x", "input": "hi", "instructions": LONG, "tools": []}),
    "two long": ("completions", {"prompt": LONG, "suffix": LONG, "model": "x", "max_tokens": 7}),
    "pictures": (
        "chat",
        {
            "model": "x",
            "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]}],
        },
    ),
    "many short": ("embeddings", {"model": "x", "input": ["税 " * 300] * 3_000, "metadata": {"a": "b"}}),
    "ids": ("embeddings", {"model": "x", "input": list(range(300_000))}),
    "many members": (
        "chat",
        {"model": "x", "messages": [{"role": "user", "content": "hi"}]} | {f"m{i}": "x" * 40_000 for i in range(40)},
    ),
}


def across(made: Read) -> Read:
    """As it goes from process to process."""
    beside: list[pickle.PickleBuffer] = []
    sent = pickle.dumps(made, 5, buffer_callback=beside.append)
    assert len(sent) < APART_BYTES or not beside or made.prompt is not None
    return arrived(pickle.loads(sent, buffers=[bytes(buffer) for buffer in beside]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_read_apart_is_the_body_read_here(name: str, ascii_only: bool, way: str) -> None:
    operation, members = BODIES[name]
    if operation == "embeddings" and way != "as it is":
        way = "as it is"
    body = json.dumps(members, ensure_ascii=ascii_only).encode()
    here = read(operation, body)
    apart = across(read_apart(body, BY_OPERATION[operation]))
    assert apart.input_bounds == input_bounds(here)
    assert apart.request == here
    assert apart.prompt is None or apart.prompt == prompt_of(here, apart.input_bounds)
    pieces = write(apart.request, **WAYS[way])
    here.length = 0  # is written in one piece
    (whole,) = write(here, **WAYS[way])
    assert b"".join(pieces) == whole
    assert len(body) <= APART_BYTES or max(map(len, pieces)) >= LONG_BYTES or name == "many members"
    assert isinstance(pieces[0], bytes)


def test_a_picture_s_text_is_short_and_comes_with_it() -> None:
    operation, members = BODIES["pictures"]
    made = across(read_apart(json.dumps(members).encode(), BY_OPERATION[operation]))
    assert made.prompt is not None
    assert PICTURE not in made.prompt.text
    assert "image_url" in made.prompt.text
    assert across(read_apart(json.dumps(BODIES["text"][1]).encode(), CHAT)).prompt is None


def test_what_is_wrong_is_said_as_here() -> None:
    with pytest.raises(BadRequest) as there:
        read_apart(b'{"model":"x","messages":"' + b"a" * APART_BYTES + b'"}', CHAT)
    assert there.value.param == "messages"
    with pytest.raises(BadRequest):
        read_apart(b" " * APART_BYTES, CHAT)
    with pytest.raises(RequestTooLarge):
        read_apart(b'{"model":"x","messages":[' + b"1," * VALUES_MAX + b"1]}", CHAT)


def test_a_large_answer_comes_back_whole_with_what_it_says() -> None:
    body = json.dumps(
        {
            "choices": [{"message": {"content": LONG}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4},
        }
    ).encode()
    reading, whole = read_response_apart(body, CHAT)
    assert bytes(whole) == body
    assert pickle.loads(pickle.dumps(reading)) == answers.read("chat", body)


def test_large_vectors_change_their_encoding_where_they_differ() -> None:
    row = {"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}
    body = json.dumps({"object": "list", "data": [row] * 30_000, "model": "m"}).encode()
    assert VECTORS is not None
    assert bytes(encoded_apart(body, VECTORS, "base64")) == encoded(body, "base64") != body
    assert bytes(encoded_apart(body, VECTORS, "float")) == b""
