"""Why a call failed stands with its record: the words its caller read, the model they wrote, their address."""

from contextlib import suppress
from typing import Any

import pytest
from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, identity
from tests.gateway.harness import LIVE, OVERLOADED, ROLE, GatewayHarness, asking, refusing, run, streaming, word
from tollhouse.core.failure import Failure
from tollhouse.core.usage_record import FailureDetail
from tollhouse.gateway.failure_detail import MESSAGE_MAX, MODEL_MAX
from tollhouse.gateway.flow import serve
from tollhouse.limits.row_allowance import UNKNOWN_AT_ONCE, UNKNOWN_EVERY_MS

ADDRESS = "192.0.2.7"
PROVIDERS_KEY = "sk-one-of-the-providers-4711"
UNKNOWN = LIVE[:-8] + "00000000"


def asked(harness: GatewayHarness, body: bytes, **how: Any) -> str:
    """What the caller read."""
    said = []

    async def main() -> None:
        try:
            await harness.ask(FakeCallerConnection(body), **how)
        except Failure as failure:
            said.append(failure.message)

    run(main())
    return said[0] if said else ""


def test_detail_of_a_refused_body_names_what_was_asked() -> None:
    harness = GatewayHarness()
    said = asked(harness, asking("house-2"))
    assert "house-2" in said
    assert harness.record.detail == FailureDetail(message=said, model="house-2", address=ADDRESS)
    assert harness.record.model == ""


def test_detail_of_a_body_that_is_none_has_no_model() -> None:
    harness = GatewayHarness()
    said = asked(harness, b'{"model": "house-1", "messages": 3}')
    assert harness.record.detail == FailureDetail(message=said, address=ADDRESS)


def test_detail_of_an_answer_that_is_good_is_none() -> None:
    harness = GatewayHarness()
    asked(harness, asking())
    assert harness.record.detail is None


def test_detail_keeps_the_provider_s_reason_that_the_caller_reads() -> None:
    refused = refusing(400, {"message": "temperature must be below 2", "type": "invalid_request_error"})
    harness = GatewayHarness(first=FakeUpstream(refused))
    said = asked(harness, asking(temperature=3))
    assert "temperature must be below 2" in said
    detail = harness.record.detail
    assert detail is not None
    assert (detail.message, detail.model) == (said, "house-1")


def test_detail_keeps_the_provider_s_own_words_for_the_operator() -> None:
    troubled = refusing(
        401, {"message": f"Incorrect API key: {PROVIDERS_KEY}. Ask billing.", "code": "invalid_api_key"}
    )
    harness = GatewayHarness(
        first=FakeUpstream(troubled), second=FakeUpstream(troubled), keys_of_first=(PROVIDERS_KEY,)
    )
    read = asked(harness, asking())
    detail = harness.record.detail
    assert detail is not None
    assert "Ask billing" in detail.provider_words
    assert PROVIDERS_KEY not in detail.provider_words
    assert "Ask billing" not in read + detail.message


def test_detail_of_a_stream_that_broke_says_what_its_last_event_said() -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("Zoll "), OVERLOADED)))
    asked(harness, asking(stream=True))
    detail = harness.record.detail
    assert harness.record.ending == "failed_after_first_byte"
    assert detail is not None
    assert detail.message


CONTENT = "my grandmother's recipe 4721"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Invalid 'messages[0].content': string too long.", "Invalid 'messages[0].content': string too long."),
        ("Invalid value: 'developr'. Supported: 'system'.", "Invalid value: 'developr'. Supported: 'system'."),
        ("temperature must be at most 2, got 3", "temperature must be at most 2, got 3"),
        ("The model `house-1` takes no images.", "The model `house-1` takes no images."),
        (f'Blocked: "{CONTENT}" is not allowed', 'Blocked: "…" is not allowed'),
        (f"Cannot parse {CONTENT.split()[1]}-{CONTENT.split()[-1]} here", None),
        (f"Cannot use this prompt: {CONTENT}", "Cannot"),
        (f"You wrote {CONTENT} and secret-word-4722 which we do not like at all today", "not like at all"),
        ('Wrong request {"messages": [{"content": "my grandmother"}]}', "Wrong request"),
        ("token secret-word-4722 is unknown", "token … is unknown"),
    ],
)  # fmt: skip
def test_detail_holds_no_content(said: str, kept: str | None) -> None:
    harness = GatewayHarness(first=FakeUpstream(refusing(400, {"message": said, "type": "invalid_request_error"})))
    body = asking(messages=[{"role": "user", "content": f"{CONTENT} and secret-word-4722"}])
    asked(harness, body)
    detail = harness.record.detail
    assert detail is not None
    assert "recipe" not in detail.message
    assert "4722" not in detail.message
    if kept is not None:
        assert kept in detail.message


def test_detail_holds_no_key_and_is_bounded() -> None:
    harness = GatewayHarness()
    asked(harness, asking(LIVE + "x" * 5_000))
    detail = harness.record.detail
    assert detail is not None
    assert LIVE not in detail.model + detail.message
    assert len(detail.model) <= MODEL_MAX
    assert len(detail.message) <= MESSAGE_MAX


def test_call_of_nobody_is_written_down_for_the_operator() -> None:
    harness = GatewayHarness()
    said = asked(harness, asking(), key=UNKNOWN)
    (record,) = harness.ledger.noted
    assert (record.account_id, record.key_id, record.status, record.error) == ("", "", 401, "invalid_api_key")
    assert record.detail == FailureDetail(message=said, address=ADDRESS)
    assert UNKNOWN not in str(record)
    assert harness.ledger.records == []


def test_call_with_a_revoked_key_is_written_down_for_its_account() -> None:
    harness = GatewayHarness()
    known = identity(LIVE)
    harness.keys.put(structs.replace(known, key=structs.replace(known.key, state="revoked")))
    said = asked(harness, asking())
    (record,) = harness.ledger.noted
    assert (record.account_id, record.key_id) == (known.account.id, known.key.id)
    assert record.detail is not None
    assert record.detail.message == said
    assert "revoked" in said


def test_calls_of_nobody_are_bounded_by_network_and_in_all() -> None:
    harness = GatewayHarness()

    async def flood(address: str, calls: int) -> None:
        for _ in range(calls):
            call = harness.call(FakeCallerConnection(asking()), key=UNKNOWN)
            call.address = address
            with suppress(Failure):
                await serve(harness.gateway, call)

    run(flood("198.51.100.1", 100))
    assert len(harness.ledger.noted) == UNKNOWN_AT_ONCE
    run(flood("198.51.100.2", 3))
    assert len(harness.ledger.noted) == UNKNOWN_AT_ONCE + 3
    harness.clock.ms += UNKNOWN_EVERY_MS
    run(flood("198.51.100.1", 5))
    assert len(harness.ledger.noted) == UNKNOWN_AT_ONCE + 4
    assert len(harness.observer.refusals) == 108


@pytest.mark.parametrize("headers", [[], [(b"x-api-key", b"a\xff\x00b")], [(b"user-agent", b"curl/8.5.0")]])
def test_call_of_nobody_is_written_down_whatever_it_brings(headers: list[tuple[bytes, bytes]]) -> None:
    harness = GatewayHarness()

    async def main() -> None:
        call = harness.call(FakeCallerConnection(asking()))
        call.headers = headers
        with suppress(Failure):
            await serve(harness.gateway, call)

    run(main())
    (record,) = harness.ledger.noted
    assert record.client in ("other", "curl/8.5.0")
