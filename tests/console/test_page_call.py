"""A call that a page makes: through the gateway, in the name of a key, with the same limits, charge and record."""

import asyncio
import json
from typing import Any

import pytest
from msgspec import Struct, structs

from tests.gateway.fakes import FakeUpstream, identity
from tests.gateway.harness import LIVE, STORY, GatewayHarness, answer, buffered, refusing
from tollhouse.console.call_formats import Given, call_formats
from tollhouse.console.page_call import RAW_CHARACTERS_MAX, PageCall, PlannedCall, StreamText, text_of
from tollhouse.core.account import Identity
from tollhouse.core.failure import BadRequest, Failure

CHAT, RESPONSES = call_formats()["openai_chat"], call_formats()["openai_responses"]
BODY = {"model": "house-1", "messages": [{"role": "user", "content": "hi there"}]}


class EndedPageCall(Struct):
    """A call of a page that is over."""

    request_id: str
    text: str
    failure: Failure | None


def asked(harness: GatewayHarness, known: Identity, **body: Any) -> EndedPageCall:
    harness.keys.put(known)
    pieces: list[bytes] = []

    async def take(data: bytes) -> None:
        pieces.append(data)

    planned = PlannedCall(known.key, CHAT, BODY | body, Given(model="house-1", text="hi there"))
    call = PageCall(harness.gateway, planned, "192.0.2.7", take)
    failure = asyncio.run(call.make())
    return EndedPageCall(call.id, text_of(CHAT, b"".join(pieces)), failure)


def test_answer_is_shown_and_has_a_record_with_its_charge() -> None:
    harness = GatewayHarness(first=FakeUpstream(buffered(answer("Zoll haus"))))
    shown = asked(harness, identity(LIVE))
    record = harness.record
    assert (shown.text, shown.failure, shown.request_id) == ("Zoll haus", None, record.id)
    assert record.charge is not None
    assert record.charge.amount > 0
    assert record.key_id == "key_live"
    assert record.tags == {"console": "playground"}


def test_failure_is_shown_in_its_own_words_and_written_down() -> None:
    refused = refusing(400, {"message": "temperature must be below 2", "type": "invalid_request_error"})
    harness = GatewayHarness(first=FakeUpstream(refused))
    shown = asked(harness, identity(LIVE), temperature=3)
    assert shown.failure is not None
    assert "temperature must be below 2" in shown.failure.message
    assert harness.record.status == 400


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"state": "revoked"}, "revoked"),
        ({"state": "frozen"}, "frozen"),
        ({"expires_at_ms": 1}, "expired"),
        ({"networks": ("203.0.113.0/24",)}, "address"),
        ({"scopes": ("usage",)}, "inference"),
        ({"mode": "admin"}, "live or test"),
    ],
)
def test_key_may_what_it_may_elsewhere_and_no_more(changed: dict[str, Any], words: str) -> None:
    harness = GatewayHarness()
    known = identity(LIVE)
    shown = asked(harness, structs.replace(known, key=structs.replace(known.key, **changed)))
    assert shown.failure is not None
    assert words in shown.failure.message
    assert harness.ledger.records == []


def test_key_without_a_secret_is_refused() -> None:
    harness = GatewayHarness()
    known = identity(LIVE)
    with pytest.raises(BadRequest, match="secret"):
        asked(harness, structs.replace(known, key=structs.replace(known.key, secrets=())))


def test_answer_without_text_is_no_defect() -> None:
    body = b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": null}}], "usage": {}}'
    harness = GatewayHarness(first=FakeUpstream(buffered(body)), second=FakeUpstream(buffered(body)))
    assert asked(harness, identity(LIVE)).text == ""


@pytest.mark.parametrize(
    "body", [b"[]", b"nonsense", b'{"choices": 1}', b'{"choices": [[]]}', b"[" * 100_000, b"\xff", b""]
)
def test_answer_of_another_shape_is_no_defect(body: bytes) -> None:
    assert len(text_of(CHAT, body)) <= RAW_CHARACTERS_MAX


def test_what_is_no_text_is_shown_as_it_is_and_bounded() -> None:
    vectors = b'{"data": [' + b"0.5," * 10_000 + b"0]}"
    assert text_of(call_formats()["openai_embeddings"], vectors) == vectors.decode()[:RAW_CHARACTERS_MAX]


def test_half_a_character_can_be_shown() -> None:
    assert text_of(CHAT, b'{"choices": [{"message": {"content": "a\\ud83d"}}]}').encode() == "a\ufffd".encode()


def test_stream_gives_its_text_however_it_is_cut() -> None:
    stream = b"".join([*STORY[:-1], b": comment\n\n", STORY[-1]])
    for size in (1, 7, len(stream)):
        reader = StreamText(CHAT)
        pieces = [reader.feed(stream[begin : begin + size]) for begin in range(0, len(stream), size)]
        assert "".join(pieces) == "Zoll haus "


def test_stream_of_responses_gives_the_text_alone() -> None:
    events = (
        {"type": "response.output_text.delta", "delta": "Zoll"},
        {"type": "response.function_call_arguments.delta", "delta": "{}"},
        {"type": "response.output_text.done", "text": "Zoll"},
        {"type": "error", "message": "no"},
    )
    stream = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in events)
    assert StreamText(RESPONSES).feed(stream) == "Zoll"
