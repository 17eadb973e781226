"""Why an answer ended, in whatever form a server says so."""

import pytest

from tollhouse.core.failure import UpstreamError
from tollhouse.formats.openai.finish import finish_of, is_cut, rewrite
from tollhouse.formats.openai.words import finish as words


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (None, None),
        ("", None),
        ("null", None),
        ("None", None),
        (" ", None),
        ("FINISH_REASON_UNSPECIFIED", None),
        (False, None),
        (0, None),
        ({}, None),
        ([], None),
        ("stop", "stop"),
        ("end", "end"),
        ("sensitive", "sensitive"),
        ("STOP", "STOP"),
        ({"type": "stop"}, "stop"),
        ({"type": "length", "length": 12}, "length"),
        ({"reason": "stop"}, "stop"),
        ({"type": None, "name": "eos"}, "eos"),
        ({"matched": 7}, "stop"),
        (True, "stop"),
        (1, "stop"),
        (["stop"], "stop"),
    ],
)
def test_a_reason_is_told_as_text_or_as_none(reason: object, told: str | None) -> None:
    choice: dict[str, object] = {"index": 0, "finish_reason": reason}
    assert finish_of(choice) == told
    assert rewrite([choice]) == (told != reason)
    assert choice["finish_reason"] == told


@pytest.mark.parametrize(
    "reason",
    [
        *("error", "network_error", "insufficient_system_resource", "abort", "aborted", "server_error", "ERROR"),
        *("timeout", "network-error", "NetworkError", "model_error", "cancelled"),
    ],
)
def test_a_reason_that_names_a_failure_is_one(reason: str) -> None:
    for choice in ({"finish_reason": reason}, {"finish_reason": "stop", "native_finish_reason": reason}):
        with pytest.raises(UpstreamError):
            finish_of(dict(choice))


@pytest.mark.parametrize("native", [None, "stop", "STOP", "end_turn", "completed", 7])
def test_a_harmless_native_reason_is_none(native: object) -> None:
    assert finish_of({"finish_reason": "stop", "native_finish_reason": native}) == "stop"
    assert finish_of({"finish_reason": None, "native_finish_reason": "error"}) is None, "it has not ended yet"


@pytest.mark.parametrize(
    "reason",
    [
        *("length", "max_tokens", "MAX_TOKENS", "maxTokens", "max-tokens", "model_length", "ERROR_LIMIT"),
        *("model_context_window_exceeded", "repetition_truncation", "max_output_reached"),
    ],
)
def test_what_was_cut_at_its_length_is_known_by_many_names(reason: str) -> None:
    assert is_cut(reason)
    assert not is_cut("stop")
    assert not is_cut(None)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("content-filter", "content_filter"),
        ("contentFilter", "content_filter"),
        ("ERROR_TOXIC", "content_filter"),
        ("guardrail_intervened", "content_filter"),
        ("repetition_truncation", "length"),
        ("toolCalls", "tool_calls"),
        ("COMPLETE", "stop"),
    ],
)
def test_a_reason_means_the_same_in_any_spelling(reason: str, finish: str) -> None:
    assert words.finish_of(reason, calls=False, refuses=False) == finish
