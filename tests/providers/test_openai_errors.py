"""What an error answer of a provider comes to: the row of the contract's error table, and whom to avoid."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, Struct

from tollhouse.core.error_report import WORDS_MAX, read_report
from tollhouse.core.failure import Failure, Overloaded, UpstreamError, UpstreamRefusedKey, UpstreamSaturated
from tollhouse.core.upstream import Headers
from tollhouse.providers import Fault, kinds

KIND = kinds()["openai"]
PAGE = "<!DOCTYPE html><html><head><title>Not Found | gpu-7.internal.example</title></head><body>404</body></html>"


class Golden(Struct, frozen=True):
    """A line of vendor_errors.jsonl: what a vendor answers, and what must come of it."""

    vendor: str
    status: int
    body: Raw
    code: str
    blame: str
    param: str | None = None


VENDORS = msgspec.json.Decoder(Golden).decode_lines((Path(__file__).parent / "vendor_errors.jsonl").read_bytes())


def _read(status: int, body: str | bytes, headers: Headers | None = None) -> Fault:
    return KIND.read_error("chat", status, headers or [], body if isinstance(body, bytes) else body.encode())


def _error(message: str, param: str | None = None) -> bytes:
    return msgspec.json.encode({"error": {"message": message, "type": "invalid_request_error", "param": param}})


def _refused(message: str, param: str | None = None) -> Failure:
    return _read(400, _error(message, param)).failure


@pytest.mark.parametrize("golden", VENDORS, ids=lambda golden: golden.vendor)
def test_every_vendors_error_has_its_row_and_its_blame(golden: Golden) -> None:
    fault = _read(golden.status, bytes(golden.body))
    assert (fault.failure.code, fault.blame, fault.failure.param) == (golden.code, golden.blame, golden.param)
    assert fault.failure.message
    assert "<" not in fault.failure.message


@pytest.mark.parametrize(
    ("status", "code", "blame"),
    [
        (200, "upstream_error", "offer"),
        (302, "upstream_error", "offer"),
        (400, "invalid_request_error", "request"),
        (401, "upstream_error", "key"),
        (402, "upstream_error", "key"),
        (403, "content_policy_violation", "doubtful"),
        (404, "upstream_error", "model"),
        (405, "invalid_request_error", "request"),
        (407, "upstream_error", "offer"),
        (408, "upstream_timeout", "offer"),
        (409, "invalid_request_error", "request"),
        (413, "request_too_large", "request"),
        (418, "invalid_request_error", "request"),
        (422, "invalid_request_error", "request"),
        (410, "invalid_request_error", "request"),
        (421, "upstream_error", "offer"),
        (423, "invalid_request_error", "request"),
        (425, "upstream_error", "offer"),
        (429, "rate_limit_exceeded", "key"),
        (451, "invalid_request_error", "request"),
        (498, "invalid_request_error", "request"),
        (499, "invalid_request_error", "request"),
        (500, "upstream_error", "offer"),
        (502, "upstream_error", "offer"),
        (503, "overloaded", "offer"),
        (504, "upstream_timeout", "offer"),
        (521, "upstream_error", "offer"),
        (524, "upstream_timeout", "offer"),
        (529, "overloaded", "offer"),
        (999, "upstream_error", "offer"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [PAGE, "", "null", "[]", "7", '"x"', "{}", '{"error":null}', '{"error":[]}', '{"err', "[" * 50_000, "\xff\xfe"],
)
def test_a_page_nothing_or_nonsense_is_judged_by_its_status_and_never_leaks(
    status: int, code: str, blame: str, body: str
) -> None:
    fault = _read(status, body.encode("latin-1"))
    assert (fault.failure.code, fault.blame, fault.failure.param) == (code, blame, None)
    assert "internal" not in fault.failure.message
    assert "<" not in fault.failure.message


@given(st.integers(100, 999), st.one_of(st.binary(max_size=200), st.builds(_error, st.text(max_size=60), st.text())))
def test_a_providers_refusal_never_looks_like_one_of_ours(status: int, body: bytes) -> None:
    failure = _read(status, body).failure
    assert failure.code in (
        *("invalid_request_error", "content_policy_violation", "request_too_large", "rate_limit_exceeded"),
        *("upstream_error", "upstream_timeout", "overloaded"),
    )


def test_refused_credentials_are_not_worth_a_retry_and_name_no_key() -> None:
    failure = _read(401, '{"error":{"message":"Incorrect API key: sk-abcdefghij.","code":"invalid_api_key"}}').failure
    assert isinstance(failure, UpstreamRefusedKey)
    assert failure.should_retry is False
    assert "sk-" not in failure.message


@pytest.mark.parametrize(
    "reason",
    [
        "Invalid type for 'messages[0].content': expected one of a string or array, got 12.",
        "Unknown parameter: 'reasoning.effort'.",
        "Invalid 'tools[0].function.name': string does not match pattern '^[a-zA-Z0-9_-]+$'.",
        "temperature must be <= 2, e.g. 0.7",
        "gpt-4.1-mini does not support this; see v1/chat/completions",
        "模型不支持该参数：temperature",
    ],
)
def test_a_400_keeps_its_reason_word_for_word(reason: str) -> None:
    assert _refused(reason).message == reason


@pytest.mark.parametrize("param", ["messages", "messages[1].role", "tools.0.function.parameters", "max_tokens"])
def test_a_400_keeps_the_field_to_blame(param: str) -> None:
    assert _refused("no", param).param == param


@pytest.mark.parametrize("param", ["", "gpu-7.internal.example", "10.0.0.1", "x" * 129, "http://h/v1"])
def test_what_is_no_field_is_not_shown_as_one(param: str) -> None:
    assert _refused("no", param).param is None


def test_a_400_that_is_only_a_page_gives_no_reason() -> None:
    assert _refused(PAGE).message == "The provider refused the request and gave no reason."


def test_a_saturated_provider_says_when_to_come_back() -> None:
    fault = _read(429, "", [(b"retry-after", b"7")])
    assert isinstance(fault.failure, UpstreamSaturated)
    assert (fault.retry_after_ms, fault.failure.retry_after_ms) == (7_000, 7_000)


def test_one_that_does_not_say_is_tried_again_soon_and_its_health_is_ours_to_judge() -> None:
    for status, kind in ((429, UpstreamSaturated), (503, Overloaded)):
        fault = _read(status, "")
        assert isinstance(fault.failure, kind)
        assert (fault.retry_after_ms, fault.failure.retry_after_ms) == (None, 1_000)


def test_a_wait_that_is_too_long_stops_automatic_retries() -> None:
    assert _read(429, "", [(b"retry-after", b"61")]).failure.should_retry is False
    assert _read(429, "", [(b"retry-after", b"60")]).failure.should_retry is None


def test_an_empty_account_is_the_operators_affair_not_the_callers() -> None:
    fault = _read(429, '{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}')
    assert type(fault.failure) is UpstreamError
    assert fault.failure.status == 502
    assert "quota" not in fault.failure.message


SHAPES = {
    "a list of errors": '{"result":null,"success":false,"errors":[{"code":5006,"message":"tools must be an array"}]}',
    "a list of texts": '{"errors":["tools must be an array"]}',
    "an error in an error": '{"error":{"error":{"message":"tools must be an array"}}}',
    "thrice": '{"error":{"error":{"error":"tools must be an array"}}}',
    "a message that is an object": '{"error":{"message":{"message":"tools must be an array"}}}',
    "a message with details": '{"message":{"detail":[{"loc":["body","tools"],"msg":"tools must be an array"}]}}',
    "a list": '[{"error":{"message":"tools must be an array"}}]',
    "an event": 'data: {"error":{"message":"tools must be an array"}}\n\ndata: [DONE]\n\n',
    "a named event": 'event: error\r\ndata: {"message":"tools must be an array"}\r\n\r\n',
    "a problem": '{"type":"about:blank","title":"tools must be an array","status":400}',
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("status", [400, 409, 418, 422, 451])
def test_a_refusal_in_any_shape_keeps_its_reason(shape: str, status: int) -> None:
    fault = _read(status, SHAPES[shape])
    assert (fault.failure.code, fault.blame) == ("invalid_request_error", "request")
    assert "tools must be an array" in fault.failure.message


def test_a_403_of_a_moderation_is_told_to_its_caller() -> None:
    fault = _read(403, '{"error":{"message":"Input was flagged for harassment","code":403}}')
    assert (fault.failure.code, fault.failure.status, fault.blame) == ("content_policy_violation", 400, "doubtful")
    assert fault.failure.message == "Input was flagged for harassment"


def test_a_402_that_asks_for_a_smaller_cap_is_about_the_request() -> None:
    reason = "This request requires more credits, or fewer max_tokens. You can only afford 300."
    fault = _read(402, msgspec.json.encode({"error": {"message": reason, "code": 402}}))
    assert (fault.failure.code, fault.failure.message, fault.blame) == ("invalid_request_error", reason, "request")


@pytest.mark.parametrize(("status", "word"), [(402, "x"), (429, "insufficient_quota"), (403, "insufficient_quota")])
def test_an_empty_account_is_not_worth_a_retry(status: int, word: str) -> None:
    failure = _read(status, msgspec.json.encode({"error": {"message": "no money", "code": word}})).failure
    assert (failure.status, failure.should_retry) == (502, False)
    assert "money" not in failure.message


def test_an_unknown_model_is_told_as_502_and_held_against_nobodys_offer_but_the_callers() -> None:
    fault = _read(404, '{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}')
    assert (fault.failure.status, fault.blame) == (502, "model")


def test_reading_a_body_takes_bounded_work() -> None:
    deep = '{"error":' * 500 + '"x"' + "}" * 500
    wide = msgspec.json.encode({"errors": [{"code": str(at), "message": "m"} for at in range(5_000)]})
    assert _read(400, deep).blame == "request"
    assert _read(400, wide).blame == "request"
    assert len(read_report(wide).words) <= WORDS_MAX


def test_a_validation_list_reads_as_one_sentence() -> None:
    body = (
        b'{"detail":[{"loc":["body","messages",0,"role"],"msg":"Field required"},'
        b'{"loc":["body","n"],"msg":"Input should be an integer"}]}'
    )
    failure = _read(422, body).failure
    assert failure.message == "messages.0.role: Field required; n: Input should be an integer"
    assert failure.param == "messages.0.role"
