"""A call that a page makes: through the gateway, in the name of a key, with the same limits, charge and record."""

import asyncio
from typing import Any

import pytest
from msgspec import structs

from tests.gateway.fakes import FakeUpstream, identity
from tests.gateway.harness import LIVE, GatewayHarness, answer, buffered, refusing
from tollhouse.console.page_call import PageAnswer, ask
from tollhouse.core.account import Identity
from tollhouse.core.failure import BadRequest

BODY = {"model": "house-1", "messages": [{"role": "user", "content": "hi there"}]}


def asked(harness: GatewayHarness, known: Identity, **body: Any) -> PageAnswer:
    harness.keys.put(known)
    return asyncio.run(ask(harness.gateway, known.key, BODY | body, "192.0.2.7"))


def test_answer_is_shown_with_what_it_cost_and_has_a_record() -> None:
    harness = GatewayHarness(first=FakeUpstream(buffered(answer("Zoll haus"))))
    shown = asked(harness, identity(LIVE))
    record = harness.record
    assert (shown.text, shown.failure, shown.request_id) == ("Zoll haus", None, record.id)
    assert record.charge is not None
    assert float(shown.charge_usd) > 0
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


@pytest.mark.parametrize(
    "body", [b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": null}}], "usage": {}}']
)
def test_answer_without_text_is_no_defect(body: bytes) -> None:
    harness = GatewayHarness(first=FakeUpstream(buffered(body)), second=FakeUpstream(buffered(body)))
    assert asked(harness, identity(LIVE)).text == ""
