"""Step 5: each code is recognised however it was printed. The texts were recorded from openai 3.57.0, anthropic 2.14.0
and google-genai 3.6.1 (Python), openai 6.49.0, @anthropic-ai/sdk 1.14.0 and @google/genai (Node), against the bodies of
this platform."""

import json
from pathlib import Path
from typing import Final

import pytest

from tollhouse.checklist.error_text import ERROR_MAX, judge_error, read_error
from tollhouse.core.failure import every_failure
from tollhouse.formats.anthropic import failure as anthropic
from tollhouse.formats.gemini import failure as gemini
from tollhouse.formats.openai import failure as formats_openai

ID: Final = "req_agrc2za2ohnv5ppl5dfbmtspni"
PRINTED: Final = json.loads(Path(__file__).with_name("printed_errors.json").read_text(encoding="utf-8"))
CODES: Final = sorted({kind.code for kind in every_failure()})
LIBRARIES: Final = sorted({one["library"] for one in PRINTED})


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_code_is_recognised_in_what_a_library_prints(library: str) -> None:
    texts = {one["code"]: one["text"] for one in PRINTED if one["library"] == library}
    assert sorted(texts) == CODES
    assert {code: read_error(text).code for code, text in texts.items()} == {code: code for code in texts}


@pytest.mark.parametrize("kind", list(every_failure()), ids=lambda kind: kind.__name__)
def test_every_body_of_this_platform_is_recognised(kind: type) -> None:
    failure = kind("what is wrong")
    for body in (formats_openai.body(failure, ID), gemini.body(failure, ID)):
        assert read_error(body.decode()).code == failure.code
    raw = f"HTTP/1.1 {anthropic.status(failure)} X\r\nx-request-id: {ID}\r\n\r\n{anthropic.body(failure, ID).decode()}"
    found = read_error(raw)
    assert (found.status, found.request_id) == (anthropic.status(failure), ID)
    assert found.code is not None
    step = judge_error(formats_openai.body(failure, ID).decode(), "")
    assert (step.state, step.code) == ("red", failure.code)
    assert step.reason
    assert step.cure


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("httpx.LocalProtocolError: Illegal header value b'Bearer sk-x\\n'", "line break"),
        ("UnicodeEncodeError: 'ascii' codec can't encode character '\\u2026'", "not ASCII"),
        ("OpenAIError: The api_key client option must be set either by passing api_key", "found no API key"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", "certificate"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1000)", "`https` and `http`"),
        ("Error: getaddrinfo ENOTFOUND toll.exmaple", "not known"),
        ("TypeError: fetch failed ... [cause]: Error: connect ECONNREFUSED 127.0.0.1:8080", "Nobody listens"),
        ("httpx.UnsupportedProtocol: Request URL is missing an 'http://' or 'https://' protocol.", "`https://`"),
        ("TypeError: Client.__init__() got an unexpected keyword argument 'proxies'", "`openai`"),
        ("APIRemovedInV1: you tried openai.ChatCompletion, but this is no longer supported in openai>=1.0.0",
         "version 1"),
        ("openai.APITimeoutError: Request timed out.", "No answer came"),
        ("SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON", "HTML"),
        ("AttributeError: 'str' object has no attribute 'choices'", "`/v1`"),
        ("openai.APIConnectionError: Connection error.", "could not reach"),
        ("RemoteProtocolError: peer closed connection without a complete message body (incomplete chunked read)",
         "broke off"),
    ],
)  # fmt: skip
def test_what_no_service_wrote_is_told_too(text: str, reason: str) -> None:
    step = judge_error(text, "")
    assert step.state == "red"
    assert reason in step.reason
    assert step.cure


def test_an_error_of_another_service_is_no_error_of_this_one() -> None:
    text = (
        "Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-th-li****. You can find your API key"
        " at https://platform.openai.com/account/api-keys.', 'type': 'x', 'code': 'invalid_api_key'}}"
    )
    step = judge_error(text, "")
    assert "Another service" in step.reason
    assert "base URL" in step.cure


def test_an_id_alone_and_words_alone() -> None:
    step = judge_error(f"  {ID}\n", "")
    assert (step.state, step.request_id) == ("not_run", ID)
    assert judge_error("it does not work", "").state == "not_run"
    assert judge_error("  ", "").state == "not_run"


def test_retry_after_is_told() -> None:
    step = judge_error('HTTP/1.1 429 X\nretry-after: 7\n\n{"error":{"code":"rate_limit_exceeded","message":"m"}}', "")
    assert "7 s" in step.cure


@pytest.mark.parametrize("piece", ['"', "\\", "'", "{", "code: ", 'message: "', "retry-after: ", "a_", "<", "Error "])
def test_long_texts_take_no_time_that_grows_faster_than_they(piece: str) -> None:
    judge_error(piece * (ERROR_MAX // len(piece)), "")
