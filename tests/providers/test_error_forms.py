"""Every form in which vendors write a refusal comes to the same reason; the page of docs lists the same forms."""

from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from tollhouse.core.failure import BadRequest
from tollhouse.core.reported_error import failure_of
from tollhouse.formats.openai.failure import code
from tollhouse.providers import kinds

KIND = kinds()["openai_compatible"]
REASON = "tools must be an array"
PAGE = Path(__file__).parents[2] / "docs" / "provider-errors.md"


class ErrorForm(Struct, frozen=True):
    form: str
    source: str
    body: str
    param: str | None
    code: str | None


FORMS = msgspec.json.Decoder(ErrorForm).decode_lines((Path(__file__).parent / "error_forms.jsonl").read_bytes())
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.form)
@pytest.mark.parametrize("status", [400, 409, 422, 451])
def test_a_reason_is_found_in_every_form(form: ErrorForm, status: int) -> None:
    fault = KIND.read_error("chat", status, [], form.body.encode())
    assert fault.blame == "request"
    assert REASON in fault.failure.message
    assert "Nimbus" not in fault.failure.message
    assert fault.failure.param == form.param
    assert code(fault.failure) == (form.code or "invalid_request_error")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", FORMS[:8], ids=lambda form: form.form)
def test_a_reason_is_found_in_every_encoding(form: ErrorForm, encoding: str) -> None:
    fault = KIND.read_error("chat", 400, [], form.body.encode(encoding))
    assert REASON in fault.failure.message


def test_the_page_lists_each_form() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [form.form for form in FORMS if f"| {form.form} | {form.source} |" not in page] == []


WORDS = (
    *("unsupported_parameter", "unsupported_value", "content_filter", "content_policy_violation", "invalid_image_url"),
    *("string_above_max_length", "tool_use_failed", "json_validate_failed", "previous_response_not_found"),
    *("invalid_prompt", "invalid_image_format", "missing_required_parameter", "invalid_function_parameters"),
)


@pytest.mark.parametrize("word", WORDS)
def test_codes_of_the_original_stay_in_answers_and_in_events(word: str) -> None:
    error = {"message": "no", "type": "invalid_request_error", "code": word}
    assert code(KIND.read_error("chat", 400, [], msgspec.json.encode({"error": error})).failure) == word
    assert code(failure_of(error)) == word


def test_other_codes_do_not_reach_the_caller() -> None:
    fault = KIND.read_error("chat", 400, [], b'{"error":{"message":"no","code":"acme_internal_7"}}')
    assert code(fault.failure) == "invalid_request_error"


TOO_LONG = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
    "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    "Requested token count exceeds the model's maximum context length of 4096 tokens.",
    "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens",
    "the request exceeds the available context size, try increasing it",
    "prompt is too long: 209353 tokens > 200000 maximum",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "Please reduce the length of the messages or completion.",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "Range of input length should be [1, 30720]",
    "Your request exceeded model token limit: 8192",
    "invalid params, context window exceeds limit",
    "Prompt token count of 9000 exceeds the limit of 8192.",
    "litellm.ContextWindowExceededError: too much",
    "Input is too long for requested model.",
    "input length and `max_tokens` exceed context limit: 90402 + 116650 > 204648",
)


@pytest.mark.parametrize("message", TOO_LONG)
def test_a_prompt_that_is_too_long_is_known_by_its_sentence(message: str) -> None:
    body = msgspec.json.encode({"error": {"message": message, "code": 400}})
    failure = KIND.read_error("chat", 400, [], body).failure
    assert failure.code == "context_length_exceeded"
    assert "maximum context length is" in failure.message
    assert message in failure.message


def test_words_that_a_caller_can_have_repeated_blame_nobody_else() -> None:
    quoted = msgspec.json.encode({"error": {"message": "x", "code": "invalid_api_key"}}).decode()
    fault = KIND.read_error("chat", 400, [], msgspec.json.encode({"error": {"message": f"bad value: {quoted}"}}))
    assert (type(fault.failure), fault.blame) == (BadRequest, "request")
