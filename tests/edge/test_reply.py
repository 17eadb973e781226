"""The headers and the shape of an error, for every kind of failure and every dialect."""

import asyncio
import json
from typing import Any

import pytest

from tests.edge.recorded_connection import RecordedConnection
from tollhouse.core.failure import ContextTooLong, Failure, InsufficientQuota, every_failure
from tollhouse.core.operation import Dialect
from tollhouse.edge import cors
from tollhouse.edge.reply import headers_of, refuse

KINDS = list(every_failure())
DIALECTS: tuple[Dialect, ...] = ("openai", "anthropic", "gemini")


def answered(dialect: Dialect, failure: Failure) -> tuple[int, dict[bytes, bytes], Any]:
    caller = RecordedConnection()
    exchange = caller.exchange()
    exchange.always = cors.always("req_1")
    asyncio.run(refuse(exchange, dialect, failure, "req_1"))
    assert exchange.complete
    status, headers, body = caller.answer()
    return status, headers, json.loads(body)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wait_ms", [None, 0, 1, 1000, 1001, 60_000, 60_001])
def test_when_to_come_back_is_told_where_it_is_known_and_with_every_429_and_503(
    kind: type[Failure], wait_ms: int | None
) -> None:
    headers = dict(headers_of(kind("x", retry_after_ms=wait_ms)))
    must = kind.status in (429, 503) and kind is not InsufficientQuota
    if wait_ms is None and not must:
        assert not {b"retry-after", b"retry-after-ms"} & set(headers)
        return
    expected = 1000 if wait_ms is None else wait_ms
    assert headers[b"retry-after-ms"] == b"%d" % expected
    assert 0 <= int(headers[b"retry-after"]) * 1000 - expected < 1000
    if expected > 60_000:
        assert headers[b"x-should-retry"] == b"false"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_failure_has_its_shape_in_every_dialect(kind: type[Failure], dialect: Dialect) -> None:
    status, headers, body = answered(dialect, kind("what went wrong", param="model"))
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"x-request-id"] == headers[b"request-id"] == b"req_1"
    error = body["error"]
    told = "What went wrong. Request id: req_1" if kind.status >= 500 else "what went wrong"
    if dialect == "anthropic" and kind is ContextTooLong:  # words by which clients know it
        told = f"prompt is too long: {told}"
    assert error["message"] == told
    if dialect == "openai":
        assert status == kind.status
        assert error == {**error, "type": kind.openai_type, "code": kind.code, "param": "model"}
    elif dialect == "anthropic":
        assert status == (kind.anthropic_status or kind.status)
        assert (body["type"], error["type"], body["request_id"]) == ("error", kind.anthropic_type, "req_1")
    else:
        assert (status, error["code"], error["status"]) == (kind.status, kind.status, kind.gemini_status)
        assert error["details"][0]["reason"] == kind.code
