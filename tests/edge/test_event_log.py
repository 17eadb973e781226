"""The log: one line a request, made of named fields; never a secret, never content, never half a line."""

import io
import json
from typing import Any

from msgspec.structs import replace

from tests.edge.seen_calls import FINISHED
from tollhouse.clock import SystemClock
from tollhouse.core.usage_record import FailureDetail
from tollhouse.edge.event_log import EventLog, open_log


def lines(out: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def journal() -> tuple[EventLog, io.BytesIO]:
    out = io.BytesIO()
    return EventLog(open_log(out, SystemClock()), out), out


def on_finished(*records: Any) -> list[dict[str, Any]]:
    kept, out = journal()
    kept.write(records)
    return lines(out)


def test_a_request_is_one_line_with_what_operators_ask_for() -> None:
    (line,) = on_finished(FINISHED)
    assert line["event"] == "request"
    assert line["request_id"] == FINISHED.id
    told = ("account_id", "key_id", "model", "provider", "status", "error", "ending", "first_byte_ms", "client")
    assert [line[name] for name in told] == [getattr(FINISHED, name) for name in told]
    assert line["attempts"] == 2
    assert (line["tokens_in"], line["tokens_out"]) == (60, 12)
    assert line["timestamp"].endswith("Z")


def test_many_requests_are_many_lines_in_their_order() -> None:
    found = on_finished(*(replace(FINISHED, id=f"req_{number}") for number in range(100)))
    assert [line["request_id"] for line in found] == [f"req_{number}" for number in range(100)]


def test_what_a_caller_wrote_cannot_begin_a_line_of_its_own() -> None:
    (line,) = on_finished(replace(FINISHED, model='x"}\n{"event": "forged"}\r\n\x00\u2028', client="a\nb"))
    assert line["event"] == "request"
    assert line["client"] == "a\nb"


def test_tags_raw_usage_and_other_texts_of_the_caller_are_not_in_it() -> None:
    (line,) = on_finished(replace(FINISHED, tags={"secret-tag": "secret-value"}, raw_usage=b'{"secret": "usage"}'))
    assert "secret" not in json.dumps(line)


def test_a_refusal_repeats_nothing_of_the_caller() -> None:
    kept, out = journal()
    detail = FailureDetail(message="No API key came with this request.", address="192.0.2.1")
    kept.refused(replace(FINISHED, status=401, error="invalid_api_key", ending="refused", detail=detail))
    (line,) = lines(out)
    assert (line["event"], line["status"], line["error"]) == ("refused", 401, "invalid_api_key")
    assert line["request_id"] == FINISHED.id
    assert (line["message"], line["address"]) == (detail.message, detail.address)
    assert "secret" not in json.dumps(line)


def test_a_defect_is_told_by_kind_and_place_without_its_text() -> None:
    kept, out = journal()
    try:
        raise ValueError("the body said: secret")
    except ValueError as error:
        kept.defect("req_1", error)
    (line,) = lines(out)
    assert (line["event"], line["kind"], line["level"]) == ("defect", "ValueError", "error")
    assert "test_event_log.py" in line["trace"][-1]
    assert "secret" not in json.dumps(line)
