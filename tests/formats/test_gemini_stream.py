"""Streams of Gemini on their way to a caller: what goes on, what waits for the charge, what was used."""

import json

import pytest

from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.failure import Failure, UpstreamBroke, UpstreamSaturated
from tollhouse.core.stream_relay import StreamRelay
from tollhouse.core.usage import Usage
from tollhouse.formats.gemini.content_stream import Framing, open_stream
from tollhouse.formats.gemini.failure import event, item
from tollhouse.formats.gemini.gathering import GatheredContent

Object = dict[str, object]


def words(text: str) -> int:
    return len(text.split())


def chunk(text: str | None, said: int = 0, *, reason: str = "", index: int = 0, **beside: object) -> Object:
    candidate: Object = {"content": {"role": "model", "parts": [] if text is None else [{"text": text}]}}
    if reason:
        candidate["finishReason"] = reason
    candidate["index"] = index
    report = {"promptTokenCount": 40, "candidatesTokenCount": said, "totalTokenCount": 40 + said}
    return {"candidates": [candidate], "usageMetadata": report, "modelVersion": "up-gem", "responseId": "r1", **beside}


def events(*chunks: object, end: bytes = b"\r\n\r\n") -> bytes:
    return b"".join(b"data: " + json.dumps(one, ensure_ascii=False).encode() + end for one in chunks)


def opened(framing: Framing = "events", *, choices: int = 1, maximum: int | None = None) -> StreamRelay:
    return open_stream(framing, show_usage=True, count=words, choices=choices, maximum=maximum, known=NOTHING_KNOWN)


def told(out: bytes) -> list[Object]:
    return [json.loads(one.removeprefix(b"data: ")) for one in out.split(b"\r\n\r\n") if one.strip()]


def said(out: bytes) -> str:
    texts = []
    for one in told(out):
        for candidate in one.get("candidates", []):  # type: ignore[attr-defined]
            texts += [part.get("text", "") for part in candidate["content"].get("parts", [])]
    return "".join(texts)


WHOLE = events(chunk("Zoll ", 1), chunk("haus ", 3), chunk("am Fluß 🛃", 9, reason="STOP"))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_what_has_a_reason_waits_for_the_charge(size: int) -> None:
    stream = opened()
    out = b"".join(stream.feed(WHOLE[at : at + size]) for at in range(0, len(WHOLE), size))
    assert (said(out), stream.is_complete, stream.finishing) == ("Zoll haus ", False, True)
    stream.finish()
    assert (stream.is_complete, stream.usage) == (True, Usage(input=40, output=9))
    sealed = stream.seal("0.000095", "req_1")
    assert said(out + sealed) == "Zoll haus am Fluß 🛃"
    (last,) = told(sealed)
    assert last["tollhouse"] == {"charge_usd": "0.000095", "request_id": "req_1"}
    assert not stream.incomplete
    assert stream.delivered() == Usage(output=5)


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_any_line_end_ends_an_event(end: bytes) -> None:
    stream = opened()
    out = stream.feed(events(chunk("Zoll", 1), chunk("haus", 2, reason="STOP"), end=end))
    stream.finish()
    assert said(out + stream.seal("0", "r")) == "Zollhaus"


def test_a_stream_that_breaks_never_looks_whole() -> None:
    for cut in range(len(WHOLE) - 4):
        stream = opened()
        out = stream.feed(WHOLE[:cut])
        with pytest.raises(UpstreamBroke):
            stream.finish()
        assert b"finishReason" not in out
        assert stream.seal("0", "r") == b""


def test_a_reason_on_every_event_is_none_until_the_last() -> None:
    stream = opened()
    out = stream.feed(
        events(chunk(None, reason="STOP"), chunk("a ", 1, reason="STOP"), chunk("b ", 2), chunk("c", 3, reason="STOP"))
    )
    assert (said(out), b"finishReason" in out) == ("a b ", False)
    stream.finish()
    (last,) = told(stream.seal("0", "r"))
    assert last["candidates"][0]["finishReason"] == "STOP"  # type: ignore[index]
    assert stream.usage == Usage(input=40, output=3)


def test_each_candidate_has_its_end() -> None:
    stream = opened(choices=2)
    out = stream.feed(events(chunk("a", 1), chunk("b", 2, index=1), chunk(" a", 3, reason="MAX_TOKENS")))
    assert not stream.finishing
    out += stream.feed(events(chunk(" b", 4, index=1), chunk(None, 4, index=1, reason="STOP")))
    assert (said(out), b"finishReason" in out, stream.finishing) == ("ab b", False, True)
    stream.finish()
    reasons = [one["candidates"][0]["finishReason"] for one in told(stream.seal("0", "r"))]  # type: ignore[index]
    assert (reasons, stream.incomplete) == (["MAX_TOKENS", "STOP"], True)


def test_a_prompt_that_is_blocked_is_a_whole_answer() -> None:
    stream = opened()
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 7}}
    assert stream.feed(events(blocked)) == b""
    stream.finish()
    assert (stream.is_complete, stream.usage) == (True, Usage(input=7))
    assert told(stream.seal("0", "r"))[0]["promptFeedback"] == blocked["promptFeedback"]


def test_usage_may_follow_the_reason() -> None:
    stream = opened()
    last = chunk("a", reason="STOP")
    del last["usageMetadata"]
    stream.feed(events(last, {"usageMetadata": {"promptTokenCount": 40, "candidatesTokenCount": 5}}))
    stream.finish()
    assert stream.usage == Usage(input=40, output=5)
    assert [list(one) for one in told(stream.seal("0", "r"))][1] == ["usageMetadata", "tollhouse"]


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_error_on_the_way_is_the_failure_that_it_stands_for(wrapped: bool) -> None:
    error: object = {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}
    stream = opened()
    stream.feed(events(chunk("a", 1), [error] if wrapped else error))
    assert isinstance(stream.failure, UpstreamSaturated)
    with pytest.raises(Failure):
        stream.finish()


def test_what_is_no_answer_breaks_the_stream() -> None:
    for nonsense in (b"data: nonsense\n\n", b"data: [1, 2]\n\n", b"data: [DONE]\n\n"):
        stream = opened()
        stream.feed(events(chunk("a", 1)) + nonsense)
        assert isinstance(stream.failure, UpstreamBroke)


def test_what_tells_of_the_upstream_does_not_go_on() -> None:
    stream = opened()
    out = stream.feed(events(chunk("a", 1, serverName="gpu-7.internal"), chunk("b", 2, reason="STOP", debug="x")))
    stream.finish()
    out += stream.seal("0", "r")
    assert (said(out), b"gpu-7" in out, b"debug" in out) == ("ab", False, False)


def test_a_stream_is_cut_at_what_it_was_held_for() -> None:
    stream = opened(maximum=3)
    out = stream.feed(events(chunk("one two ", 2), chunk("three four five ", 5), chunk("six", 6, reason="STOP")))
    assert (stream.is_complete, stream.cut, said(out).split()) == (True, True, ["one", "two", "three"])
    assert stream.delivered() == Usage(output=3)
    (last,) = told(stream.seal("0.1", "req_1", counted=Usage(input=40, output=3)))
    assert last["candidates"] == [
        {"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": "MAX_TOKENS", "index": 0}
    ]
    assert last["usageMetadata"] == {"promptTokenCount": 40, "candidatesTokenCount": 3, "totalTokenCount": 43}
    assert last["tollhouse"] == {"charge_usd": "0.1", "request_id": "req_1", "cut": "hold"}


def test_a_cut_takes_back_the_reason_of_the_event_that_it_cuts() -> None:
    stream = opened(maximum=2)
    out = stream.feed(events(chunk("one ", 1), chunk("two three four", 4, reason="STOP")))
    assert (said(out).split(), stream.cut) == (["one", "two"], True)
    (last,) = told(stream.seal("0", "r", counted=Usage(output=2)))
    assert last["candidates"][0]["finishReason"] == "MAX_TOKENS"  # type: ignore[index]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_array_is_valid_json_when_it_is_whole(size: int) -> None:
    stream = opened("array")
    out = b"".join(stream.feed(WHOLE[at : at + size]) for at in range(0, len(WHOLE), size))
    assert stream.sequence_number == 2
    stream.finish()
    array = json.loads(out + stream.seal("0.1", "req_1"))
    assert said(b"\r\n\r\n".join(json.dumps(one).encode() for one in array)) == "Zoll haus am Fluß 🛃"
    assert array[-1]["tollhouse"]["charge_usd"] == "0.1"


def test_an_array_that_is_cut_at_its_first_item_is_valid_json() -> None:
    stream = opened("array", maximum=2)
    out = stream.feed(events(chunk("one two three four", 4)))
    first, last = json.loads(out + stream.seal("0.1", "req_1", counted=Usage(output=2)))
    assert first["candidates"][0]["content"]["parts"][0]["text"].split() == ["one", "two"]
    assert last["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_an_array_that_breaks_has_no_end() -> None:
    stream = opened("array")
    out = stream.feed(WHOLE[: len(WHOLE) // 2])
    with pytest.raises(UpstreamBroke) as caught:
        stream.finish()
    broken = out + item(caught.value, "req_1", stream.sequence_number)
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken)
    assert json.loads(broken + b"]")[-1]["error"]["status"] == "UNAVAILABLE"
    assert json.loads(item(caught.value, "req_1", 0) + b"]")[0]["error"]["code"] == 502
    assert event(caught.value, "req_1").startswith(b'data: {"error"')


def test_a_gathered_stream_is_one_answer() -> None:
    call = {"functionCall": {"name": "gate", "args": {"id": 7}}, "thoughtSignature": "c2ln"}
    thought = {"candidates": [{"content": {"role": "model", "parts": [{"text": "hm", "thought": True}]}, "index": 0}]}
    used = {"candidates": [{"content": {"role": "model", "parts": [call]}, "index": 0}]}
    gathered = GatheredContent(count=words, known=NOTHING_KNOWN)
    stream = events(thought, chunk("Zoll", 1), chunk("haus", 2), used, chunk("", 3, reason="STOP", safetyRatings=[]))
    for at in range(0, len(stream), 7):
        gathered.feed(stream[at : at + 7])
    body = json.loads(gathered.finish())
    assert body["candidates"][0]["content"]["parts"] == [{"text": "hm", "thought": True}, {"text": "Zollhaus"}, call]
    assert (body["candidates"][0]["finishReason"], body["responseId"]) == ("STOP", "r1")
    assert body["usageMetadata"]["candidatesTokenCount"] == 3
    assert gathered.usage == Usage(input=40, output=3)


def test_a_gathered_stream_that_breaks_is_no_answer() -> None:
    gathered = GatheredContent(count=words, known=NOTHING_KNOWN)
    gathered.feed(events(chunk("Zoll", 1)))
    with pytest.raises(UpstreamBroke):
        gathered.finish()


def test_a_gathered_stream_is_cut_at_what_it_was_held_for() -> None:
    gathered = GatheredContent(count=words, maximum=3, known=NOTHING_KNOWN)
    gathered.feed(events(chunk("one two ", 2), chunk("three four five ", 5)))
    assert (gathered.is_complete, gathered.cut, gathered.usage) == (True, True, None)
    body = json.loads(gathered.finish())
    (candidate,) = body["candidates"]
    assert candidate["content"]["parts"][0]["text"].split() == ["one", "two", "three"]
    assert (candidate["finishReason"], "usageMetadata" in body) == ("MAX_TOKENS", False)


def test_usage_that_grows_is_told_once() -> None:
    """As users of other gateways reported: the first report, or the sum of all, was billed."""
    thought = {"thoughtsTokenCount": 14}
    said = [("One ", 3, ""), ("two ", 9, ""), ("three.", 21, "STOP")]
    chunks = [chunk(text, tokens, reason=reason) for text, tokens, reason in said]
    for one in chunks:
        one["usageMetadata"] |= thought  # type: ignore[operator]
    for end in (b"\n\n", b"\r\n\r\n"):
        framing: Framing
        for framing in ("events", "array"):
            stream = opened(framing)
            stream.feed(events(*chunks, end=end))
            stream.finish()
            assert stream.usage == Usage(input=40, output=21, reasoning=14)
    assert stream.raw_usage is not None
    assert json.loads(stream.raw_usage)["candidatesTokenCount"] == 21
