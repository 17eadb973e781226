"""Whole messages of a provider: what is accounted for, what a caller may see, what is cut."""

import json

import pytest

from tests.formats.anthropic_samples import EVERY_BLOCK, REPORT, Object, encoded, message, text
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.failure import BadRequest, ContextTooLong, Failure, Overloaded, UpstreamError, UpstreamRefusedKey
from tollhouse.core.usage import Usage
from tollhouse.formats.anthropic import answer


def words(said: str) -> int:
    return len(said.split())


def test_a_message_is_read() -> None:
    body = encoded(message(*EVERY_BLOCK, stop="tool_use", usage=REPORT))
    summary = answer.read(body)
    assert summary.usage == Usage(
        input=60, cache_read=20, cache_write_5m=10, cache_write_1h=20, output=7, reasoning=5, searches=1
    )
    assert json.loads(summary.raw_usage or b"") == REPORT
    assert (summary.finish, summary.incomplete, summary.beside, summary.mended) == ("tool_use", False, False, None)
    said = 'I must look.Zoll hausweb_search{"query":"tolls"}open_gate{"gate":"A"}'
    assert answer.text(body) == (said, Usage(searches=1))


@pytest.mark.parametrize(
    ("reason", "incomplete"),
    [
        *(
            ("end_turn", False),
            ("stop_sequence", False),
            ("tool_use", False),
            ("pause_turn", False),
            ("refusal", False),
        ),
        *(("max_tokens", True), ("model_context_window_exceeded", True), ("something_new", False), (None, False)),
    ],
)
def test_why_it_ended_is_told(reason: str | None, incomplete: bool) -> None:
    summary = answer.read(encoded(message(text("Zoll"), stop=reason)))
    assert (summary.finish, summary.incomplete) == (reason, incomplete)


def test_an_answer_may_say_nothing() -> None:
    assert answer.read(encoded(message())).usage == Usage(input=60, output=12)


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": -1, "output_tokens": 2}, {"output_tokens": 1.5}, [1]])
def test_a_report_that_is_none_is_counted(usage: object) -> None:
    assert answer.read(encoded(message(text("Zoll"), usage=usage))).usage is None


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"null", b"[]", b"{}", b'{"content": "x"}', b'{"choices": []}', b'{"content": [', b"\xff"]
)
def test_what_is_no_message_is_none(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        answer.read(body)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, Overloaded),
        ({"type": "authentication_error", "message": "invalid x-api-key"}, UpstreamRefusedKey),
        ({"type": "invalid_request_error", "message": "messages.0: bad"}, BadRequest),
        ({"type": "invalid_request_error", "code": "context_length_exceeded", "message": "long"}, ContextTooLong),
        ({"type": "api_error", "message": "Internal server error"}, UpstreamError),
    ],
    ids=str,
)
def test_an_error_in_a_200_is_one(error: Object, kind: type[Failure]) -> None:
    with pytest.raises(kind):
        answer.read(encoded({"type": "error", "error": error, "request_id": "req_011"}))


def test_what_nobody_has_read_goes_on_to_nobody() -> None:
    whole = message(text("Zoll"))
    body = encoded({**whole, "server": "pod-7", "context_management": {"applied_edits": []}})
    assert answer.read(body).beside
    assert json.loads(answer.fitted(body, NOTHING_KNOWN)) == {**whole, "context_management": {"applied_edits": []}}


def test_what_was_counted_is_told() -> None:
    body = answer.with_usage(encoded(message(text("Zoll"))), Usage(input=5, output=2, audio_in=1))
    assert json.loads(body)["usage"]["input_tokens"] == 6
    assert answer.read(body).usage == Usage(input=6, output=2)


def test_an_answer_is_cut_where_it_passes_the_hold() -> None:
    call = {"type": "tool_use", "id": "t", "name": "open", "input": {"gate": "A B C"}}
    thought = {"type": "thinking", "thinking": "a b c d", "signature": "S"}
    body = encoded(message(thought, text("e f g h"), call, stop="tool_use"))
    assert answer.cut(body, 20, words) is None
    for most, kept in (
        (8, [thought, text("e f g h")]),
        (6, [thought, text("e f ")]),
        (4, [thought]),
        (2, [{**thought, "thinking": "a b ", "signature": ""}]),
        (0, []),
    ):
        found = answer.cut(body, most, words)
        assert found is not None
        assert json.loads(found[0])["content"] == kept
        assert json.loads(found[0])["stop_reason"] == "max_tokens"
        assert found[1].output <= most


def test_half_of_a_pair_is_read() -> None:
    body = encoded(message(text("Zoll"))).replace(b"Zoll", b"\\ud83d")
    assert answer.read(body).finish == "end_turn"
    assert answer.text(body)[0] == "?"
    assert b"\\ud83d" in answer.with_usage(body, Usage(input=1))
