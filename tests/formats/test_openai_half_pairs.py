"""A history that was cut in the middle of an emoji goes on as it came."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.failure import BadRequest
from tollhouse.core.half_pairs import HALVES_MAX, hide, restore
from tollhouse.formats.openai.request import read, write


def chat(text: str) -> bytes:
    """`text`: as it stands between the quotes of JSON."""
    return b'{"model":"m","messages":[{"role":"user","content":"%b"}]}' % text.encode()


def passed_on(body: bytes) -> bytes:
    return b"".join(write(read("chat", body), model="m", stream=False, include_usage=False))


@pytest.mark.parametrize(
    "text",
    [
        r"\ud83d",
        r"\ude00",
        r"\udbff",
        r"\udfff",
        r"\ud800",
        r"cut \ud83d",
        r"\ude00 rest",
        r"\ud83d\ud83d",
        r"\ude00\ude00",
        r"\ude00\ud83d",
        r"\ud83dx\ude00",
        r"\ud83d\ud83d\ude00",
        r"\ud83d\ude00\ude00",
        r"\ud83d\ude00 whole, \ud83d half",
        r"\ud83d\n\u00e9",
        r"\\\ud83d",
        r"\\\\\ud83d",
        r"\\ud83d \ud83d",
        r"\"\ud83d\"",
        "税 \\ud83d",
    ],
)
def test_half_of_a_surrogate_pair_goes_on_as_it_came(text: str) -> None:
    body = chat(text)
    assert passed_on(body) == body
    assert json.loads(passed_on(body)) == json.loads(body)


@pytest.mark.parametrize("text", [r"\uD83D", r"\uDE00", r"\uD83d", r"\uDABC"])
def test_a_half_in_capitals_is_the_same_half(text: str) -> None:
    assert json.loads(passed_on(chat(text))) == json.loads(chat(text))


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("responses", rb'{"model":"m","input":"\ud83d"}'),
        ("responses", rb'{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"\ud83d"}]}]}'),
        ("completions", rb'{"model":"m","prompt":"\ud83d"}'),
        ("embeddings", rb'{"model":"m","input":["\ud83d","b"]}'),
        ("moderations", rb'{"model":"m","input":"\ud83d"}'),
        ("chat", rb'{"model":"m","messages":[{"role":"assistant","tool_calls":[{"x":"\ud83d"}]}],"user":"\ud83d"}'),
        ("chat", rb'{"model":"m","messages":[{"\ud83d":1}],"metadata":{"\ud83d":"\ud83d"}}'),
    ],
)
def test_wherever_it_stands(operation: str, body: bytes) -> None:
    request = read(operation, body)  # type: ignore[arg-type]
    assert b"".join(write(request, model="m", stream=False, include_usage=False)) == body


@pytest.mark.parametrize("text", [r"\ud83", r"\ud83g", r"\ud83d\u", r"\ud83d\x", "\\ud83d\n"])
def test_what_is_no_json_either_way_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read("chat", chat(text))


def test_escapes_for_private_use_stay_and_are_not_taken_for_halves() -> None:
    assert passed_on(chat(r"\ue000\ue7ff")) == chat(r"\ue000\ue7ff")
    with pytest.raises(BadRequest):
        read("chat", chat(r"\ue000\ud83d"))


def test_very_many_halves_are_refused() -> None:
    assert passed_on(chat(r"\ud83d" * HALVES_MAX)) == chat(r"\ud83d" * HALVES_MAX)
    with pytest.raises(BadRequest):
        read("chat", chat(r"\ud83d" * (HALVES_MAX + 1)))


@given(
    st.lists(st.sampled_from([r"\ud83d", r"\ude00", r"\\", r"\n", "a", "u", "d", r"\u00e9", r"\"", "8"]), max_size=9)
)
def test_any_mixture_is_read_as_json_and_written_as_it_came(pieces: list[str]) -> None:
    body = chat("".join(pieces))
    try:
        assert passed_on(body) == body
    except BadRequest:
        assert hide(body) is None or "d83d" in "".join(pieces)


@given(st.text(alphabet=st.characters(), max_size=20))
def test_what_python_writes_comes_back(text: str) -> None:
    body = json.dumps({"a": text}).encode()
    hidden = hide(body)
    assert hidden is None or json.loads(restore(hidden)) == {"a": text}
