"""How a limit stands, as the two families of headers write it."""

import pytest

from tollhouse.core.limit_status import LimitStatus, WriteLimit, instant, spelled
from tollhouse.formats import dialects

T = 1_790_000_000_000


@pytest.mark.parametrize("headers", [dialects()["openai"].limit_headers, dialects()["gemini"].limit_headers])
def test_openais_headers_count_down(headers: WriteLimit) -> None:
    assert headers(LimitStatus(500, 499, 120), "requests", T) == (
        (b"x-ratelimit-limit-requests", b"500"),
        (b"x-ratelimit-remaining-requests", b"499"),
        (b"x-ratelimit-reset-requests", b"120ms"),
    )
    assert headers(LimitStatus(200_000, 0, 360_000), "tokens", T)[2] == (b"x-ratelimit-reset-tokens", b"6m0s")
    assert [name for name, _ in headers(LimitStatus(1, 1, 0), "tokens", T)] == [
        b"x-ratelimit-limit-tokens",
        b"x-ratelimit-remaining-tokens",
        b"x-ratelimit-reset-tokens",
    ]


def test_anthropics_headers_name_the_instant() -> None:
    headers = dialects()["anthropic"].limit_headers
    assert headers(LimitStatus(500, 499, 120), "requests", T) == (
        (b"anthropic-ratelimit-requests-limit", b"500"),
        (b"anthropic-ratelimit-requests-remaining", b"499"),
        (b"anthropic-ratelimit-requests-reset", b"2026-09-21T14:13:21Z"),
    )
    assert headers(LimitStatus(9, 8, 0), "tokens", T) == (
        (b"anthropic-ratelimit-tokens-limit", b"9"),
        (b"anthropic-ratelimit-tokens-remaining", b"8"),
        (b"anthropic-ratelimit-tokens-reset", b"2026-09-21T14:13:20Z"),
    )


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (1, "1ms"),
        (999, "999ms"),
        (1_000, "1s"),
        (1_001, "2s"),
        (59_001, "1m0s"),
        (360_000, "6m0s"),
        (3_600_000, "1h0m0s"),
        (3_630_000, "1h0m30s"),
        (86_400_000, "24h0m0s"),
    ],
)
def test_durations_as_headers_spell_them(duration_ms: int, text: str) -> None:
    assert spelled(duration_ms) == text


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [(0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:01Z"), (T - 1, "2026-09-21T14:13:20Z")],
)
def test_instants_are_whole_seconds_and_never_early(time_ms: int, text: str) -> None:
    assert instant(time_ms) == text
